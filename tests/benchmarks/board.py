"""What the board costs where cases are many and of all kinds: kept, read anew, while comments come.

Two systems side by side, as in `pages`; but cases are made in SQL (`many.py`), of many departments,
categories, channels, priorities and groups, within the same fourteen months: a hundred times as
many cases are a hundred times as many a day. Only tracking knows of them.
"""

from __future__ import annotations

import asyncio
import json
import re
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
from shared.tasks import end
from tests.benchmarks.coming import changes_coming
from tests.benchmarks.load import get, run_load
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
WHILE = {"JSON": (4, 20), "page": (12, 40), "one filter": (5, 25), "two filters": (20, 100)}
"""Asked while comments come: who asks has what is kept, and after each move it is read once."""
GROWTH = (1.3, 40.0)
_RECEIVED = re.compile(r'id="tile-received".*?tile-value">(\d+)<', re.DOTALL)
NOW_AND_THEN, LOOKS = 0.1, 2.0
"""Seconds from one request to the next, and for which they come."""
SEEN = 15.0
"""Seconds for which an open board is watched while comments come."""


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
            _say(report, what, GOALS[what], found, sizes)
        for what, goal in WHILE.items():
            await _while_comments_come(report, what, goal, sites)
        for number, site in sites.items():
            took = await _live(site)
            report.figure(f"live, {number:,} cases: said → on the page", took, "ms")
            name = f"live, {number:,} cases, the slowest"
            report.limit(name, max(took) / 1000, "s", goal=1, fails=10)
            took = await _live_while_comments_come(site)
            report.figure(f"live, {number:,} cases, comments come: on the page", took, "ms")
            name = f"live, {number:,} cases, comments come, the slowest"
            report.limit(name, max(took) / 1000, "s", goal=1, fails=10)


async def _while_comments_come(
    report: Report, what: str, goal: tuple[float, float], sites: dict[int, Site]
) -> None:
    """The same turns as without them; what taking them in costs is in both of a pair.

    Asked all the time nearly every answer is a kept one; ten times a second every third is read.
    """
    asked = f"{what}, kept" if f"{what}, kept" in GOALS else what
    turns = (("empty route", "empty route"), (what, asked))
    found = {(n, one): Measured() for n in sites for one, _ in turns}
    now_and_then: dict[tuple[int, str], list[float]] = {key: [] for key in found}
    for block in range(BLOCKS + 1):
        for number, site in sites.items():
            async with changes_coming(site.client) as came:
                # The first block is to get warm.
                for one, path in turns:
                    measured = found[number, one] if block else Measured()
                    await measure_block(site, requests(site)[path], measured, SECONDS)
                for one, path in turns if block else ():
                    took = await _now_and_then(site, requests(site)[path])
                    now_and_then[number, one].append(took)
            assert came["committed"], "nothing came"
    said = "while comments come: "
    _say(report, what, goal, found, tuple(sites), said)
    for number in sites:
        name = f"{said}{what}, {number:,}, {1 / NOW_AND_THEN:.0f} a second"
        took = now_and_then[number, what]
        report.figure(name, took, "µs")
        most, fails = goal
        empty = now_and_then[number, "empty route"]
        report.ratio(f"{name} / empty", took, empty, goal=most, fails=fails, at_most=True)


async def _now_and_then(site: Site, request: Callable[[int], str]) -> float:
    """Microseconds until the answer, in the mean, where one person or program asks."""
    number = int(LOOKS / NOW_AND_THEN)
    order = {
        "host": "127.0.0.1",
        "port": site.port,
        "connections": 1,
        "every": NOW_AND_THEN,
        "requests": [request(n) for n in range(number)],
    }
    done = await run_load(order)
    assert done["accepted"] == number, done["statuses"]
    return float(sum(done["times"])) / number * 1e6


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


async def _live_while_comments_come(site: Site) -> list[float]:
    """Milliseconds from the commit of each receipt until an open board was sent its number."""
    shown: list[tuple[float, int]] = []
    headers = {"Authorization": f"Bearer {site.token}", "Accept": "text/event-stream"}
    url = str(site.client.base_url)

    async def watch(viewer: httpx2.AsyncClient) -> None:
        async with viewer.stream("GET", "/api/dashboard/stream", headers=headers) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:") and (now := json.loads(line[5:])["parts"].get("now")):
                    number = _RECEIVED.search(now)
                    assert number
                    shown.append((time.monotonic(), int(number[1])))

    await site.quiet()
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as viewer:
        watching = asyncio.create_task(watch(viewer))
        try:
            async with asyncio.timeout(60):
                while not shown:
                    await asyncio.sleep(0.05)
            _, before = shown[-1]
            async with changes_coming(site.client) as came:
                await asyncio.sleep(SEEN)
            async with asyncio.timeout(60):
                while shown[-1][1] < before + len(came["received"]):
                    await asyncio.sleep(0.05)
        finally:
            await end([watching])
    # What is shown never falls, so the first that is high enough is the first that has it.
    return [
        (next(at for at, number in shown if number >= before + n) - committed) * 1000
        for n, committed in enumerate(came["received"], 1)
    ]


def _say(
    report: Report,
    what: str,
    limits: tuple[float, float],
    found: dict[tuple[int, str], Measured],
    sizes: tuple[int, ...],
    said: str = "",
) -> None:
    """CPU is compared, the database's included: it is what a loaded machine tells truly."""
    few, many = sizes
    goal, fails = limits
    what, asked = f"{said}{what}", what
    for number in sizes:
        report.figure(f"{what}, {number:,} cases", found[number, asked].took, "µs")
        cpu = found[number, asked].cpu
        report.figure("  cpu, database included", cpu, "µs")
        name = f"{what}, {number:,} / empty route, CPU"
        empty = found[number, "empty route"].cpu
        report.ratio(name, cpu, empty, goal=goal, fails=fails, at_most=True)
    most, too_many = GROWTH
    pair = (found[many, asked].cpu, found[few, asked].cpu)
    name = f"{what}, {many:,} / {few:,} cases, CPU"
    report.ratio(name, *pair, goal=most, fails=too_many, at_most=True)
