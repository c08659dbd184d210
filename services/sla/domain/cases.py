"""All clocks of one case, and what each thing that happens does to them.

Every function takes the case's clocks and returns them changed, with the facts to tell. A
function that finds nothing to do returns the same clocks and no fact, so that a repeated or
late event does no harm.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.sla.domain import clocks
from services.sla.domain.book import LIBRARY
from services.sla.domain.draft import Draft
from services.sla.domain.facts import CaseClocks, Change, FactKind, Rules
from shared.contracts.vocabulary import CaseType, Clock, Priority

WORK = (Clock.TRIAGE, Clock.ACCEPT, Clock.REVIEW)
ANSWERS = (Clock.FIRST_RESPONSE, Clock.NEXT_RESPONSE)


def receive(
    rules: Rules,
    *,
    at: datetime,
    priority: Priority = Priority.P3,
    type: CaseType = CaseType.OTHER,
    proposal: bool = False,
) -> Change:
    """A comment came in: the user's clocks and triage begin."""
    draft = Draft(
        CaseClocks(
            received_at=at,
            policy_version=rules.policy.version,
            priority=priority,
            type=type,
            proposal=proposal,
        ),
        rules,
    )
    for clock in (Clock.TRIAGE, Clock.FIRST_RESPONSE, Clock.RESOLUTION):
        draft.start(clock, at)
    return draft.done()


def tell_reporter(case: CaseClocks) -> CaseClocks:
    """From now on the dates are a promise somebody has read."""
    return replace(case, told=True)


def route(
    case: CaseClocks,
    rules: Rules,
    *,
    at: datetime,
    priority: Priority | None = None,
    type: CaseType | None = None,
    department: str | None = None,
    proposal: bool | None = None,
) -> Change:
    """Routing (or a person) says how urgent it is, of what kind, and whose."""
    draft = Draft(case, rules)
    draft.classify(at, priority=priority, type=type, department=department, proposal=proposal)
    return draft.done()


def dispatch(
    case: CaseClocks,
    rules: Rules,
    *,
    at: datetime,
    department: str,
    priority: Priority | None = None,
    type: CaseType | None = None,
) -> Change:
    """Sent to a department. Triage is held against the promise that was in force until now."""
    draft = Draft(case, rules)
    draft.meet(at, Clock.TRIAGE)
    draft.cancel(at, Clock.ACCEPT)
    draft.classify(at, priority=priority, type=type, department=department)
    draft.set(told=True)
    draft.start(Clock.ACCEPT, at)
    return draft.done()


def accept(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Signed for."""
    draft = Draft(case, rules)
    draft.meet(at, Clock.ACCEPT)
    return draft.done()


def give_back(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Returned: triage again, in its next cycle; the user's clocks keep running."""
    draft = Draft(case, rules)
    draft.cancel(at, Clock.ACCEPT, Clock.REVIEW)
    draft.set(department=LIBRARY)
    draft.start(Clock.TRIAGE, at)
    return draft.done()


def ask_user(case: CaseClocks, rules: Rules, *, at: datetime, human: bool = True) -> Change:
    """A public question: an answer of sorts, and the resolution waits for the user."""
    draft = Draft(case, rules)
    if human:
        draft.meet(at, *ANSWERS)
    draft.pause(Clock.RESOLUTION, at)
    return draft.done()


def hear_from_user(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """The user said something: waiting is over, and a next answer is owed.

    While the first answer is still owed there is no second one besides it."""
    draft = Draft(case, rules)
    draft.resume(Clock.RESOLUTION, at)
    active = not draft.running(Clock.FOLLOW_UP) and any(
        draft.running(c) for c in (Clock.RESOLUTION, Clock.TRIAGE, Clock.ACCEPT)
    )
    if active and not draft.running(Clock.FIRST_RESPONSE):
        draft.start(Clock.NEXT_RESPONSE, at)
    return draft.done()


def stop_waiting(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Nobody answered in time, or staff go on without: the resolution runs again."""
    draft = Draft(case, rules)
    draft.resume(Clock.RESOLUTION, at)
    return draft.done()


def send_to_review(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """A reply waits to be read by the reviewer."""
    draft = Draft(case, rules)
    draft.start(Clock.REVIEW, at)
    return draft.done()


def finish_review(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Sent back with comments; publishing ends a review too, in `reply`."""
    draft = Draft(case, rules)
    draft.meet(at, Clock.REVIEW)
    return draft.done()


def reply(case: CaseClocks, rules: Rules, *, at: datetime, human: bool = True) -> Change:
    """Published. An automatic message counts for nothing."""
    draft = Draft(case, rules)
    if human:
        draft.meet(at, *WORK, *ANSWERS, Clock.RESOLUTION)
        draft.start(Clock.FOLLOW_UP, at)
    return draft.done()


def close(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Done, also by dismissing an appeal: none runs. Only a follow-up that ran out is met."""
    draft = Draft(case, rules)
    draft.meet(at, Clock.APPEAL)
    draft.cancel(at, *Clock)
    return draft.done()


def end(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Refused, merged, withdrawn, spam: all cancelled."""
    draft = Draft(case, rules)
    draft.cancel(at, *Clock)
    return draft.done()


def reopen(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Not solved after all, or an appeal upheld: triage, and a new, shorter resolution.

    The first cycle's figures stay as they are."""
    draft = Draft(case, rules)
    draft.meet(at, Clock.APPEAL)
    draft.cancel(at, Clock.FOLLOW_UP)
    draft.start(Clock.RESOLUTION, at, reopened=True)
    draft.set(department=LIBRARY)
    draft.start(Clock.TRIAGE, at)
    return draft.done()


def appeal(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """A leader looks again."""
    draft = Draft(case, rules)
    draft.cancel(at, Clock.FOLLOW_UP)
    draft.start(Clock.APPEAL, at)
    return draft.done()


def refuse_appeal(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Nobody looks again; a follow-up the appeal had ended begins anew."""
    appealed, follow_up = case.running(Clock.APPEAL), case.current(Clock.FOLLOW_UP)
    draft = Draft(case, rules)
    draft.cancel(at, Clock.APPEAL)
    if appealed and follow_up and follow_up.cancelled_at == appealed.started_at:
        draft.start(Clock.FOLLOW_UP, at)
    return draft.done()


def extend(case: CaseClocks, rules: Rules, *, at: datetime, until: datetime, reason: str) -> Change:
    """A granted extension. A deadline that has passed stays passed."""
    draft = Draft(case, rules)
    timer = case.running(Clock.RESOLUTION)
    if timer is None or until <= timer.due:
        return draft.done()
    draft.mark(timer, clocks.marks_due(timer, at))
    timer = draft.running(Clock.RESOLUTION)
    if timer is not None:
        timer = clocks.extend(timer, until, draft.working(timer))
        draft.put(timer)
        draft.tell(FactKind.PROMISED, timer, reason=reason)
    return draft.done()


def recompute(case: CaseClocks, rules: Rules, *, at: datetime, reason: str = "calendar") -> Change:
    """The calendar changed: every open deadline is counted anew, what has passed stays."""
    draft = Draft(case, rules)
    draft.recount(at, reason=reason)
    return draft.done()


def tick(case: CaseClocks, rules: Rules, *, now: datetime) -> Change:
    """Mark every level that has been reached, each once, in the order they were."""
    draft = Draft(case, rules)
    due = [mark for timer in case.timers for mark in clocks.marks_due(timer, now)]
    for mark in sorted(due, key=lambda m: m.at):
        timer = draft.running(mark.clock)
        if timer is not None:
            draft.mark(timer, [mark])
    return draft.done()


def next_check(case: CaseClocks) -> datetime | None:
    """When this case must be looked at again."""
    return min(filter(None, map(clocks.next_check, case.timers)), default=None)
