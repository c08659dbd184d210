from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla.domain import clocks
from services.sla.domain.clocks import Ladder, MarkKind, Timer
from services.sla.domain.working_time import WorkingTime
from shared.contracts.sla import PromiseStatus as Status
from shared.contracts.vocabulary import Clock, Role
from tests.unit.sla.support import CALENDARS, LIBRARY_HOURS, at, wd

LEVELS = Ladder(
    warn=(75,), escalate=((75, Role.REVIEWER), (100, Role.REVIEWER), (200, Role.LEADER))
)

FIVE_DAYS = wd(5)


def _timer(
    start: str = "2026-03-04 10:00",
    budget: timedelta = FIVE_DAYS,
    working: WorkingTime = LIBRARY_HOURS,
    clock: Clock = Clock.RESOLUTION,
) -> Timer:
    return clocks.start(
        clock, at=at(start), budget=budget, working=working, calendar="", ladder=LEVELS
    )


def test_the_levels_are_shares_of_working_time() -> None:
    # 37.5 h from Wednesday 10:00: 28.125 h are used up on Monday at 17:07:30
    steps = {s.level: s.at for s in _timer().steps}
    assert steps == {
        75: at("2026-03-09 17:07:30"),
        100: at("2026-03-11 10:00"),
        200: at("2026-03-18 10:00"),
    }


def test_a_level_at_a_windows_end_is_reached_there() -> None:
    timer = clocks.start(
        Clock.TRIAGE,
        at=at("2026-03-04 08:30"),
        budget=timedelta(hours=7),
        working=LIBRARY_HOURS,
        calendar="",
        ladder=Ladder(warn=(50,)),
    )
    assert timer.steps[0].at == at("2026-03-04 12:00")


def test_each_level_is_marked_once_and_with_its_own_moment() -> None:
    timer = _timer()
    assert clocks.next_check(timer) == at("2026-03-09 17:07:30")
    assert clocks.marks_due(timer, at("2026-03-09 17:07:29")) == []
    first = clocks.marks_due(timer, at("2026-03-10 09:00"))
    assert [(m.level, m.kind, m.at) for m in first] == [
        (75, MarkKind.WARNED, at("2026-03-09 17:07:30"))
    ]
    timer = clocks.record(timer, first)
    assert clocks.marks_due(timer, at("2026-03-10 09:00")) == []
    assert clocks.next_check(timer) == timer.due
    # the machine slept for weeks: everything that is left, in order
    rest = clocks.marks_due(timer, at("2026-04-30 09:00"))
    assert [(m.level, m.kind, m.to) for m in rest] == [
        (100, MarkKind.BREACHED, Role.REVIEWER),
        (200, MarkKind.ESCALATED, Role.LEADER),
    ]
    timer = clocks.record(timer, rest)
    assert timer.breached_at == at("2026-03-11 10:00")
    assert clocks.next_check(timer) is None
    assert clocks.marks_due(timer, at("2027-01-01 09:00")) == []


def test_a_breach_is_marked_at_the_deadline_itself() -> None:
    timer = _timer()
    assert MarkKind.BREACHED in {m.kind for m in clocks.marks_due(timer, timer.due)}


def test_a_clock_without_escalation_still_has_its_deadline() -> None:
    timer = clocks.start(
        Clock.RESOLUTION,
        at=at("2026-03-04 10:00"),
        budget=wd(1),
        working=LIBRARY_HOURS,
        calendar="",
    )
    assert [m.level for m in clocks.marks_due(timer, timer.due)] == [100]


def test_a_follow_up_elapses_and_is_no_breach() -> None:
    timer = _timer(clock=Clock.FOLLOW_UP)
    marks = clocks.marks_due(timer, at("2026-06-01 10:00"))
    assert [m.kind for m in marks] == [MarkKind.ELAPSED]
    timer = clocks.record(timer, marks)
    assert timer.status is Status.MET
    assert timer.breached_at is None


def test_a_pause_moves_the_deadline_by_its_working_time_only() -> None:
    timer = clocks.pause(_timer(), at("2026-03-05 16:30"))
    assert timer.status is Status.PAUSED
    timer = clocks.resume(timer, at("2026-03-09 09:30"), LIBRARY_HOURS)  # 1 h + 7.5 h + 1 h
    assert timer.due == at("2026-03-12 12:00")  # 6 h on Wednesday, then the morning
    assert timer.first_due == at("2026-03-11 10:00")
    assert timer.status is Status.RUNNING


def test_a_pause_over_a_weekend_moves_nothing() -> None:
    timer = clocks.pause(_timer(), at("2026-03-06 17:30"))
    timer = clocks.resume(timer, at("2026-03-09 08:30"), LIBRARY_HOURS)
    assert timer.due == timer.first_due


def test_a_deadline_at_noon_stays_at_noon_after_an_empty_pause() -> None:
    timer = clocks.pause(_timer(budget=timedelta(hours=2)), at("2026-03-04 11:00"))
    timer = clocks.resume(timer, at("2026-03-04 11:00"), LIBRARY_HOURS)
    assert timer.due == at("2026-03-04 12:00")


def test_while_paused_nothing_comes_due_but_what_was_before() -> None:
    timer = clocks.pause(_timer(), at("2026-03-10 09:00"))  # 75 % had passed, unmarked
    assert clocks.next_check(timer) == at("2026-03-09 17:07:30")
    marks = clocks.marks_due(timer, at("2026-05-01 10:00"))
    assert [m.level for m in marks] == [75]
    timer = clocks.record(timer, marks)
    assert clocks.next_check(timer) is None


def test_an_extension_says_the_date_and_erases_no_breach() -> None:
    timer = _timer()
    timer = clocks.record(timer, clocks.marks_due(timer, at("2026-03-11 10:00")))
    timer = clocks.extend(timer, at("2026-03-20 20:00"), LIBRARY_HOURS)
    assert timer.due == at("2026-03-20 20:00")
    assert timer.first_due == at("2026-03-11 10:00")
    assert timer.status is Status.BREACHED
    assert timer.breached_at == at("2026-03-11 10:00")
    assert [m.level for m in clocks.marks_due(timer, at("2026-03-21 10:00"))] == []


def test_an_extension_is_never_earlier() -> None:
    timer = _timer()
    assert clocks.extend(timer, at("2026-03-06 10:00"), LIBRARY_HOURS) == timer


def test_a_met_clock_does_not_run() -> None:
    timer = clocks.meet(_timer(), at("2026-03-05 10:00"))
    assert timer.status is Status.MET
    assert clocks.next_check(timer) is None
    assert clocks.marks_due(timer, at("2026-06-01 10:00")) == []
    assert clocks.cancel(timer, at("2026-03-06 10:00")) == timer


def test_working_time_is_measured_without_the_pauses() -> None:
    timer = clocks.pause(_timer(), at("2026-03-04 11:00"))
    assert clocks.worked(timer, at("2026-03-09 11:00"), LIBRARY_HOURS) == timedelta(hours=1)
    timer = clocks.resume(timer, at("2026-03-05 11:00"), LIBRARY_HOURS)
    assert clocks.worked(timer, at("2026-03-05 12:00"), LIBRARY_HOURS) == timedelta(hours=2)


# --- laws ------------------------------------------------------------------------------------

START = at("2026-03-04 10:00")
later = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30))


@given(later, later, st.sampled_from([LIBRARY_HOURS, CALENDARS.named("24x7")]))
def test_a_pause_never_takes_working_time_away(a, b, working) -> None:
    timer = _timer(working=working)
    begin, end = START + a, START + a + b
    resumed = clocks.resume(clocks.pause(timer, begin), end, working)
    assert working.working_between(timer.due, resumed.due) == working.working_between(begin, end)
    left = working.working_between(begin, timer.due)
    assert working.working_between(end, resumed.due) == left


@given(st.lists(later, min_size=2, max_size=8))
def test_pauses_add_up(gaps) -> None:
    timer, now, stood = _timer(), START, timedelta(0)
    for n, gap in enumerate(gaps):
        now, before = now + gap, now
        if n % 2:
            timer = clocks.resume(timer, now, LIBRARY_HOURS)
            stood += LIBRARY_HOURS.working_between(before, now)
        else:
            timer = clocks.pause(timer, now)
    assert timer.paused == stood
    assert timer.due == LIBRARY_HOURS.add_working(START, wd(5) + stood)


@given(st.lists(later, min_size=1, max_size=12))
def test_marks_come_exactly_once_however_often_one_looks(looks: list[timedelta]) -> None:
    timer, seen = _timer(), []
    for look in looks:  # not in order: a clock that jumps back marks nothing again
        marks = clocks.marks_due(timer, START + look)
        seen += [m.level for m in marks]
        timer = clocks.record(timer, marks)
    last: datetime = START + max(looks)
    assert sorted(seen) == [s.level for s in _timer().steps if s.at <= last]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("until", ["2200-01-01 00:00", "9999-12-31 12:00"])
def test_a_named_date_beyond_the_calendar_stands_and_the_clock_goes_on(until: str) -> None:
    timer = clocks.extend(_timer(), named := at(until), LIBRARY_HOURS)
    assert timer.due == named
    paused = clocks.pause(timer, at("2026-03-05 10:00"))
    resumed = clocks.resume(paused, at("2026-03-06 10:00"), LIBRARY_HOURS)
    assert resumed.paused_at is None and resumed.due >= named
    recounted = clocks.recount(
        timer,
        budget=timer.budget,
        working=LIBRARY_HOURS,
        calendar=timer.calendar,
        department="",
        ladder=clocks.Ladder((75,), ()),
    )
    assert recounted.due > at("2100-01-01 00:00")
    assert clocks.meet(recounted, at("2026-03-09 10:00")).in_time
