"""What every request passes: its path, a limit on its size, the headers every answer carries."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.auth import RENEWAL
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
    """ASGI middleware between the world and the application.

    - The application knows nothing of `base_path`: it is taken off paths that begin with it (a
      proxy may have done so already), and put before the addresses and cookie paths of answers.
    - HEAD is GET without the body, on every route.
    - A session that is used goes on: its new cookie goes with whatever is answered.
    - 413 for a body over `MAX_BODY`, also without a length; security headers. Where a path is among
      the `larger` ones, a form with files may have as many bytes as stand there.
    """

    def __init__(
        self, app: ASGIApp, base_path: str = "", larger: Mapping[str, int] | None = None
    ) -> None:
        self.app, self._base = app, base_path
        self._larger = [(re.compile(path), size) for path, size in (larger or {}).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._base:
            scope = self._inside(scope)
        if scope["method"] == "HEAD":
            scope, receive, send = _as_get(scope, receive, send)
        started = False
        renewal: list[str] = []
        scope[RENEWAL] = renewal

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                for cookie in renewal[:1]:
                    name = cookie.partition("=")[0] + "="
                    if not any(one.startswith(name) for one in headers.getlist("set-cookie")):
                        headers.append("set-cookie", cookie)
                if self._base:
                    self._put_base(message)
            await send(message)

        if (plain := _without_last_slash(scope)) is not None:
            await RedirectResponse(plain, 308)(scope, receive, send_with_headers)
            return
        most = self._most(scope)
        length = Headers(scope=scope).get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > most:
            await _too_large(scope, receive, send_with_headers, most)
            return
        read = 0

        async def receive_limited() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > most:
                    raise _BodyTooLarge
            return message

        try:
            await self.app(scope, receive_limited, send_with_headers)
        except _BodyTooLarge:
            if not started:
                await _too_large(scope, receive, send_with_headers, most)
        except Exception as error:
            if started:
                raise
            # Answered here, so that the connection and whatever else it carries go on.
            answer = await broken(Request(scope), error)
            await answer(scope, receive, send_with_headers)

    def _most(self, scope: Scope) -> int:
        if not self._larger or scope["method"] != "POST":
            return MAX_BODY
        kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
        if kind != "multipart/form-data":
            return MAX_BODY
        sizes = (size for path, size in self._larger if path.fullmatch(scope["path"]))
        return next(sizes, MAX_BODY)

    def _inside(self, scope: Scope) -> Scope:
        base, path = self._base, scope["path"]
        if path != base and not path.startswith(f"{base}/"):
            return scope
        raw: bytes = scope.get("raw_path") or b""
        inside = {**scope, "path": path[len(base) :] or "/"}
        if raw.startswith(base.encode()):
            inside["raw_path"] = raw[len(base) :] or b"/"
        return inside

    def _put_base(self, message: Message) -> None:
        base = self._base.encode()

        def outside(name: bytes, value: bytes) -> bytes:
            if name == b"location" and value[:1] == b"/" and value[:2] != b"//":
                return base + value
            if name == b"set-cookie":
                return _COOKIE_PATH.sub(rb"\1" + base, value)
            return value

        message["headers"] = [(name, outside(name, value)) for name, value in message["headers"]]


_COOKIE_PATH = re.compile(rb"(?i)(; *path=)/(?=;|$)")


def _as_get(scope: Scope, receive: Receive, send: Send) -> tuple[Scope, Receive, Send]:
    """GET for the application, whose client leaves as soon as the answer begins."""
    begun = False

    async def receive_until_begun() -> Message:
        return {"type": "http.disconnect"} if begun else await receive()

    async def send_head(message: Message) -> None:
        nonlocal begun
        if message["type"] == "http.response.start" and not begun:
            begun = True
            await send(message)
            await send({"type": "http.response.body", "body": b""})

    # By this version of the protocol a stream that goes on looks out for a client that leaves.
    asgi = {**scope.get("asgi", {}), "spec_version": "2.3"}
    return {**scope, "method": "GET", "asgi": asgi}, receive_until_begun, send_head


_AS_IT_IS = frozenset({"/", "/track/"})
"""The second is where a form without script sends a tracking code: it is answered at once."""


def _without_last_slash(scope: Scope) -> str | None:
    """The address of a page that somebody typed with a slash at the end; a path, never a host."""
    path: str = scope["path"]
    if scope["method"] != "GET" or path in _AS_IT_IS or not path.endswith("/"):
        return None
    plain = "/" + quote(path.strip("/"))
    query = scope["query_string"].decode("latin-1")
    return f"{plain}?{query}" if query else plain


async def _too_large(scope: Scope, receive: Receive, send: Send, most: int) -> None:
    await _let_finish(scope, receive)
    answer = JSONResponse(
        {
            "type": "about:blank",
            "title": "Too large",
            "status": 413,
            "detail": _TOO_LARGE.format(most // 1_000_000),
        },
        413,
        media_type="application/problem+json",
        headers={"Connection": "close"},
    )
    await answer(scope, receive, send)


_TOO_LARGE = "内容太大（上限 {0} MB），请缩短后再提交。 / At most {0} MB, please."


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
