"""The tables. All of them but `GenerationRow` are views of the log and may be dropped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from shared.db.tables import document, moment, registry_for
from shared.messaging.tables import messaging_tables
from shared.messaging.transaction import Transaction

TrackingTable = registry_for("tracking")


class CaseRow(TrackingTable, table=True):
    """A case as reporters and managers look at it."""

    __tablename__ = "cases"
    __table_args__ = (
        # "What breaks next" reads a handful of rows from the left end of these.
        Index("cases_due", "due_at", postgresql_where=text("due_at IS NOT NULL AND NOT overdue")),
        Index(
            "cases_department_due",
            "department",
            "due_at",
            postgresql_where=text("due_at IS NOT NULL AND NOT overdue"),
        ),
    )

    feedback_id: str = Field(primary_key=True)
    code_hash: str | None = Field(default=None, index=True)
    seq: int = 0
    """The number of the last fact."""
    state: str = "RECEIVED"
    received_at: datetime = moment()
    channel: str = "other"
    locale: str = "zh"
    place: str | None = None
    title: str = ""
    category: str | None = None
    case_type: str | None = None
    priority: str | None = None
    department: str | None = None
    confidential: bool = False
    dispatches: int = 0
    returns: int = 0
    reopenings: int = 0
    first_dispatched_at: datetime | None = moment(nullable=True)
    replied_at: datetime | None = moment(nullable=True)
    first_replied_at: datetime | None = moment(nullable=True)
    rated_at: datetime | None = moment(nullable=True)
    stars: int | None = None
    solved: str | None = None
    promises: dict[str, dict[str, Any]] = document(default_factory=dict)
    """Clock → its latest cycle: due, first_due, status, open …"""
    due_at: datetime | None = moment(nullable=True)
    """The next deadline of an open case; none while it stands still or has passed."""
    overdue: bool = False
    resolution_overdue: bool = False


class LineRow(TrackingTable, table=True):
    """One line of a reporter's timeline; numbers that are missing are internal facts."""

    __tablename__ = "lines"

    feedback_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    type: str
    at: datetime = moment()
    data: dict[str, Any] = document(default_factory=dict)


class DurationRow(TrackingTable, table=True):
    """How long a promise took, in working time; never changed once it stands here."""

    __tablename__ = "durations"
    __table_args__ = (
        # Percentiles read this alone.
        Index(
            "durations_met",
            "clock",
            "met_at",
            postgresql_include=["working_seconds", "department", "feedback_id"],
        ),
    )

    feedback_id: str = Field(primary_key=True)
    clock: str = Field(primary_key=True)
    cycle: int = Field(primary_key=True)
    department: str = ""
    met_at: datetime = moment()
    in_time: bool
    working_seconds: int


class CounterRow(TrackingTable, table=True):
    """A sum over cases; see `domain/counting.py`."""

    __tablename__ = "counters"
    # Room on every page, so that a row that is counted up stays where it is.
    __table_args__ = ({"postgresql_with": {"fillfactor": 60}},)

    measure: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    bucket: datetime = moment(primary_key=True)
    department: str = Field(primary_key=True)
    detail: str = Field(primary_key=True)
    n: int = Field(sa_type=BigInteger)


class GenerationRow(TrackingTable, table=True):
    """How often the views were begun anew; names the consumer group that fills them."""

    __tablename__ = "generation"

    one: int = Field(primary_key=True, default=1)
    number: int


messaging_tables(TrackingTable.metadata)


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    """Read the rows of these cases; lines and durations are only ever added."""
    await tx.shelf(CaseRow).load(feedback_ids)
