"""A case's clocks, as the domain sees them, in rows."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from services.sla.domain import clocks
from services.sla.domain.announce import announce
from services.sla.domain.clocks import Step, Timer
from services.sla.domain.facts import CaseClocks, Change
from services.sla.store.rules import Rulebook
from services.sla.store.tables import CaseRow, ClockRow, SlaTable
from shared.contracts.sla import SlaBreached, SlaWarned
from shared.contracts.vocabulary import CaseType, Clock, Priority, Role
from shared.messaging.transaction import Transaction
from shared.observability.metrics import BREACHES, WARNINGS

__all__ = ["CaseRow", "ClockRow", "SlaTable", "clocks_of", "keep", "load", "open_cases", "save"]

_OPEN_AFTER = """
SELECT DISTINCT feedback_id FROM clocks
WHERE met_at IS NULL AND cancelled_at IS NULL AND feedback_id > $1
ORDER BY feedback_id LIMIT $2
"""


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    """Read the clocks of these cases, and the policies they are pinned to."""
    shelf = tx.shelf(CaseRow)
    await shelf.load(feedback_ids)
    await tx.shelf(ClockRow).load(feedback_ids)
    rules: Rulebook = tx.tools
    versions = {row.policy_version for i in feedback_ids for row in shelf.of(i)}
    await rules.fetch_policies(tx.connection, versions)


def clocks_of(tx: Transaction, feedback_id: str) -> CaseClocks | None:
    """The clocks of a loaded case; None for one that never started any."""
    row = tx.shelf(CaseRow).get(feedback_id)
    if row is None:
        return None
    timers = [_timer(r) for r in tx.shelf(ClockRow).of(feedback_id)]
    return CaseClocks(
        received_at=row.received_at,
        policy_version=row.policy_version,
        priority=Priority(row.priority),
        type=CaseType(row.type),
        proposal=row.proposal,
        department=row.department,
        told=row.told,
        timers=tuple(sorted(timers, key=lambda t: (_ORDER[t.clock], t.cycle))),
    )


def save(
    tx: Transaction, feedback_id: str, before: CaseClocks | None, after: CaseClocks
) -> datetime | None:
    """Write what differs; the answer is the earliest moment a changed clock must be looked at."""
    if before is None or _head(before) != _head(after):
        heads = tx.shelf(CaseRow)
        heads.put(heads.make(feedback_id=feedback_id, **_head(after)))
    known = {} if before is None else {(t.clock, t.cycle): t for t in before.timers}
    checks, rows = [], tx.shelf(ClockRow)
    for timer in after.timers:
        if known.get((timer.clock, timer.cycle)) == timer:
            continue
        check = clocks.next_check(timer)
        rows.put(rows.make(feedback_id=feedback_id, next_check_at=check, **_values(timer)))
        if check is not None:
            checks.append(check)
    return min(checks, default=None)


async def open_cases(tx: Transaction, after: str, limit: int) -> list[str]:
    """The next cases, in id order, that have an open clock."""
    rows = await tx.connection.exec_driver_sql(_OPEN_AFTER, (after, limit))
    return [feedback_id for (feedback_id,) in rows]


_ORDER = {clock: n for n, clock in enumerate(Clock)}


def _head(case: CaseClocks) -> dict[str, Any]:
    return {
        "received_at": case.received_at,
        "policy_version": case.policy_version,
        "priority": case.priority.value,
        "type": case.type.value,
        "proposal": case.proposal,
        "department": case.department,
        "told": case.told,
    }


def _values(timer: Timer) -> dict[str, Any]:
    return {
        "clock": timer.clock.value,
        "cycle": timer.cycle,
        "calendar": timer.calendar,
        "department": timer.department,
        "started_at": timer.started_at,
        "budget": timer.budget,
        "due": timer.due,
        "first_due": timer.first_due,
        "steps": [{"level": s.level, "at": s.at.isoformat(), "to": s.to} for s in timer.steps],
        "marked": sorted(timer.marked),
        "reopened": timer.reopened,
        "paused_at": timer.paused_at,
        "paused": timer.paused,
        "extended": timer.extended,
        "breached_at": timer.breached_at,
        "met_at": timer.met_at,
        "cancelled_at": timer.cancelled_at,
    }


def _timer(row: ClockRow) -> Timer:
    steps, marked = row.steps, row.marked
    return Timer(
        clock=Clock(row.clock),
        cycle=row.cycle,
        calendar=row.calendar,
        department=row.department,
        started_at=row.started_at,
        budget=row.budget,
        due=row.due,
        first_due=row.first_due,
        steps=tuple(
            Step(s["level"], datetime.fromisoformat(s["at"]), Role(s["to"]) if s["to"] else None)
            for s in steps
        ),
        marked=frozenset(marked),
        reopened=row.reopened,
        paused_at=row.paused_at,
        paused=row.paused,
        extended=row.extended,
        breached_at=row.breached_at,
        met_at=row.met_at,
        cancelled_at=row.cancelled_at,
    )


def keep(
    tx: Transaction,
    feedback_id: str,
    before: CaseClocks | None,
    change: Change,
    *,
    at: datetime,
) -> None:
    """Remember what changed and tell it, as of `at`."""
    check = save(tx, feedback_id, before, change.case)
    for fact in announce(feedback_id, change, at=at):
        tx.emit(fact)
        if isinstance(fact, SlaWarned):
            tx.after_commit(WARNINGS.labels(fact.department or "", fact.clock).inc)
        elif isinstance(fact, SlaBreached):
            tx.after_commit(BREACHES.labels(fact.department or "", fact.clock).inc)
    if check is not None:
        tx.after_commit(partial(tx.tools.look_at, check))
