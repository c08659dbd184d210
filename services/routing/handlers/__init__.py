"""What routing does with events: decide, think again, and learn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from services.routing import store
from services.routing.deps import NoMeaning, deps_of
from services.routing.domain import (
    Decision,
    Submission,
    decide,
    name_unit,
    offer_by_model,
    offer_others,
    only_open,
    without_model,
)
from services.routing.handlers.labels import LABELS, corrected, dispatched, unsaid
from services.routing.store import CONDUCT, DecisionRow, ExampleRow, alarms
from shared.contracts import PRIVATE, Event
from shared.contracts.desk import (
    CaseAlarmConfirmed,
    CaseAlarmDismissed,
    CaseCorrected,
    CaseDispatched,
    CaseReturned,
    CaseSplitOff,
    PrivateErasedByDesk,
)
from shared.contracts.intake import FeedbackReceived, FeedbackSupplemented
from shared.contracts.routing import (
    Candidate,
    FeedbackRouted,
    FeedbackTriageNeeded,
    Reason,
)
from shared.contracts.vocabulary import CaseType, Priority
from shared.embeddings import Vector
from shared.greetings import says_nothing
from shared.messaging.directory import DirectoryEmpty
from shared.messaging.envelope import Record
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction
from shared.observability.metrics import ROUTED

log = structlog.get_logger()


async def decide_department(event: FeedbackReceived | CaseSplitOff, tx: Transaction) -> None:
    """Send it where the rules are sure it belongs; otherwise leave it to a person.

    A part of another comment is a comment of its own.
    """
    if store.decision_of(tx, event.feedback_id) is not None:
        return
    deps = deps_of(tx)
    if not deps.directory.departments:
        raise DirectoryEmpty("no department is listed")
    said = Submission(
        text=event.text,
        title=event.title,
        category=event.category,
        place=event.place or "",
        channel=event.channel.value,
        confidential=event.confidential,
    )
    await _decide(event.feedback_id, said, tx)


async def _decide(feedback_id: str, said: Submission, tx: Transaction) -> None:
    deps = deps_of(tx)
    decision, alarm = await deps.decided(said, feedback_id, waiting=_waiting(tx))
    # As the desk has it, which makes of this decision the same.
    hushed = said.confidential or (decision.category or said.category) == CONDUCT
    store.keep_submission(tx, feedback_id, said, confidential=hushed)
    if hushed:
        tx.after_commit(partial(_drop, deps.meaning.fresh, feedback_id))
    store.keep_decision(tx, feedback_id, decision, version=deps.rules.version)
    if alarm is not None:
        alarms.raise_alarm(tx, feedback_id, alarm)
    tx.emit(_fact(tx, feedback_id, decision))
    tx.after_commit(deps.meaning.arrived.set)
    tx.after_commit(ROUTED.labels("routed" if decision.confident else "triage").inc)


async def _said_at_last(
    event: FeedbackSupplemented, row: DecisionRow, tx: Transaction
) -> Submission | None:
    """The comment as if this had been said first, where what was said so far says nothing and
    nobody has dispatched it, or said what it is about; else None."""
    touched = store.example_of(tx, event.feedback_id) or store.label_of(tx, event.feedback_id)
    decided = row.confident or row.returned_by or row.category is not None or touched is not None
    if decided or says_nothing(event.text):
        return None
    said = await store.submission_of(tx, event.feedback_id)
    if said is None or not says_nothing(said.title, said.text):
        return None
    await store.forget_meaning(tx, event.feedback_id)
    return said.model_copy(update={"title": "", "text": event.text})


def _waiting(tx: Transaction) -> Transaction | None:
    """Nobody waits for what is told once more."""
    return None if tx.replay is not None else tx


async def hear_what_is_added(event: FeedbackSupplemented, tx: Transaction) -> None:
    """It may be an emergency, too: the office is told. Where the case goes it leaves alone, and its
    vector is forgotten, since the case means what it began with; unless that said nothing."""
    row = store.decision_of(tx, event.feedback_id)
    if row is None or not is_more_than_thanks(event):
        return
    if (said := await _said_at_last(event, row, tx)) is not None:
        await _decide(event.feedback_id, said, tx)
        return
    if row.alarm is not None:
        return
    said = Submission(text=event.text, confidential=True)
    _, alarm = await deps_of(tx).decided(said, event.feedback_id, waiting=_waiting(tx))
    if alarm is not None:
        alarms.raise_alarm(tx, event.feedback_id, alarm, later=True)


async def learn_from_judgement(
    event: CaseAlarmConfirmed | CaseAlarmDismissed, tx: Transaction
) -> None:
    """What people said of an alarm counts for the next one like it; of one that was raised by later
    words nothing is known that could be like it."""
    row = store.decision_of(tx, event.feedback_id)
    if row is not None and not (row.alarm or {}).get("later"):
        emergency = isinstance(event, CaseAlarmConfirmed)
        await alarms.keep_judgement(tx, event.feedback_id, event.at, emergency=emergency)


async def offer_other_departments(event: CaseReturned, tx: Transaction) -> None:
    """Lay it before the coordinator again, without those who said it is not theirs."""
    row = store.decision_of(tx, event.feedback_id)
    await unsaid(event, tx)
    if row is None:
        log.info("returned, but never received here", feedback_id=event.feedback_id)
        return
    said = await store.submission_of(tx, event.feedback_id) or Submission(text="")
    deps = deps_of(tx)
    others = [d for d in row.returned_by if d != event.department]
    row.returned_by = [*others, event.department]
    tx.rows(DecisionRow).upsert(row)
    dispatched = store.example_of(tx, event.feedback_id)
    if dispatched is not None and dispatched.department == event.department:
        dispatched.returned = True
        tx.rows(ExampleRow).upsert(dispatched)
    decision = offer_others(
        deps.rules.ruleset,
        said,
        returned=row.returned_by,
        suggest=event.suggest,
        departments=deps.directory.departments,
        categories=deps.directory.categories,
    )
    decision = await _weighed_anew(tx, event, said, decision, row.returned_by)
    decision = name_unit(decision, deps.rules.ruleset.book.units, said)
    # What a person said about kind and urgency stands; rules only name other departments.
    stands = dispatched or row
    decision = decision.model_copy(update={"category": None})
    decision = only_open(decision, deps.directory.closed_categories)
    decision = decision.model_copy(
        update={
            "category": stands.category,
            "type": CaseType(stands.case_type),
            "priority": Priority(stands.priority),
        }
    )
    tx.emit(_fact(tx, event.feedback_id, decision))


async def _weighed_anew(
    tx: Transaction, event: CaseReturned, said: Submission, offered: Decision, returned: list[str]
) -> Decision:
    """The departments that are offered, by model and precedents too, where they can be asked."""
    meaning = deps_of(tx).meaning
    if said.confidential or not said.text or meaning.embedder.off or tx.replay is not None:
        return offered
    rules, directory = deps_of(tx).rules.ruleset, deps_of(tx).directory
    ruled = decide(rules, said, directory.categories)
    if ruled.category == "conduct":
        return offered
    try:
        model, vector, precedents = await meaning.understand(
            tx, event.feedback_id, said.title, said.text, keep=False
        )
    except NoMeaning as none:
        return without_model(offered, none.reason)
    weighed = offer_by_model(
        offered,
        ruled,
        model.probabilities(vector, said.title, said.text),
        precedents,
        returned=returned,
        suggest=event.suggest,
        departments=directory.departments,
    )
    return weighed.model_copy(update={"model_version": meaning.version})


async def follow_confidence(event: CaseDispatched | CaseCorrected, tx: Transaction) -> None:
    """What became confidential means nothing to anybody from now on; it does again if that ends."""
    deps = deps_of(tx)
    hushed = event.confidential or event.category == CONDUCT
    await store.keep_confidence(tx, event.feedback_id, confidential=hushed)
    done = partial(_drop, deps.meaning.fresh, event.feedback_id)
    tx.after_commit(done if hushed else deps.meaning.arrived.set)


async def take_correction(event: CaseCorrected, tx: Transaction) -> None:
    """What a person said it is about, and whether it is confidential."""
    await corrected(event, tx)
    if "confidential" in event.changed or "category" in event.changed:
        await follow_confidence(event, tx)
    row = store.decision_of(tx, event.feedback_id)
    if row is not None and row.category is None and "category" in event.changed:
        row.category = event.category
        tx.rows(DecisionRow).upsert(row)


async def learn_from_dispatch(event: CaseDispatched, tx: Transaction) -> None:
    """What a person dispatched is an example of what belongs there; it may be confidential by it,
    or not any more."""
    row = store.decision_of(tx, event.feedback_id)
    if not is_example(event):
        return
    await follow_confidence(event, tx)
    if row is None:
        return
    await dispatched(event, tx)
    rows = tx.rows(ExampleRow)
    rows.upsert(
        rows.new(
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


async def forget_words(record: Record, tx: Transaction) -> None:
    """The person is erased: their words, what these meant, and so what they could teach."""
    feedback_id = record.feedback_id
    # What was said later never came here: the entry of the comment itself is what counts.
    if feedback_id is None or record.key != feedback_id.encode():
        return
    await _forget(tx, feedback_id)


async def forget_as_desk_has(event: PrivateErasedByDesk, tx: Transaction) -> None:
    """An erasure of a time when routing was not told of any: tombstones go, this answer stays."""
    await _forget(tx, event.feedback_id)


async def _forget(tx: Transaction, feedback_id: str) -> None:
    await store.forget(tx, feedback_id)
    fresh = deps_of(tx).meaning.fresh
    tx.after_commit(partial(_drop, fresh, feedback_id))


def _drop(fresh: dict[str, Vector], feedback_id: str) -> None:
    fresh.pop(feedback_id, None)


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
        candidates=tuple(Candidate(**c.model_dump(exclude_none=True)) for c in decision.candidates),
        rules_version=deps_of(tx).rules.version,
        model_version=decision.model_version,
    )


def is_example(event: CaseDispatched) -> bool:
    """Only what a person dispatched teaches anything."""
    return event.decided == "person"


def is_more_than_thanks(event: FeedbackSupplemented) -> bool:
    """Thanks alone say nothing."""
    return not event.thanks


TOMBSTONES = {PRIVATE: forget_words}
HANDLERS: dict[type[Event], Handler] = {
    **LABELS,
    FeedbackReceived: decide_department,
    CaseSplitOff: decide_department,
    FeedbackSupplemented: hear_what_is_added,
    CaseReturned: offer_other_departments,
    CaseCorrected: take_correction,
    CaseDispatched: learn_from_dispatch,
    PrivateErasedByDesk: forget_as_desk_has,
    CaseAlarmConfirmed: learn_from_judgement,
    CaseAlarmDismissed: learn_from_judgement,
}
CONCERNS: dict[type[Event], Callable[[Any], bool]] = {
    CaseDispatched: is_example,
    FeedbackSupplemented: is_more_than_thanks,
}
