"""Outlets that fail, hang, lie and die, and what the ledger makes of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
import pytest_asyncio

from services.notification import domain
from services.notification.jobs import Sender
from shared.contracts.notification import NotificationSent
from shared.messaging.transaction import Transaction
from shared.service import House
from shared.tasks import end
from tests.fakes.serving import serving
from tests.fakes.smtp import Mode, SmtpSink, smtp_sink
from tests.fakes.wechat import FakeWechat, make_app
from tests.service.notification.support import (
    CANARY,
    CODE,
    WECHAT_CANARY,
    Watch,
    a_comment,
    private,
    promised,
    received_case,
    replied,
    routed,
    watching,
)


@pytest_asyncio.fixture
async def sink() -> AsyncIterator[SmtpSink]:
    async with smtp_sink() as running:
        yield running


@pytest_asyncio.fixture
async def watch(make_quiet_house: Callable[..., House], sink: SmtpSink) -> Watch:
    return await watching(make_quiet_house, smtp=sink.url)


@pytest_asyncio.fixture
async def wechat() -> AsyncIterator[tuple[FakeWechat, str]]:
    fake = FakeWechat(apps={"wx1": "s1"})
    async with serving(make_app(fake)) as url:
        yield (
            fake,
            json.dumps(
                [
                    {
                        "account": "library",
                        "appid": "wx1",
                        "secret": "s1",
                        "token": "t",
                        "api_base": url,
                    }
                ]
            ),
        )


def by_wechat(feedback_id: str, **more: object) -> list[object]:
    return [
        a_comment(
            feedback_id,
            channel="wechat",
            account="library",
            reachable=("wechat", "email"),
            **more,
        ),
        private(
            feedback_id,
            email=CANARY,
            wechat_account="library",
            wechat_openid=WECHAT_CANARY,
        ),
        promised(feedback_id),
        routed(feedback_id),
    ]


async def test_a_busy_server_is_tried_again_ever_later_with_the_same_message_id(
    watch: Watch, sink: SmtpSink
) -> None:
    sink.mode = Mode.LATER_AFTER_DATA
    await watch.hears(*received_case("f1"))
    await watch.later(seconds=2)
    row = (await watch.ledger("f1"))[0]
    assert (row["state"], row["attempts"], row["reason"]) == ("retry", 1, "smtp_452")
    assert (row["next_try_at"] - watch.clock.now()).total_seconds() == 30
    await watch.later(seconds=29)
    assert (await watch.ledger("f1"))[0]["attempts"] == 1
    await watch.later(seconds=1)
    row = (await watch.ledger("f1"))[0]
    assert (row["attempts"], (row["next_try_at"] - watch.clock.now()).total_seconds()) == (2, 60)
    sink.mode = Mode.ACCEPT
    await watch.later(seconds=60)
    assert sink.received[0].message["Message-ID"] == row["message_id"]
    assert await watch.told("f1") == [("notification.sent", "receipt", "email")]


async def test_after_eight_tries_it_is_over_and_said_so(watch: Watch, sink: SmtpSink) -> None:
    sink.mode = Mode.LATER
    await watch.hears(*received_case("f1"))
    for _ in range(12):
        await watch.later(hours=1)
    row = (await watch.ledger("f1"))[0]
    assert (row["state"], row["attempts"]) == ("failed", domain.TRIES)
    assert await watch.told("f1") == [("notification.failed", "receipt", "email")]


async def test_an_answer_that_never_came_is_left_to_a_person(watch: Watch, sink: SmtpSink) -> None:
    sink.mode = Mode.DROP_AFTER_DATA
    await watch.hears(*received_case("f1"))
    await watch.later(seconds=2)
    sink.mode = Mode.ACCEPT
    await watch.later(days=2)
    assert len(sink.received) == 1
    assert await watch.states("f1") == [("receipt", "email", "uncertain")]
    assert '"uncertain": true' in await watch.everything_told()


async def test_what_a_crash_left_half_sent_is_never_sent_again(
    watch: Watch, sink: SmtpSink
) -> None:
    sink.mode = Mode.TARPIT_AFTER_DATA
    await watch.hears(*received_case("f1"))
    watch.clock.later(seconds=2)
    await watch.sender.start_due()
    while not sink.received:
        await asyncio.sleep(0.01)
    for task in list(watch.sender._errands):
        task.cancel()
    await asyncio.sleep(0.05)
    assert await watch.states("f1") == [("receipt", "email", "sending")]
    sink.mode = Mode.ACCEPT
    reborn = Sender(watch.service, watch.tools)
    await reborn.give_up_interrupted(since_start=True)
    watch.clock.later(hours=2)
    await reborn.send_all_due()
    assert len(sink.received) == 1
    assert await watch.states("f1") == [("receipt", "email", "uncertain")]
    assert await watch.told("f1") == [("notification.failed", "receipt", "email")]


async def test_another_process_gives_up_what_a_dead_one_was_sending_after_its_lease(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.hears(*received_case("f1"))
    watch.clock.later(seconds=2)
    await watch.sender._claim()
    other = Sender(watch.service, watch.tools)
    watch.tools.worker = "another"
    await other.give_up_interrupted(since_start=True)
    assert await watch.states("f1") == [("receipt", "email", "sending")]
    watch.clock.later(minutes=3)
    await other.give_up_interrupted()
    assert await watch.states("f1") == [("receipt", "email", "uncertain")]


async def test_a_stop_puts_back_what_was_not_handed_over(watch: Watch, sink: SmtpSink) -> None:
    sink.mode = Mode.TARPIT
    await watch.hears(*received_case("f1"))
    watch.clock.later(seconds=2)
    await watch.sender.start_due()
    await asyncio.sleep(0.2)
    for task in list(watch.sender._errands):
        task.cancel()
    while watch.sender._errands:
        await asyncio.sleep(0.01)
    row = (await watch.ledger("f1"))[0]
    assert (row["state"], row["attempts"]) == ("retry", 0)
    sink.mode = Mode.ACCEPT
    await watch.later(seconds=1)
    assert len(sink.received) == 1


async def test_what_was_claimed_by_a_commit_nobody_answered_goes_out_once(
    watch: Watch, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watch.hears(*received_case("f1"))
    watch.clock.later(seconds=2)
    commits = watch.service.transaction

    @contextlib.asynccontextmanager
    async def unanswered() -> AsyncIterator[Transaction]:
        async with commits() as tx:
            yield tx
        raise asyncpg.ConnectionDoesNotExistError("closed in the middle of operation")

    monkeypatch.setattr(watch.service, "transaction", unanswered)
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await watch.sender.start_due()
    monkeypatch.undo()
    assert (await watch.ledger("f1"))[0]["state"] == "sending"
    sending = asyncio.create_task(watch.sender.run())
    while (await watch.ledger("f1"))[0]["state"] != "sent":
        await asyncio.sleep(0.01)
    await end([sending])
    assert len(sink.received) == 1


async def test_a_slow_receiver_does_not_hold_up_the_others(watch: Watch, sink: SmtpSink) -> None:
    sink.modes["slow@mail.example"] = Mode.TARPIT
    for n in range(3):
        await watch.hears(
            a_comment(f"s{n}"),
            private(f"s{n}", email="slow@mail.example"),
            promised(f"s{n}"),
            routed(f"s{n}"),
        )
    for n in range(20):
        await watch.hears(
            a_comment(f"f{n}"),
            private(f"f{n}", email=f"reader{n}@mail.example"),
            promised(f"f{n}"),
            routed(f"f{n}"),
        )
    watch.clock.later(seconds=2)
    while len(sink.received) < 20:
        await watch.sender.start_due()
        await asyncio.sleep(0.01)
    under_way = [e.feedback_id for e in watch.sender._errands.values()]
    assert len([f for f in under_way if f.startswith("s")]) == 1
    for task in list(watch.sender._errands):
        task.cancel()
    while watch.sender._errands:
        await asyncio.sleep(0.01)


async def test_two_senders_never_send_the_same(watch: Watch, sink: SmtpSink) -> None:
    for n in range(30):
        await watch.hears(
            a_comment(f"f{n}"),
            private(f"f{n}", email=f"reader{n}@mail{n}.example"),
            promised(f"f{n}"),
            routed(f"f{n}"),
        )
    watch.clock.later(seconds=2)
    other = Sender(watch.service, watch.tools)
    await asyncio.gather(watch.sender.send_all_due(), other.send_all_due())
    await watch.later(seconds=1)
    receivers = [r.rcpt_to[0] for r in sink.received]
    assert len(receivers) == len(set(receivers)) == 30


async def test_the_log_reminds_a_restored_ledger_of_what_was_sent(
    watch: Watch, sink: SmtpSink
) -> None:
    ids = await watch.hears(*received_case("f1"))
    name = domain.delivery_id(ids[0], "reporter")
    await watch.hears(
        NotificationSent(
            feedback_id="f1",
            at=watch.clock.now(),
            delivery_id=name,
            kind="receipt",
            channel="email",
            audience="reporter",
        )
    )
    await watch.later(minutes=1)
    assert sink.received == []
    assert await watch.states("f1") == [("receipt", "email", "sent")]


async def test_a_wechat_comment_is_answered_in_wechat_and_needs_no_second_receipt(
    make_quiet_house: Callable[..., House], wechat: tuple[FakeWechat, str]
) -> None:
    fake, setting = wechat
    watch = await watching(make_quiet_house, wechat=setting)
    fake.did("wx1", WECHAT_CANARY)
    await watch.hears(*by_wechat("f1"), replied("f1", "已修好 😀"))
    await watch.later(seconds=2)
    assert [d.openid for d in fake.deliveries] == [WECHAT_CANARY]
    assert "已修好 😀" in fake.deliveries[0].text
    assert CODE in fake.deliveries[0].text
    assert await watch.told("f1") == [
        ("notification.suppressed", "receipt", "page"),
        ("notification.sent", "reply", "wechat"),
    ]
    assert WECHAT_CANARY not in await watch.everything_told() + str(await watch.ledger("f1"))
    async with watch.service.engine.connect() as connection:
        tokens = await connection.exec_driver_sql("SELECT count(*) FROM wechat_tokens")
        assert tokens.scalar_one() == 1


async def test_a_closed_wechat_window_falls_back_to_mail(
    make_quiet_house: Callable[..., House], sink: SmtpSink, wechat: tuple[FakeWechat, str]
) -> None:
    fake, setting = wechat
    watch = await watching(make_quiet_house, wechat=setting, smtp=sink.url)
    await watch.hears(*by_wechat("f1"), replied("f1", "已修好"))
    await watch.later(seconds=2)
    assert fake.deliveries == []
    assert [r.rcpt_to for r in sink.received] == [[CANARY]]
    assert "已修好" in str(sink.received[0].message.get_content())
    assert await watch.told("f1") == [
        ("notification.suppressed", "receipt", "page"),
        ("notification.failed", "reply", "wechat"),
        ("notification.sent", "reply", "email"),
    ]


async def test_a_closed_window_without_another_way_ends_at_the_page(
    make_quiet_house: Callable[..., House], wechat: tuple[FakeWechat, str]
) -> None:
    _, setting = wechat
    watch = await watching(make_quiet_house, wechat=setting)
    await watch.hears(
        a_comment("f1", channel="wechat", account="library", reachable=("wechat",)),
        private("f1", wechat_account="library", wechat_openid=WECHAT_CANARY),
        replied("f1", "已修好"),
    )
    await watch.later(hours=1)
    assert (await watch.told("f1"))[1:] == [("notification.failed", "reply", "wechat")]


async def test_words_too_long_for_wechat_stand_on_the_page(
    make_quiet_house: Callable[..., House], wechat: tuple[FakeWechat, str]
) -> None:
    fake, setting = wechat
    fake.did("wx1", WECHAT_CANARY)
    fake.fail(45002)
    watch = await watching(make_quiet_house, wechat=setting)
    await watch.hears(*by_wechat("f1"), replied("f1", "长" * 3000))
    await watch.later(seconds=2)
    assert len(fake.deliveries) == 1
    assert "全文在下面的页面上" in fake.deliveries[0].text
    assert "长长" not in fake.deliveries[0].text


async def test_the_loop_sends_by_itself_and_stops_when_told(
    make_quiet_house: Callable[..., House], sink: SmtpSink
) -> None:
    watch = await watching(make_quiet_house, smtp=sink.url)
    running = asyncio.create_task(watch.sender.run())
    await asyncio.sleep(0.1)
    await watch.hears(*received_case("f1"))
    watch.clock.later(seconds=2)
    watch.tools.wake.set()
    while not sink.received:
        await asyncio.sleep(0.01)
    while (await watch.states("f1"))[0][2] != "sent":
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not watch.sender._errands
