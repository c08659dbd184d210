"""Actions that touch other cases too: which they lock, and what becomes of those."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.desk import store
from services.desk.api.named import NOT_FOUND, OTHER
from services.desk.deps import deps_of
from services.desk.domain import (
    Action,
    ActionInput,
    Case,
    Change,
    Incident,
    Viewer,
    absorb,
    can_open_up,
    can_put_back,
    can_take,
    link_back,
    put_back,
    sees,
    unlink_back,
)
from services.desk.domain.deciding import wrong
from services.desk.store import CaseRow, PrivateRow, incidents, jobs, related
from services.desk.store.joined import let_out
from shared.contracts import Actor
from shared.contracts.desk import CaseProgressed, CaseRejected, CaseReplied
from shared.contracts.refusal import Conflict
from shared.contracts.vocabulary import Outcome, State
from shared.ids import id_as_typed
from shared.messaging.transaction import Transaction

ANSWERS = frozenset(
    {
        Action.REPLY,
        Action.AMEND,
        Action.APPROVE,
        Action.PROGRESS,
        Action.REJECT,
        Action.ANSWER_INCIDENT,
    }
)
"""What the reporters of joined cases hear too."""
_OPENS_UP = frozenset({Action.CORRECT, Action.DISPATCH})
_SAYS_HOW_OPEN = frozenset({"category", "confidential"})
_ANSWERED = (State.REPLIED, State.APPEALED)


async def lock(
    tx: Transaction, feedback_id: str, action: Action, fields: Mapping[str, Any]
) -> None:
    """Lock and load the case with all that `action` may touch, in one order."""
    ids = [feedback_id]
    may_open_up = action in _OPENS_UP and not fields.keys().isdisjoint(_SAYS_HOW_OPEN)
    if action is Action.MERGE or action in ANSWERS or may_open_up:
        ids += await related.ids_below(tx, feedback_id)
    if action in (Action.MERGE, Action.UNMERGE):
        ids += await related.ids_above(tx, feedback_id)
    if action is Action.UNMERGE:
        ids += await related.parts_of(tx, feedback_id)
    if (other := _named(fields, action)) is not None:
        ids += await related.ids_above(tx, other)
    await tx.lock(*ids, loading=(CaseRow, PrivateRow))
    await store.load(tx, [other] if other else [])


def is_repeated(tx: Transaction, case: Case, action: Action, fields: Mapping[str, Any]) -> bool:
    """Whether the case already is what `action` would make of it."""
    other = _named(fields, action)
    match action:
        case Action.MERGE if other and case.merged_into and other != case.feedback_id:
            target = related.final_target(tx, case.merged_into)
            return target is not None and target is related.final_target(tx, other)
        case Action.UNMERGE:
            # Put together, and not worked on since.
            return case.state is State.TRIAGE and bool(case.children)
        case Action.LINK:
            return other in case.links
        case Action.JOIN:
            wanted = id_as_typed(fields.get("incident") or "")
            return case.incident_id is not None and case.incident_id == wanted
        case _:
            return False


async def resolve(
    tx: Transaction, viewer: Viewer, case: Case, fields: dict[str, Any]
) -> dict[str, Any]:
    """What the body names, as the domain takes it: the other case, the incident."""
    if "into" in fields:
        target = related.final_target(tx, id_as_typed(fields["into"]))
        if target is None or not sees(viewer, target):
            raise wrong("into", *NOT_FOUND)
        row = related.locked(tx, case.feedback_id)
        assert row is not None
        can_take(store.case_of(target), case, related.joined_to(tx, row))
        return fields | {"into": target.feedback_id, "department": target.department}
    if "other" in fields:
        found = related.locked(tx, id_as_typed(fields["other"]))
        if found is None or not sees(viewer, found):
            raise wrong("to", *NOT_FOUND)
        return fields | {"other": found.feedback_id}
    if "incident" in fields:
        return fields | {"incident": await _incident(tx, id_as_typed(fields["incident"]))}
    return fields


def check_confidence(tx: Transaction, row: CaseRow, before: Case, after: Case) -> None:
    """409 where words of a confidential case that is joined to this one would be read by more."""
    if before.confidential and not after.confidential:
        can_open_up(related.joined_to(tx, row))


async def effects(
    tx: Transaction,
    row: CaseRow,
    before: Case,
    action: Action,
    given: ActionInput,
    change: Change,
    by: Actor,
) -> None:
    """What the action makes of the other cases."""
    feedback_id = row.feedback_id
    match action:
        case Action.MERGE:
            await _join(tx, row, given.into, by)
        case Action.UNMERGE if before.merged_into is None:
            await _put_together(tx, before, given.reason, by)
        case Action.UNMERGE:
            if before.merged_into and (parent := related.locked(tx, before.merged_into)):
                await let_out(tx, parent, feedback_id, by=by)
        case Action.LINK | Action.UNLINK:
            other = related.locked(tx, given.other)
            half = link_back if action is Action.LINK else unlink_back
            if other is not None:
                change = half(store.case_of(other), feedback_id, by=by, at=tx.now)
                store.keep(tx, other, change)
        case Action.SPAM:
            jobs.part(tx, row.merged)
        case _ if action in ANSWERS and row.merged:
            await _answer_all(tx, row, change, by)


async def _put_together(tx: Transaction, whole: Case, reason: str, by: Actor) -> None:
    """What it was split into ends, as long as nothing was said there."""
    rows = [row for part in whole.children if (row := related.locked(tx, part)) is not None]
    parts = [store.case_of(row) for row in rows]
    can_put_back(parts, spoken=await store.anything_said(tx, whole.children))
    for row, part in zip(rows, parts, strict=True):
        store.keep(tx, row, put_back(part, reason, by=by, at=tx.now))


async def _join(tx: Transaction, row: CaseRow, into: str, by: Actor) -> None:
    """The target knows of it; what the target was answered last, and what was added, is passed on
    at once."""
    target = related.locked(tx, into)
    assert target is not None
    store.keep(tx, target, absorb(store.case_of(target), row.feedback_id, by=by, at=tx.now))
    if target.state not in _ANSWERED:
        return
    if answer := await related.last_answer(tx, into):
        joined = [row, *related.joined_to(tx, row)]
        for said in answer:
            await _pass_on(tx, target, joined, **said, by=by)


async def _answer_all(tx: Transaction, row: CaseRow, change: Change, by: Actor) -> None:
    joined = related.joined_to(tx, row)
    outcome: Outcome | None
    for event in change.events:
        rule = getattr(event, "rule", None)
        match event:
            case CaseReplied():
                kind, text, outcome = "reply", event.text, event.outcome
            case CaseProgressed():
                kind, text, outcome = "progress", event.text, None
            case CaseRejected():
                kind, text, outcome = "reply", event.reason, None
            case _:
                continue
        written = related.as_written(tx, text, event.words_id)
        said = {"kind": kind, "written": written, "outcome": outcome, "rule": rule}
        amends = getattr(event, "amends", None)
        await _pass_on(tx, row, joined, **said, amends=amends, by=by)


async def _pass_on(tx: Transaction, into: CaseRow, joined: list[CaseRow], **words: Any) -> None:
    own = deps_of(tx).own_addresses
    await related.pass_on(tx, store.case_of(into), joined, own=own, **words)


async def _incident(tx: Transaction, incident_id: str) -> Incident:
    if (found := await incidents.open_incident(tx, incident_id)) is not None:
        return found
    if await incidents.incident(tx, incident_id) is None:
        raise wrong("incident", "没有这个事件。", "There is no such incident.")
    raise Conflict("这个事件已经结束。", "This incident is over.", allowed=[])


def _named(fields: Mapping[str, Any], action: Action) -> str | None:
    """The other case that the body names, before anything is known of the body."""
    name = OTHER.get(action)
    value = fields.get(name) if name else None
    plain = isinstance(value, str) and value.isprintable() and len(value) <= 100
    return id_as_typed(value.strip()) if isinstance(value, str) and plain else None
