"""Entry point for events: everything that starts, stops, pauses or moves a clock.

Clocks are computed from the moment in the event, never from the moment it is read. An event about
a case whose receipt was never seen changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from services.sla import store
from services.sla.deps import deps_of
from services.sla.domain import cases
from services.sla.domain.case_clocks import CaseClocks, Rules, Update
from services.sla.store import apply
from shared.contracts import Event, short_type
from shared.contracts.desk import (
    CaseAccepted,
    CaseAppealDismissed,
    CaseAppealed,
    CaseAppealUpheld,
    CaseBreachExplained,
    CaseClosed,
    CaseCorrected,
    CaseDepartmentAdded,
    CaseDepartmentRemoved,
    CaseDispatched,
    CaseExtensionGranted,
    CaseInfoRequested,
    CaseMarkedAsSpam,
    CaseMerged,
    CasePartFinished,
    CaseProgressed,
    CaseRecalled,
    CaseRejected,
    CaseReleased,
    CaseReopened,
    CaseReplied,
    CaseReplySentBack,
    CaseReplySubmitted,
    CaseRequestRefused,
    CaseRestored,
    CaseResumed,
    CaseReturned,
    CaseSplit,
    CaseSplitOff,
    CaseUnmerged,
    CaseWaitingExternal,
    CaseWithdrawn,
    CaseWordsOwed,
)
from shared.contracts.intake import FeedbackAppealed, FeedbackReceived, FeedbackSupplemented
from shared.contracts.notification import NotificationSent
from shared.contracts.routing import FeedbackRouted, FeedbackTriageNeeded
from shared.contracts.vocabulary import Clock
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction

log = structlog.get_logger()

Decide = Callable[[CaseClocks, Rules], Update]


async def start_clocks(event: FeedbackReceived, tx: Transaction) -> None:
    """Promise triage, a first response and a resolution; ordinary until routing knows better."""
    if store.clocks_of(tx, event.feedback_id) is None:
        update = cases.receive(
            deps_of(tx).rules(cause=short_type(event.type)),
            at=event.at,
            category=event.category or "",
            channel=event.channel,
            group=event.reporter_group or "",
        )
        apply(tx, event.feedback_id, update)


async def start_clocks_of_part(event: CaseSplitOff, tx: Transaction) -> None:
    """A part of another comment goes on by itself; its reporter has waited since that one."""
    if store.clocks_of(tx, event.feedback_id) is None:
        rules = deps_of(tx).rules(cause=short_type(event.type))
        update = cases.split_off(
            rules,
            received_at=event.received_at,
            at=event.at,
            category=event.category or "",
            channel=event.channel,
            group=event.reporter_group or "",
        )
        apply(tx, event.feedback_id, update)


async def take_priority(event: FeedbackRouted | FeedbackTriageNeeded, tx: Transaction) -> None:
    """What routing finds before a person or the reporter saw a date is the first promise."""
    before = store.clocks_of(tx, event.feedback_id)
    if before is None or not _first_triage(before):
        # Late, or after a return: whoever dispatches says how urgent it is.
        return
    update = cases.route(
        before,
        _rules(tx, before, event),
        at=event.at,
        priority=event.priority,
        type=event.case_type,
        department=event.department if isinstance(event, FeedbackRouted) else None,
        category=event.category,
    )
    apply(tx, event.feedback_id, replace(update, case=cases.announce(update.case)))


async def note_announcement(event: NotificationSent, tx: Transaction) -> None:
    """The reporter has read the dates: from now on a change is a change."""
    before = store.clocks_of(tx, event.feedback_id)
    if before is not None and event.kind == "receipt" and event.audience == "reporter":
        apply(tx, event.feedback_id, Update(cases.announce(before)))


async def hand_over(event: CaseDispatched, tx: Transaction) -> None:
    """Triage is met; the department has to sign for it.

    By the time a person decides, the reporter has seen the dates on the tracking page."""
    by_person = event.decided == "person"
    _decide(
        tx,
        event,
        lambda case, rules: cases.dispatch(
            cases.announce(case) if by_person else case,
            rules,
            at=event.at,
            department=event.department,
            priority=event.priority,
            type=event.case_type,
            category=event.category,
        ),
    )


async def note_signature(event: CaseAccepted, tx: Transaction) -> None:
    """Signed for in time, or not."""
    _decide(tx, event, lambda case, rules: cases.accept(case, rules, at=event.at))


async def take_back(event: CaseReturned | CaseRecalled, tx: Transaction) -> None:
    """Triage again; the user's clocks keep running."""
    _decide(tx, event, lambda case, rules: cases.give_back(case, rules, at=event.at))


async def pause_resolution(event: CaseInfoRequested, tx: Transaction) -> None:
    """A public question answers first, and waits for the user."""
    _decide(tx, event, lambda case, rules: cases.ask_user(case, rules, at=event.at))


async def hear_from_user(event: FeedbackSupplemented, tx: Transaction) -> None:
    """Waiting is over at the moment the user spoke; a next response is owed, but to thanks."""
    _decide(
        tx,
        event,
        lambda case, rules: cases.hear_from_user(
            case, rules, at=event.at, thanks=event.thanks, unasked=event.unasked
        ),
    )


async def hear_from_joined(event: CaseWordsOwed, tx: Transaction) -> None:
    """Whoever was joined to it spoke after the reply: that is owed an answer as its own words."""
    _decide(tx, event, lambda case, rules: cases.hear_from_user(case, rules, at=event.at))


async def owe_no_more(event: CaseReleased, tx: Transaction) -> None:
    """What was owed an answer is owed elsewhere, where it was joined no more."""
    if event.settled:
        _decide(tx, event, lambda case, rules: cases.owe_no_more(case, rules, at=event.at))


async def resume_resolution(event: CaseResumed, tx: Transaction) -> None:
    """Nobody answered in time, or staff go on without."""
    _decide(tx, event, lambda case, rules: cases.stop_waiting(case, rules, at=event.at))


async def meet_promises(event: CaseReplied, tx: Transaction) -> None:
    """Published: everything is met, and the follow-up begins."""
    _decide(tx, event, lambda case, rules: cases.reply(case, rules, at=event.at))


async def take_correction(event: CaseCorrected, tx: Transaction) -> None:
    """Another priority or type: the promises are counted anew from receipt."""
    _decide(
        tx,
        event,
        lambda case, rules: cases.correct(
            case,
            rules,
            at=event.at,
            priority=event.priority,
            type=event.case_type,
            category=event.category,
        ),
    )


async def wait_for_others(event: CaseWaitingExternal, tx: Transaction) -> None:
    """The promise runs on; progress notes become due."""
    _decide(tx, event, lambda case, rules: cases.wait_for_others(case, rules, at=event.at))


async def note_progress(event: CaseProgressed, tx: Transaction) -> None:
    """A public interim word is an answer."""
    _decide(tx, event, lambda case, rules: cases.progress(case, rules, at=event.at))


async def begin_part(event: CaseDepartmentAdded, tx: Transaction) -> None:
    """A second department has it beside the first."""
    _decide(
        tx,
        event,
        lambda case, rules: cases.add_department(
            case, rules, at=event.at, department=event.department
        ),
    )


async def end_part(event: CasePartFinished | CaseDepartmentRemoved, tx: Transaction) -> None:
    """It has it no longer."""
    _decide(
        tx,
        event,
        lambda case, rules: cases.finish_part(
            case, rules, at=event.at, department=event.department
        ),
    )


async def start_review(event: CaseReplySubmitted, tx: Transaction) -> None:
    """A reply waits to be read before it goes out."""
    _decide(tx, event, lambda case, rules: cases.send_to_review(case, rules, at=event.at))


async def end_review(event: CaseReplySentBack, tx: Transaction) -> None:
    """It was read, and is to be changed."""
    _decide(tx, event, lambda case, rules: cases.finish_review(case, rules, at=event.at))


async def extend_resolution(event: CaseExtensionGranted, tx: Transaction) -> None:
    """The promise moves; what has passed stays passed."""
    _decide(
        tx,
        event,
        lambda case, rules: cases.extend(
            case, rules, at=event.at, until=event.until, reason=event.reason
        ),
    )


async def renew_promise(event: CaseBreachExplained, tx: Transaction) -> None:
    """Who names a new date with the reason promises it; the breach stays."""
    until = event.until
    if until is None or event.clock is not Clock.RESOLUTION:
        return
    _decide(
        tx,
        event,
        lambda case, rules: cases.extend(case, rules, at=event.at, until=until, reason=event.text),
    )


async def restore_promises(
    event: CaseRestored | CaseUnmerged | CaseAppealUpheld, tx: Transaction
) -> None:
    """It goes on: triage, and a resolution of full length."""
    _decide(tx, event, lambda case, rules: cases.restore(case, rules, at=event.at))


async def stop_clocks(
    event: CaseRejected | CaseWithdrawn | CaseMarkedAsSpam | CaseMerged | CaseSplit,
    tx: Transaction,
) -> None:
    """Nothing is promised any more."""
    _decide(tx, event, lambda case, rules: cases.end(case, rules, at=event.at))


async def close_clocks(event: CaseClosed | CaseAppealDismissed, tx: Transaction) -> None:
    """Done: none runs."""
    _decide(tx, event, lambda case, rules: cases.close(case, rules, at=event.at))


async def start_again(event: CaseReopened, tx: Transaction) -> None:
    """A new, shorter resolution; the first figures stay."""
    _decide(tx, event, lambda case, rules: cases.reopen(case, rules, at=event.at))


async def start_appeal(event: FeedbackAppealed | CaseAppealed, tx: Transaction) -> None:
    """A leader has to look again."""
    _decide(tx, event, lambda case, rules: cases.appeal(case, rules, at=event.at))


async def drop_appeal(event: CaseRequestRefused, tx: Transaction) -> None:
    """The appeal came too late or too often."""
    if event.request.startswith("feedback.appealed"):
        _decide(tx, event, lambda case, rules: cases.refuse_appeal(case, rules, at=event.at))


def _decide(tx: Transaction, event: Event, decide: Decide) -> None:
    before = store.clocks_of(tx, event.feedback_id)
    if before is None:
        log.info("no clocks for this case", feedback_id=event.feedback_id, ce_type=event.type)
        return
    apply(tx, event.feedback_id, decide(before, _rules(tx, before, event)))


def _rules(tx: Transaction, case: CaseClocks, event: Event) -> Rules:
    return deps_of(tx).rules(case.policy_version, cause=short_type(event.type))


def _first_triage(case: CaseClocks) -> bool:
    triage = case.running(Clock.TRIAGE)
    return triage is not None and triage.cycle == 1


HANDLERS: dict[type[Event], Handler] = {
    FeedbackReceived: start_clocks,
    FeedbackRouted: take_priority,
    FeedbackTriageNeeded: take_priority,
    NotificationSent: note_announcement,
    CaseDispatched: hand_over,
    CaseAccepted: note_signature,
    CaseReturned: take_back,
    CaseInfoRequested: pause_resolution,
    FeedbackSupplemented: hear_from_user,
    CaseWordsOwed: hear_from_joined,
    CaseReleased: owe_no_more,
    CaseResumed: resume_resolution,
    CaseReplied: meet_promises,
    CaseRejected: stop_clocks,
    CaseWithdrawn: stop_clocks,
    CaseClosed: close_clocks,
    CaseReopened: start_again,
    FeedbackAppealed: start_appeal,
    CaseRequestRefused: drop_appeal,
    CaseRecalled: take_back,
    CaseCorrected: take_correction,
    CaseWaitingExternal: wait_for_others,
    CaseProgressed: note_progress,
    CaseDepartmentAdded: begin_part,
    CasePartFinished: end_part,
    CaseDepartmentRemoved: end_part,
    CaseReplySubmitted: start_review,
    CaseReplySentBack: end_review,
    CaseExtensionGranted: extend_resolution,
    CaseBreachExplained: renew_promise,
    CaseRestored: restore_promises,
    CaseUnmerged: restore_promises,
    CaseAppealUpheld: restore_promises,
    CaseMarkedAsSpam: stop_clocks,
    CaseMerged: stop_clocks,
    CaseSplit: stop_clocks,
    CaseSplitOff: start_clocks_of_part,
    CaseAppealed: start_appeal,
    CaseAppealDismissed: close_clocks,
}
