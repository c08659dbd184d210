"""What is in a queue, as looks at the table: each is one range of one index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.desk.domain import Scope
from services.desk.domain.case import Asked
from services.desk.domain.promises import NOT_OPEN, ON_TOP
from services.desk.store.late import first_due, overdue
from services.desk.store.scopes import has_part
from services.desk.store.tables import CaseRow, MentionRow
from shared.contracts.vocabulary import ENDED, State
from shared.db import table_of

QUEUES = (
    "alarm",
    "triage",
    "mine",
    "mentioned",
    "department",
    "to_accept",
    "due_soon",
    "overdue",
    "owed",
    "reasons",
    "waiting",
    "review",
    "escalated",
    "extensions",
    "appeals",
    "open",
    "today",
    "all",
)
OWN = "own"
"""The department of a scope that is the one of who asks."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is asked for; `accounts` are that of the person asking, and those of whom they
    stand in for."""

    scopes: tuple[Scope, ...]
    accounts: tuple[str, ...]
    own_department: str | None
    now: datetime
    queue: str = "all"
    state: State | None = None
    department: str | None = None
    category: str | None = None
    channel: str | None = None
    q: str = ""
    cursor: str | None = None
    limit: int = 50


_cases = table_of(CaseRow)
_mentions = table_of(MentionRow)
_UNEXPLAINED = sorted(str(state) for state in ENDED - {State.CLOSED})
_due = _cases.c.next_due_at
_owed = _cases.c.words_owed_since.is_not(None)
_is_open = _due < NOT_OPEN


def in_queue(queue: str, shape: Wanted) -> ColumnElement[bool]:
    """Whether a case is in the queue."""
    return or_(false(), *looks_of(queue, shape))


def looks_of(queue: str, shape: Wanted) -> list[ColumnElement[bool]]:
    """No case is in two of them: together they are the queue, and their numbers add up."""
    now: ColumnElement[Any] = bindparam("now")
    state = _cases.c.state
    match queue:
        case "triage":
            # Words after an answer of the office itself: no department has them.
            ours = and_(_owed, _cases.c.department.is_(None))
            return [state == str(State.TRIAGE), and_(ours, state != str(State.TRIAGE))]
        case "owed":
            return [_owed]
        case "reasons":
            # What ended otherwise than by an answer is not explained any more.
            owes = _cases.c.reasons_owed != literal_column("'[]'::jsonb")
            dispatched = _cases.c.department.is_not(None)
            return [and_(owes, dispatched, *(state != one for one in _UNEXPLAINED))]
        case "mine":
            mine = _is_mine(_cases.c.assignee, shape)
            if any(scope.entered_by is not None for scope in shape.scopes):
                mine = or_(_is_mine(_cases.c.entered_by, shape), mine)
            return [and_(mine, _is_open)]
        case "mentioned":
            me = _is_mine(_mentions.c.username, shape)
            return [_cases.c.feedback_id.in_(select(_mentions.c.feedback_id).where(me))]
        case "department" if shape.own_department is None:
            return []
        case "department":
            # A department leads a case or has a part in it, never both.
            leads = _cases.c.department == bindparam("own_department")
            return [and_(leads, _is_open), and_(has_part("own_part"), _is_open)]
        case "to_accept":
            return [state == str(State.DISPATCHED)]
        case "due_soon":
            return _due_until(bindparam("soon"))
        case "overdue":
            return [overdue(now)]
        case "open":
            return [_is_open]
        case "today":
            return _due_until(bindparam("tonight"))
        case "waiting":
            return [state == str(State.WAITING_USER), state == str(State.WAITING_EXTERNAL)]
        case "appeals":
            return [state == str(State.APPEALED)]
        case "alarm":
            # Bounded as in its index: what was answered ranks by its promises again.
            return [_due < ON_TOP]
        case "escalated":
            return [and_(_cases.c.escalated != literal_column("'[]'::jsonb"), _is_open)]
        case "extensions":
            asked = _cases.c.extension["state"].astext == str(Asked.PENDING)
            return [and_(asked, _is_open)]
        case "review":
            return [state == str(State.IN_REVIEW)]
        case _:
            return [true()]


def _due_until(until: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """What breaks from now until then. An alarm ranks before all, whatever was promised."""
    now: ColumnElement[Any] = bindparam("now")
    first = first_due()
    return [and_(_due > now, _due <= until), and_(_due < ON_TOP, first > now, first <= until)]


def _is_mine(column: Any, shape: Wanted) -> ColumnElement[bool]:
    """Mine, or of somebody for whom I stand in. Of one account an index gives the order, too."""
    if not shape.accounts:
        return column == bindparam("username")  # type: ignore[no-any-return]
    return column == func.any(bindparam("accounts", type_=ARRAY(String)))  # type: ignore[no-any-return]
