"""What routing does by itself: follow the rules as they are stored."""

from __future__ import annotations

import asyncio

import structlog

from shared.service import Service

log = structlog.get_logger()

FOLLOW_EVERY = 5.0
"""Seconds after which an edit made in another process counts here."""


async def refresh_rules(service: Service) -> None:
    """Use what is stored."""
    async with service.engine.connect() as connection:
        if await service.tools.rules.refresh(connection):
            log.info("rules in force", version=service.tools.rules.version)


async def follow_rules(service: Service) -> None:
    """Use what is stored, for ever."""
    while True:
        await refresh_rules(service)
        await asyncio.sleep(FOLLOW_EVERY)
