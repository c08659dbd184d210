"""Whom another person entered as away hears of it, and who is to stand in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts import Actor
from shared.contracts.desk import PersonListed
from tests.fakes.smtp import SmtpSink
from tests.service.notification.support import Watch, text_of


def entered(watch: Watch, by: str | None, **more: Any) -> PersonListed:
    who = Actor(kind="staff", name=by, display=f"{by} 老师", role="reviewer") if by else Actor()
    values: dict[str, Any] = {
        "at": watch.clock.now(),
        "by": who,
        "username": "handler.it",
        "display": "李明",
        "role": "handler",
        "department": "it",
        "email": "handler.it@library.example",
        "away_until": watch.clock.now() + timedelta(days=3),
        "substitute": "second.it",
        "absence_entered": True,
    }
    return PersonListed(**(values | more))


def known(watch: Watch) -> None:
    for name in ("handler.it", "second.it", "head.it"):
        watch.knows(name, "handler", "it", email=f"{name}@library.example")


def told(sink: SmtpSink) -> list[str]:
    return sorted(one.rcpt_to[0].partition("@")[0] for one in sink.received)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("head.it", ["handler.it", "second.it"]),
        (None, ["handler.it", "second.it"]),
        ("handler.it", ["second.it"]),
        ("second.it", ["handler.it"]),
    ],
)
async def test_who_did_not_enter_an_absence_hears_of_it_once(
    watch: Watch, sink: SmtpSink, by: str | None, expected: list[str]
) -> None:
    known(watch)
    event = entered(watch, by)
    await watch.process(event)
    await watch.process(event)
    await watch.later(seconds=2)
    assert told(sink) == expected
    assert "/desk/account" in text_of(sink)
    words = {str(one.message["subject"]) for one in sink.received}
    assert ("请您代理李明的工作" in words) == ("second.it" in expected)


async def test_what_else_is_said_of_an_account_and_coming_back_is_no_news(
    watch: Watch, sink: SmtpSink
) -> None:
    known(watch)
    await watch.process(entered(watch, "head.it", absence_entered=False))
    await watch.process(entered(watch, "head.it", away_until=None, substitute=None))
    await watch.later(seconds=2)
    assert told(sink) == []


async def test_it_is_said_in_the_language_of_the_reader_and_that_nobody_stands_in(
    watch: Watch, sink: SmtpSink
) -> None:
    watch.knows("handler.it", "handler", "it", email="a@library.example", locale="en")
    await watch.process(entered(watch, "head.it", substitute=None))
    await watch.later(seconds=2)
    assert sink.received[-1].message["subject"] == "You were entered as away, by head.it 老师"
    assert "Nobody stands in for you." in text_of(sink)
