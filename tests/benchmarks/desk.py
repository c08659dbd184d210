"""What the desk's pages cost against a route that only asks who is signed in, and how they grow.

Two systems side by side, of 1,000 and of 100,000 cases, each with words, places, telephones and
codes of their own: the work of a day, one case, and a search by each thing that one may know. A
search shows as many cases in both: where it is for what many hold, both fill a page. So the few are
asked for three digits, of which as many are there as of four among 100,000 are shown, and for
another word.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from urllib.parse import quote

from shared.db.address import parse_address
from shared.embedded import Servers
from shared.service import Runtime
from tests.benchmarks import varied
from tests.benchmarks.cases import fill, templates
from tests.benchmarks.load import get
from tests.benchmarks.pages import Measured, measure_block
from tests.benchmarks.report import Report
from tests.benchmarks.site import Site, running, site_of_its_own

SIZES = (1_000, 100_000)
FEW = 10_000
"""Among fewer cases a page is not filled by what fills it among many."""
BLOCKS = 5
SECONDS = 0.5
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
        asked: dict[int, dict[str, Callable[[int], str]]] = {}
        for number, site in sites.items():
            started = time.monotonic()
            await fill(site, await templates(site), number)
            server = parse_address(site.database)
            asked[number] = requests(site, await varied.vary(server.database("express_desk")))
            print(f"  {number:,} cases made in {time.monotonic() - started:.0f} s", flush=True)
        for what in PAGES:
            found = {(number, one): Measured() for number in sizes for one in (what, EMPTY)}
            for number, site in sites.items():
                for one in (what, EMPTY):
                    await measure_block(site, asked[number][one], Measured(), 0.3)
            for _ in range(BLOCKS):
                for number, site in sites.items():
                    for one in (EMPTY, what):
                        await measure_block(site, asked[number][one], found[number, one], SECONDS)
            _say(report, what, found, sizes)


def requests(site: Site, cases: list[str]) -> dict[str, Callable[[int], str]]:
    """What is asked for, as a coordinator; `cases` are all, in the order of their numbers."""

    few = len(cases) < FEW

    def some(n: int) -> int:
        return n * 7_919 % len(cases)

    def search(q: Callable[[int], str]) -> Callable[[int], str]:
        return lambda n: f"/desk?queue=all&q={quote(q(some(n)))}"

    paths: tuple[Callable[[int], str], ...] = (
        lambda n: "/desk?queue=triage",
        lambda n: f"/desk/cases/{cases[some(n)]}",
        search(varied.words),
        search(varied.code),
        search(lambda n: cases[n]),
        search(varied.phone),
        search(lambda n: varied.phone(n)[-3 if few else -4 :]),
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
