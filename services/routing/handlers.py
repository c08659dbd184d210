"""What routing does with facts: decide, think again, and learn."""

from __future__ import annotations

import structlog

from services.routing import store
from services.routing.domain import Decision, Submission, decide, offer_others, only_existing
from services.routing.store import DecisionRow, ExampleRow
from services.routing.tools import Tools
from shared.contracts import Event
from shared.contracts.desk import CaseDispatched, CaseReturned
from shared.contracts.intake import FeedbackReceived
from shared.contracts.routing import Candidate, FeedbackRouted, FeedbackTriageNeeded, Reason
from shared.contracts.vocabulary import CaseType, Priority
from shared.messaging.intake import Handler
from shared.messaging.transaction import Transaction
from shared.observability.metrics import ROUTED

log = structlog.get_logger()


async def decide_department(event: FeedbackReceived, tx: Transaction) -> None:
    """Send it where the rules are sure it belongs; otherwise leave it to a person."""
    if store.decision_of(tx, event.feedback_id) is not None:
        return
    tools: Tools = tx.tools
    said = Submission(
        text=event.text,
        title=event.title,
        category=event.category,
        place=event.place or "",
        channel=event.channel.value,
        confidential=event.confidential,
    )
    rules = tools.rules
    decision = only_existing(decide(rules.ruleset, said), tools.directory.departments)
    store.keep_submission(tx, event.feedback_id, said)
    store.keep_decision(tx, event.feedback_id, decision, version=rules.version)
    tx.emit(_fact(tx, event.feedback_id, decision))
    tx.after_commit(ROUTED.labels("routed" if decision.confident else "triage").inc)


async def offer_other_departments(event: CaseReturned, tx: Transaction) -> None:
    """Lay it before the coordinator again, without those who said it is not theirs."""
    row = store.decision_of(tx, event.feedback_id)
    said = await store.submission_of(tx, event.feedback_id)
    if row is None or said is None:
        log.info("returned, but never received here", feedback_id=event.feedback_id)
        return
    tools: Tools = tx.tools
    others = [d for d in row.returned_by if d != event.department]
    row.returned_by = [*others, event.department]
    tx.shelf(DecisionRow).put(row)
    dispatched = store.example_of(tx, event.feedback_id)
    if dispatched is not None and dispatched.department == event.department:
        dispatched.returned = True
        tx.shelf(ExampleRow).put(dispatched)
    decision = offer_others(
        tools.rules.ruleset,
        said,
        returned=row.returned_by,
        suggest=event.suggest,
        departments=tools.directory.departments,
    )
    # What a person said about kind and urgency stands; rules only name other departments.
    stands = dispatched or row
    decision = decision.model_copy(
        update={
            "category": stands.category,
            "type": CaseType(stands.case_type),
            "priority": Priority(stands.priority),
        }
    )
    tx.emit(_fact(tx, event.feedback_id, decision))


async def learn_from_dispatch(event: CaseDispatched, tx: Transaction) -> None:
    """What a person dispatched is an example of what belongs there."""
    row = store.decision_of(tx, event.feedback_id)
    if event.decided != "person" or row is None:
        return
    shelf = tx.shelf(ExampleRow)
    shelf.put(
        shelf.make(
            feedback_id=event.feedback_id,
            at=event.at,
            role=event.by.role,
            department=event.department,
            category=event.category,
            case_type=event.case_type.value,
            priority=event.priority.value,
            guessed=row.department,
            returned=False,
            corrected=event.department != row.department,
        )
    )


def _fact(
    tx: Transaction, feedback_id: str, decision: Decision
) -> FeedbackRouted | FeedbackTriageNeeded:
    return (FeedbackRouted if decision.confident else FeedbackTriageNeeded)(
        feedback_id=feedback_id,
        at=tx.now,
        department=decision.guess,
        category=decision.category,
        case_type=decision.type,
        priority=decision.priority,
        decided=decision.decided,
        confidence=decision.confidence,
        reasons=tuple(
            Reason(text=r.text, text_en=r.text_en, weight=r.weight) for r in decision.reasons
        ),
        candidates=tuple(
            Candidate(department=c.department, score=c.score, category=c.category)
            for c in decision.candidates
        ),
        rules_version=tx.tools.rules.version,
    )


HANDLERS: dict[type[Event], Handler] = {
    FeedbackReceived: decide_department,
    CaseReturned: offer_other_departments,
    CaseDispatched: learn_from_dispatch,
}
