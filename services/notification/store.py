"""The delivery ledger, what is known of cases, contacts, and WeChat's access tokens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from services.notification.domain import Case, Contact, State
from shared.db.tables import document, moment, registry_for
from shared.messaging.tables import messaging_tables
from shared.messaging.transaction import Transaction

NotificationTable = registry_for("notification")
messaging_tables(NotificationTable.metadata)

_WAITING = "state IN ('ready', 'retry')"
_PENDING = "state IN ('ready', 'retry', 'awaiting_contact', 'sending')"


class CaseRow(NotificationTable, table=True):
    """A case as far as people are told about it."""

    __tablename__ = "cases"

    feedback_id: str = Field(primary_key=True)
    known: dict[str, Any] = document()


class PrivateRow(NotificationTable, table=True):
    """How to reach a reporter: no name, no words. Deleted by the erasure."""

    __tablename__ = "contacts"

    feedback_id: str = Field(primary_key=True)
    tracking_code: str
    email: str | None = None
    wechat_account: str | None = None
    wechat_openid: str | None = None

    @property
    def contact(self) -> Contact:
        return Contact(email=self.email or None, openid=self.wechat_openid or None)


class DeliveryRow(NotificationTable, table=True):
    """One telling of one fact to one recipient on one channel. Never holds an address."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("feedback_id", "ce_id", "recipient", "channel"),
        Index("deliveries_waiting", "lane", "next_try_at", postgresql_where=text(_WAITING)),
        Index(
            "deliveries_pending",
            *("feedback_id", "recipient", "place"),
            postgresql_where=text(_PENDING),
        ),
        Index("deliveries_sending", "lease_until", postgresql_where=text("state = 'sending'")),
        Index(
            "deliveries_awaiting",
            "planned_at",
            postgresql_where=text("state = 'awaiting_contact'"),
        ),
        Index(
            "deliveries_receipts",
            *("receiver", "first_tried_at"),
            postgresql_where=text("kind = 'receipt' AND first_tried_at IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    feedback_id: str
    ce_id: str
    correlation_id: str
    recipient: str
    kind: str
    channel: str = ""
    """Empty while the contact is awaited."""
    turn: int = 0
    state: str
    params: dict[str, Any] = document()
    """What the message says; emptied once it is out."""
    place: str
    """Grows: messages of a case reach a recipient in this order."""
    lane: str = ""
    """What shares the fate of a slow receiver: a mail domain (as a keyed hash), an account."""
    receiver: str = ""
    """Keyed hash of the address."""
    message_id: str
    """Fixed before the first attempt."""
    fact_at: datetime = moment()
    planned_at: datetime = moment()
    next_try_at: datetime | None = moment(nullable=True)
    attempts: int = 0
    first_tried_at: datetime | None = moment(nullable=True)
    lease_until: datetime | None = moment(nullable=True)
    worker: str | None = None
    reason: str | None = Field(default=None, sa_column=Column(Text))
    finished_at: datetime | None = moment(nullable=True)
    resent_at: datetime | None = moment(nullable=True)
    resent_by: str | None = None


class WechatTokenRow(NotificationTable, table=True):
    """The access token of one official account."""

    __tablename__ = "wechat_tokens"

    appid: str = Field(primary_key=True)
    value: str
    expires_at: datetime = moment()


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    """Bring the rows of these cases into the transaction."""
    await tx.shelf(CaseRow).load(feedback_ids)
    await tx.shelf(PrivateRow).load(feedback_ids)
    await tx.shelf(DeliveryRow).load(feedback_ids)


def case_of(tx: Transaction, feedback_id: str) -> Case | None:
    """What is known of a case, if anything."""
    row = tx.shelf(CaseRow).get(feedback_id)
    return None if row is None else Case.model_validate(row.known)


def keep_case(tx: Transaction, feedback_id: str, case: Case) -> None:
    """Remember it."""
    known = case.model_dump(mode="json", exclude_defaults=True)
    shelf = tx.shelf(CaseRow)
    shelf.put(shelf.make(feedback_id=feedback_id, known=known))


# The heads of every lane that has room, without a scan of the waiting: a step per lane. A delivery
# waits while an earlier one of the same case to the same recipient is on its way.
_HEADS = f"""
WITH RECURSIVE lanes (lane) AS (
  (SELECT lane FROM deliveries WHERE {_WAITING} ORDER BY lane LIMIT 1)
  UNION ALL
  SELECT (SELECT d.lane FROM deliveries d
          WHERE d.{_WAITING} AND d.lane > lanes.lane ORDER BY d.lane LIMIT 1)
  FROM lanes WHERE lanes.lane IS NOT NULL
)
SELECT h.id, h.feedback_id, h.lane, h.receiver
FROM lanes CROSS JOIN LATERAL (
  SELECT id, feedback_id, lane, receiver, next_try_at FROM deliveries d
  WHERE d.{_WAITING} AND d.lane = lanes.lane AND d.next_try_at <= $1
    AND d.receiver <> ALL($2::text[])
    AND NOT EXISTS (
      SELECT 1 FROM deliveries e WHERE e.feedback_id = d.feedback_id
        AND e.recipient = d.recipient AND e.{_PENDING} AND e.place < d.place)
  ORDER BY d.next_try_at, d.place LIMIT $3
) h
WHERE lanes.lane IS NOT NULL
  AND lanes.lane <> ALL($4::text[]) AND split_part(lanes.lane, ':', 1) <> ALL($5::text[])
ORDER BY h.next_try_at LIMIT 200
"""
_LOCK_FREE = """
SELECT feedback_id FROM streams WHERE feedback_id = ANY($1::text[])
ORDER BY feedback_id FOR UPDATE SKIP LOCKED
"""


async def heads(
    tx: Transaction,
    *,
    now: datetime,
    busy: Iterable[str],
    per_lane: int,
    full_lanes: Iterable[str],
    full_outlets: Iterable[str],
) -> list[tuple[str, str, str, str]]:
    """Due deliveries as ``(id, case, lane, receiver)``, the first few of every lane with room."""
    result = await tx.connection.exec_driver_sql(
        _HEADS, (now, list(busy), per_lane, list(full_lanes), list(full_outlets))
    )
    return [(r[0], r[1], r[2], r[3]) for r in result]


async def lock_free_cases(tx: Transaction, feedback_ids: Iterable[str]) -> list[str]:
    """Lock those of these cases that nobody works on; the others are found again soon."""
    wanted = sorted(set(feedback_ids))
    result = await tx.connection.exec_driver_sql(_LOCK_FREE, (wanted,))
    free = [feedback_id for (feedback_id,) in result]
    await tx.lock(*free)
    return free


async def receipts_since(tx: Transaction, receiver: str, since: datetime, besides: str) -> int:
    """Receipts that went, or may have gone, to this receiver; others wait until we commit."""
    await tx.connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:r, 0))"), {"r": receiver}
    )
    found = await tx.connection.execute(
        text(
            "SELECT count(*) FROM deliveries WHERE kind = 'receipt' AND receiver = :r "
            "AND first_tried_at > :since AND state <> 'suppressed' AND id <> :id"
        ),
        {"r": receiver, "since": since, "id": besides},
    )
    return int(found.scalar_one())


async def next_due(tx: Transaction) -> datetime | None:
    """When the next waiting delivery wants to go."""
    found = await tx.connection.execute(
        text(f"SELECT min(next_try_at) FROM deliveries WHERE {_WAITING}")
    )
    moment_due: datetime | None = found.scalar_one()
    return moment_due


async def interrupted(
    tx: Transaction, *, worker: str, since_start: bool, now: datetime, besides: Iterable[str]
) -> list[tuple[str, str]]:
    """``(id, case)`` of deliveries that somebody began to send and never finished."""
    found = await tx.connection.execute(
        text(
            "SELECT id, feedback_id FROM deliveries WHERE state = 'sending' "
            "AND ((:start AND worker = :worker) OR lease_until < :now) "
            "AND id <> ALL(CAST(:besides AS text[])) ORDER BY id LIMIT 500"
        ),
        {"start": since_start, "worker": worker, "now": now, "besides": list(besides)},
    )
    return [(r.id, r.feedback_id) for r in found]


async def without_contact(tx: Transaction, before: datetime) -> list[tuple[str, str]]:
    """``(id, case)`` of deliveries whose contact was announced and never came."""
    found = await tx.connection.execute(
        text(
            "SELECT id, feedback_id FROM deliveries WHERE state = 'awaiting_contact' "
            "AND planned_at < :before ORDER BY id LIMIT 500"
        ),
        {"before": before},
    )
    return [(r.id, r.feedback_id) for r in found]


async def find(tx: Transaction, delivery: str) -> str | None:
    """The case of a delivery."""
    found = await tx.connection.execute(
        text("SELECT feedback_id FROM deliveries WHERE id = :id"), {"id": delivery}
    )
    case: str | None = found.scalar_one_or_none()
    return case


def in_state(rows: Iterable[DeliveryRow], *states: State) -> list[DeliveryRow]:
    """Those of the rows that are in one of `states`, in the order they were planned."""
    return sorted((r for r in rows if r.state in states), key=lambda r: r.place)


async def keep_token(tx: Transaction, appid: str, value: str, expires_at: datetime) -> None:
    """Replace the token of an account; the newest wins."""
    await tx.connection.execute(
        text(
            "INSERT INTO wechat_tokens (appid, value, expires_at) VALUES (:a, :v, :e) "
            "ON CONFLICT (appid) DO UPDATE SET value = EXCLUDED.value, "
            "expires_at = EXCLUDED.expires_at"
        ),
        {"a": appid, "v": value, "e": expires_at},
    )
