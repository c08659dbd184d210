"""Answers of the dashboard, kept until something changes: nobody computes the same twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from services.tracking.domain.board import Question

Made = TypeVar("Made")
MOST = 200
"""How many choices of filters are kept."""
MOST_MADE = 8
"""How often an answer is said in another way: languages, addresses, minutes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found for a question."""

    body: Mapping[str, Any]
    upcoming: Sequence[Mapping[str, Any]]
    computed: datetime
    until: datetime
    """The moment from which the same rows make another answer."""
    _made: dict[Hashable, Any] = field(default_factory=dict, compare=False)

    def holds_at(self, now: datetime) -> bool:
        """Whether no moment has passed that changes it."""
        return self.computed <= now < self.until

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` makes of this answer, kept with it under `key`."""
        if key not in self._made:
            while len(self._made) >= MOST_MADE:
                del self._made[next(iter(self._made))]
            self._made[key] = make()
        made: Made = self._made[key]
        return made


class Answers:
    """Answers under one name of what is known; of none when another one is asked about."""

    def __init__(self) -> None:
        self._name = ""
        self._kept: dict[Question, Answer] = {}
        self._being_read: dict[tuple[Question, str], asyncio.Future[Answer]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, question: Question, name: str) -> Answer | None:
        """The answer, if nothing moved since and no moment passed that changes it."""
        if name != self._name:
            self._name = name
            self._kept.clear()
        answer = self._kept.get(_key(question))
        return answer if answer is not None and answer.holds_at(question.now) else None

    async def shared(
        self, question: Question, name: str, read: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """What `read` finds, or what it is finding already for somebody who asks the same."""
        key = (_key(question), name)
        reading = self._being_read.get(key)
        if reading is None:
            reading = self._being_read[key] = asyncio.ensure_future(read())
            reading.add_done_callback(lambda done: self._read(key, done))
        # Whoever goes away must not end it for the others.
        answer = await asyncio.shield(reading)
        return answer if answer.holds_at(question.now) else await read()

    def _read(self, key: tuple[Question, str], done: asyncio.Future[Answer]) -> None:
        del self._being_read[key]
        if not done.cancelled():
            # Also where nobody waits for it any more.
            done.exception()

    def keep(self, question: Question, name: str, answer: Answer) -> Answer:
        """Keep `answer`, unless another name has been asked about meanwhile."""
        if name == self._name:
            while len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[_key(question)] = answer
        return answer


def _key(question: Question) -> Question:
    return replace(question, now=question.first)
