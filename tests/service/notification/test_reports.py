"""Reports by mail: who gets which, in which words, and each once."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest_asyncio
from sqlalchemy import text

from shared.contracts.notification import ReportMailed
from shared.contracts.tracking import ReportFigure, ReportMade, ReportSection, ReportWords
from shared.service import Runtime
from tests.fakes.smtp import Mode, SmtpSink
from tests.service.notification.support import Watch, watching
from tests.support import at, outbox_of

WEEK = "report/week/2026-02-23/*"


def words(came: str, name: str) -> ReportWords:
    return ReportWords(
        sections=(ReportSection(heading="#", sentences=(came,)),),
        figures=(
            ReportFigure(key="on_time", name=name, said="93%", n=41, before="90%", before_n=38,
                         means="counted so"),
        ),
    )  # fmt: skip


def report(**more: Any) -> ReportMade:
    values: dict[str, Any] = {
        "at": at("2026-03-02 07:30"),
        "kind": "week",
        "first": date(2026, 2, 23),
        "last": date(2026, 3, 1),
        "zh": words("收到 57 件 <b>", "按时办结率"),
        "en": words("57 received", "On time"),
    }
    return ReportMade(**(values | more))


@pytest_asyncio.fixture
async def watch(make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink) -> Watch:
    watch = await watching(make_quiet_runtime, smtp=sink.url)
    watch.deps.printer.stream = io.StringIO()
    watch.knows("office", "coordinator", email="office@library.example")
    watch.knows("leader", "leader", locale="en", email="leader@library.example")
    watch.knows("nomail", "leader")
    watch.knows("reviewer.it", "reviewer", "it", email="reviewer.it@library.example")
    watch.knows("handler.it", "handler", "it", email="handler.it@library.example")
    return watch


async def mailed(watch: Watch) -> list[tuple[str, str]]:
    """(account, outcome) as the directory is told."""
    return [
        (one["body"]["staff"], one["body"]["outcome"])
        for one in await outbox_of(watch.service)
        if one["type"] == "directory.report_mailed.v1"
    ]


def receivers(sink: SmtpSink) -> list[str]:
    return sorted(r.rcpt_to[0].partition("@")[0] for r in sink.received)


async def test_each_reader_gets_theirs_in_their_language(watch: Watch, sink: SmtpSink) -> None:
    await watch.process(report(), report(department="it", zh=words("本部门收到 5 件", "按时")))
    await watch.later(seconds=1)
    assert receivers(sink) == ["leader", "office", "reviewer.it"]
    by = {r.rcpt_to[0].partition("@")[0]: r.message for r in sink.received}
    plain = by["office"].get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert by["office"]["subject"] == "周报 · 全馆 · 2026-02-23 – 2026-03-01"
    assert "- 收到 57 件 <b>" in plain
    assert "按时办结率：93% (n = 41；前一段 90%，n = 38)\n  counted so" in plain
    assert "/reports?kind=week&at=2026-02-23" in plain
    html = by["office"].get_body(("html",)).get_content()
    assert "收到 57 件 &lt;b&gt;" in html
    assert "http" not in html.replace("https://feedback.library.example/", "")
    english = by["leader"].get_body(("plain",)).get_content()
    assert "On time: 93% (n = 41; before: 90%, n = 38)" in english
    assert by["reviewer.it"]["subject"].startswith("周报 · 信息")
    assert "本部门收到 5 件" in by["reviewer.it"].get_body(("plain",)).get_content()
    assert "nomail: 周报" in watch.deps.printer.stream.getvalue()  # type: ignore[union-attr]
    assert sorted(await mailed(watch)) == [
        ("leader", "sent"), ("nomail", "sent"), ("office", "sent"), ("reviewer.it", "sent"),
    ]  # fmt: skip


async def test_a_report_that_is_told_again_is_mailed_to_nobody_twice(
    watch: Watch, sink: SmtpSink
) -> None:
    given = await watch.process(report())
    await watch.later(seconds=1)
    await watch.is_given(given)
    # A tracking whose database was restored tells it under another id, with later figures.
    await watch.process(report(at=at("2026-03-02 09:00"), zh=words("收到 58 件", "x")))
    await watch.later(hours=1)
    assert receivers(sink) == ["leader", "office"]
    assert len(await watch.ledger(WEEK)) == 3


async def test_a_ledger_that_lost_a_mail_is_told_by_the_directory(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(report())
    await watch.later(seconds=1)
    for one in await outbox_of(watch.service):
        watch.runtime.directory.apply(ReportMailed.model_validate(one["body"]))
    async with watch.service.engine.begin() as connection:
        await connection.execute(text("DELETE FROM deliveries"))
    await watch.process(report())
    await watch.later(hours=1)
    assert receivers(sink) == ["leader", "office"]
    assert {row["state"] for row in await watch.ledger(WEEK)} == {"sent"}


async def test_what_was_interrupted_is_left_to_a_person(watch: Watch, sink: SmtpSink) -> None:
    sink.mode = Mode.DROP_AFTER_DATA
    await watch.process(report())
    await watch.later(seconds=1)
    sink.mode = Mode.ACCEPT
    await watch.later(hours=30)
    assert receivers(sink) == ["leader", "office"]
    assert [o for n, o in sorted(await mailed(watch)) if n != "nomail"] == ["uncertain"] * 2


async def test_who_does_not_want_it_or_has_moved_gets_none(watch: Watch, sink: SmtpSink) -> None:
    watch.knows("office", "coordinator", email="office@library.example", no_reports=("week",))
    sink.modes["leader@library.example"] = Mode.LATER
    await watch.process(report(), report(kind="month", first=date(2026, 2, 1)))
    await watch.later(seconds=1)
    assert receivers(sink) == ["office"]
    watch.knows("leader", "handler", "it", email="leader@library.example")
    sink.modes.clear()
    await watch.later(hours=1)
    assert receivers(sink) == ["office"]
    assert ("leader", "suppressed") in await mailed(watch)


async def test_a_report_of_long_ago_is_no_news(watch: Watch, sink: SmtpSink) -> None:
    await watch.process(report(at=at("2026-02-23 07:30")))
    await watch.later(seconds=1)
    assert sink.received == []
    assert {outcome for _, outcome in await mailed(watch)} == {"suppressed"}
