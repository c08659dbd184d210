"""Beginning the views anew, so that nothing read for the old ones can reach the new ones."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.transaction import Transaction

VIEWS = (
    "cases",
    "lines",
    "durations",
    "duration_bands",
    "occurrences",
    "counters",
    "streams",
    "dead_letters",
)
PROJECTION = 12
"""Counted up whenever what is projected from the same log becomes more or different: the views are
then begun anew by the first process that starts with this code."""


class StaleGeneration(TimeoutError):
    """The views were begun anew and this consumer still reads for the old ones; it will rejoin.

    A `TimeoutError`, since it passes by itself: the partition waits, nothing is buried.
    """


def group_of(number: int) -> str:
    """The consumer group that fills the views of this generation."""
    return f"tracking-{number}"


async def current(connection: AsyncConnection) -> int:
    """The generation the views are of."""
    number = (await connection.execute(text("SELECT number FROM generation"))).scalar()
    return 1 if number is None else int(number)


async def guard(tx: Transaction, group: str) -> None:
    """Let only the present generation write. The share lock makes `begin_anew` wait for it."""
    found = await tx.fetch("SELECT number FROM generation FOR SHARE")
    if not found:
        await tx.fetch(
            "INSERT INTO generation (one, number, projection) VALUES (1, 1, $1) "
            "ON CONFLICT DO NOTHING",
            PROJECTION,
        )
    number = found[0]["number"] if found else 1
    if group_of(number) != group:
        raise StaleGeneration(f"{group} is over, {group_of(number)} has begun")


async def is_outdated(connection: AsyncConnection) -> bool:
    """Whether the views were filled by code that projected less; locks the row in that case.

    Newer code may have been here and gone again: what it filled stays as it is.
    """
    found = await connection.execute(text("SELECT projection FROM generation FOR UPDATE"))
    projection = found.scalar()
    if projection is None:
        # Nothing was read under a number yet; what stands here without one is older than it.
        some = await connection.execute(text("SELECT EXISTS (SELECT FROM cases)"))
        return bool(some.scalar())
    return int(projection) < PROJECTION


async def begin_anew(connection: AsyncConnection) -> int:
    """Empty all views and begin the next generation, in the caller's transaction.

    First the number, then the tables: a batch takes its locks in the same order.
    """
    number = (
        await connection.execute(
            text(
                "INSERT INTO generation (one, number, projection) VALUES (1, 2, :projection) "
                "ON CONFLICT (one) DO UPDATE SET number = generation.number + 1, "
                "projection = excluded.projection RETURNING number"
            ),
            {"projection": PROJECTION},
        )
    ).scalar_one()
    await connection.execute(text(f"TRUNCATE {', '.join(VIEWS)}"))
    # Not emptied: whoever kept sums of a day would take its number, grown again, for the old one.
    await connection.execute(text("UPDATE changed_days SET times = times + 1"))
    return int(number)
