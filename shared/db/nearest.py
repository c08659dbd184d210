"""The nearest of many vectors: an index over a column of reals, where `vector` is installed.

The table is the same on every server: ``real[]`` beside the name of the model that made it. The
index is over the expression ``vector::halfvec(n)`` of one model's rows, so that it is found only by
a query that says both word for word. Numbers of two bytes are exact enough to rank by, and half as
much is read, and kept in memory while the index is built.
"""

from __future__ import annotations

import hashlib

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

EXTENSION = "vector"
_CREATE = """
CREATE INDEX CONCURRENTLY {name} ON {table}
USING hnsw ((vector::halfvec({n})) halfvec_cosine_ops) WHERE model = '{model}'
"""
_BUILDING = {"maintenance_work_mem": "256MB", "max_parallel_maintenance_workers": "0"}
"""What some 150,000 vectors need at once: beyond it each is put into the index on disk, which takes
many times as long. By one process: others would take cores from whoever works, and need as much
shared memory, which a container has not."""
_INDEXES = """
SELECT c.relname AS name, i.indisvalid AS valid
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = $1::text::regclass AND starts_with(c.relname, $2)
"""


async def extension_installed(connection: AsyncConnection) -> bool:
    """Whether this database knows vectors."""
    found = await connection.exec_driver_sql(
        "SELECT 1 FROM pg_extension WHERE extname = $1", (EXTENSION,)
    )
    return found.first() is not None


async def index(driver: asyncpg.Connection, table: str, model: str, dimensions: int) -> bool:
    """Build the index of `model` beside the writers and drop those of other models.

    True where one was built. `driver` is in no transaction. One of a process that was killed
    meanwhile is INVALID, and built again.
    """
    prefix = f"{table}_nearest_"
    name = prefix + hashlib.sha256(f"{model} half {dimensions}".encode()).hexdigest()[:12]
    there = {row["name"]: row["valid"] for row in await driver.fetch(_INDEXES, table, prefix)}
    for other, valid in there.items():
        if other != name or not valid:
            await driver.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{other}"')
    if there.get(name):
        return False
    statement = _CREATE.format(name=name, table=table, n=dimensions, model=literal(model))
    for setting, value in _BUILDING.items():
        await driver.execute("SELECT set_config($1, $2, false)", setting, value)
    try:
        await driver.execute(statement, timeout=3600)
    finally:
        for setting in _BUILDING:
            await driver.execute(f"RESET {setting}")
    return True


def literal(model: str) -> str:
    """A name inside a statement: the index is found only where its condition stands word for word.

    ``%`` and ``:`` mean nothing to the driver; quotes are doubled.
    """
    return model.replace("'", "''").replace("\0", "")
