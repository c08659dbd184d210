"""How long things took stands in bands, equal to a recount; days that are over are kept."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from sqlalchemy import text

from services.tracking.deps import Deps
from services.tracking.domain.bands import band_of
from services.tracking.domain.periods import day_of
from services.tracking.jobs import mend_bands
from services.tracking.store.kept_days import AT_MOST, KeptDays
from shared.contracts.desk import CaseReturned
from tests.service.tracking.conftest import Web
from tests.service.tracking.histories import History
from tests.support import at, process_batch
from tests.unit.tracking.examples import Story

PERIODS = ("period=today", "from=2026-02-24&to=2026-03-03", "period=month")
FILTERS = (
    "",
    "&department=it",
    "&category=seats",
    "&channel=web&priority=P2",
    "&department=it&channel=web",
)


async def rows(web: Web, statement: str) -> list[Any]:
    async with web.service.engine.begin() as connection:
        return list(await connection.execute(text(statement)))


async def bands(web: Web) -> dict[tuple[Any, ...], tuple[int, int]]:
    found = await rows(web, "SELECT scope, clock, bucket, band, n, seconds FROM duration_bands")
    return {tuple(row)[:4]: (row.n, row.seconds) for row in found}


async def counted(web: Web) -> dict[tuple[Any, ...], tuple[int, int]]:
    """From the durations, one by one."""
    n: Counter[tuple[Any, ...]] = Counter()
    seconds: Counter[tuple[Any, ...]] = Counter()
    for row in await rows(web, "SELECT * FROM durations"):
        names = ("department", "category", "channel", "priority", "reporter_group")
        for scope in ("", *(f"{name}:{getattr(row, name)}" for name in names)):
            key = (scope, row.clock, day_of(row.met_at), band_of(row.working_seconds))
            n[key] += 1
            seconds[key] += row.working_seconds
    return {key: (n[key], seconds[key]) for key in n}


async def asked(web: Web, query: str) -> dict[str, Any]:
    answer = await web.get(
        f"/api/dashboard?{query}", as_="leader", headers={"Cache-Control": "no-cache"}
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_bands_equal_a_recount_after_any_history(web: Web) -> None:
    chance = random.Random(20261129)
    for _ in range(60):
        await process_batch(web.service, *History(chance).events)
    assert await bands(web) == await counted(web) != {}
    await mend_bands(web.service)
    assert await bands(web) == await counted(web)


async def test_what_the_release_before_wrote_is_found_and_counted(web: Web) -> None:
    chance = random.Random(3)
    for _ in range(30):
        await process_batch(web.service, *History(chance).events)
    # It writes durations, and knows of nothing else; it also empties them for a new generation.
    await rows(web, "DELETE FROM duration_bands WHERE band % 2 = 0 RETURNING 1")
    await rows(web, "UPDATE duration_bands SET n = n + 1 WHERE clock = 'RESOLUTION' RETURNING 1")
    assert await bands(web) != await counted(web)
    await mend_bands(web.service)
    assert await bands(web) == await counted(web)
    assert not await rows(web, "SELECT 1 FROM duration_bands WHERE n < 1")


async def test_what_is_kept_of_days_that_are_over_is_never_an_old_answer(web: Web) -> None:
    """Asked again and again while things happen, also on days that were asked about before."""
    chance = random.Random(11)
    for round_ in range(12):
        await process_batch(web.service, *(e for _ in range(4) for e in History(chance).events))
        queries = [p + f for p in PERIODS for f in FILTERS]
        for query in queries[round_ % 2 :: 2]:
            kept = await asked(web, query)
            remembered, web.service.deps.kept_days = web.service.deps.kept_days, KeptDays()
            assert kept == await asked(web, query), query
            web.service.deps.kept_days = remembered


async def test_days_that_are_over_are_read_again_when_one_of_them_changes(web: Web) -> None:
    deps: Deps = web.service.deps
    story = Story(now=at("2026-03-02 09:00"))
    await process_batch(web.service, *story.worked("it"))
    query = "from=2026-03-01&to=2026-03-04"
    await asked(web, query)
    (past,) = deps.kept_days._kept.values()

    async def read_again() -> bool:
        nonlocal past
        await asked(web, query)
        before, (past,) = past, deps.kept_days._kept.values()
        return past is not before

    assert not await read_again()
    await process_batch(web.service, *Story(now=at("2026-03-04 09:00")).worked("it"))
    assert not await read_again(), "today is no part of it"
    story.now = at("2026-03-04 09:30")
    await process_batch(web.service, story.of(CaseReturned, department="it", reason="不归我们"))
    assert await read_again(), "what was dispatched two days ago was dispatched wrongly"
    web.clock.later(seconds=AT_MOST.total_seconds() + 1)
    assert await read_again(), "the release before counts no changes"
    web.clock.later(hours=24)
    await asked(web, query)
    assert len(deps.kept_days._kept) == 2, "the day that was today is over"
