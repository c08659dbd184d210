"""What somebody would pick instead: django-helpdesk on the same PostgreSQL, side by side.

Both run as their documentation says: django-helpdesk behind gunicorn with two workers (its own
environment under ``build/``, installed from the lock beside this file), ours as
``python -m services``. Both hold as many cases. Creating, listing, opening and answering take
turns, block by block; ours does all that follows a comment (routing, clocks, messages) meanwhile.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import asyncpg

from shared.db.address import parse_address
from shared.embedded import Servers
from shared.ids import new_id
from shared.service import Runtime
from tests.benchmarks.cases import People
from tests.benchmarks.load import WORDS, free_port, get, letter, post, run_load
from tests.benchmarks.processes import cpu_of
from tests.benchmarks.report import Report, percentile
from tests.benchmarks.seeding import Copies, multiply
from tests.benchmarks.site import ROOT, Site, child, output_of, running

HERE = Path(__file__).parent
ENVIRONMENT = ROOT / "build" / "helpdesk"
CASES = 20_000
LARGE = 100_000
TEMPLATES = 40
CONNECTIONS = 8
BLOCKS = 3
CSRF = "a" * 32
GOALS = {"create": (30, 5), "list": (10, 2), "open": (10, 2), "answer": (10, 1)}
"""Times as many a second as the other: the goal, and what fails."""
COUNTS = {"create": (1_600, 120), "list": (240, 40), "open": (240, 40), "answer": (240, 40)}
"""Requests a block: ours, theirs."""


@dataclass
class Asked:
    """A running desk: how to ask it for each thing, what it has used, when it is at rest."""

    port: int
    requests: dict[str, Callable[[int], str]]
    cpu: Callable[[], float]
    quiet: Callable[[], Awaitable[None]]


@dataclass
class Found:
    """What was measured of one thing on one site, block by block."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)


async def run(servers: Servers, runtime: Runtime, report: Report, *, cases: int = CASES) -> None:
    """A B A B … for each of the four things."""
    print(f"\nhelpdesk: {cases:,} cases in both, {CONNECTIONS} connections, {BLOCKS} blocks")
    await _install()
    async with (
        _helpdesk(servers, runtime, cases) as theirs,
        running(servers, runtime.settings.data) as site,
    ):
        ours = await _ours(site, cases)
        for what, counts in COUNTS.items():
            found = {"ours": Found(), "django-helpdesk": Found()}
            for block in range(-1, BLOCKS):
                for one, asked, count in zip(found.values(), (ours, theirs), counts, strict=True):
                    # The first block warms up: caches, plans, workers.
                    number = count if block >= 0 else count // 4
                    start = (block + 1) * count
                    await _block(
                        asked, what, range(start, start + number), one if block >= 0 else Found()
                    )
            for name, one in found.items():
                report.figure(f"{name}, {what}", one.rates, "a second")
                report.figure("  p50", one.p50, "ms")
                report.figure("  cpu, database included", one.cpu, "ms")
            goal, fails = GOALS[what]
            report.ratio(
                f"{what}: ours / django-helpdesk",
                found["ours"].rates,
                found["django-helpdesk"].rates,
                goal=goal,
                fails=fails,
            )


async def _block(asked: Asked, what: str, numbers: range, found: Found) -> None:
    """One block, and until all that follows from it is done: the other's turn is its own."""
    cpu = asked.cpu()
    done = await run_load(
        {
            "host": "127.0.0.1",
            "port": asked.port,
            "connections": CONNECTIONS,
            "requests": [asked.requests[what](n) for n in numbers],
        }
    )
    # A form that is answered sends the browser on.
    refused = [s for s in done["statuses"] if not 200 <= s < 300 and s not in (302, 303)]
    assert done["answered"] == len(numbers) and not refused, (what, done["statuses"])
    found.rates.append(len(numbers) / done["seconds"])
    found.p50.append(1000 * percentile(done["times"], 0.5))
    await asked.quiet()
    found.cpu.append(1000 * (asked.cpu() - cpu) / len(numbers))


# -- ours ------------------------------------------------------------------------------------------


async def _ours(site: Site, cases: int) -> Asked:
    """Cases that wait for the coordinator: inquiries that nobody routed."""
    people = People(site)
    ids = await asyncio.gather(*(people.bring("triage") for _ in range(TEMPLATES)))
    desk = parse_address(site.database).database("express_desk")
    copies = Copies(ids, cases // TEMPLATES, timedelta(seconds=-1))
    await multiply(desk, copies)
    connection = await desk.connect(name="bench")
    await connection.execute("UPDATE cases SET case_type = 'inquiry' WHERE state = 'TRIAGE'")
    found = await connection.fetch("SELECT feedback_id FROM cases WHERE state = 'TRIAGE'")
    await connection.execute("VACUUM ANALYZE cases")
    await connection.close()
    waiting = iter([feedback_id for (feedback_id,) in found])
    return Asked(site.port, _our_requests(site, waiting), site.cpu, site.quiet)


def _our_requests(site: Site, ids: Iterator[str]) -> dict[str, Callable[[int], str]]:
    person, run = f"Bearer {site.token}", new_id()
    json_type = "application/json"

    def create(n: int) -> str:
        body = json.dumps(letter(n, run), ensure_ascii=False)
        return post("/api/feedback", body, json_type, Authorization=f"Bearer {site.adapter}")

    def answer(n: int) -> str:
        body = json.dumps({"text": WORDS, "outcome": "solved"})
        return post(f"/api/cases/{next(ids)}/reply", body, json_type, Authorization=person)

    return {
        "create": create,
        "list": lambda n: get("/desk?queue=all", Authorization=person, Accept="text/html"),
        "open": lambda n: get(f"/desk/cases/{next(ids)}", Authorization=person, Accept="text/html"),
        "answer": answer,
    }


# -- theirs ----------------------------------------------------------------------------------------


async def _install() -> None:
    """The environment of the other, from its lock; nothing is done where it stands already."""
    lock, stamp = HERE / "requirements.lock", ENVIRONMENT / "installed"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return
    print("  installing django-helpdesk into an environment of its own", flush=True)
    await output_of(sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT), env={})
    await output_of(
        str(ENVIRONMENT / "bin" / "pip"), "install", "-q", "--disable-pip-version-check",
        "--require-hashes", "-r", str(lock), env={},
    )  # fmt: skip
    stamp.write_bytes(lock.read_bytes())


async def _at_rest() -> None:
    """It does everything before it answers."""


@contextlib.asynccontextmanager
async def _helpdesk(servers: Servers, runtime: Runtime, cases: int) -> AsyncIterator[Asked]:
    assert servers.database_url
    connection = await asyncpg.connect(servers.database_url)
    await connection.execute("CREATE DATABASE helpdesk")
    await connection.close()
    port, data = free_port(), Path(runtime.settings.data)
    env = {
        "HELPDESK_DATABASE": urlunsplit(urlsplit(servers.database_url)._replace(path="/helpdesk")),
        "HELPDESK_MEDIA": str(data / "helpdesk-media"),
    }
    python = str(ENVIRONMENT / "bin" / "python")
    made = json.loads(
        await output_of(python, "desk_site.py", "seed", str(cases), cwd=HERE, env=env)
    )
    cookies = f"sessionid={made['session']}; csrftoken={CSRF}"
    async with child(
        str(ENVIRONMENT / "bin" / "gunicorn"),
        "-w", "2", "-k", "gthread", "--threads", "4", "--keep-alive", "30",
        "-b", f"127.0.0.1:{port}", "desk_site:application",
        cwd=HERE, env=env, url=f"http://127.0.0.1:{port}/helpdesk/login/",
    ) as gunicorn:  # fmt: skip
        assert servers.postgres and servers.postgres.pid
        database = servers.postgres.pid
        yield Asked(
            port,
            _their_requests(made, cookies),
            lambda: cpu_of(gunicorn.pid) + cpu_of(database),
            _at_rest,
        )


def _their_requests(made: dict[str, Any], cookies: str) -> dict[str, Callable[[int], str]]:
    form = "application/x-www-form-urlencoded"
    every = base64.b64encode(
        json.dumps({"filtering": {}, "sorting": "created", "sortreverse": False}).encode()
    ).decode()
    window = "draw=1&start=0&length=25&order[0][column]=0&order[0][dir]=desc&search[value]="

    def create(n: int) -> str:
        body = urlencode(
            {
                "csrfmiddlewaretoken": CSRF,
                "queue": made["queue"],
                "title": f"座位 {n}",
                "body": WORDS,
                "priority": 3,
                "submitter_email": f"reader{n}@example.edu",
            }
        )
        return post("/helpdesk/tickets/submit/", body, form, Cookie=f"csrftoken={CSRF}")

    def answer(n: int) -> str:
        body = urlencode(
            {"csrfmiddlewaretoken": CSRF, "comment": WORDS, "public": 1, "new_status": 3}
        )
        path = f"/helpdesk/tickets/{made['first'] + n}/update/"
        return post(path, body, form, Cookie=cookies)

    return {
        "create": create,
        # The page of a queue is empty until this answers.
        "list": lambda n: get(f"/helpdesk/datatables_ticket_list/{every}?{window}", Cookie=cookies),
        "open": lambda n: get(f"/helpdesk/tickets/{made['first'] + n}/", Cookie=cookies),
        "answer": answer,
    }
