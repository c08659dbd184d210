"""The tables of desk. A case is one narrow row that changes often; words stand elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, text
from sqlmodel import Field

from shared.db.tables import document, moment, registry_for
from shared.messaging.tables import messaging_tables

DeskTable = registry_for("desk")
messaging_tables(DeskTable.metadata)

_ORDER = ("breaks_at", "received_at", "feedback_id")


class CaseRow(DeskTable, table=True):
    """A case as it is now.

    `breaks_at` is the order of every queue (see `domain.promises.rank`); since ended cases rank
    last, an index that begins with it also answers "open", "overdue" and "due soon".
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("cases_by_due", *_ORDER),
        Index("cases_of_department", "department", *_ORDER),
        Index("cases_in_state", "state", *_ORDER),
        Index("cases_of_department_in_state", "department", "state", *_ORDER),
        Index(
            "cases_of_person", "assignee", *_ORDER, postgresql_where=text("assignee IS NOT NULL")
        ),
        Index(
            "cases_entered", "entered_by", *_ORDER, postgresql_where=text("entered_by IS NOT NULL")
        ),
        Index("cases_waiting", "waiting_since", postgresql_where=text("state = 'WAITING_USER'")),
        # Room on the page, so that what changes no index stays a heap-only update.
        {"postgresql_with": {"fillfactor": 80}},
    )

    feedback_id: str = Field(primary_key=True)
    state: str
    department: str | None = None
    previous_department: str | None = None
    category: str | None = None
    case_type: str | None = None
    priority: str | None = None
    decided: str | None = None
    title: str = Field(sa_type=Text)
    channel: str
    place: str | None = None
    desk: str | None = None
    locale: str = "zh"
    received_at: datetime = moment()
    occurred_at: datetime | None = moment(nullable=True)
    anonymous: bool = False
    confidence_asked: bool = False
    confidential: bool = False
    on_behalf: bool = False
    entered_by: str | None = None
    assignee: str | None = None
    assignee_name: str | None = None
    binding: bool = False
    returned_by: list[str] = document(default_factory=list)
    cycle: int = 1
    reopened: int = 0
    replied_at: datetime | None = moment(nullable=True)
    waiting_since: datetime | None = moment(nullable=True)
    urged: int = 0
    erased: bool = False
    promises: dict[str, Any] = document(default_factory=dict)
    breaks_at: datetime = moment()
    version: int = 1
    story: int = 0


class WordsRow(DeskTable, table=True):
    """The reporter's words, masked, and as the search sees them."""

    __tablename__ = "words"
    __table_args__ = (
        Index(
            "words_search",
            "search",
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
    )

    feedback_id: str = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    search: str = Field(sa_type=Text)


class DecisionRow(DeskTable, table=True):
    """What routing thought, newest first thought forgotten."""

    __tablename__ = "decisions"

    feedback_id: str = Field(primary_key=True)
    decided: str
    department: str | None = None
    confidence: float
    reasons: list[dict[str, Any]] = document(default_factory=list)
    candidates: list[dict[str, Any]] = document(default_factory=list)


class TimelineRow(DeskTable, table=True):
    """A fact of the case as it stood in the log, numbered 1, 2, 3 …."""

    __tablename__ = "timeline"

    feedback_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    ce_id: str
    type: str
    at: datetime = moment()
    by: dict[str, Any] = document(default_factory=dict)
    data: dict[str, Any] = document(default_factory=dict)


class MessageRow(DeskTable, table=True):
    """What was written in a case after its first words, by whomever.

    `kind`: ``note`` (internal), ``reply``, ``question``, ``rejection``; ``supplement``,
    ``rating``, ``reopening``, ``appeal`` are the reporter's, whose unmasked words are found in
    `PrivateRow.words` under `words_id`.
    """

    __tablename__ = "messages"
    __table_args__ = (Index("messages_of_case", "feedback_id", "at"),)

    message_id: str = Field(primary_key=True)
    feedback_id: str
    kind: str
    at: datetime = moment()
    by: str | None = None
    text: str = Field(sa_type=Text)
    outcome: str | None = None
    words_id: str | None = None


class PrivateRow(DeskTable, table=True):
    """Unmasked words and contact; gone when the person is erased."""

    __tablename__ = "private"

    feedback_id: str = Field(primary_key=True)
    title: str = Field(default="", sa_type=Text)
    text: str = Field(default="", sa_type=Text)
    words: dict[str, str] = document(default_factory=dict)
    contact: dict[str, Any] = document(default_factory=dict)
    on_behalf_of: str | None = None


class DepartmentRow(DeskTable, table=True):
    """A department."""

    __tablename__ = "departments"

    code: str = Field(primary_key=True)
    zh: str
    en: str
    active: bool = True


class PersonRow(DeskTable, table=True):
    """An account. `password` is an argon2 hash."""

    __tablename__ = "people"

    username: str = Field(primary_key=True)
    display: str
    role: str
    department: str | None = None
    email: str | None = None
    locale: str = "zh"
    active: bool = True
    demo: bool = False
    password: str = Field(sa_type=String)


__all__ = [
    "CaseRow",
    "DecisionRow",
    "DepartmentRow",
    "DeskTable",
    "MessageRow",
    "PersonRow",
    "PrivateRow",
    "TimelineRow",
    "WordsRow",
]
