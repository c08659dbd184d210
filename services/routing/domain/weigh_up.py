"""Rules, a learned model and precedents, weighed up to one decision."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from services.routing.domain.decide import (
    CANDIDATES,
    Candidate,
    Decision,
    Reason,
    Submission,
)
from services.routing.domain.model import NOT_OURS, Model

RULES_WEIGH = 2.7
"""A department that rules speak for with a score of s is e^(2.7 s) times as likely: what fits best
on letters of hands that taught neither rules nor model (13 times at most with 0.95)."""
PRECEDENT_WEIGHS = 1.5
"""The same for each of the nearest cases that a person sent there."""
ALIKE_FROM = 0.9
"""The cosine from which on a case is a precedent."""
CONDUCT_AT_LEAST = 0.1
"""How likely it has to be that a letter is for the office for conduct, for rules alone to send it
there: of another reader who was rude a long letter speaks by the way."""
DESK_FOR_OTHERS = "relations"
"""Who refuses kindly what is not the library's, and says whom to ask."""


@dataclass(frozen=True, slots=True)
class Precedent:
    """A case that a person dispatched, and how alike it is: the cosine of what both mean."""

    feedback_id: str
    department: str
    likeness: float


def weigh_up(
    ruled: Decision,
    model: Model,
    probabilities: Mapping[str, float],
    precedents: Sequence[Precedent],
    submission: Submission,
    names: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    *,
    precision: float = 0.95,
) -> Decision:
    """The decision of all three; the nearest of `precedents` come first.

    It is sent without a person where the model is right in `precision` of 1 such cases.

    `names` are those of departments, in Chinese and English, for the reasons.

    What the rules force stays as it is: an emergency, what is confidential, and conduct, unless by
    its meaning it is hardly that (`CONDUCT_AT_LEAST`). What only may be about conduct is sent
    nowhere.
    """
    about_conduct = ruled.category == "conduct"
    meant = probabilities.get(DESK_FOR_OTHERS, 1.0) >= CONDUCT_AT_LEAST
    if ruled.emergency or submission.confidential or (about_conduct and ruled.confident and meant):
        return ruled
    weights = with_rules(probabilities, ruled)
    told = [one for one in precedents if one.likeness >= ALIKE_FROM][:3]
    for one in told:
        if one.department in weights:
            weights[one.department] *= PRECEDENT_WEIGHS
    total = sum(weights.values())
    order = sorted(weights, key=lambda name: (-weights[name], name))
    best, share = order[0], weights[order[0]] / total
    bar = model.bar(precision)
    confident = best != NOT_OURS and share >= bar and not about_conduct
    by_rule = {c.department: c.category for c in ruled.candidates if c.category}
    categories = model.categories | by_rule
    candidates = tuple(
        Candidate(
            department=DESK_FOR_OTHERS if name == NOT_OURS else name,
            score=round(weights[name] / total, 3),
            category=NOT_OURS if name == NOT_OURS else categories.get(name),
        )
        for name in distinct(order)[:CANDIDATES]
    )
    return ruled.model_copy(
        update={
            "decided": "model",
            "confident": confident,
            "confidence": round(share, 3),
            "department": candidates[0].department,
            "category": candidates[0].category,
            "candidates": candidates,
            "reasons": (
                *_reasons(share, best, confident=confident, bar=bar, precision=precision),
                *(precedent(one, names) for one in told),
                *(one for one in ruled.reasons if one.weight > 0),
            ),
        }
    )


def with_rules(probabilities: Mapping[str, float], ruled: Decision) -> dict[str, float]:
    """How likely each class is, not yet adding up to 1, with what the rules say of it."""
    weights = dict(probabilities)
    for each in ruled.candidates:
        name = NOT_OURS if each.category == NOT_OURS else each.department
        if name in weights:
            weights[name] *= math.exp(RULES_WEIGH * each.score)
    return weights


def without_model(ruled: Decision, why: tuple[str, str]) -> Decision:
    """The rules alone, and the reason why nothing else was asked."""
    reason = Reason(text=why[0], text_en=why[1], weight=0.0)
    return ruled.model_copy(update={"reasons": (*ruled.reasons, reason)})


def distinct(order: Sequence[str]) -> list[str]:
    """Without the desk a second time, where it is a candidate for itself and for others."""
    if NOT_OURS in order and DESK_FOR_OTHERS in order:
        later = max(NOT_OURS, DESK_FOR_OTHERS, key=list(order).index)
        return [name for name in order if name != later]
    return list(order)


def _reasons(
    share: float, best: str, *, confident: bool, bar: float, precision: float
) -> tuple[Reason, ...]:
    sure = f"{share:.0%}"
    if best == NOT_OURS:
        zh = f"按学到的判断，看来不是图书馆的事务（{sure}），由人婉拒并告知该找谁"
        en = f"By what was learned, not the library's ({sure}): a person says whom to ask"
    elif confident:
        zh = f"按学到的判断，把握 {sure}"
        en = f"By what was learned: {sure} sure"
    else:
        # At 82 % sure nobody should read that 82 % is too little.
        sure, least = f"{math.floor(100 * share)}%", f"{min(100, math.ceil(100 * bar))}%"
        zh = (
            f"按学到的判断，最有把握的只有 {sure}；"
            f"要派得 {precision:.0%} 准，得有 {least}，留给人判断"
        )
        en = (
            f"By what was learned: {sure} at best; to be right in {precision:.0%} "
            f"it takes {least}: left to a person"
        )
    return (Reason(text=zh, text_en=en, weight=round(share, 3)),)


def precedent(one: Precedent, names: Mapping[str, tuple[str, str]]) -> Reason:
    """That a person sent the like there; the case, and none of its words."""
    zh, en = names.get(one.department, (one.department, one.department))
    return Reason(
        text=f"相近的反馈 {one.feedback_id} 由人派给{zh}（相似 {one.likeness:.2f}）",
        text_en=f"Much alike: a person sent {one.feedback_id} to {en} ({one.likeness:.2f})",
        weight=round(one.likeness, 3),
    )
