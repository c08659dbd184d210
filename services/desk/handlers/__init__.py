"""What desk does when something happened elsewhere. Every event of a case enters its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog

from services.desk.deps import deps_of
from services.desk.domain import (
    TRANSITIONS,
    Action,
    ActionInput,
    Case,
    advance,
    guard,
    refuse_request,
    request_reopening,
)
from services.desk.domain.promises import follow_up_ran_out, reasons_owed, with_warnings, without
from services.desk.domain.rights import goes_on_elsewhere
from services.desk.domain.search import findable_private
from services.desk.handlers.alarms import lay_before_the_office
from services.desk.handlers.greetings import entitle, title_of
from services.desk.store import (
    CaseRow,
    DecisionRow,
    PrivateRow,
    PrivateWordsRow,
    append_line,
    case_of,
    find,
    forget,
    forget_elsewhere,
    forget_pictures,
    jobs,
    keep,
    keep_pictures,
    keep_words,
    put,
    write,
)
from services.desk.store.joined import join_as_asked
from services.desk.store.review_rules import with_review
from shared.contracts import REPORTER, SYSTEM, Event, short_type
from shared.contracts.intake import (
    FeedbackAppealed,
    FeedbackIncidentNamed,
    FeedbackPicturesErased,
    FeedbackRated,
    FeedbackReceived,
    FeedbackReopenRequested,
    FeedbackSupplemented,
    FeedbackUrged,
    FeedbackWithdrawn,
    PrivateDetails,
    PrivateWords,
    SentPicture,
)
from shared.contracts.routing import (
    FeedbackAlarmRaised,
    FeedbackRouted,
    FeedbackTriageNeeded,
    RoutingDecision,
)
from shared.contracts.sla import (
    EscalationRaised,
    SlaBreached,
    SlaPromisesChanged,
    SlaWarned,
    promises_after,
)
from shared.contracts.vocabulary import (
    CONFIDENTIAL_CATEGORY,
    ENDED,
    RefusalReason,
    State,
    complains,
)
from shared.messaging.envelope import Record
from shared.messaging.row_buffer import set_values
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction
from shared.privacy import mask

log = structlog.get_logger()


async def record_event(event: Event, tx: Transaction) -> None:
    """Enter it in the case's timeline, if it says anything; the first one makes the case."""
    row = find(tx, event.feedback_id)
    if row is None:
        if not isinstance(event, FeedbackReceived):
            log.warning("event of an unknown case", feedback_id=event.feedback_id, type=event.type)
            return
        row = _new_row(event, tx)
    append_line(tx, row, event, (tx.cause and tx.cause.ce_id) or "")
    put(tx, row)


async def open_case(event: FeedbackReceived, tx: Transaction) -> None:
    """Put it before the coordinator at once, whatever routing is doing."""
    row = find(tx, event.feedback_id)
    if row is None or row.state != State.RECEIVED:
        return
    keep(tx, row, advance(case_of(row), Action.OPEN, by=SYSTEM, at=tx.now))
    keep_words(tx, event.feedback_id, event.title, event.text, place=event.place)
    keep_pictures(tx, row, event.pictures)
    tx.after_commit(partial(deps_of(tx).meaning.note, event.feedback_id))
    tx.after_commit(partial(deps_of(tx).received.note, event.feedback_id))
    if event.incident is not None:
        await join_as_asked(tx, row, event.incident)


async def dispatch_routed(event: FeedbackRouted, tx: Transaction) -> None:
    """Send it where routing is sure it belongs, unless a person was faster."""
    row = _take_decision(event, tx)
    if row is None or row.state != State.TRIAGE or event.department is None:
        return
    known = event.department in deps_of(tx).directory.departments
    case = case_of(row)
    refused = guard(case, Action.ROUTE, SYSTEM, tx.now) is not None
    if not known or refused or event.department in row.returned_by:
        return
    given = ActionInput(
        department=event.department,
        category=event.category,
        case_type=event.case_type,
        priority=event.priority,
        decided=event.decided,
    )
    change = advance(case, Action.ROUTE, given, by=SYSTEM, at=tx.now)
    keep(tx, row, await with_review(tx, change))


async def lay_before_coordinator(event: FeedbackTriageNeeded, tx: Transaction) -> None:
    """Keep what routing thinks, for the person who decides."""
    _take_decision(event, tx)


_ASKS_NOTHING = frozenset({State.REPLIED, State.REJECTED, State.MERGED})
"""Where thanks are no work, and bring nothing back."""


async def take_supplement(event: FeedbackSupplemented, tx: Transaction) -> None:
    """Add it to the conversation; it may answer a question, or be owed an answer itself."""
    row = find(tx, event.feedback_id)
    if row is None:
        return
    at = tx.now
    said = write(tx, event.feedback_id, "supplement", event.text, words_id=event.words_id, at=at)
    keep_pictures(tx, row, event.pictures, message_id=said)
    await entitle(event, row, tx)
    case = case_of(row)
    # Where it is `unasked` the question is still on its way to them.
    answers_nothing = event.unasked and case.state == State.WAITING_USER
    if answers_nothing or (event.thanks and case.state in _ASKS_NOTHING):
        _moved(tx, row)
        return
    legal = (case.state, Action.SUPPLEMENT) in TRANSITIONS
    if legal and guard(case, Action.SUPPLEMENT, REPORTER, at) is None:
        given = ActionInput(reason=event.text)
        keep(tx, row, advance(case, Action.SUPPLEMENT, given, by=REPORTER, at=at))
        _forward(tx, case, event, event.text, pictures=event.pictures)
    elif case.state in ENDED:
        # The case ended while the words were on their way. Nobody reads an ended case, so whoever
        # wrote hears that, and what they can do instead.
        reason = RefusalReason.TOO_LATE if legal else RefusalReason.NOT_POSSIBLE_NOW
        keep(tx, row, refuse_request(case, short_type(event.type), reason, at=tx.now))
    else:
        _moved(tx, row)


async def forget_what_was_shown(event: FeedbackPicturesErased, tx: Transaction) -> None:
    """There is nothing any more to show; whatever of it came first."""
    await forget_pictures(tx, event.feedback_id)


async def join_later(event: FeedbackIncidentNamed, tx: Transaction) -> None:
    """The reporter said "me too" after the comment. One that has been answered meanwhile, or put
    into an incident by the office, stays as it is: its page says how it is."""
    row = find(tx, event.feedback_id)
    if row is None or row.incident_id == event.incident:
        return
    case = case_of(row)
    legal = (case.state, Action.JOIN) in TRANSITIONS
    if legal and guard(case, Action.JOIN, REPORTER, tx.now) is None:
        await join_as_asked(tx, row, event.incident)


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
    legal = (case.state, Action.RATE) in TRANSITIONS
    if not legal or guard(case, Action.RATE, REPORTER, tx.now) is not None:
        keep(
            tx,
            row,
            refuse_request(case, short_type(event.type), RefusalReason.NOT_POSSIBLE_NOW, at=tx.now),
        )
        return
    if event.comment:
        write(tx, event.feedback_id, "rating", event.comment)
    if not case.rated:
        keep(tx, row, advance(case, Action.RATE, by=REPORTER, at=tx.now))
    if event.comment and complains(event.stars, event.solved):
        _forward(tx, case, event, event.comment)


async def reopen_on_request(event: FeedbackReopenRequested, tx: Transaction) -> None:
    """Back to triage if asked in time and not too often; else say why not. Whose case was joined
    to another speaks to whoever works on that."""
    row = find(tx, event.feedback_id)
    if row is None:
        return
    write(tx, event.feedback_id, "reopening", event.reason)
    case = case_of(row)
    if case.state is State.MERGED and not goes_on_elsewhere(case):
        # What that makes of the one it was joined to is decided there.
        _forward(tx, case, event, event.reason)
        return
    change = request_reopening(case, event.reason, by=REPORTER, asked=event.at, at=tx.now)
    keep(tx, row, change)


async def lay_before_leaders(event: FeedbackAppealed, tx: Transaction) -> None:
    """A leader looks again, if it was refused, or asked about once more; else say why not."""
    row = find(tx, event.feedback_id)
    if row is None:
        return
    write(tx, event.feedback_id, "appeal", event.reason)
    case = case_of(row)
    legal = (case.state, Action.APPEAL) in TRANSITIONS
    if legal and guard(case, Action.APPEAL, REPORTER, tx.now) is None:
        given = ActionInput(reason=event.reason)
        keep(tx, row, advance(case, Action.APPEAL, given, by=REPORTER, at=tx.now))
    else:
        reason = RefusalReason.NOT_POSSIBLE_NOW
        keep(tx, row, refuse_request(case, short_type(event.type), reason, at=tx.now))


async def withdraw(event: FeedbackWithdrawn, tx: Transaction) -> None:
    """End it, wherever it was; what has ended already cannot be taken back."""
    row = find(tx, event.feedback_id)
    if row is None:
        return
    case = case_of(row)
    legal = (case.state, Action.WITHDRAW) in TRANSITIONS
    if not legal or guard(case, Action.WITHDRAW, REPORTER, tx.now) is not None:
        keep(
            tx,
            row,
            refuse_request(case, short_type(event.type), RefusalReason.NOT_POSSIBLE_NOW, at=tx.now),
        )
    else:
        keep(tx, row, advance(case, Action.WITHDRAW, by=REPORTER, at=tx.now))
        jobs.part(tx, row.merged)
        if case.merged_into is not None:
            jobs.add(tx, "let_go", [case.merged_into], {"merged": case.feedback_id})


async def follow_promises(
    event: SlaPromisesChanged | SlaBreached | SlaWarned, tx: Transaction
) -> None:
    """Show the promises as they are now, and the case in its new place in the queues."""
    row = find(tx, event.feedback_id)
    if row is None:
        return
    warned = event if isinstance(event, SlaWarned) else None
    now = promises_after(row.promises, event)
    set_values(row, promises=with_warnings(row.promises, now, warned))
    if isinstance(event, SlaBreached):
        set_values(
            row,
            reasons_owed=reasons_owed(row.reasons_owed, event),
            # Of a breach of its own nobody has said anything yet.
            reasons_given=list(without(row.reasons_given, event.clock)),
        )
    put(tx, row)
    if isinstance(event, SlaPromisesChanged) and follow_up_ran_out(event):
        _end_follow_up(tx, row)


async def lay_before_those_above(event: EscalationRaised, tx: Transaction) -> None:
    """Put it into the queue of those who should know, for as long as it is open."""
    row = find(tx, event.feedback_id)
    if row is not None and event.to_role not in row.escalated:
        set_values(row, escalated=[*row.escalated, event.to_role])
        put(tx, row)


async def keep_private(event: PrivateDetails, tx: Transaction) -> None:
    """Keep the comment unmasked and the contact, unless the person was erased."""
    row = find(tx, event.feedback_id)
    if row is not None and row.erased:
        return
    name, title, text = event.contact.name, event.title, event.text
    if row is not None and row.parent is not None:
        # Of a part intake knows only what the log has; we know what it says.
        await tx.rows(PrivateRow).load([event.feedback_id])
        if (known := tx.rows(PrivateRow).get(event.feedback_id)) is not None:
            title, text = known.title, known.text
    unmasked = mask(text, name, event.on_behalf_of) != text
    rows = tx.rows(PrivateRow)
    rows.upsert(
        rows.new(
            feedback_id=event.feedback_id,
            title=title,
            text=text,
            contact=event.contact.model_dump(exclude_none=True),
            on_behalf_of=event.on_behalf_of,
            search_words=findable_private(title, text) if unmasked else "",
            search_person=findable_private(
                name, event.contact.phone, event.contact.email, event.on_behalf_of
            ),
        )
    )


async def keep_private_words(event: PrivateWords, tx: Transaction) -> None:
    """Keep what the reporter said later, unmasked, unless the person was erased."""
    row = find(tx, event.feedback_id)
    if row is None or not row.erased:
        rows = tx.rows(PrivateWordsRow)
        rows.upsert(
            rows.new(words_id=event.words_id, feedback_id=event.feedback_id, text=event.text)
        )


async def erase(record: Record, tx: Transaction) -> None:
    """Forget the person, and remember that, so that no late copy brings them back."""
    feedback_id = record.feedback_id
    if feedback_id is None:
        return
    row = find(tx, feedback_id)
    if row is not None:
        await forget_elsewhere(tx, row)
    await forget(tx, feedback_id)
    if row is not None:
        row.erased = True
        put(tx, row)


def _end_follow_up(tx: Transaction, row: CaseRow) -> None:
    """The time for objections has run out: quiet means content."""
    case = case_of(row)
    possible = (case.state, Action.FALL_QUIET) in TRANSITIONS
    if possible and guard(case, Action.FALL_QUIET, SYSTEM, tx.now) is None:
        keep(tx, row, advance(case, Action.FALL_QUIET, by=SYSTEM, at=tx.now))


def _new_row(event: FeedbackReceived, tx: Transaction) -> CaseRow:
    case = Case(feedback_id=event.feedback_id)
    return tx.rows(CaseRow).new(
        feedback_id=event.feedback_id,
        state=str(case.state),
        category=event.category,
        title=title_of(event),
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
        code_hash=event.code_hash,
    )


def _take_decision(event: RoutingDecision, tx: Transaction) -> CaseRow | None:
    rows = tx.rows(DecisionRow)
    rows.upsert(
        rows.new(
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
    confidential = row.confidence_asked or category == CONFIDENTIAL_CATEGORY
    if row.merged and row.confidential and not confidential:
        # A person joined others to it, and their words would be read by more: a person decides.
        return None
    set_values(
        row,
        category=category,
        case_type=str(event.case_type),
        priority=str(event.priority),
        confidential=confidential,
    )
    put(tx, row)
    return row


def _forward(
    tx: Transaction, case: Case, event: Event, text: str, *, pictures: Sequence[SentPicture] = ()
) -> None:
    """Of what was joined to another case the words go on to that one."""
    if case.merged_into is not None:
        body: dict[str, Any] = {"text": text, "request": short_type(event.type)}
        if pictures:
            body["pictures"] = [one.model_dump() for one in pictures]
        jobs.add(tx, "forward", [event.feedback_id], body)


def _moved(tx: Transaction, row: CaseRow) -> None:
    row.version += 1
    put(tx, row)


HANDLERS: dict[type[Event], Handler] = {
    Event: record_event,
    FeedbackReceived: open_case,
    FeedbackRouted: dispatch_routed,
    FeedbackTriageNeeded: lay_before_coordinator,
    FeedbackAlarmRaised: lay_before_the_office,
    FeedbackSupplemented: take_supplement,
    FeedbackPicturesErased: forget_what_was_shown,
    FeedbackIncidentNamed: join_later,
    FeedbackUrged: mark_urged,
    FeedbackRated: close_rated,
    FeedbackReopenRequested: reopen_on_request,
    FeedbackAppealed: lay_before_leaders,
    FeedbackWithdrawn: withdraw,
    SlaPromisesChanged: follow_promises,
    SlaBreached: follow_promises,
    SlaWarned: follow_promises,
    EscalationRaised: lay_before_those_above,
    PrivateDetails: keep_private,
    PrivateWords: keep_private_words,
}
# Nobody waits for a line of the timeline; reporters and coordinators wait for the rest.
URGENT = frozenset(c for c in HANDLERS if c is not Event and c.owner in ("intake", "routing"))
