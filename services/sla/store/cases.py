"""A case's clocks, as the domain sees them, in rows."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Any

from services.sla.domain import clocks
from services.sla.domain.announce import announce
from services.sla.domain.clocks import Step, Timer
from services.sla.domain.facts import CaseClocks, Change, in_order
from services.sla.store.rules import Rulebook
from services.sla.store.tables import CaseRow, ClockRow, SlaTable
from shared.contracts.sla import SlaBreached, SlaWarned
from shared.contracts.vocabulary import CaseType, Clock, Priority, Role
from shared.messaging.intake import BREATH
from shared.messaging.transaction import Transaction
from shared.observability.metrics import BREACHES, WARNINGS

__all__ = ["CaseRow", "ClockRow", "SlaTable", "clocks_of", "keep", "load", "open_cases"]

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


class CasesInHand:
    """The clocks of a transaction's cases: made of rows once, made into rows once.

    However many facts of a case a batch brings, between them its clocks stay the domain's values.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._stored: dict[str, CaseClocks] = {}
        self._now: dict[str, CaseClocks] = {}

    def of(self, feedback_id: str) -> CaseClocks | None:
        """The clocks of a loaded case; None for one that never started any."""
        case = self._now.get(feedback_id) or _read(self._tx, feedback_id)
        if case is not None and feedback_id not in self._now:
            self._now[feedback_id] = self._stored[feedback_id] = case
        return case

    def put(self, feedback_id: str, case: CaseClocks) -> None:
        """From now on these are the clocks of the case."""
        self._now[feedback_id] = case

    async def settle(self) -> None:
        """Put the rows of what differs on their shelves."""
        checks = []
        for n, (feedback_id, case) in enumerate(self._now.items(), 1):
            if not n % BREATH:
                await asyncio.sleep(0)
            before = self._stored.get(feedback_id)
            if case is not before:
                checks += _write(self._tx, feedback_id, before, case)
                self._stored[feedback_id] = case
        if checks:
            self._tx.after_commit(partial(self._tx.tools.look_at, min(checks)))


def clocks_of(tx: Transaction, feedback_id: str) -> CaseClocks | None:
    """The clocks of a loaded case; None for one that never started any."""
    return tx.holding(CasesInHand).of(feedback_id)


def keep(tx: Transaction, feedback_id: str, change: Change, *, at: datetime) -> None:
    """Remember what changed and tell it, as of `at`."""
    tx.holding(CasesInHand).put(feedback_id, change.case)
    for fact in announce(feedback_id, change, at=at):
        tx.emit(fact)
        if isinstance(fact, SlaWarned):
            tx.after_commit(WARNINGS.labels(fact.department or "", fact.clock).inc)
        elif isinstance(fact, SlaBreached):
            tx.after_commit(BREACHES.labels(fact.department or "", fact.clock).inc)


def _read(tx: Transaction, feedback_id: str) -> CaseClocks | None:
    row = tx.shelf(CaseRow).get(feedback_id)
    if row is None:
        return None
    return CaseClocks(
        received_at=row.received_at,
        policy_version=row.policy_version,
        priority=Priority(row.priority),
        type=CaseType(row.type),
        proposal=row.proposal,
        department=row.department,
        told=row.told,
        timers=tuple(in_order(map(_timer, tx.shelf(ClockRow).of(feedback_id)))),
    )


def _write(
    tx: Transaction, feedback_id: str, before: CaseClocks | None, after: CaseClocks
) -> list[datetime]:
    """Write what differs; the answer is when each changed clock must be looked at."""
    if before is None or _head(before) != _head(after):
        tx.shelf(CaseRow).write(feedback_id=feedback_id, **_head(after))
    known = {} if before is None else {(t.clock, t.cycle): t for t in before.timers}
    checks, rows = [], tx.shelf(ClockRow)
    for timer in after.timers:
        if known.get((timer.clock, timer.cycle)) == timer:
            continue
        check = clocks.next_check(timer)
        rows.write(feedback_id=feedback_id, next_check_at=check, **_values(timer))
        if check is not None:
            checks.append(check)
    return checks


async def open_cases(tx: Transaction, after: str, limit: int) -> list[str]:
    """The next cases, in id order, that have an open clock."""
    rows = await tx.connection.exec_driver_sql(_OPEN_AFTER, (after, limit))
    return [feedback_id for (feedback_id,) in rows]


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
