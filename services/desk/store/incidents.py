"""Incidents: one fault that many report, and its cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import col, select

from services.desk.domain import Incident
from services.desk.domain.transitions import ACTIVE
from services.desk.store.tables import IncidentRow
from shared.contracts.desk import IncidentListed
from shared.messaging.transaction import Transaction

_ACTIVE = [str(state) for state in ACTIVE]
MOST_LISTED = 200
_COUNTS = """
SELECT incident_id, count(*) AS cases, count(*) FILTER (WHERE state = ANY($2::text[])) AS active
FROM cases WHERE incident_id = ANY($1::text[]) GROUP BY incident_id
"""
_CASES = """
SELECT c.*, w.text AS words FROM cases AS c LEFT JOIN words AS w USING (feedback_id)
WHERE c.incident_id = $1 ORDER BY c.received_at, c.feedback_id
"""
_ACTIVE_CASES = """
SELECT feedback_id FROM cases WHERE incident_id = $1 AND state = ANY($2::text[])
ORDER BY received_at, feedback_id
"""

_JOINED = """
SELECT feedback_id, min(at) AS at FROM timeline
WHERE feedback_id = ANY($1::text[]) AND type = 'case.joined_incident'
AND data->>'incident_id' = $2 GROUP BY feedback_id
"""
# Of what was tried last for the reporter of each case, what did not go out, or nobody knows.
_UNREACHED = """
SELECT feedback_id, coalesce((data->>'uncertain')::boolean, false) AS uncertain FROM (
    SELECT DISTINCT ON (feedback_id) feedback_id, type, data FROM timeline
    WHERE feedback_id = ANY($1::text[]) AND at >= $2
    AND type IN ('notification.sent', 'notification.failed')
    AND data->>'audience' = 'reporter' ORDER BY feedback_id, seq DESC
) AS last WHERE type = 'notification.failed'
"""
_REACH = """
SELECT count(*) FILTER (WHERE contact->>'email' > '') AS mail,
    count(*) FILTER (WHERE contact->>'wechat_openid' > '') AS wechat,
    count(*) FILTER (WHERE contact->>'email' > '' OR contact->>'wechat_openid' > '') AS reached
FROM private WHERE feedback_id = ANY($1::text[])
"""


def list_incident(tx: Transaction, row: IncidentRow) -> None:
    """Keep an incident, and emit it on the directory."""
    tx.session.add(row)
    tx.emit(
        IncidentListed(
            at=tx.now,
            incident_id=row.incident_id,
            title=row.title,
            text=row.text,
            opened_at=row.opened_at,
            open=row.open,
            answer=row.answer,
            answered_at=row.answered_at,
        )
    )


async def incident(tx: Transaction, incident_id: str, *, lock: bool = False) -> IncidentRow | None:
    """An incident; with `lock` nobody else changes it now."""
    return await tx.session.get(IncidentRow, incident_id, with_for_update=lock or None)


async def open_incident(tx: Transaction, incident_id: str) -> Incident | None:
    """An incident to join, which nobody closes before this transaction is over.

    Else its closing could miss the case. None where it is over or there is none.
    """
    row = await tx.session.get(IncidentRow, incident_id, with_for_update={"read": True})
    if row is None or not row.open:
        return None
    return Incident(
        incident_id=row.incident_id,
        title=row.title,
        text=row.text,
        answer=row.answer,
        answered_at=row.answered_at,
    )


async def newest(tx: Transaction) -> list[IncidentRow]:
    """Open ones first, then the newest."""
    query = (
        select(IncidentRow)
        .order_by(col(IncidentRow.open).desc(), col(IncidentRow.opened_at).desc())
        .limit(MOST_LISTED)
    )
    return list(await tx.session.exec(query))


async def sizes(tx: Transaction, incident_ids: list[str]) -> dict[str, tuple[int, int]]:
    """How many cases each has, and how many of them wait for an answer."""
    rows = await tx.fetch(_COUNTS, incident_ids, _ACTIVE)
    return {row["incident_id"]: (row["cases"], row["active"]) for row in rows}


async def cases_of(tx: Transaction, incident_id: str) -> list[dict[str, Any]]:
    """Its cases with their masked words, the oldest first."""
    return [dict(row) for row in await tx.fetch(_CASES, incident_id)]


async def active_cases(tx: Transaction, incident_id: str) -> list[str]:
    """Those that still wait for an answer."""
    return [row["feedback_id"] for row in await tx.fetch(_ACTIVE_CASES, incident_id, _ACTIVE)]


async def joined_at(
    tx: Transaction, incident_id: str, feedback_ids: list[str]
) -> dict[str, datetime]:
    """When each of these cases was joined to it first."""
    rows = await tx.fetch(_JOINED, feedback_ids, incident_id)
    return {row["feedback_id"]: row["at"] for row in rows}


async def unreached(
    tx: Transaction, feedback_ids: list[str], since: datetime
) -> tuple[list[str], list[str]]:
    """Those whose reporter the last message since then has not reached, and those of whom nobody
    knows."""
    rows = await tx.fetch(_UNREACHED, feedback_ids, since)
    failed = [row["feedback_id"] for row in rows if not row["uncertain"]]
    return failed, [row["feedback_id"] for row in rows if row["uncertain"]]


async def reach(tx: Transaction, feedback_ids: list[str]) -> dict[str, int]:
    """How many of their reporters get a mail, a WeChat message, or look at the page alone."""
    (row,) = await tx.fetch(_REACH, feedback_ids)
    alone = len(feedback_ids) - row["reached"]
    return {"mail": row["mail"], "wechat": row["wechat"], "page": alone}
