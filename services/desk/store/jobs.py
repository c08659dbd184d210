"""Work on many cases, case by case: what is left of it survives any end of the process.

An item is done in the transaction that changes its case, and so once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.desk.store.tables import JobItemRow, JobRow
from shared.contracts.refusal import Refusal
from shared.ids import new_id
from shared.messaging.transaction import Transaction

_CLAIM = """
SELECT i.job_id, i.feedback_id, j.kind, j.by, j.body, j.subject
FROM job_items AS i JOIN jobs AS j USING (job_id)
WHERE i.done_at IS NULL ORDER BY i.job_id, i.position LIMIT 1 FOR UPDATE OF i SKIP LOCKED
"""
_DONE = """
UPDATE job_items SET done_at = $3, detail = $4::jsonb, undo = $5::jsonb
WHERE job_id = $1 AND feedback_id = $2 AND done_at IS NULL
"""
# The words of a job are needed no longer than it runs.
_FINISH = """
UPDATE jobs SET finished_at = $1, body = '{}'::jsonb WHERE finished_at IS NULL
AND NOT EXISTS (SELECT FROM job_items AS i WHERE i.job_id = jobs.job_id AND i.done_at IS NULL)
"""
_RUNNING = """
SELECT 1 FROM jobs WHERE finished_at IS NULL AND kind = ANY($1::text[]) AND subject = $2 LIMIT 1
"""


_PROGRESS = """
SELECT j.kind, j.by->>'username' AS by, j.subject, j.created_at,
    count(i.feedback_id) AS total, count(i.done_at) AS done, count(i.undo) AS undoable,
    (SELECT u.job_id FROM jobs AS u WHERE u.kind = 'undo' AND u.subject = j.job_id LIMIT 1)
        AS undone_by,
    coalesce(jsonb_agg(jsonb_build_array(i.feedback_id, i.detail) ORDER BY i.position)
        FILTER (WHERE i.detail IS NOT NULL), '[]'::jsonb) AS failed
FROM jobs AS j LEFT JOIN job_items AS i USING (job_id) WHERE job_id = $1 GROUP BY j.job_id
"""
_TO_UNDO = """
SELECT feedback_id FROM job_items WHERE job_id = $1 AND undo IS NOT NULL ORDER BY position DESC
"""
_HOW_TO_UNDO = "SELECT undo FROM job_items WHERE job_id = $1 AND feedback_id = $2"
_OF_SUBJECT = """
SELECT job_id FROM jobs WHERE subject = $1 AND kind = ANY($2::text[])
ORDER BY created_at DESC, job_id DESC LIMIT 1
"""
UNDO = "undo"
"""The kind of a job that undoes another, which is its subject."""


@dataclass(frozen=True, slots=True)
class Item:
    """One case that a job has to do something to."""

    job_id: str
    feedback_id: str
    kind: str
    by: dict[str, Any] | None
    """Who began it; None: the system."""
    body: dict[str, Any]
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is."""

    kind: str
    by: str | None
    subject: str | None
    created_at: datetime
    total: int
    done: int
    undoable: int
    """Cases of which it is known how it is undone."""
    undone_by: str | None
    """The job that undoes this one."""
    failed: list[tuple[str, dict[str, str]]]
    """Cases for which it was refused, and why in both languages."""


def add(
    tx: Transaction,
    kind: str,
    feedback_ids: Iterable[str],
    body: dict[str, Any],
    *,
    by: dict[str, Any] | None = None,
    subject: str | None = None,
) -> str:
    """Begin a job, which runs as soon as this transaction is committed; gives its id."""
    job_id, jobs, items = new_id(), tx.rows(JobRow), tx.rows(JobItemRow)
    jobs.insert(
        jobs.new(job_id=job_id, kind=kind, by=by, body=body, created_at=tx.now, subject=subject)
    )
    for position, feedback_id in enumerate(dict.fromkeys(feedback_ids)):
        items.insert(items.new(job_id=job_id, feedback_id=feedback_id, position=position))
    tx.after_commit(tx.deps.work.set)
    return job_id


def part(tx: Transaction, feedback_ids: Iterable[str]) -> None:
    """What they were joined to is gone: each goes on by itself."""
    if ids := list(feedback_ids):
        add(tx, "part", ids, {})


async def claim(tx: Transaction) -> Item | None:
    """The next case of the oldest job that nobody else works on at this moment."""
    found = await tx.fetch(_CLAIM)
    if not found:
        return None
    values = dict(found[0])
    return Item(**{k: _plain(v) if k in ("by", "body") else v for k, v in values.items()})


async def done(
    tx: Transaction,
    item: Item,
    refusal: Refusal | None = None,
    *,
    undo: dict[str, Any] | None = None,
) -> None:
    """It is done, and `undo` undoes it; or, for this case, refused."""
    detail = json.dumps({"zh": refusal.zh, "en": refusal.en}) if refusal else None
    how = json.dumps(undo, ensure_ascii=False) if undo else None
    await tx.fetch(_DONE, item.job_id, item.feedback_id, tx.now, detail, how)


async def to_undo(tx: Transaction, job_id: str) -> list[str]:
    """Cases for which a job can be undone, what was done last first."""
    return [row["feedback_id"] for row in await tx.fetch(_TO_UNDO, job_id)]


async def how_to_undo(tx: Transaction, job_id: str, feedback_id: str) -> dict[str, Any] | None:
    """What undoes a job for one of its cases."""
    rows = await tx.fetch(_HOW_TO_UNDO, job_id, feedback_id)
    return _plain(rows[0]["undo"]) if rows else None


async def newest_about(tx: Transaction, subject: str, kinds: Iterable[str]) -> str | None:
    """The job of one of these kinds about `subject` that was begun last."""
    rows = await tx.fetch(_OF_SUBJECT, subject, list(kinds))
    return rows[0]["job_id"] if rows else None


async def cases_of(tx: Transaction, job_id: str) -> set[str]:
    """The cases that a job was begun for."""
    rows = await tx.fetch("SELECT feedback_id FROM job_items WHERE job_id = $1", job_id)
    return {row["feedback_id"] for row in rows}


async def progress(tx: Transaction, job_id: str) -> Progress | None:
    """How far a job is, or None where there is none."""
    found = await tx.fetch(_PROGRESS, job_id)
    return Progress(**dict(found[0]) | {"failed": _plain(found[0]["failed"])}) if found else None


async def finish(tx: Transaction) -> None:
    """Forget what the jobs that are through were about."""
    await tx.fetch(_FINISH, tx.now)


async def is_running(tx: Transaction, kinds: Iterable[str], subject: str) -> bool:
    """Whether a job of one of these kinds about `subject` is not through yet."""
    return bool(await tx.fetch(_RUNNING, list(kinds), subject))


def _plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
