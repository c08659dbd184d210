"""Limits on what one caller may ask of a process: how often, how much, how much at once.

All of them live in memory and count per process: *n* replicas allow *n* times as much.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Self

from starlette.requests import HTTPConnection

from shared.contracts.refusal import Unavailable

_KEEP = 50_000
"""Addresses remembered at the most; the one seen longest ago is forgotten first."""


def caller(request: HTTPConnection) -> str:
    """Whose calls are counted together: an IPv4 address, or the IPv6 network of one household."""
    host = request.client.host if request.client is not None else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


class Bucket:
    """`size` units at once, refilled at `per_second`; one bucket per key.

    A unit is whatever `take` is given the cost in: calls, bytes.
    """

    def __init__(
        self, size: float, per_second: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._size, self._rate, self._now = size, per_second, now
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, cost: float = 1) -> int | None:
        """None when the call may pass, else the seconds after which it may.

        What costs more than a full bucket passes when it is full, and is paid off afterwards.
        """
        now = self._now()
        level, at = self._levels.pop(key, (self._size, now))
        level = min(self._size, level + (now - at) * self._rate)
        needed = min(cost, self._size)
        passed = level >= needed
        self._levels[key] = (level - cost if passed else level, now)
        if len(self._levels) > _KEEP:
            self._levels.popitem(last=False)
        return None if passed else max(1, int((needed - level) / self._rate + 0.999))


class Failures:
    """At most `most` failures within `seconds` per key; only failures count."""

    def __init__(
        self, most: int, seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._now = most, seconds, now
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._under_way: Counter[str] = Counter()
        self._ended: dict[str, asyncio.Event] = {}

    def blocked(self, key: str) -> int | None:
        """Seconds until the next try may be made, or None when it may be made now."""
        times = self._recent(key)
        if len(times) < self._most:
            return None
        return max(1, int(self._seconds - (self._now() - times[0]) + 0.999))

    def count(self, key: str) -> None:
        """Remember a failure."""
        times = self._seen.setdefault(key, deque(maxlen=self._most))
        times.append(self._now())
        self._seen.move_to_end(key)
        if len(self._seen) > _KEEP:
            self._seen.popitem(last=False)

    async def begin(self, key: str) -> int | None:
        """Count a try before it is made: None when it may be made, else seconds as `blocked`.

        Tries that are under way count until `end`, so that many at once are no more than many
        one after the other. Whoever comes when those might use up the limit waits for one to end.
        """
        while (wait := self.blocked(key)) is None:
            if len(self._recent(key)) + self._under_way[key] < self._most:
                self._under_way[key] += 1
                return None
            await self._ended.setdefault(key, asyncio.Event()).wait()
        return wait

    def end(self, key: str, *, failed: bool) -> None:
        """A try that began is over; one that succeeded is given back."""
        self._under_way[key] -= 1
        if not self._under_way[key]:
            del self._under_way[key]
        if failed:
            self.count(key)
        if (ended := self._ended.pop(key, None)) is not None:
            ended.set()

    def _recent(self, key: str) -> deque[float]:
        times = self._seen.get(key)
        if times is None:
            return deque()
        now = self._now()
        while times and now - times[0] > self._seconds:
            times.popleft()
        return times


@dataclass
class Attempt:
    """Something that may fail, and counts when it did."""

    failed: bool = False


@contextlib.asynccontextmanager
async def attempt(
    *limits: tuple[Failures, str], refusal: Callable[[int], Exception]
) -> AsyncIterator[Attempt]:
    """Within the limits, each with its key; raises what `refusal` makes of the seconds to wait."""
    made = Attempt()

    def end(failures: Failures, key: str) -> None:
        failures.end(key, failed=made.failed)

    with contextlib.ExitStack() as begun:
        for failures, key in limits:
            if (wait := await failures.begin(key)) is not None:
                raise refusal(wait)
            begun.callback(end, failures, key)
        yield made


class ConcurrencyLimit:
    """`at_once` run, `waiting` wait their turn, more are asked to come back (503)."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._running = asyncio.Semaphore(at_once)
        self._most, self._inside = at_once + waiting, 0

    async def __aenter__(self) -> Self:
        """Wait for a turn, or raise `Unavailable`."""
        if self._inside >= self._most:
            raise Unavailable(
                "系统正忙，请过几秒再试。",
                "Busy just now. Please try again in a few seconds.",
                retry_after=2,
            )
        self._inside += 1
        try:
            await self._running.acquire()
        except BaseException:
            self._inside -= 1
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let the next one run."""
        self._inside -= 1
        self._running.release()
