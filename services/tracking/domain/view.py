"""The body of ``GET /api/track/{code}``: a case as its reporter may see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.tracking.domain import words
from services.tracking.domain.periods import local
from services.tracking.domain.words import NameOf, SayDue, pick
from shared.contracts.vocabulary import ENDED, OPEN, STATE_NAMES, Clock, State

REOPEN_WITHIN = timedelta(days=15)
"""Counted from the reply. Desk decides; this only says what it will decide."""
REOPEN_MOST = 2


@dataclass(frozen=True)
class Line:
    """One line of the timeline as it is stored."""

    seq: int
    at: datetime
    type: str
    data: dict[str, Any]


def may(case: Any, now: datetime) -> list[str]:
    """What the reporter can do now."""
    actions: list[str] = []
    state = State(case.state)
    if state not in ENDED:
        actions.append("supplement")
    if state in OPEN:
        actions.append("urge")
    unrated = case.rated_at is None or (case.replied_at and case.rated_at < case.replied_at)
    if state is State.REPLIED and unrated:
        actions.append("rate")
    if (
        state in (State.REPLIED, State.CLOSED)
        and case.replied_at is not None
        and now <= case.replied_at + REOPEN_WITHIN
        and case.reopenings < REOPEN_MOST
    ):
        actions.append("reopen")
    if state not in ENDED:
        actions.append("withdraw")
    return actions


def line_body(line: Line, *, locale: str, say_due: SayDue, name_of: NameOf) -> dict[str, Any]:
    """``{seq, at, type, text}``."""
    text = words.sentence(line.type, line.data, locale=locale, say_due=say_due, name_of=name_of)
    return {"seq": line.seq, "at": local(line.at), "type": line.type, "text": text}


def body(
    case: Any,
    lines: Iterable[Line],
    *,
    now: datetime,
    locale: str,
    say_due: SayDue,
    name_of: NameOf,
) -> dict[str, Any]:
    """The whole answer."""
    lines = list(lines)
    department = name_of(case.department)
    return {
        "feedback_id": case.feedback_id,
        "state": case.state,
        "state_text": pick(STATE_NAMES[State(case.state)], locale),
        "department": case.department,
        "department_name": department or None,
        "next_step": words.next_step(case.state, department, locale),
        "received_at": local(case.received_at),
        "channel": case.channel,
        "place": case.place,
        "category": case.category,
        "priority": case.priority,
        "promises": [
            _promise(clock, case.promises[clock], say_due, locale)
            for clock in Clock
            if clock in case.promises
        ],
        "timeline": [
            line_body(line, locale=locale, say_due=say_due, name_of=name_of) for line in lines
        ],
        "replies": [
            {"at": local(i.at), "text": i.data["text"], "outcome": i.data["outcome"]}
            for i in lines
            if i.type == "case.replied"
        ],
        "conversation": [said for i in lines if (said := _said(i, name_of))],
        "may": may(case, now),
    }


def _promise(clock: str, one: dict[str, Any], say_due: SayDue, locale: str) -> dict[str, Any]:
    due = local(datetime.fromisoformat(one["due"]))
    made = {
        "clock": clock,
        "due": due,
        "due_text": say_due(one["due"]),
        "first_due": local(datetime.fromisoformat(one["first_due"])),
        "status": one["status"],
    }
    if reason := words.reason_words(one.get("reason"), locale):
        made["reason"] = reason
    return made


_MINE = {
    "feedback.received": "text",
    "feedback.supplemented": "text",
    "feedback.reopen_requested": "reason",
    "feedback.appealed": "reason",
}
_THEIRS = {"case.info_requested": "question", "case.replied": "text", "case.rejected": "reason"}


def _said(line: Line, name_of: NameOf) -> dict[str, Any] | None:
    if field := _MINE.get(line.type):
        return {"at": local(line.at), "who": "me", "text": line.data[field]}
    if field := _THEIRS.get(line.type):
        return {
            "at": local(line.at),
            "who": "library",
            "text": line.data[field],
            "department_name": name_of(line.data.get("department")) or None,
        }
    return None
