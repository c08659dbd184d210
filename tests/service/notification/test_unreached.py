"""Words of staff that did not reach the reporter: somebody hears of it, once."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import pytest_asyncio

from services.notification import ledger, store
from services.notification.store import DeliveryRow
from shared.contracts import Actor
from shared.contracts.desk import CaseAssigned
from shared.service import Runtime
from tests.fakes.smtp import Mode, SmtpSink
from tests.fakes.wechat import FakeWechat
from tests.service.notification.support import (
    WECHAT_CANARY,
    Watch,
    a_comment,
    by_wechat,
    private,
    received_case,
    replied,
    watching,
)
from tests.support import at

LIAISON = Actor(kind="staff", name="liaison.it", role="liaison", department="it")
OFFICE, HANDLER = "staff:coordinator", "staff:handler.it"


def peopled(watch: Watch) -> Watch:
    """None of them has an address: they hear at once, on the console."""
    watch.deps.printer.stream = io.StringIO()
    watch.knows("coordinator", "coordinator", "relations")
    watch.knows("liaison.it", "liaison", "it")
    watch.knows("handler.it", "handler", "it")
    return watch


@pytest_asyncio.fixture
async def watch(make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink) -> Watch:
    return peopled(await watching(make_quiet_runtime, smtp=sink.url))


def assigned(feedback_id: str) -> CaseAssigned:
    when = at("2026-03-04 10:00")
    return CaseAssigned(
        feedback_id=feedback_id, at=when, by=LIAISON, department="it", to="handler.it"
    )


async def news(watch: Watch, feedback_id: str) -> list[tuple[str, str]]:
    """Who was told, and what."""
    rows = await watch.ledger(feedback_id)
    return [(r["recipient"], r["state"]) for r in rows if r["kind"] == "news"]


async def send_again(watch: Watch, feedback_id: str, kind: str) -> None:
    async with watch.service.transaction() as tx:
        await tx.lock(feedback_id)
        await store.load(tx, [feedback_id])
        (row,) = (r for r in tx.rows(DeliveryRow).for_case(feedback_id) if r.kind == kind)
        ledger.send_again(tx, row, "coordinator")


@pytest.mark.parametrize(
    ("mode", "state"), [(Mode.REFUSE, "failed"), (Mode.DROP_AFTER_DATA, "uncertain")]
)
async def test_the_handler_hears_once_that_a_reply_did_not_arrive_or_that_nobody_knows(
    watch: Watch, sink: SmtpSink, mode: Mode, state: str
) -> None:
    await watch.process(*received_case("f1"), assigned("f1"))
    await watch.later(seconds=2)
    sink.mode = mode
    await watch.process(replied("f1", "已修好"))
    await watch.later(seconds=2)
    assert (await watch.states("f1"))[-1] == ("reply", "email", state)
    assert await news(watch, "f1") == [(HANDLER, "sent")]
    await send_again(watch, "f1", "reply")
    await watch.later(seconds=2)
    assert (await watch.states("f1"))[-1] == ("reply", "email", state)
    assert await news(watch, "f1") == [(HANDLER, "sent")]


async def test_where_nobody_handles_it_the_office_hears(watch: Watch, sink: SmtpSink) -> None:
    sink.mode = Mode.REFUSE
    await watch.process(*received_case("f1"), replied("f1", "已修好"))
    await watch.later(seconds=2)
    assert await news(watch, "f1") == [(OFFICE, "sent")]


async def test_of_a_receipt_that_did_not_arrive_nobody_hears(watch: Watch, sink: SmtpSink) -> None:
    sink.mode = Mode.REFUSE
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    assert await watch.states("f1") == [("receipt", "email", "failed")]
    assert await news(watch, "f1") == []


async def test_what_was_interrupted_is_told_too(watch: Watch) -> None:
    await watch.process(*received_case("f1"), replied("f1", "已修好"))
    async with watch.service.transaction() as tx:
        await tx.fetch(
            "UPDATE deliveries SET state = 'sending', worker = 'gone', lease_until = $1",
            watch.clock.now(),
        )
    watch.clock.later(minutes=3)
    await watch.sender.lost.give_up_interrupted()
    assert ("reply", "email", "uncertain") in await watch.states("f1")
    assert await news(watch, "f1") == [(OFFICE, "sent")]


async def test_only_where_no_other_way_is_left_does_somebody_hear_of_a_closed_window(
    make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink, wechat: tuple[FakeWechat, str]
) -> None:
    _, setting = wechat
    watch = peopled(await watching(make_quiet_runtime, wechat=setting, smtp=sink.url))
    await watch.process(*by_wechat("f1"), replied("f1", "已修好"))
    await watch.process(
        a_comment("f2", channel="wechat", account="library", reachable=("wechat",)),
        private("f2", wechat_account="library", wechat_openid=WECHAT_CANARY),
        replied("f2", "已修好"),
    )
    await watch.later(seconds=2)
    assert [s[1:] for s in await watch.states("f1") if s[0] == "reply"] == [
        ("wechat", "failed"),
        ("email", "sent"),
    ]
    assert await news(watch, "f1") == []
    assert await news(watch, "f2") == [(OFFICE, "sent")]


async def test_who_stands_in_for_the_handler_hears_too(watch: Watch, sink: SmtpSink) -> None:
    until = at("2026-03-06 10:00")
    watch.knows("handler.it", "handler", "it", away_until=until, substitute="liaison.it")
    await watch.process(*received_case("f1"), assigned("f1"))
    sink.mode = Mode.REFUSE
    await watch.process(replied("f1", "已修好"))
    await watch.later(seconds=2)
    assert sorted(who for who, _ in await news(watch, "f1")) == [HANDLER, "staff:liaison.it"]


@pytest.mark.parametrize(
    ("confidential", "reachable", "who"),
    [(False, ("phone",), HANDLER), (True, ("phone",), OFFICE), (False, (), None)],
)
async def test_words_for_who_left_a_telephone_alone_are_a_call_for_who_handles_the_case(
    watch: Watch, confidential: bool, reachable: tuple[str, ...], who: str | None
) -> None:
    received = a_comment("f1", channel="phone", confidential=confidential, reachable=reachable)
    await watch.process(received, assigned("f1"))
    if reachable:
        await watch.process(private("f1", phone="13800001111"))
    await watch.process(replied("f1", "已修好"))
    rows = [r for r in await watch.ledger("f1") if r["kind"] == "news"]
    found = [(r["recipient"], r["params"]["what"]) for r in rows]
    assert found == ([(who, "ring")] if who else [])
    assert ("reply", "", "suppressed") in await watch.states("f1")
