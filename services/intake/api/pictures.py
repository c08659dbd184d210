"""Pictures: read out of a form, and shown to whoever holds a signed address."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from services.intake.api.answers import turn_away
from services.intake.deps import NAME, Deps, deps_of
from services.intake.domain.pictures import (
    FIELD,
    LARGEST,
    MOST_OF_A_MESSAGE,
    Flaw,
    Picture,
    check_number,
    not_taken,
)
from services.intake.shrinking import NoPicture, shrink
from services.intake.store.pictures import picture
from shared.contracts.refusal import NotFound, Unavailable
from shared.ids import new_id
from shared.security import PICTURE
from shared.web.auth import service_of
from shared.web.bodies import ParsedBody
from shared.web.edge import MAX_BODY
from shared.web.limits import caller
from shared.web.uploads import Files, SentFile

LARGEST_FORM = MOST_OF_A_MESSAGE * LARGEST + 2 * MAX_BODY
"""Bytes."""
WHERE = {
    r"/api/(desk/)?feedback": LARGEST_FORM,
    r"/api/track/[^/]+/supplement": LARGEST_FORM,
}
"""The paths that take pictures."""
_SHOWN = {
    # For as long as its address is good at most; nobody between here and there keeps it.
    "Cache-Control": "private, max-age=600",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}


@contextlib.asynccontextmanager
async def room_for(deps: Deps, request: Request) -> AsyncIterator[Files]:
    """What may be kept of the files of this form, until it is done with.

    Of a large one nothing where several are held already: its words are read all the same, and
    given back.
    """
    length = request.headers.get("content-length", "")
    small = length.isascii() and length.isdigit() and int(length) <= MAX_BODY
    if small or deps.uploads.locked():
        yield Files(FIELD, MOST_OF_A_MESSAGE, LARGEST, keep=small)
        return
    async with deps.uploads:
        yield Files(FIELD, MOST_OF_A_MESSAGE, LARGEST)


async def read_pictures(
    deps: Deps, request: Request, parsed: ParsedBody, *, public: bool
) -> tuple[Picture, ...]:
    """The pictures of a form, made small; `Unacceptable` says which is none, and what can be sent.

    `public`: counted against what an address may send.
    """
    if not parsed.files:
        return ()
    if public:
        size = sum(one.size for one in parsed.files)
        turn_away(deps.pictured.take(caller(request), size))
    check_number(len(parsed.files))
    contents = [_content(parsed.files, n) for n in range(len(parsed.files))]
    async with deps.shrinking:
        return tuple([await _shrunk(one, n, len(contents)) for n, one in enumerate(contents, 1)])


def _content(files: Sequence[SentFile], n: int) -> bytes:
    one = files[n]
    if one.size > LARGEST:
        raise not_taken(n + 1, len(files), Flaw.TOO_LARGE)
    if one.content is None:
        raise Unavailable(
            "现在收的照片太多，您写的还在，请过几秒再发一次。",
            "Too many pictures are coming in just now. Your words are here: try again.",
            retry_after=5,
        )
    return one.content


async def _shrunk(content: bytes, number: int, of: int) -> Picture:
    try:
        small = await asyncio.to_thread(shrink, content)
    except NoPicture as error:
        raise not_taken(number, of, error.flaw) from None
    return Picture(new_id(), small.width, small.height, small.content)


async def show_picture(request: Request) -> Response:
    """``GET /pictures/{picture_id}``: for whoever desk or tracking gave this address a few minutes
    ago; 404 for everybody else, as for one that is not there."""
    picture_id, now = request.path_params["picture_id"], _now(request)
    key = request.query_params.get("key", "")
    if deps_of(request).runtime.signer.read_signed(PICTURE, key, now) != picture_id:
        raise NotFound
    async with service_of(request, NAME).transaction() as tx:
        found = await picture(tx, picture_id)
    if found is None:
        raise NotFound
    kind, content = found
    return Response(content, media_type=kind, headers=_SHOWN)


def _now(request: Request) -> datetime:
    return deps_of(request).runtime.clock.now()
