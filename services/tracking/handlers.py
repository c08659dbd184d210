"""The door for facts: every one of them passes `project`."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from services.tracking.domain.case import CHANGES, deadlines
from services.tracking.domain.counting import (
    TIMED,
    Counts,
    counts_of,
    counts_of_met,
    flow,
)
from services.tracking.domain.lines import line_of
from services.tracking.store import CaseRow, CounterRow, DurationRow, LineRow
from shared.contracts import Event, short_type
from shared.contracts.intake import FeedbackReceived
from shared.contracts.sla import SlaMet
from shared.messaging.transaction import Transaction


async def project(event: Event, tx: Transaction) -> None:
    """Number the fact, keep its line if the reporter is told, and bring view and sums up to it."""
    cases = tx.shelf(CaseRow)
    known = cases.get(event.feedback_id)
    case = known or CaseRow(feedback_id=event.feedback_id, received_at=event.at)
    case.seq += 1
    if (data := line_of(known, event)) is not None:
        tx.shelf(LineRow).add(
            LineRow(
                feedback_id=event.feedback_id,
                seq=case.seq,
                type=short_type(event.type),
                at=event.at,
                data=data,
            )
        )
    change = CHANGES.get(type(event))
    if change is not None or known is None:
        before = counts_of(case) if known is not None else Counts()
        for name, value in (change(case, event) if change is not None else {}).items():
            setattr(case, name, value)
        for name, value in deadlines(case).items():
            setattr(case, name, value)
        _count(tx, before, counts_of(case), event.at)
    cases.put(case)
    _ring(tx, event)


async def keep_duration(event: SlaMet, tx: Transaction) -> None:
    """Keep how long a promise took; it stays as it is whatever comes later."""
    if event.clock not in TIMED:
        return
    case = tx.shelf(CaseRow).get(event.feedback_id)
    department = (case.department if case is not None else None) or ""
    tx.shelf(DurationRow).add(
        DurationRow(
            feedback_id=event.feedback_id,
            clock=event.clock.value,
            cycle=event.cycle,
            department=department,
            met_at=event.at,
            in_time=event.in_time,
            working_seconds=event.working_seconds,
        )
    )
    tx.tally(CounterRow).add(counts_of_met(event, department))


def _count(tx: Transaction, before: Counts, after: Counts, at: datetime) -> None:
    tally = tx.tally(CounterRow)
    tally.add(before, -1)
    tally.add(after)
    tally.add(flow(before, after, at))


def _ring(tx: Transaction, event: Event) -> None:
    tx.after_commit(partial(tx.tools.bell.ring, event.feedback_id))
    if isinstance(event, FeedbackReceived):
        tx.after_commit(partial(tx.tools.bell.ring, event.code_hash))


HANDLERS = {
    Event: project,
    SlaMet: keep_duration,
}
