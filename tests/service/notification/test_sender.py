"""Transports that fail, hang, lie and die, and what the ledger makes of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from services.notification import domain
from services.notification.jobs import Sender
from services.notification.jobs.recall import recall
from shared.contracts import EVENTS, Event
from shared.contracts.notification import NotificationSent
from shared.ids import new_id
from shared.messaging.envelope import Record
from shared.messaging.producer import new_producer
from shared.messaging.transaction import Transaction
from shared.observability.metrics import REFUSED_RECORDS
from shared.service import Runtime
from shared.tasks import end
from tests.fakes.smtp import Mode, SmtpSink
from tests.service.notification.support import (
    Watch,
    a_comment,
    private,
    promised,
    received_case,
    routed,
    watching,
)
from tests.support import records


async def test_a_busy_server_is_tried_again_ever_later_with_the_same_message_id(
    watch: Watch, sink: SmtpSink
) -> None:
    sink.mode = Mode.LATER_AFTER_DATA
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    row = (await watch.ledger("f1"))[0]
    assert (row["state"], row["attempts"], row["reason"]) == ("retry", 1, "smtp_452")
    assert (row["next_try_at"] - watch.clock.now()).total_seconds() == 2
    await watch.later(seconds=1)
    assert (await watch.ledger("f1"))[0]["attempts"] == 1
    await watch.later(seconds=1)
    row = (await watch.ledger("f1"))[0]
    assert (row["attempts"], (row["next_try_at"] - watch.clock.now()).total_seconds()) == (2, 6)
    sink.mode = Mode.ACCEPT
    await watch.later(seconds=6)
    assert sink.received[0].message["Message-ID"] == row["message_id"]
    assert await watch.emitted("f1") == [("notification.sent", "receipt", "email")]


async def test_a_receiver_who_never_takes_it_is_given_up_after_five_days_and_said_so(
    watch: Watch, sink: SmtpSink
) -> None:
    sink.mode = Mode.LATER
    await watch.process(*received_case("f1"))
    for _ in range(58):
        await watch.later(hours=2)
    assert await watch.states("f1") == [("receipt", "email", "retry")]
    for _ in range(3):
        await watch.later(hours=2)
    assert await watch.states("f1") == [("receipt", "email", "failed")]
    assert await watch.emitted("f1") == [("notification.failed", "receipt", "email")]


async def test_an_answer_that_never_came_is_left_to_a_person(watch: Watch, sink: SmtpSink) -> None:
    sink.mode = Mode.DROP_AFTER_DATA
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    sink.mode = Mode.ACCEPT
    await watch.later(days=2)
    assert len(sink.received) == 1
    assert await watch.states("f1") == [("receipt", "email", "uncertain")]
    assert '"uncertain": true' in await watch.everything_emitted()


async def test_what_a_crash_left_half_sent_is_never_sent_again(
    watch: Watch, sink: SmtpSink
) -> None:
    sink.mode = Mode.TARPIT_AFTER_DATA
    await watch.process(*received_case("f1"))
    watch.clock.later(seconds=2)
    await watch.sender.start_due()
    while not sink.received:
        await asyncio.sleep(0.01)
    for task in list(watch.sender._attempts):
        task.cancel()
    await asyncio.sleep(0.05)
    assert await watch.states("f1") == [("receipt", "email", "sending")]
    sink.mode = Mode.ACCEPT
    reborn = Sender(watch.service, watch.deps)
    await reborn.lost.give_up_interrupted(since_start=True)
    watch.clock.later(hours=2)
    await reborn.send_all_due()
    assert len(sink.received) == 1
    assert await watch.states("f1") == [("receipt", "email", "uncertain")]
    assert await watch.emitted("f1") == [("notification.failed", "receipt", "email")]


async def test_another_process_gives_up_what_a_dead_one_was_sending_after_its_lease(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(*received_case("f1"))
    watch.clock.later(seconds=2)
    await watch.sender._claim()
    other = Sender(watch.service, watch.deps)
    watch.deps.worker = "another"
    await other.lost.give_up_interrupted(since_start=True)
    assert await watch.states("f1") == [("receipt", "email", "sending")]
    watch.clock.later(minutes=3)
    await other.lost.give_up_interrupted()
    assert await watch.states("f1") == [("receipt", "email", "uncertain")]


async def test_a_stop_puts_back_what_was_not_handed_over(watch: Watch, sink: SmtpSink) -> None:
    sink.mode = Mode.TARPIT
    await watch.process(*received_case("f1"))
    watch.clock.later(seconds=2)
    await watch.sender.start_due()
    await asyncio.sleep(0.2)
    for task in list(watch.sender._attempts):
        task.cancel()
    while watch.sender._attempts:
        await asyncio.sleep(0.01)
    row = (await watch.ledger("f1"))[0]
    assert (row["state"], row["attempts"]) == ("retry", 0)
    sink.mode = Mode.ACCEPT
    await watch.later(seconds=1)
    assert len(sink.received) == 1


async def test_what_was_claimed_by_a_commit_nobody_answered_goes_out_once(
    watch: Watch, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watch.process(*received_case("f1"))
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
        await watch.process(
            a_comment(f"s{n}"),
            private(f"s{n}", email="slow@mail.example"),
            promised(f"s{n}"),
            routed(f"s{n}"),
        )
    for n in range(20):
        await watch.process(
            a_comment(f"f{n}"),
            private(f"f{n}", email=f"reader{n}@mail.example"),
            promised(f"f{n}"),
            routed(f"f{n}"),
        )
    watch.clock.later(seconds=2)
    while len(sink.received) < 20:
        await watch.sender.start_due()
        await asyncio.sleep(0.01)
    under_way = [e.feedback_id for e in watch.sender._attempts.values()]
    assert len([f for f in under_way if f.startswith("s")]) == 1
    for task in list(watch.sender._attempts):
        task.cancel()
    while watch.sender._attempts:
        await asyncio.sleep(0.01)


async def test_two_senders_never_send_the_same(watch: Watch, sink: SmtpSink) -> None:
    for n in range(30):
        await watch.process(
            a_comment(f"f{n}"),
            private(f"f{n}", email=f"reader{n}@mail{n}.example"),
            promised(f"f{n}"),
            routed(f"f{n}"),
        )
    watch.clock.later(seconds=2)
    other = Sender(watch.service, watch.deps)
    await asyncio.gather(watch.sender.send_all_due(), other.send_all_due())
    await watch.later(seconds=1)
    receivers = [r.rcpt_to[0] for r in sink.received]
    assert len(receivers) == len(set(receivers)) == 30


async def test_its_own_events_are_not_among_what_it_takes(watch: Watch) -> None:
    assert not watch.service.subscription.wants(EVENTS, "notification.sent.v1")
    assert not watch.service.subscription.wants(EVENTS, "notification.failed.v1")


async def in_the_log(watch: Watch, sent: Event, cause: Record, key: bytes | None = None) -> None:
    """As if it had been published before the database was lost."""
    (record,) = records(watch.service, sent)
    headers = record.headers | {"ce_causationid": cause.ce_id or ""}
    producer = new_producer(watch.runtime.kafka)
    await producer.start()
    try:
        await producer.send_and_wait(
            EVENTS,
            key=key or record.key,
            value=record.body,
            headers=[(k, v.encode()) for k, v in headers.items()],
        )
    finally:
        await producer.stop()


async def test_a_forged_outcome_in_the_log_keeps_no_message_back(
    make_runtime: Callable[..., Runtime], sink: SmtpSink
) -> None:
    watch = await watching(make_runtime, smtp=sink.url)
    events = received_case(new_id())
    case = events[0].feedback_id
    given = await watch.process(*events)
    forged = NotificationSent(
        feedback_id=case,
        at=watch.clock.now(),
        delivery_id=domain.delivery_id(given[0].ce_id, "reporter"),
        kind="receipt",
        channel="email",
        audience="reporter",
    )
    await in_the_log(watch, forged, cause=given[0], key=b"the key of another case")
    refused = REFUSED_RECORDS.labels("notification", "key")._value
    before = refused.get()
    await recall(watch.service)
    assert refused.get() == before + 1
    await watch.later(minutes=1)
    assert len(sink.received) == 1


@pytest.mark.parametrize("known", [True, False])
async def test_a_ledger_restored_from_a_backup_learns_from_the_log_what_is_out(
    make_runtime: Callable[..., Runtime], sink: SmtpSink, known: bool
) -> None:
    """With the delivery in the backup, and with one that is planned only when its event is read."""
    watch = await watching(make_runtime, smtp=sink.url)
    events = received_case(new_id())
    case = events[0].feedback_id
    given = await watch.process(*events)
    name = domain.delivery_id(given[0].ce_id, "reporter")
    sent = NotificationSent(
        feedback_id=case,
        at=watch.clock.now(),
        delivery_id=name,
        kind="receipt",
        channel="email",
        audience="reporter",
    )
    await in_the_log(watch, sent, cause=given[0])
    if not known:
        async with watch.service.transaction() as tx:
            for table in ("deliveries", "streams", "cases", "contacts"):
                await tx.connection.exec_driver_sql(f"DELETE FROM {table}")
    assert await recall(watch.service) >= 1  # other tests share the log
    if not known:
        await watch.is_given(given)
    await watch.later(minutes=1)
    assert sink.received == []
    assert await watch.states(case) == [("receipt", "email", "sent")]
    assert await recall(watch.service) == 0


async def test_the_loop_sends_by_itself_and_stops_when_cancelled(
    make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink
) -> None:
    watch = await watching(make_quiet_runtime, smtp=sink.url)
    running = asyncio.create_task(watch.sender.run())
    await asyncio.sleep(0.1)
    await watch.process(*received_case("f1"))
    watch.clock.later(seconds=2)
    watch.deps.wake.set()
    while not sink.received:
        await asyncio.sleep(0.01)
    while (await watch.states("f1"))[0][2] != "sent":
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not watch.sender._attempts
