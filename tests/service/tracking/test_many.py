"""What benchmarks fill the board with is what it would have counted itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from services.tracking.domain.bands import EDGES
from services.tracking.store.bands import RECOUNT
from tests.benchmarks.many import OPEN, TIMES, fill
from tests.service.tracking.conftest import Web
from tests.service.tracking.recount import SCOPES, recount


async def test_sums_of_copied_weeks_equal_a_recount(web: Web) -> None:
    number = OPEN + 20 * TIMES
    await fill(web.service.database, number, now=web.clock.now())
    async with web.service.engine.connect() as connection:

        async def rows(statement: str) -> list[tuple[Any, ...]]:
            found = await connection.execute(text(statement))
            return sorted((*row[:-1], int(row[-1])) for row in found)

        assert await rows("SELECT count(*) FROM cases") == [(number,)]
        names = "measure, scope, bucket, department, detail, n"
        counted = [row for scope in SCOPES for row in await rows(recount(scope))]
        assert await rows(f"SELECT {names} FROM counters") == sorted(counted)
        edges = f"cast('{{{','.join(map(str, EDGES))}}}' AS int[])"
        bands = RECOUNT.format(where="").replace("$1::int[]", edges)
        assert await rows("SELECT scope, clock, bucket, band, n, seconds FROM duration_bands") == (
            await rows(bands)
        )
