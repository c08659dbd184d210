"""Events of a case as the log would have them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from shared.contracts.desk import (
    CaseAccepted,
    CaseAssigned,
    CaseDispatched,
    CaseEvent,
    CaseOpened,
    CaseReplied,
)
from shared.contracts.intake import FeedbackRated, FeedbackReceived
from shared.contracts.sla import SlaBreached, SlaPromisesChanged
from shared.contracts.vocabulary import Clock
from shared.ids import new_id
from shared.security import code_hash
from tests.fakes.desk import FakeDesk
from tests.fakes.promises import Promises
from tests.support import at

START = at("2026-03-04 10:00")


class Story:
    """Makes events of one case; `later` moves its time on."""

    def __init__(self, *, code: str = "", now: datetime = START) -> None:
        self.id = new_id()
        self.code = code
        self.now = now
        self.desk = FakeDesk(self.id)
        self.promises = Promises(self.id)

    def later(self, **delta: float) -> Story:
        self.now += timedelta(**delta)
        return self

    def of(self, emitted: type[Any], **fields: Any) -> Any:
        if issubclass(emitted, CaseEvent):
            return self.desk.event(emitted, self.now, **fields)
        return emitted(feedback_id=self.id, at=self.now, **fields)

    def received(self, **fields: Any) -> FeedbackReceived:
        given = {
            "channel": "web",
            "text": "三层东区217一上午都是一个水杯占着，人影没有。",
            "code_hash": code_hash(self.code or self.id),
        }
        return self.of(FeedbackReceived, **(given | fields))

    def opened(self) -> CaseOpened:
        return self.of(CaseOpened)

    def dispatched(self, department: str = "it", **fields: Any) -> CaseDispatched:
        given = {"case_type": "complaint", "priority": "P3", "decided": "rule"}
        return self.of(CaseDispatched, department=department, **(given | fields))

    def accepted(self, department: str = "it") -> CaseAccepted:
        return self.of(CaseAccepted, department=department)

    def assigned(self, department: str = "it") -> CaseAssigned:
        return self.of(CaseAssigned, department=department, to=f"handler.{department}")

    def replied(self, department: str = "it", text: str = "已经修好了。") -> CaseReplied:
        return self.of(CaseReplied, department=department, text=text, outcome="solved")

    def rated(self, stars: int = 5, solved: str = "yes") -> FeedbackRated:
        return self.of(FeedbackRated, stars=stars, solved=solved)

    def promised(self, clock: Clock, due: datetime, **fields: Any) -> SlaPromisesChanged:
        """Promised; the second time in a cycle: moved."""
        known = self.promises.now.get(clock)
        again = known is not None and known.cycle == fields.get("cycle", 1)
        return self.changed("moved" if again else "promised", clock, due, **fields)

    def changed(
        self, change: str, clock: Clock | str, due: datetime | None = None, **fields: Any
    ) -> SlaPromisesChanged:
        return self.promises.change(change, clock, due, at=self.now, **fields)

    def breached(self, clock: Clock) -> SlaBreached:
        return self.promises.breached(clock, at=self.now)

    def met(self, clock: Clock, hours: float = 1, *, in_time: bool = True) -> SlaPromisesChanged:
        seconds = int(hours * 3600)
        return self.changed("met", clock, in_time=in_time, working_seconds=seconds)

    @property
    def due(self) -> dict[Clock, datetime]:
        return {clock: promise.due for clock, promise in self.promises.now.items()}

    def begun(self) -> list[Any]:
        """Received, opened, promised: a case of which the office knows."""
        return [
            self.received(),
            self.opened(),
            self.promised(Clock.FIRST_RESPONSE, self.now + timedelta(days=1)),
            self.promised(Clock.RESOLUTION, self.now + timedelta(days=7)),
        ]

    def worked(self, department: str = "it") -> list[Any]:
        """And on somebody's table."""
        return [
            *self.begun(),
            self.dispatched(department),
            self.accepted(department),
            self.assigned(department),
        ]

    def answered(self, department: str = "it", hours: float = 1) -> list[Any]:
        """And answered in time."""
        return [
            *self.worked(department),
            self.replied(department),
            self.met(Clock.FIRST_RESPONSE, hours),
            self.met(Clock.RESOLUTION, hours),
        ]
