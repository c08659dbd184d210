"""What the desk's pages cost against a route that only asks who is signed in, and how they grow.

Two systems side by side, of 1,000 and of 100,000 cases, each with words, places, telephones and
codes of their own: the work of a day, one case, and a search by each thing that one may know. A
search shows as many cases in both: where it is for what many hold, both fill a page. So the few are
asked for three digits instead of four, such that ten of them have, and for another word.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from urllib.parse import quote

import asyncpg

from shared.embedded import Servers
from shared.service import Runtime
from tests.benchmarks import varied
from tests.benchmarks.cases import fill_desk, templates
from tests.benchmarks.load import get, loading
from tests.benchmarks.pages import Measured, measure_block
from tests.benchmarks.report import Report
from tests.benchmarks.site import Site, running, site_of_its_own

SIZES = (1_000, 100_000)
FEW = 10_000
"""Among fewer cases a page is not filled by what fills it among many."""
PAGE = 10
"""Cases that the first page of a search shows."""
BLOCKS = 5
SECONDS = 0.5
TOGETHER = 3
"""Pages that take turns, and share the empty route that each is compared with."""
EMPTY = "empty route"
PAGES = (
    "the queue",
    "a case",
    "search: words of one case",
    "search: a code",
    "search: an id",
    "search: a telephone",
    "search: its last four digits",
    "search: a place",
    "search: a letter of three cases",
    "search: a letter of none",
    "search: a letter of many",
    "search: a word of many",
)
GOAL, FAILS = 12, 60
GROWTH, GROWTH_FAILS = 1.3, 4.0


async def run(
    servers: Servers, runtime: Runtime, report: Report, *, sizes: tuple[int, int] = SIZES
) -> None:
    """Fill both, then A B A B …"""
    few, many = sizes
    print(f"\ndesk: {few:,} and {many:,} cases, {BLOCKS} blocks, CPU with the database's")
    async with AsyncExitStack() as stack:
        small = await stack.enter_async_context(running(servers, runtime.settings.data))
        large = await stack.enter_async_context(site_of_its_own())
        sites = dict(zip(sizes, (small, large), strict=True))
        started = time.monotonic()
        made = await asyncio.gather(*(_fill(site, number) for number, site in sites.items()))
        print(f"  both made in {time.monotonic() - started:.0f} s", flush=True)
        asked = {
            number: requests(site, ids)
            for (number, site), ids in zip(sites.items(), made, strict=True)
        }
        load = await stack.enter_async_context(loading())
        for n in range(0, len(PAGES), TOGETHER):
            pages = PAGES[n : n + TOGETHER]
            turn = (EMPTY, *pages)
            found = {(number, one): Measured() for number in sizes for one in turn}
            for number, site in sites.items():
                for one in turn:
                    await measure_block(site, asked[number][one], Measured(), 0.3, load)
            for _ in range(BLOCKS):
                for number, site in sites.items():
                    for one in turn:
                        measured = found[number, one]
                        await measure_block(site, asked[number][one], measured, SECONDS, load)
            for what in pages:
                _say(report, what, found, sizes)


async def _fill(site: Site, number: int) -> list[str]:
    """All ids in the order of their numbers. What tracking would keep of them no page here asks."""
    ids: list[str] = []

    async def vary(connection: asyncpg.Connection) -> None:
        ids.extend(await varied.vary(connection))

    await fill_desk(site, await templates(site), number, vary)
    return ids


def requests(site: Site, cases: list[str]) -> dict[str, Callable[[int], str]]:
    """What is asked for, as a coordinator; `cases` are all, in the order of their numbers."""

    few = len(cases) < FEW

    def some(n: int) -> int:
        return n * 7_919 % len(cases)

    three = _filling_a_page(len(cases)) if few else []

    def digits(n: int) -> str:
        return three[n % len(three)] if few else varied.phone(n)[-4:]

    def search(q: Callable[[int], str]) -> Callable[[int], str]:
        return lambda n: f"/desk?queue=all&q={quote(q(some(n)))}"

    paths: tuple[Callable[[int], str], ...] = (
        lambda n: "/desk?queue=triage",
        lambda n: f"/desk/cases/{cases[some(n)]}",
        search(varied.words),
        search(varied.code),
        search(lambda n: cases[n]),
        search(varied.phone),
        search(digits),
        search(varied.place),
        search(lambda n: varied.RARE),
        search(lambda n: "龖"),
        search(lambda n: varied.COMMON),
        search(lambda n: varied.WORD_OF_FEW if few else varied.WORD),
    )
    person = f"Bearer {site.token}"

    def request(path: Callable[[int], str]) -> Callable[[int], str]:
        return lambda n: get(path(n), Authorization=person, Accept="text/html, */*")

    named = dict(zip(PAGES, paths, strict=True)) | {EMPTY: lambda n: "/control/empty"}
    return {what: request(path) for what, path in named.items()}


def _filling_a_page(cases: int) -> list[str]:
    """The last three digits of telephones which so many cases have that they fill a page."""
    phones = [varied.phone(n) for n in range(cases)]
    ends = sorted({one[-3:] for one in phones})
    return [end for end in ends if sum(end in one for one in phones) >= PAGE]


def _say(
    report: Report, what: str, found: dict[tuple[int, str], Measured], sizes: tuple[int, int]
) -> None:
    few, many = sizes
    for number in sizes:
        page, empty = found[number, what], found[number, EMPTY]
        report.figure(f"{what}, {number:,} cases", page.took, "µs")
        report.figure("  cpu, database included", page.cpu, "µs")
        report.ratio(
            f"{what}, {number:,} / empty route",
            page.cpu,
            empty.cpu,
            goal=GOAL,
            fails=FAILS,
            at_most=True,
        )
    report.ratio(
        f"{what}, {many:,} / {few:,} cases",
        found[many, what].cpu,
        found[few, what].cpu,
        goal=GROWTH,
        fails=GROWTH_FAILS,
        at_most=True,
    )
