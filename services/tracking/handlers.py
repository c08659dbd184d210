"""The entry point for events: every one of them passes `project`."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

from services.tracking.deps import deps_of
from services.tracking.domain.bands import band_of
from services.tracking.domain.case import (
    Case,
    Changes,
    changes_of,
    deadlines,
    sent_to,
    with_measured,
)
from services.tracking.domain.counting import (
    TIMED,
    Sums,
    band_scopes_of,
    counts_of,
    counts_of_met,
    counts_of_occurrence,
    counts_of_sent_back,
    days_of,
    difference,
    elsewhere,
    scopes_of,
    spread,
)
from services.tracking.domain.lines import line_of
from services.tracking.domain.occurrences import Occurrence, occurrences_of, said_before, stays
from services.tracking.domain.periods import NOW, day_of
from services.tracking.store import (
    CaseRow,
    ChangedDayRow,
    CounterRow,
    DurationBandRow,
    DurationRow,
    LineRow,
    OccurrenceRow,
)
from shared.contracts import Event, short_type
from shared.contracts.desk import CaseReturned
from shared.contracts.intake import FeedbackReceived
from shared.contracts.sla import Change, SlaPromisesChanged
from shared.messaging.row_buffer import set_values, values_of
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction


class BoardChanged:
    """That a transaction changes what the board shows: counted, for the processes beside this one,
    and said here after the commit; once, however many events it takes in."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def flush(self) -> None:
        """Before the counters are written, and after all events."""
        self._tx.counters(ChangedDayRow).add({(NOW,): 1})
        self._tx.after_commit(deps_of(self._tx).board.changed)


async def project(event: Event, tx: Transaction) -> None:
    """Number the event, keep its line if the reporter sees one, and update view and sums."""
    cases = tx.rows(CaseRow)
    known = cases.get(event.feedback_id)
    row = known or cases.new(feedback_id=event.feedback_id, received_at=event.at)
    # Every event of the system passes here, and attributes of a table row are dear: the decisions
    # are taken on a plain copy.
    case: Any = SimpleNamespace(**values_of(row))
    changes: Changes = {"seq": case.seq + 1}
    if (data := line_of(case if known else None, event)) is not None:
        lines = tx.rows(LineRow)
        lines.insert(
            lines.new(
                feedback_id=event.feedback_id,
                seq=case.seq + 1,
                type=short_type(event.type),
                at=event.at,
                data=data,
            )
        )
    changed = changes_of(case, event)
    before = SimpleNamespace(**vars(case))
    happened = list(occurrences_of(before, event))
    if changed is not None or known is None:
        counted, scopes = (counts_of(case), scopes_of(case)) if known is not None else ({}, ())
        changes |= changed or {}
        vars(case).update(changes)
        changes |= _settle(case, deadlines(case, event.at))
        moved = scopes_of(case) != scopes
        if known is None:
            changes |= _settle(case, with_measured(case, state_since=event.at.isoformat()))
        ended, measured = stays(before, case, moved=moved, at=event.at)
        for one in ended:
            _keep(tx, one, before, changes["seq"])
        if measured and known is not None:
            changes |= _settle(case, with_measured(case, **measured))
        for part, sign in difference(counted, scopes, counts_of(case), scopes_of(case), event.at):
            _count(tx, part, sign)
    for one in happened:
        _keep(tx, one, case, changes["seq"])
    if isinstance(event, CaseReturned) and (sent := sent_to(before, event.department)):
        at, where = datetime.fromisoformat(sent["at"]), SimpleNamespace(**sent)
        _count(tx, spread(counts_of_sent_back(at), scopes_of(where)))
    set_values(row, **changes)
    cases.upsert(row)
    tx.cache(BoardChanged)
    tx.after_commit(partial(deps_of(tx).changes.notify, event.feedback_id))
    if isinstance(event, FeedbackReceived):
        tx.after_commit(partial(deps_of(tx).changes.notify, event.code_hash))


def _settle(case: Any, changes: Changes) -> Changes:
    vars(case).update(changes)
    return changes


def _keep(tx: Transaction, one: Occurrence, case: Case, seq: int) -> None:
    """What happened to `case`, as it was then, and what that adds to the sums."""
    rows = tx.rows(OccurrenceRow)
    row = rows.new(
        feedback_id=case.feedback_id,
        seq=one.instead["seq"] if one.instead else seq,
        kind=one.kind,
        detail=one.detail,
        department=one.department,
        category=case.category or "",
        channel=case.channel,
        priority=case.priority or "",
        reporter_group=case.reporter_group or "",
        at=one.at,
        seconds=one.seconds,
    )
    if one.instead:
        before, where = said_before(one.kind, one.instead)
        _count_occurrence(tx, before, where, -1)
    # What may be replaced may be so in the same batch.
    put = rows.upsert if one.kind == "reason" else rows.insert
    put(row)
    _count_occurrence(tx, one, case)


def _count_occurrence(tx: Transaction, one: Occurrence, case: Any, times: int = 1) -> None:
    scopes = elsewhere(scopes_of(case), one.department)
    _count(tx, spread(counts_of_occurrence(one), scopes), times)


def _count(tx: Transaction, sums: Sums, times: int = 1) -> None:
    """Add to the sums, and say which days changed."""
    tx.counters(CounterRow).add(sums, times)
    tx.counters(ChangedDayRow).add({(day,): 1 for day in days_of(sums)})


async def keep_durations(event: SlaPromisesChanged, tx: Transaction) -> None:
    """Keep how long what was met took; it stays as it is whatever comes later."""
    case = tx.rows(CaseRow).get(event.feedback_id)
    if case is None:
        return
    durations = tx.rows(DurationRow)
    for change in event.changes:
        if change.change is not Change.MET or change.clock not in TIMED:
            continue
        durations.insert(
            durations.new(
                feedback_id=event.feedback_id,
                clock=change.clock.value,
                cycle=change.cycle,
                department=case.department or "",
                category=case.category or "",
                channel=case.channel,
                priority=case.priority or "",
                reporter_group=case.reporter_group or "",
                met_at=change.at,
                in_time=bool(change.in_time),
                working_seconds=change.working_seconds or 0,
            )
        )
        seconds = change.working_seconds or 0
        where = (change.clock.value, day_of(change.at), band_of(seconds))
        keys = [(scope, *where) for scope in band_scopes_of(case.department, case)]
        bands = tx.counters(DurationBandRow)
        bands.add(dict.fromkeys(keys, 1))
        bands.add(dict.fromkeys(keys, seconds), to=1)
        # Also of a clock that adds to no sum.
        tx.counters(ChangedDayRow).add({(where[1],): 1})
        _count(tx, spread(counts_of_met(change), scopes_of(case)))


HANDLERS: dict[type[Event], Handler] = {
    Event: project,
    SlaPromisesChanged: keep_durations,
}
