"""What the board costs where cases are many and of all kinds, read anew each time.

Two systems side by side, as in `pages`; but cases are made in SQL, of many departments, categories,
channels, priorities and groups, within the same four hundred days: a hundred times as many cases
are a hundred times as many a day. Only tracking knows of them.
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
from tests.benchmarks.pages import Measured, measure_block
from tests.benchmarks.report import Report
from tests.benchmarks.seeding import fill_bands, without_indexes
from tests.benchmarks.site import Site, running, site_of_its_own
from tests.service.tracking.recount import SCOPES, recount

SIZES = (10_000, 100_000)
LARGE = (10_000, 1_000_000)
BLOCKS = 3
SECONDS = 0.7
DAYS = 400
OPEN = 300
"""So many are open, however many there were."""
LIVE = 20
_FILLED = ("cases", "durations", "occurrences", "counters", "duration_bands")
SINGLES = (
    "''",
    *(
        f"'{name}:' || split_part(scope, ':', {n})"
        for n, name in enumerate(("category", "channel", "priority", "reporter_group"), 2)
    ),
)
"""The other scopes, as SQL over a cell: added up from the cells in a tenth of the time."""
GOALS = {
    "JSON, kept": (4, 20),
    "page, kept": (12, 40),
    "JSON": (20, 100),
    "page": (40, 400),
    "one filter": (20, 100),
    "two filters": (20, 400),
    "thirty days": (20, 400),
    "thirty days, one filter": (20, 400),
    "thirty days, two filters": (20, 400),
    "thirty days, two filters, kept": (20, 100),
}
GROWTH = (1.3, 40.0)

_CASES = """
INSERT INTO cases (feedback_id, code_hash, seq, state, received_at, channel, locale, title,
  category, priority, department, reporter_group, dispatches, returns, reopenings,
  first_dispatched_at, first_replied_at, replied_at, rated_at, rights, stars, solved, promises,
  due_at, first_due_at, overdue, resolution_overdue, outcome, confidential)
SELECT gen_random_uuid()::text, md5('bench' || i), 9, CASE WHEN open THEN 'IN_PROGRESS' ELSE
    'CLOSED' END, at, (ARRAY['web','web','web','wechat','wechat','desk','email','phone'])[1+h%8],
  'zh', '占座', (ARRAY['seats','offcampus','facilities','circulation','eresources','systems',
    'printing','rules','entry','events'])[1 + least(9, (h / 7) % 14)],
  (ARRAY['P3','P3','P3','P3','P2','P4'])[1 + (h / 11) % 6],
  (ARRAY['space','it','facilities','circulation','eresources','it','space','office','desk',
    'events'])[1 + least(9, (h / 7) % 14)],
  (ARRAY['students','students','students','teachers','visitors','alumni'])[1 + (h / 13) % 6],
  1, (h % 17 = 0)::int, (h % 19 = 0)::int, at + took * 0.1,
  CASE WHEN NOT open THEN at + took END, CASE WHEN NOT open THEN at + took END,
  CASE WHEN NOT open AND h % 3 = 0 THEN at + took * 1.5 END, '{}',
  CASE WHEN NOT open AND h % 3 = 0 THEN 1 + h % 5 END,
  CASE WHEN NOT open AND h % 3 = 0 THEN (ARRAY['yes','partly','no'])[1 + h % 3] END,
  jsonb_build_object('RESOLUTION', jsonb_build_object('due', at + interval '5 days'),
    'FIRST_RESPONSE', jsonb_build_object('in_time', h % 9 > 0)),
  CASE WHEN open THEN $3::timestamptz + interval '1 hour' * (1 + h % 90) END,
  CASE WHEN NOT open THEN at + interval '8 hours' END, false, false,
  CASE WHEN NOT open THEN (ARRAY['solved','explained','partly','cannot'])[1 + h % 4] END, false
FROM (
  SELECT i, i <= $4 AS open, abs(hashint4(i)) AS h,
    $3::timestamptz - make_interval(secs => $2 * 86400.0 *
      CASE WHEN i <= $4 THEN 0.01 * i / $4 ELSE (abs(hashint4(i * 7)) % 1000000) / 1e6 END) AS at,
    make_interval(secs => 600 + abs(hashint4(i * 3)) % 90000) AS took
  FROM generate_series(1, $1) AS i) AS made
"""
_DURATIONS = """
INSERT INTO durations (feedback_id, clock, cycle, department, category, channel, met_at, in_time,
  working_seconds, priority, reporter_group)
SELECT feedback_id, clock, 1, department, category, channel, replied_at, returns = 0,
  (extract(epoch FROM replied_at - received_at) * share)::int, priority, reporter_group
FROM cases, (VALUES ('ACCEPT', 0.1), ('FIRST_RESPONSE', 0.3), ('RESOLUTION', 0.5)) v (clock, share)
WHERE replied_at IS NOT NULL
"""
_OCCURRENCES = """
INSERT INTO occurrences (feedback_id, seq, kind, detail, department, category, channel, priority,
  reporter_group, at, seconds)
SELECT feedback_id, n, kind, detail, department, category, channel, priority, reporter_group,
  first_dispatched_at, 3600
FROM cases, (VALUES (2, 'dispatch', ''), (3, 'state', 'TRIAGE'), (4, 'state', 'DISPATCHED'),
  (5, 'state', 'IN_PROGRESS'), (6, 'hands', '')) v (n, kind, detail)
"""


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
            await fill(site, number)
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


async def fill(site: Site, number: int) -> None:
    """Cases of all kinds, and the sums of them by the statement that tests count them anew by."""
    connection = await (
        parse_address(site.database)
        .database("express_tracking")
        .connect(name="bench", command_timeout=3600)
    )
    try:
        for setting in ("work_mem = '512MB'", "synchronous_commit = off", "jit = off"):
            await connection.execute(f"SET {setting}")
        await connection.execute(f"TRUNCATE {', '.join(_FILLED)}")
        async with without_indexes(connection, _FILLED):
            now = SystemClock().now()
            await connection.execute(_CASES, number, DAYS, now, OPEN)
            await connection.execute(_DURATIONS)
            await connection.execute(_OCCURRENCES)
            # Without knowing how many there are, it would sort what fits into memory.
            await connection.execute("ANALYZE cases, durations, occurrences")
            await connection.execute(f"CREATE TEMP TABLE cells AS {recount(SCOPES[-1])}")
            await connection.execute("ANALYZE cells")
            others = " UNION ALL ".join(
                f"SELECT measure, {scope}, bucket, department, detail, sum(n) FROM cells "
                "GROUP BY 1, 2, 3, 4, 5"
                for scope in SINGLES
            )
            # In the order of time, as they are written day by day.
            await connection.execute(
                "INSERT INTO counters (measure, scope, bucket, department, detail, n) "
                f"SELECT * FROM (SELECT * FROM cells UNION ALL {others}) AS s ORDER BY 3"
            )
            await fill_bands(connection)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


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
        "two filters": ask(f"{board}?{two}"),
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
