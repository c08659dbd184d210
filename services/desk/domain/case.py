"""One case as a value, what comes with an action, and what an action makes of the case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.contracts import Actor, Event
from shared.contracts.vocabulary import (
    CONFIDENTIAL_CATEGORY,
    OPEN,
    BreachCode,
    CaseType,
    Clock,
    FollowUpHow,
    Outcome,
    Priority,
    Solved,
    State,
)
from shared.greetings import says_nothing

TITLE = 80
"""Characters of the reporter's own words that stand for a title nobody gave."""


class Asked(StrEnum):
    """What became of a wish for more time."""

    PENDING = "pending"
    GRANTED = "granted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """More time: asked for, and what the head of the department said."""

    until: datetime
    reason: str
    by: str
    """The account that asked."""
    asked_at: datetime
    state: Asked = Asked.PENDING
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A reply that waits to be read before it goes out; `text` is masked."""

    by: str
    """The account that wrote it."""
    at: datetime
    text: str
    outcome: Outcome
    words_id: str | None = None
    rule: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBack:
    """A reply, `text` (masked), that its reader wanted otherwise: what is written instead goes out
    with a head's consent (`may_let_out`)."""

    by: str
    """The account that sent it back."""
    at: datetime
    drafted_by: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a second department (协办) has to do with a case, and what it said; both masked."""

    department: str
    question: str
    text: str | None = None
    """Its answer to the first department; None while it works on it, or if that was over first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """It may be an emergency, and what people made of that."""

    at: datetime
    found_by: str
    """``rule`` or ``meaning``."""
    sure: float
    kind: str | None = None
    reasons: tuple[dict[str, Any], ...] = ()
    """``{text, text_en, weight}`` each; none of the reporter's words."""
    answered_at: datetime | None = None
    """When somebody of the staff first did something about the case."""
    emergency: bool | None = None
    """What a person said it was; None: nobody has."""
    told_again: int = 0
    """How often it was repeated, since nobody did anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One fault that many report: `title` and `text` are what the public reads about it, `answer`
    what everybody was answered who had reported it by then."""

    incident_id: str
    title: str
    text: str
    answer: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPart:
    """One of several matters in a comment, which becomes a case of its own; words are masked."""

    feedback_id: str
    text: str
    title: str = ""
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What decisions about a case depend on."""

    feedback_id: str
    state: State = State.RECEIVED
    title: str = ""
    department: str | None = None
    previous_department: str | None = None
    category: str | None = None
    case_type: CaseType | None = None
    priority: Priority | None = None
    decided: str | None = None
    confidential: bool = False
    """The reporter asked for it, or the category demands it."""
    confidence_asked: bool = False
    anonymous: bool = False
    entered_by: str | None = None
    assignee: str | None = None
    assignee_name: str | None = None
    untouched_since: datetime | None = None
    """Assigned then, and the assignee has done nothing with it since."""
    binding: bool = False
    returned_by: tuple[str, ...] = ()
    public_since_dispatch: bool = False
    """The department has said something to the reporter."""
    needs_review: bool = False
    """A reply is read by somebody else before it goes out."""
    cycle: int = 1
    reopened: int = 0
    replied_at: datetime | None = None
    rated: bool = False
    """The last reply was rated."""
    words_owed_since: datetime | None = None
    """The reporter said something after the reply, and nobody has answered it yet."""
    waiting_since: datetime | None = None
    waiting_for: str | None = None
    """Which unit outside has to act first."""
    waiting_until: datetime | None = None
    extension: Extension | None = None
    review: Review | None = None
    sent_back: SentBack | None = None
    """Until it is submitted again, or answered."""
    parts: tuple[Part, ...] = ()
    ended_at: datetime | None = None
    """When it was rejected, marked as spam or merged."""
    reopening_refused: bool = False
    appeal_dismissed: bool = False
    """A leader has looked at the last answer and let it stand."""
    merged_into: str | None = None
    merged: tuple[str, ...] = ()
    """Cases that were joined to this one."""
    parent: str | None = None
    children: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    incident_id: str | None = None
    supervised_at: datetime | None = None
    alarm: Alarm | None = None
    resolution_due: datetime | None = None
    """As sla promised it; None before it did, or when it runs no more."""
    breached: frozenset[Clock] = frozenset()
    """Promises that were broken and not replaced by another cycle."""
    reasons_owed: tuple[str, ...] = ()
    """Clocks whose promise to the reporter was broken, and nobody has said why."""
    reasons_given: tuple[str, ...] = ()
    """Clocks of which somebody has said why they were broken last."""
    version: int = 0
    """Goes up whenever the matter changes under the eyes of somebody who looks at it."""

    @property
    def was_rejected(self) -> bool:
        """It is closed because a leader let its rejection stand: nothing was answered."""
        return self.state is State.CLOSED and self.ended_at is not None

    @property
    def open_parts(self) -> tuple[str, ...]:
        """Second departments that still work on it: an answer, or the end of a case, ends that."""
        return tuple(p.department for p in self.parts if p.text is None) if self.is_active else ()

    @property
    def is_active(self) -> bool:
        """Somebody has to do something for the reporter."""
        return self.state in OPEN and self.state not in (State.RECEIVED, State.APPEALED)

    @property
    def co_departments(self) -> tuple[str, ...]:
        """Second departments, also those that have finished."""
        return tuple(part.department for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInput:
    """What came with an action. All its words go into the log: they are masked already."""

    department: str | None = None
    category: str | None = None
    case_type: CaseType | None = None
    priority: Priority | None = None
    title: str | None = None
    confidential: bool | None = None
    decided: str = "person"
    reason: str = ""
    instead: str | None = None
    suggest: str | None = None
    to: str = ""
    to_display: str | None = None
    text: str = ""
    outcome: Outcome | None = None
    rule: str | None = None
    words_id: str | None = None
    """Where the unmasked words are, if masking changed them."""
    mentions: tuple[str, ...] = ()
    """Accounts that a note names."""
    rang: bool = False
    """Of a note: whoever wrote it rang the reporter."""
    waiting_for: str = ""
    until: datetime | None = None
    clock: Clock | None = None
    code: BreachCode = BreachCode.OTHER
    solved: Solved = Solved.YES
    stars: int | None = None
    how: FollowUpHow = FollowUpHow.PHONE
    again: bool = False
    """Asked before about the same answer: this one counts."""
    into: str = ""
    """The case to join it to."""
    other: str = ""
    """The case to link it to."""
    incident: Incident | None = None
    parts: tuple[SplitPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """The case as it is now, and the events to emit about it."""

    case: Case
    events: tuple[Event, ...] = ()


def alarm_answered(case: Case, by: Actor, at: datetime) -> Alarm | None:
    """The alarm once `by` did something about the case: whoever acts has seen it."""
    if case.alarm is None or case.alarm.answered_at is not None or by.kind != "staff":
        return case.alarm
    return replace(case.alarm, answered_at=at)


def is_confidential(case: Case, category: str | None) -> bool:
    """Asked for by the reporter, or demanded by the category."""
    return case.confidence_asked or category == CONFIDENTIAL_CATEGORY


def first_words(text: str) -> str:
    """What stands for a title nobody gave: the first line that says something, shortened."""
    lines = [part.strip() for part in text.splitlines() if part.strip()] or [""]
    line = next((one for one in lines if not says_nothing(one)), lines[0])
    return line if len(line) <= TITLE else line[: TITLE - 1] + "…"
