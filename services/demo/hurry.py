"""While the months are played nothing need outlive a power cut: they would be begun anew anyway.

On a slow disk most of the play would be waiting for it otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

from shared.db.address import parse_address

_FOR_POWER_CUTS = ("full_page_writes", "fsync")
_LOOK_AGAIN = 0.02
"""Seconds."""


@contextlib.asynccontextmanager
async def without_waiting_for_the_disk(database: str) -> AsyncIterator[None]:
    """The embedded server at this URL hands its writes to the system and does not wait for them.

    Afterwards everything is on the disk, and each commit waits for it again.
    """
    await _set(database, "off")
    yield
    await _set(database, "on")
    await asyncio.to_thread(os.sync)


async def _set(database: str, value: str) -> None:
    async def ask(statement: str) -> object:
        connection = await parse_address(database).connect(name="demo")
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    for name in _FOR_POWER_CUTS:
        await ask(f"ALTER SYSTEM SET {name} = {value}")
    await ask("SELECT pg_reload_conf()")
    # A connection that begins after the server has read its settings has them.
    while await ask("SHOW fsync") != value:
        await asyncio.sleep(_LOOK_AGAIN)
    await ask("CHECKPOINT")
