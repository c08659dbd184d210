"""The door for facts: every one of them passes `project`."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

from services.tracking.domain.case import CHANGES, Changes, deadlines
from services.tracking.domain.counting import (
    TIMED,
    counts_of,
    counts_of_met,
    difference,
    place_of,
    spread,
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
    row = known or cases.make(feedback_id=event.feedback_id, received_at=event.at)
    # Every fact of the house passes here, and attributes of a table row are dear: the decisions
    # are taken on a plain copy.
    case: Any = SimpleNamespace(**vars(row))
    changes: Changes = {"seq": case.seq + 1}
    if (data := line_of(case if known else None, event)) is not None:
        lines = tx.shelf(LineRow)
        lines.add(
            lines.make(
                feedback_id=event.feedback_id,
                seq=case.seq + 1,
                type=short_type(event.type),
                at=event.at,
                data=data,
            )
        )
    change = CHANGES.get(type(event))
    if change is not None or known is None:
        before, old = (counts_of(case), place_of(case)) if known is not None else ({}, ())
        changes |= change(case, event) if change is not None else {}
        vars(case).update(changes)
        late = deadlines(case)
        vars(case).update(late)
        changes |= late
        sums = tx.tally(CounterRow)
        for part, sign in difference(before, old, counts_of(case), place_of(case), event.at):
            sums.add(part, sign)
    vars(row).update(changes)
    cases.put(row)
    tx.after_commit(partial(tx.tools.bell.ring, event.feedback_id))
    if isinstance(event, FeedbackReceived):
        tx.after_commit(partial(tx.tools.bell.ring, event.code_hash))


async def keep_duration(event: SlaMet, tx: Transaction) -> None:
    """Keep how long a promise took; it stays as it is whatever comes later."""
    case = tx.shelf(CaseRow).get(event.feedback_id)
    if event.clock not in TIMED or case is None:
        return
    durations = tx.shelf(DurationRow)
    durations.add(
        durations.make(
            feedback_id=event.feedback_id,
            clock=event.clock.value,
            cycle=event.cycle,
            department=case.department or "",
            met_at=event.at,
            in_time=event.in_time,
            working_seconds=event.working_seconds,
        )
    )
    tx.tally(CounterRow).add(spread(counts_of_met(event), place_of(case)))


HANDLERS = {
    Event: project,
    SlaMet: keep_duration,
}
