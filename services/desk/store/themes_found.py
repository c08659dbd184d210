"""Themes that were found by meaning, and what there is to say of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, DateTime, Index, String, Table
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.desk.store.similar import NOT_OFFERED
from services.desk.store.tables import DeskTable
from shared.contracts import Actor
from shared.contracts.desk import ThemeDismissed
from shared.messaging.transaction import Transaction

THEME_SUGGESTIONS = Table(
    "theme_suggestions",
    DeskTable.metadata,
    Column("suggestion_id", String, primary_key=True),
    Column("key", String, nullable=False),
    Column("status", String, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("cases", ARRAY(String), nullable=False),
    Column("said", JSONB, nullable=False),
    Column("theme_id", String),
    Column("decided_by", String),
    Index("theme_suggestions_status", "status", "made_at"),
)
TERM = timedelta(days=126)
_LOCK = 0x54_48_45_4D
_MATERIAL = """
SELECT m.feedback_id, m.at, m.keys, v.vector, w.title ~ '[\u3400-\u9fff]' AS chinese
FROM case_matters AS m JOIN cases AS c USING (feedback_id) JOIN words AS w USING (feedback_id)
LEFT JOIN meanings AS v USING (feedback_id)
WHERE m.at > $1 AND c.state <> ALL($2::text[]) AND NOT c.erased AND NOT c.confidential
ORDER BY m.at DESC, m.feedback_id LIMIT $3
"""
_FIELDS = "suggestion_id, key, status, made_at, cases, said, theme_id, decided_by"


@dataclass
class Suggestion:
    """A row of ``theme_suggestions``; `said` has sentences, weeks, places, outcomes."""

    suggestion_id: str
    key: str
    made_at: datetime
    cases: list[str]
    said: dict[str, Any] = field(default_factory=dict)
    status: str = "suggested"
    theme_id: str | None = None
    decided_by: str | None = None


async def alone(tx: Transaction) -> bool:
    """Whether nobody else groups until this transaction is over."""
    return bool((await tx.fetch("SELECT pg_try_advisory_xact_lock($1) AS ours", _LOCK))[0]["ours"])


async def made_last(tx: Transaction) -> datetime | None:
    """When cases were grouped last."""
    rows = await tx.fetch("SELECT max(made_at) AS at FROM theme_suggestions")
    at: datetime | None = rows[0]["at"]
    return at


async def material(tx: Transaction, most: int) -> list[Any]:
    """The cases of a term with what they name and their vectors, the newest first."""
    return list(await tx.fetch(_MATERIAL, tx.now - TERM, NOT_OFFERED, most))


async def in_themes(tx: Transaction) -> list[set[str]]:
    """The cases of each theme that there is."""
    rows = await tx.fetch("SELECT array_agg(feedback_id) AS ids FROM theme_cases GROUP BY theme_id")
    return [set(row["ids"]) for row in rows]


async def growing(tx: Transaction) -> dict[str, tuple[set[str], datetime]]:
    """Of each open theme that was found: its cases, and since when it stands."""
    rows = await tx.fetch(
        "SELECT t.theme_id, t.opened_at, array_agg(c.feedback_id) AS ids "
        "FROM themes AS t JOIN theme_cases AS c USING (theme_id) "
        "WHERE t.origin = 'found' AND t.status = 'open' AND t.merged_into IS NULL "
        "GROUP BY t.theme_id, t.opened_at"
    )
    return {row["theme_id"]: (set(row["ids"]), row["opened_at"]) for row in rows}


async def suggestions(tx: Transaction, status: str | None = None) -> list[Suggestion]:
    """Those of this status, or all; the largest first."""
    rows = await tx.fetch(
        f"SELECT {_FIELDS} FROM theme_suggestions WHERE $1::text IS NULL OR status = $1 "
        "ORDER BY cardinality(cases) DESC, suggestion_id LIMIT 500",
        status,
    )
    return [_suggestion(row) for row in rows]


async def suggestion(tx: Transaction, suggestion_id: str) -> Suggestion | None:
    """One of them; nobody else changes it now."""
    rows = await tx.fetch(
        f"SELECT {_FIELDS} FROM theme_suggestions WHERE suggestion_id = $1 FOR UPDATE",
        suggestion_id,
    )
    return _suggestion(rows[0]) if rows else None


def _suggestion(row: Any) -> Suggestion:
    values = dict(row) | {"cases": list(row["cases"])}
    if isinstance(values["said"], str):
        values["said"] = json.loads(values["said"])
    return Suggestion(**values)


async def keep(tx: Transaction, one: Suggestion) -> None:
    """Write the row."""
    await tx.fetch(
        f"INSERT INTO theme_suggestions ({_FIELDS}) "
        "VALUES ($1, $2, $3, $4, $5::varchar[], $6::text::jsonb, $7, $8) "
        "ON CONFLICT (suggestion_id) DO UPDATE SET key = excluded.key, status = excluded.status, "
        "made_at = excluded.made_at, cases = excluded.cases, said = excluded.said, "
        "theme_id = excluded.theme_id, decided_by = excluded.decided_by",
        one.suggestion_id,
        one.key,
        one.status,
        one.made_at,
        one.cases,
        json.dumps(one.said, ensure_ascii=False),
        one.theme_id,
        one.decided_by,
    )


async def dismiss(tx: Transaction, one: Suggestion, *, by: Actor) -> None:
    """It is no theme; emitted, so that a restored desk does not offer it anew."""
    one.status, one.decided_by = "dismissed", by.name
    await keep(tx, one)
    tx.emit(
        ThemeDismissed(
            at=tx.now,
            by=by,
            suggestion_id=one.suggestion_id,
            matter=one.key,
            cases=tuple(one.cases),
        )
    )


async def remember(tx: Transaction, event: ThemeDismissed) -> None:
    """What `dismiss` emitted."""
    one = Suggestion(event.suggestion_id, event.matter, event.at, list(event.cases))
    one.status, one.decided_by = "dismissed", event.by.name
    await keep(tx, one)


async def drop(tx: Transaction, suggestion_ids: Sequence[str]) -> None:
    """Those that are found no more and nobody has judged."""
    await tx.fetch(
        "DELETE FROM theme_suggestions WHERE suggestion_id = ANY($1::text[])", list(suggestion_ids)
    )


async def forget(tx: Transaction, feedback_id: str) -> None:
    """A case of an erased person: what was quoted of its group is quoted no more."""
    await tx.fetch(
        "UPDATE theme_suggestions SET cases = array_remove(cases, $1::varchar), "
        "said = said || '{\"sentences\": []}'::jsonb WHERE $1::varchar = ANY(cases)",
        feedback_id,
    )
