"""What comes due is marked on time, each level once, whoever looks and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.sla import jobs, store
from services.sla.app import build
from services.sla.domain import cases
from services.sla.store import ClockRow
from shared.contracts.desk import CaseClosed
from shared.messaging.partitions import partition_of
from shared.service import Runtime, Service
from tests.patience import PATIENCE
from tests.service.sla.support import (
    CASE,
    accepted,
    asked,
    bodies,
    changes,
    events,
    moment,
    ordinary,
    passing,
    received,
    reopened,
    replied,
)
from tests.support import at, clock_at, outbox_of, prepared, process_batch, records


async def test_warned_at_three_quarters_and_breached_at_the_deadline(sla: Service) -> None:
    await process_batch(sla, received("2026-03-04 10:00"))
    assert await passing(sla, "2026-03-04 14:29:59") == 0
    assert await passing(sla, "2026-03-04 14:30") == 1
    assert (await events(sla))[3:] == [("warned", "TRIAGE"), ("escalation.raised", "TRIAGE")]
    (warning,) = await bodies(sla, "sla.warned", "TRIAGE")
    assert (warning["level"], moment(warning, "at")) == (75, at("2026-03-04 14:30"))
    assert await passing(sla, "2026-03-04 15:29:59") == 0
    assert await passing(sla, "2026-03-04 15:30") == 1
    assert (await events(sla))[5:] == [("breached", "TRIAGE"), ("escalation.raised", "TRIAGE")]
    *_, escalation = await bodies(sla, "escalation.raised", "TRIAGE")
    assert (escalation["to_role"], escalation["level"]) == ("reviewer", 100)


async def test_overdue_twice_over_a_leader_is_notified(sla: Service) -> None:
    await process_batch(sla, *ordinary())
    await passing(sla, "2026-03-18 10:00")
    leaders = [
        b for b in await bodies(sla, "escalation.raised", "RESOLUTION") if b["to_role"] == "leader"
    ]
    assert [(b["level"], b["department"]) for b in leaders] == [(200, "space")]


async def test_a_breach_is_emitted_once_with_two_who_look_at_the_same_time(
    sla: Service, make_quiet_runtime: Callable[..., Runtime]
) -> None:
    many = [f"case-{n}" for n in range(jobs.BATCH + 200)]
    await process_batch(sla, *(received("2026-03-04 10:00", i) for i in many))
    other = build(make_quiet_runtime(clock=clock_at("2026-03-04 15:30")))
    await other.connect()
    sla.runtime.clock.set(at("2026-03-04 15:30"))  # type: ignore[attr-defined]
    marks = await asyncio.gather(*(jobs.mark_due(s) for s in (sla, other)))
    await other.engine.dispose()
    assert sum(marks) == 2 * len(many)
    told_of: dict[str, list[str]] = {}
    for one in await outbox_of(sla):
        told_of.setdefault(one["body"]["feedback_id"], []).append(f"{one['seq']} {one['type']}")
    assert set(map(tuple, told_of.values())) == {
        (
            "1 sla.promises_changed.v1",
            "2 sla.warned.v1",
            "3 escalation.raised.v1",
            "4 sla.breached.v1",
            "5 escalation.raised.v1",
        )
    }


async def test_after_a_restart_no_level_is_emitted_again(
    sla: Service, make_quiet_runtime: Callable[..., Runtime]
) -> None:
    await process_batch(sla, *ordinary())
    await passing(sla, "2026-03-11 10:00")
    before = await events(sla)
    again = build(make_quiet_runtime(clock=clock_at("2026-03-11 10:01")))
    await again.connect()
    assert await jobs.mark_due(again) == 0
    await again.engine.dispose()
    assert await events(sla) == before


async def test_a_clock_that_goes_backwards_emits_nothing_twice(sla: Service) -> None:
    await process_batch(sla, *ordinary())
    await passing(sla, "2026-03-11 10:00")
    before = await events(sla)
    assert await passing(sla, "2026-03-08 10:00") == 0
    assert await passing(sla, "2026-03-11 10:00") == 0
    assert await events(sla) == before


async def test_a_case_that_somebody_holds_is_passed_over_and_not_waited_for(sla: Service) -> None:
    await process_batch(
        sla, received("2026-03-04 10:00", "held"), received("2026-03-04 10:00", "free")
    )
    async with sla.transaction() as tx:
        await tx.lock("held")
        assert await passing(sla, "2026-03-04 15:30") == 2
    assert len(await events(sla, "held")) == 3
    assert await jobs.mark_due(sla) == 2


async def test_while_the_user_is_asked_the_resolution_is_not_marked(sla: Service) -> None:
    await process_batch(sla, *ordinary(), asked("2026-03-05 09:00"))
    assert await passing(sla, "2026-04-30 10:00") == 0


async def test_what_was_due_before_the_question_is_still_emitted(sla: Service) -> None:
    await process_batch(sla, *ordinary(), asked("2026-03-10 17:00"))
    await passing(sla, "2026-04-30 10:00")
    (warning,) = await bodies(sla, "sla.warned", "RESOLUTION")
    assert moment(warning, "at") < at("2026-03-10 17:00")
    assert await bodies(sla, "sla.breached", "RESOLUTION") == []


async def test_a_late_reply_is_a_breach_first_and_met_late(sla: Service) -> None:
    await process_batch(sla, *ordinary())
    await passing(sla, "2026-03-11 10:00")
    await process_batch(sla, replied("2026-03-11 10:30"))
    (met,) = await changes(sla, "met", "RESOLUTION")
    assert met["in_time"] is False
    assert len(await bodies(sla, "sla.breached", "RESOLUTION")) == 1


async def test_a_reply_before_the_deadline_that_is_read_after_the_mark_was_in_time(
    sla: Service,
) -> None:
    await process_batch(sla, *ordinary())
    await passing(sla, "2026-03-11 10:00")
    await process_batch(sla, replied("2026-03-11 09:59"))
    (met,) = await changes(sla, "met", "RESOLUTION")
    assert met["in_time"] is True


async def test_a_reopened_case_is_marked_in_its_own_cycle(sla: Service) -> None:
    await process_batch(sla, *ordinary(), replied("2026-03-06 10:00"), reopened("2026-03-09 10:00"))
    await passing(sla, "2026-03-11 15:15")
    assert [b["cycle"] for b in await bodies(sla, "sla.breached", "RESOLUTION")] == [2]


async def test_a_follow_up_that_ran_out_is_met_once(sla: Service) -> None:
    await process_batch(sla, *ordinary(), replied("2026-03-05 09:00"))
    assert await passing(sla, "2026-03-10 08:59:59") == 0
    assert await passing(sla, "2026-03-10 09:00") == 1
    (met,) = await changes(sla, "met", "FOLLOW_UP")
    assert moment(met, "at") == at("2026-03-10 09:00")
    assert (met["in_time"], met["working_seconds"]) == (True, 3 * 7.5 * 3600)
    await process_batch(sla, CaseClosed(feedback_id=CASE, at=at("2026-03-10 09:00"), how="quiet"))
    assert (await events(sla))[-1] == ("met", "FOLLOW_UP")


async def test_a_case_with_a_refused_event_is_left_alone(sla: Service) -> None:
    await process_batch(sla, received("2026-03-04 10:00"))
    (refused,) = records(sla, accepted("2026-03-04 11:00"))
    async with sla.transaction() as tx:
        await sla.subscription.refuse(tx, refused, "a bug")
    assert await passing(sla, "2026-03-20 10:00") == 0


class Reading:
    """A consumer that has these partitions, and read the log of some of them to the end."""

    def __init__(self, own: set[int], caught_up: set[int] | None = None) -> None:
        self.own, self.read = own, own if caught_up is None else caught_up

    def partitions(self) -> frozenset[int]:
        return frozenset(self.own)

    def caught_up(self) -> frozenset[int]:
        return frozenset(self.read & self.own)


MINE, OTHERS = "case-1", "case-5"


def reading(sla: Service, *own: str, caught_up: bool = True) -> tuple[jobs.MarkLoop, Reading]:
    consumer = Reading({partition_of(i) for i in own}, None if caught_up else set())
    sla.consumer = consumer  # type: ignore[assignment]
    return jobs.MarkLoop(sla), consumer


def passes(sla: Service, when: str) -> None:
    sla.runtime.clock.set(at(when))  # type: ignore[attr-defined]


async def test_a_replica_marks_cases_of_its_own_partitions_only(sla: Service) -> None:
    assert partition_of(MINE) != partition_of(OTHERS)
    await process_batch(sla, *(received("2026-03-04 10:00", i) for i in (MINE, OTHERS)))
    loop, _ = reading(sla, MINE)
    passes(sla, "2026-03-04 15:30")
    assert await jobs.mark_some(sla, loop.read_until()) == 2
    assert await bodies(sla, "sla.breached", "TRIAGE", OTHERS) == []
    loop, _ = reading(sla, OTHERS)
    assert await jobs.mark_some(sla, loop.read_until()) == 2


async def test_a_replica_that_has_unread_events_marks_what_came_due_before_them(
    sla: Service,
) -> None:
    await process_batch(sla, received("2026-03-04 10:00", MINE))
    loop, consumer = reading(sla, MINE)
    passes(sla, "2026-03-04 14:30")
    loop.read_until()
    # It hung, or much came in: what the log has since may be the dispatch that met the promise.
    consumer.read = set()
    passes(sla, "2026-03-04 15:30")
    assert await jobs.mark_some(sla, loop.read_until()) == 1
    assert await bodies(sla, "sla.breached", "TRIAGE", MINE) == []
    consumer.read = consumer.own
    assert await jobs.mark_some(sla, loop.read_until()) == 1
    assert len(await bodies(sla, "sla.breached", "TRIAGE", MINE)) == 1


async def test_a_replica_that_never_read_a_partition_to_its_end_marks_nothing_of_it(
    sla: Service,
) -> None:
    await process_batch(sla, received("2026-03-04 10:00", MINE))
    loop, _ = reading(sla, MINE, caught_up=False)
    passes(sla, "2026-03-20 10:00")
    assert await jobs.mark_some(sla, loop.read_until()) == 0
    loop, _ = reading(sla)
    assert await jobs.mark_some(sla, loop.read_until()) == 0


async def test_a_hang_between_the_question_and_the_mark_raises_no_false_breach(
    sla: Service,
) -> None:
    await process_batch(sla, received("2026-03-04 10:00", MINE))
    loop, consumer = reading(sla, MINE)
    passes(sla, "2026-03-04 10:30")

    class Hangs(Reading):
        def caught_up(self) -> frozenset[int]:
            passes(sla, "2026-03-04 16:00")
            return frozenset(self.own)

    sla.consumer = Hangs(consumer.own)  # type: ignore[assignment]
    assert await jobs.mark_some(sla, loop.read_until()) == 0
    # And the same after the answer: the clock moves on while the process stands still.
    sla.consumer = consumer  # type: ignore[assignment]
    passes(sla, "2026-03-04 10:30")
    until = loop.read_until()
    passes(sla, "2026-03-04 16:00")
    assert await jobs.mark_some(sla, until) == 0


async def test_a_clock_that_was_ahead_for_a_while_makes_nothing_due_early(sla: Service) -> None:
    await process_batch(sla, received("2026-03-04 10:00", MINE))
    loop, consumer = reading(sla, MINE)
    passes(sla, "2026-03-06 10:00")
    loop.read_until()
    consumer.read = set()
    passes(sla, "2026-03-04 10:30")
    assert await jobs.mark_some(sla, loop.read_until()) == 0


async def test_the_rows_are_what_the_domain_makes_of_them(sla: Service) -> None:
    await process_batch(sla, *ordinary(), asked("2026-03-10 17:00"))
    async with sla.transaction() as tx:
        await store.load(tx, [CASE])
        before = store.clocks_of(tx, CASE)
        assert before is not None
        expected = cases.tick(before, tx.deps.rules(), now=at("2026-05-01 10:00")).case
    await passing(sla, "2026-05-01 10:00")
    async with sla.transaction() as tx:
        await store.load(tx, [CASE])
        assert store.clocks_of(tx, CASE) == expected
        checks = [r.next_check_at for r in tx.rows(ClockRow).for_case(CASE)]
    assert min(filter(None, checks), default=None) == cases.next_check(expected)


async def test_the_loop_marks_by_itself_what_comes_up_and_what_comes_due(
    make_quiet_runtime: Callable[..., Runtime],
) -> None:
    service = await prepared(build, make_quiet_runtime(clock=clock_at("2026-03-04 10:00")))
    loop = asyncio.create_task(jobs.MarkLoop(service).run())
    try:
        await process_batch(service, received("2026-03-04 10:00"))
        service.runtime.clock.set(at("2026-03-04 15:30"))  # type: ignore[attr-defined]
        # A clock that is due already wakes the loop out of whatever sleep it is in.
        await process_batch(service, received("2026-03-04 11:00", "case-2"))
        async with asyncio.timeout(PATIENCE):
            while len(await events(service)) < 7:
                await asyncio.sleep(0.02)
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
    assert (await events(service))[5:] == [("breached", "TRIAGE"), ("escalation.raised", "TRIAGE")]
