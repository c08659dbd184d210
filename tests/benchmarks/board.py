"""What the board costs where cases are many and of all kinds, read anew each time.

Two systems side by side, as in `pages`; but cases are made in SQL (`many.py`), of many departments,
categories, channels, priorities and groups, within the same fourteen months: a hundred times as
many cases are a hundred times as many a day. Only tracking knows of them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx2

from shared.clock import SystemClock
from shared.db.address import parse_address
from shared.embedded import Servers
from shared.moments import LOCAL
from shared.service import Runtime
from tests.benchmarks.load import get
from tests.benchmarks.many import DAYS, fill
from tests.benchmarks.pages import Measured, measure_block
from tests.benchmarks.report import Report
from tests.benchmarks.site import Site, running, site_of_its_own

SIZES = (10_000, 100_000)
LARGE = (10_000, 1_000_000)
BLOCKS = 3
SECONDS = 0.7
LIVE = 20
GOALS = {
    "JSON, kept": (4, 20),
    "page, kept": (12, 40),
    "JSON": (20, 100),
    "page": (40, 400),
    "one filter": (5, 100),
    "one filter, kept": (5, 100),
    "two filters": (20, 400),
    "two filters, kept": (20, 100),
    "thirty days": (20, 400),
    "thirty days, one filter": (20, 400),
    "thirty days, two filters": (20, 400),
    "thirty days, two filters, kept": (20, 100),
}
GROWTH = (1.3, 40.0)


async def run(
    servers: Servers, runtime: Runtime, report: Report, *, sizes: tuple[int, int] = SIZES
) -> None:
    """Fill both, then A B A B …"""
    few, many = sizes
    print(f"\nboard: {few:,} and {many:,} cases of {DAYS} days, {BLOCKS} blocks")
    async with AsyncExitStack() as stack:
        small = await stack.enter_async_context(running(servers, runtime.settings.data))
        large = await stack.enter_async_context(site_of_its_own())
        sites = {few: small, many: large}
        for number, site in sites.items():
            started = time.monotonic()
            await fill(parse_address(site.database).database("express_tracking"), number)
            print(f"  {number:,} cases made in {time.monotonic() - started:.0f} s", flush=True)
        for what in GOALS:
            found = {(number, one): Measured() for number in sizes for one in ("empty route", what)}
            for site in sites.values():
                for one in (what, "empty route"):
                    await measure_block(site, requests(site)[one], Measured(), 0.2)
            for _ in range(BLOCKS):
                for number, site in sites.items():
                    for one in ("empty route", what):
                        await measure_block(site, requests(site)[one], found[number, one], SECONDS)
            _say(report, what, found, sizes)
        for number, site in sites.items():
            took = await _live(site)
            report.figure(f"live, {number:,} cases: said → on the page", took, "ms")
            name = f"live, {number:,} cases, the slowest"
            report.limit(name, max(took) / 1000, "s", goal=1, fails=10)


def requests(site: Site) -> dict[str, Callable[[int], str]]:
    """What is asked for, as a coordinator."""
    since = (SystemClock().now().astimezone(LOCAL) - timedelta(days=30)).date()
    two = "category=seats&channel=web"

    def ask(path: str, *, anew: bool = True) -> Callable[[int], str]:
        more = {"Cache_Control": "no-cache"} if anew else {}
        said = get(path, Authorization=f"Bearer {site.token}", Accept="text/html, */*", **more)
        return lambda n: said

    board = "/api/dashboard"
    return {
        "empty route": ask("/control/empty"),
        "JSON, kept": ask(board, anew=False),
        "page, kept": ask("/dashboard?period=today", anew=False),
        "JSON": ask(board),
        "page": ask("/dashboard?period=today"),
        "one filter": ask(f"{board}?category=seats"),
        "one filter, kept": ask(f"{board}?category=seats", anew=False),
        "two filters": ask(f"{board}?{two}"),
        "two filters, kept": ask(f"{board}?{two}", anew=False),
        "thirty days": ask(f"{board}?from={since}"),
        "thirty days, one filter": ask(f"{board}?category=seats&from={since}"),
        "thirty days, two filters": ask(f"{board}?{two}&from={since}"),
        "thirty days, two filters, kept": ask(f"{board}?{two}&from={since}", anew=False),
    }


async def _live(site: Site) -> list[float]:
    """Milliseconds from sending a comment until an open board was sent a part that changed."""
    took: list[float] = []
    news: asyncio.Queue[float] = asyncio.Queue()
    headers = {"Authorization": f"Bearer {site.token}", "Accept": "text/event-stream"}
    url = str(site.client.base_url)
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as viewer:

        async def watch() -> None:
            async with viewer.stream("GET", "/api/dashboard/stream", headers=headers) as stream:
                async for line in stream.aiter_lines():
                    if line.startswith("data:") and "now" in json.loads(line[5:])["parts"]:
                        news.put_nowait(time.monotonic())

        watching = asyncio.create_task(watch())
        try:
            await news.get()
            for n in range(LIVE):
                await site.quiet()
                while not news.empty():
                    news.get_nowait()
                begun = time.monotonic()
                body = {"text": "占座", "source_message_id": f"live {n}", "channel": "web"}
                said = await site.client.post(
                    "/api/feedback", json=body, headers={"Authorization": f"Bearer {site.adapter}"}
                )
                assert said.status_code == 201, said.text
                async with asyncio.timeout(60):
                    took.append((await news.get() - begun) * 1000)
        finally:
            watching.cancel()
    return took


def _say(
    report: Report, what: str, found: dict[tuple[int, str], Measured], sizes: tuple[int, int]
) -> None:
    """CPU is compared, the database's included: it is what a loaded machine tells truly."""
    few, many = sizes
    goal, fails = GOALS[what]
    for number in sizes:
        report.figure(f"{what}, {number:,} cases", found[number, what].took, "µs")
        cpu = found[number, what].cpu
        report.figure("  cpu, database included", cpu, "µs")
        name = f"{what}, {number:,} / empty route, CPU"
        empty = found[number, "empty route"].cpu
        report.ratio(name, cpu, empty, goal=goal, fails=fails, at_most=True)
    most, too_many = GROWTH
    pair = (found[many, what].cpu, found[few, what].cpu)
    name = f"{what}, {many:,} / {few:,} cases, CPU"
    report.ratio(name, *pair, goal=most, fails=too_many, at_most=True)
