"""What every request passes: a limit on its size, and the headers every answer carries."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.pages import SECURITY_HEADERS
from shared.web.problems import broken

MAX_BODY = 1_000_000
"""Bytes of a request body."""


MAX_UNREAD = 8_000_000
"""Bytes that are read and thrown away so that the sender, done with sending, sees the answer."""
UNREAD_SECONDS = 1.0


class _BodyTooLarge(Exception):
    pass


class Edge:
    """ASGI middleware: 413 for a body over `MAX_BODY`, also without a length; security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if (plain := _without_last_slash(scope)) is not None:
            await RedirectResponse(plain, 308)(scope, receive, send_with_headers)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > MAX_BODY:
            await _too_large(scope, receive, send_with_headers)
            return
        read = 0

        async def receive_limited() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > MAX_BODY:
                    raise _BodyTooLarge
            return message

        try:
            await self.app(scope, receive_limited, send_with_headers)
        except _BodyTooLarge:
            if not started:
                await _too_large(scope, receive, send_with_headers)
        except Exception as error:
            if started:
                raise
            # Answered here, so that the connection and whatever else it carries go on.
            answer = await broken(Request(scope), error)
            await answer(scope, receive, send_with_headers)


def _without_last_slash(scope: Scope) -> str | None:
    """The address of a page that somebody typed with a slash at the end; a path, never a host."""
    path: str = scope["path"]
    if scope["method"] != "GET" or path == "/" or not path.endswith("/"):
        return None
    plain = "/" + quote(path.strip("/"))
    query = scope["query_string"].decode("latin-1")
    return f"{plain}?{query}" if query else plain


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    await _let_finish(scope, receive)
    answer = JSONResponse(
        {
            "type": "about:blank",
            "title": "Too large",
            "status": 413,
            "detail": "内容太大（上限 1 MB），请缩短后再提交。 / At most 1 MB, please.",
        },
        413,
        media_type="application/problem+json",
        headers={"Connection": "close"},
    )
    await answer(scope, receive, send)


async def _let_finish(scope: Scope, receive: Receive) -> None:
    if "expect" in Headers(scope=scope):
        return  # waits for a word before it sends anything
    left = MAX_UNREAD
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(UNREAD_SECONDS):
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
