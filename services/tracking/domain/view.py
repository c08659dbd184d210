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
URGE_EVERY = timedelta(hours=1)
WISHES = frozenset({"feedback.reopen_requested", "feedback.withdrawn"})
ANSWERED = frozenset(
    {"case.reopened", "case.withdrawn", "case.request_refused", "case.closed", "case.replied"}
)
"""What desk says to a wish, or what overtakes it."""


@dataclass(frozen=True)
class Line:
    """One line of the timeline as it is stored."""

    seq: int
    at: datetime
    type: str
    data: dict[str, Any]


def may(case: Any, lines: Iterable[Line], now: datetime) -> list[str]:
    """What the reporter can do now. The doors of intake and desk decide; this foretells it."""
    state = State(case.state)
    asked, urged_at = _wishes(lines)
    if (state in ENDED and state is not State.CLOSED) or asked == "feedback.withdrawn":
        return []
    unrated = case.rated_at is None or (case.replied_at and case.rated_at < case.replied_at)
    answered = case.replied_at is not None and state in (State.REPLIED, State.CLOSED)
    possible = {
        "supplement": state is not State.CLOSED or asked is not None,
        "urge": state in OPEN and (urged_at is None or now - urged_at >= URGE_EVERY),
        "rate": answered and unrated and asked is None,
        "reopen": answered
        and asked is None
        and now <= case.replied_at + REOPEN_WITHIN
        and case.reopenings < REOPEN_MOST,
        "withdraw": state is not State.CLOSED,
    }
    return [action for action, now_possible in possible.items() if now_possible]


def _wishes(lines: Iterable[Line]) -> tuple[str | None, datetime | None]:
    """The wish nobody has answered yet, and when the reporter last urged."""
    asked: str | None = None
    urged_at: datetime | None = None
    for line in lines:
        if line.type in WISHES:
            asked = line.type
        elif line.type in ANSWERED:
            asked = None
        elif line.type == "feedback.urged":
            urged_at = line.at
    return asked, urged_at


def _as_promised(lines: Iterable[Line]) -> list[Line]:
    """Without a date that was replaced before it was ever told: it was no promise yet."""
    kept: list[Line] = []
    for line in lines:
        if line.data.get("instead"):
            clock = line.data["clock"]
            kept = [i for i in kept if not _dates(i, clock)]
        kept.append(line)
    return kept


def _dates(line: Line, clock: str) -> bool:
    return (
        line.type == "sla.promised"
        and line.data.get("clock") == clock
        and not line.data.get("moved")
    )


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
    lines = _as_promised(lines)
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
        "may": may(case, lines, now),
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
