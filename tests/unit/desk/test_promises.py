from __future__ import annotations

from datetime import timedelta

from services.desk.domain.promises import NO_DUE, NOT_OPEN, rank, running, status_of, take
from shared.contracts.sla import SlaBreached, SlaCancelled, SlaMet, SlaPaused, SlaResumed
from shared.contracts.vocabulary import Clock, State
from tests.service.desk import facts
from tests.support import at

DUE = "2026-03-05 10:00"
LATER = "2026-03-06 10:00"


def story(*steps: object) -> dict[str, dict[str, object]]:
    promises: dict[str, dict[str, object]] = {}
    for step in steps:
        promises = take(promises, step)  # type: ignore[arg-type]
    return promises


def promised(due: str = DUE, **more: object) -> object:
    return facts.promised("f", Clock.RESOLUTION, due, **more)


def about(kind: type, due: str = DUE, **more: object) -> object:
    return facts.about_clock(kind, "f", Clock.RESOLUTION, due, **more)


def status(*steps: object) -> str:
    return status_of(story(*steps)["RESOLUTION"])


def test_a_promise_runs_waits_runs_again_and_is_kept() -> None:
    met = about(SlaMet, in_time=True, working_seconds=1)
    assert status(promised()) == "running"
    assert status(promised(), about(SlaPaused)) == "paused"
    assert status(promised(), about(SlaPaused), about(SlaResumed, LATER)) == "running"
    assert status(promised(), met) == "met"
    assert status(promised(), about(SlaCancelled)) == "cancelled"


def test_nothing_later_undoes_a_breach() -> None:
    late = about(SlaMet, in_time=False, working_seconds=1)
    assert status(promised(), about(SlaBreached), promised(LATER)) == "breached"
    assert status(promised(), about(SlaBreached), late) == "breached"
    assert status(promised(), about(SlaBreached), about(SlaCancelled)) == "breached"
    assert status(promised(), late) == "breached"


def test_a_moved_deadline_keeps_the_first_one_in_sight() -> None:
    moved = story(promised(), promised(LATER, first_due=at(DUE)))["RESOLUTION"]
    assert moved["due"] == at(LATER).isoformat()
    assert moved["first_due"] == at(DUE).isoformat()


def test_a_new_round_is_a_new_promise_and_the_old_one_is_silent() -> None:
    again = promised(LATER, cycle=2)
    assert status(promised(), about(SlaBreached), again) == "running"
    assert status(promised(), again, about(SlaBreached)) == "running"


def test_what_runs_decides_the_place_in_the_queue() -> None:
    late = story(promised(), about(SlaBreached))
    paused = story(promised(), about(SlaPaused))
    assert rank(State.IN_PROGRESS, late, facts.RECEIVED) == at(DUE)
    assert rank(State.WAITING_USER, paused, facts.RECEIVED) == NO_DUE
    assert rank(State.TRIAGE, {}, facts.RECEIVED) == NO_DUE
    assert rank(State.REPLIED, late, facts.RECEIVED) > NOT_OPEN


def test_of_those_that_ended_the_newest_comes_first() -> None:
    older, newer = (
        rank(State.CLOSED, {}, moment)
        for moment in (facts.RECEIVED, facts.RECEIVED + timedelta(seconds=1))
    )
    assert NOT_OPEN < newer < older


def test_the_follow_up_is_no_work_that_can_be_late() -> None:
    promises = story(facts.promised("f", Clock.FOLLOW_UP, DUE))
    assert running(promises) == {}
