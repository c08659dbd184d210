"""Cases between a row and a value, and what a transaction writes about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from services.desk.domain import Alarm, Case, Change, Extension, Part, Review, SentBack, chain
from services.desk.domain.lines import kept_of
from services.desk.domain.promises import next_due_at
from services.desk.store.hushed import Hushed
from services.desk.store.tables import CaseRow, TimelineRow
from shared.contracts import Event, short_type
from shared.contracts.sla import KeptPromises, PromiseStatus
from shared.contracts.vocabulary import CaseType, Clock, Priority, State
from shared.messaging.row_buffer import set_values, values_of
from shared.messaging.transaction import Transaction
from shared.observability.metrics import TRANSITIONS

_COPIED = (
    "title",
    "department",
    "previous_department",
    "category",
    "decided",
    "confidential",
    "confidence_asked",
    "assignee",
    "assignee_name",
    "binding",
    "cycle",
    "reopened",
    "replied_at",
    "rated",
    "words_owed_since",
    "waiting_since",
    "waiting_for",
    "waiting_until",
    "untouched_since",
    "public_since_dispatch",
    "needs_review",
    "ended_at",
    "reopening_refused",
    "appeal_dismissed",
    "merged_into",
    "parent",
    "incident_id",
    "supervised_at",
    "version",
)
_LISTS = ("returned_by", "merged", "children", "links", "reasons_owed", "reasons_given")
_EXTENSION = TypeAdapter(Extension | None)
_REVIEW = TypeAdapter(Review | None)
_SENT_BACK = TypeAdapter(SentBack | None)
_ALARM = TypeAdapter(Alarm | None)
_PARTS = TypeAdapter(tuple[Part, ...])


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    """Read the rows that handlers and entry points need, once for all these cases."""
    await tx.rows(CaseRow).load(feedback_ids)


def find(tx: Transaction, feedback_id: str) -> CaseRow | None:
    """The row of a loaded case."""
    return tx.rows(CaseRow).get(feedback_id)


def case_of(row: CaseRow) -> Case:
    """The case as the domain sees it."""
    return case_from(values_of(row))


def case_from(row: Mapping[str, Any]) -> Case:
    """The same, of the columns of its row."""
    lists: dict[str, Any] = {name: tuple(row[name]) for name in _LISTS}
    return Case(
        feedback_id=row["feedback_id"],
        state=State(row["state"]),
        case_type=CaseType(row["case_type"]) if row["case_type"] else None,
        priority=Priority(row["priority"]) if row["priority"] else None,
        anonymous=row["anonymous"],
        entered_by=row["entered_by"],
        extension=_EXTENSION.validate_python(row["extension"]),
        alarm=_ALARM.validate_python(row["alarm"]),
        review=_REVIEW.validate_python(row["review"]),
        sent_back=_SENT_BACK.validate_python(row["sent_back"]),
        parts=_PARTS.validate_python(row["parts"]),
        resolution_due=_due(row["promises"].get(Clock.RESOLUTION)),
        breached=_breached(row["promises"]),
        **{name: row[name] for name in _COPIED},
        **lists,
    )


def _due(promise: dict[str, Any] | None) -> datetime | None:
    if promise is None or promise.get("ended"):
        return None
    return datetime.fromisoformat(promise["due"])


def _breached(promises: KeptPromises) -> frozenset[Clock]:
    return frozenset(
        Clock(clock)
        for clock, promise in promises.items()
        if promise["status"] == PromiseStatus.BREACHED and clock in Clock._value2member_map_
    )


def assign(row: CaseRow, case: Case) -> None:
    """Give the row what the domain decided; the caller writes it."""
    set_values(
        row,
        state=str(case.state),
        case_type=str(case.case_type) if case.case_type else None,
        priority=str(case.priority) if case.priority else None,
        extension=_EXTENSION.dump_python(case.extension, mode="json"),
        alarm=_ALARM.dump_python(case.alarm, mode="json"),
        review=_REVIEW.dump_python(case.review, mode="json"),
        sent_back=_SENT_BACK.dump_python(case.sent_back, mode="json"),
        parts=_PARTS.dump_python(case.parts, mode="json"),
        **{name: list(getattr(case, name)) for name in _LISTS},
        **{name: getattr(case, name) for name in _COPIED},
    )


def keep(tx: Transaction, row: CaseRow, change: Change) -> None:
    """Write the case as it is after `change`, emit its events and enter them in the timeline."""
    assign(row, change.case)
    for event in change.events:
        # Without an id it never came to be: see `Replay`.
        if ce_id := tx.emit(event):
            append_line(tx, row, event, ce_id)
            tx.after_commit(partial(_count, short_type(event.type)))
    put(tx, row)


def begin(tx: Transaction, row: CaseRow, event: Event) -> None:
    """Write a new case that begins with an event of ours."""
    append_line(tx, row, event, tx.emit(event))
    tx.after_commit(partial(_count, short_type(event.type)))
    put(tx, row)


def put(tx: Transaction, row: CaseRow) -> None:
    """Write the row, in its order in the queues."""
    due = next_due_at(
        State(row.state),
        row.promises,
        received=row.received_at,
        owed_since=row.words_owed_since,
        alarmed_at=_unanswered(row.alarm),
    )
    set_values(row, next_due_at=due)
    if row.confidential:
        tx.cache(Hushed).note(row.feedback_id)
    tx.rows(CaseRow).upsert(row)


def _unanswered(alarm: dict[str, Any] | None) -> datetime | None:
    """When an alarm was raised that nobody has answered."""
    if alarm is None or alarm.get("answered_at"):
        return None
    return datetime.fromisoformat(alarm["at"])


def append_line(tx: Transaction, row: CaseRow, event: Event, ce_id: str) -> None:
    """Enter an event in the case's timeline if it says anything; the caller writes the row."""
    if tx.replay is not None:
        event = tx.replay.as_emitted(event, ce_id)
    set_values(row, timeline_length=row.timeline_length + 1)
    if (data := kept_of(event)) is None:
        return
    values = {
        "seq": row.timeline_length,
        "ce_id": ce_id,
        "type": short_type(event.type),
        "at": event.at,
        "by": event.by.model_dump(exclude_none=True),
        "data": data,
    }
    line = chain.line_of(values, chain.TIMELINE)
    digest = chain.link(row.timeline_hash or row.feedback_id, line)
    set_values(row, timeline_hash=digest)
    lines = tx.rows(TimelineRow)
    lines.insert(lines.new(feedback_id=row.feedback_id, hash=digest, **values))


def _count(kind: str) -> None:
    TRANSITIONS.labels(kind).inc()
