"""Facts of a case as the log would have them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from shared.contracts.desk import (
    CaseAccepted,
    CaseAssigned,
    CaseDispatched,
    CaseOpened,
    CaseReplied,
)
from shared.contracts.intake import FeedbackRated, FeedbackReceived
from shared.contracts.sla import SlaBreached, SlaMet, SlaPromised
from shared.contracts.vocabulary import Clock
from shared.ids import new_id
from shared.security import code_hash
from tests.support import at

START = at("2026-03-04 10:00")


class Story:
    """Makes facts of one case; `later` moves its time on."""

    def __init__(self, *, code: str = "", now: datetime = START) -> None:
        self.id = new_id()
        self.code = code
        self.now = now
        self.due: dict[Clock, datetime] = {}

    def later(self, **delta: float) -> Story:
        self.now += timedelta(**delta)
        return self

    def of(self, fact: type[Any], **fields: Any) -> Any:
        return fact(feedback_id=self.id, at=self.now, **fields)

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

    def promised(self, clock: Clock, due: datetime, **fields: Any) -> SlaPromised:
        self.due.setdefault(clock, due)
        given = {"first_due": self.due[clock], "started": self.now, "priority": "P3"}
        return self.of(SlaPromised, clock=clock, due=due, **(given | fields))

    def breached(self, clock: Clock) -> SlaBreached:
        return self.of(SlaBreached, clock=clock, due=self.due[clock], first_due=self.due[clock])

    def met(self, clock: Clock, hours: float = 1, *, in_time: bool = True) -> SlaMet:
        return self.of(
            SlaMet,
            clock=clock,
            due=self.due[clock],
            first_due=self.due[clock],
            in_time=in_time,
            working_seconds=int(hours * 3600),
        )

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
