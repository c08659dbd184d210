"""The door for the clock: what other processes did to the views."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import text

from services.tracking.store import generation
from shared.service import Service

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds."""


async def follow_generation(service: Service) -> None:
    """Read the log from the beginning once somebody began the views anew."""
    while True:
        async with service.engine.connect() as connection:
            group = generation.group_of(await generation.current(connection))
        if group != service.group:
            log.info("views are projected anew", service=service.name, group=group)
            await service.rejoin(group)
        await asyncio.sleep(LOOK_EVERY)


async def look_for_news(service: Service) -> None:
    """Ring for cases that another replica projected: one query for everybody who listens here."""
    bell = service.tools.bell
    seen: dict[str, int] = {}
    while True:
        await asyncio.sleep(LOOK_EVERY)
        keys = bell.keys
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
                bell.ring(key)
        seen = latest
