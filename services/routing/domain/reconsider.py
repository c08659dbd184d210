"""Second thoughts: what is closed, and a department that says it is not theirs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from services.routing.domain.decide import (
    CANDIDATES,
    Candidate,
    CategoryNames,
    Decision,
    Reason,
    Submission,
    add,
    decide,
    rank,
    weigh,
)
from services.routing.domain.match import RuleSet
from services.routing.domain.model import NOT_OURS
from services.routing.domain.weigh_up import (
    DESK_FOR_OTHERS,
    Precedent,
    distinct,
    precedent,
    told_by,
    with_precedents,
    with_rules,
)
from shared.contracts.vocabulary import CONFIDENTIAL_CATEGORY

OFFICE = "relations"
SUGGESTED = 0.7
"""What the word of a department that knows its neighbours is worth."""

Names = Mapping[str, tuple[str, str]]
"""Live departments: code → (Chinese, English)."""


def only_existing(decision: Decision, departments: Collection[str]) -> Decision:
    """`decision` where every department named is one that work can be sent to.

    Rules outlive departments. An emergency then goes to the office; all else to a person.
    """
    candidates = tuple(c for c in decision.candidates if c.department in departments)
    if decision.department in departments:
        return decision.model_copy(update={"candidates": candidates})
    gone = Reason(
        text=f"规则所指的部门（{decision.department}）已停用",
        text_en=f"The department the rules name ({decision.department}) no longer exists",
        weight=0.0,
    )
    saved = decision.emergency and OFFICE in departments
    return decision.model_copy(
        update={
            "department": OFFICE if saved else next((c.department for c in candidates), ""),
            "confident": saved,
            "candidates": candidates,
            "reasons": (gone, *decision.reasons),
        }
    )


def only_open(decision: Decision, closed: CategoryNames) -> Decision:
    """`decision` where nothing is put into a category that was `closed`: a person says what it is
    about. An emergency goes on as it is, without one; what is of the category that keeps a letter
    confidential stays so, and waits.
    """
    candidates = tuple(
        one.model_copy(update={"category": None}) if one.category in closed else one
        for one in decision.candidates
    )
    category = decision.category
    if category is None or category not in closed:
        return decision.model_copy(update={"candidates": candidates})
    zh, en, *_ = closed[category]
    reason = Reason(
        text=f"看来所属的类别（{zh}）已停用",
        text_en=f"The category it seems to be about ({en}) is closed",
        weight=0.0,
    )
    return decision.model_copy(
        update={
            "category": category if category == CONFIDENTIAL_CATEGORY else None,
            "confident": decision.confident and decision.emergency,
            "candidates": candidates,
            "reasons": (reason, *decision.reasons),
        }
    )


def offer_others(
    ruleset: RuleSet,
    submission: Submission,
    *,
    returned: Sequence[str],
    suggest: str | None,
    departments: Names,
    categories: CategoryNames = MappingProxyType({}),
) -> Decision:
    """Who else it could be, when the last of `returned` says it is not theirs. Never confident."""
    fired, scores, reasons = weigh(ruleset, submission, categories)
    wanted = suggest if suggest in departments and suggest not in returned else None
    if wanted is not None:
        known = {key: score for key, score in scores.items() if key[1] == wanted}
        category = max(known, key=lambda key: known[key])[0] if known else ""
        add(scores, (category, wanted), SUGGESTED)
    candidates = tuple(
        c for c in rank(scores, fired, without=returned) if c.department in departments
    )
    best = candidates[0] if candidates else None
    return decide(ruleset, submission, categories).model_copy(
        update={
            "confident": False,
            "confidence": best.score if best else 0.0,
            "department": best.department if best else "",
            "category": best.category if best else None,
            "candidates": candidates,
            "reasons": (_returned(returned[-1], wanted, departments), *reasons),
        }
    )


SUGGESTED_WEIGHS = 20.0
"""How much likelier a department is that the one which returned it names."""


def offer_by_model(
    offered: Decision,
    ruled: Decision,
    probabilities: Mapping[str, float],
    precedents: Sequence[Precedent],
    *,
    returned: Sequence[str],
    suggest: str | None,
    departments: Names,
) -> Decision:
    """The same three weighed anew, by what was learned and what people did with the like.

    `offered` is what `offer_others` said, `ruled` what the rules say of it. Nobody who returned it
    is offered, neither for itself nor for what is not the library's.
    """
    weights = {
        name: share
        for name, share in probabilities.items()
        if (DESK_FOR_OTHERS if name == NOT_OURS else name) in departments
        and (DESK_FOR_OTHERS if name == NOT_OURS else name) not in returned
    }
    if suggest is not None and suggest in departments and suggest not in returned:
        # Also where nothing was learned of it: as likely as any other, before that.
        likely = weights.get(suggest, 0.0)
        weights[suggest] = max(likely, 1 / (1 + len(probabilities))) * SUGGESTED_WEIGHS
    weights = with_rules(weights, ruled)
    told = [one for one in told_by(precedents, departments) if one.department not in returned]
    with_precedents(weights, told)
    total = sum(weights.values())
    if not total:
        return offered
    by_rule = {c.department: c.category for c in offered.candidates if c.category}
    order = distinct(sorted(weights, key=lambda name: (-weights[name], name)))
    candidates = [
        Candidate(
            department=DESK_FOR_OTHERS if name == NOT_OURS else name,
            score=round(weights[name] / total, 3),
            category=NOT_OURS if name == NOT_OURS else by_rule.get(name),
        )
        for name in order
    ]
    known = {one.department for one in candidates}
    candidates += [one for one in offered.candidates if one.department not in known]
    best = candidates[0]
    return offered.model_copy(
        update={
            "decided": "model",
            "confidence": best.score,
            "department": best.department,
            "category": best.category,
            "candidates": tuple(candidates[:CANDIDATES]),
            "reasons": (
                offered.reasons[0],
                *(precedent(one, departments) for one in told),
                *offered.reasons[1:],
            ),
        }
    )


def _returned(department: str, wanted: str | None, departments: Names) -> Reason:
    zh, en = departments.get(department, (department, department))
    if wanted is None:
        return Reason(text=f"{zh}退单", text_en=f"Returned by {en}", weight=0.0)
    hint_zh, hint_en = departments[wanted]
    return Reason(
        text=f"{zh}退单，建议转{hint_zh}",
        text_en=f"Returned by {en}, which suggests {hint_en}",
        weight=SUGGESTED,
    )
