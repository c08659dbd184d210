"""What a follower in WeChat was offered: to say "me too" of an incident by one short word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.intake.store.tables import KEEP_OFFERS
from shared.messaging.transaction import Transaction

# A copy of the message finds what was offered for it; an older message changes nothing.
_OFFER = """
INSERT INTO offers (account, openid, feedback_id, incidents, offered_at)
SELECT $1, $2, $3, $4::text[], $5::timestamptz
ON CONFLICT (account, openid) DO UPDATE
  SET feedback_id = EXCLUDED.feedback_id, incidents = EXCLUDED.incidents,
      offered_at = EXCLUDED.offered_at, chosen = NULL, answered_by = NULL
WHERE offers.feedback_id <> EXCLUDED.feedback_id AND offers.offered_at <= EXCLUDED.offered_at
"""
# A question that was asked since is what a short word answers.
_FIND = """
SELECT o.feedback_id, o.incidents, o.chosen, o.offered_at FROM offers o
WHERE o.account = $1 AND o.openid = $2 AND o.offered_at > $3::timestamptz
  AND (o.answered_by = $4 OR NOT EXISTS (
    SELECT 1 FROM questions q WHERE q.account = $1 AND q.openid = $2
      AND q.asked_at > o.offered_at AND (q.closed_at IS NULL OR q.answered_by = $4)))
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """The comment it was made for, and incidents in the order of their numbers."""

    feedback_id: str
    incidents: list[str]
    chosen: str | None
    """What was answered to it already."""
    offered_at: datetime


async def make_offer(
    tx: Transaction, account: str, openid: str, feedback_id: str, incidents: list[str], at: datetime
) -> None:
    """Remember it: one for each follower, the newest."""
    await tx.fetch(_OFFER, account, openid, feedback_id, incidents, at)


async def offer_for(tx: Transaction, account: str, openid: str, message: str) -> Offer | None:
    """What this follower may answer by `message`, if it was offered lately."""
    found = await tx.fetch(_FIND, account, openid, tx.now - KEEP_OFFERS, message)
    return Offer(*found[0]) if found else None


async def choose(
    tx: Transaction, account: str, openid: str, chosen: str, message: str
) -> str | None:
    """It was answered by this message; None if it had been before, else `chosen`.

    Of copies that overlap one is the first.
    """
    first = await tx.fetch(
        "UPDATE offers SET chosen = $3, answered_by = $4 "
        "WHERE account = $1 AND openid = $2 AND chosen IS NULL RETURNING chosen",
        account,
        openid,
        chosen,
        message,
    )
    return chosen if first else None


async def forget_offers(tx: Transaction) -> None:
    """Delete those that nobody can answer any more."""
    await tx.connection.exec_driver_sql(
        "DELETE FROM offers WHERE offered_at <= $1", (tx.now - KEEP_OFFERS,)
    )
