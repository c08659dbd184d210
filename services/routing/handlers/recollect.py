"""What routing makes of its own decisions when its database has lost them."""

from __future__ import annotations

from services.routing import store
from services.routing.deps import deps_of
from services.routing.store import DecisionRow
from shared.contracts import Event
from shared.contracts.routing import (
    FeedbackAlarmRaised,
    FeedbackRouted,
    FeedbackTriageNeeded,
    RoutingDecision,
)
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction

RULES = "rules: these versions have decided since the backup, and nobody has their words any more"
VERSIONS = "what was learned since the backup: versions that have decided, to be learned anew"


async def recollect_decision(event: RoutingDecision, tx: Transaction) -> None:
    """What was decided first, and not what the rules of today would say."""
    assert tx.replay is not None
    row = store.decision_of(tx, event.feedback_id)
    if event.rules_version > deps_of(tx).rules.version:
        tx.replay.miss(RULES, f"version {event.rules_version}")
    if event.model_version and event.model_version > deps_of(tx).meaning.version:
        tx.replay.miss(VERSIONS, f"version {event.model_version}")
    if row is not None and row.returned_by:
        # Thought over after a return: that is told, and not kept.
        return
    rows = tx.rows(DecisionRow)
    rows.upsert(
        rows.new(
            feedback_id=event.feedback_id,
            at=event.at,
            rules_version=event.rules_version,
            confident=isinstance(event, FeedbackRouted),
            emergency=row is not None and row.emergency,
            department=event.department,
            category=event.category,
            case_type=event.case_type.value,
            priority=event.priority.value,
            confidence=event.confidence,
            reasons=[r.model_dump(exclude_none=True) for r in event.reasons],
            candidates=[c.model_dump(exclude_none=True) for c in event.candidates],
            returned_by=[],
            model_version=event.model_version,
            alarm=row.alarm if row is not None else None,
        )
    )


async def recollect_alarm(event: FeedbackAlarmRaised, tx: Transaction) -> None:
    """That one was raised, so that no second one is."""
    if (row := store.decision_of(tx, event.feedback_id)) is not None:
        row.alarm = event.model_dump(include={"found_by", "kind", "sure"})
        tx.rows(DecisionRow).upsert(row)


OWN: dict[type[Event], Handler] = {
    FeedbackRouted: recollect_decision,
    FeedbackTriageNeeded: recollect_decision,
    FeedbackAlarmRaised: recollect_alarm,
}
