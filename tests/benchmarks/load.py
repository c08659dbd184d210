"""A load generator: a process of its own that keeps N connections busy and counts answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import uvloop

WECHAT_TOKEN = "bench"
WORDS = "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？" * 3


async def _connection(
    host: str, port: int, requests: Iterator[bytes], times: list[float], statuses: list[int]
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
        f"<FromUserName><![CDATA[o{number}]]></FromUserName><CreateTime>{moment}</CreateTime>"
        f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{WORDS}]]></Content>"
        f"<MsgId>{int(hashlib.sha256(nonce.encode()).hexdigest()[:15], 16)}</MsgId></xml>"
    ).encode()
    head = (
        f"POST {path}?signature={signature}&timestamp={moment}&nonce={nonce} HTTP/1.1\r\n"
        f"Host: bench\r\nContent-Type: text/xml\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


async def _main() -> None:
    order = json.loads(sys.stdin.read())
    path, run, numbers = order["path"], order["run"], range(order["count"])
    if path.startswith("/wechat/"):
        made = [_as_push(path, run, n) for n in numbers]
    else:
        made = [_as_json(path, order["token"], run, n) for n in numbers]
    # One iterator for all connections: whoever is free takes the next.
    requests, times, statuses = iter(made), [], []  # type: ignore[var-annotated]
    start = time.perf_counter()
    await asyncio.gather(
        *(
            _connection(order["host"], order["port"], requests, times, statuses)
            for _ in range(order["connections"])
        )
    )
    answer = {
        "seconds": time.perf_counter() - start,
        "answered": len(statuses),
        "accepted": sum(200 <= s < 300 for s in statuses),
        "statuses": sorted(set(statuses)),
        "times": times,
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    uvloop.run(_main())
