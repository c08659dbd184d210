"""Why a deadline is what it is: counted once more from what is shown, it is the same."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla import seeds
from services.sla.domain import cases
from services.sla.domain.calendars import CalendarDefinition, Calendars, NoteKind
from services.sla.domain.case_clocks import CaseClocks, Rules, Update
from services.sla.domain.explaining import Explanation, explain, may_see
from shared.contracts.sla import ClockChange
from shared.contracts.vocabulary import CaseType, Clock, Priority
from shared.moments import LOCAL
from tests.unit.sla.support import POLICY, RULES, WEDNESDAY, at
from tests.unit.sla.test_histories import DEEDS

FIRST = seeds.load_calendar()
SECOND = CalendarDefinition.model_validate(
    FIRST.model_dump(mode="json")
    | {
        "version": 2,
        # The past, too: what was entered late.
        "days": {"2026-03-05": [], "2026-03-09": [["08:30", "10:00"]], "2026-03-14": []},
        "departments": {"it": {"week": {"thu": [["09:00", "21:00"]], "sat": [["09:00", "12:00"]]}}},
    }
)
KNOWN = {1: RULES.calendars, 2: Calendars(SECOND)}
LATER = Rules(POLICY, KNOWN[2], "calendar")


class Told:
    """A case, and all that was emitted about its clocks."""

    def __init__(self) -> None:
        self.changes: list[ClockChange] = []
        first = cases.receive(
            Rules(POLICY, RULES.calendars, "feedback.received"),
            at=WEDNESDAY,
            type=CaseType.COMPLAINT,
        )
        self.case: CaseClocks
        self.take(first)

    def take(self, update: Update) -> None:
        self.case = update.case
        self.changes += update.changes

    def explained(self, clock: Clock = Clock.RESOLUTION, cycle: int | None = None) -> Explanation:
        timer = self.case.current(clock)
        assert timer is not None
        if cycle is not None:
            timer = next(t for t in self.case.timers if (t.clock, t.cycle) == (clock, cycle))
        return explain(self.case, timer, self.changes, policy=POLICY, calendars=KNOWN, version=2)


EDIT = "another calendar"
steps = st.tuples(
    st.sampled_from([*sorted(DEEDS), EDIT]),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4)),
)


@settings(max_examples=150)
@given(st.lists(steps, max_size=12), st.booleans())
def test_whatever_happened_the_windows_add_up_to_the_deadline(
    history: list[tuple[str, timedelta]], announced: bool
) -> None:
    told, now, rules = Told(), WEDNESDAY, RULES
    if announced:
        told.case = cases.announce(told.case)
    for deed, gap in history:
        now += gap
        if deed == EDIT:
            # From then on nobody counts by the old one.
            rules = LATER
            told.take(cases.recompute(told.case, rules, at=now))
        else:
            told.take(DEEDS[deed](told.case, now, rules))
    for timer in told.case.timers:
        seen = explain(told.case, timer, told.changes, policy=POLICY, calendars=KNOWN, version=2)
        assert seen.adds_up
        spans = [span for day in seen.days for span in day.spans]
        counted = sum((span.end - span.start for span in spans), timedelta())
        if not seen.named:
            # By hand: the windows one after another, until the time is used up.
            left, due = seen.promised + seen.added + seen.stood_still, timer.started_at
            assert counted == left
            for span in spans:
                left, due = left - (span.end - span.start), span.end
            assert (left, due) == (timedelta(), timer.due if spans else due)
        assert spans == sorted(spans, key=lambda span: span.start)
        for day in seen.days:
            assert all(span.start.astimezone(LOCAL).date() == day.date for span in day.spans)
        if seen.moves:
            assert seen.moves[-1].due == timer.due


def _kinds(seen: Explanation) -> dict[str, Any]:
    return {
        f"{day.date:%m-%d}": (day.note.kind, day.counted / timedelta(hours=1)) for day in seen.days
    }


def test_day_by_day_over_a_weekend() -> None:
    told = Told()
    seen = told.explained()
    assert _kinds(seen) == {
        "03-04": (NoteKind.WEEK, 6.0),
        "03-05": (NoteKind.WEEK, 7.5),
        "03-06": (NoteKind.WEEK, 7.5),
        "03-07": (NoteKind.CLOSED, 0),
        "03-08": (NoteKind.CLOSED, 0),
        "03-09": (NoteKind.WEEK, 7.5),
        "03-10": (NoteKind.WEEK, 7.5),
        "03-11": (NoteKind.WEEK, 1.5),
    }
    assert (seen.cause, seen.choice.name) == ("feedback.received", "P3")
    assert seen.choice.because == (("priority", "P3"),)
    assert (seen.calendar_version, seen.policy_version) == (1, 1)


def test_holidays_and_make_up_days_say_what_they_are() -> None:
    # 14 February is worked for the festival, which lasts from the 15th to the 23rd.
    update = cases.receive(RULES, at=at("2026-02-14 16:00"))
    timer = update.case.current(Clock.FIRST_RESPONSE)
    assert timer is not None
    seen = explain(update.case, timer, update.changes, policy=POLICY, calendars=KNOWN, version=1)
    notes = {day.date: day.note for day in seen.days}
    assert notes[date(2026, 2, 14)].kind is NoteKind.MAKE_UP
    assert notes[date(2026, 2, 14)].counts_as == FIRST.years[2026].make_up[1].counts_as
    assert notes[date(2026, 2, 16)].name == "春节"
    assert [day.counted for day in seen.days[1:-1]] == [timedelta()] * 9


def test_what_stood_still_is_shown_where_it_did() -> None:
    told = Told()
    told.take(cases.ask_user(told.case, RULES, at=at("2026-03-05 10:00")))
    told.take(cases.hear_from_user(told.case, RULES, at=at("2026-03-05 16:30")))
    seen = told.explained()
    thursday = next(day for day in seen.days if day.date == date(2026, 3, 5))
    assert [
        (f"{s.start.astimezone(LOCAL):%H:%M}", f"{s.end.astimezone(LOCAL):%H:%M}", s.stood_still)
        for s in thursday.spans
    ] == [
        ("08:30", "10:00", False),
        ("10:00", "12:00", True),
        ("13:30", "16:30", True),
        ("16:30", "17:30", False),
    ]
    assert seen.stood_still == timedelta(hours=5)
    (move,) = seen.moves
    assert (move.kind, move.was, move.due) == ("resumed", at("2026-03-11 10:00"), seen.timer.due)


def test_what_lasted_seconds_counts_and_is_not_told() -> None:
    """Times are told to the minute: from 17:00 to 17:00 nobody understands."""
    told = Told()
    asked = at("2026-03-05 10:00")
    told.take(cases.ask_user(told.case, RULES, at=asked))
    told.take(cases.hear_from_user(told.case, RULES, at=asked + timedelta(seconds=40)))
    seen = told.explained()
    assert (len(seen.pauses), len(seen.moves)) == (1, 1)
    assert (seen.pauses_to_tell, seen.moves_to_tell) == ([], [])
    assert seen.adds_up


def test_each_move_says_from_when_to_when_and_why() -> None:
    told = Told()
    told.case = cases.announce(told.case)
    told.take(cases.route(told.case, RULES, at=at("2026-03-04 11:00"), priority=Priority.P2))
    told.take(
        cases.extend(
            told.case,
            RULES,
            at=at("2026-03-05 10:00"),
            until=at("2026-03-15 20:00"),
            reason="等配件",
        )
    )
    told.take(cases.recompute(told.case, LATER, at=at("2026-03-06 10:00")))
    seen = told.explained()
    assert [(m.kind, m.words, m.was, m.due) for m in seen.moves] == [
        ("priority", "", at("2026-03-11 10:00"), at("2026-03-06 10:00")),
        ("named", "等配件", at("2026-03-06 10:00"), at("2026-03-15 20:00")),
    ]
    assert seen.named
    assert seen.choice.name == "P2"


def test_a_clock_round_the_clock_has_whole_days() -> None:
    update = cases.receive(RULES, at=at("2026-02-17 23:00"), priority=Priority.P1)
    timer = update.case.current(Clock.RESOLUTION)
    assert timer is not None
    seen = explain(update.case, timer, update.changes, policy=POLICY, calendars=KNOWN, version=1)
    assert _kinds(seen) == {
        "02-17": (NoteKind.ROUND_THE_CLOCK, 1.0),
        "02-18": (NoteKind.ROUND_THE_CLOCK, 23.0),
    }


def test_of_what_nobody_noted_the_present_rules_are_told() -> None:
    told = Told()
    old = [
        c.model_copy(update={"cause": None, "row": None, "calendar_version": None})
        for c in told.changes
    ]
    timer = told.case.current(Clock.RESOLUTION)
    assert timer is not None
    seen = explain(told.case, timer, old, policy=POLICY, calendars={1: RULES.calendars}, version=1)
    assert (seen.cause, seen.choice.name, seen.calendar_version) == ("feedback.received", "P3", 1)
    assert seen.adds_up


def test_a_department_sees_what_it_has_or_had() -> None:
    told = Told()
    told.take(cases.dispatch(told.case, RULES, at=at("2026-03-04 11:00"), department="it"))
    told.take(cases.add_department(told.case, RULES, at=at("2026-03-04 12:00"), department="space"))
    told.take(cases.dispatch(told.case, RULES, at=at("2026-03-05 11:00"), department="events"))
    seen = {d: may_see(told.case, d) for d in ("it", "space", "events", "office", "", None)}
    assert [d for d, may in seen.items() if may] == ["it", "space", "events"]
