"""The page of the board as it changes: only what moved is sent, and computed once for all."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from sqlalchemy import text

from services.tracking import jobs
from services.tracking.api import live
from services.tracking.api.asking import Asked
from services.tracking.deps import Deps, broadcasts
from services.tracking.store.board import changes
from shared.contracts import EVENTS
from shared.contracts.desk import SurgeListed
from shared.messaging.partitions import PARTITIONS
from tests.patience import PATIENCE
from tests.service.tracking.conftest import Web
from tests.support import process_batch
from tests.unit.tracking.examples import Story

ALL = [TopicPartition(EVENTS, n) for n in range(PARTITIONS)]


def request_for(web: Web, seen: str) -> Any:
    return SimpleNamespace(app=web.app, query_params={"seen": seen})


async def watch(
    web: Web, seen: str = "", asked: Asked | None = None
) -> AsyncIterator[dict[str, Any]]:
    slot = web.service.deps.board_streams.take("board", "10.0.0.1")
    assert slot is not None
    lines = live._parts(request_for(web, seen), slot, asked or Asked(period="today"))
    async with aclosing(lines):
        async for line in lines:
            if line.startswith("data: "):
                yield json.loads(line[6:])


def number(html: str, tile: str) -> str:
    found = re.search(rf'id="tile-{tile}".*?tile-value">(.*?)</strong>', html, re.DOTALL)
    assert found
    return found[1]


async def test_only_the_parts_that_moved_are_sent(web: Web) -> None:
    await process_batch(web.service, *Story().worked("it"))
    watched = watch(web)
    async with asyncio.timeout(PATIENCE):
        first = await anext(watched)
        assert set(first["parts"]) == {"now", "effect", "departments", "shape"}
        assert number(first["parts"]["now"], "open") == "1"
        story = Story()
        await process_batch(web.service, story.received(), story.opened())
        second = await anext(watched)
    assert number(second["parts"]["now"], "open") == "2"
    assert "effect" not in second["parts"], "nothing in it moved"
    await watched.aclose()
    assert len(web.service.deps.board_streams) == 0
    assert len(web.service.deps.broadcasts) == 0


async def test_a_surge_is_shown_at_once_as_it_is_found_grows_and_is_judged(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasts, "ANEW", 2 * PATIENCE)
    directory = web.service.runtime.directory
    found = SurgeListed(
        surge_id="s",
        matter="aircon",
        at=web.clock.now(),
        found_at=web.clock.now(),
        status="suggested",
        zh="空调",
        en="Air conditioning",
        n=6,
        minutes=30,
        usual=1.0,
        cases=("a", "b"),
    )
    grown = found.model_copy(update={"cases": ("a", "b", "c")})
    watched = watch(web)
    async with asyncio.timeout(PATIENCE):
        assert "空调" not in (await anext(watched))["parts"]["now"]
        said = []
        for event in (found, grown, grown.model_copy(update={"status": "dismissed"})):
            directory.apply(event)
            said.append((await anext(watched))["parts"]["now"])
    assert ["空调" in one for one in said] == [True, True, False]
    assert said[0] != said[1]
    await watched.aclose()


async def test_many_who_look_cost_one_computation(web: Web) -> None:
    await process_batch(web.service, *Story().worked("it"))
    watchers = [watch(web) for _ in range(20)]
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*map(anext, watchers))
        ((broadcast, _),) = web.service.deps.broadcasts._running.values()
        assert (broadcast.viewers, broadcast.computed) == (20, 1)
        await process_batch(web.service, *Story().worked("it"))
        await asyncio.gather(*map(anext, watchers))
    assert broadcast.computed <= 3, "one more, and one for a change that came meanwhile"
    for watcher in watchers:
        await watcher.aclose()
    assert len(web.service.deps.broadcasts) == 0


async def test_who_has_a_part_is_not_sent_it_again(web: Web) -> None:
    await process_batch(web.service, *Story().worked("it"))
    page = await web.get("/dashboard?period=today", as_="leader")
    shown = dict(re.findall(r'data-part="(\w+)" data-hash="(\w+)"', page.text))
    assert set(shown) == {"now", "effect", "departments", "shape"}
    seen = ",".join(f"{name}:{known_by}" for name, known_by in shown.items() if name != "shape")
    watched = watch(web, seen)
    async with asyncio.timeout(PATIENCE):
        assert set((await anext(watched))["parts"]) == {"shape"}
    await watched.aclose()


async def test_the_stream_of_a_page_speaks_the_language_of_the_page(web: Web) -> None:
    for given, said in (({"cookie": "locale=en"}, "en"), ({"page-language": "zh-CN"}, "zh")):
        page = await web.get(
            "/dashboard?period=today",
            as_="leader",
            headers={"accept": "text/html", "cookie": "locale=en"} | given,
        )
        (address,) = re.findall(r'data-parts="(.*?)"', page.text)
        assert address == f"/api/dashboard/stream?period=today&amp;lang={said}"


async def test_a_computation_that_fails_ends_the_streams_and_the_next_one_begins_anew(
    web: Web,
) -> None:
    running = broadcasts.Broadcasts()
    deps = web.service.deps

    async def fail() -> broadcasts.Parts:
        raise TimeoutError

    async with (
        asyncio.timeout(PATIENCE),
        running.join("x", "board", deps.changes, web.service.closing, fail) as broadcast,
    ):
        await broadcast.moved.wait()
        assert broadcast.over
    assert len(running) == 0


async def test_the_stream_is_for_those_who_may_see_the_figures(web: Web) -> None:
    assert (await web.get("/api/dashboard/stream", as_="student")).status_code == 403
    assert (
        await web.get("/api/dashboard/stream?department=space", as_="handler.it")
    ).status_code == 404
    assert (await web.get("/api/dashboard/stream?period=never", as_="leader")).status_code == 422
    web.service.deps.board_streams.total = 0
    full = await web.get("/api/dashboard/stream", as_="leader")
    assert (full.status_code, full.headers["retry-after"]) == (429, "30")


async def test_a_department_sees_itself_beside_the_median(web: Web) -> None:
    for n in range(24):
        await process_batch(web.service, *Story().answered("it" if n % 2 else "space"))
    body = (await web.get("/api/dashboard", as_="handler.it")).json()
    assert [row["department"] for row in body["departments"]["rows"]] == ["it"]
    assert body["departments"]["rows"][0]["rank"] is None
    assert body["departments"]["median"]["on_time"] == 1.0
    assert "space" not in body["department_names"]
    page = await web.get("/dashboard", as_="handler.it", headers={"Accept": "text/html"})
    assert "全馆中位数" in page.text
    assert "row-space" not in page.text


async def test_few_lucky_cases_do_not_top_the_ranking(web: Web) -> None:
    for n in range(50):
        story = Story()
        events = story.answered("space")
        if n == 0:
            events[-1] = story.met(events[-1].changes[0].clock, 9, in_time=False)
        await process_batch(web.service, *events)
    for _ in range(10):
        await process_batch(web.service, *Story().answered("it"))
    for _ in range(9):
        await process_batch(web.service, *Story().answered("ill"))
    body = (await web.get("/api/dashboard", as_="leader")).json()
    ranks = {row["department"]: row["rank"] for row in body["departments"]["rows"]}
    assert ranks == {"space": 1, "it": 2, "ill": None}


async def test_while_changes_keep_coming_answers_and_pages_move_together(web: Web) -> None:
    deps: Deps = web.service.deps
    consumer = SimpleNamespace(positions=lambda: ALL, health=SimpleNamespace(lag=0))
    web.service.consumer = consumer  # type: ignore[assignment]
    deps.pace_board(timedelta(hours=1))
    quiet = int(deps.board.name)

    async def opened(**headers: str) -> int:
        answer = await web.get("/api/dashboard", as_="leader", headers=headers)
        return int(answer.json()["open"]["total"])

    watched = watch(web)
    try:
        async with asyncio.timeout(PATIENCE):
            await anext(watched)
            await process_batch(web.service, *Story().worked("it"))
            # After a rest at once.
            assert number((await anext(watched))["parts"]["now"], "open") == "1"
            assert await opened() == 1
            assert int(deps.board.name) == quiet + 1, "a batch is one change"
            assert not deps.board._coming
            await process_batch(web.service, *Story().worked("it"))
            await process_batch(web.service, *Story().worked("it"))
            assert await opened() == 1
            assert await opened(**{"Cache-Control": "no-cache"}) == 3
            web.clock.later(hours=1)
            await process_batch(web.service, *Story().worked("it"))
            assert await opened() == 4
            assert number((await anext(watched))["parts"]["now"], "open") == "4"
    finally:
        web.service.consumer = None
        await watched.aclose()


async def test_a_replica_hears_of_what_others_projected_but_not_of_other_services(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    deps: Deps = web.service.deps
    job = asyncio.create_task(jobs.look_at_the_board(web.service))
    watched = watch(web)
    async with asyncio.timeout(PATIENCE):
        await anext(watched)
        # As if another process had taken it in.
        with monkeypatch.context() as patched:
            patched.setattr(deps.board, "changed", lambda: None)
            await process_batch(web.service, *Story().worked("it"))
        assert number((await anext(watched))["parts"]["now"], "open") == "1"
    job.cancel()
    await watched.aclose()
    name = deps.board.name
    async with web.service.engine.begin() as connection:
        # Whatever else is written in this database server.
        await connection.execute(text("CREATE TABLE elsewhere (n int)"))
        deps.board.looked(await changes(connection))
    assert deps.board.name == name
