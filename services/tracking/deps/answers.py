"""Answers of the dashboard, kept until something changes: nobody computes the same twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
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

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` makes of this answer, kept with it under `key`."""
        if key not in self._made:
            while len(self._made) >= MOST_MADE:
                del self._made[next(iter(self._made))]
            self._made[key] = make()
        made: Made = self._made[key]
        return made


class Answers:
    """Answers of one snapshot of the database; of none when another one is asked about."""

    def __init__(self) -> None:
        self._snapshot = ""
        self._kept: dict[Question, Answer] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, question: Question, snapshot: str) -> Answer | None:
        """The answer, if nothing was written since and no moment passed that changes it."""
        if snapshot != self._snapshot:
            self._snapshot = snapshot
            self._kept.clear()
        answer = self._kept.get(_key(question))
        if answer is None or not answer.computed <= question.now < answer.until:
            return None
        return answer

    def keep(self, question: Question, snapshot: str, answer: Answer) -> Answer:
        """Keep `answer`, unless another snapshot has been asked about meanwhile."""
        if snapshot == self._snapshot:
            while len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[_key(question)] = answer
        return answer


def _key(question: Question) -> Question:
    return replace(question, now=question.first)
