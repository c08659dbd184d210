"""What the entry points of intake work with; `app.py` makes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from services.intake.domain.alike import ORDINARY, meant
from services.intake.domain.submission import Ticket
from services.intake.store import Arrival, Receipt
from services.intake.store.questions import any_questions
from services.intake.wechat import WechatAccount
from shared.contracts.desk import IncidentListed
from shared.embeddings import Embedder, EmbedderAway, Vector, beginning
from shared.ids import new_id
from shared.messaging.group_commit import GroupCommit
from shared.messaging.transaction import Transaction
from shared.privacy import masked
from shared.security import code_hash
from shared.service import Runtime, Service
from shared.web.auth import service_of
from shared.web.limits import Bucket, ConcurrencyLimit, Failures, caller
from shared.web.pages import Pages

NAME = "intake"
WITHIN = 0.7
"""Seconds for which a comment that is being written is looked at by its meaning."""
SHORTEST = 3
"""Characters by which anything is known of it."""


@dataclass
class AskedLately:
    """Whether anybody in WeChat was asked anything lately, or words wait until they write.

    Hardly ever, so that nearly no message pays for looking whose question it answers: nobody
    answers within the second for which a no is believed.
    """

    believed: float = 1.0
    """Seconds."""
    _until: float = 0.0

    def somebody(self) -> None:
        """Somebody was asked, or not reached, just now."""
        self._until = 0.0

    async def __call__(self, service: Service[Any]) -> bool:
        now = time.monotonic()
        if now < self._until:
            return False
        async with service.transaction() as tx:
            asked = await any_questions(tx)
        if not asked:
            self._until = now + self.believed
        return asked


@dataclass
class Meaning:
    """What open incidents mean, to find them in other words; without a model, nothing."""

    embedder: Embedder
    ordinary: list[Vector] = field(default_factory=list)
    incidents: dict[str, tuple[str, list[Vector]]] = field(default_factory=dict)
    """Incident → its words, and their vectors."""
    _model: str = ""
    _busy: bool = False

    async def learn(self, known: Sequence[IncidentListed]) -> None:
        """Embed what is not embedded yet; nothing where there is no incident or no model."""
        if not known or not self.embedder.available:
            return
        if not self.ordinary or self._model != self.embedder.model:
            self.ordinary = await self.embedder.embed(ORDINARY)
            self.incidents, self._model = {}, self.embedder.model
        for one in known:
            words = f"{one.title}\n{one.text}"
            if self.incidents.get(one.incident_id, ("",))[0] != words:
                texts = [beginning("", one.title), beginning(one.title, one.text)]
                self.incidents[one.incident_id] = words, await self.embedder.embed(texts)
        here = {one.incident_id for one in known}
        for gone in self.incidents.keys() - here:
            del self.incidents[gone]

    async def find(self, words: str, known: Sequence[IncidentListed]) -> list[IncidentListed]:
        """Incidents that these words mean; none where nobody knows in `WITHIN` seconds, or while
        another comment is looked at: whoever writes does not wait for it."""
        there = [(one, kept[1]) for one in known if (kept := self.incidents.get(one.incident_id))]
        if not there or self._busy or len(words) < SHORTEST or not self.embedder.available:
            return []
        self._busy = True
        try:
            async with asyncio.timeout(WITHIN):
                said = (await self.embedder.embed([beginning("", masked(words))], urgent=True))[0]
        except (EmbedderAway, TimeoutError):
            return []
        finally:
            self._busy = False
        if len(said) != len(self.ordinary[0]) or self._model != self.embedder.model:
            return []
        return meant(said, there, self.ordinary)


@dataclass
class Deps:
    """Limits count per process; everything else is the system's."""

    runtime: Runtime
    pages: Pages
    group: GroupCommit[Arrival, Receipt | None]
    accounts: Mapping[str, WechatAccount]
    callers: Bucket = field(default_factory=lambda: Bucket(60, 2))
    """The public, by address. A campus shares addresses, so it is wide."""
    written: Bucket = field(default_factory=lambda: Bucket(2_000_000, 10_000))
    """What the public writes, in bytes, by address: ten of the longest comments at once."""
    pictured: Bucket = field(default_factory=lambda: Bucket(50_000_000, 50_000))
    """The same for pictures: two of the largest messages at once."""
    uploads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(3))
    """Large forms that are held at once. A browser that runs our script sends none."""
    shrinking: ConcurrencyLimit = field(default_factory=lambda: ConcurrencyLimit(1, 30))
    """Pictures are decoded one message at a time: each may take a hundred megabytes."""
    asking: Bucket = field(default_factory=lambda: Bucket(240, 8))
    """Looks whether something is known already, by address: several while one is typed."""
    followers: Bucket = field(default_factory=lambda: Bucket(20, 0.2))
    """Followers of an official account: beyond this they get no answer; their messages are kept."""
    meaning: Meaning = field(default_factory=lambda: Meaning(Embedder()))
    asked_lately: AskedLately = field(default_factory=AskedLately)
    unknown_codes: Failures = field(default_factory=lambda: Failures(60, 600))
    """Addresses that try codes which do not exist."""

    @property
    def locale(self) -> str:
        """The language of whom nobody knows it."""
        return self.runtime.settings.locale

    @property
    def known(self) -> dict[str, Any]:
        """What a comment may name, for those that check it."""
        return {"categories": self.runtime.directory.categories}

    @property
    def open_incidents(self) -> list[IncidentListed]:
        """What many report now, the newest first."""
        known = self.runtime.directory.incidents.values()
        return sorted(known, key=lambda one: one.opened_at, reverse=True)

    def over_budget(self, request: HTTPConnection, size: int) -> int | None:
        """Seconds until this address may write `size` bytes, or None when it may now."""
        return self.written.take(caller(request), size)

    def ticket(self) -> Ticket:
        """Id, code and moment for a comment that just came in."""
        code = self.runtime.signer.tracking_code()
        return Ticket(new_id(), code, code_hash(code), self.runtime.clock.now())

    def track_url(self, code: str) -> str:
        """Where its reporter follows it."""
        return f"{self.runtime.settings.url}/track/{code}"


def deps_of(where: Transaction | HTTPConnection) -> Deps:
    """The deps of intake, in a transaction of intake or for a request to it."""
    deps: Deps = where.deps if isinstance(where, Transaction) else service_of(where, NAME).deps
    return deps
