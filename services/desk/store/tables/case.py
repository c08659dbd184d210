"""A case: one narrow row that changes often, what routing thought of it, and its timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from services.desk.store.tables.base import DeskTable, documents, flag, maybe_document, sealed
from shared.db.tables import document, moment

_ORDER = ("next_due_at", "received_at", "feedback_id")


class CaseRow(DeskTable, table=True):
    """A case as it is now.

    `next_due_at` is the order of every queue (see `domain.promises.rank`); since ended cases rank
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
        Index("cases_owed", *_ORDER, postgresql_where=text("words_owed_since IS NOT NULL")),
        Index("cases_owe_reasons", *_ORDER, postgresql_where=text("reasons_owed <> '[]'::jsonb")),
        # With all that puts the hits of a search in order, and says who is shown them: a row of
        # cases lies on a page of its own, and most hits are not on the page that is shown.
        Index(
            "cases_by_id",
            "feedback_id",
            postgresql_include=["next_due_at", "received_at", "anonymous", "confidential"],
        ),
        Index("cases_by_code", "code_hash", postgresql_using="hash"),
        Index("cases_waiting", "waiting_since", postgresql_where=text("state = 'WAITING_USER'")),
        Index(
            "cases_look_again", "waiting_until", postgresql_where=text("waiting_until IS NOT NULL")
        ),
        Index(
            "cases_untouched",
            "untouched_since",
            postgresql_where=text("untouched_since IS NOT NULL"),
        ),
        Index(
            "cases_parts",
            "parts",
            postgresql_using="gin",
            postgresql_ops={"parts": "jsonb_path_ops"},
            postgresql_where=text("parts <> '[]'::jsonb"),
        ),
        Index(
            "cases_of_incident",
            "incident_id",
            "feedback_id",
            postgresql_where=text("incident_id IS NOT NULL"),
        ),
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
    code_hash: str = ""
    assignee: str | None = None
    assignee_name: str | None = None
    binding: bool = False
    returned_by: list[str] = document(default_factory=list)
    cycle: int = 1
    reopened: int = 0
    replied_at: datetime | None = moment(nullable=True)
    rated: bool = False
    words_owed_since: datetime | None = moment(nullable=True)
    waiting_since: datetime | None = moment(nullable=True)
    waiting_for: str | None = Field(default=None, sa_type=Text)
    waiting_until: datetime | None = moment(nullable=True)
    untouched_since: datetime | None = moment(nullable=True)
    public_since_dispatch: bool = flag()
    needs_review: bool = flag()
    extension: dict[str, Any] | None = maybe_document()
    review: dict[str, Any] | None = maybe_document()
    sent_back: dict[str, Any] | None = maybe_document()
    """A reply that was sent back, until it is submitted again or answered."""
    parts: list[dict[str, Any]] = documents()
    ended_at: datetime | None = moment(nullable=True)
    reopening_refused: bool = flag()
    appeal_dismissed: bool = flag()
    merged_into: str | None = None
    merged: list[str] = documents()
    parent: str | None = None
    children: list[str] = documents()
    links: list[str] = documents()
    incident_id: str | None = None
    supervised_at: datetime | None = moment(nullable=True)
    escalated: list[str] = documents()
    """Roles to which a promise of this case was escalated."""
    reasons_owed: list[str] = documents()
    """Clocks whose promise was broken without a word why."""
    reasons_given: list[str] = documents()
    """Clocks whose breach was explained: what is said of it again takes the place of that."""
    alarm: dict[str, Any] | None = maybe_document()
    """What may be an emergency, as routing said: ``{at, reasons}``."""
    urged: int = 0
    erased: bool = False
    promises: dict[str, Any] = document(default_factory=dict)
    next_due_at: datetime = moment()
    version: int = 1
    timeline_length: int = 0
    timeline_hash: str | None = None
    messages_hash: str | None = None
    """The ends of the two chains of the record, see `domain.chain`."""
    keyed: bool = Field(default=True, sa_column_kwargs={"server_default": text("false")})
    """Whether it began when seals had a key; those of before have not."""
    seal: str | None = sealed()

    @property
    def co_departments(self) -> tuple[str, ...]:
        """Departments that have a part in it besides the first."""
        return tuple(part["department"] for part in self.parts)


class DecisionRow(DeskTable, table=True):
    """What routing thought, newest first thought forgotten."""

    __tablename__ = "decisions"

    feedback_id: str = Field(primary_key=True)
    decided: str
    department: str | None = None
    confidence: float
    reasons: list[dict[str, Any]] = document(default_factory=list)
    candidates: list[dict[str, Any]] = document(default_factory=list)
    seal: str | None = sealed()


class TimelineRow(DeskTable, table=True):
    """A line of the case's timeline, numbered 1, 2, 3 …: our own events as they were emitted,
    those of others as they stood in the log."""

    __tablename__ = "timeline"

    feedback_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    ce_id: str
    type: str
    at: datetime = moment()
    by: dict[str, Any] = document(default_factory=dict)
    data: dict[str, Any] = document(default_factory=dict)
    hash: str | None = None
    """None: from before there was a chain."""
