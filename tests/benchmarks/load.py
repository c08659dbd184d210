"""A load generator: a process of its own that keeps N connections busy and counts answers."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import uvloop


async def _connection(
    host: str, port: int, requests: list[bytes], times: list[float], good: list[int]
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
        good.append(int(head[9:12]))
    writer.close()


def request_of(path: str, body: dict[str, Any], token: str) -> bytes:
    """One keep-alive POST as bytes."""
    payload = json.dumps(body, ensure_ascii=False).encode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    ).encode() + payload


def letter(number: int, run: str) -> dict[str, Any]:
    """A comment of ordinary size with a source id of its own."""
    return {
        "text": "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？" * 3,
        "place": "三层东区",
        "channel": "web",
        "source_message_id": f"{run}-{number}",
    }


async def _main() -> None:
    order = json.loads(sys.stdin.read())
    requests = [
        request_of(order["path"], letter(n, order["run"]), order["token"])
        for n in range(order["count"])
    ]
    share = len(requests) // order["connections"]
    times: list[float] = []
    good: list[int] = []
    start = time.perf_counter()
    await asyncio.gather(
        *(
            _connection(
                order["host"], order["port"], requests[c * share : (c + 1) * share], times, good
            )
            for c in range(order["connections"])
        )
    )
    seconds = time.perf_counter() - start
    json.dump(
        {
            "seconds": seconds,
            "answered": len(good),
            "accepted": sum(200 <= g < 300 for g in good),
            "statuses": sorted(set(good)),
            "times": times,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    uvloop.run(_main())
