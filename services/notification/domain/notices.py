"""Who is told what by which fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.notification.domain.cases import Case
from shared.contracts import Event, desk, intake, routing, sla
from shared.contracts.vocabulary import Clock, Role

REPORTER = "reporter"
STAFF = "staff:"


class People(Protocol):
    """Who works where."""

    def staff(self, *, role: str | None = None, department: str | None = None) -> list[str]:
        """User names of active people with that role, of that department."""
        ...


@dataclass(frozen=True)
class Notice:
    """One thing one person is to be told."""

    kind: str
    recipient: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def staff(self) -> str | None:
        """The account, where it is staff."""
        return staff_of(self.recipient)


def staff_of(recipient: str) -> str | None:
    """The account behind a recipient; None for the reporter."""
    return recipient.removeprefix(STAFF) if recipient.startswith(STAFF) else None


def notices(event: Event, before: Case, case: Case, people: People) -> list[Notice]:
    """Whom `event` concerns; `before` is the case as it was, `case` as it is now.

    Nobody is told what they did themselves.
    """
    told = [*_reporter(event, before, case), *_staff(event, before, case, people)]
    itself = f"{STAFF}{event.by.name}" if event.by.name else None
    return list({n.recipient: n for n in told if n.recipient != itself}.values())


def _reporter(event: Event, before: Case, case: Case) -> list[Notice]:
    match event:
        case intake.FeedbackReceived():
            return [Notice("receipt", REPORTER)]
        case desk.CaseInfoRequested():
            return [
                Notice(
                    "question",
                    REPORTER,
                    {"text": event.question, "department": event.department or case.department},
                )
            ]
        case desk.CaseReplied():
            return [
                Notice(
                    "reply",
                    REPORTER,
                    {"text": event.text, "department": event.department or case.department},
                )
            ]
        case desk.CaseRejected():
            return [Notice("rejected", REPORTER, {"text": event.reason})]
        case desk.CaseReopened():
            return [Notice("reopened", REPORTER)]
        case desk.CaseRequestRefused():
            return [Notice("refused", REPORTER, {"text": event.reason, "request": event.request})]
        case sla.SlaBreached(clock=Clock.RESOLUTION):
            return [
                Notice(
                    "delay",
                    REPORTER,
                    {"was": event.due.isoformat(), "department": case.department},
                )
            ]
        case sla.SlaPromised(clock=Clock.RESOLUTION) if (
            before.told_due is not None
            and event.due > before.told_due
            and event.cycle == case.cycle
        ):
            return [
                Notice(
                    "delay",
                    REPORTER,
                    {
                        "was": before.told_due.isoformat(),
                        "due": event.due.isoformat(),
                        "reason": event.reason or "",
                        "department": case.department,
                    },
                )
            ]
        case _:
            return []


def _staff(event: Event, before: Case, case: Case, people: People) -> list[Notice]:
    def to(kind: str, names: Sequence[str | None], **params: Any) -> list[Notice]:
        return [Notice(kind, f"{STAFF}{name}", params) for name in names if name]

    match event:
        case routing.FeedbackTriageNeeded() if not before.sorted:
            # After a return the office has heard of it already.
            return to("new_work", _office(people), what="triage", priority=event.priority)
        case desk.CaseDispatched():
            names = _entrance(people, event.department)
            return to("new_work", names, what="accept", priority=event.priority)
        case desk.CaseReturned():
            return to("new_work", _office(people), what="returned", text=event.reason)
        case desk.CaseReopened():
            return to("new_work", _office(people), what="reopened")
        case desk.CaseAssigned():
            return to("new_work", [event.to], what="assigned")
        case intake.FeedbackAppealed():
            return to("new_work", people.staff(role=Role.LEADER), what="appeal")
        case intake.FeedbackSupplemented():
            return to("news", _at_work(case, people), what="supplemented")
        case intake.FeedbackUrged():
            return to("news", _at_work(case, people), what="urged")
        case sla.SlaWarned():
            return to("warning", _responsible(event, case, people), **_clock(event))
        case sla.SlaBreached():
            names = _responsible(event, case, people)
            if case.department:
                names = [*names, *_entrance(people, case.department)]
            return to("breach", names, **_clock(event))
        case sla.EscalationRaised():
            above = _above(event.to_role, event.department or case.department, people)
            return to("escalation", above, **_clock(event))
        case _:
            return []


def _clock(event: sla.ClockFact) -> dict[str, Any]:
    return {"clock": str(event.clock), "due": event.due.isoformat()}


def _office(people: People) -> list[str]:
    return people.staff(role=Role.COORDINATOR)


def _entrance(people: People, department: str | None) -> list[str]:
    """Who takes work in for a department; the office where nobody does."""
    if department is None:
        return _office(people)
    return (
        people.staff(role=Role.LIAISON, department=department)
        or people.staff(role=Role.REVIEWER, department=department)
        or _office(people)
    )


def _at_work(case: Case, people: People) -> list[str]:
    return [case.handler] if case.handler else _entrance(people, case.department)


def _responsible(event: sla.ClockFact, case: Case, people: People) -> list[str]:
    """Who can still keep this promise."""
    match event.clock:
        case Clock.TRIAGE:
            return _office(people)
        case Clock.FOLLOW_UP:
            return []
        case Clock.REVIEW:
            return _above(Role.REVIEWER, event.department or case.department, people)
        case Clock.APPEAL:
            return people.staff(role=Role.LEADER)
        case Clock.ACCEPT:
            return _entrance(people, event.department or case.department)
        case _:
            return _at_work(case, people)


def _above(role: str, department: str | None, people: People) -> list[str]:
    if role == Role.REVIEWER and department:
        found = people.staff(role=role, department=department)
    else:
        found = people.staff(role=role) if role != Role.REVIEWER else []
    return found or _office(people)
