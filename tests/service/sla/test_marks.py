"""What comes due is marked on time, each level once, whoever looks and how often."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from services.sla import jobs, store
from services.sla.app import build
from services.sla.domain import cases
from services.sla.domain.announce import announce
from services.sla.store import ClockRow
from shared.contracts import Event
from shared.contracts.desk import CaseClosed
from shared.contracts.sla import SlaWarned
from shared.contracts.vocabulary import Priority
from shared.messaging.envelope import headers_for
from shared.service import House, Service
from tests.service.sla.support import (
    CASE,
    asked,
    bodies,
    dispatched,
    facts,
    moment,
    ordinary,
    passing,
    received,
    reopened,
    replied,
    routed,
)
from tests.support import at, clock_at, prepared, take_in, told


async def test_warned_at_three_quarters_and_breached_at_the_deadline(sla: Service) -> None:
    await take_in(sla, received("2026-03-04 10:00"))
    assert await passing(sla, "2026-03-04 14:29:59") == 0
    assert await passing(sla, "2026-03-04 14:30") == 1
    assert (await facts(sla))[3:] == [("warned", "TRIAGE"), ("escalation.raised", "TRIAGE")]
    (warning,) = await bodies(sla, "sla.warned", "TRIAGE")
    assert (warning["level"], moment(warning, "at")) == (75, at("2026-03-04 14:30"))
    assert await passing(sla, "2026-03-04 15:29:59") == 0
    assert await passing(sla, "2026-03-04 15:30") == 1
    assert (await facts(sla))[5:] == [("breached", "TRIAGE"), ("escalation.raised", "TRIAGE")]
    *_, escalation = await bodies(sla, "escalation.raised", "TRIAGE")
    assert (escalation["to_role"], escalation["level"]) == ("reviewer", 100)


async def test_overdue_twice_over_a_leader_hears_of_it(sla: Service) -> None:
    await take_in(sla, *ordinary())
    await passing(sla, "2026-03-18 10:00")
    leaders = [
        b for b in await bodies(sla, "escalation.raised", "RESOLUTION") if b["to_role"] == "leader"
    ]
    assert [(b["level"], b["department"]) for b in leaders] == [(200, "space")]


async def test_a_breach_is_told_once_with_two_who_look_at_the_same_time(
    sla: Service, make_quiet_house: Callable[..., House]
) -> None:
    many = [f"case-{n}" for n in range(jobs.BATCH + 200)]
    await take_in(sla, *(received("2026-03-04 10:00", i) for i in many))
    other = build(make_quiet_house(clock=clock_at("2026-03-04 15:30")))
    await other.connect()
    sla.house.clock.set(at("2026-03-04 15:30"))  # type: ignore[attr-defined]
    marks = await asyncio.gather(*(jobs.mark_due(s) for s in (sla, other)))
    await other.engine.dispose()
    assert sum(marks) == 2 * len(many)
    told_of: dict[str, list[str]] = {}
    for one in await told(sla):
        told_of.setdefault(one["body"]["feedback_id"], []).append(f"{one['seq']} {one['type']}")
    assert set(map(tuple, told_of.values())) == {
        (
            "1 sla.promised.v1",
            "2 sla.promised.v1",
            "3 sla.promised.v1",
            "4 sla.warned.v1",
            "5 escalation.raised.v1",
            "6 sla.breached.v1",
            "7 escalation.raised.v1",
        )
    }


async def test_after_a_restart_no_level_is_told_again(
    sla: Service, make_quiet_house: Callable[..., House]
) -> None:
    await take_in(sla, *ordinary())
    await passing(sla, "2026-03-11 10:00")
    before = await facts(sla)
    again = build(make_quiet_house(clock=clock_at("2026-03-11 10:01")))
    await again.connect()
    assert await jobs.mark_due(again) == 0
    await again.engine.dispose()
    assert await facts(sla) == before


async def test_a_clock_that_goes_backwards_tells_nothing_twice(sla: Service) -> None:
    await take_in(sla, *ordinary())
    await passing(sla, "2026-03-11 10:00")
    before = await facts(sla)
    assert await passing(sla, "2026-03-08 10:00") == 0
    assert await passing(sla, "2026-03-11 10:00") == 0
    assert await facts(sla) == before


async def test_a_case_that_somebody_holds_is_passed_over_and_not_waited_for(sla: Service) -> None:
    await take_in(sla, received("2026-03-04 10:00", "held"), received("2026-03-04 10:00", "free"))
    async with sla.transaction() as tx:
        await tx.lock("held")
        assert await passing(sla, "2026-03-04 15:30") == 2
    assert len(await facts(sla, "held")) == 3
    assert await jobs.mark_due(sla) == 2


async def test_while_the_user_is_asked_the_resolution_is_not_marked(sla: Service) -> None:
    await take_in(sla, *ordinary(), asked("2026-03-05 09:00"))
    assert await passing(sla, "2026-04-30 10:00") == 0


async def test_what_was_due_before_the_question_is_still_told(sla: Service) -> None:
    await take_in(sla, *ordinary(), asked("2026-03-10 17:00"))
    await passing(sla, "2026-04-30 10:00")
    (warning,) = await bodies(sla, "sla.warned", "RESOLUTION")
    assert moment(warning, "at") < at("2026-03-10 17:00")
    assert await bodies(sla, "sla.breached", "RESOLUTION") == []


async def test_a_late_reply_is_a_breach_first_and_met_late(sla: Service) -> None:
    await take_in(sla, *ordinary())
    await passing(sla, "2026-03-11 10:00")
    await take_in(sla, replied("2026-03-11 10:30"))
    (met,) = await bodies(sla, "sla.met", "RESOLUTION")
    assert met["in_time"] is False
    assert len(await bodies(sla, "sla.breached", "RESOLUTION")) == 1


async def test_a_reply_before_the_deadline_that_is_read_after_the_mark_was_in_time(
    sla: Service,
) -> None:
    await take_in(sla, *ordinary())
    await passing(sla, "2026-03-11 10:00")
    await take_in(sla, replied("2026-03-11 09:59"))
    (met,) = await bodies(sla, "sla.met", "RESOLUTION")
    assert met["in_time"] is True


async def test_a_reopened_case_is_marked_in_its_own_cycle(sla: Service) -> None:
    await take_in(sla, *ordinary(), replied("2026-03-06 10:00"), reopened("2026-03-09 10:00"))
    await passing(sla, "2026-03-11 15:15")
    assert [b["cycle"] for b in await bodies(sla, "sla.breached", "RESOLUTION")] == [2]


async def test_a_follow_up_that_ran_out_is_met_once(sla: Service) -> None:
    await take_in(sla, *ordinary(), replied("2026-03-05 09:00"))
    assert await passing(sla, "2026-03-10 08:59:59") == 0
    assert await passing(sla, "2026-03-10 09:00") == 1
    (met,) = await bodies(sla, "sla.met", "FOLLOW_UP")
    assert (met["in_time"], met["working_seconds"]) == (True, 3 * 7.5 * 3600)
    await take_in(sla, CaseClosed(feedback_id=CASE, at=at("2026-03-10 09:00"), how="quiet"))
    assert (await facts(sla))[-1] == ("met", "FOLLOW_UP")


async def test_a_case_with_a_refused_fact_is_left_alone(sla: Service) -> None:
    await take_in(sla, received("2026-03-04 10:00"))
    async with sla.transaction() as tx:
        await tx.connection.execute(
            text(
                'INSERT INTO dead_letters (feedback_id, topic, partition, "offset", headers) '
                "VALUES (:i, 'feedback.events', 0, 0, '{}')"
            ),
            {"i": CASE},
        )
    assert await passing(sla, "2026-03-20 10:00") == 0


STORIES: dict[str, list[Any]] = {
    "untouched": [received("2026-03-04 10:00")],
    "urgent": [
        received("2026-03-04 10:00"),
        routed("2026-03-04 10:01", Priority.P1, department="facilities"),
        dispatched("2026-03-04 10:01", "facilities", priority=Priority.P1),
    ],
    "two stages": [
        received("2026-03-04 10:00"),
        routed("2026-03-04 10:01", Priority.P2),
        dispatched("2026-03-04 10:01", priority=Priority.P2),
    ],
    "asked late": [*ordinary(), asked("2026-03-10 17:00")],
    "replied": [*ordinary(), replied("2026-03-06 10:00")],
    "reopened": [*ordinary(), replied("2026-03-06 10:00"), reopened("2026-03-09 10:00")],
}


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize(
    "looks", [["2026-05-01 10:00"], ["2026-03-04 15:00", "2026-03-11 12:00", "2026-05-01 10:00"]]
)
async def test_the_statement_marks_what_the_domain_would_mark(
    sla: Service, story: str, looks: list[str]
) -> None:
    await take_in(sla, *STORIES[story])
    async with sla.transaction() as tx:
        await store.load(tx, [CASE])
        case = store.clocks_of(tx, CASE)
        assert case is not None
        rules = tx.tools.rules()
    expected: list[Event] = []
    begin = len(await told(sla))
    for look in looks:
        change = cases.tick(case, rules, now=at(look))
        expected += announce(CASE, change, at=at(look))
        case = change.case
        await passing(sla, look)
    marks = (await told(sla))[begin:]
    assert _comparable(marks) == _comparable(
        [
            {"type": e.type, "body": json.loads(e.model_dump_json(exclude_none=True))}
            for e in expected
        ]
    )
    async with sla.transaction() as tx:
        await store.load(tx, [CASE])
        assert store.clocks_of(tx, CASE) == case
        checks = [r.next_check_at for r in tx.shelf(ClockRow).of(CASE)]
    assert min(filter(None, checks), default=None) == cases.next_check(case)


async def test_a_mark_has_the_headers_of_any_other_fact(sla: Service) -> None:
    await take_in(sla, received("2026-03-04 10:00"))
    await passing(sla, "2026-03-04 14:30")
    async with sla.engine.connect() as connection:
        row = (
            await connection.execute(
                text("SELECT ce_id, seq, headers, body FROM outbox WHERE seq = 4")
            )
        ).one()
    (warning,) = await bodies(sla, "sla.warned", "TRIAGE")
    event = SlaWarned.model_validate(warning)
    expected = headers_for(event, ce_id=row.ce_id, source="sla", sequence=4, cause=None)
    assert row.headers.keys() == expected.keys()
    assert {k: v for k, v in row.headers.items() if k != "ce_time"} == {
        k: v for k, v in expected.items() if k != "ce_time"
    }
    assert moment(row.headers, "ce_time") == event.at


async def test_the_loop_marks_by_itself_what_comes_up_and_what_comes_due(
    make_quiet_house: Callable[..., House],
) -> None:
    service = await prepared(build, make_quiet_house(clock=clock_at("2026-03-04 10:00")))
    loop = asyncio.create_task(jobs.MarkLoop(service).run())
    try:
        await take_in(service, received("2026-03-04 10:00"))
        service.house.clock.set(at("2026-03-04 15:30"))  # type: ignore[attr-defined]
        # A clock that is due already wakes the loop out of whatever sleep it is in.
        await take_in(service, received("2026-03-04 11:00", "case-2"))
        async with asyncio.timeout(20):
            while len(await facts(service)) < 7:
                await asyncio.sleep(0.02)
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        await service.engine.dispose()
    assert (await facts(service))[5:] == [("breached", "TRIAGE"), ("escalation.raised", "TRIAGE")]


def _as_told(event: Event) -> dict[str, Any]:
    return {"type": event.type, "body": json.loads(event.model_dump_json(exclude_none=True))}


def _comparable(told: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Times as moments; facts of the same moment in any order."""
    out = []
    for one in told:
        body = dict(one["body"])
        body.pop("by")
        for field in ("at", "due", "first_due"):
            body[field] = moment(body, field)
        out.append((one["type"], body))
    return sorted(out, key=lambda f: (f[1]["at"], f[1]["clock"], f[1].get("level", 0), f[0]))
