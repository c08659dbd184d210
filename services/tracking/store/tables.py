"""The tables. All of them but `GenerationRow` are views of the log and may be dropped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, String, Table, text
from sqlmodel import Field, SQLModel

from shared.contracts.vocabulary import ENDED
from shared.db.tables import document, moment, own_registry
from shared.messaging.tables import messaging_tables


class TrackingTable(SQLModel, registry=own_registry()):
    __abstract__ = True


_NOT_ENDED = f"state NOT IN ({', '.join(repr(str(state)) for state in sorted(ENDED))})"


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
        Index("cases_received", "received_at"),
        Index(
            "cases_resolution_overdue",
            "feedback_id",
            postgresql_where=text("resolution_overdue"),
        ),
        # The cases behind a number of the present, and behind those of first responses.
        Index("cases_open", "received_at", postgresql_where=text(_NOT_ENDED)),
        Index("cases_first_due", "first_due_at", postgresql_where=text("first_due_at IS NOT NULL")),
    )

    feedback_id: str = Field(primary_key=True)
    code_hash: str | None = Field(default=None, index=True)
    seq: int = 0
    """The number of the last event."""
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
    rights: dict[str, Any] = document(default_factory=dict)
    """`Rights` of the reporter as desk sent them last; empty before its first event."""
    stars: int | None = None
    solved: str | None = None
    promises: dict[str, dict[str, Any]] = document(default_factory=dict)
    """Clock → its latest cycle: due, first_due, status, open …"""
    due_at: datetime | None = moment(nullable=True)
    """The next deadline of an open case; none while it stands still or has passed."""
    overdue: bool = False
    """A deadline of it had passed when something happened to it last."""
    resolution_overdue: bool = False
    """Open, and the promise to the reporter was broken, whatever new date it was given since."""
    outcome: str | None = None
    """Of the last reply."""
    extended: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    details: dict[str, Any] = document(
        default_factory=dict, sa_column_kwargs={"server_default": text("'{}'::jsonb")}
    )
    """What only the page says; see `with_details` in the domain."""
    reporter_group: str | None = None
    at_risk: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Open, not late, and warned of a deadline that still runs."""
    first_due_at: datetime | None = moment(nullable=True)
    """When the first response was due, once it was given or late."""
    measured: dict[str, Any] = document(
        default_factory=dict, sa_column_kwargs={"server_default": text("'{}'::jsonb")}
    )
    """What only measures ask; see `with_measured` in the domain."""


WAS_SPLIT = "jsonb_exists(c.details, 'parts') AS split"
"""Of a case `c`: whether it goes on as its parts, which its state alone does not tell."""


class LineRow(TrackingTable, table=True):
    """One line of a reporter's timeline; numbers that are missing are internal events."""

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
        # What is behind a number of hours, and by two filters the percentiles too.
        Index(
            "durations_met",
            "clock",
            "met_at",
            postgresql_include=["working_seconds", "department", "category", "channel"],
        ),
        # One of several filters is mostly among these: what others took is not read.
        *(
            Index(
                f"durations_of_{name}",
                name,
                "met_at",
                postgresql_include=[
                    *("channel", "clock", "priority", "reporter_group", "working_seconds"),
                    other,
                ],
            )
            for name, other in (("category", "department"), ("department", "category"))
        ),
    )

    feedback_id: str = Field(primary_key=True)
    clock: str = Field(primary_key=True)
    cycle: int = Field(primary_key=True)
    department: str = ""
    category: str = ""
    channel: str = "other"
    met_at: datetime = moment()
    in_time: bool
    working_seconds: int
    priority: str = Field(default="", sa_column_kwargs={"server_default": ""})
    reporter_group: str = Field(default="", sa_column_kwargs={"server_default": ""})


class OccurrenceRow(TrackingTable, table=True):
    """Something that happened to a case and counts for ever; see `domain/occurrences.py`.

    Where it was counted then (department, category …) stands with it.
    """

    __tablename__ = "occurrences"
    __table_args__ = (Index("occurrences_kind", "kind", "at"),)

    feedback_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    detail: str = ""
    department: str = ""
    category: str = ""
    channel: str = "other"
    priority: str = ""
    reporter_group: str = ""
    at: datetime = moment()
    seconds: int | None = None


class CounterRow(TrackingTable, table=True):
    """A sum over cases; see `domain/counting.py`."""

    __tablename__ = "counters"
    __table_args__ = (
        # Two filters or more are added up from the cells of all four.
        Index(
            "counters_cells",
            "measure",
            "bucket",
            postgresql_where=text("scope LIKE 'cell:%'"),
        ),
        # Which values there are to choose by; a key for each, and none for each cell.
        Index(
            "counters_values",
            "scope",
            postgresql_where=text(
                "measure = 'state' AND bucket = '1970-01-01 00:00:00+00'"
                " AND scope NOT LIKE 'cell:%'"
            ),
        ),
        # Room on every page, so that a row that is counted up stays where it is.
        {"postgresql_with": {"fillfactor": 60}},
    )

    measure: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    bucket: datetime = moment(primary_key=True)
    department: str = Field(primary_key=True)
    detail: str = Field(primary_key=True)
    n: int = Field(sa_type=BigInteger)


class DurationBandRow(TrackingTable, table=True):
    """How many promises took about so long, met on one day; see `domain/bands.py`."""

    __tablename__ = "duration_bands"

    scope: str = Field(primary_key=True)
    clock: str = Field(primary_key=True)
    bucket: datetime = moment(primary_key=True)
    band: int = Field(primary_key=True)
    n: int = Field(sa_type=BigInteger)
    seconds: int = Field(sa_type=BigInteger)
    """Of all of them together: what stands alone in its band is known exactly."""


class ChangedDayRow(TrackingTable, table=True):
    """A day, and a number that grows whenever a sum of that day changes.

    Whoever kept what was read of days that are over asks this, and not every sum of them. `NOW`
    grows with every transaction: by it a process hears of what others projected.
    """

    __tablename__ = "changed_days"

    day: datetime = moment(primary_key=True)
    times: int = Field(sa_type=BigInteger)


class GenerationRow(TrackingTable, table=True):
    """How often the views were begun anew; names the consumer group that fills them."""

    __tablename__ = "generation"

    one: int = Field(primary_key=True, default=1, sa_column_kwargs={"server_default": "1"})
    number: int
    projection: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """Which way of projecting filled the views; see `generation.PROJECTION`."""


REPORTS_TOLD = Table(
    "reports_told",
    TrackingTable.metadata,
    Column("kind", String, primary_key=True),
    Column("first", Date, primary_key=True),
    Column("told_at", DateTime(timezone=True), nullable=False),
)
"""Which reports were told. No view: it stays when the views are begun anew.

Where a restored database lacks one it is told once more, and mailed to nobody twice."""

messaging_tables(TrackingTable.metadata)
