"""A month's report as a table: how soon its first row is there, and what its process holds.

The cases are made by one statement. The stream is read in a process of its own, as slowly as it
comes, the way the route sends it; beside it a process that reads a table of one row.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.tracking.api.context import ViewContext
from services.tracking.api.reports import _table
from services.tracking.app import build
from services.tracking.domain.board import Question
from shared.embedded import Servers
from shared.service import Runtime, Service
from tests import support
from tests.benchmarks.report import Report

ROWS, LARGE = 20_000, 1_000_000
AT_ONCE = 20_000
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 31
KINDS = ("csv", "xlsx")
_FILL = """
INSERT INTO cases (feedback_id, code_hash, received_at, channel, place, title, confidential, state,
  department, category, case_type, priority, seq, dispatches, returns, reopenings, promises,
  measured, details, extended, locale, overdue, resolution_overdue, rights)
SELECT '0195' || lpad(to_hex(n), 28, '0'), lpad(to_hex(n), 64, '0'),
  timestamptz '2026-03-01Z' + n * interval '31 days' / $1::int, 'web', '三层东区', '三层东区' || n || '一上午都是一个水杯占着',
  n % 50 = 0, 'CLOSED', 'space', 'seats', 'complaint', 'P3', 12, 1, 0, 0,
  '{"RESOLUTION": {"due": "2026-04-08T09:00:00+00:00", "first_due": "2026-04-07T09:00:00+00:00"}}',
  '{"broken": true}', '{}', false, 'zh', false, false, '{}'
FROM generate_series($2::int, $3::int) AS n
"""  # noqa: E501


async def run(servers: Servers, runtime: Runtime, report: Report, *, rows: int = ROWS) -> None:
    """Fill, then read as CSV and as XLSX."""
    print(f"\nreports: a month of {rows:,} cases")
    service = await support.prepared(build, runtime)
    started = time.monotonic()
    await fill(service, rows)
    async with service.engine.begin() as connection:
        await connection.exec_driver_sql("ANALYZE cases")
    await service.engine.dispose()
    print(f"  made in {time.monotonic() - started:.0f} s", flush=True)
    for kind in KINDS:
        one, all_of_them = _read(runtime, kind, 1), _read(runtime, kind, 0)
        assert all_of_them["rows"] == rows, all_of_them
        report.figure(f"{kind}, all of it", [all_of_them["took"]], "s")
        report.figure("  its size", [all_of_them["bytes"] / 1e6], "MB")
        report.limit(f"{kind}: first row", all_of_them["first"], " s", goal=1, fails=60)
        held = all_of_them["peak"] - one["peak"]
        report.limit(f"{kind}: held beside what one row takes", held, " MB", goal=100, fails=400)


async def fill(service: Service, rows: int) -> None:
    """So many cases, a portion at a time: no statement may take long."""
    for begin in range(0, rows, AT_ONCE):
        async with service.transaction() as tx:
            last = min(begin + AT_ONCE, rows) - 1
            await tx.fetch(await _fitting(tx), rows, begin, last)


async def _fitting(tx: support.Transaction) -> str:
    """The statement, with only the columns that there are."""
    found = await tx.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'cases' "
        "AND is_nullable = 'NO' AND column_default IS NULL"
    )
    named = _FILL.partition("(")[2].partition(")")[0]
    missing = {row[0] for row in found} - {one.strip() for one in named.split(",")}
    assert not missing, f"columns that the benchmark does not fill: {sorted(missing)}"
    return _FILL


def _read(runtime: Runtime, kind: str, days: int) -> dict[str, float]:
    """By a process of its own; `days` of 0 is the whole month."""
    given = [runtime.database, kind, str(days)]
    said = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.reports", *given],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(said.stdout.splitlines()[-1])
    return found


def _peak() -> float:
    """The most this process has held, in MB; unlike `getrusage` without what its parent held."""
    status = Path("/proc/self/status").read_text()
    (line,) = [one for one in status.splitlines() if one.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


async def _stream(database: str, kind: str, days: int) -> dict[str, float]:
    last = FIRST + (timedelta(seconds=1) if days else timedelta(days=DAYS))
    with tempfile.TemporaryDirectory() as data:
        runtime = support.make_runtime(database, "127.0.0.1:1", Path(data))
        service = build(runtime)
        await service.connect()
        context = ViewContext.of(runtime, "zh")
        question = Question(FIRST, last, runtime.clock.now())
        started, first, size, lines = time.monotonic(), 0.0, 0, 0
        async for part in _table(service, question, kind, context):
            first = first or time.monotonic() - started
            size += len(part)
            lines += part.count(b"\r\n") if kind == "csv" else 0
        took = time.monotonic() - started
        async with service.transaction() as tx:
            counted = (await tx.fetch("SELECT count(*) FROM cases"))[0][0]
        await service.engine.dispose()
    rows = lines - 1 if kind == "csv" else counted
    return {"first": first, "took": took, "bytes": size, "rows": rows, "peak": _peak()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_stream(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
