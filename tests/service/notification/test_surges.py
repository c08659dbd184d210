"""Of one matter suddenly more: the office is told once, with the way to judge it."""

from __future__ import annotations

from typing import Any

from shared.contracts.desk import SurgeListed
from tests.fakes.smtp import SmtpSink
from tests.service.notification.support import Watch, a_comment
from tests.support import at

NOW = at("2026-03-04 10:00")


def surge(**more: Any) -> SurgeListed:
    values: dict[str, Any] = {
        "at": NOW,
        "surge_id": "s1",
        "matter": "lift floor=2",
        "zh": "电梯 · 2 层",
        "en": "lift · floor 2",
        "found_at": NOW,
        "minutes": 30,
        "n": 5,
        "usual": 0.04,
        "cases": ("f0", "f1"),
    }
    return SurgeListed(**(values | more))


async def test_the_office_is_told_once_and_nobody_else(watch: Watch, sink: SmtpSink) -> None:
    watch.knows("office", "coordinator", "relations", email="office@library.example")
    watch.knows("english", "coordinator", "relations", locale="en", email="english@library.example")
    watch.knows("handler.it", "handler", "it", email="handler.it@library.example")
    await watch.process(a_comment("f0", reachable=()), surge())
    await watch.later(seconds=1)
    await watch.process(surge(cases=("f0", "f1", "f2", "f3")))
    await watch.process(surge(status="confirmed", cases=("f0", "f4")))
    await watch.later(seconds=1)
    assert len(sink.received) == 2
    told = {r.rcpt_to[0].partition("@")[0]: r.message for r in sink.received}
    assert sorted(told) == ["english", "office"]
    assert told["office"]["subject"] == "【突然多起来】电梯 · 2 层"
    assert told["english"]["subject"] == "[Suddenly more] lift · floor 2"
    words = told["office"].get_body(("plain",)).get_content()
    assert "30 分钟里有 5 件" in words
    assert "/desk/incidents#surge-s1" in words
    rows = [row.kind for row in await watch.ledger("f0") if row.recipient != "reporter"]
    assert rows == ["surge", "surge"]
