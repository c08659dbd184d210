"""Limits per address: a bucket that refills, and a count of failures. In memory, per process."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from starlette.requests import HTTPConnection

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
    """`size` calls at once, refilled at `per_second`; one bucket per key."""

    def __init__(
        self, size: float, per_second: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._size, self._rate, self._now = size, per_second, now
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> int | None:
        """None when the call may pass, else the seconds after which it may."""
        now = self._now()
        level, at = self._levels.pop(key, (self._size, now))
        level = min(self._size, level + (now - at) * self._rate)
        passed = level >= 1
        self._levels[key] = (level - 1 if passed else level, now)
        if len(self._levels) > _KEEP:
            self._levels.popitem(last=False)
        return None if passed else max(1, int((1 - level) / self._rate + 0.999))


class Failures:
    """At most `most` failures within `seconds` per key; only failures count."""

    def __init__(
        self, most: int, seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._now = most, seconds, now
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def blocked(self, key: str) -> int | None:
        """Seconds until the next try may be made, or None when it may be made now."""
        times = self._seen.get(key)
        if not times:
            return None
        now = self._now()
        while times and now - times[0] > self._seconds:
            times.popleft()
        if len(times) < self._most:
            return None
        return max(1, int(self._seconds - (now - times[0]) + 0.999))

    def count(self, key: str) -> None:
        """Remember a failure."""
        times = self._seen.setdefault(key, deque(maxlen=self._most))
        times.append(self._now())
        self._seen.move_to_end(key)
        if len(self._seen) > _KEEP:
            self._seen.popitem(last=False)
