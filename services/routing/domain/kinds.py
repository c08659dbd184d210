"""What kind of comment it is, and how urgent, by what it means; where the rules say nothing of it.

It only suggests: a person sees it in triage like everything else, and P1 is never its to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul

from pydantic import BaseModel, ConfigDict, Field

from services.routing.domain.decide import Decision, Reason
from services.routing.domain.model import SignedBytes, softmax
from shared.contracts.vocabulary import CaseType, Priority


class Head(BaseModel):
    """A softmax over a vector."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    classes: list[str] = Field(min_length=2)
    weights: SignedBytes
    """``classes x dimensions``."""
    scale: float
    bias: list[float]
    sure_at: float
    """From where on it was right in nine of ten letters it had not learned from."""

    def best(self, centred: Sequence[float]) -> tuple[str, float] | None:
        """The likeliest class and how likely it is; None below `sure_at`."""
        weights, d = self.weights, len(centred)
        logits = [
            bias + self.scale * sum(map(mul, weights[k * d : k * d + d], centred))
            for k, bias in enumerate(self.bias)
        ]
        shares = softmax(logits)
        likely = max(shares)
        return (self.classes[shares.index(likely)], likely) if likely >= self.sure_at else None


class Kinds(BaseModel):
    """What was learned of types and priorities."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    embedder: str
    mean: list[float]
    type: Head
    priority: Head


def suggest_kind(decision: Decision, kinds: Kinds, vector: Sequence[float]) -> Decision:
    """The same decision, with type and priority by meaning where no rule says any."""
    if decision.emergency or (decision.type_known and decision.priority_known):
        return decision
    if len(vector) != len(kinds.mean):
        return decision
    centred = [x - m for x, m in zip(vector, kinds.mean, strict=True)]
    update: dict[str, object] = {}
    reasons = list(decision.reasons)
    kind, priority = decision.type, decision.priority
    if not decision.type_known and (found := kinds.type.best(centred)):
        kind = CaseType(found[0])
        update["type"] = kind
        reasons.append(_reason("类型", "type", found))
    if not decision.priority_known:
        if kind in (CaseType.PRAISE, CaseType.SUGGESTION):
            priority = Priority.P4
        elif found := kinds.priority.best(centred):
            priority = Priority(found[0])
            if priority != decision.priority:
                reasons.append(_reason("优先级", "priority", found))
        update["priority"] = priority
    return decision.model_copy(update=update | {"reasons": tuple(reasons)})


_NAMES = {
    "complaint": "投诉",
    "request": "请求",
    "inquiry": "咨询",
    "suggestion": "建议",
    "praise": "表扬",
}


def _reason(zh: str, en: str, found: tuple[str, float]) -> Reason:
    code, likely = found
    return Reason(
        text=f"没有规则说明{zh}；按意思像是{_NAMES.get(code, code)}（{likely:.0%}）",
        text_en=f"No rule says the {en}; by its meaning {code} ({likely:.0%})",
        weight=0.0,
    )
