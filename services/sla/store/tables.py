"""The tables of sla."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from shared.db.tables import document, moment, registry_for
from shared.messaging.tables import messaging_tables

SlaTable = registry_for("sla")
messaging_tables(SlaTable.metadata)


class CaseRow(SlaTable, table=True):
    """What the promises of a case depend on."""

    __tablename__ = "cases"

    feedback_id: str = Field(primary_key=True)
    received_at: datetime = moment()
    policy_version: int
    priority: str
    type: str
    proposal: bool = False
    department: str = ""
    told: bool = False


class ClockRow(SlaTable, table=True):
    """One clock of one case in one cycle; ended ones stay."""

    __tablename__ = "clocks"
    __table_args__ = (
        # The two questions asked all the time: what is due, and what is still open.
        Index("clocks_due", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
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
    paused_at: datetime | None = moment(nullable=True)
    paused: timedelta = timedelta(0)
    extended: timedelta = timedelta(0)
    breached_at: datetime | None = moment(nullable=True)
    met_at: datetime | None = moment(nullable=True)
    cancelled_at: datetime | None = moment(nullable=True)
    next_check_at: datetime | None = moment(nullable=True)
    """The earliest step not marked yet; null when nothing more can happen by itself."""


class PolicyRow(SlaTable, table=True):
    """One version of the promises; cases that started with it keep it."""

    __tablename__ = "policies"

    version: int = Field(primary_key=True)
    body: dict[str, Any] = document()
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
