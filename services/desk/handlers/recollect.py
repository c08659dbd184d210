"""What desk makes of its own events when its database has lost them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.desk.domain import first_words
from services.desk.domain.recollecting import recollected
from services.desk.store import (
    CannedReplyRow,
    CaseRow,
    CategoryRow,
    DepartmentRow,
    IncidentRow,
    PersonRow,
    PrivateWordsRow,
    ReviewRuleRow,
    append_line,
    assign,
    case_of,
    find,
    keep_words,
    put,
    retitle,
    surges,
    themes,
    themes_found,
    write,
)
from services.desk.store.messages import StaffWords
from services.desk.store.readings import keep_reading
from shared.contracts import REGISTER, Event, short_type
from shared.contracts.desk import (
    CannedReplyListed,
    CaseAnsweredThrough,
    CaseAppealDismissed,
    CaseAppealUpheld,
    CaseCorrected,
    CaseEvent,
    CaseFollowedUp,
    CaseInfoRequested,
    CaseNoted,
    CasePersonalDataRead,
    CaseProgressed,
    CaseRejected,
    CaseReplied,
    CaseReplySentBack,
    CaseReplySubmitted,
    CaseSplitOff,
    CategoryListed,
    DepartmentListed,
    IncidentListed,
    PersonListed,
    PrivateReplyWords,
    ReviewRuleListed,
    SurgeListed,
    ThemeDismissed,
    ThemeListed,
)
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction

UNKNOWN = "cases of which the log has only what desk did to them"
ONLY_STATE = "cases of which only the state and the line in the timeline are known, by"
NO_PASSWORD = "accounts made since the backup: they need a password (desk create-user --replace)"
_LOST: Mapping[type[CaseEvent], str] = {
    CaseNoted: "internal notes: that one was written is known, its words are lost",
    CaseReplySubmitted: "replies that waited to be read by somebody: their words are lost",
    CaseReplySentBack: "replies sent back to their writer: what was said about them is lost",
}
_WORDS: Mapping[type[CaseEvent], tuple[str, str]] = {
    CaseReplied: ("reply", "text"),
    CaseProgressed: ("progress", "text"),
    CaseAnsweredThrough: ("reply", "text"),
    CaseInfoRequested: ("question", "question"),
    CaseRejected: ("rejection", "reason"),
    CaseAppealUpheld: ("verdict", "reason"),
    CaseAppealDismissed: ("verdict", "reason"),
    CaseFollowedUp: ("follow_up", "text"),
}
"""As what the words of an event are kept among the messages, and where they stand in it."""


async def recollect_case(event: CaseEvent, tx: Transaction) -> None:
    """The case as it was after `event`, with its line and the words that others have read."""
    assert tx.replay is not None
    assert tx.cause is not None
    if tx.cause.ce_id in tx.replay.echoed:
        # What made it emit was read again a moment ago, and did all of this.
        return
    row = find(tx, event.feedback_id)
    if row is None:
        tx.replay.miss(UNKNOWN, event.feedback_id)
        return
    case, whole = recollected(case_of(row), event)
    assign(row, case)
    append_line(tx, row, event, tx.cause.ce_id or "")
    put(tx, row)
    if not whole:
        tx.replay.miss(f"{ONLY_STATE} {short_type(event.type)}", event.feedback_id)
    if (lost := _LOST.get(type(event))) is not None:
        tx.replay.miss(lost, event.feedback_id)
    if isinstance(event, CaseCorrected) and "title" in event.changed:
        await retitle(tx, event.feedback_id, StaffWords(event.title, event.title))
    if (kept := _WORDS.get(type(event))) is not None and getattr(event, kept[1]):
        outcome = getattr(event, "outcome", None)
        write(
            tx,
            event.feedback_id,
            getattr(event, "kind", kept[0]),
            getattr(event, kept[1]),
            by=event.by,
            outcome=outcome and str(outcome),
            rule=getattr(event, "rule", None) if kept[1] == "text" else None,
            words_id=getattr(event, "words_id", None),
        )


async def recollect_part(event: CaseSplitOff, tx: Transaction) -> None:
    """A part of another comment, as it began."""
    row = find(tx, event.feedback_id)
    if row is not None:
        return
    row = tx.rows(CaseRow).new(
        feedback_id=event.feedback_id,
        state=str(event.state),
        parent=event.parent,
        category=event.category,
        title=event.title or first_words(event.text),
        channel=str(event.channel),
        place=event.place,
        locale=event.locale,
        received_at=event.received_at,
        anonymous=event.anonymous,
        confidence_asked=event.confidential,
        confidential=event.confidential,
        code_hash=event.code_hash,
    )
    keep_words(tx, event.feedback_id, event.title, event.text, place=event.place)
    append_line(tx, row, event, tx.cause.ce_id if tx.cause and tx.cause.ce_id else "")
    put(tx, row)


async def recollect_incident(event: IncidentListed, tx: Transaction) -> None:
    """An incident as it was listed last; who opened it is known to the database only."""
    known = await tx.session.get(IncidentRow, event.incident_id)
    by = known.by if known is not None else ""
    await tx.session.merge(IncidentRow(**_listed(event), by=by))


async def recollect_theme(event: ThemeListed, tx: Transaction) -> None:
    """A theme as it was listed last, with its cases."""
    await themes.remember(tx, event)


async def recollect_dismissed(event: ThemeDismissed, tx: Transaction) -> None:
    """Cases that somebody said are no theme."""
    await themes_found.remember(tx, event)


async def recollect_surge(event: SurgeListed, tx: Transaction) -> None:
    """What suddenly more was said of, as it was listed last."""
    await surges.remember(tx, event)


async def recollect_reading(event: CasePersonalDataRead, tx: Transaction) -> None:
    """That somebody looked; it changed nothing in the case."""
    assert tx.replay is not None
    assert tx.cause is not None
    row = find(tx, event.feedback_id)
    if row is None:
        tx.replay.miss(UNKNOWN, event.feedback_id)
    elif tx.cause.ce_id not in tx.replay.echoed:
        keep_reading(tx, row, event, tx.cause.ce_id or "")


async def recollect_reply_words(event: PrivateReplyWords, tx: Transaction) -> None:
    """Staff's words as they were written, unless the person was erased."""
    row = find(tx, event.feedback_id)
    if row is not None and row.erased:
        return
    rows = tx.rows(PrivateWordsRow)
    rows.upsert(
        rows.new(
            words_id=event.words_id,
            feedback_id=event.feedback_id,
            text=event.text,
            published=True,
        )
    )


async def recollect_department(event: DepartmentListed, tx: Transaction) -> None:
    """A department as it was listed last."""
    await tx.session.merge(DepartmentRow(**_listed(event)))


async def recollect_category(event: CategoryListed, tx: Transaction) -> None:
    """A category as it was listed last."""
    await tx.session.merge(CategoryRow(**_listed(event)))


async def recollect_canned_reply(event: CannedReplyListed, tx: Transaction) -> None:
    """Words for replies as they were listed last."""
    known = await tx.session.get(CannedReplyRow, event.reply_id)
    values = _listed(event)
    if event.version is None:
        # Of before these were told.
        values["version"] = known.version + 1 if known is not None else 1
        values["used"] = known.used if known is not None else 0
        values |= {"changed_at": event.at, "changed_by": event.by.name}
    await tx.session.merge(CannedReplyRow(**values))


async def recollect_review_rule(event: ReviewRuleListed, tx: Transaction) -> None:
    """What replies are read for, as it was said last."""
    rule = ReviewRuleRow(
        kind=event.kind,
        code=event.code,
        since=event.at,
        by=event.by.name,
        reason=event.reason,
    )
    row = await tx.session.merge(rule)
    if not event.required:
        await tx.session.flush()
        await tx.session.delete(row)


async def recollect_person(event: PersonListed, tx: Transaction) -> None:
    """An account as it was listed last; nobody has ever told the log a password."""
    known = await tx.session.get(PersonRow, event.username)
    password, demo = (known.password, known.demo) if known is not None else ("", False)
    if not password and event.active:
        assert tx.replay is not None
        tx.replay.miss(NO_PASSWORD, event.username)
    await tx.session.merge(PersonRow(**_listed(event), password=password, demo=demo))


def _listed(event: Event) -> dict[str, Any]:
    return event.model_dump(exclude={"feedback_id", "at", "by", "absence_entered"})


OWN: dict[type[Event], Handler] = {
    **{c: recollect_case for c in REGISTER.values() if issubclass(c, CaseEvent)},
    CaseSplitOff: recollect_part,
    IncidentListed: recollect_incident,
    ThemeListed: recollect_theme,
    ThemeDismissed: recollect_dismissed,
    SurgeListed: recollect_surge,
    CasePersonalDataRead: recollect_reading,
    PrivateReplyWords: recollect_reply_words,
    DepartmentListed: recollect_department,
    CategoryListed: recollect_category,
    PersonListed: recollect_person,
    CannedReplyListed: recollect_canned_reply,
    ReviewRuleListed: recollect_review_rule,
}
