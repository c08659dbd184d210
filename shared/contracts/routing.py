"""Events of routing: where a comment should go, and why."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from shared.contracts.event import PRIVATE, ErasureAcknowledged, Event
from shared.contracts.lenient import AnyCaseType
from shared.contracts.vocabulary import Priority


class Reason(BaseModel):
    """One thing that spoke for the decision; `weight` is relative."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    weight: float
    text_en: str | None = None


class Candidate(BaseModel):
    """A department it could go to; `score` from 0 to 1.

    Where the category is ``not_ours``, `unit` of the university is whose it seems to be, and
    `instead` what its reporter may be told.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    department: str
    score: float
    category: str | None = None
    unit: str | None = None
    unit_en: str | None = None
    instead: str | None = None
    instead_en: str | None = None


class RoutingDecision(Event):
    """What routing thinks, whether or not it is sure."""

    department: str | None = None
    category: str | None = None
    case_type: AnyCaseType
    priority: Priority
    decided: str = "rule"
    """``rule``, ``model`` or ``person``."""
    confidence: float
    reasons: tuple[Reason, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    rules_version: int = 1
    model_version: int | None = None
    """Of what was learned; 0 comes with the code, None where the rules alone decided."""


class FeedbackRouted(
    RoutingDecision, type="feedback.routed.v1", owner="routing", shred=("reasons",)
):
    """Routing is sure enough to dispatch without a person."""


class FeedbackTriageNeeded(
    RoutingDecision, type="feedback.triage_needed.v1", owner="routing", shred=("reasons",)
):
    """Routing leaves it to the coordinator, with its best candidates."""


class PrivateErasedByRouting(
    ErasureAcknowledged,
    type="private.erased_by_routing.v1",
    owner="routing",
    topic=PRIVATE,
    shred=(),
):
    """Routing has forgotten what an erased person said, and what it meant."""


class FeedbackAlarmRaised(
    Event, type="feedback.alarm_raised.v1", owner="routing", shred=("reasons",)
):
    """It may be an emergency: a person looks at once, wherever it goes meanwhile. Once a case."""

    found_by: str = "rule"
    """``rule``, or ``meaning``: it is like letters that were."""
    kind: str | None = None
    """Of what it is like, or what the rule is about, a code of `ALARM_NAMES`; None where neither
    says."""
    sure: float
    """From 0 to 1."""
    reasons: tuple[Reason, ...] = ()
