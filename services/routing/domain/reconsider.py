"""Second thoughts: a department that does not exist, and one that says it is not theirs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from services.routing.domain.decide import (
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
