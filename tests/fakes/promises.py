"""What sla would emit about a case, for tests of those who read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.contracts.sla import (
    Change,
    ClockChange,
    Promise,
    PromiseStatus,
    SlaBreached,
    SlaPromisesChanged,
)
from shared.contracts.vocabulary import Clock

_STATUS = {
    "promised": "running",
    "moved": "running",
    "resumed": "running",
    "paused": "paused",
    "met": "met",
    "cancelled": "cancelled",
}


class Promises:
    """The clocks of one case; each call is one event of sla about them."""

    def __init__(self, feedback_id: str) -> None:
        self.feedback_id = feedback_id
        self.now: dict[Clock, Promise] = {}

    def change(
        self,
        change: str,
        clock: Clock | str,
        due: datetime | None = None,
        *,
        at: datetime,
        cycle: int = 1,
        first_due: datetime | None = None,
        **more: Any,
    ) -> SlaPromisesChanged:
        """This happened to the clock; a cycle that is over leaves its promise as it is."""
        clock = Clock(clock)
        known = self.now.get(clock)
        if known is not None and known.cycle != cycle:
            known = None if known.cycle < cycle else known
        due = due or (known.due if known else at)
        about: dict[str, Any] = {
            "clock": clock,
            "cycle": cycle,
            "due": due,
            "first_due": first_due or (known.first_due if known else due),
            "started": known.started if known else at,
            "reason": more.get("reason"),
        }
        if change == "met":
            more = {"in_time": True, "working_seconds": 1} | more
        status = _STATUS[change]
        late = (known is not None and known.status == "breached") or more.get("in_time") is False
        if known is None or known.cycle <= cycle:
            self.now[clock] = Promise(
                **about,
                status=PromiseStatus("breached" if late else status),
                paused=change == "paused",
                ended=at if change in ("met", "cancelled") else None,
                in_time=more.get("in_time"),
            )
        return SlaPromisesChanged(
            feedback_id=self.feedback_id,
            at=at,
            changes=(ClockChange(**(about | more), change=Change(change), at=at),),
            promises=tuple(self.now[c] for c in Clock if c in self.now),
            priority=more.get("priority", "P3"),
        )

    def breached(self, clock: Clock | str, *, at: datetime) -> SlaBreached:
        """The deadline passed."""
        promise = self.now[Clock(clock)]
        self.now[promise.clock] = promise.model_copy(update={"status": PromiseStatus.BREACHED})
        return SlaBreached(
            feedback_id=self.feedback_id,
            at=at,
            clock=promise.clock,
            cycle=promise.cycle,
            due=promise.due,
            first_due=promise.first_due,
        )
