"""The one place where a delivery changes its state, and what is told about it.

Every function expects the case to be locked and its rows loaded.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from services.notification import domain
from services.notification.domain import (
    REPORTER,
    Case,
    Notice,
    State,
    delivery_id,
    move,
    staff_of,
)
from services.notification.outlets import NeverThere, Sent, TryLater, Uncertain
from services.notification.outlets.base import STOPPED
from services.notification.store import (
    DeliveryRow,
    PrivateRow,
    case_of,
    in_state,
    keep_case,
)
from services.notification.tools import CONSOLE, TOO_LONG_FOR_WECHAT, Tools
from shared.contracts import EVENTS, Event
from shared.contracts.notification import (
    DeliveryFact,
    NotificationFailed,
    NotificationSent,
    NotificationSuppressed,
)
from shared.ids import new_id
from shared.messaging.envelope import Record
from shared.messaging.transaction import Transaction
from shared.observability.metrics import DELIVERIES

Outcome = Sent | TryLater | NeverThere | Uncertain


def plan(tx: Transaction, event: Event, notice: Notice, case: Case) -> None:
    """Enter a notice in the ledger; a fact that comes again finds its entry and adds none."""
    cause = tx.cause
    ce_id = (cause.ce_id if cause else None) or new_id()
    shelf = tx.shelf(DeliveryRow)
    name = delivery_id(ce_id, notice.recipient)
    if shelf.get(name) is not None:
        return
    row = shelf.make(
        id=name,
        feedback_id=event.feedback_id,
        ce_id=ce_id,
        correlation_id=(cause.headers.get("ce_correlationid") if cause else None) or ce_id,
        recipient=notice.recipient,
        kind=notice.kind,
        state=State.READY,
        params=notice.params,
        place=new_id(),
        message_id=_tools(tx).message_id(name),
        fact_at=event.at,
        planned_at=tx.now,
    )
    if notice.staff is None:
        _plan_for_reporter(tx, row, case)
    else:
        _plan_for_staff(tx, row, case, notice.staff)


def _plan_for_reporter(tx: Transaction, row: DeliveryRow, case: Case) -> None:
    private = tx.shelf(PrivateRow).get(row.feedback_id)
    if domain.is_stale(row.kind, row.fact_at, tx.now):
        suppress(tx, row, domain.STALE_REASON)
    elif row.kind == "receipt" and case.channel == "wechat" and case.account in _tools(tx).wechat:
        suppress(tx, row, domain.ANSWERED_AT_THE_DOOR)
    elif private is not None:
        release(tx, row, case, private)
    elif case.reachable and not case.erased:
        row.state = State.AWAITING_CONTACT
        tx.shelf(DeliveryRow).put(row)
    else:
        suppress(tx, row, domain.PAGE_ONLY)


def _plan_for_staff(tx: Transaction, row: DeliveryRow, case: Case, staff: str) -> None:
    tools = _tools(tx)
    email = tools.email_of(staff)
    row.channel = "email" if email else CONSOLE
    if domain.is_stale(row.kind, row.fact_at, tx.now):
        suppress(tx, row, domain.STALE_REASON)
    elif email:
        row.lane, row.receiver = tools.lane("email", email)
        _ready(tx, row, tx.now)
    else:
        _on_the_console(tx, row, case)


def _on_the_console(tx: Transaction, row: DeliveryRow, case: Case) -> None:
    """A line that may be lost in a crash and never comes twice: it needs no intent."""
    tools = _tools(tx)
    row.state, row.finished_at, row.attempts = State.SENT, tx.now, 1
    tx.shelf(DeliveryRow).put(row)
    _tell(tx, row, NotificationSent, result="sent")
    tx.after_commit(lambda: tools.say(row, case))


def release(tx: Transaction, row: DeliveryRow, case: Case, private: PrivateRow) -> None:
    """The contact is known: the delivery gets its way out, or there is none."""
    contact = private.contact
    own = contact.email and domain.is_own_address(contact.email, _tools(tx).domain)
    ways = [w for w in domain.channels(case, contact) if not (w == "email" and own)]
    if not ways:
        suppress(tx, row, domain.OWN_ADDRESS if own else domain.PAGE_ONLY)
        return
    _take_way(tx, row, case, private, ways[0])
    _ready(tx, row, domain.send_after(row.kind, case, row.planned_at, tx.now))


def _take_way(
    tx: Transaction, row: DeliveryRow, case: Case, private: PrivateRow, channel: str
) -> None:
    tools = _tools(tx)
    row.channel = channel
    address = tools.address(row, private) or ""
    row.lane, row.receiver = tools.lane(channel, address, tools.account(case, private))


def reconsider(tx: Transaction, feedback_id: str, case: Case) -> None:
    """The promise is known, or has moved: receipts that wait for it go a moment from now."""
    for row in in_state(tx.shelf(DeliveryRow).of(feedback_id), State.READY):
        if row.kind in domain.WITH_PROMISE and not row.attempts:
            _ready(tx, row, domain.send_after(row.kind, case, row.planned_at, tx.now))


def _ready(tx: Transaction, row: DeliveryRow, at: datetime) -> None:
    row.state, row.next_try_at = State.READY, at
    tx.shelf(DeliveryRow).put(row)
    tx.after_commit(_tools(tx).wake.set)


def begin(tx: Transaction, row: DeliveryRow, lease: timedelta) -> None:
    """The intent, committed before anything is sent."""
    row.state = move(row.state, State.SENDING)
    row.attempts += 1
    row.first_tried_at = row.first_tried_at or tx.now
    row.lease_until = tx.now + lease
    row.worker = _tools(tx).worker
    tx.shelf(DeliveryRow).put(row)


def finish(
    tx: Transaction, row: DeliveryRow, outcome: Outcome, told_due: datetime | None = None
) -> None:
    """What became of an attempt."""
    match outcome:
        case Sent():
            _sent(tx, row, outcome, told_due)
        case TryLater(reason=reason) if reason == STOPPED:
            row.attempts -= 1
            _again(tx, row, tx.now, reason)
        case TryLater():
            at = domain.next_try(
                attempts=row.attempts,
                first_tried_at=row.first_tried_at or tx.now,
                after=outcome.after,
                now=tx.now,
            )
            if at is None:
                fail(tx, row, outcome.reason)
            else:
                _again(tx, row, at, outcome.reason)
        case NeverThere(reason=reason) if reason == TOO_LONG_FOR_WECHAT and not row.params.get(
            "short"
        ):
            row.params = row.params | {"short": True}
            _again(tx, row, tx.now, outcome.reason)
        case NeverThere():
            fail(tx, row, outcome.reason, elsewhere=outcome.use_other_channel)
        case Uncertain():
            leave_to_a_person(tx, row, outcome.reason)


def _sent(tx: Transaction, row: DeliveryRow, sent: Sent, told_due: datetime | None) -> None:
    _end(tx, row, State.SENT, None)
    row.params = {}
    _tell(tx, row, NotificationSent, result="sent", channel=sent.channel)
    case = case_of(tx, row.feedback_id)
    if told_due is not None and case is not None:
        keep_case(tx, row.feedback_id, case.model_copy(update={"told_due": told_due}))


def _again(tx: Transaction, row: DeliveryRow, at: datetime, reason: str) -> None:
    row.state = move(row.state, State.RETRY)
    row.next_try_at, row.reason, row.lease_until = at, reason, None
    tx.shelf(DeliveryRow).put(row)
    _count(tx, row, "retried")


def fail(tx: Transaction, row: DeliveryRow, reason: str, *, elsewhere: bool = True) -> None:
    """Not on this way; on another, where there is one."""
    _end(tx, row, State.FAILED, reason)
    _tell(tx, row, NotificationFailed, result="failed", reason=reason)
    if elsewhere:
        _elsewhere(tx, row)


def _elsewhere(tx: Transaction, row: DeliveryRow) -> None:
    shelf = tx.shelf(DeliveryRow)
    case = case_of(tx, row.feedback_id) or Case()
    other = DeliveryRow(
        **row.model_dump(
            include={"feedback_id", "ce_id", "correlation_id", "recipient", "kind", "fact_at"}
        ),
        id=delivery_id(row.ce_id, row.recipient, row.turn + 1),
        state=State.READY,
        params={k: v for k, v in row.params.items() if k != "short"},
        place=row.place,
        turn=row.turn + 1,
        message_id=_tools(tx).message_id(delivery_id(row.ce_id, row.recipient, row.turn + 1)),
        planned_at=tx.now,
    )
    if shelf.get(other.id) is not None:
        return
    if row.recipient != REPORTER:
        if row.channel != CONSOLE:
            other.channel = CONSOLE
            _on_the_console(tx, other, case)
        return
    private = shelf_private(tx, row.feedback_id)
    tried = {
        r.channel
        for r in shelf.of(row.feedback_id)
        if (r.ce_id, r.recipient) == (row.ce_id, row.recipient)
    }
    if private is None:
        return
    own = private.email and domain.is_own_address(private.email, _tools(tx).domain)
    for way in domain.channels(case, private.contact):
        if way not in tried and not (way == "email" and own):
            _take_way(tx, other, case, private, way)
            _ready(tx, other, tx.now)
            return


def leave_to_a_person(tx: Transaction, row: DeliveryRow, reason: str) -> None:
    """It may be out. Never sent again blindly."""
    _end(tx, row, State.UNCERTAIN, reason)
    _tell(tx, row, NotificationFailed, result="uncertain", reason=reason, uncertain=True)


def suppress(tx: Transaction, row: DeliveryRow, reason: str) -> None:
    """Kept back on purpose."""
    _end(tx, row, State.SUPPRESSED, reason)
    row.params = {}
    page = row.channel or "page"
    _tell(tx, row, NotificationSuppressed, result="suppressed", reason=reason, channel=page)


def send_again(tx: Transaction, row: DeliveryRow, by: str) -> None:
    """A person has decided that it is to go out (again)."""
    row.state = move(row.state, State.READY)
    row.attempts, row.first_tried_at, row.reason, row.finished_at = 0, None, None, None
    row.resent_at, row.resent_by = tx.now, by
    _ready(tx, row, tx.now)


def believe(tx: Transaction, row: DeliveryRow, event: DeliveryFact) -> None:
    """The log remembers an outcome that this database has lost with its last backup."""
    if State(row.state) not in domain.PENDING or (row.resent_at and event.at <= row.resent_at):
        return
    match event:
        case NotificationSent():
            row.state, row.params = State.SENT, {}
        case NotificationFailed():
            row.state = State.UNCERTAIN if event.uncertain else State.FAILED
            row.reason = event.reason
        case _:
            return
    row.finished_at = event.at
    tx.shelf(DeliveryRow).put(row)


def shelf_private(tx: Transaction, feedback_id: str) -> PrivateRow | None:
    """The contact of a case, unless it was erased."""
    return tx.shelf(PrivateRow).get(feedback_id)


def _end(tx: Transaction, row: DeliveryRow, state: State, reason: str | None) -> None:
    row.state = move(row.state, state)
    row.reason, row.finished_at, row.next_try_at = reason, tx.now, None
    row.lease_until = None
    tx.shelf(DeliveryRow).put(row)


def _tell(
    tx: Transaction,
    row: DeliveryRow,
    fact: type[DeliveryFact],
    *,
    result: str,
    channel: str | None = None,
    **more: Any,
) -> None:
    staff = staff_of(row.recipient)
    handled, tx.cause = tx.cause, _cause_of(row)
    tx.emit(
        fact(
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


def _cause_of(row: DeliveryRow) -> Record:
    """The fact this delivery tells of, wherever the news of its end comes from."""
    headers = {"ce_id": row.ce_id, "ce_correlationid": row.correlation_id}
    return Record(topic=EVENTS, partition=-1, offset=-1, key=None, headers=headers, body=None)


def _count(tx: Transaction, row: DeliveryRow, result: str, channel: str | None = None) -> None:
    label = channel or row.channel or "page"
    tx.after_commit(lambda: DELIVERIES.labels(label, result).inc())


def _tools(tx: Transaction) -> Tools:
    tools: Tools = tx.tools
    return tools
