"""A case's clocks, as the domain sees them, in rows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.sla.domain import clocks
from services.sla.domain.case_clocks import CaseClocks, Left, Update, in_order
from services.sla.domain.clocks import Pause, Step, Timer
from services.sla.domain.events import events_of_mark, promises_changed, segment_ended
from services.sla.domain.segments import Segment
from services.sla.store.rules import rulebook_of
from services.sla.store.tables import CaseRow, ClockRow, SlaTable
from shared.contracts import Event
from shared.contracts.sla import ClockChange, SlaBreached, SlaWarned
from shared.contracts.vocabulary import CaseType, Channel, Clock, Priority, Role
from shared.messaging.envelope import Record
from shared.messaging.partitions import partition_of
from shared.messaging.subscription import YIELD_EVERY
from shared.messaging.transaction import Transaction
from shared.observability.metrics import BREACHES, WARNINGS

__all__ = ["CaseRow", "ClockRow", "SlaTable", "apply", "clocks_of", "load", "open_cases"]

_SECOND = timedelta(seconds=1)
_OPEN_AFTER = """
SELECT DISTINCT feedback_id FROM clocks
WHERE met_at IS NULL AND cancelled_at IS NULL AND feedback_id > $1
ORDER BY feedback_id LIMIT $2
"""
# There is no index of groups: ids are ordered by time, and those of the newest say what there is.
_GROUPS = """
SELECT DISTINCT reporter_group FROM (
    SELECT reporter_group FROM cases ORDER BY feedback_id DESC LIMIT $1
) AS newest WHERE reporter_group <> ''
"""
LOOKED_AT = 20_000
"""Cases that are looked through for the groups of their reporters."""


LOADED = (CaseRow, ClockRow)
"""What is read of a case whenever one is locked."""


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    """Read the clocks of these cases, and the policies they are pinned to."""
    await tx.load(feedback_ids, *LOADED)
    await load_policies(tx, feedback_ids)


async def load_policies(tx: Transaction, feedback_ids: list[str]) -> None:
    """Read the policies that these loaded cases are pinned to."""
    rows = tx.rows(CaseRow)
    versions = {row.policy_version for i in feedback_ids for row in rows.for_case(i)}
    await rulebook_of(tx).fetch_policies(tx.connection, versions)


@dataclass(slots=True)
class _Pending:
    """What happened to a case's clocks and is not emitted yet, and what the last of it followed."""

    changes: list[ClockChange]
    left: list[Left]
    cause: Record | None


class CaseCache:
    """The clocks of a transaction's cases: made of rows once, made into rows once.

    However many events of a case a batch brings, between them its clocks stay the domain's values,
    and what happens to them leaves as one event. A level that was reached is an event of its own,
    emitted at once; what happened before it is emitted before it.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._stored: dict[str, CaseClocks] = {}
        self._now: dict[str, CaseClocks] = {}
        self._pending: dict[str, _Pending] = {}

    def get(self, feedback_id: str) -> CaseClocks | None:
        """The clocks of a loaded case; None for one that never started any."""
        case = self._now.get(feedback_id) or _read(self._tx, feedback_id)
        if case is not None and feedback_id not in self._now:
            self._now[feedback_id] = self._stored[feedback_id] = case
        return case

    def apply(self, feedback_id: str, update: Update) -> None:
        """From now on these are the clocks of the case; what happened to them is emitted."""
        if update.reached:
            self._emit_changes(feedback_id)
            for reached in update.reached:
                for event in events_of_mark(feedback_id, reached):
                    self._tx.emit(event)
                    self._count(event)
        self._now[feedback_id] = update.case
        if update.changes or update.left:
            pending = self._pending.setdefault(feedback_id, _Pending([], [], None))
            pending.changes += update.changes
            pending.left += update.left
            pending.cause = self._tx.cause

    async def flush(self) -> None:
        """Emit what is pending, and put the rows of what differs into the buffers."""
        checks = []
        for n, (feedback_id, case) in enumerate(self._now.items(), 1):
            if not n % YIELD_EVERY:
                await asyncio.sleep(0)
            self._emit_changes(feedback_id)
            before = self._stored.get(feedback_id)
            if case is not before:
                checks += _write(self._tx, feedback_id, before, case)
                self._stored[feedback_id] = case
        if checks:
            self._tx.after_commit(partial(rulebook_of(self._tx).look_at, min(checks)))

    def _emit_changes(self, feedback_id: str) -> None:
        pending = self._pending.pop(feedback_id, None)
        if pending is None:
            return
        cause, self._tx.cause = self._tx.cause, pending.cause
        try:
            for left in pending.left:
                self._tx.emit(segment_ended(feedback_id, left))
            if pending.changes:
                now = self._now[feedback_id]
                self._tx.emit(promises_changed(feedback_id, now, pending.changes))
        finally:
            self._tx.cause = cause

    def _count(self, event: Event) -> None:
        if isinstance(event, SlaWarned):
            counter = WARNINGS
        elif isinstance(event, SlaBreached):
            counter = BREACHES
        else:
            return
        self._tx.after_commit(counter.labels(event.department or "", event.clock).inc)


def clocks_of(tx: Transaction, feedback_id: str) -> CaseClocks | None:
    """The clocks of a loaded case; None for one that never started any."""
    return tx.cache(CaseCache).get(feedback_id)


def apply(tx: Transaction, feedback_id: str, update: Update) -> None:
    """Remember a case's clocks as they are now, and emit what happened to them."""
    tx.cache(CaseCache).apply(feedback_id, update)


def _read(tx: Transaction, feedback_id: str) -> CaseClocks | None:
    row = tx.rows(CaseRow).get(feedback_id)
    if row is None:
        return None
    return CaseClocks(
        received_at=row.received_at,
        policy_version=row.policy_version,
        priority=Priority(row.priority),
        type=CaseType(row.type),
        proposal=row.proposal,
        category=row.category,
        channel=Channel(row.channel) if row.channel else Channel.OTHER,
        group=row.reporter_group,
        department=row.department,
        announced=row.announced,
        segments=tuple(map(_segment, row.segments)),
        timers=tuple(in_order(map(_timer, tx.rows(ClockRow).for_case(feedback_id)))),
    )


def _write(
    tx: Transaction, feedback_id: str, before: CaseClocks | None, after: CaseClocks
) -> list[datetime]:
    """Write what differs; the answer is when each changed clock must be looked at."""
    if before is None or _head(before) != _head(after):
        tx.rows(CaseRow).upsert_values(feedback_id=feedback_id, **_head(after))
    known = {} if before is None else {(t.clock, t.cycle): t for t in before.timers}
    checks, rows, partition = [], tx.rows(ClockRow), partition_of(feedback_id)
    for timer in after.timers:
        if known.get((timer.clock, timer.cycle)) == timer:
            continue
        check = clocks.next_check(timer)
        rows.upsert_values(
            feedback_id=feedback_id, next_check_at=check, partition=partition, **_values(timer)
        )
        if check is not None:
            checks.append(check)
    return checks


async def groups_seen(connection: AsyncConnection, *, newest: int = LOOKED_AT) -> set[str]:
    """Of which groups of readers somebody wrote, of so many of the newest cases."""
    rows = await connection.exec_driver_sql(_GROUPS, (newest,))
    return {name for (name,) in rows}


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
        "category": case.category,
        "channel": case.channel.value,
        "reporter_group": case.group,
        "department": case.department,
        "announced": case.announced,
        "segments": [_as_json(segment) for segment in case.segments],
    }


def _as_json(segment: Segment) -> dict[str, Any]:
    """Without what is as it is by default; durations in seconds."""
    made: dict[str, Any] = {
        "department": segment.department,
        "started_at": segment.started_at.isoformat(),
    }
    if segment.part:
        made["part"] = True
    if segment.waiting_since is not None:
        made["waiting_since"] = segment.waiting_since.isoformat()
    if segment.waited:
        made["waited"] = segment.waited.total_seconds()
    if segment.ended_at is not None:
        made["ended_at"] = segment.ended_at.isoformat()
    return made


def _segment(kept: dict[str, Any]) -> Segment:
    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(kept[name]) if name in kept else None

    return Segment(
        department=kept["department"],
        started_at=datetime.fromisoformat(kept["started_at"]),
        part=kept.get("part", False),
        waiting_since=moment("waiting_since"),
        waited=timedelta(seconds=kept.get("waited", 0)),
        ended_at=moment("ended_at"),
    )


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
        "steps": [_step(s) for s in timer.steps],
        "marked": sorted(timer.marked),
        "reopened": timer.reopened,
        "progress": timer.progress,
        "paused_at": timer.paused_at,
        "paused": timer.paused,
        "pauses": [
            [p.start.isoformat(), p.end.isoformat(), p.amount / _SECOND] for p in timer.pauses
        ],
        "named_due": timer.named_due,
        "extended": timer.extended,
        "breached_at": timer.breached_at,
        "met_at": timer.met_at,
        "cancelled_at": timer.cancelled_at,
        "reason": timer.reason,
    }


def _step(step: Step) -> dict[str, Any]:
    made = {"level": step.level, "at": step.at.isoformat(), "to": step.to}
    return made if step.warns else made | {"silent": True}


def _pause(kept: list[Any]) -> Pause:
    start, end, seconds = kept
    return Pause(
        datetime.fromisoformat(start), datetime.fromisoformat(end), timedelta(seconds=seconds)
    )


def _timer(row: ClockRow) -> Timer:
    # Past the attributes of the row's class, which cost more than all the rest of this.
    values = vars(row)
    return Timer(
        clock=Clock(values["clock"]),
        steps=tuple(
            [
                Step(
                    s["level"],
                    datetime.fromisoformat(s["at"]),
                    Role(s["to"]) if s["to"] else None,
                    not s.get("silent"),
                )
                for s in values["steps"]
            ]
        ),
        marked=frozenset(values["marked"]),
        pauses=tuple([_pause(p) for p in values["pauses"]]) if values["pauses"] else (),
        **{name: values[name] for name in _AS_THEY_ARE},
    )


_AS_THEY_ARE = (
    "cycle",
    "calendar",
    "department",
    "started_at",
    "budget",
    "due",
    "first_due",
    "reopened",
    "progress",
    "paused_at",
    "paused",
    "named_due",
    "extended",
    "breached_at",
    "met_at",
    "cancelled_at",
    "reason",
)
"""What a timer holds as its row does."""
