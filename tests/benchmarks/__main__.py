"""``make bench``: figures of this machine, in one run, as ratios. Fails only on a ratio.

``make bench ARGS=intake`` (or ``consumers``, ``latency``) runs a part.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from shared.embedded import start_servers
from shared.observability import logs
from tests import support
from tests.benchmarks import consumers, intake, latency
from tests.benchmarks.report import Report

PARTS = {"intake": intake.run, "consumers": consumers.run, "latency": latency.run}


async def main(wanted: list[str]) -> int:
    """Run the wanted parts, each on fresh servers."""
    report, started = Report(), time.monotonic()
    load = ", ".join(f"{n:.1f}" for n in os.getloadavg())
    print(f"{os.cpu_count()} cores for load, broker, database and services; load before: {load}")
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="express-bench-", dir="/tmp") as data:
            servers = await start_servers(Path(data), kafka=True, postgres=True)
            try:
                assert servers.database_url
                assert servers.kafka_address
                house = support.make_house(servers.database_url, servers.kafka_address, Path(data))
                await PARTS[name](servers, house, report)
            finally:
                await servers.stop()
    report.summary()
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if report.failed else 0


if __name__ == "__main__":
    logs.configure(level=50)
    # Clients complain while servers are stopped under them; figures are all that is said here.
    logging.disable(logging.CRITICAL)
    asked = sys.argv[1:] or list(PARTS)
    if unknown := [a for a in asked if a not in PARTS]:
        sys.exit(f"there is no part {unknown[0]!r}; choose from {', '.join(PARTS)}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        raise SystemExit(runner.run(main(asked)))
