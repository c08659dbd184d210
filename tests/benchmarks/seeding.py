"""Large databases for measuring: real cases, copied by the database itself."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from services.tracking.domain.bands import EDGES
from services.tracking.store.bands import RECOUNT
from shared.db.address import Address

_COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type, c.is_identity = 'YES' AS made,
       coalesce(k.in_key, false) AS in_key
FROM information_schema.columns c
LEFT JOIN (
  SELECT u.table_name, u.column_name, true AS in_key
  FROM information_schema.table_constraints t
  JOIN information_schema.key_column_usage u USING (constraint_name, table_schema)
  WHERE t.constraint_type = 'PRIMARY KEY'
) k USING (table_name, column_name)
WHERE c.table_schema = 'public' ORDER BY c.table_name, c.ordinal_position
"""
_INDEXES = """
SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relname = ANY($1)
  AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid)
"""
_CONSTRAINTS = """
SELECT o.conname AS name, t.relname AS "table", pg_get_constraintdef(o.oid) AS definition
FROM pg_constraint o JOIN pg_class t ON t.oid = o.conrelid
WHERE t.relname = ANY($1) AND o.contype IN ('p', 'u')
"""
_NOT_COPIED = frozenset({"outbox", "dead_letters"})
"""What was sent is no part of what a page reads."""


@dataclass(frozen=True)
class Copies:
    """Copy these cases so many times; each copy stands `apart` after the one before it."""

    feedback_ids: Sequence[str]
    times: int
    apart: timedelta


Then = Callable[[asyncpg.Connection], Awaitable[None]]


async def multiply(address: Address, *copies: Copies, then: Then | None = None) -> int:
    """Copy everything a service keeps of some cases; gives the number of cases made.

    Copies get ids of their own. `then` may change them before the indexes are made again.
    """
    connection = await address.connect(name="bench", command_timeout=3600)
    try:
        tables: dict[str, list[asyncpg.Record]] = {}
        for row in await connection.fetch(_COLUMNS):
            tables.setdefault(row["table_name"], []).append(row)
        tables = {
            table: columns
            for table, columns in tables.items()
            if table not in _NOT_COPIED and "feedback_id" in {c["column_name"] for c in columns}
        }
        async with without_indexes(connection, tables):
            for table, columns in tables.items():
                kept = [c for c in columns if not c["made"]]
                for some in copies:
                    await connection.execute(
                        f'INSERT INTO "{table}" ({", ".join(_quoted(c) for c in kept)}) '
                        f"SELECT {', '.join(map(_copied, kept))} "
                        f'FROM "{table}" t, generate_series(1, $2) AS n '
                        "WHERE feedback_id = ANY($1) AND $3::interval IS NOT NULL",
                        list(some.feedback_ids),
                        some.times,
                        some.apart,
                    )
            if then is not None:
                await then(connection)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
        return sum(len(some.feedback_ids) * some.times for some in copies)
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def without_indexes(
    connection: asyncpg.Connection, tables: Iterable[str]
) -> AsyncIterator[None]:
    """These tables have no indexes in the block, which fills them, and have them again after it:
    made at once they are quicker, and as they are after a rebuild."""
    indexes = await connection.fetch(_INDEXES, list(tables))
    constraints = await connection.fetch(_CONSTRAINTS, list(tables))
    await connection.execute("SET maintenance_work_mem = '512MB'")
    await connection.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
    await connection.execute("SELECT pg_reload_conf()")
    for index in indexes:
        await connection.execute(f'DROP INDEX "{index["name"]}"')
    for one in constraints:
        await connection.execute(f'ALTER TABLE "{one["table"]}" DROP CONSTRAINT "{one["name"]}"')
    yield
    for one in constraints:
        await connection.execute(
            f'ALTER TABLE "{one["table"]}" ADD CONSTRAINT "{one["name"]}" {one["definition"]}'
        )
    for index in indexes:
        # The system that runs makes the index of vectors anew by itself.
        await connection.execute(index["definition"].replace(" INDEX ", " INDEX IF NOT EXISTS ", 1))


async def fill_bands(connection: asyncpg.Connection) -> None:
    """How long things took, by the statement that mends it, into an empty table."""
    await connection.execute(
        "INSERT INTO duration_bands (scope, clock, bucket, band, n, seconds) "
        f"SELECT * FROM ({RECOUNT.format(where='')}) AS s ORDER BY 3",
        list(EDGES),
    )


def _quoted(column: asyncpg.Record) -> str:
    return f'"{column["column_name"]}"'


def _copied(column: asyncpg.Record) -> str:
    called = column["column_name"]
    name = f"t.{_quoted(column)}"
    if called in ("feedback_id", "words_id") or (column["in_key"] and called.endswith("_id")):
        # The first half of an id is the time at which it was made, and stays in that order.
        at = f"(('x' || substr(replace({name}, '-', ''), 1, 12))::bit(48)::bigint"
        at += " + (n * extract(epoch FROM $3::interval) * 1000)::bigint)"
        return f"(lpad(to_hex({at}), 12, '0') || substr(md5({name} || n), 1, 20))::uuid::text"
    if column["data_type"] == "timestamp with time zone" and not column["in_key"]:
        return f"{name} + n * $3::interval"
    if called == "code_hash":
        return f"md5({name} || n)"
    if called == "partition":
        return "n % 12"
    return name
