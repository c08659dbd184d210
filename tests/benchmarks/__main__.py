"""``make bench``: figures of this machine, in one run, as ratios. Fails only on a ratio.

``make bench ARGS="intake latency"`` runs some parts; ``make bench ARGS="pages --large"`` with as
many cases as the goals are about, which takes 12 GB of disk and long to make.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import uvloop

from shared.embedded import start_servers
from shared.observability import logs
from tests import support
from tests.benchmarks import (
    board,
    consumers,
    desk,
    events,
    helpdesk,
    intake,
    latency,
    marks,
    meaning,
    pages,
    reports,
    routing,
    start,
    surges,
)
from tests.benchmarks.report import Report

PARTS = {
    "intake": intake.run,
    "consumers": consumers.run,
    "latency": latency.run,
    "events": events.run,
    "marks": marks.run,
    "pages": pages.run,
    "desk": desk.run,
    "board": board.run,
    "reports": reports.run,
    "helpdesk": helpdesk.run,
    "routing": routing.run,
    "meaning": meaning.run,
    "start": start.run,
    "surges": surges.run,
}
LARGE = {
    "pages": partial(pages.run, sizes=pages.LARGE),
    "board": partial(board.run, sizes=board.LARGE),
    "reports": partial(reports.run, rows=reports.LARGE),
    "helpdesk": partial(helpdesk.run, cases=helpdesk.LARGE),
}
"""The same with many cases."""


async def main(wanted: list[str], *, large: bool) -> int:
    """Run the wanted parts, each on fresh servers."""
    report, begun = Report(), time.monotonic()
    parts = PARTS | LARGE if large else PARTS
    print(f"{os.cpu_count()} cores for load, broker, database and services")
    for name in wanted:
        # Of the last minute: the part before is in it, and whatever else the machine does.
        load, started = os.getloadavg()[0], time.monotonic()
        with tempfile.TemporaryDirectory(prefix="express-bench-", dir="/tmp") as data:
            servers = await start_servers(Path(data), kafka=True, postgres=True)
            try:
                assert servers.database_url
                assert servers.kafka_address
                runtime = support.make_runtime(
                    servers.database_url, servers.kafka_address, Path(data)
                )
                await parts[name](servers, runtime, report)
            finally:
                await servers.stop()
        print(f"  {name}: {time.monotonic() - started:.0f} s; load before: {load:.1f}", flush=True)
    report.summary()
    print(f"{time.monotonic() - begun:.0f} s")
    return 1 if report.failed else 0


if __name__ == "__main__":
    logs.configure(level=50)
    # Clients complain while servers are stopped under them; figures are all that is said here.
    logging.disable(logging.CRITICAL)
    large = "--large" in sys.argv[1:]
    asked = [a for a in sys.argv[1:] if a != "--large"] or list(PARTS)
    if unknown := [a for a in asked if a not in PARTS]:
        sys.exit(f"there is no part {unknown[0]!r}; choose from {', '.join(PARTS)}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        raise SystemExit(runner.run(main(asked, large=large)))
