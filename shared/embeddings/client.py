"""The client of a server of OpenAI's embeddings protocol. It is never in anybody's way."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NoReturn

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.embeddings.breaker import CircuitBreaker
from shared.embeddings.source import OFF, Source

Vector = tuple[float, ...]
"""Of length 1: the product of two is their cosine."""
Kind = Literal["query", "passage"]

BATCH = 16
"""Texts a request: some seconds of a slow core, so that a question in between is soon answered."""
LONGEST_ANSWER = 4_000_000
SAY_EVERY = 900.0
"""Seconds after which it is said again why there are no vectors."""


class EmbedderAway(Exception):
    """There are no vectors now; the reason names no text. Do without, and ask later."""


class _Item(BaseModel):
    model_config = ConfigDict(extra="ignore")

    index: int
    embedding: list[float] = Field(min_length=8, max_length=8192)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: list[_Item]
    model: str = ""


class Embedder:
    """Turns masked texts into vectors.

    `socket` is where the built-in model listens.
    """

    def __init__(
        self,
        source: Source = OFF,
        *,
        key: str = "",
        socket: Path | None = None,
        missing: str | None = None,
        breaker: CircuitBreaker | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.missing = missing
        """Why there never are any vectors here, although they are wanted."""
        self.model = source.model
        """Name and version of what made the vectors; empty until the built-in one has said it."""
        self.error: str | None = None
        """Why the last request failed; None when it did not."""
        self._key, self._socket = key, socket
        self._breaker = breaker or CircuitBreaker()
        self._client: httpx2.AsyncClient | None = None
        self._said: tuple[str, float] | None = None
        self._now = now

    @property
    def off(self) -> bool:
        """Whether nobody wants vectors here."""
        return self.source.kind == "off"

    @property
    def available(self) -> bool:
        """Whether asking makes sense now."""
        return not self.off and not self.missing and self._breaker.closed

    @property
    def state(self) -> dict[str, str]:
        """For readiness: ``{source, model, problem}``."""
        problem = self.missing or self.error or ""
        return {"source": self.source.kind, "model": self.model, "problem": problem}

    def notices(self) -> list[str]:
        """One sentence while it does not work; no service is unready because of it."""
        problem = None if self.off else self.missing or self.error
        return [f"embeddings: {problem}"] if problem else []

    def news(self, away: EmbedderAway) -> bool:
        """Whether that is worth a line in the log: another reason than was said last since there
        were vectors, or the same after a while. Who asks every second says it once."""
        now, reason = self._now(), str(away)
        if self._said is not None and self._said[0] == reason and now < self._said[1] + SAY_EVERY:
            return False
        self._said = (reason, now)
        return True

    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Kind = "query",
        within: float = 30.0,
        urgent: bool = False,
    ) -> list[Vector]:
        """One vector a text, in order, within so many seconds; `texts` are masked beginnings.

        `urgent`: somebody waits; the built-in model takes it before what is embedded beside.
        Raises `EmbedderAway` at once while the server is known to be away.
        """
        found: list[Vector] = []
        try:
            async with asyncio.timeout(within):
                for first in range(0, len(texts), BATCH):
                    found += await self._request(texts[first : first + BATCH], kind, urgent=urgent)
        except TimeoutError:
            self._failed("no answer in time")
        return found

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _request(self, texts: Sequence[str], kind: Kind, *, urgent: bool) -> list[Vector]:
        if self.off or self.missing or not self._breaker.attempt():
            raise EmbedderAway(self.missing or self.error or "there is none")
        try:
            body = self._body(texts, kind, urgent=urgent)
            response = await self._open().post("embeddings", json=body)
        except (httpx2.HTTPError, OSError) as error:
            self._failed(type(error).__name__)
        if response.status_code != 200:
            self._failed(f"status {response.status_code}")
        return self._read(response, len(texts))

    def _body(self, texts: Sequence[str], kind: Kind, *, urgent: bool) -> dict[str, object]:
        if self.source.kind == "builtin":
            return {"input": list(texts), "input_type": kind, "urgent": urgent}
        # The family of e5 was trained with a word in front; its other servers leave it to us.
        before = f"{kind}: " if "e5" in self.source.model.lower() else ""
        body = [before + text for text in texts]
        return {"input": body, "model": self.source.model, "encoding_format": "float"}

    def _read(self, response: httpx2.Response, wanted: int) -> list[Vector]:
        try:
            if len(response.content) > LONGEST_ANSWER:
                raise ValueError("too long")
            answer = _Answer.model_validate_json(response.content)
            items = sorted(answer.data, key=lambda item: item.index)
            if [item.index for item in items] != list(range(wanted)):
                raise ValueError("not one vector a text")
            vectors = [_normalised(item.embedding) for item in items]
        except (ValidationError, ValueError) as error:
            self._failed(f"an answer that cannot be read ({type(error).__name__})")
        if self.source.kind == "builtin":
            self.model = answer.model
        self.error = self._said = None
        self._breaker.succeeded()
        return vectors

    def _open(self) -> httpx2.AsyncClient:
        if self._client is None:
            headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
            uds = str(self._socket) if self.source.kind == "builtin" else None
            self._client = httpx2.AsyncClient(
                base_url="http://model/v1/" if uds else f"{self.source.url}/",
                headers=headers,
                timeout=httpx2.Timeout(30.0, connect=3.0),
                # On a socket there is no TLS: to read all certificates would hold up the first
                # decision for 50 ms and more.
                transport=httpx2.AsyncHTTPTransport(uds=uds, verify=False) if uds else None,
                trust_env=uds is None,
            )
        return self._client

    def _failed(self, reason: str) -> NoReturn:
        self.error = reason
        self._breaker.failed()
        raise EmbedderAway(reason)


def _normalised(vector: list[float]) -> Vector:
    length = math.sqrt(math.fsum(one * one for one in vector))
    if not math.isfinite(length) or length < 1e-9:
        raise ValueError("not a direction")
    return tuple(one / length for one in vector)
