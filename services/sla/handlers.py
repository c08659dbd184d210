"""Door for facts: everything that starts, stops, pauses or moves a clock.

Clocks are computed from the moment in the fact, never from the moment it is read. A fact about a
case whose receipt was never seen changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from services.sla import store
from services.sla.domain import cases
from services.sla.domain.facts import CaseClocks, Change, Rules
from services.sla.store import Rulebook, keep
from shared.contracts import Event
from shared.contracts.desk import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseInfoRequested,
    CaseRejected,
    CaseReopened,
    CaseReplied,
    CaseRequestRefused,
    CaseResumed,
    CaseReturned,
    CaseWithdrawn,
)
from shared.contracts.intake import FeedbackAppealed, FeedbackReceived, FeedbackSupplemented
from shared.contracts.notification import NotificationSent
from shared.contracts.routing import FeedbackRouted, FeedbackTriageNeeded
from shared.contracts.vocabulary import Clock
from shared.messaging.intake import Handler
from shared.messaging.transaction import Transaction

log = structlog.get_logger()

Decide = Callable[[CaseClocks, Rules], Change]


async def start_clocks(event: FeedbackReceived, tx: Transaction) -> None:
    """Promise triage, a first response and a resolution; ordinary until routing knows better."""
    if store.clocks_of(tx, event.feedback_id) is None:
        rules: Rulebook = tx.tools
        change = cases.receive(rules.rules(), at=event.at)
        keep(tx, event.feedback_id, change, at=event.at)


async def take_priority(event: FeedbackRouted | FeedbackTriageNeeded, tx: Transaction) -> None:
    """What routing finds before a person or the reporter saw a date is the first promise."""
    before = store.clocks_of(tx, event.feedback_id)
    if before is None or not _first_triage(before):
        # Late, or after a return: whoever dispatches says how urgent it is.
        return
    change = cases.route(
        before,
        _rules(tx, before),
        at=event.at,
        priority=event.priority,
        type=event.case_type,
        department=event.department if isinstance(event, FeedbackRouted) else None,
    )
    change = Change(cases.tell_reporter(change.case), change.facts)
    keep(tx, event.feedback_id, change, at=event.at)


async def remember_told(event: NotificationSent, tx: Transaction) -> None:
    """The reporter has read the dates: from now on a change is a change."""
    before = store.clocks_of(tx, event.feedback_id)
    if before is not None and event.kind == "receipt" and event.audience == "reporter":
        change = Change(cases.tell_reporter(before))
        keep(tx, event.feedback_id, change, at=event.at)


async def hand_over(event: CaseDispatched, tx: Transaction) -> None:
    """Triage is met; the department has to sign for it.

    By the time a person decides, the reporter has seen the dates on the tracking page."""
    by_person = event.decided == "person"
    _apply(
        tx,
        event,
        lambda case, rules: cases.dispatch(
            cases.tell_reporter(case) if by_person else case,
            rules,
            at=event.at,
            department=event.department,
            priority=event.priority,
            type=event.case_type,
        ),
    )


async def note_signature(event: CaseAccepted, tx: Transaction) -> None:
    """Signed for in time, or not."""
    _apply(tx, event, lambda case, rules: cases.accept(case, rules, at=event.at))


async def take_back(event: CaseReturned, tx: Transaction) -> None:
    """Triage again; the user's clocks keep running."""
    _apply(tx, event, lambda case, rules: cases.give_back(case, rules, at=event.at))


async def pause_resolution(event: CaseInfoRequested, tx: Transaction) -> None:
    """A public question answers first, and waits for the user."""
    _apply(tx, event, lambda case, rules: cases.ask_user(case, rules, at=event.at))


async def hear_from_user(event: FeedbackSupplemented, tx: Transaction) -> None:
    """Waiting is over at the moment the user spoke; a next response is owed."""
    _apply(tx, event, lambda case, rules: cases.hear_from_user(case, rules, at=event.at))


async def resume_resolution(event: CaseResumed, tx: Transaction) -> None:
    """Nobody answered in time, or staff go on without."""
    _apply(tx, event, lambda case, rules: cases.stop_waiting(case, rules, at=event.at))


async def meet_promises(event: CaseReplied, tx: Transaction) -> None:
    """Published: everything is met, and the follow-up begins."""
    _apply(tx, event, lambda case, rules: cases.reply(case, rules, at=event.at))


async def stop_clocks(event: CaseRejected | CaseWithdrawn, tx: Transaction) -> None:
    """Nothing is promised any more."""
    _apply(tx, event, lambda case, rules: cases.end(case, rules, at=event.at))


async def close_clocks(event: CaseClosed, tx: Transaction) -> None:
    """Done: none runs."""
    _apply(tx, event, lambda case, rules: cases.close(case, rules, at=event.at))


async def start_again(event: CaseReopened, tx: Transaction) -> None:
    """A new, shorter resolution; the first figures stay."""
    _apply(tx, event, lambda case, rules: cases.reopen(case, rules, at=event.at))


async def start_appeal(event: FeedbackAppealed, tx: Transaction) -> None:
    """A leader has to look again."""
    _apply(tx, event, lambda case, rules: cases.appeal(case, rules, at=event.at))


async def drop_appeal(event: CaseRequestRefused, tx: Transaction) -> None:
    """The appeal came too late or too often."""
    if event.request.startswith("feedback.appealed"):
        _apply(tx, event, lambda case, rules: cases.refuse_appeal(case, rules, at=event.at))


def _apply(tx: Transaction, event: Event, decide: Decide) -> None:
    before = store.clocks_of(tx, event.feedback_id)
    if before is None:
        log.info("no clocks for this case", feedback_id=event.feedback_id, ce_type=event.type)
        return
    change = decide(before, _rules(tx, before))
    keep(tx, event.feedback_id, change, at=event.at)


def _rules(tx: Transaction, case: CaseClocks) -> Rules:
    rules: Rulebook = tx.tools
    return rules.rules(case.policy_version)


def _first_triage(case: CaseClocks) -> bool:
    triage = case.running(Clock.TRIAGE)
    return triage is not None and triage.cycle == 1


HANDLERS: dict[type[Event], Handler] = {
    FeedbackReceived: start_clocks,
    FeedbackRouted: take_priority,
    FeedbackTriageNeeded: take_priority,
    NotificationSent: remember_told,
    CaseDispatched: hand_over,
    CaseAccepted: note_signature,
    CaseReturned: take_back,
    CaseInfoRequested: pause_resolution,
    FeedbackSupplemented: hear_from_user,
    CaseResumed: resume_resolution,
    CaseReplied: meet_promises,
    CaseRejected: stop_clocks,
    CaseWithdrawn: stop_clocks,
    CaseClosed: close_clocks,
    CaseReopened: start_again,
    FeedbackAppealed: start_appeal,
    CaseRequestRefused: drop_appeal,
}
