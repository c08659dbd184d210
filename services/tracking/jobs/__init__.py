"""The entry point for the clock: what other processes did to the views."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import text

from services.tracking.deps import BOARD, Deps
from services.tracking.deps.pace import PACE, projects_all
from services.tracking.store import bands, gauges, generation
from services.tracking.store.board import changes as changes_of_the_board
from shared.observability import metrics
from shared.service import Service

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds."""
GAUGES_EVERY = 15.0
"""Seconds; Prometheus asks about as often."""
BANDS_EVERY = 3600.0
"""Seconds."""


async def follow_generation(service: Service[Deps]) -> None:
    """Read the log from the beginning once somebody began the views anew."""
    while True:
        async with service.engine.connect() as connection:
            group = generation.group_of(await generation.current(connection))
        if group != service.group:
            log.info("views are projected anew", service=service.name, group=group)
            await service.rejoin(group)
        await asyncio.sleep(LOOK_EVERY)


async def keep_bands_true(service: Service[Deps]) -> None:
    """Mend what the release before wrote while it ran beside this one: it knows no bands."""
    while True:
        await mend_bands(service)
        await asyncio.sleep(BANDS_EVERY)


async def mend_bands(service: Service[Deps]) -> None:
    """Once, a day at a time."""
    async with service.engine.connect() as connection:
        for day in await bands.days_that_differ(connection):
            log.info("how long things took is counted anew", day=day.isoformat())
            await bands.count_anew(connection, day)


async def publish_gauges(service: Service[Deps]) -> None:
    """Keep what `/metrics` says about cases current."""
    while True:
        await set_gauges(service)
        await asyncio.sleep(GAUGES_EVERY)


async def set_gauges(service: Service[Deps]) -> None:
    """Once. What there is no more of is no longer said."""
    async with service.engine.connect() as connection:
        found = await gauges.measure(connection, service.runtime.clock.now())
    metrics.OPEN_CASES.clear()
    for (state, department), n in found.open.items():
        metrics.OPEN_CASES.labels(state, department).set(n)
    for gauge, by in (
        (metrics.OVERDUE_CASES, found.overdue),
        (metrics.DUE_WITHIN_HOUR, found.due_soon),
        (metrics.RETURN_RATIO, found.return_ratio),
        (metrics.UNDELIVERED, found.undelivered),
    ):
        gauge.clear()
        for label, value in by.items():
            gauge.labels(label).set(value)


async def look_for_changes(service: Service[Deps]) -> None:
    """Notify of cases that another replica projected: one query for everybody who waits here."""
    changes = service.deps.changes
    seen: dict[str, int] = {}
    while True:
        await asyncio.sleep(LOOK_EVERY)
        keys = [key for key in changes.keys if key != BOARD]
        if not keys:
            seen.clear()
            continue
        async with service.engine.connect() as connection:
            found = await connection.execute(
                text(
                    "SELECT feedback_id AS key, seq FROM cases WHERE feedback_id = ANY(:keys) "
                    "UNION ALL "
                    "SELECT code_hash, 0 FROM cases WHERE code_hash = ANY(:keys)"
                ),
                {"keys": keys},
            )
            latest = {row.key: row.seq for row in found}
        for key, seq in latest.items():
            if seen.get(key) != seq:
                changes.notify(key)
        seen = latest


async def look_at_the_board(service: Service[Deps]) -> None:
    """Hear of what others changed, for those who watch the board and for answers that are kept.

    A process that is given the whole log looks for what a command changed, now and then.
    """
    deps = service.deps
    while True:
        alone = projects_all(service)
        await asyncio.sleep(LOOK_EVERY if alone else PACE.total_seconds())
        # Who asks for an answer of a replica looks for themselves.
        if BOARD in deps.changes.keys or (alone and len(deps.answers)):
            async with service.engine.connect() as connection:
                deps.board.looked(await changes_of_the_board(connection))
