"""Themes and their cases. What changes is emitted on the directory, whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Index, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from services.desk.store import themes_said
from services.desk.store.tables import DeskTable
from shared.contracts import SYSTEM, Actor
from shared.contracts.desk import (
    ThemeCase,
    ThemeListed,
    ThemeMeasure,
    ThemeMeasureTakenBack,
    ThemeQuote,
)
from shared.messaging.transaction import Transaction

MOST_CASES = 2_000
"""In one theme: all of them travel in one entry of the directory."""

THEMES = Table(
    "themes",
    DeskTable.metadata,
    Column("theme_id", String, primary_key=True),
    Column("title", String, nullable=False),
    Column("about", Text, nullable=False),
    Column("status", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("merged_into", String),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("by", String, nullable=False),
    Column("measures", JSONB, nullable=False),
    Column("taken_back", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
)
THEME_CASES = Table(
    "theme_cases",
    DeskTable.metadata,
    Column("theme_id", String, primary_key=True),
    Column("feedback_id", String, primary_key=True),
    Column("origin", String, nullable=False),
    Index("theme_cases_of", "feedback_id"),
)
_FIELDS = "theme_id, title, about, status, origin, merged_into, opened_at, by, measures, taken_back"


@dataclass
class Theme:
    """A row of ``themes``."""

    theme_id: str
    title: str
    about: str
    opened_at: datetime
    by: str
    status: str = "open"
    origin: str = "hand"
    merged_into: str | None = None
    measures: list[dict[str, Any]] = field(default_factory=list)
    taken_back: list[dict[str, Any]] = field(default_factory=list)
    """What was noted and does not count any more, the newest last: ``{what, on, responsible, at,
    by, why}``."""


async def themes(tx: Transaction) -> list[tuple[Theme, int]]:
    """All that stand for themselves, open ones first, then the newest, with how many cases each."""
    found = await tx.fetch(
        f"SELECT {_FIELDS}, "
        "(SELECT count(*) FROM theme_cases c WHERE c.theme_id = t.theme_id) AS n "
        "FROM themes t WHERE merged_into IS NULL "
        "ORDER BY status <> 'open', opened_at DESC, theme_id LIMIT 500"
    )
    return [(_theme(row), row["n"]) for row in found]


async def theme(tx: Transaction, theme_id: str, *, lock: bool = False) -> Theme | None:
    """One of them; `lock`: nobody else changes it, or its cases, now."""
    found = await tx.fetch(
        f"SELECT {_FIELDS} FROM themes WHERE theme_id = $1{' FOR UPDATE' if lock else ''}", theme_id
    )
    return _theme(found[0]) if found else None


def _theme(row: Any) -> Theme:
    values = {name.strip(): row[name.strip()] for name in _FIELDS.split(",")}
    for name in ("measures", "taken_back"):
        if isinstance(values[name], str):
            values[name] = json.loads(values[name])
    return Theme(**values)


async def case_ids(tx: Transaction, theme_id: str) -> list[str]:
    """The cases of a theme; ids begin with their time, so the newest stand first."""
    found = await tx.fetch(
        "SELECT feedback_id FROM theme_cases WHERE theme_id = $1 ORDER BY feedback_id DESC",
        theme_id,
    )
    return [row[0] for row in found]


async def first_received(tx: Transaction, theme_id: str) -> datetime | None:
    """When the first of its cases came in."""
    found = await tx.fetch(
        "SELECT min(c.received_at) FROM theme_cases AS t JOIN cases AS c USING (feedback_id) "
        "WHERE t.theme_id = $1",
        theme_id,
    )
    return found[0][0] if found else None


async def known(tx: Transaction, feedback_ids: Sequence[str]) -> list[str]:
    """Those of these cases that there are, in this order."""
    rows = await tx.fetch(
        "SELECT feedback_id FROM cases WHERE feedback_id = ANY($1::text[])", list(feedback_ids)
    )
    here = {row[0] for row in rows}
    return [one for one in dict.fromkeys(feedback_ids) if one in here]


async def put_in(
    tx: Transaction, theme_id: str, feedback_ids: Sequence[str], *, origin: str = "hand"
) -> int:
    """Put cases in, by hand or as they were found; says how many were not there yet."""
    rows = await tx.fetch(
        "INSERT INTO theme_cases (theme_id, feedback_id, origin) "
        "SELECT $1, one, $3 FROM unnest($2::text[]) AS one ON CONFLICT DO NOTHING RETURNING 1",
        theme_id,
        list(feedback_ids),
        origin,
    )
    return len(rows)


async def take_out(tx: Transaction, theme_id: str, feedback_ids: Sequence[str]) -> int:
    """Take cases out; says how many were there."""
    rows = await tx.fetch(
        "DELETE FROM theme_cases WHERE theme_id = $1 AND feedback_id = ANY($2::text[]) RETURNING 1",
        theme_id,
        list(feedback_ids),
    )
    return len(rows)


async def move(
    tx: Transaction, theme_id: str, into: str, feedback_ids: Sequence[str] | None = None
) -> None:
    """Give these cases (None: all) to another theme; what that has already it keeps as it was."""
    await tx.fetch(
        "WITH gone AS (DELETE FROM theme_cases WHERE theme_id = $1 "
        "AND ($3::text[] IS NULL OR feedback_id = ANY($3)) RETURNING feedback_id, origin) "
        "INSERT INTO theme_cases (theme_id, feedback_id, origin) "
        "SELECT $2, feedback_id, origin FROM gone ON CONFLICT DO NOTHING",
        theme_id,
        into,
        None if feedback_ids is None else list(feedback_ids),
    )


async def keep(tx: Transaction, one: Theme) -> None:
    """Write the row."""
    await tx.fetch(
        f"INSERT INTO themes ({_FIELDS}) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb, $10::text::jsonb) "
        "ON CONFLICT (theme_id) DO UPDATE SET title = excluded.title, about = excluded.about, "
        "status = excluded.status, origin = excluded.origin, merged_into = excluded.merged_into, "
        "opened_at = excluded.opened_at, measures = excluded.measures, "
        "taken_back = excluded.taken_back",
        one.theme_id,
        one.title,
        one.about,
        one.status,
        one.origin,
        one.merged_into,
        one.opened_at,
        one.by,
        json.dumps(one.measures, ensure_ascii=False),
        json.dumps(one.taken_back, ensure_ascii=False),
    )


async def forget(tx: Transaction, feedback_id: str) -> None:
    """A case of an erased person stays in its themes, and is quoted there no more."""
    for row in await tx.fetch(
        "SELECT theme_id FROM theme_cases WHERE feedback_id = $1 ORDER BY theme_id", feedback_id
    ):
        if (one := await theme(tx, row["theme_id"], lock=True)) is not None:
            await list_theme(tx, one, unquoted=feedback_id)


async def list_theme(
    tx: Transaction, one: Theme, *, by: Actor = SYSTEM, unquoted: str = ""
) -> ThemeListed:
    """Keep it, and emit it on the directory with all its cases; `unquoted` is one of them."""
    await keep(tx, one)
    rows = await tx.fetch(
        "SELECT feedback_id, origin FROM theme_cases WHERE theme_id = $1 ORDER BY feedback_id",
        one.theme_id,
    )
    said = await themes_said.quotes(
        tx, [row["feedback_id"] for row in rows if row["feedback_id"] != unquoted]
    )
    event = ThemeListed(
        at=tx.now,
        by=by,
        theme_id=one.theme_id,
        title=one.title,
        about=one.about,
        status=one.status,
        origin=one.origin,
        merged_into=one.merged_into,
        opened_at=one.opened_at,
        measures=tuple(ThemeMeasure.model_validate(m) for m in one.measures),
        taken_back=tuple(ThemeMeasureTakenBack.model_validate(m) for m in one.taken_back),
        cases=tuple(ThemeCase(case=row["feedback_id"], origin=row["origin"]) for row in rows),
        quotes=tuple(ThemeQuote(case=case, text=sentence) for case, sentence in said),
    )
    tx.emit(event)
    return event


async def remember(tx: Transaction, event: ThemeListed) -> None:
    """A theme as it was listed last, for a database that has lost it."""
    old = await theme(tx, event.theme_id)
    measures = [m.model_dump(mode="json") for m in event.measures]
    values = event.model_dump(include={"theme_id", "title", "about", "status", "origin"})
    await keep(
        tx,
        Theme(
            **values,
            merged_into=event.merged_into,
            opened_at=event.opened_at,
            by=old.by if old else event.by.name or "",
            measures=measures,
            taken_back=[m.model_dump(mode="json") for m in event.taken_back],
        ),
    )
    await tx.fetch("DELETE FROM theme_cases WHERE theme_id = $1", event.theme_id)
    await tx.fetch(
        "INSERT INTO theme_cases (theme_id, feedback_id, origin) "
        "SELECT $1, * FROM unnest($2::text[], $3::text[])",
        event.theme_id,
        [c.case for c in event.cases],
        [c.origin for c in event.cases],
    )
