"""What follows by itself from how cases are joined, one case at a time, as items of a job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from services.desk.domain import (
    TRANSITIONS,
    Action,
    ActionInput,
    Case,
    Incident,
    advance,
    explain,
    guard,
    owe,
    refuse_request,
    release,
    request_reopening,
)
from services.desk.domain.rights import reopening_refused
from services.desk.domain.transitions import ACTIVE
from services.desk.store.cases import case_of, find, keep, load, put
from services.desk.store.incidents import open_incident
from services.desk.store.jobs import Item
from services.desk.store.messages import write
from services.desk.store.pictures import keep_pictures
from services.desk.store.related import final_target, ids_above, locked, owed_only_to
from services.desk.store.tables import CaseRow
from shared.contracts import REPORTER, SYSTEM, Actor
from shared.contracts.intake import SentPicture
from shared.contracts.vocabulary import ENDED, RefusalReason, State
from shared.messaging.transaction import Transaction

_RATED, _REOPENING = "feedback.rated", "feedback.reopen_requested"
_GONE = "并入的那一件已经结束 | the case it was joined to has ended"
_NOT_CONFIDENTIAL = "并入的那一件不保密 | the case it was joined to is not confidential"


async def part(tx: Transaction, item: Item) -> None:
    """What it was joined to is gone: it goes on by itself."""
    row = await _lock_upwards(tx, item.feedback_id)
    if row is not None:
        await _part(tx, row, _GONE)


async def _part(tx: Transaction, row: CaseRow, reason: str) -> None:
    if row.state != State.MERGED or row.merged_into is None:
        return
    parent = locked(tx, row.merged_into)
    given = ActionInput(reason=reason)
    keep(tx, row, advance(case_of(row), Action.UNMERGE, given, by=SYSTEM, at=tx.now))
    if parent is not None:
        await let_out(tx, parent, row.feedback_id, by=SYSTEM)


async def let_go(tx: Transaction, item: Item) -> None:
    """Whoever was joined to it has taken their comment back."""
    await tx.lock(item.feedback_id)
    await load(tx, [item.feedback_id])
    row = find(tx, item.feedback_id)
    if row is not None and item.body["merged"] in row.merged:
        await let_out(tx, row, item.body["merged"], by=REPORTER)


async def let_out(tx: Transaction, row: CaseRow, merged: str, *, by: Actor) -> None:
    """The other half of a parting: `merged` is joined to `row` no more, and what its reporter was
    owed here goes with it."""
    settled = await owed_only_to(tx, row, merged)
    keep(tx, row, release(case_of(row), merged, settled=settled, by=by, at=tx.now))


async def forward(tx: Transaction, item: Item) -> None:
    """What a joined reporter said belongs to whoever works on the matter.

    It stands among the words of the target too, marked as another reporter's. Where the target
    has ended for good, the reporter hears that nobody reads them there; one that is closed is
    reopened for them as for its own reporter. What is confidential is
    not said where it is not: joined before that was refused, it goes on by itself.
    """
    row = await _lock_upwards(tx, item.feedback_id)
    target = final_target(tx, item.feedback_id)
    if row is None or target is None or target is row:
        return
    if row.confidential and not target.confidential:
        await _part(tx, row, _NOT_CONFIDENTIAL)
        return
    case = case_of(target)
    wakes = case.state in (State.REPLIED, State.REJECTED) and _possible(tx, case)
    request = item.body.get("request", "feedback.supplemented")
    reopens = request == _REOPENING and case.state is State.CLOSED
    if case.state in ENDED and not wakes:
        refused: RefusalReason | None = RefusalReason.NOT_POSSIBLE_NOW
        if reopens:
            refused = reopening_refused(case, tx.now)
        elif request == _RATED:
            # Their page goes on to say how it is taken up again.
            refused = None
        if refused is not None:
            keep(tx, row, refuse_request(case_of(row), request, refused, at=tx.now))
            return
    text, at = item.body["text"], tx.now
    said = write(tx, target.feedback_id, "supplement", text, origin=row.feedback_id, at=at)
    if not row.erased:
        sent = [SentPicture.model_validate(one) for one in item.body.get("pictures", ())]
        keep_pictures(tx, target, sent, message_id=said, origin=row.feedback_id)
    if reopens:
        change = request_reopening(case, text, by=REPORTER, asked=at, at=at)
        keep(tx, target, change)
    elif wakes:
        given = ActionInput(reason=text)
        keep(tx, target, advance(case, Action.SUPPLEMENT, given, by=REPORTER, at=at))
        if case.state == State.REPLIED:
            # A rejected one goes on, which says everything; of this nobody else would hear.
            change = owe(case_of(target), row.feedback_id, by=REPORTER, at=at)
            keep(tx, target, change)
    else:
        target.version += 1
        put(tx, target)


async def join_as_asked(tx: Transaction, row: CaseRow, incident_id: str) -> None:
    """The reporter says "me too". Where that is over by now, the comment stands for itself, and
    its page says so."""
    case, found = case_of(row), await open_incident(tx, incident_id)
    if found is None:
        too_late = RefusalReason.TOO_LATE
        keep(tx, row, refuse_request(case, "feedback.received", too_late, at=tx.now))
    else:
        given = ActionInput(incident=found)
        keep(tx, row, advance(case, Action.JOIN, given, by=REPORTER, at=tx.now))


async def explain_anew(tx: Transaction, item: Item) -> None:
    """What the public reads about its incident is another text now."""
    await tx.lock(item.feedback_id)
    await load(tx, [item.feedback_id])
    row = find(tx, item.feedback_id)
    incident = Incident(**item.body)
    if row is not None and row.incident_id == incident.incident_id and State(row.state) in ACTIVE:
        by = Actor.model_validate(item.by)
        keep(tx, row, explain(case_of(row), incident, by=by, at=tx.now))


def _possible(tx: Transaction, case: Case) -> bool:
    legal = (case.state, Action.SUPPLEMENT) in TRANSITIONS
    return legal and guard(case, Action.SUPPLEMENT, REPORTER, tx.now) is None


async def _lock_upwards(tx: Transaction, feedback_id: str) -> CaseRow | None:
    ids = [feedback_id, *await ids_above(tx, feedback_id)]
    await tx.lock(*ids)
    await load(tx, ids)
    return find(tx, feedback_id)


BY_ITSELF: Mapping[str, Callable[[Transaction, Item], Awaitable[None]]] = {
    "part": part,
    "let_go": let_go,
    "forward": forward,
    "explain": explain_anew,
}
"""Kinds of jobs that nobody has to be asked about any more."""
