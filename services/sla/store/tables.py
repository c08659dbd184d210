"""The tables of sla."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shared.db.tables import document, moment, own_registry
from shared.messaging.tables import messaging_tables


class SlaTable(SQLModel, registry=own_registry()):
    __abstract__ = True


messaging_tables(SlaTable.metadata)


def _words() -> Any:
    """Text that code of before its column leaves empty."""
    return Field(default="", sa_column_kwargs={"server_default": text("''")})


class CaseRow(SlaTable, table=True):
    """What the promises of a case depend on."""

    __tablename__ = "cases"

    feedback_id: str = Field(primary_key=True)
    received_at: datetime = moment()
    policy_version: int
    priority: str
    type: str
    proposal: bool = False
    category: str = _words()
    channel: str = _words()
    reporter_group: str = _words()
    department: str = ""
    announced: bool = False
    segments: list[dict[str, Any]] = document(
        default_factory=list, sa_column_kwargs={"server_default": text("'[]'::jsonb")}
    )
    """Whose hands it was in, and since when: ``[{department, started_at, …}]``."""


class ClockRow(SlaTable, table=True):
    """One clock of one case in one cycle; ended ones stay."""

    __tablename__ = "clocks"
    __table_args__ = (
        # The two questions asked all the time: what is due, and what is still open.
        Index(
            "clocks_due",
            "partition",
            "next_check_at",
            postgresql_where=text("next_check_at IS NOT NULL"),
        ),
        Index(
            "clocks_open",
            "feedback_id",
            postgresql_where=text("met_at IS NULL AND cancelled_at IS NULL"),
        ),
    )

    feedback_id: str = Field(primary_key=True)
    clock: str = Field(primary_key=True)
    cycle: int = Field(primary_key=True)
    calendar: str
    department: str
    started_at: datetime = moment()
    budget: timedelta
    due: datetime = moment()
    first_due: datetime = moment()
    steps: list[dict[str, Any]] = document()
    """``[{level, at, to}]``: when each level is reached."""
    marked: list[int] = document()
    reopened: bool = False
    progress: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    paused_at: datetime | None = moment(nullable=True)
    paused: timedelta = timedelta(0)
    pauses: list[Any] = document(
        default_factory=list, sa_column_kwargs={"server_default": text("'[]'::jsonb")}
    )
    """``[[from, to, working seconds], …]``; what `paused` has besides, nobody noted."""
    named_due: datetime | None = moment(nullable=True)
    """The deadline, where somebody named a date (an extension)."""
    extended: timedelta = timedelta(0)
    breached_at: datetime | None = moment(nullable=True)
    met_at: datetime | None = moment(nullable=True)
    cancelled_at: datetime | None = moment(nullable=True)
    reason: str = ""
    next_check_at: datetime | None = moment(nullable=True)
    """The earliest step not marked yet; null when nothing more can happen by itself."""
    partition: int
    """Of the log, where the case's events stand: whoever reads them looks at its clocks."""


class PolicyRow(SlaTable, table=True):
    """One version of the promises; cases that started with it keep it."""

    __tablename__ = "policies"

    version: int = Field(primary_key=True)
    body: dict[str, Any] = document()
    quiet: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    """Beside the body, which code that does not know of them reads too; None: as shipped."""
    at: datetime = moment()
    by: str | None = None


class CalendarRow(SlaTable, table=True):
    """One version of the calendar; the newest counts for all."""

    __tablename__ = "calendars"

    version: int = Field(primary_key=True)
    body: dict[str, Any] = document()
    at: datetime = moment()
    by: str | None = None
    reason: str = "calendar"
    recounted: bool = True
    """False while open deadlines still have to be counted by this version."""


class TrialRow(SlaTable, table=True):
    """Other rules tried on what there is, before they are published; kept for a month."""

    __tablename__ = "trials"

    trial_id: str = Field(primary_key=True)
    kind: str
    """``calendar`` or ``policy``."""
    base: int
    """The version it would follow; published only while that is the newest."""
    body: dict[str, Any] = document()
    about: dict[str, Any] = document()
    """What was done, as it was filled in."""
    at: datetime = moment()
    by: str
    after: str = ""
    """The case that was looked at last; they are looked at in the order of their ids."""
    done: int = 0
    total: int | None = None
    counts: dict[str, int] = document()
    found: list[dict[str, Any]] = document()
    finished_at: datetime | None = moment(nullable=True)
    published: int | None = None
    """The version it became."""
