"""All clocks of one case, and what each thing that happens does to them.

Every function takes the case's clocks and returns them changed, with what happened to them. A
function that finds nothing to do returns the same clocks and nothing else, so that a repeated or
late event does no harm.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.sla.domain import clocks
from services.sla.domain.builder import UpdateBuilder
from services.sla.domain.calendars import LIBRARY
from services.sla.domain.case_clocks import CaseClocks, Rules, Update
from shared.contracts.sla import Change
from shared.contracts.vocabulary import CaseType, Channel, Clock, Priority

WORK = (Clock.TRIAGE, Clock.ACCEPT, Clock.REVIEW)
ANSWERS = (Clock.FIRST_RESPONSE, Clock.NEXT_RESPONSE)


def receive(
    rules: Rules,
    *,
    at: datetime,
    priority: Priority = Priority.P3,
    type: CaseType = CaseType.OTHER,
    proposal: bool = False,
    category: str = "",
    channel: Channel = Channel.OTHER,
    group: str = "",
) -> Update:
    """A comment came in: the user's clocks and triage begin."""
    update = UpdateBuilder(
        CaseClocks(
            received_at=at,
            policy_version=rules.policy.version,
            priority=priority,
            type=type,
            proposal=proposal,
            category=category,
            channel=channel,
            group=group,
        ),
        rules,
    )
    for clock in (Clock.TRIAGE, Clock.FIRST_RESPONSE, Clock.RESOLUTION):
        update.start(clock, at)
    return update.done()


def split_off(
    rules: Rules,
    *,
    received_at: datetime,
    at: datetime,
    category: str = "",
    channel: Channel = Channel.OTHER,
    group: str = "",
) -> Update:
    """A part of another comment goes on by itself: the user has waited since that one came in."""
    update = UpdateBuilder(
        CaseClocks(
            received_at=received_at,
            policy_version=rules.policy.version,
            category=category,
            channel=channel,
            group=group,
        ),
        rules,
    )
    update.start(Clock.TRIAGE, at)
    for clock in (Clock.FIRST_RESPONSE, Clock.RESOLUTION):
        update.start(clock, received_at)
    return update.done()


def announce(case: CaseClocks) -> CaseClocks:
    """From now on the dates are a promise somebody has read."""
    return replace(case, announced=True)


def route(
    case: CaseClocks,
    rules: Rules,
    *,
    at: datetime,
    priority: Priority | None = None,
    type: CaseType | None = None,
    department: str | None = None,
    category: str | None = None,
    proposal: bool | None = None,
) -> Update:
    """Routing (or a person) says how urgent it is, of what kind, and whose."""
    update = UpdateBuilder(case, rules)
    update.classify(
        at,
        priority=priority,
        type=type,
        department=department,
        category=category,
        proposal=proposal,
    )
    return update.done()


def dispatch(
    case: CaseClocks,
    rules: Rules,
    *,
    at: datetime,
    department: str,
    priority: Priority | None = None,
    type: CaseType | None = None,
    category: str | None = None,
) -> Update:
    """Sent to a department, perhaps from another that had it.

    Triage is held against the promise that was in force until now."""
    update = UpdateBuilder(case, rules)
    update.meet(at, Clock.TRIAGE)
    _take_away(update, at)
    update.classify(at, priority=priority, type=type, department=department, category=category)
    update.set(announced=True)
    update.start(Clock.ACCEPT, at)
    update.hand_to(department, at)
    return update.done()


def _take_away(update: UpdateBuilder, at: datetime) -> None:
    """What the department was about ends, also its waiting; the user's clocks run on."""
    update.cancel(at, Clock.ACCEPT, Clock.REVIEW)
    _wait_no_longer(update, at)
    update.leave(at)


def _wait_no_longer(update: UpdateBuilder, at: datetime) -> None:
    update.resume(Clock.RESOLUTION, at)
    update.go_on(at)
    note = update.running(Clock.NEXT_RESPONSE)
    if note is not None and note.progress:
        update.cancel(at, Clock.NEXT_RESPONSE)


def correct(
    case: CaseClocks,
    rules: Rules,
    *,
    at: datetime,
    priority: Priority,
    type: CaseType,
    category: str | None = None,
) -> Update:
    """Somebody corrected what it is: what is open is counted anew."""
    update = UpdateBuilder(case, rules)
    update.classify(at, priority=priority, type=type, department=None, category=category)
    return update.done()


def accept(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """Signed for."""
    update = UpdateBuilder(case, rules)
    update.meet(at, Clock.ACCEPT)
    return update.done()


def give_back(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """Returned or fetched back: triage again, in its next cycle; the user's clocks keep running."""
    update = UpdateBuilder(case, rules)
    _take_away(update, at)
    update.set(department=LIBRARY)
    update.start(Clock.TRIAGE, at)
    return update.done()


def ask_user(case: CaseClocks, rules: Rules, *, at: datetime, human: bool = True) -> Update:
    """A public question: an answer of sorts, and the resolution waits for the user."""
    update = UpdateBuilder(case, rules)
    if human:
        update.meet(at, *ANSWERS)
    update.pause(Clock.RESOLUTION, at)
    update.wait(at)
    return update.done()


def hear_from_user(
    case: CaseClocks, rules: Rules, *, at: datetime, thanks: bool = False, unasked: bool = False
) -> Update:
    """The user said something: waiting for them is over, and a next answer is owed.

    While the first answer is still owed there is no second one besides it. What is said after the
    reply is owed an answer before the follow-up goes on, unless it is `thanks` alone. What is said
    `unasked`, which is no answer, changes nothing while they are waited for."""
    update = UpdateBuilder(case, rules)
    if unasked and (waiting := update.running(Clock.RESOLUTION)) and waiting.paused_at:
        return update.done()
    if thanks and update.running(Clock.FOLLOW_UP):
        return update.done()
    resolution = update.running(Clock.RESOLUTION)
    if resolution is not None and resolution.paused_at is not None:
        _wait_no_longer(update, at)
    update.pause(Clock.FOLLOW_UP, at)
    active = any(
        update.running(c) for c in (Clock.RESOLUTION, Clock.TRIAGE, Clock.ACCEPT, Clock.FOLLOW_UP)
    )
    if active and not update.running(Clock.FIRST_RESPONSE):
        note = update.running(Clock.NEXT_RESPONSE)
        if note is not None and note.progress:
            update.cancel(at, Clock.NEXT_RESPONSE)
        update.start(Clock.NEXT_RESPONSE, at)
    return update.done()


def owe_no_more(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """What was said after the reply is answered elsewhere: the follow-up goes on."""
    update = UpdateBuilder(case, rules)
    if update.running(Clock.FOLLOW_UP):
        update.cancel(at, Clock.NEXT_RESPONSE)
        update.resume(Clock.FOLLOW_UP, at)
    return update.done()


def stop_waiting(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """Nobody answered in time, or staff go on without: what stood still runs again."""
    update = UpdateBuilder(case, rules)
    _wait_no_longer(update, at)
    return update.done()


def wait_for_others(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """Somebody outside has to act: the user's promise runs on, and they hear how it stands."""
    update = UpdateBuilder(case, rules)
    update.wait(at)
    _owe_progress(update, at)
    return update.done()


def progress(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """A public interim word by a person: an answer. While others are waited for it is due again."""
    update = UpdateBuilder(case, rules)
    update.meet(at, *ANSWERS)
    update.resume(Clock.FOLLOW_UP, at)
    resolution = update.running(Clock.RESOLUTION)
    if update.waits and (resolution is None or resolution.paused_at is None):
        _owe_progress(update, at)
    return update.done()


def _owe_progress(update: UpdateBuilder, at: datetime) -> None:
    if not update.running(Clock.FIRST_RESPONSE):
        update.start(Clock.NEXT_RESPONSE, at, progress=True)


def add_department(case: CaseClocks, rules: Rules, *, at: datetime, department: str) -> Update:
    """A second department does its part; the first keeps the promise."""
    update = UpdateBuilder(case, rules)
    update.hand_to(department, at, part=True)
    return update.done()


def finish_part(case: CaseClocks, rules: Rules, *, at: datetime, department: str) -> Update:
    """It has done its part, or is not needed any more."""
    update = UpdateBuilder(case, rules)
    update.leave(at, department)
    return update.done()


def send_to_review(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """A reply waits to be read by the reviewer."""
    update = UpdateBuilder(case, rules)
    update.start(Clock.REVIEW, at)
    return update.done()


def finish_review(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """Sent back with comments; publishing ends a review too, in `reply`."""
    update = UpdateBuilder(case, rules)
    update.meet(at, Clock.REVIEW)
    return update.done()


def reply(case: CaseClocks, rules: Rules, *, at: datetime, human: bool = True) -> Update:
    """Published. An automatic message counts for nothing."""
    update = UpdateBuilder(case, rules)
    if human:
        update.meet(at, *WORK, *ANSWERS, Clock.RESOLUTION)
        update.leave(at)
        waiting = update.running(Clock.FOLLOW_UP)
        if waiting is not None and waiting.paused_at is not None:
            update.cancel(at, Clock.FOLLOW_UP)
        update.start(Clock.FOLLOW_UP, at)
    return update.done()


def close(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """Done, also by dismissing an appeal: none runs. Only a follow-up that ran out is met."""
    update = UpdateBuilder(case, rules)
    update.meet(at, Clock.APPEAL)
    update.cancel(at, *Clock)
    update.leave(at)
    return update.done()


def end(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """Refused, merged, split, withdrawn, spam: all cancelled."""
    update = UpdateBuilder(case, rules)
    update.cancel(at, *Clock)
    update.leave(at)
    return update.done()


def reopen(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """Not solved after all: triage, and a new, shorter resolution.

    The first cycle's figures stay as they are."""
    return _again(case, rules, at=at, reopened=True)


def restore(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """Restored, unmerged, an appeal upheld: triage, and a resolution of full length.

    Who never heard anything is owed a first response again."""
    return _again(case, rules, at=at, reopened=False)


def _again(case: CaseClocks, rules: Rules, *, at: datetime, reopened: bool) -> Update:
    update = UpdateBuilder(case, rules)
    update.meet(at, Clock.APPEAL)
    update.cancel(at, Clock.FOLLOW_UP)
    update.start(Clock.RESOLUTION, at, reopened=reopened)
    first = update.current(Clock.FIRST_RESPONSE)
    if first is not None and first.cancelled_at is not None:
        update.start(Clock.FIRST_RESPONSE, at)
    update.set(department=LIBRARY)
    update.start(Clock.TRIAGE, at)
    return update.done()


def appeal(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """A leader looks again."""
    update = UpdateBuilder(case, rules)
    update.cancel(at, Clock.FOLLOW_UP)
    update.start(Clock.APPEAL, at)
    return update.done()


def refuse_appeal(case: CaseClocks, rules: Rules, *, at: datetime) -> Update:
    """Nobody looks again; a follow-up the appeal had ended begins anew."""
    appealed, follow_up = case.running(Clock.APPEAL), case.current(Clock.FOLLOW_UP)
    update = UpdateBuilder(case, rules)
    update.cancel(at, Clock.APPEAL)
    if appealed and follow_up and follow_up.cancelled_at == appealed.started_at:
        update.start(Clock.FOLLOW_UP, at)
    return update.done()


def extend(case: CaseClocks, rules: Rules, *, at: datetime, until: datetime, reason: str) -> Update:
    """A granted extension. A deadline that has passed stays passed."""
    update = UpdateBuilder(case, rules)
    timer = case.running(Clock.RESOLUTION)
    if timer is None or until <= timer.due:
        return update.done()
    update.mark(timer, clocks.marks_due(timer, at))
    timer = update.running(Clock.RESOLUTION)
    if timer is not None:
        timer = clocks.extend(timer, until, update.working(timer))
        update.changed(Change.MOVED, replace(timer, reason=reason), at, reason=reason)
    return update.done()


def recompute(case: CaseClocks, rules: Rules, *, at: datetime, reason: str = "calendar") -> Update:
    """The calendar changed: every open deadline is counted anew, what has passed stays."""
    update = UpdateBuilder(case, rules)
    update.recount_ahead(at, reason=reason)
    return update.done()


def tick(case: CaseClocks, rules: Rules, *, now: datetime) -> Update:
    """Mark every level that has been reached, each once, in the order they were."""
    update = UpdateBuilder(case, rules)
    due = [mark for timer in case.timers for mark in clocks.marks_due(timer, now)]
    for mark in sorted(due, key=lambda m: m.at):
        timer = update.running(mark.clock)
        if timer is not None:
            update.mark(timer, [mark])
    return update.done()


def next_check(case: CaseClocks) -> datetime | None:
    """When this case must be looked at again."""
    return min(filter(None, map(clocks.next_check, case.timers)), default=None)
