"""The timeline as it grows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request

from services.tracking import jobs
from services.tracking.api import track
from services.tracking.deps import OpenStreams
from shared.contracts.desk import CaseNoted
from shared.contracts.refusal import TooMany
from tests.patience import PATIENCE
from tests.service.tracking.conftest import Web
from tests.support import process_batch
from tests.unit.tracking.examples import Story


async def open_stream(
    web: Web, code: str, after: str | None = None, address: str = "10.1.2.3"
) -> AsyncIterator[str]:
    """The body of the stream, chunk by chunk; a test transport would wait for its end."""
    headers = [] if after is None else [(b"last-event-id", after.encode())]
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": f"/api/track/{code}/stream",
        "query_string": b"",
        "headers": headers,
        "client": (address, 1),
        "app": web.app,
    }
    response = await track.stream(Request(scope), code)
    assert response.media_type == "text/event-stream"
    return response.body_iterator  # type: ignore[attr-defined,no-any-return]


async def lines(stream: AsyncIterator[str], n: int) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < n:
            chunk = await anext(stream)
            if chunk.startswith("id: "):
                head, _, data = chunk.strip().partition("\ndata: ")
                found.append((int(head[4:]), json.loads(data)))
    return found


async def test_a_stream_begins_at_the_beginning_and_goes_on(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, story.received(), story.opened())
    stream = await open_stream(web, code)
    assert [(n, d["type"]) for n, d in await lines(stream, 2)] == [
        (1, "feedback.received"),
        (2, "case.opened"),
    ]
    waiting = asyncio.create_task(lines(stream, 1))
    await asyncio.sleep(0.05)
    await process_batch(web.service, story.of(CaseNoted), story.dispatched("it"))
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
    assert len(web.service.deps.changes) == len(web.service.deps.streams) == 0


async def test_a_stream_goes_on_after_the_last_line_that_was_read(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.worked("it"))
    stream = await open_stream(web, code, "4")
    assert (await lines(stream, 1))[0][0] == 5
    await stream.aclose()  # type: ignore[attr-defined]


async def test_what_another_replica_projected_is_noticed(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, story.received())
    stream = await open_stream(web, code)
    await lines(stream, 1)
    waiting = asyncio.create_task(lines(stream, 1))
    await asyncio.sleep(0.05)
    job = asyncio.create_task(jobs.look_for_changes(web.service))
    changes = web.service.deps.changes
    notify, changes.notify = changes.notify, lambda key: None
    await process_batch(web.service, story.opened())
    changes.notify = notify
    assert (await waiting)[0][0] == 2
    job.cancel()
    await stream.aclose()  # type: ignore[attr-defined]


async def test_streams_end_when_the_process_does(web: Web, code: str) -> None:
    await process_batch(web.service, *Story(code=code).begun())
    stream = await open_stream(web, code)

    async def drain() -> None:
        async for _ in stream:
            pass

    draining = asyncio.create_task(drain())
    await asyncio.sleep(0.05)
    web.service.closing.set()
    await asyncio.wait_for(draining, PATIENCE)


async def test_a_stream_of_an_unknown_code_is_not_found(web: Web) -> None:
    assert (await web.get("/api/track/NO-SUCH-CODE/stream")).status_code == 404


@pytest.mark.parametrize(
    ("limits", "cases", "addresses"),
    [
        ({"per_case": 2}, [0, 0, 0], ["1", "2", "3"]),
        ({"per_address": 2}, [0, 1, 2], ["1", "1", "1"]),
        ({"total": 2}, [0, 1, 2], ["1", "2", "3"]),
    ],
)
async def test_streams_are_limited_by_case_by_address_and_together(
    web: Web, limits: dict[str, int], cases: list[int], addresses: list[str]
) -> None:
    codes = [web.service.runtime.signer.tracking_code() for _ in range(3)]
    for each in codes:
        await process_batch(web.service, Story(code=each).received())
    web.service.deps.streams = OpenStreams(**limits)
    streams = [
        await open_stream(web, codes[case], address=f"10.0.0.{address}")
        for case, address in zip(cases[:2], addresses[:2], strict=True)
    ]
    # Taken when it was asked for, not when it is read: many at once find no way around it.
    with pytest.raises(TooMany):
        await open_stream(web, codes[cases[2]], address=f"10.0.0.{addresses[2]}")
    await lines(streams[0], 1)
    await streams[0].aclose()  # type: ignore[attr-defined]
    again = await open_stream(web, codes[cases[2]], address=f"10.0.0.{addresses[2]}")
    await lines(again, 1)
    await again.aclose()  # type: ignore[attr-defined]


async def test_a_stream_that_never_began_gives_its_room_back(web: Web, code: str) -> None:
    await process_batch(web.service, Story(code=code).received())
    request = Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [],
            "client": ("10.1.2.3", 1),
            "app": web.app,
        }
    )
    response = await track.stream(request, code)
    assert len(web.service.deps.streams) == 1

    async def gone(message: Any = None) -> Any:
        raise OSError

    with pytest.raises(BaseException):  # noqa: B017, PT011
        await response(request.scope | {"type": "http"}, gone, gone)
    assert len(web.service.deps.streams) == 0
