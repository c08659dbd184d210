"""One access token per application, shared by all who send for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

EARLY = timedelta(minutes=5)
"""A token is renewed this long before it ends."""


@dataclass(frozen=True)
class AccessToken:
    """A token and its end."""

    value: str = field(repr=False)
    expires_at: datetime

    def usable(self, now: datetime) -> bool:
        """Whether it will still hold for a while."""
        return now < self.expires_at - EARLY


class TokenStore(Protocol):
    """Keeps one token per appid where every process finds it: a row."""

    async def get(self, appid: str) -> AccessToken | None:
        """The token last put, also an expired one."""
        ...

    async def put(self, appid: str, token: AccessToken) -> None:
        """Replace it."""
        ...


class MemoryTokenStore:
    """For a single process and for tests."""

    def __init__(self) -> None:
        self._tokens: dict[str, AccessToken] = {}

    async def get(self, appid: str) -> AccessToken | None:
        """The token last put."""
        return self._tokens.get(appid)

    async def put(self, appid: str, token: AccessToken) -> None:
        """Replace it."""
        self._tokens[appid] = token
