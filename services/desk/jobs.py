"""What desk does when time passes: a question nobody answers does not hold a case for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import text

from services.desk.domain import Action, advance
from services.desk.store import case_of, find, keep, load
from shared.contracts import SYSTEM
from shared.contracts.vocabulary import State
from shared.service import Service

ANSWER_WITHIN = timedelta(days=7)
EVERY = 60.0
_FOUND = text(
    "SELECT feedback_id FROM cases WHERE state = 'WAITING_USER' AND waiting_since <= :since "
    "ORDER BY waiting_since LIMIT 100"
)


async def end_waiting(service: Service) -> int:
    """Take up the cases whose reporter has not answered in time; says how many."""
    async with service.engine.connect() as connection:
        since = service.house.clock.now() - ANSWER_WITHIN
        found = list((await connection.execute(_FOUND, {"since": since})).scalars())
    for feedback_id in found:
        async with service.transaction() as tx:
            await tx.lock(feedback_id)
            await load(tx, [feedback_id])
            row = find(tx, feedback_id)
            # The answer may have come since we looked.
            if row is not None and row.state == State.WAITING_USER:
                keep(tx, row, advance(case_of(row), Action.TIME_OUT, by=SYSTEM, at=tx.now))
    return len(found)


async def keep_ending(service: Service) -> None:
    """For ever, once a minute."""
    while True:
        await end_waiting(service)
        await asyncio.sleep(EVERY)
