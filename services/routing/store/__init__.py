"""Remembers: the rules in versions, what was decided about each case, and what people taught."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import REAL, Column, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from services.routing.domain import (
    Decision,
    RuleSet,
    Submission,
    parse_rules,
    with_version,
)
from shared.db.tables import document, moment, own_registry
from shared.messaging.tables import messaging_tables
from shared.messaging.transaction import Transaction


class RoutingTable(SQLModel, registry=own_registry()):
    __abstract__ = True


messaging_tables(RoutingTable.metadata)


class RuleBookRow(RoutingTable, table=True):
    """One version of the rules, as it was typed."""

    __tablename__ = "rule_books"

    version: int = Field(primary_key=True)
    body: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = moment()
    by: str | None = None
    """Who edited it; nobody did where it is the shipped one."""
    shipped: int | None = None
    """The version of the shipped rules, where it is one."""


class CaseRow(RoutingTable, table=True):
    """What was said (masked, as on the log), to decide again and to learn from. Whether it is
    confidential is all that changes."""

    __tablename__ = "cases"

    feedback_id: str = Field(primary_key=True)
    title: str = ""
    text: str = Field(sa_column=Column(Text, nullable=False))
    place: str = ""
    category: str | None = None
    channel: str
    confidential: bool = False


class ForgottenRow(RoutingTable, table=True):
    """A case whose reporter is erased: its words are gone, and are not kept if they come late."""

    __tablename__ = "forgotten"

    feedback_id: str = Field(primary_key=True)
    at: datetime = moment()


class DecisionRow(RoutingTable, table=True):
    """What the rules decided when the case was received, and who sent it back since."""

    __tablename__ = "decisions"
    __table_args__ = (Index("decisions_at", "at"),)

    feedback_id: str = Field(primary_key=True)
    at: datetime = moment()
    rules_version: int
    confident: bool
    emergency: bool
    department: str | None
    category: str | None
    case_type: str
    priority: str
    confidence: float
    reasons: list[dict[str, Any]] = document()
    candidates: list[dict[str, Any]] = document()
    returned_by: list[str] = document()
    model_version: int | None = None
    """Of what was learned; None where the rules alone decided."""
    alarm: dict[str, Any] | None = Field(default=None, sa_type=JSONB, nullable=True)
    """``{found_by, kind, sure}`` once it was said that it may be an emergency."""


class ExampleRow(RoutingTable, table=True):
    """A case that a person dispatched: what to learn from."""

    __tablename__ = "examples"
    __table_args__ = (
        # What people decided otherwise than the rules guessed is where the rules want care.
        Index("examples_corrected", "at", postgresql_where=text("corrected AND NOT returned")),
    )

    feedback_id: str = Field(primary_key=True)
    at: datetime = moment()
    role: str | None = None
    department: str
    category: str | None
    case_type: str
    priority: str
    guessed: str | None
    corrected: bool
    returned: bool = False
    """That department sent it back: an example of what is *not* theirs."""


class JudgementRow(RoutingTable, table=True):
    """What a person said of what may have been an emergency; see `store.alarms`."""

    __tablename__ = "judgements"

    feedback_id: str = Field(primary_key=True)
    at: datetime = moment()
    emergency: bool


class VectorRow(RoutingTable, table=True):
    """What the masked beginning of a case means, by one model; see `store.vectors`."""

    __tablename__ = "vectors"
    __table_args__ = (Index("vectors_model", "model"),)

    feedback_id: str = Field(primary_key=True)
    model: str
    at: datetime = moment()
    vector: list[float] = Field(sa_column=Column(ARRAY(REAL), nullable=False))


class LabelRow(RoutingTable, table=True):
    """Where a case belonged in the end, as far as people have said so; no words."""

    __tablename__ = "labels"
    __table_args__ = (Index("labels_at", "at", "feedback_id"),)

    feedback_id: str = Field(primary_key=True)
    at: datetime = moment()
    """When somebody said so last."""
    department: str
    """Or ``not_ours``."""
    category: str | None = None
    case_type: str | None = None
    priority: str | None = None
    how: str
    """``dispatched`` by a person, ``corrected``, ``answered`` by that department, ``refused``."""
    outcome: str | None = None


class LessonRow(RoutingTable, table=True):
    """A letter of a library's history that was imported: what it meant and where it went, without
    a word of it."""

    __tablename__ = "lessons"

    batch: str = Field(primary_key=True)
    """Of one file; the same file again takes the place of what it said before."""
    number: int = Field(primary_key=True)
    at: datetime | None = moment(nullable=True)
    department: str
    category: str | None = None
    embedder: str
    vector: list[float] = Field(sa_column=Column(ARRAY(REAL), nullable=False))
    grams: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    """Hashed runs of characters."""


class VersionRow(RoutingTable, table=True):
    """A version of the learned model, in use or not; 0, which comes with the code, is no row."""

    __tablename__ = "versions"

    version: int = Field(primary_key=True)
    at: datetime = moment()
    by: str | None = None
    """Who asked for it; nobody did where it was learned by night."""
    source: str
    """``cases`` or the name of a file."""
    embedder: str
    letters: int
    until: datetime | None = moment(nullable=True)
    """When the last label was given that it has learned from."""
    measured: dict[str, Any] = document()
    """``{new, running, compared_with, no_worse, seconds}``."""
    body: str = Field(sa_column=Column(Text, nullable=False))


class ChoiceRow(RoutingTable, table=True):
    """Which version was taken into use, when and by whom; the last one counts."""

    __tablename__ = "version_choices"

    number: int = Field(primary_key=True)
    at: datetime = moment()
    version: int
    by: str | None = None


LOADED = (DecisionRow, ExampleRow, ForgottenRow, LabelRow)
"""What is read of a case whenever one is locked; its words only when they are needed."""


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    """Read what is known of these cases."""
    await tx.load(feedback_ids, *LOADED)


def decision_of(tx: Transaction, feedback_id: str) -> DecisionRow | None:
    return tx.rows(DecisionRow).get(feedback_id)


def example_of(tx: Transaction, feedback_id: str) -> ExampleRow | None:
    return tx.rows(ExampleRow).get(feedback_id)


def label_of(tx: Transaction, feedback_id: str) -> LabelRow | None:
    return tx.rows(LabelRow).get(feedback_id)


async def submission_of(tx: Transaction, feedback_id: str) -> Submission | None:
    """What was said, as the rules look at it; None where it is unknown or forgotten."""
    rows = tx.rows(CaseRow)
    await rows.load([feedback_id])
    row = rows.get(feedback_id)
    return None if row is None else Submission(**row.model_dump(exclude={"feedback_id"}))


_FORGET_MEANING = "DELETE FROM vectors WHERE feedback_id = $1"


def keep_submission(
    tx: Transaction, feedback_id: str, said: Submission, *, confidential: bool
) -> None:
    """Keep what was said, unless its reporter is forgotten already; what is `confidential` gets
    no vector, whether the reporter asked for it or it is about somebody's conduct."""
    if tx.rows(ForgottenRow).get(feedback_id) is None:
        rows = tx.rows(CaseRow)
        values = said.model_dump() | {"confidential": confidential}
        rows.upsert(rows.new(feedback_id=feedback_id, **values))


async def keep_confidence(tx: Transaction, feedback_id: str, *, confidential: bool) -> None:
    """Whether a case is confidential now: then its vector goes; lifted, it is embedded anew.

    The row goes first: whoever is about to write the vector holds it, or finds it confidential.
    """
    rows = tx.rows(CaseRow)
    await rows.load([feedback_id])
    row = rows.get(feedback_id)
    if row is None or row.confidential == confidential:
        return
    row.confidential = confidential
    rows.upsert(row)
    if confidential:
        await tx.flush()
        await tx.fetch(_FORGET_MEANING, feedback_id)


_FORGET = "DELETE FROM cases WHERE feedback_id = $1"


async def forget(tx: Transaction, feedback_id: str) -> None:
    """Remove the words of a case and what they mean, also what this transaction holds of them.

    The words go first: whoever is about to write their vector holds them, or finds none.
    """
    await tx.flush()
    await tx.fetch(_FORGET, feedback_id)
    await tx.fetch(_FORGET_MEANING, feedback_id)
    tx.rows(ForgottenRow).upsert(ForgottenRow(feedback_id=feedback_id, at=tx.now))


async def forget_meaning(tx: Transaction, feedback_id: str) -> None:
    """It means something else now; it is embedded anew."""
    await tx.fetch(_FORGET_MEANING, feedback_id)


def keep_decision(tx: Transaction, feedback_id: str, decision: Decision, *, version: int) -> None:
    """Keep it in the place of an earlier one; that an alarm was raised stays."""
    rows = tx.rows(DecisionRow)
    known = rows.get(feedback_id)
    rows.upsert(
        rows.new(
            feedback_id=feedback_id,
            at=tx.now,
            rules_version=version,
            confident=decision.confident,
            emergency=decision.emergency,
            department=decision.guess,
            category=decision.category,
            case_type=decision.type.value,
            priority=decision.priority.value,
            confidence=decision.confidence,
            reasons=[r.model_dump(exclude_none=True) for r in decision.reasons],
            candidates=[c.model_dump(exclude_none=True) for c in decision.candidates],
            returned_by=[],
            model_version=decision.model_version,
            alarm=known.alarm if known is not None else None,
        )
    )


# -- rules -------------------------------------------------------------------------------

_NEWEST = 'SELECT version, body, at, "by", shipped FROM rule_books ORDER BY version DESC LIMIT 1'
_VERSION = "SELECT max(version) FROM rule_books"
_EARLIER = """
SELECT version, at, "by" FROM rule_books WHERE version < (SELECT max(version) FROM rule_books)
ORDER BY version DESC LIMIT $1
"""
# After a restore these may be versions whose rules nobody has any more.
_DECIDED = "SELECT coalesce(max(rules_version), 0) FROM decisions"
_TEXT = "SELECT body FROM rule_books WHERE version = $1"
_INSERT = """
INSERT INTO rule_books (version, body, at, "by", shipped) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING version
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """The rules in force: as people typed them, and ready for use."""

    version: int
    text: str
    ruleset: RuleSet
    at: datetime | None = None
    by: str | None = None


@lru_cache(maxsize=1)
def compiled(body: str, *, checked: bool) -> RuleSet:
    """The rules compiled, of one text at a time: shipped ones are some megabytes."""
    return RuleSet(parse_rules(body) if checked else parse_rules(body, departments=None))


async def stored_version(connection: AsyncConnection) -> int | None:
    version: int | None = (await connection.exec_driver_sql(_VERSION)).scalar()
    return version


async def decided_version(connection: AsyncConnection) -> int:
    """The highest version that decided anything: its number is taken, whatever is stored."""
    version: int = (await connection.exec_driver_sql(_DECIDED)).scalar_one()
    return version


async def stored_rules(connection: AsyncConnection) -> Stored | None:
    """The newest rules; raises `RulesInvalid` where this code cannot use them."""
    row = (await connection.exec_driver_sql(_NEWEST)).first()
    if row is None:
        return None
    return Stored(row.version, row.body, compiled(row.body, checked=False), row.at, row.by)


async def earlier_rules(connection: AsyncConnection, limit: int) -> list[dict[str, Any]]:
    """The versions before the newest, `version`, `at` and `by`, the last one first."""
    rows = (await connection.exec_driver_sql(_EARLIER, (limit,))).mappings()
    return [dict(row) for row in rows]


async def rules_text(connection: AsyncConnection, version: int) -> str | None:
    """The rules of this version as they were typed."""
    text: str | None = (await connection.exec_driver_sql(_TEXT, (version,))).scalar()
    return text


async def store_rules(
    connection: AsyncConnection, body: str, *, version: int, at: datetime, by: str
) -> bool:
    """Keep checked rules as `version`; False when somebody was faster."""
    values = (version, with_version(body, version), at, by, None)
    return (await connection.exec_driver_sql(_INSERT, values)).first() is not None


async def seed(connection: AsyncConnection, now: datetime, body: str, *, version: int) -> bool:
    """Store the shipped rules where there are none, or an older shipped version nobody edited."""
    row = (await connection.exec_driver_sql(_NEWEST)).first()
    if row is not None and (row.shipped is None or row.shipped >= version):
        return False
    decided = await decided_version(connection)
    stored_as = version if row is None else max(version, row.version + 1, decided + 1)
    values = (stored_as, with_version(body, stored_as), now, None, version)
    return (await connection.exec_driver_sql(_INSERT, values)).first() is not None


# -- looking back ------------------------------------------------------------------------

_RESULTS = """
SELECT count(*) FILTER (WHERE confident) AS routed,
       count(*) FILTER (WHERE NOT confident) AS triage,
       count(*) FILTER (WHERE confident AND returned_by <> '[]') AS returned
FROM decisions WHERE at >= $1
"""
_CORRECTED = """
SELECT e.feedback_id, e.at, e.department, e.guessed, c.text, c.place
FROM examples e JOIN cases c USING (feedback_id)
WHERE e.corrected AND NOT e.returned AND NOT c.confidential AND e.category IS DISTINCT FROM $2
ORDER BY e.at DESC LIMIT $1
"""
CONDUCT = "conduct"
_ONE = "SELECT * FROM {table} WHERE feedback_id = $1"
_IN_CONFIDENCE = f"""
SELECT EXISTS (SELECT FROM cases WHERE feedback_id = $1 AND confidential)
OR EXISTS (SELECT FROM decisions WHERE feedback_id = $1 AND category = '{CONDUCT}')
"""


async def results(connection: AsyncConnection, since: datetime) -> dict[str, int]:
    """How many comments the rules routed, left to a person, and got back."""
    row = (await connection.exec_driver_sql(_RESULTS, (since,))).one()
    return dict(row._mapping)


async def corrected(connection: AsyncConnection, limit: int) -> list[dict[str, Any]]:
    """The newest cases that people sent elsewhere than the rules guessed, none confidential."""
    rows: Iterable[Any] = await connection.exec_driver_sql(_CORRECTED, (limit, CONDUCT))
    return [dict(row._mapping) for row in rows]


async def case_history(
    connection: AsyncConnection, feedback_id: str
) -> tuple[dict[str, Any], dict[str, Any] | None] | None:
    """The decision about a case and what a person made of it; None for an unknown case."""
    found = []
    for table in ("decisions", "examples"):
        row = (await connection.exec_driver_sql(_ONE.format(table=table), (feedback_id,))).first()
        found.append(None if row is None else dict(row._mapping))
    decision, example = found
    return None if decision is None else (decision, example)


async def in_confidence(connection: AsyncConnection, feedback_id: str) -> bool:
    """Whether a case is confidential, or was taken for one about somebody's conduct."""
    return bool((await connection.exec_driver_sql(_IN_CONFIDENCE, (feedback_id,))).scalar())
