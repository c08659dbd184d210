"""Queries of the dashboard: kept sums, how long things took, what breaks next.

What changes while nobody touches what is over (today, and what is open) is one statement. The days
before today are another, which is asked again only where one of them changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from services.tracking.domain import departments
from services.tracking.domain.bands import Bands, percentiles, together
from services.tracking.domain.board import (
    AHEAD_DAYS,
    AT_PRESENT,
    BY_DAY,
    IN_PERIOD,
    IN_PERIOD_BEFORE,
    Percentiles,
    Question,
    Unmarked,
)
from services.tracking.domain.counting import TIMED, band_scope_of, cells_of, scope_of
from services.tracking.domain.periods import NOW, ONE_DAY, day_of
from services.tracking.domain.shape import age_bounds
from services.tracking.domain.sums import Sum
from services.tracking.store.board_statements import chosen, singles, statement
from services.tracking.store.kept_days import KeptDays, Past
from shared.db.engine import driver_of, reading

NEXT = 8
"""How many of those that break next are listed."""
OLDER_THAN_THE_BANDS = -2
"""Index of the last band of ages that has a beginning."""
_LONG_AGO, _FAR = datetime(2000, 1, 1, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC)
_PLAN = "SET LOCAL plan_cache_mode = force_generic_plan"
"""For what is read after every change: all of it is found by keys, whatever they are. Left to
choose, the server makes a plan each time where sums are many: that takes longer than reading."""
_CLOCKS = sorted(clock.value for clock in TIMED)


@dataclass(frozen=True)
class Reading:
    """All that an answer is made of."""

    sums: Sequence[Sum]
    percentiles: Sequence[Percentiles]
    """How long first response, acceptance and resolution took in the period, and before it."""
    unmarked: Sequence[Unmarked]
    """Deadlines that have passed and are not marked, of all departments: usually none."""
    upcoming: Sequence[Mapping[str, Any]]
    """The open cases whose deadline comes first."""


@dataclass
class _Rows:
    sums: list[Sum] = field(default_factory=list)
    bands: dict[tuple[str, bool], Bands] = field(default_factory=dict)
    unmarked: list[Unmarked] = field(default_factory=list)
    upcoming: list[Mapping[str, Any]] = field(default_factory=list)
    changed: int = 0


async def read(connection: AsyncConnection, question: Question, kept: KeptDays) -> Reading:
    """All that the answer is made of: the sums are kept for every choice of filters.

    Of two filters and more they are added up from cells, each of which is one place of the key:
    what lies beside them, or before the days that are asked for, is not read. How long things took
    stands in bands by one filter; by more of them it is read from the durations.
    """
    cells: list[str] = []
    today = day_of(question.now)
    async with reading(connection, _PLAN):
        if scope_of(question.filters) is None:
            found = await singles().fetch(connection, {})
            cells = cells_of(question.filters, [single for (single,) in found])
        present = await _ask(connection, question, cells, (today, _FAR), at_present=True)
    past = kept.get(question, present.changed)
    if past is None:
        days = await _ask(connection, question, cells, (_LONG_AGO, today), at_present=False)
        # Numbered before it was read: it is newer than its number says, or as old.
        ordered = {key: _percentiles(*key, bands) for key, bands in days.bands.items()}
        past = Past(days.sums, days.bands, ordered, present.changed, question.now)
        kept.keep(question, past)
    # What today adds nothing to is as it was found.
    took = dict(past.percentiles)
    for key, bands in present.bands.items():
        kept_bands = past.bands.get(key)
        took[key] = _percentiles(*key, together(kept_bands, bands) if kept_bands else bands)
    return Reading(
        [*past.sums, *present.sums],
        list(took.values()),
        present.unmarked,
        present.upcoming,
    )


async def _ask(
    connection: AsyncConnection,
    question: Question,
    cells: list[str],
    days: tuple[datetime, datetime],
    *,
    at_present: bool,
) -> _Rows:
    """The parts that are made of these `days`, those only that have any."""
    given: dict[str, Any] = {}
    ranges = _ranges(question)
    for part, (first, end) in ranges.items():
        since, until = max(first, days[0]), min(end, days[1])
        if since < until:
            given |= {f"{part}_from": since, f"{part}_to": until}
    parts = [part for part in ranges if f"{part}_from" in given]
    if usual := [day for day in question.usual_days if days[0] <= day < days[1]]:
        parts.append("usual")
    scope = scope_of(question.filters)
    band_scope = band_scope_of(question.filters, question.department)
    today = day_of(question.now)
    asked = statement(
        tuple(parts),
        tuple(question.filters),
        question.department,
        at_present=at_present,
        of_cells=scope is None,
        of_bands=band_scope is not None,
    )
    if not asked.sql:
        return _Rows()
    rows = await asked.fetch(
        connection,
        given
        | question.filters
        | {
            "scope": scope,
            "cells": cells,
            "department": question.department,
            "present": list(AT_PRESENT),
            "now": NOW,
            "at": question.now,
            "today": today,
            "ahead": today + AHEAD_DAYS * ONE_DAY,
            "earliest": min(first for first, _ in ranges.values()),
            "oldest": age_bounds(question.now)[OLDER_THAN_THE_BANDS][0],
            "most": NEXT,
            "period": list(IN_PERIOD),
            "period_before": list(IN_PERIOD_BEFORE),
            "first_day": question.first_day,
            "compared": list(departments.SUMS),
            "shape_first": question.shape_first,
            "step": question.shape_step,
            "usual": usual,
            "received": "received" if question.hourly else "received_day",
            "by_day": list(BY_DAY),
            "band_scope": band_scope,
            "clocks": _CLOCKS,
        },
    )
    return _sorted(rows)


def _ranges(question: Question) -> dict[str, tuple[datetime, datetime]]:
    """Which days each part is made of."""
    first, end = question.first_day, question.end
    return {
        "period": (first, end),
        "before": (question.before, first),
        "late_since_end": (end, _FAR),
        "late_since_first": (first, _FAR),
        "departments": (first, end),
        "late_flow_by": (end, _FAR),
        "flow": (first, end),
        "trend": (question.shape_first, end),
        "received": (question.first if question.hourly else first, question.last),
        "day": (question.trend_first, _FAR),
        "bands": (question.before, end),
    }


def _sorted(rows: Sequence[asyncpg.Record]) -> _Rows:
    found = _Rows()
    for row in rows:
        part, measure, bucket, department, detail, n, numbers, words = row
        if part == "bands":
            found.bands[measure, bool(detail)] = _bands(numbers)
        elif part == "unmarked":
            found.unmarked.append(Unmarked(department, bucket, n, *numbers))
        elif part == "next":
            found.upcoming.append(
                {
                    "feedback_id": measure,
                    "title": words[0],
                    "department": department,
                    "state": detail,
                    "priority": words[1],
                    "due_at": bucket,
                    "confidential": bool(n),
                }
            )
        elif part == "changed":
            found.changed = n or 0
        else:
            found.sums.append(Sum(part, measure, bucket, department, detail, n))
    return found


def _bands(numbers: Sequence[int]) -> Bands:
    """From their names, then how many are in each, then how long these took together."""
    size = len(numbers) // 3
    sums = zip(numbers[size : 2 * size], numbers[2 * size :], strict=True)
    pairs = list(zip(numbers[:size], sums, strict=True))
    found = dict(pairs)
    if len(found) == size:
        return found
    # Something happened on a day that is still to come: a band may be named for each of them.
    found = {}
    for name, one in pairs:
        found |= together({name: found.get(name, (0, 0))}, {name: one})
    return found


def _percentiles(clock: str, before: bool, bands: Bands) -> Percentiles:
    n = sum(n for n, _ in bands.values())
    half, most = percentiles(bands, 0.5, 0.9) or (0.0, 0.0)
    return Percentiles(clock, before, n, half, most)


async def changes(connection: AsyncConnection) -> int:
    """How many changes of the views have been committed: while they are no more, answers hold.

    Unlike the database's snapshot it stays while other services write.
    """
    found = await driver_of(connection).fetch("SELECT times FROM changed_days WHERE day = $1", NOW)
    return int(found[0]["times"]) if found else 0


def conditions(question: Question, of: str = "c") -> tuple[str, dict[str, Any]]:
    """Conditions on the row `of`, and their values."""
    wanted = question.filters
    said = chosen(tuple(wanted), question.department, of)
    if question.department is not None:
        wanted |= {"department": question.department}
    return said, wanted
