"""Finds themes: once a day the cases of a term are grouped by what they mean, and what comes up
again and again is offered to the people who look after the themes."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from services.desk.deps import Deps, deps_of
from services.desk.store import themes, themes_said
from services.desk.store import themes_found as store
from services.desk.store.themes import MOST_CASES
from services.desk.store.themes_found import Suggestion
from shared.ids import new_id
from shared.messaging.transaction import Transaction
from shared.moments import here
from shared.service import Service

if TYPE_CHECKING:
    from services.desk.jobs.grouping import Group

log = structlog.get_logger()

ANEW_AFTER = timedelta(hours=20)
MOST = 6_000
"""Cases that are looked at, the newest: some 36 million pairs, three seconds of one core."""
FIRST_AFTER = 120.0
"""Seconds after a start: whoever just came back has more urgent things to do."""
OFFERED = 30
_SAME, _KNOWN = 0.5, 0.6
"""How much of a group another has to hold to be the same; a theme, to know it already."""
_GROWN = 2.0
"""What was dismissed is offered once more when it has grown by so much."""


async def find_themes(service: Service[Deps]) -> None:
    """For ever: once a day."""
    await asyncio.sleep(FIRST_AFTER)
    while True:
        await group_anew(service)
        await asyncio.sleep(ANEW_AFTER / timedelta(seconds=1))


async def group_anew(service: Service[Deps], *, at_once: bool = False) -> int:
    """Group the cases, unless that was done today or another process does; how many are offered."""
    async with service.transaction() as tx:
        last = await store.made_last(tx)
        if last is not None and tx.now - last < ANEW_AFTER and not at_once:
            return 0
        rows = await store.material(tx, MOST)
    things = [[key for key in row["keys"] if _says_what(key)] for row in rows]
    vectors = [row["vector"] or [] for row in rows]
    languages = [row["chinese"] for row in rows]
    groups = await asyncio.to_thread(_grouped, things, vectors, languages) if rows else []
    async with service.transaction() as tx:
        if not await store.alone(tx):
            return 0
        await _grow(tx, rows, groups, last)
        return await _offer(tx, rows, groups[: 3 * OFFERED])


def _grouped(*material: Any) -> list[Group]:
    from services.desk.jobs.grouping import grouped  # brings numpy along

    return grouped(*material)


def _says_what(key: str) -> bool:
    """Where it was makes no theme: only what it is, and what is wrong with it."""
    return "place=" not in key and "floor=" not in key


async def _grow(
    tx: Transaction, rows: list[Any], groups: list[Group], last: datetime | None
) -> None:
    """Put what came since into the themes that were found and are open: else four weeks later none
    would have come. What came before a person has seen, and perhaps taken out."""
    found = await store.growing(tx)
    for group in groups:
        ids = {rows[n]["feedback_id"] for n in group.members}
        for theme_id, (own, opened_at) in found.items():
            if len(ids & own) < _SAME * min(len(ids), len(own)):
                continue
            since = max(opened_at, last or opened_at)
            new = [rows[n]["feedback_id"] for n in group.members if rows[n]["at"] > since]
            new = [one for one in new if one not in own][: max(0, MOST_CASES - len(own))]
            one = await themes.theme(tx, theme_id, lock=True) if new else None
            # Somebody may have merged it away since `growing` looked.
            if (
                one is not None
                and not one.merged_into
                and await themes.put_in(tx, theme_id, new, origin="found")
            ):
                listed = await themes.list_theme(tx, one)
                tx.after_commit(partial(deps_of(tx).directory.apply, listed))


async def _offer(tx: Transaction, rows: list[Any], groups: list[Group]) -> int:
    known = await store.in_themes(tx)
    before = await store.suggestions(tx)
    offered: set[str] = set()
    for group in groups:
        members = [rows[n] for n in group.members][:MOST_CASES]
        ids = [row["feedback_id"] for row in members]
        inside = set(ids)
        if any(len(inside & one) >= _KNOWN * len(inside) for one in known):
            continue
        old = next((s for s in before if _same(s, inside) and s.suggestion_id not in offered), None)
        judged = old is not None and old.status != "suggested"
        if judged and old is not None and len(ids) < _GROWN * len(old.cases):
            continue
        again = old if old is not None and not judged else None
        one = Suggestion(
            suggestion_id=again.suggestion_id if again else new_id(),
            key=_key(members),
            made_at=tx.now,
            cases=ids,
            said=await _said(tx, members),
        )
        await store.keep(tx, one)
        offered.add(one.suggestion_id)
        if len(offered) == OFFERED:
            break
    gone = [s.suggestion_id for s in before if s.status == "suggested"]
    await store.drop(tx, [one for one in gone if one not in offered])
    log.info("cases were grouped", cases=len(rows), offered=len(offered))
    return len(offered)


def _same(one: Suggestion, ids: set[str]) -> bool:
    return len(ids & set(one.cases)) >= _SAME * min(len(ids), len(one.cases))


def _key(members: list[Any]) -> str:
    """What most of them name, with what is wrong with it where most say that, too."""
    counts = Counter(key for row in members for key in row["keys"] if _says_what(key))
    things = [(n, key) for key, n in counts.items() if "fault=" not in key]
    if not things:
        return "like"
    n, thing = max(things)
    faults = [(k, key) for key, k in counts.items() if key.startswith(f"{thing} fault=")]
    k, fault = max(faults, default=(0, ""))
    return fault if k >= 0.6 * n else thing


async def _said(tx: Transaction, members: list[Any]) -> dict[str, Any]:
    """Typical sentences, how many in each week, where, and what came of them."""
    ids = [row["feedback_id"] for row in members]
    weeks: Counter[str] = Counter()
    for row in members:
        day = here(row["at"]).date()
        weeks[(day - timedelta(days=day.weekday())).isoformat()] += 1
    return {
        "sentences": [sentence for _, sentence in await themes_said.quotes(tx, ids)],
        "weeks": sorted(weeks.items()),
    } | await themes_said.places_and_outcomes(tx, ids)
