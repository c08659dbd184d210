"""Work on many cases, and what one of the staff has before them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from services.desk.store.tables.base import DeskTable, maybe_document
from shared.db.tables import document, moment


class IncidentRow(DeskTable, table=True):
    """One fault that many report; `title` and `text` are public. Its cases name it."""

    __tablename__ = "incidents"
    __table_args__ = (Index("incidents_opened", "opened_at"),)

    incident_id: str = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    open: bool = True
    opened_at: datetime = moment()
    by: str
    closed_at: datetime | None = moment(nullable=True)
    reason: str | None = Field(default=None, sa_type=Text)
    """Why it was closed."""
    answer: str | None = Field(default=None, sa_type=Text)
    """What all its cases were answered last, since the explanation; public like that."""
    answered_at: datetime | None = moment(nullable=True)


class JobRow(DeskTable, table=True):
    """Something to be done to many cases; `by` is who began it, None the system."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_left", "subject", postgresql_where=text("finished_at IS NULL")),
        Index("jobs_about", "subject", postgresql_where=text("subject IS NOT NULL")),
    )

    job_id: str = Field(primary_key=True)
    kind: str
    by: dict[str, Any] | None = maybe_document()
    body: dict[str, Any] = document(default_factory=dict)
    subject: str | None = None
    """The incident it is about, the job that it undoes, or the form that it was begun by."""
    created_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)


class JobItemRow(DeskTable, table=True):
    """One case of a job; `detail` says in both languages why it was refused.

    `undo` is what takes it back: ``{action, body}``, which holds while the case has not moved on.
    """

    __tablename__ = "job_items"
    __table_args__ = (
        Index("job_items_left", "job_id", "position", postgresql_where=text("done_at IS NULL")),
    )

    job_id: str = Field(primary_key=True)
    feedback_id: str = Field(primary_key=True)
    position: int
    done_at: datetime | None = moment(nullable=True)
    detail: dict[str, Any] | None = maybe_document()
    undo: dict[str, Any] | None = maybe_document()


class ReadingRow(DeskTable, table=True):
    """Somebody was shown who the reporter is: the event `CasePersonalDataRead`, by its id."""

    __tablename__ = "readings"
    __table_args__ = (Index("readings_of_case", "feedback_id", "username", "at"),)

    ce_id: str = Field(primary_key=True)
    feedback_id: str
    username: str
    display: str | None = None
    role: str | None = None
    what: str
    """Its `what`, joined by commas."""
    at: datetime = moment()


class DraftRow(DeskTable, table=True):
    """A reply that one person is writing: seen by nobody else, gone when the person is erased."""

    __tablename__ = "drafts"

    feedback_id: str = Field(primary_key=True)
    username: str = Field(primary_key=True)
    text: str = Field(sa_type=Text)
    outcome: str | None = None
    rule: str | None = None
    saved_at: datetime = moment()


class MentionRow(DeskTable, table=True):
    """Somebody was named in a note of a case, and has not looked at it since."""

    __tablename__ = "mentions"
    __table_args__ = (Index("mentions_of_person", "username"),)

    feedback_id: str = Field(primary_key=True)
    username: str = Field(primary_key=True)
    at: datetime = moment()


class ViewerRow(DeskTable, table=True):
    """Somebody has a case before them; see `store.viewers`."""

    __tablename__ = "viewers"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    feedback_id: str = Field(primary_key=True)
    username: str = Field(primary_key=True)
    writing: bool
    seen_at: datetime = moment()


class FilterRow(DeskTable, table=True):
    """A list that one person comes back to: the address of it, under a name of theirs."""

    __tablename__ = "filters"
    __table_args__ = (Index("filters_of_person", "username", "name"),)

    filter_id: str = Field(primary_key=True)
    username: str
    name: str
    query: str = Field(sa_type=Text)
    created_at: datetime = moment()
