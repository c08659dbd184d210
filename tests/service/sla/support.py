"""Events of one case, and what sla tells about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.sla import jobs
from shared.contracts.desk import (
    CaseAccepted,
    CaseDispatched,
    CaseInfoRequested,
    CaseReopened,
    CaseReplied,
)
from shared.contracts.intake import FeedbackReceived
from shared.contracts.routing import FeedbackRouted
from shared.contracts.vocabulary import CaseType, Channel, Outcome, Priority
from shared.service import Service
from tests.support import at, outbox_of

CASE = "case-1"
Emitted = tuple[str, str]


def received(when: str, feedback_id: str = CASE) -> FeedbackReceived:
    return FeedbackReceived(
        feedback_id=feedback_id,
        at=at(when),
        channel=Channel.WEB,
        text="三层东区占座没人管",
        code_hash=f"hash of {feedback_id}",
    )


def routed(when: str, priority: Priority = Priority.P3, **more: Any) -> FeedbackRouted:
    return FeedbackRouted(
        feedback_id=CASE,
        at=at(when),
        priority=priority,
        confidence=0.9,
        **{"case_type": CaseType.COMPLAINT, "department": "space"} | more,
    )


def dispatched(when: str, department: str = "space", **more: Any) -> CaseDispatched:
    values = {"case_type": CaseType.COMPLAINT, "priority": Priority.P3, "decided": "rule"}
    return CaseDispatched(feedback_id=CASE, at=at(when), department=department, **values | more)


def accepted(when: str) -> CaseAccepted:
    return CaseAccepted(feedback_id=CASE, at=at(when), department="space")


def asked(when: str) -> CaseInfoRequested:
    return CaseInfoRequested(feedback_id=CASE, at=at(when), question="是哪一个座位？")


def replied(when: str) -> CaseReplied:
    return CaseReplied(feedback_id=CASE, at=at(when), text="已处理", outcome=Outcome.SOLVED)


def reopened(when: str, cycle: int = 2) -> CaseReopened:
    return CaseReopened(feedback_id=CASE, at=at(when), reason="还是没人管", cycle=cycle)


def ordinary() -> list[Any]:
    """Received on a Wednesday at 10:00, signed for within the hour."""
    return [
        received("2026-03-04 10:00"),
        routed("2026-03-04 10:00"),
        dispatched("2026-03-04 10:00"),
        accepted("2026-03-04 10:40"),
    ]


async def events(service: Service, feedback_id: str = CASE) -> list[Emitted]:
    """What was emitted about a case, change by change: ``(change or mark, clock)``."""
    out = []
    for one in await outbox_of(service, feedback_id):
        kind = one["type"].removeprefix("sla.").removesuffix(".v1")
        if kind == "promises_changed":
            out += [(c["change"], c["clock"]) for c in one["body"]["changes"]]
        elif kind != "segment_ended":
            out.append((kind, one["body"]["clock"]))
    return out


async def changes(
    service: Service, change: str, clock: str, feedback_id: str = CASE
) -> list[dict[str, Any]]:
    """What happened to a clock, with what the event says of the whole case."""
    return [
        one["body"] | c
        for one in await outbox_of(service, feedback_id)
        if one["type"] == "sla.promises_changed.v1"
        for c in one["body"]["changes"]
        if (c["change"], c["clock"]) == (change, clock)
    ]


async def promises(service: Service, feedback_id: str = CASE) -> dict[str, dict[str, Any]]:
    """Clock → its promise as the last event has it."""
    *_, last = [
        one["body"]["promises"]
        for one in await outbox_of(service, feedback_id)
        if one["type"] == "sla.promises_changed.v1"
    ]
    return {promise["clock"]: promise for promise in last}


async def bodies(
    service: Service, kind: str, clock: str, feedback_id: str = CASE
) -> list[dict[str, Any]]:
    """The events of marks: ``sla.warned``, ``sla.breached``, ``escalation.raised``."""
    return [
        t["body"]
        for t in await outbox_of(service, feedback_id)
        if t["type"] == f"{kind}.v1" and t["body"]["clock"] == clock
    ]


def moment(body: dict[str, Any], field: str) -> datetime:
    return datetime.fromisoformat(body[field])


async def passing(service: Service, when: str) -> int:
    """The clock shows `when`, and what came due is marked."""
    service.runtime.clock.set(at(when))  # type: ignore[attr-defined]
    return await jobs.mark_due(service)
