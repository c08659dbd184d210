"""Waiting until something that was committed is out on the log."""

from __future__ import annotations

import asyncio

from shared.contracts import Event
from shared.service import Service

LOOK_EVERY = 0.2
"""Seconds."""
_LAST = """
SELECT partition, "offset" FROM outbox
WHERE seq IS NULL AND topic = $1 AND key = $2 AND headers->>'ce_type' = $3
ORDER BY id DESC LIMIT 1
"""


async def published(service: Service, event: type[Event], key: str) -> tuple[int, int]:
    """Partition and offset of the last event of this type and key, once the relay has sent it."""
    while True:
        async with service.transaction() as tx:
            rows = await tx.fetch(_LAST, event.topic, key, event.type)
        if rows and rows[0]["offset"] is not None:
            return rows[0]["partition"], rows[0]["offset"]
        await asyncio.sleep(LOOK_EVERY)
