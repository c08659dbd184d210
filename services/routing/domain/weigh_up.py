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
    of_category,
)
from services.routing.domain.model import NOT_OURS, Model

RULES_WEIGH = 2.7
"""A department that rules speak for with a score of s is e^(2.7 s) times as likely: what fits best
on letters of hands that taught neither rules nor model (13 times at most with 0.95)."""
ALIKE_FROM = 0.9
"""The cosine from which on a case is a precedent."""
ALIKE_WEIGHS, SAME_WEIGHS = 1.5, 20.0
"""How much likelier each of the nearest cases that a person sent there makes it, at `ALIKE_FROM`
and where it means the same: people send the same words elsewhere once in twenty times or less."""
AGAINST_FROM = 3.0
"""So much likelier another department by precedents alone, and nothing is sent: one at 0.93 that
nobody contradicts, or three at 0.9."""
_UNHEARD_OF = 0.01
"""How likely a department that the model does not know is before a precedent names it."""
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
    told = told_by(precedents, names)
    spoken = with_precedents(weights, told)
    total = sum(weights.values())
    order = sorted(weights, key=lambda name: (-weights[name], name))
    best, share = order[0], weights[order[0]] / total
    bar = model.bar(precision)
    against = _against(spoken, best)
    confident = best != NOT_OURS and share >= bar and not about_conduct and against is None
    by_rule = {c.department: c.category for c in ruled.candidates if c.category}
    categories = model.categories | by_rule
    # What people did with the like, and what somebody chose by hand, is one click away.
    offered = _first_three(distinct(order), against, _chosen(ruled, submission))
    candidates = tuple(
        Candidate(
            department=DESK_FOR_OTHERS if name == NOT_OURS else name,
            score=round(weights.get(name, 0.0) / total, 3),
            category=NOT_OURS if name == NOT_OURS else categories.get(name),
        )
        for name in offered
    )
    category = candidates[0].category
    ruled = ruled if category == ruled.category else of_category(ruled, category)
    speaks = () if against is None else (_speaks_against(against, names),)
    return ruled.model_copy(
        update={
            "decided": "model",
            "confident": confident,
            "confidence": round(share, 3),
            "department": candidates[0].department,
            "category": category,
            "candidates": candidates,
            "reasons": (
                *speaks,
                *_reasons(share, best, confident=share >= bar, bar=bar, precision=precision),
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


def told_by(
    precedents: Sequence[Precedent], names: Mapping[str, tuple[str, str]]
) -> list[Precedent]:
    """The three nearest that count: alike enough, and sent where there still is somebody."""
    return [
        one
        for one in precedents
        if one.likeness >= ALIKE_FROM and (not names or one.department in names)
    ][:3]


def weight_of(likeness: float) -> float:
    """How much likelier a case of this cosine makes the department it was sent to."""
    near = min(1.0, (likeness - ALIKE_FROM) / (1 - ALIKE_FROM))
    return float(ALIKE_WEIGHS * (SAME_WEIGHS / ALIKE_WEIGHS) ** near)


def with_precedents(weights: dict[str, float], told: Sequence[Precedent]) -> dict[str, float]:
    """Counts what people did into `weights`; the answer is how much likelier that made each."""
    spoken: dict[str, float] = {}
    for one in told:
        spoken[one.department] = spoken.get(one.department, 1.0) * weight_of(one.likeness)
    for name, weighs in spoken.items():
        if name not in weights:
            weights[name] = _UNHEARD_OF * sum(weights.values())
        weights[name] *= weighs
    return spoken


def _against(spoken: Mapping[str, float], best: str) -> str | None:
    """Where people sent the like, where that is so clearly elsewhere that nothing is sent."""
    others = {name: weighs for name, weighs in spoken.items() if name != best}
    if not others:
        return None
    other = max(others, key=lambda name: (others[name], name))
    return other if others[other] >= AGAINST_FROM * spoken.get(best, 1.0) else None


def _chosen(ruled: Decision, submission: Submission) -> str | None:
    """The department of the chosen category, which may be one that the model does not know."""
    of = (c.department for c in ruled.candidates if c.category == submission.category)
    return next(of, None) if submission.category else None


def _first_three(order: Sequence[str], *wanted: str | None) -> list[str]:
    """The likeliest, with each that is `wanted` in the place of the last that is not."""
    first = list(order[:CANDIDATES])
    for one in wanted:
        shown = one in first or (one == DESK_FOR_OTHERS and NOT_OURS in first)
        if one is None or shown:
            continue
        spare = [name for name in first[1:] if name not in wanted]
        first = [*(name for name in first if name not in spare[-1:]), one][:CANDIDATES]
    return first


def _speaks_against(department: str, names: Mapping[str, tuple[str, str]]) -> Reason:
    zh, en = names.get(department, (department, department))
    return Reason(
        text=f"相近的反馈由人派给了{zh}，与此不符，留给人判断",
        text_en=f"Precedents speak against it: people sent the like to {en}. Left to a person",
        weight=1.0,
    )


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
    # Nothing that was learned is certain.
    sure = f"{share:.0%}" if share < 0.995 else ">99%"
    if best == NOT_OURS:
        zh = f"按学到的判断，看来不是图书馆的事务（{sure}），由人婉拒并告知该找谁"
        en = f"By what was learned, not the library's ({sure}): a person says whom to ask"
    elif confident:
        zh = f"按学到的判断，把握 {sure}"
        en = f"By what was learned: {sure} sure"
    else:
        # At 82 % sure nobody should read that 82 % is too little.
        sure = f"{min(99, math.floor(100 * share))}%"
        least = f"{math.ceil(100 * bar)}%" if bar <= 0.99 else ">99%"
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
