"""Trials of other rules: what is asked for, how far they are, what they found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.sla.store.tables import TrialRow
from shared.ids import new_id
from shared.messaging.transaction import Transaction

KEPT = timedelta(days=30)
MOST_FOUND = 500
"""Cases that are listed; the rest is counted."""

_TRIM = "DELETE FROM trials WHERE at < $1"
_CLAIM = """
SELECT trial_id, kind, base, body, about, after, done, total, counts, found FROM trials
WHERE finished_at IS NULL ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_OPEN_TOTAL = """
SELECT count(DISTINCT feedback_id) FROM clocks WHERE met_at IS NULL AND cancelled_at IS NULL
"""
_OPEN = """
SELECT DISTINCT feedback_id FROM clocks
WHERE met_at IS NULL AND cancelled_at IS NULL AND feedback_id > $1
ORDER BY feedback_id LIMIT $2
"""
_PAST_TOTAL = "SELECT count(*) FROM cases WHERE received_at >= $1 AND received_at < $2"
_PAST = """
SELECT feedback_id FROM cases WHERE received_at >= $1 AND received_at < $2 AND feedback_id > $3
ORDER BY feedback_id LIMIT $4
"""
_ADVANCE = """
UPDATE trials SET after = $2, done = $3, total = $4, counts = $5::jsonb, found = $6::jsonb,
  finished_at = $7 WHERE trial_id = $1
"""
_FETCH = "SELECT * FROM trials WHERE trial_id = $1"
_LOCK = "SELECT trial_id FROM trials WHERE trial_id = $1 FOR UPDATE"
_PUBLISHED = "UPDATE trials SET published = $2 WHERE trial_id = $1"


@dataclass(slots=True)
class Trial:
    """One that is being worked on."""

    trial_id: str
    kind: str
    base: int
    body: dict[str, Any]
    about: dict[str, Any]
    after: str
    done: int
    total: int | None
    counts: dict[str, int]
    found: list[dict[str, Any]]
    finished_at: datetime | None = None
    published: int | None = None
    at: datetime | None = None
    by: str = ""

    def count(self, name: str, n: int = 1) -> None:
        """Add to one of the sums."""
        self.counts[name] = self.counts.get(name, 0) + n

    def find(self, one: dict[str, Any]) -> None:
        """List a case, while there is room."""
        if len(self.found) < MOST_FOUND:
            self.found.append(one)


async def add(
    tx: Transaction, kind: str, base: int, body: dict[str, Any], about: dict[str, Any], by: str
) -> str:
    """Ask for a trial; those of last month are forgotten. Gives its id."""
    await tx.fetch(_TRIM, tx.now - KEPT)
    row = TrialRow(
        trial_id=new_id(),
        kind=kind,
        base=base,
        body=body,
        about=about,
        at=tx.now,
        by=by,
        counts={},
        found=[],
    )
    tx.session.add(row)
    await tx.flush()
    return row.trial_id


async def claim(tx: Transaction) -> Trial | None:
    """The one that waits longest and that no other replica works on, until the commit."""
    rows = await tx.fetch(_CLAIM)
    return _trial(rows[0]) if rows else None


async def next_cases(tx: Transaction, trial: Trial, limit: int) -> list[str]:
    """The next cases to try it on, by id; none: it is done. The first time they are counted."""
    names = ("since", "until") if trial.kind == "policy" else ()
    period = [datetime.fromisoformat(trial.about[name]) for name in names]
    if trial.total is None:
        counted = await tx.fetch(_PAST_TOTAL if period else _OPEN_TOTAL, *period)
        trial.total = counted[0][0]
    rows = await tx.fetch(_PAST if period else _OPEN, *period, trial.after, limit)
    return [row[0] for row in rows]


async def advance(tx: Transaction, trial: Trial, ids: Sequence[str]) -> None:
    """These cases were looked at; without any it is finished."""
    if ids:
        trial.after, trial.done = ids[-1], trial.done + len(ids)
    else:
        trial.finished_at = tx.now
    await tx.fetch(
        _ADVANCE,
        trial.trial_id,
        trial.after,
        trial.done,
        trial.total,
        json.dumps(trial.counts),
        json.dumps(trial.found),
        trial.finished_at,
    )


async def fetch(connection: AsyncConnection, trial_id: str) -> Trial | None:
    """A trial as it stands."""
    row = (await connection.exec_driver_sql(_FETCH, (trial_id,))).mappings().first()
    return None if row is None else _trial(row)


async def lock(tx: Transaction, trial_id: str) -> Trial | None:
    """The same, and nobody else publishes it meanwhile."""
    await tx.fetch(_LOCK, trial_id)
    return await fetch(tx.connection, trial_id)


async def mark_published(tx: Transaction, trial_id: str, version: int) -> None:
    """It became this version."""
    await tx.fetch(_PUBLISHED, trial_id, version)


def _trial(row: Any) -> Trial:
    values = dict(row.items())
    for name in ("body", "about", "counts", "found"):
        if isinstance(values[name], str):
            values[name] = json.loads(values[name])
    return Trial(**values)
