"""What an attempt means for its delivery."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.notification import domain, ledger
from services.notification.ledger import planning
from services.notification.store.tables import DeliveryRow
from services.notification.transports import (
    Interrupted,
    MessageTooLong,
    PermanentFailure,
    Sent,
    TemporaryFailure,
    TransportUnavailable,
    UnknownOutcome,
)
from shared.messaging.transaction import Transaction

Outcome = Sent | TemporaryFailure | PermanentFailure | UnknownOutcome


def finish(
    tx: Transaction, row: DeliveryRow, outcome: Outcome, promised: datetime | None = None
) -> None:
    """Write down what became of an attempt; `promised` is the date the reporter reads in it."""
    match outcome:
        case Sent():
            ledger.succeed(tx, row, outcome, promised)
        case Interrupted():
            row.attempts -= 1
            ledger.retry(tx, row, tx.now, outcome.reason)
        case TransportUnavailable(receiver_named=False):
            # Not one word about the receiver: their days have not begun.
            row.first_tried_at = None
            wait = domain.wait_after(row.attempts, domain.LONGEST_OUTAGE_WAIT)
            at = tx.now + max(wait, outcome.after or timedelta())
            ledger.retry(tx, row, at, outcome.reason)
        case TemporaryFailure():
            _try_again(tx, row, outcome)
        case MessageTooLong() if not row.params.get("short"):
            row.params = row.params | {"short": True}
            ledger.retry(tx, row, tx.now, outcome.reason)
        case PermanentFailure():
            give_up(tx, row, outcome.reason, elsewhere=outcome.use_other_channel)
        case UnknownOutcome():
            ledger.leave_to_a_person(tx, row, outcome.reason)
            planning.tell_unreached(tx, row)


def _try_again(tx: Transaction, row: DeliveryRow, outcome: TemporaryFailure) -> None:
    at = domain.next_try(
        attempts=row.attempts,
        first_tried_at=row.first_tried_at or tx.now,
        after=outcome.after,
        now=tx.now,
    )
    if at is None:
        give_up(tx, row, outcome.reason)
    else:
        ledger.retry(tx, row, at, outcome.reason)


def give_up(tx: Transaction, row: DeliveryRow, reason: str, *, elsewhere: bool = True) -> None:
    """Not on this channel; on another, where there is one."""
    ledger.fail(tx, row, reason)
    if not (elsewhere and planning.plan_elsewhere(tx, row)):
        planning.tell_unreached(tx, row)
