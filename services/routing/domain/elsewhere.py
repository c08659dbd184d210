"""Who it belongs to when it is not the library's."""

from __future__ import annotations

from collections.abc import Sequence

from services.routing.domain.decide import Candidate, Decision, Reason, Submission
from services.routing.domain.model import NOT_OURS
from services.routing.domain.units import OtherUnit, unit_for


def name_unit(decision: Decision, units: Sequence[OtherUnit], said: Submission) -> Decision:
    """The same decision, which says whose it is where it may not be the library's."""
    if not any(one.category == NOT_OURS for one in decision.candidates):
        return decision
    unit = unit_for(f"{said.title}\n{said.text}", units)
    if unit is None:
        return decision
    candidates = tuple(_owned(one, unit) for one in decision.candidates)
    leads = candidates[0].category == NOT_OURS
    reason = Reason(
        text=f"像是{unit.unit}的事" if leads else f"若不是图书馆的事，像是{unit.unit}的",
        text_en=f"Apparently a matter of {unit.unit_en}"
        if leads
        else f"If not the library's, a matter of {unit.unit_en}",
        weight=0.0,
    )
    return decision.model_copy(
        update={"candidates": candidates, "reasons": (*decision.reasons, reason)}
    )


def _owned(one: Candidate, unit: OtherUnit) -> Candidate:
    if one.category != NOT_OURS:
        return one
    told = {name: getattr(unit, name) for name in ("unit", "unit_en", "instead", "instead_en")}
    return one.model_copy(update=told)
