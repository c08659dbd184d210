"""What a page costs against a route that only asks who is signed in, at few and at many cases.

Two systems side by side, each a process with PostgreSQL and Kafka of its own: one has 10,000 cases,
the other ten (or, with ``--large``, a hundred) times as many. Every page and the empty route take
turns, block by block, in both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

from shared.clock import SystemClock
from shared.embedded import Servers
from shared.moments import LOCAL
from shared.service import Runtime
from tests.benchmarks.cases import fill, templates
from tests.benchmarks.load import Load, get, run_load
from tests.benchmarks.report import Report
from tests.benchmarks.site import Site, running, site_of_its_own

SIZES = (10_000, 100_000)
LARGE = (10_000, 1_000_000)
CONNECTIONS = 2
BLOCKS = 3
SECONDS = 0.7
"""About so long is a block; how many requests that is, the first block shows."""
DAYS = 30
GOALS = {
    "desk: a queue": (12, 40),
    "desk: a case": (12, 40),
    "board, JSON": (4, 20),
    "board, page": (12, 40),
    "board, JSON, one filter": (5, 25),
    "board, JSON, two filters": (20, 400),
    "the same for thirty days": (20, 400),
    "board, JSON, read anew": (20, 400),
    "board, one filter, read anew": (20, 400),
    "board, two filters, read anew": (20, 400),
    "board, page, this term, read anew": (40, 400),
    "the same for thirty days, read anew": (20, 400),
}
"""Times as much as the empty route: the goal, and what fails."""
GROWTH = (1.3, 4.0)


@dataclass
class Measured:
    """Microseconds per request, block by block: until the answer, and of CPU."""

    took: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


async def run(
    servers: Servers, runtime: Runtime, report: Report, *, sizes: tuple[int, int] = SIZES
) -> None:
    """Fill both, then A B A B …"""
    few, many = sizes
    print(f"\npages: {few:,} and {many:,} cases, {CONNECTIONS} connections, {BLOCKS} blocks")
    async with AsyncExitStack() as stack:
        small = await stack.enter_async_context(running(servers, runtime.settings.data))
        large = await stack.enter_async_context(site_of_its_own())
        asked: dict[int, dict[str, Callable[[int], str]]] = {}
        for number, site in zip(sizes, (small, large), strict=True):
            started = time.monotonic()
            made = await templates(site)
            asked[number] = requests(site, await fill(site, made, number))
            print(f"  {number:,} cases made in {time.monotonic() - started:.0f} s", flush=True)
        found = {(number, what): Measured() for number in sizes for what in ("empty route", *GOALS)}
        for what in GOALS:
            for number, site in zip(sizes, (small, large), strict=True):
                for one in (what, "empty route"):
                    await measure_block(site, asked[number][one], Measured(), 0.2)
            for _ in range(BLOCKS):
                for number, site in zip(sizes, (small, large), strict=True):
                    for one in ("empty route", what):
                        await measure_block(site, asked[number][one], found[number, one], SECONDS)
    _say(report, found, sizes)


def requests(site: Site, cases: list[str]) -> dict[str, Callable[[int], str]]:
    """What is asked for, as a coordinator; `cases` are some of all."""
    person = f"Bearer {site.token}"
    since = (SystemClock().now().astimezone(LOCAL) - timedelta(days=DAYS)).date()
    two = "category=seats&channel=web"
    paths: dict[str, Callable[[int], str]] = {
        "empty route": lambda n: "/control/empty",
        "desk: a queue": lambda n: "/desk?queue=triage",
        "desk: a case": lambda n: f"/desk/cases/{cases[n % len(cases)]}",
        "board, JSON": lambda n: "/api/dashboard",
        "board, page": lambda n: "/dashboard?period=today",
        "board, JSON, one filter": lambda n: "/api/dashboard?priority=P3",
        "board, JSON, two filters": lambda n: f"/api/dashboard?{two}",
        "the same for thirty days": lambda n: f"/api/dashboard?{two}&from={since}",
    }

    anew = {
        "board, JSON, read anew": paths["board, JSON"],
        "board, one filter, read anew": paths["board, JSON, one filter"],
        "board, page, this term, read anew": lambda n: "/dashboard?period=term",
        "board, two filters, read anew": paths["board, JSON, two filters"],
        "the same for thirty days, read anew": paths["the same for thirty days"],
    }

    def request(path: Callable[[int], str], **headers: str) -> Callable[[int], str]:
        return lambda n: get(path(n), Authorization=person, Accept="text/html, */*", **headers)

    # The board keeps an answer until something is written: anew is what the next one costs.
    return {what: request(path) for what, path in paths.items()} | {
        what: request(path, Cache_Control="no-cache") for what, path in anew.items()
    }


async def measure_block(
    site: Site,
    request: Callable[[int], str],
    measured: Measured,
    seconds: float,
    load: Load = run_load,
) -> None:
    """Ask for about so long; adds what one request took."""
    pace = measured.took[0] / 1e6 if measured.took else 0.0
    # Without a figure from before, a few requests say how long one takes.
    if not pace:
        first = await _ask(site, request, 4, load)
        pace = first["seconds"] / 4
    number = max(4, min(2_000, int(seconds / pace)))
    cpu = site.cpu()
    done = await _ask(site, request, number, load)
    measured.took.append(done["seconds"] / number * 1e6)
    measured.cpu.append((site.cpu() - cpu) / number * 1e6)


async def _ask(
    site: Site, request: Callable[[int], str], number: int, load: Load
) -> dict[str, float]:
    done = await load(
        {
            "host": "127.0.0.1",
            "port": site.port,
            "connections": CONNECTIONS,
            "requests": [request(n) for n in range(number)],
        }
    )
    assert done["accepted"] == done["answered"] == number, done["statuses"]
    return done


def _say(report: Report, found: dict[tuple[int, str], Measured], sizes: tuple[int, int]) -> None:
    for (number, what), measured in found.items():
        report.figure(f"{what}, {number:,} cases", measured.took, "µs")
        report.figure("  cpu, database included", measured.cpu, "µs")
    few, many = sizes
    for n, (what, (goal, fails)) in enumerate(GOALS.items()):
        turns = slice(n * BLOCKS, (n + 1) * BLOCKS)
        for number in sizes:
            report.ratio(
                f"{what}, {number:,} / empty route",
                found[number, what].took,
                found[number, "empty route"].took[turns],
                goal=goal,
                fails=fails,
                at_most=True,
            )
        goal, fails = GROWTH
        report.ratio(
            f"{what}, {many:,} / {few:,} cases",
            found[many, what].took,
            found[few, what].took,
            goal=goal,
            fails=fails,
            at_most=True,
        )
