"""What the entry points of desk work with."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from shared.embeddings import Embedder, EmbedderAway, Vector, beginning
from shared.messaging.directory import Directory
from shared.messaging.transaction import Transaction
from shared.web.auth import service_of
from shared.web.kept_rows import KeptRows
from shared.web.pages import Pages
from shared.web.sign_in import SignInLimits

NAME = "desk"
_MOST_ARRIVED = 1000
_MOST_KEPT = 500
"""Vectors of questions, some 12 kB each as Python holds them."""


@dataclass
class Arrivals:
    """Cases that arrived in this process, for a job that looks at each of them."""

    came: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when one arrived."""
    missed: bool = False
    """More came than are kept here, the newest: the others are found by looking at all cases."""
    _ids: deque[str] = field(default_factory=lambda: deque(maxlen=_MOST_ARRIVED))

    def note(self, feedback_id: str) -> None:
        """A case has arrived."""
        self.missed |= len(self._ids) == _MOST_ARRIVED
        self._ids.append(feedback_id)
        self.came.set()

    def take(self, most: int) -> list[str]:
        """The next of them, the oldest first; they are no longer kept."""
        return [self._ids.popleft() for _ in range(min(most, len(self._ids)))]

    def __bool__(self) -> bool:
        return bool(self._ids)


@dataclass
class Meaning:
    """What turns cases and questions into vectors, and how far it has come."""

    embedder: Embedder = field(default_factory=Embedder)
    indexed: bool = False
    """Whether the nearest cases can be asked for."""
    notices: list[str] = field(default_factory=list)
    arrived: Arrivals = field(default_factory=Arrivals)
    """Those that have no vector yet."""
    _kept: OrderedDict[bytes, Vector] = field(default_factory=OrderedDict)
    _asked: dict[bytes, asyncio.Task[Vector | None]] = field(default_factory=dict)

    @property
    def without_model(self) -> bool:
        """Whether there is none and none will come: what cases name is all that is kept of them."""
        return self.embedder.off or bool(self.embedder.missing)

    @property
    def model(self) -> str:
        """The model that made the vectors; empty where there is none, or it has not answered."""
        return "" if self.without_model else self.embedder.model

    def note(self, feedback_id: str) -> None:
        """A case has arrived."""
        self.arrived.note(feedback_id)

    async def of(self, text: str, *, within: float) -> Vector | None:
        """The vector of a masked text; None where there is none in so many seconds.

        One that is late is no failure of the model: whoever asks does without, and finds it the
        next time. A list is asked for again and again while it is looked at, so vectors are kept.
        """
        said = beginning("", text)
        if (kept := self._kept.get(key := self._fingerprint(said))) is not None:
            self._kept.move_to_end(key)
            return kept
        if not self.embedder.available:
            return None
        if (asked := self._asked.get(key)) is None:
            asked = self._asked[key] = asyncio.create_task(self._ask(key, said))
        done, _ = await asyncio.wait({asked}, timeout=within)
        return asked.result() if done else None

    async def _ask(self, key: bytes, said: str) -> Vector | None:
        try:
            (vector,) = await self.embedder.embed([said], urgent=True)
        except EmbedderAway:
            return None
        finally:
            del self._asked[key]
        self._kept[self._fingerprint(said)] = vector
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return vector

    def _fingerprint(self, said: str) -> bytes:
        """Of a question to this model: no words are kept."""
        return hashlib.blake2b(f"{self.embedder.model}\n{said}".encode(), digest_size=16).digest()


@dataclass
class Deps:
    """One per process; nothing in it outlives a restart."""

    directory: Directory
    pages: Pages
    sign_in: SignInLimits
    own_addresses: frozenset[str] = frozenset()
    """Addresses and domains of the library, in lower case: staff may name them to everybody."""
    meaning: Meaning = field(default_factory=Meaning)
    rows: KeptRows = field(default_factory=lambda: KeptRows("_rows.html"))
    """Rows of lists that were shown a moment ago."""
    received: Arrivals = field(default_factory=Arrivals)
    work: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a job over many cases was begun."""


def deps_of(where: Transaction | HTTPConnection) -> Deps:
    """The deps of desk, in a transaction of desk or for a request to it."""
    deps: Deps = where.deps if isinstance(where, Transaction) else service_of(where, NAME).deps
    return deps
