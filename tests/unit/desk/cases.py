"""Cases and people for the tests of the domain: each case ready for one action."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.desk.domain import (
    Action,
    ActionInput,
    Alarm,
    Case,
    Extension,
    Incident,
    Part,
    Review,
    SplitPart,
)
from shared.contracts import REPORTER, SYSTEM, Actor
from shared.contracts.vocabulary import CaseType, Clock, Outcome, Priority, State

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)
GIVEN = ActionInput(
    department="it",
    priority=Priority.P2,
    to="wang",
    text="好",
    outcome=Outcome.SOLVED,
    reason="x",
    waiting_for="物业",
    until=TOMORROW,
    clock=Clock.RESOLUTION,
    into="g",
    other="g",
    incident=Incident(incident_id="i", title="t", text="x"),
    parts=(SplitPart(feedback_id="a", text="x"), SplitPart(feedback_id="b", text="y")),
)


def actor(who: str, department: str | None = "space", name: str | None = None) -> Actor:
    if who == "reporter":
        return REPORTER
    if who == "system":
        return SYSTEM
    return Actor(kind="staff", name=name or who, display=who, role=who, department=department)


def case(state: State, **more: object) -> Case:
    values: dict[str, object] = {
        "department": "space",
        "replied_at": NOW,
        "case_type": CaseType.INQUIRY,
    }
    return Case(feedback_id="f", state=state, **(values | more))  # type: ignore[arg-type]


REVIEW = Review(by="somebody", at=NOW, text="好", outcome=Outcome.SOLVED)
EXTENSION = Extension(until=TOMORROW, reason="x", by="handler", asked_at=NOW)
ALARM = Alarm(at=NOW, found_by="meaning", kind="collapsed", sure=0.8)


def ready_for(state: State, action: Action, who: str = "") -> Case:
    """A case in which nothing but the state decides about `action`."""
    more: dict[str, object] = {}
    match action:
        case Action.REPLY | Action.PROGRESS if state is State.REPLIED:
            more = {"words_owed_since": NOW}
        case Action.UNASSIGN:
            more = {"assignee": "li"}
        case Action.ASSIGN:
            more = {"assignee": who}
        case Action.TIME_OUT:
            more = {"waiting_until": NOW}
        case Action.APPROVE | Action.SEND_BACK:
            more = {"review": REVIEW}
        case Action.GRANT_EXTENSION | Action.REFUSE_EXTENSION:
            more = {"extension": EXTENSION}
        case Action.FINISH_PART:
            more = {"parts": (Part(department="space", question="?"),)}
        case Action.REMOVE_DEPARTMENT:
            more = {"parts": (Part(department="it", question="?"),)}
        case Action.EXPLAIN_BREACH:
            more = {"breached": frozenset({Clock.RESOLUTION}), "resolution_due": NOW}
        case Action.APPEAL:
            more = {"reopened": 1}
        case Action.RESTORE if state is State.CLOSED:
            more = {"ended_at": NOW, "appeal_dismissed": True}
        case Action.LEAVE | Action.ANSWER_INCIDENT:
            more = {"incident_id": "i"}
        case Action.CONFIRM_ALARM | Action.DISMISS_ALARM | Action.REPEAT_ALARM:
            more = {"alarm": ALARM}
        case Action.UNLINK:
            more = {"links": ("g",)}
        case Action.UNMERGE:
            more = {"merged_into": "g"}
        case Action.SUPPLEMENT | Action.RATE | Action.REQUEST_REOPENING | Action.WITHDRAW if (
            state is State.MERGED
        ):
            more = {"merged_into": "g"}
    return case(state, **more)
