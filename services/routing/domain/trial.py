"""What other rules, or another version of what was learned, would have made of past cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.routing.domain.alarms import (
    CALM_BELOW,
    DOUBTED,
    AlarmModel,
    doubtful_rules,
    in_doubt,
)
from services.routing.domain.decide import CategoryNames, Decision, Submission, decide
from services.routing.domain.match import RuleSet
from services.routing.domain.model import NOT_OURS, Model
from services.routing.domain.reconsider import only_existing, only_open
from services.routing.domain.weigh_up import ALIKE_FROM, Precedent, weigh_up

Names = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class PastCase:
    """A case as it came in, its vector if it has one, and where it belonged if that is known."""

    feedback_id: str
    said: Submission
    vector: Sequence[float] | None = None
    belonged: str | None = None
    precedents: Sequence[Precedent] = ()
    """Cases before it that people dispatched, the nearest first."""


@dataclass(frozen=True, slots=True)
class Deciders:
    """What decides: rules, and a model where one is in use."""

    rules: RuleSet
    model: Model | None
    departments: Names
    categories: CategoryNames = field(default_factory=dict)
    alarms: AlarmModel | None = None
    """Says of doubtful rules whether they are asked; None where nothing was learned of it."""
    closed: CategoryNames = field(default_factory=dict)
    """Categories that nothing new comes to."""

    def decide(self, past: PastCase) -> Decision:
        """As it would be decided today: with the cases that went before it, and with doubtful rules
        only where its meaning does not say that nothing has happened."""
        return only_open(only_existing(self._decided(past), self.departments), self.closed)

    def _decided(self, past: PastCase) -> Decision:
        said, vector = past.said, past.vector
        ruled = decide(self.rules, said, self.categories)
        if self.model is None or not vector or len(vector) != self.model.dimensions:
            return ruled
        doubtful = doubtful_rules(self.rules, ruled) if self._is_calm(past) else frozenset()
        if doubtful:
            ruled = decide(self.rules, said, self.categories, without=doubtful)
        shares = self.model.probabilities(vector, said.title, said.text)
        decision = weigh_up(
            ruled,
            self.model,
            shares,
            past.precedents,
            said,
            self.departments,
            precision=self.rules.book.precision,
        )
        return in_doubt(decision) if doubtful else decision

    def _is_calm(self, past: PastCase) -> bool:
        model, vector = self.alarms, past.vector
        if model is None or vector is None or len(vector) != model.dimensions:
            return False
        return model.look(vector, past.said.title, past.said.text)[0] < CALM_BELOW


@dataclass(frozen=True, slots=True)
class Change:
    """A case that would be decided otherwise."""

    feedback_id: str
    said: Submission
    kinds: tuple[str, ...]
    """``sent``, ``left``, ``elsewhere``, ``emergency``, ``calmed``, ``category``, ``priority``."""
    before: Decision
    after: Decision
    better: bool | None
    """Whether the first guess would be right now and was not; None where nobody knows, or both are
    right, or neither."""


@dataclass(slots=True)
class Trial:
    """What was found out."""

    cases: int = 0
    by_meaning: int = 0
    """Of these, with a vector that the model knows."""
    with_precedents: int = 0
    doubted: int = 0
    """That doubtful rules call an emergency, now or then, and their meaning none."""
    changes: list[Change] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """Kind of change → cases."""
        return Counter(kind for one in self.changes for kind in one.kinds)

    @property
    def better(self) -> int:
        return sum(one.better is True for one in self.changes)

    @property
    def worse(self) -> int:
        return sum(one.better is False for one in self.changes)


def tried(past: Iterable[PastCase], now: Deciders, then: Deciders) -> Trial:
    """How `then` would have decided otherwise than `now` does."""
    trial = Trial()
    for one in past:
        trial.cases += 1
        trial.by_meaning += then.model is not None and bool(one.vector)
        trial.with_precedents += any(p.likeness >= ALIKE_FROM for p in one.precedents)
        before, after = now.decide(one), then.decide(one)
        trial.doubted += DOUBTED in (*before.reasons, *after.reasons)
        if kinds := _kinds(before, after):
            better = _better(one.belonged, before, after)
            trial.changes.append(Change(one.feedback_id, one.said, kinds, before, after, better))
    return trial


def _kinds(before: Decision, after: Decision) -> tuple[str, ...]:
    found = []
    if before.emergency != after.emergency:
        found.append("emergency" if after.emergency else "calmed")
    elif before.confident != after.confident:
        found.append("sent" if after.confident else "left")
    if before.guess != after.guess:
        found.append("elsewhere")
    elif before.category != after.category:
        found.append("category")
    if before.priority != after.priority:
        found.append("priority")
    return tuple(found)


def _better(belonged: str | None, before: Decision, after: Decision) -> bool | None:
    if belonged is None:
        return None
    was, would = (_is_right(belonged, one) for one in (before, after))
    return None if was == would else would


def _is_right(belonged: str, decision: Decision) -> bool:
    return belonged == (NOT_OURS if decision.category == NOT_OURS else decision.guess)
