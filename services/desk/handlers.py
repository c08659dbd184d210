"""What desk does when something happened elsewhere. Every fact of a case enters its timeline."""

from __future__ import annotations

import structlog

from services.desk.domain import TABLE, Action, Said, advance
from services.desk.domain import promises as promised
from services.desk.domain.case import (
    CONFIDENTIAL_CATEGORY,
    NOT_NOW,
    Case,
    refuse_request,
    request_reopening,
)
from services.desk.domain.search import findable
from services.desk.domain.sentences import kept_of
from services.desk.store import (
    CaseRow,
    DecisionRow,
    PrivateRow,
    TimelineRow,
    WordsRow,
    case_of,
    find,
    keep,
    put,
    write,
)
from shared.contracts import REPORTER, SYSTEM, Event, short_type
from shared.contracts.intake import (
    FeedbackAppealed,
    FeedbackRated,
    FeedbackReceived,
    FeedbackReopenRequested,
    FeedbackSupplemented,
    FeedbackUrged,
    FeedbackWithdrawn,
    PrivateDetails,
)
from shared.contracts.routing import FeedbackRouted, FeedbackTriageNeeded, RoutingDecision
from shared.contracts.sla import (
    ClockFact,
    SlaBreached,
    SlaCancelled,
    SlaMet,
    SlaPaused,
    SlaPromised,
    SlaResumed,
)
from shared.contracts.vocabulary import ENDED, Clock, State
from shared.messaging.envelope import Record
from shared.messaging.intake import Handler
from shared.messaging.transaction import Transaction

log = structlog.get_logger()

TITLE = 80
"""Characters of the reporter's own words that stand for a title nobody gave."""


async def number_fact(event: Event, tx: Transaction) -> None:
    """Enter the fact in the case's timeline; the first one makes the case."""
    row = find(tx, event.feedback_id)
    if row is None:
        if not isinstance(event, FeedbackReceived):
            log.warning("fact of an unknown case", feedback_id=event.feedback_id, type=event.type)
            return
        row = _new_row(event, tx)
    row.__dict__["story"] += 1
    put(tx, row)
    assert tx.cause is not None
    shelf = tx.shelf(TimelineRow)
    shelf.add(
        shelf.make(
            feedback_id=event.feedback_id,
            seq=row.story,
            ce_id=tx.cause.ce_id or "",
            type=short_type(event.type),
            at=event.at,
            by=event.by.model_dump(exclude_none=True),
            data=kept_of(event),
        )
    )


async def open_case(event: FeedbackReceived, tx: Transaction) -> None:
    """Put it before the coordinator at once, whatever routing is doing."""
    row = find(tx, event.feedback_id)
    if row is None or row.state != State.RECEIVED:
        return
    keep(tx, row, advance(case_of(row), Action.OPEN, by=SYSTEM, at=tx.now))
    shelf = tx.shelf(WordsRow)
    shelf.put(
        shelf.make(
            feedback_id=event.feedback_id,
            title=event.title,
            text=event.text,
            search=findable(event.title, event.text),
        )
    )


async def dispatch_routed(event: FeedbackRouted, tx: Transaction) -> None:
    """Send it where routing is sure it belongs, unless a person was faster."""
    row = _take_decision(event, tx)
    if row is None or row.state != State.TRIAGE or event.department is None:
        return
    known = event.department in tx.tools.directory.departments
    if not known or event.department in row.returned_by:
        return
    said = Said(
        department=event.department,
        category=event.category,
        case_type=event.case_type,
        priority=event.priority,
        decided=event.decided,
    )
    keep(tx, row, advance(case_of(row), Action.ROUTE, said, by=SYSTEM, at=tx.now))


async def lay_before_coordinator(event: FeedbackTriageNeeded, tx: Transaction) -> None:
    """Keep what routing thinks, for the person who decides."""
    _take_decision(event, tx)


async def take_supplement(event: FeedbackSupplemented, tx: Transaction) -> None:
    """Add it to the conversation; an answer to our question ends the waiting."""
    row = find(tx, event.feedback_id)
    if row is None:
        return
    write(tx, event.feedback_id, "supplement", event.text, words_id=event.words_id)
    case = case_of(row)
    if case.state is State.WAITING_USER:
        keep(tx, row, advance(case, Action.SUPPLEMENT, by=REPORTER, at=tx.now))
    else:
        _moved(tx, row)


async def mark_urged(event: FeedbackUrged, tx: Transaction) -> None:
    """Count it; it changes neither owner nor state."""
    row = find(tx, event.feedback_id)
    if row is not None:
        row.urged += 1
        put(tx, row)


async def close_rated(event: FeedbackRated, tx: Transaction) -> None:
    """A rating ends the follow-up; one that comes after the closing is kept all the same."""
    row = find(tx, event.feedback_id)
    if row is None:
        return
    case = case_of(row)
    if case.state not in (State.REPLIED, State.CLOSED):
        keep(tx, row, refuse_request(case, short_type(event.type), NOT_NOW, at=tx.now))
        return
    if event.comment:
        write(tx, event.feedback_id, "rating", event.comment)
    if case.state is State.REPLIED:
        keep(tx, row, advance(case, Action.RATE, by=REPORTER, at=tx.now))


async def reopen_on_request(event: FeedbackReopenRequested, tx: Transaction) -> None:
    """Back to triage if asked in time and not too often; else say why not."""
    row = find(tx, event.feedback_id)
    if row is None:
        return
    write(tx, event.feedback_id, "reopening", event.reason)
    change = request_reopening(case_of(row), event.reason, by=REPORTER, asked=event.at, at=tx.now)
    keep(tx, row, change)


async def keep_appeal(event: FeedbackAppealed, tx: Transaction) -> None:
    """Keep the words where the coordinator reads them."""
    row = find(tx, event.feedback_id)
    if row is not None:
        write(tx, event.feedback_id, "appeal", event.reason)
        _moved(tx, row)


async def withdraw(event: FeedbackWithdrawn, tx: Transaction) -> None:
    """End it, wherever it was; what has ended already cannot be taken back."""
    row = find(tx, event.feedback_id)
    if row is None:
        return
    case = case_of(row)
    if case.state in ENDED:
        keep(tx, row, refuse_request(case, short_type(event.type), NOT_NOW, at=tx.now))
    else:
        keep(tx, row, advance(case, Action.WITHDRAW, by=REPORTER, at=tx.now))


async def follow_promise(event: ClockFact, tx: Transaction) -> None:
    """Show the promise as sla tells it, and the case in its new place in the queues."""
    row = find(tx, event.feedback_id)
    if row is None:
        return
    row.__dict__["promises"] = promised.take(row.promises, event)
    put(tx, row)


async def end_follow_up(event: SlaMet, tx: Transaction) -> None:
    """Mark the promise kept; when the time for objections has run out, quiet means content."""
    await follow_promise(event, tx)
    row = find(tx, event.feedback_id)
    if row is None or event.clock is not Clock.FOLLOW_UP:
        return
    case = case_of(row)
    of_now = row.promises[str(event.clock)]["cycle"] == event.cycle
    if of_now and (case.state, Action.FALL_QUIET) in TABLE:
        keep(tx, row, advance(case, Action.FALL_QUIET, by=SYSTEM, at=tx.now))


async def keep_private(event: PrivateDetails, tx: Transaction) -> None:
    """Keep the unmasked words and the contact, unless the person was erased."""
    row = find(tx, event.feedback_id)
    if row is not None and row.erased:
        return
    shelf = tx.shelf(PrivateRow)
    shelf.put(
        shelf.make(
            feedback_id=event.feedback_id,
            title=event.title,
            text=event.text,
            words=dict(event.words),
            contact=event.contact.model_dump(exclude_none=True),
            on_behalf_of=event.on_behalf_of,
        )
    )


async def erase(record: Record, tx: Transaction) -> None:
    """Forget the person, and remember that, so that no late copy brings them back."""
    feedback_id = record.feedback_id
    if feedback_id is None:
        return
    tx.shelf(PrivateRow).delete(PrivateRow(feedback_id=feedback_id))
    row = find(tx, feedback_id)
    if row is not None:
        row.erased = True
        put(tx, row)


def _new_row(event: FeedbackReceived, tx: Transaction) -> CaseRow:
    case = Case(feedback_id=event.feedback_id)
    return tx.shelf(CaseRow).make(
        feedback_id=event.feedback_id,
        state=str(case.state),
        category=event.category,
        title=event.title or _first_words(event.text),
        channel=str(event.channel),
        place=event.place,
        desk=event.desk,
        locale=event.locale,
        received_at=event.at,
        occurred_at=event.occurred_at,
        anonymous=event.anonymous,
        confidence_asked=event.confidential,
        confidential=event.confidential or event.category == CONFIDENTIAL_CATEGORY,
        on_behalf=event.on_behalf,
        entered_by=event.entered_by,
    )


def _first_words(text: str) -> str:
    line = next((part.strip() for part in text.splitlines() if part.strip()), "")
    return line if len(line) <= TITLE else line[: TITLE - 1] + "…"


def _take_decision(event: RoutingDecision, tx: Transaction) -> CaseRow | None:
    shelf = tx.shelf(DecisionRow)
    shelf.put(
        shelf.make(
            feedback_id=event.feedback_id,
            decided=event.decided,
            department=event.department,
            confidence=event.confidence,
            reasons=[r.model_dump(exclude_none=True) for r in event.reasons],
            candidates=[c.model_dump(exclude_none=True) for c in event.candidates],
        )
    )
    row = find(tx, event.feedback_id)
    if row is None or row.state != State.TRIAGE:
        return row
    category = event.category or row.category
    row.__dict__.update(
        category=category,
        case_type=str(event.case_type),
        priority=str(event.priority),
        confidential=row.confidence_asked or category == CONFIDENTIAL_CATEGORY,
    )
    put(tx, row)
    return row


def _moved(tx: Transaction, row: CaseRow) -> None:
    row.version += 1
    put(tx, row)


HANDLERS: dict[type[Event], Handler] = {
    Event: number_fact,
    FeedbackReceived: open_case,
    FeedbackRouted: dispatch_routed,
    FeedbackTriageNeeded: lay_before_coordinator,
    FeedbackSupplemented: take_supplement,
    FeedbackUrged: mark_urged,
    FeedbackRated: close_rated,
    FeedbackReopenRequested: reopen_on_request,
    FeedbackAppealed: keep_appeal,
    FeedbackWithdrawn: withdraw,
    SlaPromised: follow_promise,
    SlaBreached: follow_promise,
    SlaMet: end_follow_up,
    SlaPaused: follow_promise,
    SlaResumed: follow_promise,
    SlaCancelled: follow_promise,
    PrivateDetails: keep_private,
}
