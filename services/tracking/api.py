"""The door for programs: a case by its code, its live timeline, and the dashboard."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.tracking.domain.view import line_body
from services.tracking.live import LISTENERS, heard
from services.tracking.reading import Words, behind_body, board_body, find_case, track_body
from services.tracking.store.reading import lines_after
from shared.contracts.refusal import Unavailable
from shared.service import Service
from shared.web.auth import service_of, staff

router = APIRouter()
HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it lives."""
PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@router.get("/api/track/{code}")
async def track(request: Request, code: str) -> Response:
    """Where it is, who has it, what happens next, by when."""
    return JSONResponse(await track_body(request, code), headers=PRIVATE)


@router.get("/api/track/{code}/stream")
async def stream(request: Request, code: str) -> Response:
    """The timeline as Server-Sent Events, from the beginning or after `Last-Event-ID`."""
    case = await find_case(request, code)
    service = service_of(request, "tracking")
    if len(service.tools.bell) >= LISTENERS:
        raise Unavailable("现在看的人太多，请稍后再试。", "Too many are watching just now.")
    last = request.headers.get("last-event-id", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) < 10 else 0
    return StreamingResponse(
        _lines(service, case.feedback_id, after, Words(request)),
        media_type="text/event-stream",
        headers={**PRIVATE, "X-Accel-Buffering": "no"},
    )


@router.get("/api/dashboard")
async def dashboard(request: Request) -> dict[str, Any]:
    """How we are doing: coordinators, leaders and auditors see all, departments their own."""
    return await board_body(request, staff(request))


@router.get("/api/dashboard/cases")
async def cases_behind(request: Request) -> dict[str, Any]:
    """The cases behind a number: `measure` and the filters of the dashboard."""
    return await behind_body(request, staff(request))


async def _lines(
    service: Service, feedback_id: str, after: int, words: Words
) -> AsyncIterator[str]:
    """New lines as they are committed; ends when the client leaves or the process does."""
    with service.tools.bell.listen(feedback_id) as ear:
        yield "retry: 2000\n\n"
        while not service.closing.is_set():
            ear.clear()
            async with service.transaction() as tx:
                lines = await lines_after(tx, feedback_id, after)
            words.now = service.house.clock.now()
            for line in lines:
                after = line.seq
                data = json.dumps(line_body(line, **words.known), ensure_ascii=False)
                yield f"id: {line.seq}\ndata: {data}\n\n"
            await heard(ear, service.closing, HEARTBEAT)
            if not ear.is_set():
                yield ": still here\n\n"
