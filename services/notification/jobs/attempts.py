"""From a due delivery to one attempt: the last questions before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.notification import domain, ledger, store
from services.notification.deps import Deps
from services.notification.domain import ABSENCE, REPORT, REPORTER, About, Case, staff_of
from services.notification.jobs.lost import LEASE
from services.notification.ledger import outcomes, planning
from services.notification.store import DeliveryRow, PrivateRow, case_of
from services.notification.transports import OutgoingMessage, Transport
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class Attempt:
    """One attempt to send one delivery."""

    delivery: str
    feedback_id: str
    number: int
    rate_limit_key: str
    receiver: str
    transport: Transport
    message: OutgoingMessage = field(repr=False)
    promised: datetime | None = None
    """The date the reporter reads in it."""

    @property
    def transport_name(self) -> str:
        """``email``, or ``wechat:`` and the account."""
        return transport_name(self.rate_limit_key)


def transport_name(rate_limit_key: str) -> str:
    """What fails as a whole: the mail server, or one official account."""
    return "email" if rate_limit_key.startswith("email:") else rate_limit_key


async def begin(tx: Transaction, row: DeliveryRow, deps: Deps) -> Attempt | None:
    """Once the case is locked: is it still to be sent? Then write down that it will be."""
    waiting = domain.State(row.state) in domain.WAITING
    if not waiting or row.next_try_at is None or row.next_try_at > tx.now:
        return None
    case = case_of(tx, row.feedback_id) or Case()
    private = tx.rows(PrivateRow).get(row.feedback_id)
    address = deps.address(row, private)
    about = case
    if row.recipient == REPORTER and row.kind in domain.OF_A_DATE:
        about = await planning.whose_date(tx, case)
    if row.recipient == REPORTER and private is None:
        ledger.suppress(tx, row, domain.ERASED)
    elif domain.is_moot(row.kind, about) or _is_old(tx, row, case, about):
        ledger.suppress(tx, row, domain.MOOT)
    elif row.kind == REPORT and (known := deps.mailed(row)) is not None and not row.resent_at:
        ledger.remember_mailed(tx, row, known)
    elif _is_no_longer_theirs(tx, row, deps):
        ledger.suppress(tx, row, domain.NO_LONGER_THEIRS)
    elif _finds_nothing(row, case, deps, tx.now):
        planning.hand_on(tx, row, case)
    elif not address:
        ledger.begin(tx, row, LEASE)
        outcomes.give_up(tx, row, "no_address")
    elif row.kind == "receipt" and row.channel == "email" and await _too_many(tx, row):
        ledger.suppress(tx, row, domain.TOO_MANY)
    else:
        row.params = domain.as_it_is_now(row.kind, row.params, case, about) or {}
        ledger.begin(tx, row, LEASE)
        return Attempt(
            delivery=row.id,
            feedback_id=row.feedback_id,
            number=row.attempts,
            rate_limit_key=row.rate_limit_key,
            receiver=row.receiver,
            transport=deps.transport(row),
            message=deps.message(
                row, case, private, address, part=await planning.part_of(tx, row.feedback_id, case)
            ),
            promised=_promised(row, case),
        )
    return None


def _is_no_longer_theirs(tx: Transaction, row: DeliveryRow, deps: Deps) -> bool:
    """A report that somebody else reads now; a leave-taking from a case they never heard of."""
    if row.kind == REPORT:
        return deps.reads_no_report(staff_of(row.recipient) or "", About.of(row.feedback_id))
    return domain.takes_leave(row.params) and _never_heard(tx, row)


def _finds_nothing(row: DeliveryRow, case: Case, deps: Deps, at: datetime) -> bool:
    """A member of staff would find a 404; who is told just that need find nothing."""
    staff = staff_of(row.recipient)
    if staff is None or row.kind in (ABSENCE, REPORT) or domain.takes_leave(row.params):
        return False
    return deps.finds_nothing(staff, case, at)


def _never_heard(tx: Transaction, row: DeliveryRow) -> bool:
    """Nothing that this member of staff was to hear of the case went out: they know of none."""
    told = [
        domain.State(other.state)
        for other in tx.rows(DeliveryRow).for_case(row.feedback_id)
        if other.recipient == row.recipient and other.sort_key < row.sort_key
    ]
    return bool(told) and set(told) == {domain.State.SUPPRESSED}


def _is_old(tx: Transaction, row: DeliveryRow, case: Case, about: Case) -> bool:
    """Whether a date has moved back since, or a later word about it waits, too."""

    def holds(one: DeliveryRow) -> bool:
        return domain.as_it_is_now(one.kind, one.params, case, about) is not None

    if "of" in row.params and case.into is None:  # parted since from the one it was about
        return True
    if row.kind != "delay":
        return False
    later = (
        one
        for one in tx.rows(DeliveryRow).for_case(row.feedback_id)
        if (one.kind, one.recipient) == (row.kind, row.recipient)
        and domain.State(one.state) in domain.WAITING
        and one.sort_key > row.sort_key
    )
    return not holds(row) or any(map(holds, later))


async def _too_many(tx: Transaction, row: DeliveryRow) -> bool:
    # What this transaction has begun for the same receiver is not there to count: a receiver
    # gets at most one delivery per claim.
    since = tx.now - timedelta(hours=24)
    sent = await store.receipts_since(tx, row.receiver, since, besides=row.id)
    return sent >= domain.RECEIPTS_A_DAY


def _promised(row: DeliveryRow, case: Case) -> datetime | None:
    if domain.says_by_when(row.kind, row.params):
        return case.due
    due = row.params.get("due") if row.kind in ("delay", "merged", "status") else None
    return datetime.fromisoformat(due) if due else None
