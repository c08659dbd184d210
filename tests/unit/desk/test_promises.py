from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

from services.desk.domain.promises import (
    NO_DUE,
    NOT_ON_TOP,
    NOT_OPEN,
    follow_up_ran_out,
    next_due_at,
    running,
)
from shared.contracts import Event
from shared.contracts.sla import promises_after
from shared.contracts.vocabulary import Clock, State
from tests.fakes.promises import Promises
from tests.service.desk import examples
from tests.support import at

START = examples.RECEIVED
DUE = at("2026-03-05 10:00")


def kept(*events: Event) -> dict[str, dict[str, Any]]:
    promises: dict[str, dict[str, Any]] = {}
    for event in events:
        promises = promises_after(promises, event)
    return promises


def test_promises_are_kept_as_sla_emits_them_and_a_breach_is_added() -> None:
    clocks = Promises("f")
    promised = clocks.change("promised", Clock.RESOLUTION, DUE, at=START)
    assert kept(promised)["RESOLUTION"]["status"] == "running"
    breached = clocks.breached(Clock.RESOLUTION, at=DUE)
    assert kept(promised, breached)["RESOLUTION"]["status"] == "breached"
    late = clocks.change("met", Clock.RESOLUTION, at=DUE, in_time=False)
    assert kept(promised, breached, late)["RESOLUTION"]["status"] == "breached"


def test_a_breach_of_an_earlier_cycle_says_nothing_of_this_one() -> None:
    clocks = Promises("f")
    first = clocks.change("promised", Clock.RESOLUTION, DUE, at=START)
    breached = clocks.breached(Clock.RESOLUTION, at=DUE)
    again = clocks.change("promised", Clock.RESOLUTION, DUE, at=START, cycle=2)
    assert kept(first, again, breached)["RESOLUTION"]["status"] == "running"


def test_what_runs_decides_the_rank_in_the_queue() -> None:
    clocks = Promises("f")
    promised = clocks.change("promised", Clock.RESOLUTION, DUE, at=START)
    late = kept(promised, clocks.breached(Clock.RESOLUTION, at=DUE))
    paused = kept(clocks.change("paused", Clock.RESOLUTION, at=DUE))
    assert next_due_at(State.IN_PROGRESS, late, received=START) == DUE
    assert next_due_at(State.WAITING_USER, paused, received=START) == NO_DUE
    assert next_due_at(State.TRIAGE, {}, received=START) == NO_DUE
    assert next_due_at(State.REPLIED, late, received=START) > NOT_OPEN


def test_the_earliest_moment_counts_whatever_offset_it_was_written_with() -> None:
    beijing, honolulu = timezone(timedelta(hours=8)), timezone(timedelta(hours=-10))
    later = DUE + timedelta(hours=1)
    # As texts the later one, with its earlier hour, would come first.
    promises = {
        "TRIAGE": {"cycle": 1, "due": later.astimezone(honolulu).isoformat()},
        "RESOLUTION": {"cycle": 1, "due": DUE.astimezone(beijing).isoformat()},
    }
    assert list(running(promises)) == ["RESOLUTION", "TRIAGE"]
    assert next_due_at(State.TRIAGE, promises, received=START) == DUE


def test_of_those_that_ended_the_newest_comes_first() -> None:
    older, newer = (
        next_due_at(State.CLOSED, {}, received=moment)
        for moment in (START, START + timedelta(seconds=1))
    )
    assert NOT_OPEN < newer < older


def test_the_follow_up_is_no_work_that_can_be_late() -> None:
    assert running(kept(examples.promised("f", Clock.FOLLOW_UP, "2026-03-05 10:00"))) == {}


def test_a_follow_up_has_run_out_when_it_is_met_in_the_cycle_that_counts() -> None:
    clocks = Promises("f")
    first = clocks.change("met", Clock.FOLLOW_UP, DUE, at=DUE)
    assert follow_up_ran_out(first)
    again = clocks.change("promised", Clock.FOLLOW_UP, DUE, at=DUE, cycle=2)
    assert not follow_up_ran_out(again)
    late = clocks.change("met", Clock.FOLLOW_UP, DUE, at=DUE, cycle=1)
    assert not follow_up_ran_out(late)
    assert not follow_up_ran_out(clocks.change("met", Clock.TRIAGE, DUE, at=DUE))


def test_words_that_are_owed_an_answer_stand_on_top_until_a_promise_says_when() -> None:
    owed = START + timedelta(days=1)
    first, second = (
        next_due_at(State.REPLIED, {}, received=START, owed_since=since)
        for since in (owed, owed + timedelta(seconds=1))
    )
    assert first < second < NOT_ON_TOP
    promised = kept(Promises("f").change("promised", Clock.NEXT_RESPONSE, DUE, at=START))
    assert next_due_at(State.REPLIED, promised, received=START, owed_since=owed) == DUE
