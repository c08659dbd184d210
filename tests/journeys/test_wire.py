"""What comes over the line and is no decent HTTP, against the server that really listens."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from shared.process import _server
from shared.web.protocol import MAX_HEAD, MAX_HEADERS, BoundedProtocol
from tests.journeys.conftest import Town
from tests.patience import PATIENCE

HEAD = b"Host: x\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"


def get(path: bytes, *lines: bytes, method: bytes = b"GET") -> bytes:
    return (
        method
        + b" "
        + path
        + b" HTTP/1.1\r\n"
        + HEAD
        + b"".join(x + b"\r\n" for x in lines)
        + b"\r\n"
    )


def post(path: bytes, body: bytes, *lines: bytes) -> bytes:
    length = b"Content-Length: %d" % len(body)
    return get(path, JSON.strip(), length, *lines, method=b"POST") + body


@dataclass
class Line:
    """The listening server."""

    port: int

    async def send(self, data: bytes, *more: bytes) -> tuple[int, bytes]:
        """Status and whole answer; 0 when the line was cut without a word."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            with contextlib.suppress(ConnectionError):
                for piece in (data, *more):
                    writer.write(piece)
                    await writer.drain()
            answer = b""
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(PATIENCE):
                    answer = await reader.read()
        finally:
            writer.close()
        return int(answer[9:12] or 0), answer


class Hurried(BoundedProtocol):
    """The same with little timeout, so that nobody has to wait for it."""

    timeout = 0.3


@pytest_asyncio.fixture
async def line(town: Town) -> AsyncIterator[Line]:
    async for one in _listening(town, BoundedProtocol):
        yield one


@pytest_asyncio.fixture
async def hurried(town: Town) -> AsyncIterator[Line]:
    async for one in _listening(town, Hurried):
        yield one


async def _listening(town: Town, protocol: type[BoundedProtocol]) -> AsyncIterator[Line]:
    settings = town.runtime.settings.model_copy(update={"port": 0})
    server = _server(town.app, settings)
    server.config.http = protocol  # type: ignore[assignment]
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield Line(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        await serving


REFUSED = {
    "many headers": get(b"/", *[b"X-%d: v" % n for n in range(MAX_HEADERS)]),
    "a thick head": get(b"/", b"X: " + b"a" * MAX_HEAD),
    "a head without end": b"GET / HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 3 * MAX_HEAD,
    "a long address": get(b"/" + b"a" * MAX_HEAD),
    "many ranges": get(b"/static/x", b"Range: bytes=" + b",".join(b"0-1" for _ in range(20_000))),
    "two lengths": get(b"/", b"Content-Length: 1", b"Content-Length: 2", method=b"POST"),
    "length and chunks": post(b"/api/feedback", b"0\r\n\r\n", b"Transfer-Encoding: chunked"),
    "a length below nothing": get(b"/", b"Content-Length: -1", method=b"POST"),
    "a length in words": get(b"/", b"Content-Length: many", method=b"POST"),
    "a length beyond numbers": get(b"/", b"Content-Length: " + b"9" * 30, method=b"POST"),
    "no method": get(b"/", method=b"FETCH"),
    "no HTTP": b"\x16\x03\x01\x00\xa5\x01\x00\r\n\r\n",
    "another HTTP": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "bytes in the path": get(b"/\xff\xfe"),
    "a split header": get(b"/", b"X: a\rb"),
    "a header without a name": get(b"/", b": x"),
    "a tunnel": get(b"x:1", method=b"CONNECT"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_request_is_refused_as_everything_else(line: Line, name: str) -> None:
    status, answer = await line.send(REFUSED[name])
    assert status in (400, 431)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status


PATHS = [b"/static/../../etc/passwd", b"/static/%2e%2e/%2e%2e/etc/passwd", b"/static/%00",
         b"/static/..%2f..%2fetc%2fpasswd", b"/static/" + b"a" * 300, b"/static/%ff",
         b"/static/%ed%a0%80", b"//evil.example/x", b"/api/track/..%2f..%2fx", b"/desk/cases/%00",
         b"/wechat/%00", b"/track/%0d%0aX:1", b"/%c0%ae%c0%ae/", b"/static"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_no_path_leads_out_of_the_system(line: Line, path: bytes) -> None:
    status, answer = await line.send(get(path))
    assert status in (303, 307, 308, 401, 404)
    assert b"root:" not in answer
    assert b"evil.example" not in answer.partition(b"\r\n\r\n")[0].replace(b": /evil.example", b"")


async def test_strange_but_possible_requests_are_answered(line: Line) -> None:
    for data in (
        get(b"/", b"Upgrade: websocket", b"Sec-WebSocket-Key: x"),
        get(b"/", b"Upgrade: h2c", b"HTTP2-Settings: x"),
        get(b"/", b"Accept-Language: " + b"zh;q=nan," * 500),
        get(b"/desk", b"Cookie: " + b";" * 9000 + b"express_session=\xff\xfe; locale=\x80"),
        get(b"/api/session", b"X-HTTP-Method-Override: DELETE"),
        get(b"/api/feedback", method=b"TRACE"),
        get(b"http://evil.example/desk"),
        b"GET /desk HTTP/1.0\r\n\r\n",
        b"\r\n\r\n" + get(b"/health/live"),
    ):
        status, answer = await line.send(data)
        assert status in (200, 303, 400, 401, 404, 405), data[:60]
        assert b"evil.example" not in answer
    status, answer = await line.send(get(b"/api/feedback", method=b"TRACE"))
    assert b"allow: POST" in answer


async def test_a_body_without_a_length_is_cut_at_a_megabyte(line: Line) -> None:
    head = get(b"/api/feedback", JSON.strip(), b"Transfer-Encoding: chunked", method=b"POST")
    piece = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
    assert (await line.send(head, *[piece] * 40, b"0\r\n\r\n"))[0] == 413
    assert (await line.send(post(b"/api/feedback", b"a" * 1_000_001)))[0] == 413
    assert (await line.send(head, b'10\r\n{"text":"chunk"}\r\n0\r\n\r\n'))[0] == 201


async def test_a_stream_starts_wherever_it_is_asked_to(town: Town, line: Line) -> None:
    receipt = await town.submit("打印机卡纸")
    await town.sees_any(receipt["tracking_code"])
    path = f"/api/track/{receipt['tracking_code']}/stream".encode()
    for last in (b"", b"x", b"-1", b"0", b"9" * 400, b"\xff", b"1e9", b"\xc2\xb2"):
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(get(path, b"Last-Event-ID: " + last))
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), last
            assert b"text/event-stream" in head
            assert b"id: 1\n" in await reader.readuntil(b"\n\n") + await reader.readuntil(b"\n\n")
        writer.close()


async def test_who_is_too_slow_to_be_meant_is_cut(hurried: Line) -> None:
    async def dribble(*pieces: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", hurried.port)
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0.1)
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()

    body = b"POST /api/feedback HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    await asyncio.gather(
        dribble(b""),
        dribble(b"GET / HTTP/1.1\r\n", *[b"X: y\r\n"] * 20),
        dribble(*[b"\r\n"] * 20),
        dribble(body, *[b"x"] * 20),
    )
    async with asyncio.timeout(PATIENCE):
        # A machine that is busy may be too slow for this hurry itself.
        while (await hurried.send(get(b"/health/live")))[0] != 200:
            pass
