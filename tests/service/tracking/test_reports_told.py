"""A period is over: its report is told once, by one of however many."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from services.tracking.app import build
from services.tracking.jobs.reports import tell_due
from services.tracking.store import generation
from shared.contracts.desk import PersonListed
from tests.service.tracking.conftest import Web
from tests.support import at, outbox_of, process_batch
from tests.unit.tracking.examples import Story

MONDAY = at("2026-03-09 07:30")


def knows(web: Web, username: str, role: str, department: str | None = None) -> None:
    web.service.runtime.directory.apply(
        PersonListed(
            at=web.clock.now(), username=username, display=username, role=role,
            department=department,
        )
    )  # fmt: skip


async def told(web: Web) -> list[dict[str, Any]]:
    return [one for one in await outbox_of(web.service) if one["type"] == "directory.report.v1"]


async def a_week(web: Web) -> None:
    knows(web, "reviewer.it", "reviewer", "it")
    await process_batch(web.service, *Story().answered("it"))
    story = Story()
    await process_batch(web.service, story.received(category="seats"), story.opened())


async def test_a_week_is_told_once_by_several_replicas_and_after_a_restart(web: Web) -> None:
    await a_week(web)
    assert await tell_due(web.service) == []
    web.clock.set(MONDAY)
    other = build(web.service.runtime)
    await other.connect()
    done = await asyncio.gather(tell_due(web.service), tell_due(other), tell_due(web.service))
    # The month and the term before were over when the first case came.
    assert [(one.kind, str(one.first)) for many in done for one in many] == [("week", "2026-03-02")]
    await other.engine.dispose()
    again = build(web.service.runtime)
    await again.connect()
    web.clock.later(days=2)
    assert await tell_due(again) == []
    await again.engine.dispose()
    assert [one["key"] for one in await told(web)] == ["report:week:*", "report:week:it"]


async def test_a_rebuild_tells_nothing_again(web: Web) -> None:
    await a_week(web)
    web.clock.set(MONDAY)
    await tell_due(web.service)
    async with web.service.engine.begin() as connection:
        await generation.begin_anew(connection)
    await process_batch(web.service, *Story().answered("it"))
    assert await tell_due(web.service) == []


async def test_weeks_without_us_are_told_as_one(web: Web) -> None:
    await a_week(web)
    web.clock.set(at("2026-03-30 09:00"))
    done = await tell_due(web.service)
    assert [(one.kind, str(one.first)) for one in done] == [("week", "2026-03-23")]
    web.clock.set(at("2026-04-01 09:00"))
    assert [one.kind for one in await tell_due(web.service)] == ["month"]


async def test_it_says_what_the_page_says(web: Web) -> None:
    await a_week(web)
    web.clock.set(MONDAY)
    await tell_due(web.service)
    whole, own = (one["body"] for one in await told(web))
    for locale in ("zh", "en"):
        page = (await web.get(f"/reports?kind=week&at=2026-03-04&lang={locale}", as_="leader")).text
        main = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.partition("<main")[2]))
        sentences = [s for part in whole[locale]["sections"] for s in part["sentences"]]
        assert len(sentences) > 12
        assert all(sentence in main for sentence in sentences), sentences
    body = (await web.get("/api/reports?kind=week&at=2026-03-04", as_="leader")).json()
    figures = {one["key"]: one for one in whole["zh"]["figures"]}
    assert {key: one["n"] for key, one in figures.items()} == {
        one["key"]: body[one["key"]]["n"] for one in body["definitions"]
    }
    assert all(one["means"] for one in figures.values())
    # A department reads of itself, and of the others only the median.
    assert own["department"] == "it"
    assert own["zh"]["sections"][-1]["heading"] == "和全馆比"
    assert "全馆中位数" in own["zh"]["sections"][-1]["sentences"][0]
    assert "space" not in str(own)


async def test_who_may_see_to_whom_reports_go(web: Web) -> None:
    assert (await web.get("/api/reports/mailed", as_="leader")).status_code == 403
    body = (await web.get("/api/reports/mailed", as_="admin")).json()
    assert {one["kind"]: one["next"] for one in body["kinds"]} == {
        "week": "2026-03-09T07:30:00+08:00",
        "month": "2026-04-01T07:30:00+08:00",
        "term": "2026-09-01T07:30:00+08:00",
    }
    assert (body["mails"], body["on"]) == ([], False)
