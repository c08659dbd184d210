"""The timeline as it grows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request

from services.tracking import api, jobs
from shared.contracts.desk import CaseNoted
from tests.service.tracking.conftest import Web
from tests.support import take_in
from tests.unit.tracking.facts import Story


async def open_stream(web: Web, code: str, after: str | None = None) -> AsyncIterator[str]:
    """The body of the stream, chunk by chunk; a test transport would wait for its end."""
    headers = [] if after is None else [(b"last-event-id", after.encode())]
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": f"/api/track/{code}/stream",
        "query_string": b"",
        "headers": headers,
        "client": ("10.1.2.3", 1),
        "app": web.app,
    }
    response = await api.stream(Request(scope), code)
    assert response.media_type == "text/event-stream"
    return response.body_iterator  # type: ignore[attr-defined,no-any-return]


async def lines(stream: AsyncIterator[str], n: int) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    async with asyncio.timeout(5):
        while len(found) < n:
            chunk = await anext(stream)
            if chunk.startswith("id: "):
                head, _, data = chunk.strip().partition("\ndata: ")
                found.append((int(head[4:]), json.loads(data)))
    return found


async def test_a_stream_begins_at_the_beginning_and_goes_on(web: Web, code: str) -> None:
    story = Story(code=code)
    await take_in(web.service, story.received(), story.opened())
    stream = await open_stream(web, code)
    assert [(n, d["type"]) for n, d in await lines(stream, 2)] == [
        (1, "feedback.received"),
        (2, "case.opened"),
    ]
    waiting = asyncio.create_task(lines(stream, 1))
    await asyncio.sleep(0.05)
    await take_in(web.service, story.of(CaseNoted), story.dispatched("it"))
    assert await waiting == [
        (
            4,
            {
                "seq": 4,
                "at": "2026-03-04T10:00:00+08:00",
                "type": "case.dispatched",
                "text": "已转给信息系统部。",
            },
        )
    ]
    await stream.aclose()  # type: ignore[attr-defined]
    assert len(web.service.tools.bell) == 0


async def test_a_stream_goes_on_after_the_last_line_that_was_read(web: Web, code: str) -> None:
    story = Story(code=code)
    await take_in(web.service, *story.worked("it"))
    stream = await open_stream(web, code, "4")
    assert (await lines(stream, 1))[0][0] == 5
    await stream.aclose()  # type: ignore[attr-defined]


async def test_what_another_replica_projected_is_noticed(web: Web, code: str) -> None:
    story = Story(code=code)
    await take_in(web.service, story.received())
    stream = await open_stream(web, code)
    await lines(stream, 1)
    waiting = asyncio.create_task(lines(stream, 1))
    await asyncio.sleep(0.05)
    job = asyncio.create_task(jobs.look_for_news(web.service))
    bell = web.service.tools.bell
    ring, bell.ring = bell.ring, lambda key: None
    await take_in(web.service, story.opened())
    bell.ring = ring
    assert (await waiting)[0][0] == 2
    job.cancel()
    await stream.aclose()  # type: ignore[attr-defined]


async def test_streams_end_when_the_process_does(web: Web, code: str) -> None:
    await take_in(web.service, *Story(code=code).begun())
    stream = await open_stream(web, code)

    async def drain() -> None:
        async for _ in stream:
            pass

    draining = asyncio.create_task(drain())
    await asyncio.sleep(0.05)
    web.service.closing.set()
    await asyncio.wait_for(draining, 2)


async def test_a_stream_of_an_unknown_code_is_not_found(web: Web) -> None:
    assert (await web.get("/api/track/NO-SUCH-CODE/stream")).status_code == 404
