"""Whether what somebody says may be an emergency: by a rule, by its meaning, by what people said.

An alarm goes to a person at once. It sends nothing anywhere: it may be wrong.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.routing.domain.alarm_kinds import kind_of
from services.routing.domain.decide import (
    CANDIDATES,
    SPELT,
    TAKEN_BACK,
    Candidate,
    Decision,
    Reason,
)
from services.routing.domain.match import RuleSet
from services.routing.domain.model import LONGEST_TEXT, SignedBytes, hashed
from shared.contracts.vocabulary import ALARM_NAMES

if TYPE_CHECKING:
    from services.routing.domain.nearness import Examples

ALIKE_FROM = 0.93
"""The cosine from which on what people said of another case counts for this one."""
JUDGEMENT_WEIGHS = 4.0
"""How much likelier, or less likely, it is with each of the three nearest that were judged."""
CERTAIN = 0.9
"""What looks as sure as this is told whatever was said of the like."""

CALM_BELOW = 0.1
"""A rule whose words are used of all kinds of things (`doubtful`) counts for nothing where the
meaning is less likely than this to be an emergency. By models of other hands 8 of the 460 letters
of emergencies that such rules heard were (three of a blocked exit), and 147 of 201 others."""

LANGUAGES = ("zh", "other")
_IDEOGRAPHS = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Judged:
    """A case of which a person has said whether it was an emergency, and how alike it is."""

    emergency: bool
    likeness: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """What may be an emergency, and why; none of the reporter's words."""

    found_by: Literal["rule", "meaning"]
    sure: float
    reasons: tuple[Reason, ...]
    kind: str | None = None


class AlarmModel(BaseModel):
    """Nearness to examples, and runs of characters, weighed to one probability; as it is stored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    embedder: str
    """Whose vectors it was trained on; it says nothing about those of another."""
    dimensions: int = Field(gt=0)
    buckets: int = Field(gt=0)
    means: dict[str, list[float]]
    """Of the vectors of each language (`language`): what is left without it is what is said, and
    not that it is said in Chinese or to a library."""
    examples: SignedBytes
    """What the examples mean, without the mean and of length 1: `dimensions` each."""
    examples_scale: float
    weights: SignedBytes
    """One an example: above 0 where it speaks for an emergency."""
    weights_scale: float
    kinds: list[str]
    """What kind of emergency each example is; empty where it is none, or nobody has said it."""
    narrowness: float = Field(gt=0)
    """How fast an example says less with the distance."""
    grams: SignedBytes
    """One a bucket."""
    grams_scale: float
    bias: float
    threshold: float = Field(gt=0, lt=1)
    """The probability from which on an alarm is raised."""
    letters: int = 0

    @model_validator(mode="after")
    def _fits(self) -> AlarmModel:
        if len(self.grams) != self.buckets:
            raise ValueError("weights of characters: wrong size")
        if set(self.means) != set(LANGUAGES) or any(
            len(mean) != self.dimensions for mean in self.means.values()
        ):
            raise ValueError("means: wrong size")
        n = len(self.weights)
        if n != len(self.kinds) or len(self.examples) != n * self.dimensions:
            raise ValueError("examples: wrong size")
        return self

    @cached_property
    def numbers(self) -> Examples:
        """The examples, to compare with."""
        from services.routing.domain.nearness import Examples  # brings numpy along

        return Examples(
            self.examples,
            self.examples_scale,
            weights=[weight * self.weights_scale for weight in self.weights],
            named=[bool(kind) for kind in self.kinds],
            means=self.means,
            narrowness=self.narrowness,
        )

    def look(self, vector: Sequence[float], title: str, text: str) -> tuple[float, str | None]:
        """How likely it is an emergency, and of what kind: what most of the three nearest
        examples are, else None. A wrong kind sends who comes the wrong way.

        ValueError for a vector of another length.
        """
        if len(vector) != self.dimensions:
            raise ValueError("a vector of another model")
        meant, nearest = self.numbers.near(vector, language(text))
        found = hashed(title, text, self.buckets)
        share = self.grams_scale / math.sqrt(len(found)) if found else 0.0
        logit = self.bias + meant + share * sum(self.grams[index] for index in found)
        named = Counter(kind for one in nearest if (kind := self.kinds[one]))
        agreed = (kind for kind, times in named.items() if 2 * times > named.total())
        return _sigmoid(logit), next(agreed, None)


def language(text: str) -> str:
    """Which of `LANGUAGES` it is in: Chinese where a tenth of what is looked at is."""
    seen = text[:LONGEST_TEXT]
    return "zh" if 10 * len(_IDEOGRAPHS.findall(seen)) > len(seen) else "other"


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


def alarm_by_rule(ruled: Decision) -> Alarm | None:
    """What a rule calls an emergency."""
    if not ruled.emergency:
        return None
    said = tuple(one for one in ruled.reasons if one.rule or one in (TAKEN_BACK, SPELT))
    return Alarm("rule", ruled.confidence, said[:3], kind_of(ruled.fired))


def alarm_by_meaning(
    model: AlarmModel, likely: float, kind: str | None, judged: Sequence[Judged] = ()
) -> Alarm | None:
    """What is like emergencies; `likely` and `kind` are what the model says of it.

    `judged`: the cases of which people said whether they were one, the nearest first.
    """
    sure = _with_judgements(likely, judged)
    if likely >= CERTAIN:
        sure = max(sure, likely)
    if sure < model.threshold:
        return None
    zh, en = ALARM_NAMES.get(kind or "", ("紧急情况", "an emergency"))
    reason = Reason(
        text=f"意思像“{zh}”这一类（{sure:.0%}）",
        text_en=f"Its meaning is like: {en} ({sure:.0%})",
        weight=round(sure, 3),
    )
    return Alarm("meaning", round(sure, 3), (reason,), kind)


def _with_judgements(sure: float, judged: Sequence[Judged]) -> float:
    odds = sure / max(1 - sure, 1e-9)
    for one in [each for each in judged if each.likeness >= ALIKE_FROM][:3]:
        odds *= JUDGEMENT_WEIGHS if one.emergency else 1 / JUDGEMENT_WEIGHS
    return odds / (1 + odds)


def doubtful_rules(ruleset: RuleSet, ruled: Decision) -> frozenset[str]:
    """The rules that call it an emergency, where every one of them may be mistaken. What a person
    looks at anyway needs no doubt: of a joke, and of pinyin, the meaning says nothing."""
    if not ruled.emergency or not ruled.confident:
        return frozenset()
    said = {reason.rule for reason in ruled.reasons}
    alarming = [rule for rule in ruleset.book.rules if rule.emergency and rule.id in said]
    return frozenset(rule.id for rule in alarming if all(one.doubtful for one in alarming))


DOUBTED = Reason(
    text="说到了危险的字眼，意思却很可能不是，先请人看",
    text_en="Words of danger, but the meaning is most likely none: a person looks first",
    weight=1.0,
)


def in_doubt(decision: Decision) -> Decision:
    """Of words of danger that seem to mean none, a person makes what they mean."""
    return decision.model_copy(update={"confident": False, "reasons": (DOUBTED, *decision.reasons)})


def left_to_a_person(decision: Decision, alarm: Alarm) -> Decision:
    """What may be an emergency is sent nowhere by what was learned: a person is looking."""
    if decision.emergency or not decision.confident or alarm.found_by == "rule":
        return decision
    reason = Reason(
        text="可能是紧急情况，先请人看",
        text_en="It may be an emergency: a person looks first",
        weight=round(alarm.sure, 3),
    )
    return decision.model_copy(update={"confident": False, "reasons": (reason, *decision.reasons)})


def open_to_whoever_helps(
    decision: Decision, ruled: Decision, alarm: Alarm | None, safety: str | None
) -> Decision:
    """What may be an emergency is not shut away as somebody's conduct by what was learned alone:
    it is about safety, and `safety`, who sees to that, comes first. What the rules call conduct
    stays so."""
    if alarm is None or decision.category != "conduct" or ruled.category == "conduct":
        return decision
    if safety is None:
        return decision
    mine = [one for one in decision.candidates if one.department == safety]
    others = [
        one.model_copy(update={"category": None}) if one.category == "conduct" else one
        for one in decision.candidates
        if one.department != safety
    ]
    score = mine[0].score if mine else 0.0
    first = Candidate(department=safety, score=score, category="safety")
    return decision.model_copy(
        update={
            "confident": False,
            "department": safety,
            "category": "safety",
            "candidates": (first, *others)[:CANDIDATES],
        }
    )
