"""A load generator: a process of its own that keeps N connections busy and counts answers."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import uvloop

WECHAT_TOKEN = "bench"
WORDS = "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？" * 3


async def _connection(
    host: str,
    port: int,
    requests: Iterator[bytes],
    times: list[float],
    statuses: list[int],
    every: float,
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for request in requests:
        start = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if length:
            await reader.readexactly(length)
        times.append(time.perf_counter() - start)
        statuses.append(int(head[9:12]))
        if every:
            await asyncio.sleep(max(0.0, start + every - time.perf_counter()))
    writer.close()


def letter(number: int, run: str) -> dict[str, Any]:
    """A comment of ordinary size with a source id of its own."""
    return {
        "text": WORDS,
        "place": "三层东区",
        "channel": "web",
        "source_message_id": f"{run}-{number}",
    }


def _as_json(path: str, token: str, run: str, number: int) -> bytes:
    payload = json.dumps(letter(number, run), ensure_ascii=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


def _as_push(path: str, run: str, number: int) -> bytes:
    """The same words as the official account's platform sends them: XML, signed."""
    moment, nonce = str(int(time.time())), f"{run}{number}"
    parts = "".join(sorted((WECHAT_TOKEN, moment, nonce)))
    signature = hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()
    payload = (
        f"<xml><ToUserName><![CDATA[gh_bench]]></ToUserName>"
        f"<FromUserName><![CDATA[o{run}{number}]]></FromUserName><CreateTime>{moment}</CreateTime>"
        f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{WORDS}]]></Content>"
        f"<MsgId>{int(hashlib.sha256(nonce.encode()).hexdigest()[:15], 16)}</MsgId></xml>"
    ).encode()
    head = (
        f"POST {path}?signature={signature}&timestamp={moment}&nonce={nonce} HTTP/1.1\r\n"
        f"Host: bench\r\nContent-Type: text/xml\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


def get(path: str, **headers: str) -> str:
    """A request; ``_`` in the names of headers is a dash."""
    return _request("GET", path, headers)


def post(path: str, body: str, content_type: str, **headers: str) -> str:
    """A request with a body."""
    length = str(len(body.encode()))
    more = {"Content-Type": content_type, "Content-Length": length}
    return _request("POST", path, headers | more) + body


def _request(method: str, path: str, headers: dict[str, str]) -> str:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines) + "\r\n\r\n"


Load = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


async def run_load(order: dict[str, Any]) -> dict[str, Any]:
    """One block, in a process of its own: ``{seconds, answered, accepted, statuses, times}``.

    `order` names ``host, port, connections`` and either whole ``requests`` or what to make. With
    ``every`` a connection asks once in so many seconds, and otherwise as fast as it is answered.
    """
    async with loading() as load:
        return await load(order)


@contextlib.asynccontextmanager
async def loading() -> AsyncIterator[Load]:
    """The same for many blocks, in one process, which takes longer to start than some of them."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.load",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LINE,
    )  # fmt: skip
    assert child.stdin and child.stdout
    given, told = child.stdin, child.stdout

    async def load(order: dict[str, Any]) -> dict[str, Any]:
        given.write(json.dumps(order).encode() + b"\n")
        await given.drain()
        return dict(json.loads(await told.readline()))

    try:
        yield load
    finally:
        given.close()
        await child.wait()


_LINE = 1 << 26
"""Bytes of the longest answer."""


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            print(json.dumps(runner.run(_block(json.loads(line)))), flush=True)


async def _block(order: dict[str, Any]) -> dict[str, Any]:
    if "requests" in order:
        made = [request.encode() for request in order["requests"]]
    else:
        path, run, numbers = order["path"], order["run"], range(order["count"])
        if path.startswith("/wechat/"):
            made = [_as_push(path, run, n) for n in numbers]
        else:
            made = [_as_json(path, order["token"], run, n) for n in numbers]
    every = order.get("every", 0.0)
    # One iterator for all connections: whoever is free takes the next.
    requests, times, statuses = iter(made), [], []  # type: ignore[var-annotated]
    start = time.perf_counter()
    await asyncio.gather(
        *(
            _connection(order["host"], order["port"], requests, times, statuses, every)
            for _ in range(order["connections"])
        )
    )
    return {
        "seconds": time.perf_counter() - start,
        "answered": len(statuses),
        "accepted": sum(200 <= s < 300 for s in statuses),
        "statuses": sorted(set(statuses)),
        "times": times,
    }


if __name__ == "__main__":
    _main()
