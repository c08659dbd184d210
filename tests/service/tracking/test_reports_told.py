"""A period is over: its report is told once, by one of however many."""

from __future__ import annotations

import asyncio
import re
from datetime import date
from typing import Any

from services.tracking.app import build
from services.tracking.jobs.reports import tell_due
from services.tracking.store import generation
from shared.contracts.desk import PersonListed, ThemeCase, ThemeListed, ThemeMeasure, ThemeQuote
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


async def test_the_report_says_whether_what_was_done_helped(web: Web) -> None:
    stories = [Story(now=at(f"2026-02-{day:02d} 10:00")) for day in (10, 11, 17, 18, 24, 25)]
    for story in stories:
        await process_batch(
            web.service, story.received(title="一个水杯占着", place="三层"), story.opened()
        )
    secret = Story(now=at("2026-02-25 11:00"))
    hidden = secret.received(title="占座的是他", place="馆长室", confidential=True)
    await process_batch(web.service, hidden, secret.opened())
    opened = at("2026-02-10 08:00")
    web.service.runtime.directory.apply(
        ThemeListed(
            at=opened,
            theme_id="t1",
            title="占座",
            opened_at=opened,
            measures=(ThemeMeasure(what="清理", on=date(2026, 2, 28), responsible="空间部"),),
            cases=tuple(ThemeCase(case=one.id) for one in (*stories, secret)),
            quotes=(
                ThemeQuote(case=stories[0].id, text="水杯占着座位。"),
                ThemeQuote(case=secret.id, text="占座的是他。"),
            ),
        )
    )
    (theme,) = (await web.get("/api/reports/themes", as_="leader")).json()["themes"]
    (measure,) = theme["measures"]
    assert (theme["cases"], measure["n_before"], measure["helped"]) == (7, 7, "not_yet")
    # What a suggestion says is said of a theme, too; of what is confidential nothing is quoted.
    assert (theme["sentences"], theme["places"]) == (["水杯占着座位。"], [["三层", 6]])
    web.clock.set(at("2026-03-28 08:00"))
    page = (await web.get("/reports/themes", as_="leader")).text
    assert "前四周 7 件" in page
    assert "水杯占着座位。" in page and "占座的是他" not in page
    assert "有用" in page
    assert f"/desk/cases/{stories[0].id}" in page
    assert (await web.get("/api/reports/themes", as_="reviewer.it")).status_code == 403
