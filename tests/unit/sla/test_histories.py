"""Whatever happens to a case, in whatever order."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.domain import cases
from services.sla.domain.case_clocks import CaseClocks
from shared.contracts.sla import PromiseStatus as Status
from shared.contracts.vocabulary import CaseType, Clock, Priority
from tests.unit.sla.support import RULES, WEDNESDAY, accepted, at, received

DEEDS = {
    "tick": lambda c, t, r=RULES: cases.tick(c, r, now=t),
    "route": lambda c, t, r=RULES: cases.route(c, r, at=t, priority=Priority.P1),
    "calm": lambda c, t, r=RULES: cases.route(
        c, r, at=t, priority=Priority.P4, type=CaseType.SUGGESTION
    ),
    "praise": lambda c, t, r=RULES: cases.route(
        c, r, at=t, priority=Priority.P4, type=CaseType.PRAISE
    ),
    "dispatch": lambda c, t, r=RULES: cases.dispatch(c, r, at=t, department="it"),
    "accept": lambda c, t, r=RULES: cases.accept(c, r, at=t),
    "return": lambda c, t, r=RULES: cases.give_back(c, r, at=t),
    "ask": lambda c, t, r=RULES: cases.ask_user(c, r, at=t),
    "hear": lambda c, t, r=RULES: cases.hear_from_user(c, r, at=t),
    "timeout": lambda c, t, r=RULES: cases.stop_waiting(c, r, at=t),
    "review": lambda c, t, r=RULES: cases.send_to_review(c, r, at=t),
    "reviewed": lambda c, t, r=RULES: cases.finish_review(c, r, at=t),
    "reply": lambda c, t, r=RULES: cases.reply(c, r, at=t),
    "close": lambda c, t, r=RULES: cases.close(c, r, at=t),
    "reopen": lambda c, t, r=RULES: cases.reopen(c, r, at=t),
    "appeal": lambda c, t, r=RULES: cases.appeal(c, r, at=t),
    "extend": lambda c, t, r=RULES: cases.extend(
        c, r, at=t, until=t + timedelta(days=9), reason="-"
    ),
    "recompute": lambda c, t, r=RULES: cases.recompute(c, r, at=t),
    "end": lambda c, t, r=RULES: cases.end(c, r, at=t),
    "restore": lambda c, t, r=RULES: cases.restore(c, r, at=t),
    "outside": lambda c, t, r=RULES: cases.wait_for_others(c, r, at=t),
    "progress": lambda c, t, r=RULES: cases.progress(c, r, at=t),
    "help": lambda c, t, r=RULES: cases.add_department(c, r, at=t, department="space"),
    "helped": lambda c, t, r=RULES: cases.finish_part(c, r, at=t, department="space"),
    "urgent": lambda c, t, r=RULES: cases.correct(
        c, r, at=t, priority=Priority.P2, type=CaseType.COMPLAINT
    ),
}
steps = st.tuples(
    st.sampled_from(sorted(DEEDS)),
    st.timedeltas(min_value=timedelta(minutes=-5), max_value=timedelta(days=6)),
)


@settings(max_examples=150)
@given(st.lists(steps, max_size=14))
def test_no_history_undoes_a_breach_or_marks_twice(history: list[tuple[str, timedelta]]) -> None:
    case, now, marked = received(), WEDNESDAY, []
    for deed, gap in history:
        now = now + gap
        change = DEEDS[deed](case, now)
        _no_figure_is_lost(case, change.case)
        marked += [(r.mark.clock, r.mark.cycle, r.mark.level) for r in change.reached]
        case = change.case
        for clock in Clock:
            assert sum(t.clock is clock and t.is_open for t in case.timers) <= 1
        for part in (False, True):
            assert sum(s.part is part and s.ended_at is None for s in case.segments) <= 1
        assert (deed in ("close", "end")) <= (not any(t.is_open for t in case.timers))
    assert len(marked) == len(set(marked))
    assert {t.clock: t.first_due for t in case.timers if t.clock is Clock.RESOLUTION} == {
        Clock.RESOLUTION: at("2026-03-11 10:00")
    }


def _no_figure_is_lost(before: CaseClocks, after: CaseClocks) -> None:
    now = {(t.clock, t.cycle): t for t in after.timers}
    for timer in before.timers:
        later = now[timer.clock, timer.cycle]
        assert later.marked >= timer.marked
        if timer.breached_at is not None:
            assert later.breached_at == timer.breached_at
            assert later.status is Status.BREACHED
        if not timer.is_open:
            assert later == timer
        assert later.started_at == timer.started_at


@settings(max_examples=80)
@given(st.lists(steps, max_size=10))
def test_a_repeated_event_changes_nothing_more(history: list[tuple[str, timedelta]]) -> None:
    case, now = received(), WEDNESDAY
    for deed, gap in history:
        now = now + abs(gap)
        case = DEEDS[deed](case, now).case
        if deed not in ("return", "dispatch", "reopen", "restore", "praise", "progress"):
            assert DEEDS[deed](case, now).case == case


def _after(case: CaseClocks, when: datetime) -> CaseClocks:
    return cases.tick(case, RULES, now=when).case


def test_looking_often_or_rarely_comes_to_the_same() -> None:
    case, often = accepted(), accepted()
    end = at("2026-03-20 10:00")
    moment = WEDNESDAY
    while moment < end:
        often = _after(often, moment)
        moment += timedelta(hours=5)
    assert _after(often, end) == _after(case, end)
