"""Every number of the board equals a recount from the events, and leads to exactly its cases."""

from __future__ import annotations

import html
import random
import re
from datetime import timedelta
from typing import Any

import pytest

from services.tracking.domain.measures import COUNTS, MEASURES
from tests.service.tracking.conftest import Web
from tests.service.tracking.histories import NOW, History
from tests.service.tracking.naive import Log
from tests.support import at, process_batch
from tests.unit.tracking.examples import Story

PERIODS = (
    ("from=2026-02-20&to=2026-03-15", at("2026-02-20 00:00"), at("2026-03-16 00:00")),
    ("from=2026-02-24&to=2026-02-27", at("2026-02-24 00:00"), at("2026-02-28 00:00")),
    ("period=week", at("2026-03-02 00:00"), at("2026-03-05 00:00")),
)
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"department": "it"},
    {"category": "not_ours"},
    {"channel": "desk"},
    {"priority": "P3"},
    {"reporter_group": "students"},
    {"category": "seats", "channel": "web"},
    {"channel": "web", "priority": "P2", "reporter_group": "teachers", "department": "it"},
)
SAME = (
    "replied",
    "overdue",
    "at_risk",
    "due_today",
    *MEASURES,
    "outcomes",
    "channels",
    "categories",
    "reporter_groups",
    "breaches_by_clock",
    "breach_reasons",
)


async def happen(web: Web, seed: int, number: int = 60) -> Log:
    """Random histories, in the service and in a list."""
    chance = random.Random(seed)
    histories = [History(chance).events for _ in range(number)]
    for events in histories:
        cut = chance.randrange(len(events))
        await process_batch(web.service, *events[:cut])
        await process_batch(web.service, *events[cut:])
    return Log(histories, NOW)


def address(period: str, where: dict[str, str], **more: str) -> str:
    return "&".join([period, *(f"{k}={v}" for k, v in (where | more).items())])


async def asked(web: Web, path: str, as_: str = "leader") -> dict[str, Any]:
    answer = await web.get(path, as_=as_)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_number_equals_a_recount_from_the_events(web: Web, seed: int) -> None:
    log = await happen(web, seed)
    for period, first, last in PERIODS:
        for where in FILTERS:
            body = await asked(web, f"/api/dashboard?{address(period, where)}")
            names = {"reporter_group": "group"}
            want = log.figures(first, last, **{names.get(k, k): v for k, v in where.items()})
            got = {name: body[name] for name in SAME}
            assert got == {name: want[name] for name in SAME}, (period, where)
            assert body["open"]["total"] == want["open"]
            assert body["open"]["by_state"] == want["by_state"]
            assert body["open"]["by_department"] == want["by_department"]
            assert body["totals"]["received"] == want["received"]
            assert body["totals"]["undelivered"] == want["undelivered"]
            assert body["totals"]["uncertain"] == want["uncertain"]
            assert {(w["from"], w["to"]): w["n"] for w in body["flow"]} == want["flow"]
            assert {d["state"]: (d["hours"], d["n"]) for d in body["dwell"]} == want["dwell"]
            assert _ages(body["ages"]) == _banded(want["ages"])
            heat = {
                (day, hour): n
                for day, hours in enumerate(body["heat"])
                for hour, n in enumerate(hours)
                if n
            }
            assert heat == want["heat"]


def _ages(bands: list[dict[str, Any]]) -> list[int]:
    return [band["n"] for band in bands]


def _banded(days: dict[int, int]) -> list[int]:
    """Band 0 is today, the last one what is older than thirty days."""
    ends = (1, 3, 7, 14, 30, 10_000)
    starts = (-10_000, *ends[:-1])
    return [
        sum(n for d, n in days.items() if start <= d < end)
        for start, end in zip(starts, ends, strict=True)
    ]


async def test_departments_and_the_period_before_equal_a_recount(web: Web) -> None:
    log = await happen(web, 4, 120)
    period, first, last = PERIODS[1]
    body = await asked(web, f"/api/dashboard?{period}")
    before = log.figures(first - (last - first), first)
    assert {key: body["before"][key] for key in MEASURES} == {key: before[key] for key in MEASURES}
    rows = {row["department"]: row for row in body["departments"]["rows"]}
    for department, want in log.departments(first, last).items():
        row = rows[department]
        n, of = want["returns"]
        assert (row["return_rate"]["n"], row["breaches"]) == (of, want["breaches"])
        assert row["overdue"] == want["overdue"]
        assert row["return_rate"]["rate"] == (round(n / of, 4) if of else None)
        seconds, times = want["hands"]
        assert row["hands_hours"] == {
            "rate": round(seconds / times / 3600, 4) if times else None,
            "n": times,
        }
        assert {k: row["on_time"][k] for k in ("rate", "n")} == want["on_time"]


async def listed(web: Web, query: str, as_: str = "leader") -> list[dict[str, Any]]:
    body = await asked(web, f"/api/dashboard/cases?{query}", as_)
    assert not body["more"]
    items: list[dict[str, Any]] = body["items"]
    return items


async def test_every_number_leads_to_exactly_its_cases(web: Web) -> None:
    await happen(web, 5, 50)
    for n, (period, _, _) in enumerate(PERIODS):
        for where in FILTERS[n::2]:
            await _leads_to_its_cases(web, period, where)


async def _leads_to_its_cases(web: Web, period: str, where: dict[str, str]) -> None:
    body = await asked(web, f"/api/dashboard?{address(period, where)}")

    async def behind(measure: str, **more: str) -> list[dict[str, Any]]:
        return await listed(web, address(period, where, measure=measure, **more))

    for key, measure in MEASURES.items():
        items = await behind(key)
        assert len(items) == body[key]["n"], key
        if measure.clock is None and items:
            adds = sum(one["adds"] for one in items)
            assert round(adds / len(items), 4) == body[key]["rate"], key
    for name, n in (
        ("open", body["open"]["total"]),
        ("overdue", body["overdue"]),
        ("at_risk", body["at_risk"]),
        ("due", body["due_today"]),
        ("received", body["totals"]["received"]),
        ("closed", body["totals"]["closed"]),
        ("breaches", body["totals"]["breaches"]),
        ("undelivered", body["totals"]["undelivered"]),
        ("uncertain", body["totals"]["uncertain"]),
    ):
        assert len(await behind(name)) == n, name
    for name, counted in (
        ("state", body["open"]["by_state"] | {"REPLIED": body["replied"]}),
        ("outcome", body["outcomes"]),
        ("channel", body["channels"]),
        ("category", body["categories"]),
        ("breaches", body["breaches_by_clock"]),
        ("dwell", {one["state"]: one["n"] for one in body["dwell"]}),
        ("open_since", {str(n): band["n"] for n, band in enumerate(body["ages"])}),
    ):
        for detail, n in counted.items():
            assert len(await behind(name, detail=detail)) == n, (name, detail)
    if not where:
        for way in body["flow"]:
            items = await behind("dispatches", detail=way["from"], department=way["to"])
            assert len(items) == way["n"]
        for row in body["departments"]["rows"]:
            for key in ("on_time", "response_rate", "solved", "return_rate", "hands_hours"):
                items = await behind(key, department=row["department"])
                assert len(items) == row[key]["n"], (row["department"], key)
                if key == "return_rate" and items:
                    shares = sum(one["adds"] for one in items) / len(items)
                    assert round(shares, 4) == row[key]["rate"], row["department"]
            assert len(await behind("breaches", department=row["department"])) == row["breaches"]


@pytest.mark.parametrize("period", ["period=today", "from=2026-01-01&to=2026-03-20"])
async def test_every_cell_of_the_trend_leads_to_exactly_its_cases(web: Web, period: str) -> None:
    # Enough categories for a line of the rest, which has a name only by what it is not.
    for n in range(18):
        story = Story(now=at("2026-03-04 09:00") - timedelta(days=n % 4))
        sent = story.dispatched(category=f"kind{n % 9}")
        await process_batch(web.service, story.received(), story.opened(), sent)
    page = await web.get(f"/dashboard?{period}", as_="leader")
    table = re.findall(r'id="table-trend".*?</table>', page.text, re.DOTALL)[0]
    cells = re.findall(r'<td><a href="([^"]+)">(\d+)</a></td>', table)
    assert sum(int(n) for _, n in cells) == 18
    assert any("detail=~kind" in address for address, _ in cells)
    for address, n in cells:
        query = html.unescape(address).partition("?")[2]
        assert len(await listed(web, query)) == int(n), query


async def test_whatever_a_measure_is_made_of_is_said_in_both_languages() -> None:
    for measure in MEASURES.values():
        assert all(measure.name + measure.counts + measure.rests_on)
        assert {name.partition(":")[0] for name in measure.whole} <= COUNTS.keys()
        assert bool(measure.clock) != bool(measure.whole)
