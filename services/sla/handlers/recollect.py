"""What sla makes of its own events when its database has lost them.

Clocks are made again of what moved them; a level that was reached is one more thing that happened.
"""

from __future__ import annotations

from services.sla import store
from services.sla.deps import deps_of
from services.sla.domain import cases
from services.sla.domain.events import promises_of
from services.sla.store import apply
from shared.contracts import Event
from shared.contracts.sla import (
    ClockEvent,
    EscalationRaised,
    SlaBreached,
    SlaPromisesChanged,
    SlaWarned,
)
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction

OTHER_DATES = "cases that were promised other dates than these calendars and policies give"
POLICIES = "policies: these versions have promised since the backup, and nobody has them any more"


async def recollect_mark(event: ClockEvent, tx: Transaction) -> None:
    """Mark what was marked, so that nobody is warned again."""
    case = store.clocks_of(tx, event.feedback_id)
    if case is not None:
        rules = deps_of(tx).rules(case.policy_version)
        apply(tx, event.feedback_id, cases.tick(case, rules, now=event.at))


async def compare_promises(event: SlaPromisesChanged, tx: Transaction) -> None:
    """Say where the dates that people have read cannot be worked out again."""
    assert tx.replay is not None
    if event.policy_version > deps_of(tx).policy.version:
        tx.replay.miss(POLICIES, f"version {event.policy_version}")
    case = store.clocks_of(tx, event.feedback_id)
    made = {} if case is None else {(p.clock, p.cycle): p.due for p in promises_of(case)}
    differ = any(made.get((p.clock, p.cycle)) != p.due for p in event.promises if p.ended is None)
    # The last event of the case says it: clocks may be ahead of those before.
    (tx.replay.miss if differ else tx.replay.found)(OTHER_DATES, event.feedback_id)


OWN: dict[type[Event], Handler] = {
    SlaWarned: recollect_mark,
    SlaBreached: recollect_mark,
    EscalationRaised: recollect_mark,
    SlaPromisesChanged: compare_promises,
}
