"""What the entry points of routing work with: the rules in force, the directory, the pages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import HTTPConnection

from services.routing import store
from services.routing.domain import (
    Alarm,
    AlarmModel,
    Decision,
    Judged,
    Kinds,
    Model,
    Precedent,
    RuleSet,
    RulesInvalid,
    Submission,
    alarm_by_meaning,
    alarm_by_rule,
    decide,
    doubtful_rules,
    fold,
    in_doubt,
    left_to_a_person,
    name_unit,
    only_existing,
    only_open,
    open_to_whoever_helps,
    suggest_kind,
    weigh_up,
    without_model,
)
from services.routing.domain.alarms import CALM_BELOW
from services.routing.domain.spelt import is_pinyin
from services.routing.store import Stored
from shared.embeddings import Embedder, EmbedderAway, Vector, beginning
from shared.greetings import says_nothing
from shared.messaging.directory import Directory
from shared.messaging.transaction import Transaction
from shared.web.auth import service_of
from shared.web.pages import Pages

NAME = "routing"
log = structlog.get_logger()


class Rules:
    """The compiled rules in force; the shipped ones while the database has none."""

    def __init__(self, shipped: Callable[[], Stored]) -> None:
        self._shipped = shipped
        self._stored: Stored | None = None
        self.problems: list[str] = []

    @property
    def stored(self) -> Stored:
        # Shipped rules are compiled for whoever asks before there are others, and for nobody else.
        if self._stored is None:
            self._stored = self._shipped()
        return self._stored

    @property
    def version(self) -> int:
        return self.stored.version

    @property
    def ruleset(self) -> RuleSet:
        return self.stored.ruleset

    def use(self, stored: Stored) -> None:
        """Decide by these from now on."""
        self._stored, self.problems = stored, []

    async def refresh(self, connection: AsyncConnection) -> bool:
        """Follow what is stored, whoever edited it; True when it was another version.

        Rules that this code cannot read (written by a newer one) leave the old ones in force.
        """
        version = await store.stored_version(connection)
        known = self._stored
        if version is None or (known and known.at and known.version == version):
            return False
        try:
            stored = await store.stored_rules(connection)
        except RulesInvalid as invalid:
            self.problems = [f"rules version {version} cannot be used: {invalid.errors[0]}"]
            log.error("rules cannot be used", version=version, error=invalid.errors[0])
            return False
        if stored is not None:
            self.use(stored)
        return True


AWAY = (
    "语义模型此刻不可用，只按规则判断",
    "The model of meanings is away: by the rules alone",
)
UNTAUGHT = (
    "还没有用现在的语义模型学过，只按规则判断",
    "Nothing was learned yet with the present model of meanings: by the rules alone",
)
OFF = (
    "没有开启语义模型，只按规则判断",
    "There is no model of meanings here: by the rules alone",
)
TOO_MANY = (
    "同时来的反馈太多，只按规则判断",
    "Too many comments at once: by the rules alone",
)
NOTHING_SAID = (
    "还没有说是什么事，等人看；补充之后再判断",
    "It does not say yet what it is about: left to a person, and judged once more is said",
)
PINYIN = (
    "通篇是拼音，语义模型读不懂，只按规则判断",
    "Pinyin throughout, of which the model makes no meaning: by the rules alone",
)
BUDGET = 1.0
"""Seconds that the comments of one transaction may wait for their vectors, all together."""
REST = 5.0
"""Seconds for which nobody waits any more once that was not enough."""
_MOST_FRESH = 500
_WORTH_ASKING = 0.01
"""How likely an emergency has to be for what people said of the like to be looked up."""


Waiting = Transaction | HTTPConnection
"""Who waits for a meaning."""


class NoMeaning(Exception):
    """Decide by the rules alone; `reason` says why, in Chinese and English."""

    def __init__(self, reason: tuple[str, str]) -> None:
        self.reason = reason
        super().__init__(reason[1])


async def _no_precedents(vector: Vector, feedback_id: str) -> list[Precedent]:
    return []


async def _no_judgements(vector: Vector, feedback_id: str) -> list[Judged]:
    return []


@dataclass
class Meaning:
    """What turns cases into vectors, how far it has come, and what was learned about them."""

    embedder: Embedder
    model: Model | None = None
    """What was learned; it counts where its vectors are those of the embedder."""
    version: int = 0
    """Which version that is; 0 is what is shipped."""
    until: datetime | None = None
    """When the last label was given that it has learned from."""
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by who wants a new version to be learned now, whose name is in `wanted_by`."""
    wanted_by: str | None = None
    not_learned: tuple[str, str] | None = None
    """Why the last attempt came to nothing, in Chinese and English."""
    precedents: Callable[[Vector, str], Awaitable[list[Precedent]]] = _no_precedents
    """The nearest cases that people dispatched, for a vector and the case that has it."""
    alarms: AlarmModel | None = None
    """What was learned about emergencies; it counts where its vectors are those of the embedder."""
    kinds: Kinds | None = None
    """What was learned about types and priorities, by the same rule."""
    judged: Callable[[Vector, str], Awaitable[list[Judged]]] = _no_judgements
    """The nearest cases of which people said whether they were an emergency."""
    fresh: dict[str, Vector] = field(default_factory=dict)
    """Vectors of cases that were decided just now, until they are stored."""
    indexed: bool = False
    """Whether the nearest cases can be asked for."""
    notices: list[str] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a case came in that has no vector yet."""
    _rests_until: float = 0.0
    _why_resting: tuple[str, str] = AWAY
    _deadlines: WeakKeyDictionary[Waiting, float] = field(default_factory=WeakKeyDictionary)

    def __post_init__(self) -> None:
        self.shipped = self.model
        """What comes with the code: version 0, and what every other one begins from."""
        self.shipped_kinds = self.kinds

    def use(
        self,
        model: Model | None,
        version: int,
        until: datetime | None = None,
        kinds: Kinds | None = None,
    ) -> None:
        """Decide by this version from now on; without `kinds` those that are shipped."""
        self.model, self.version, self.until = model, version, until
        self.kinds = kinds or self.shipped_kinds

    def known_kinds(self) -> tuple[Kinds, Kinds] | None:
        """Types and priorities as they are shipped, and as they are in use."""
        first, now = self.shipped_kinds, self.kinds
        if first is None or now is None or self.shipped is None:
            return None
        return (first, now) if first.embedder == self.shipped.embedder else None

    async def understand(
        self, waiting: Waiting, feedback_id: str, title: str, text: str, *, keep: bool = True
    ) -> tuple[Model, Vector, list[Precedent]]:
        """What the model needs to judge a comment, within what is left of the time of whoever is
        `waiting`: a transaction, or a request to try it.

        Without `keep` the vector is forgotten. Raises `NoMeaning`. Nothing here touches the
        transaction, so that no failure spoils it.
        """
        now = asyncio.get_running_loop().time
        first = waiting not in self._deadlines
        left = self._deadlines.setdefault(waiting, now() + BUDGET) - now()
        if (began := now()) < self._rests_until:
            raise NoMeaning(self._why_resting)
        if left <= 0.02:
            raise self._rest(began, TOO_MANY)
        try:
            async with asyncio.timeout(left):
                # Only whoever had all the time can tell that it was the model's fault.
                within = left * 0.9 if first else 10 * BUDGET
                (vector,) = await self.embedder.embed(
                    [beginning(title, text)], within=within, urgent=True
                )
                if self.model is None or self.model.embedder != self.embedder.model:
                    raise NoMeaning(UNTAUGHT)
                precedents = await self.precedents(vector, feedback_id) if self.indexed else []
        except EmbedderAway:
            # Who is told at once that it is away has lost nothing, and may ask the next time.
            hung = now() - began > BUDGET / 10
            raise (self._rest(now(), AWAY) if hung else NoMeaning(AWAY)) from None
        except TimeoutError:
            raise self._rest(now(), TOO_MANY) from None
        if not keep:
            return self.model, vector, precedents
        while len(self.fresh) >= _MOST_FRESH:
            del self.fresh[next(iter(self.fresh))]
        self.fresh[feedback_id] = vector
        return self.model, vector, precedents

    async def alarm(self, vector: Vector, feedback_id: str, title: str, text: str) -> Alarm | None:
        """Whether it may be an emergency, by what it means; None where nothing was learned."""
        model = self.alarms
        if model is None or model.embedder != self.embedder.model:
            return None
        likely, kind = model.look(vector, title, text)
        ask = self.indexed and likely >= _WORTH_ASKING
        judged = await self.judged(vector, feedback_id) if ask else []
        return alarm_by_meaning(model, likely, kind, judged)

    def calm(self, vector: Vector, title: str, text: str) -> bool:
        """Whether nothing has happened, almost for certain, by what it means."""
        model = self.alarms
        if model is None or model.embedder != self.embedder.model:
            return False
        return model.look(vector, title, text)[0] < CALM_BELOW

    def _rest(self, now: float, reason: tuple[str, str]) -> NoMeaning:
        """Somebody has waited in vain: the next transactions do not wait either. So a comment that
        came meanwhile is decided after this one wait, and has none of its own."""
        self._rests_until, self._why_resting = now + REST, reason
        return NoMeaning(reason)


@dataclass
class Deps:
    """One per process; the rules in it are read again when they were edited."""

    directory: Directory
    pages: Pages
    rules: Rules
    meaning: Meaning
    compiling: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One edit is checked at a time: compiling a large rule book takes a moment."""

    async def decided(
        self, said: Submission, feedback_id: str, *, waiting: Waiting | None, keep: bool = True
    ) -> tuple[Decision, Alarm | None]:
        """The decision about a comment, and what may be an emergency; by the rules alone where
        nobody is `waiting` or nobody can be asked. Without `keep` nothing of it is remembered."""
        ruleset, directory = self.rules.ruleset, self.directory
        ruled = decide(ruleset, said, directory.categories)
        decision, alarm = await self._understood(said, ruled, feedback_id, waiting, keep)
        decision = only_existing(decision, directory.departments)
        decision = only_open(decision, directory.closed_categories)
        return name_unit(decision, ruleset.book.units, said), alarm

    async def _understood(
        self,
        said: Submission,
        ruled: Decision,
        feedback_id: str,
        waiting: Waiting | None,
        keep: bool,
    ) -> tuple[Decision, Alarm | None]:
        """The decision of rules, model and precedents; what the rules say where nobody can be
        asked. What is confidential is looked at for an emergency alone, and its vector forgotten.
        """
        meaning, ruleset = self.meaning, self.rules.ruleset
        doubtful = doubtful_rules(ruleset, ruled)
        sure = ruled.emergency and not doubtful
        if meaning.embedder.off or sure or waiting is None:
            return ruled, alarm_by_rule(ruled)
        try:
            model, vector, precedents = await meaning.understand(
                waiting, feedback_id, said.title, said.text, keep=keep and not said.confidential
            )
        except NoMeaning as none:
            if doubtful:
                return ruled, alarm_by_rule(ruled)
            return (ruled if said.confidential else without_model(ruled, none.reason)), None
        if doubtful and not meaning.calm(vector, said.title, said.text):
            return ruled, alarm_by_rule(ruled)
        if doubtful:
            ruled = decide(ruleset, said, self.directory.categories, without=doubtful)
        alarm = await meaning.alarm(vector, feedback_id, said.title, said.text)
        if said.confidential:
            return ruled, alarm
        if says_nothing(said.title, said.text):
            # Of a greeting the model knows only who is greeted most.
            return without_model(ruled, NOTHING_SAID), alarm
        if is_pinyin(fold(f"{said.title}\n{said.text}")):
            return without_model(ruled, PINYIN), alarm
        shares = model.probabilities(vector, said.title, said.text)
        names, precision = self.directory.departments, ruleset.book.precision
        weighed = weigh_up(ruled, model, shares, precedents, said, names, precision=precision)
        if meaning.kinds is not None and meaning.kinds.embedder == meaning.embedder.model:
            weighed = suggest_kind(weighed, meaning.kinds, vector)
        decision = weighed.model_copy(update={"model_version": meaning.version})
        if doubtful:
            decision = in_doubt(decision)
        # Who picked that category asked for what comes with it.
        safety = None if said.category == "conduct" else ruleset.book.owner_of("safety")
        decision = open_to_whoever_helps(decision, ruled, alarm, safety)
        return (decision if alarm is None else left_to_a_person(decision, alarm)), alarm


def deps_of(where: Transaction | HTTPConnection) -> Deps:
    """The deps of routing, in a transaction of routing or for a request to it."""
    deps: Deps = where.deps if isinstance(where, Transaction) else service_of(where, NAME).deps
    return deps
