"""The door for facts."""

from __future__ import annotations

from services.notification import ledger
from services.notification.domain import ERASED, PENDING, Case, State, advance, notices
from services.notification.store import (
    DeliveryRow,
    PrivateRow,
    case_of,
    in_state,
    keep_case,
)
from shared.contracts import PRIVATE, Event, desk, intake, notification, routing, sla
from shared.messaging.envelope import Record
from shared.messaging.intake import Handler
from shared.messaging.transaction import Transaction

_MOVES_PROMISES = (routing.RoutingDecision, sla.SlaPromised, sla.SlaCancelled)


async def tell_people(event: Event, tx: Transaction) -> None:
    """Enter in the ledger whom this concerns; the sender does the rest."""
    before = case_of(tx, event.feedback_id) or Case()
    case = advance(before, event)
    if case != before:
        keep_case(tx, event.feedback_id, case)
        if isinstance(event, _MOVES_PROMISES):
            ledger.reconsider(tx, event.feedback_id, case)
    for notice in notices(event, before, case, tx.tools.directory):
        ledger.plan(tx, event, notice, case)


async def keep_contact(event: intake.PrivateDetails, tx: Transaction) -> None:
    """Keep how to reach the reporter, and release what waited for it."""
    private = tx.shelf(PrivateRow).put(
        PrivateRow(
            feedback_id=event.feedback_id,
            tracking_code=event.tracking_code,
            email=event.contact.email,
            wechat_account=event.contact.wechat_account,
            wechat_openid=event.contact.wechat_openid,
        )
    )
    case = case_of(tx, event.feedback_id) or Case()
    waiting = in_state(tx.shelf(DeliveryRow).of(event.feedback_id), State.AWAITING_CONTACT)
    for row in waiting:
        ledger.release(tx, row, case, private)


async def forget_contact(record: Record, tx: Transaction) -> None:
    """The person is erased: the contact, what waits for them, and the traces of the address."""
    feedback_id = record.feedback_id or (record.key or b"").decode("utf-8", "replace")
    if not feedback_id:
        return
    case = case_of(tx, feedback_id)
    if case is not None:
        keep_case(tx, feedback_id, case.model_copy(update={"erased": True, "title": ""}))
    private = tx.shelf(PrivateRow).get(feedback_id)
    if private is not None:
        tx.shelf(PrivateRow).delete(private)
    shelf = tx.shelf(DeliveryRow)
    for row in shelf.of(feedback_id):
        if row.recipient != "reporter":
            continue
        if State(row.state) in PENDING - {State.SENDING}:
            ledger.suppress(tx, row, ERASED)
        row.params, row.receiver, row.lane = {}, "", ""
        shelf.put(row)


async def believe_the_log(event: notification.DeliveryFact, tx: Transaction) -> None:
    """Our own facts, read back: after a restored backup they know more than the ledger."""
    row = tx.shelf(DeliveryRow).get(event.delivery_id)
    if row is not None:
        ledger.believe(tx, row, event)


HANDLERS: dict[type[Event], Handler] = {
    **dict.fromkeys(
        (
            intake.FeedbackReceived,
            intake.FeedbackSupplemented,
            intake.FeedbackUrged,
            intake.FeedbackAppealed,
            routing.FeedbackRouted,
            routing.FeedbackTriageNeeded,
            desk.CaseDispatched,
            desk.CaseReturned,
            desk.CaseAssigned,
            desk.CaseInfoRequested,
            desk.CaseReplied,
            desk.CaseRejected,
            desk.CaseClosed,
            desk.CaseReopened,
            desk.CaseWithdrawn,
            desk.CaseRequestRefused,
            sla.SlaPromised,
            sla.SlaResumed,
            sla.SlaCancelled,
            sla.SlaWarned,
            sla.SlaBreached,
            sla.EscalationRaised,
        ),
        tell_people,
    ),
    intake.PrivateDetails: keep_contact,
    notification.NotificationSent: believe_the_log,
    notification.NotificationFailed: believe_the_log,
}
TOMBSTONES = {PRIVATE: forget_contact}
