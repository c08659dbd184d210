"""Looks for surges: counts every case, and asks of each that is new whether it makes one.

Counting and judging are two transactions, each whole: who is killed between them, or in them, has
done both or neither, and the next one to come goes on. One process at a time judges.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from services.desk.deps import Deps, deps_of
from services.desk.domain.surges import QUIET, WINDOWS, keys_of
from services.desk.store import surges
from services.desk.store.surges import Counted, Surge
from shared.messaging.transaction import Transaction
from shared.service import Service

LOOK_EVERY = 20.0
LOOK_AT_ALL = 600.0
"""Seconds after which all cases are looked through for one that is not counted: who was killed
before counting may have left some."""
PAUSE = 3.0
"""Seconds between two looks: what arrives together is looked at together."""
AT_ONCE = 50
WAIT_FOR_MEANING = timedelta(seconds=30)
"""Each is compared by its vector; after so long, and while no model answers, by its words."""
LAPSES = timedelta(days=3)
"""What nobody judged by then is not asked about any more."""
_READ_AT_ONCE = 5
"""Cases that are read for their keys before others have their turn."""


async def watch(service: Service[Deps]) -> None:
    """For ever: soon after a case came, and every so often."""
    received, look_at = service.deps.received, 0.0
    while True:
        received.came.clear()
        if received.missed or time.monotonic() >= look_at:
            received.missed, look_at = False, time.monotonic() + LOOK_AT_ALL
            # Fewer than asked for were all there are.
            while await count_cases(service) >= AT_ONCE:
                await asyncio.sleep(0)
        while arrived := received.take(AT_ONCE):
            await count_arrived(service, arrived)
        while await judge_cases(service) >= AT_ONCE:
            await asyncio.sleep(0)
        await asyncio.sleep(PAUSE)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await received.came.wait()


async def count_cases(service: Service[Deps]) -> int:
    """Count cases under what they are about, the oldest of all first; how many."""
    async with service.transaction() as tx:
        return await _count(tx, await surges.uncounted(tx, AT_ONCE))


async def count_arrived(service: Service[Deps], feedback_ids: Sequence[str]) -> int:
    """Count these cases, unless they are counted; how many."""
    async with service.transaction() as tx:
        return await _count(tx, await surges.uncounted_of(tx, feedback_ids))


async def _count(tx: Transaction, rows: Sequence[Any]) -> int:
    counted = []
    for n, row in enumerate(rows, 1):
        keys = sorted(keys_of(f"{row['title']}\n{row['text']}", row["place"]))
        over = row["at"] <= tx.now - WINDOWS[-1]
        counted.append(Counted(row["feedback_id"], row["at"], keys, judged=over))
        if not n % _READ_AT_ONCE:
            await asyncio.sleep(0)
    if counted:
        # Locked, so that nothing is kept of a person erased meanwhile, and only now: reporters
        # wait for what else is done to their cases.
        await tx.lock(*(c.feedback_id for c in counted))
        await surges.count(tx, counted)
    return len(counted)


async def judge_cases(service: Service[Deps]) -> int:
    """Ask of the next cases whether they make a surge; how many were asked."""
    async with service.transaction() as tx:
        if not await surges.alone(tx):
            return 0
        wait = WAIT_FOR_MEANING * deps_of(tx).meaning.embedder.available
        rows = await surges.unjudged(tx, tx.now - WINDOWS[-1], tx.now - wait, AT_ONCE)
        if len(rows) < AT_ONCE:
            await _lapse(tx)
        if not rows:
            return 0
        from services.desk.jobs.look import Look  # brings numpy along, once there is a case

        look = Look(tx, await surges.since(tx, tx.now - QUIET))
        for row in rows:
            await look.at_case(row)
        await look.keep_grown()
        await surges.judged(tx, [row["feedback_id"] for row in rows])
    return len(rows)


async def _lapse(tx: Transaction) -> None:
    for one in await surges.suggested(tx):
        if one.last_at < tx.now - LAPSES:
            one.status, one.decided_at = "lapsed", tx.now
            await tell(tx, one)


async def tell(tx: Transaction, one: Surge, **by: Any) -> None:
    """Emit a surge as it is now: here it is known at once, elsewhere when the directory has it."""
    event = await surges.list_surge(tx, one, **by)
    tx.after_commit(partial(deps_of(tx).directory.apply, event))
