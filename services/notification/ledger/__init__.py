"""The one place where a delivery changes its state, and what is emitted about it.

Every function expects the case to be locked and its rows loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from services.notification import domain
from services.notification.deps import deps_of
from services.notification.domain import (
    ABSENCE,
    REPORT,
    REPORTER,
    STAFF,
    About,
    State,
    delivery_id,
    move,
    staff_of,
)
from services.notification.store.cases import case_of, keep_case
from services.notification.store.tables import DeliveryRow
from services.notification.transports import Sent
from shared.contracts import EVENTS
from shared.contracts.notification import (
    DeliveryEvent,
    NotificationFailed,
    NotificationSent,
    NotificationSuppressed,
    ReportMailed,
)
from shared.ids import new_id
from shared.messaging.envelope import Record
from shared.messaging.transaction import Transaction
from shared.observability.metrics import DELIVERIES


def ready(tx: Transaction, row: DeliveryRow, at: datetime) -> None:
    """It may go out from `at` on."""
    row.state, row.next_try_at = State.READY, at
    tx.rows(DeliveryRow).upsert(row)
    tx.after_commit(deps_of(tx).wake.set)


def begin(tx: Transaction, row: DeliveryRow, lease: timedelta) -> None:
    """The intent, committed before anything is sent."""
    row.state = move(row.state, State.SENDING)
    row.attempts += 1
    row.first_tried_at = row.first_tried_at or tx.now
    row.lease_until = tx.now + lease
    row.worker = deps_of(tx).worker
    tx.rows(DeliveryRow).upsert(row)


def succeed(tx: Transaction, row: DeliveryRow, sent: Sent, promised: datetime | None) -> None:
    """It is out; `promised` is the date the reporter reads in it."""
    _end(tx, row, State.SENT, None)
    row.params = {}
    emit(tx, row, NotificationSent, result="sent", channel=sent.channel)
    case = case_of(tx, row.feedback_id)
    if promised is not None and case is not None:
        keep_case(tx, row.feedback_id, case.model_copy(update={"announced_due": promised}))


def retry(tx: Transaction, row: DeliveryRow, at: datetime, reason: str) -> None:
    """Nothing went out; once more, from `at` on."""
    row.state = move(row.state, State.RETRY)
    row.next_try_at, row.reason, row.lease_until = at, reason, None
    tx.rows(DeliveryRow).upsert(row)
    _count(tx, row, "retried")


def fail(tx: Transaction, row: DeliveryRow, reason: str) -> None:
    """Not on this channel."""
    _end(tx, row, State.FAILED, reason)
    emit(tx, row, NotificationFailed, result="failed", reason=reason)


def leave_to_a_person(tx: Transaction, row: DeliveryRow, reason: str) -> None:
    """It may be out. Never sent again blindly."""
    _end(tx, row, State.UNCERTAIN, reason)
    emit(tx, row, NotificationFailed, result="uncertain", reason=reason, uncertain=True)


def hold(tx: Transaction, row: DeliveryRow) -> None:
    """It waits here, and may be out all the same: this ledger is older than what was done."""
    leave_to_a_person(tx, row, domain.RESTORED)


def suppress(tx: Transaction, row: DeliveryRow, reason: str) -> None:
    """Kept back on purpose."""
    _end(tx, row, State.SUPPRESSED, reason)
    row.params = {}
    page = row.channel or "page"
    emit(tx, row, NotificationSuppressed, result="suppressed", reason=reason, channel=page)


def send_again(
    tx: Transaction, row: DeliveryRow, by: str, decided_at: datetime | None = None
) -> None:
    """It is to go out (again): a person has decided so, or the reporter has written again."""
    row.state = move(row.state, State.READY)
    row.attempts, row.first_tried_at, row.reason, row.finished_at = 0, None, None, None
    row.resent_at, row.resent_by = decided_at or tx.now, by
    ready(tx, row, tx.now)


def remember(
    tx: Transaction, row: DeliveryRow | None, event: DeliveryEvent, headers: Mapping[str, str]
) -> bool:
    """Take over an outcome that only the log knows; True where it was news.

    Also of a delivery that is not here (yet): the event it is about will be read again, and must
    then find that it was delivered.
    """
    outcome, reason = _outcome(event)
    if row is None:
        row = _remembered(tx, event, headers)
    elif not _is_news(row, event):
        return False
    row.state, row.reason, row.finished_at = outcome, reason, event.at
    row.next_try_at, row.lease_until = None, None
    if outcome in (State.SENT, State.SUPPRESSED):
        row.params = {}
    tx.rows(DeliveryRow).upsert(row)
    return True


def _is_news(row: DeliveryRow, event: DeliveryEvent) -> bool:
    """Whether the log knows more than the row.

    That it arrived is the end of it, whenever that was: nothing is sent a second time because the
    ledger knows only that it failed first.
    """
    state = State(row.state)
    if isinstance(event, NotificationSent):
        return state not in (State.SENT, State.SUPPRESSED)
    if state in domain.PENDING:
        return not (row.resent_at and event.at <= row.resent_at)
    later = row.finished_at is not None and event.at > row.finished_at
    return state in domain.RESENDABLE and later


def _outcome(event: DeliveryEvent) -> tuple[State, str | None]:
    match event:
        case NotificationFailed():
            return (State.UNCERTAIN if event.uncertain else State.FAILED), event.reason
        case NotificationSuppressed():
            return State.SUPPRESSED, event.reason
        case _:
            return State.SENT, None


def _remembered(tx: Transaction, event: DeliveryEvent, headers: Mapping[str, str]) -> DeliveryRow:
    cause = headers.get("ce_causationid", event.delivery_id)
    recipient = f"{STAFF}{event.staff}" if event.staff else REPORTER
    turns = (n for n in range(9) if delivery_id(cause, recipient, n) == event.delivery_id)
    return tx.rows(DeliveryRow).new(
        id=event.delivery_id,
        feedback_id=event.feedback_id,
        ce_id=cause,
        correlation_id=headers.get("ce_correlationid", cause),
        recipient=recipient,
        kind=event.kind,
        channel=event.channel,
        turn=next(turns, 0),
        state=State.SENT,
        sort_key=new_id(),
        message_id=deps_of(tx).message_id(event.delivery_id),
        event_at=event.at,
        planned_at=event.at,
    )


def on_the_console(tx: Transaction, row: DeliveryRow) -> None:
    """A line that may be lost in a crash and never comes twice: it needs no intent."""
    row.state, row.finished_at, row.attempts = State.SENT, tx.now, 1
    tx.rows(DeliveryRow).upsert(row)
    emit(tx, row, NotificationSent, result="sent")
    case = case_of(tx, row.feedback_id) or domain.Case()
    deps = deps_of(tx)
    tx.after_commit(lambda: deps.print_line(row, case))


def _end(tx: Transaction, row: DeliveryRow, state: State, reason: str | None) -> None:
    row.state = move(row.state, state)
    row.reason, row.finished_at, row.next_try_at = reason, tx.now, None
    row.lease_until = None
    tx.rows(DeliveryRow).upsert(row)


def emit(
    tx: Transaction,
    row: DeliveryRow,
    event: type[DeliveryEvent],
    *,
    result: str,
    channel: str | None = None,
    **more: Any,
) -> None:
    """Emit what became of a delivery, because of the event it is about."""
    if row.kind == REPORT:
        _emit_mailed(tx, row, result, channel, more.get("reason"))
        _count(tx, row, result, channel)
        return
    if row.kind == ABSENCE:  # about no case, and soon over: the ledger alone knows
        _count(tx, row, result, channel)
        return
    staff = staff_of(row.recipient)
    handled, tx.cause = tx.cause, _cause_of(row, tx.cause)
    tx.emit(
        event(
            feedback_id=row.feedback_id,
            at=tx.now,
            delivery_id=row.id,
            kind=row.kind,
            channel=channel or row.channel or "page",
            audience="reporter" if staff is None else "staff",
            staff=staff,
            **more,
        )
    )
    tx.cause = handled
    _count(tx, row, result, channel)


def _emit_mailed(
    tx: Transaction, row: DeliveryRow, result: str, channel: str | None, reason: str | None
) -> None:
    """A report is no case: what became of its mail stands in the directory."""
    about = About.of(row.feedback_id)
    tx.emit(
        ReportMailed(
            at=tx.now,
            kind=about.kind,
            first=about.first,
            department=about.department,
            staff=staff_of(row.recipient) or "",
            delivery_id=row.id,
            channel=channel or row.channel or "page",
            outcome=result,
            reason=reason,
        )
    )


def remember_mailed(tx: Transaction, row: DeliveryRow | None, event: ReportMailed) -> None:
    """Take over what the directory knows of the mail with a report, and this ledger does not."""
    if row is None:
        row = tx.rows(DeliveryRow).new(
            id=event.delivery_id,
            feedback_id=event.report_id,
            ce_id=event.report_id,
            correlation_id=event.report_id,
            recipient=f"{STAFF}{event.staff}",
            kind=REPORT,
            channel=event.channel,
            state=State.SENT,
            sort_key=new_id(),
            message_id=deps_of(tx).message_id(event.delivery_id),
            event_at=event.at,
            planned_at=event.at,
        )
    elif State(row.state) not in domain.PENDING or (row.resent_at and event.at <= row.resent_at):
        return
    row.state, row.reason, row.finished_at = State(event.outcome), event.reason, event.at
    row.next_try_at, row.lease_until, row.params = None, None, {}
    tx.rows(DeliveryRow).upsert(row)


def _cause_of(row: DeliveryRow, handled: Record | None) -> Record:
    """What the delivery is about; it is emitted where the log now is (see `Replay`)."""
    headers = {"ce_id": row.ce_id, "ce_correlationid": row.correlation_id}
    offset = -1 if handled is None else handled.offset
    return Record(topic=EVENTS, partition=-1, offset=offset, key=None, headers=headers, body=None)


def _count(tx: Transaction, row: DeliveryRow, result: str, channel: str | None = None) -> None:
    label = channel or row.channel or "page"
    tx.after_commit(lambda: DELIVERIES.labels(label, result).inc())
