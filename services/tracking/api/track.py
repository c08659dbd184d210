"""A case by its code, and its live timeline."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.tracking.api.context import ViewContext
from services.tracking.deps import NAME, Deps, StreamSlot, deps_of, wait
from services.tracking.domain import view
from services.tracking.domain.became import BECOMES, became
from services.tracking.domain.view import line_body
from services.tracking.store import CaseRow
from services.tracking.store.reading import case_by_code, cases_by_codes, cases_of, lines_after
from shared.contracts.refusal import NotFound, TooMany, Unavailable
from shared.contracts.sla import PromiseStatus
from shared.contracts.vocabulary import Clock
from shared.messaging.transaction import Transaction
from shared.moments import moment
from shared.security import WHY, code_hash, plain_code
from shared.service import Service
from shared.web.auth import service_of
from shared.web.limits import caller

router = APIRouter()
HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it lives."""
RETRY = 30
"""Seconds after which one who found no slot may ask again."""
WAIT_FOR_CASE = 2.0
"""Seconds a code of ours may take to appear: it was given out before the log was read."""
JUST_SENT = timedelta(seconds=10)
"""So long what a reporter asked for may be on its way through the log, and their page waits."""
WAITERS = 200
"""Requests that may wait for what was said a moment ago."""
WHY_FOR = timedelta(days=2)
"""How long a link is good at most."""
EXPLAINED = (Clock.FIRST_RESPONSE, Clock.RESOLUTION)
"""Dates that a reporter was told."""
PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@router.get("/api/track/{code}")
async def track(request: Request, code: str) -> Response:
    """Where it is, who has it, what happens next, by when."""
    return JSONResponse(await track_body(request, code), headers=PRIVATE)


@router.get("/api/track/{code}/stream")
async def stream(request: Request, code: str) -> Response:
    """The timeline as Server-Sent Events, from the beginning or after `Last-Event-ID`."""
    case = await find_case(request, code)
    slot = deps_of(request).streams.take(case.feedback_id, caller(request))
    if slot is None:
        raise TooMany(
            "现在看的人太多，请稍后再试。", "Too many are watching just now.", retry_after=RETRY
        )
    last = request.headers.get("last-event-id", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) < 10 else 0
    return SlottedStream(slot, _lines(request, slot, after))


class SlottedStream(StreamingResponse):
    """Gives its slot back also where the body was never begun."""

    def __init__(self, slot: StreamSlot, lines: AsyncIterator[str]) -> None:
        super().__init__(
            lines,
            media_type="text/event-stream",
            headers={**PRIVATE, "X-Accel-Buffering": "no"},
        )
        self._slot = slot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._slot.release()


async def _lines(request: Request, slot: StreamSlot, after: int) -> AsyncIterator[str]:
    """New lines as they are committed; ends when the client leaves or the process does."""
    service = service_of(request, NAME)
    context = ViewContext(request)
    try:
        with deps_of(request).changes.subscribe(slot.feedback_id) as changed:
            yield "retry: 2000\n\n"
            while not service.closing.is_set():
                changed.clear()
                async with service.transaction() as tx:
                    lines = await lines_after(tx, slot.feedback_id, after)
                context.now = service.runtime.clock.now()
                for line in lines:
                    after = line.seq
                    data = json.dumps(line_body(line, context.wording), ensure_ascii=False)
                    yield f"id: {line.seq}\ndata: {data}\n\n"
                await wait(changed, service.closing, HEARTBEAT)
                if not changed.is_set():
                    yield ": still here\n\n"
    finally:
        slot.release()


async def find_case(request: Request, code: str) -> CaseRow:
    """The case of this code; 404 for a code that was never ours, and only so often per address.

    A code that we signed counts as no failure: it was given out a moment ago, and its case is on
    the way through the log.
    """
    service = service_of(request, "tracking")
    deps = deps_of(request)
    genuine = service.runtime.signer.is_genuine(code)
    address = caller(request)
    if not genuine and (wait := deps.unknown_codes.blocked(address)):
        raise TooMany(
            "试了太多不存在的编号，请过一会儿再来。",
            "Too many unknown codes. Please wait a while.",
            retry_after=wait,
        )
    key = code_hash(code)
    case = await _look_up(service, key)
    if case is None and genuine:
        case = await _wait_for(service, key, partial(_look_up, service, key))
    if case is not None:
        return case
    if genuine:
        raise Unavailable(
            "您的话已经收到，正在登记，请过几秒再看。",
            "We have your message and are registering it. Please look again in a few seconds.",
            retry_after=2,
        )
    deps.unknown_codes.count(address)
    raise NotFound


async def track_body(request: Request, code: str) -> dict[str, Any]:
    """The body of ``GET /api/track/{code}``."""
    case = await _as_asked(request, await find_case(request, code))
    async with service_of(request, "tracking").transaction() as tx:
        return await _body(tx, case, ViewContext(request))


async def matters_body(request: Request, codes: list[str]) -> list[dict[str, Any]]:
    """The same for each of these codes, with the code."""
    by_hash = {code_hash(code): plain_code(code) for code in codes}
    context = ViewContext(request)
    async with service_of(request, "tracking").transaction() as tx:
        return [
            await _body(tx, case, context)
            | {"code": by_hash[case.code_hash or ""], "title": case.title}
            for case in await cases_by_codes(tx, list(by_hash))
        ]


async def _body(tx: Transaction, case: CaseRow, context: ViewContext) -> dict[str, Any]:
    seen = await _seen(tx, case)
    target = await _joined_to(tx, case)
    of_target = await _seen(tx, target) if target is not None else None
    parts = [await _seen(tx, p) for p in await cases_of(tx, case.details.get("parts", []))]
    body = view.body(seen, now=context.now, wording=context.wording, target=of_target, parts=parts)
    for said in body["conversation"]:
        if sent := said.get("pictures"):
            said["pictures"] = [
                one | {"url": context.signer.picture_path(one["picture_id"], context.now)}
                for one in sent
            ]
    if target is None:
        # Whose case another one is joined to is nobody else's to ask about.
        body["why"] = why_links(context, body)
        for part in body["parts"]:
            part["why"] = why_links(context, part)
    return body


def why_links(context: ViewContext, body: dict[str, Any]) -> dict[str, str]:
    """Clock → the path of the page that says why its date is what it is.

    sla counts, and must not know the code: what is signed here is the case and the clock. The same
    for a whole day, so that a page which is looked at again is the same.
    """
    until = context.now.replace(hour=0, minute=0, second=0, microsecond=0) + WHY_FOR
    return {
        one["clock"]: "/sla/why/"
        + context.signer.signed(WHY, [body["feedback_id"], one["clock"]], until=until)
        for one in body["promises"]
        if one["clock"] in EXPLAINED and one["status"] != PromiseStatus.CANCELLED
    }


async def _seen(tx: Transaction, case: CaseRow) -> view.Seen:
    """Both of one moment: what was projected since the case was read is left for the next look.

    Else a reply could be read beside a state in which it cannot be rated yet.
    """
    lines = await lines_after(tx, case.feedback_id)
    return view.Seen(case, [line for line in lines if line.seq <= case.seq])


async def _joined_to(tx: Transaction, case: CaseRow) -> CaseRow | None:
    """The case that this one was joined to, by however many steps."""
    passed, target = {case.feedback_id}, None
    into = case.details.get("merged_into")
    while into and into not in passed:
        passed.add(into)
        found = await cases_of(tx, [into])
        if not found:
            break
        target = found[0]
        into = target.details.get("merged_into")
    return target


async def _look_up(service: Service[Deps], key: str) -> CaseRow | None:
    async with service.transaction() as tx:
        return await case_by_code(tx, key)


async def _as_asked(request: Request, case: CaseRow) -> CaseRow:
    """The case, once what its reporter did just now, as the address says, has come of it: without
    script a page that is older would stand until somebody loads it again."""
    service, asked = service_of(request, NAME), request.query_params
    done, at = asked.get("done", ""), moment(asked.get("at"))
    if done not in BECOMES or at is None or abs(service.runtime.clock.now() - at) > JUST_SENT:
        return case
    look = partial(_become, service, case.feedback_id, done, at)
    found = await _wait_for(service, case.feedback_id, look)
    # Even where nothing came of it in time, something else may have.
    return found or await find_case(request, request.path_params["code"])


async def _become(
    service: Service[Deps], feedback_id: str, done: str, at: datetime
) -> CaseRow | None:
    async with service.transaction() as tx:
        (case,) = await cases_of(tx, [feedback_id])
        # It may be about one of the matters that the comment was split into.
        for one in (case, *await cases_of(tx, case.details.get("parts", []))):
            seen = await _seen(tx, one)
            if became(done, at, seen.case.state, seen.lines):
                return case
    return None


async def _wait_for(
    service: Service[Deps], key: str, look: Callable[[], Awaitable[CaseRow | None]]
) -> CaseRow | None:
    deps = service.deps
    if deps.waiting >= WAITERS:
        return None
    deps.waiting += 1
    # No statement is broken off when the time is over: that would cost a connection.
    end = time.monotonic() + WAIT_FOR_CASE
    try:
        with deps.changes.subscribe(key) as changed:
            while (found := await look()) is None:
                left = end - time.monotonic()
                if left <= 0 or service.closing.is_set():
                    return None
                await wait(changed, service.closing, min(left, WAIT_FOR_CASE / 4))
                changed.clear()
            return found
    finally:
        deps.waiting -= 1
