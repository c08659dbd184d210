"""The dashboard as it changes: only the parts that moved are sent, and computed once for all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.tracking.api.asking import Asked, asked_of
from services.tracking.api.board import answer_to
from services.tracking.api.context import ViewContext
from services.tracking.api.parts import parts_of
from services.tracking.api.track import HEARTBEAT, RETRY, SlottedStream
from services.tracking.deps import BOARD, NAME, Deps, StreamSlot, deps_of, wait
from services.tracking.deps.broadcasts import Parts
from shared.contracts.refusal import TooMany
from shared.moments import local
from shared.service import Service
from shared.web.auth import service_of, staff
from shared.web.limits import caller

router = APIRouter()
LONGEST = 600.0
"""Seconds after which the browser asks again, and shows that it still may."""


@router.get("/api/dashboard/stream")
async def stream(request: Request) -> Response:
    """Parts of the page as Server-Sent Events ``{as_of, parts: {name: html}}``, whenever one moves.

    ``seen=now:HASH,…`` names those that the page has already.
    """
    asked = asked_of(request, staff(request))
    asked.question(service_of(request, NAME).runtime.clock.now())
    slot = deps_of(request).board_streams.take(BOARD, caller(request))
    if slot is None:
        raise TooMany(
            "现在看的人太多，请稍后再试。", "Too many are watching just now.", retry_after=RETRY
        )
    return SlottedStream(slot, _parts(request, slot, asked))


async def _parts(request: Request, slot: StreamSlot, asked: Asked) -> AsyncIterator[str]:
    service: Service[Deps] = service_of(request, NAME)
    deps = service.deps

    async def compute() -> Parts:
        context = ViewContext.of(service.runtime, asked.locale)
        answer = await answer_to(service, asked.question(context.now))
        return parts_of(deps, asked, answer, context)

    pairs = (pair.partition(":") for pair in request.query_params.get("seen", "").split(","))
    seen = {name: known_by for name, _, known_by in pairs}
    began = service.runtime.clock.now()
    try:
        async with deps.broadcasts.join(
            asked, BOARD, deps.changes, service.closing, compute
        ) as broadcast:
            yield "retry: 2000\n\n"
            while not (service.closing.is_set() or broadcast.over):
                moved = broadcast.moved
                now = service.runtime.clock.now()
                if news := broadcast.news_for(seen):
                    said = {"as_of": local(now), "parts": news}
                    yield f"data: {json.dumps(said, ensure_ascii=False)}\n\n"
                elif broadcast.parts:
                    yield ": still here\n\n"
                if (now - began).total_seconds() > LONGEST:
                    return
                await wait(moved, service.closing, HEARTBEAT)
    finally:
        slot.release()
