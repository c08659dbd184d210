"""The tables of desk. A case is one narrow row that changes often; words stand elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, REAL, Index, String, Text, literal_column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shared.db.tables import document, moment, own_registry
from shared.messaging.tables import messaging_tables


class DeskTable(SQLModel, registry=own_registry()):
    __abstract__ = True


messaging_tables(DeskTable.metadata)

_ORDER = ("next_due_at", "received_at", "feedback_id")


def _documents() -> Any:
    """A list of JSON that code of before its column leaves empty."""
    return document(default_factory=list, sa_column_kwargs={"server_default": text("'[]'::jsonb")})


def _flag() -> Any:
    return Field(default=False, sa_column_kwargs={"server_default": text("false")})


def _searched() -> Any:
    """Words as the search sees them, that code of before its column leaves out."""
    return Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})


def _seal() -> Any:
    """See `shared.messaging.seals`; None: not written since there are seals."""
    return Field(default=None, nullable=True)


def _maybe_document() -> Any:
    return Field(default=None, sa_type=JSONB, nullable=True)


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
    public_since_dispatch: bool = _flag()
    needs_review: bool = _flag()
    extension: dict[str, Any] | None = _maybe_document()
    review: dict[str, Any] | None = _maybe_document()
    parts: list[dict[str, Any]] = _documents()
    ended_at: datetime | None = moment(nullable=True)
    reopening_refused: bool = _flag()
    appeal_dismissed: bool = _flag()
    merged_into: str | None = None
    merged: list[str] = _documents()
    parent: str | None = None
    children: list[str] = _documents()
    links: list[str] = _documents()
    incident_id: str | None = None
    supervised_at: datetime | None = moment(nullable=True)
    escalated: list[str] = _documents()
    """Roles to which a promise of this case was escalated."""
    reasons_owed: list[str] = _documents()
    """Clocks whose promise was broken without a word why."""
    alarm: dict[str, Any] | None = _maybe_document()
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
    seal: str | None = _seal()

    @property
    def co_departments(self) -> tuple[str, ...]:
        """Departments that have a part in it besides the first."""
        return tuple(part["department"] for part in self.parts)


ONCE = r"regexp_replace({}, '(.)\1', '\1', 'g')"
"""What is findable with each letter once again, as it stands in an index and in what asks it."""


def _letters(table: str, column: str) -> Index:
    """The letters of what is findable: one alone holds no trigram."""
    letters = text(f"string_to_array({column}, NULL)")
    return Index(f"{table}_{column}_letters", letters, postgresql_using="gin")


def _once(table: str, column: str) -> Index:
    """What is findable by trigrams of letters that stand once: for numbers, and people."""
    return Index(
        f"{table}_{column.removeprefix('search_')}_once",
        literal_column(ONCE.format(column)).label("once"),
        postgresql_using="gin",
        postgresql_ops={"once": "gin_trgm_ops"},
    )


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
        Index(
            "words_place",
            "search_place",
            postgresql_using="gin",
            postgresql_ops={"search_place": "gin_trgm_ops"},
        ),
        _letters("words", "search"),
        _letters("words", "search_place"),
        _once("words", "search"),
        _once("words", "search_place"),
    )

    feedback_id: str = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    search: str = Field(sa_type=Text)
    search_place: str = _searched()
    """Apart from the words, by which near-equal cases are found."""
    seal: str | None = _seal()


class MeaningRow(DeskTable, table=True):
    """What the masked beginning of a case means; see `store.meanings`."""

    __tablename__ = "meanings"
    __table_args__ = (
        Index("meanings_model", "model"),
        Index("meanings_things", "things", postgresql_using="gin"),
    )

    feedback_id: str = Field(primary_key=True)
    model: str
    at: datetime = moment()
    things: list[str] = Field(sa_type=ARRAY(String))
    vector: list[float] = Field(sa_type=ARRAY(REAL))


class DecisionRow(DeskTable, table=True):
    """What routing thought, newest first thought forgotten."""

    __tablename__ = "decisions"

    feedback_id: str = Field(primary_key=True)
    decided: str
    department: str | None = None
    confidence: float
    reasons: list[dict[str, Any]] = document(default_factory=list)
    candidates: list[dict[str, Any]] = document(default_factory=list)
    seal: str | None = _seal()


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


class MessageRow(DeskTable, table=True):
    """What was written in a case after its first words, by whomever.

    `kind`: ``note``, ``send_back`` (internal, see `INTERNAL`), ``reply``, ``progress``,
    ``question``, ``rejection``, ``verdict`` (on an appeal), ``follow_up`` (what was said on the
    telephone); ``supplement``, ``rating``, ``reopening``, ``appeal``
    are the reporter's. The text is masked; where that changed
    it, the words as they were written are found in `PrivateWordsRow` under `words_id`.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_of_case", "feedback_id", "at"),
        Index(
            "messages_search",
            "search",
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
        _letters("messages", "search"),
    )

    message_id: str = Field(primary_key=True)
    feedback_id: str
    kind: str
    at: datetime = moment()
    by: str | None = None
    text: str = Field(sa_type=Text)
    outcome: str | None = None
    words_id: str | None = None
    origin: str | None = None
    """Of a supplement: the joined case whose reporter wrote it."""
    rule: str | None = None
    """What a reply rests on, by name and version."""
    hash: str | None = None
    search: str = _searched()


INTERNAL = frozenset({"note", "send_back"})
"""Messages of staff to staff."""


class PrivateRow(DeskTable, table=True):
    """Unmasked words and contact; gone when the person is erased.

    `search_words` and `search_person` are how the search sees the words, and who it is: two,
    because not everybody who reads the words is shown the person.
    """

    __tablename__ = "private"
    __table_args__ = (
        *(
            Index(
                f"private_{column}",
                column,
                postgresql_using="gin",
                postgresql_ops={column: "gin_trgm_ops"},
            )
            for column in ("search_words", "search_person")
        ),
        *(_letters("private", column) for column in ("search_words", "search_person")),
        _once("private", "search_person"),
    )

    feedback_id: str = Field(primary_key=True)
    title: str = Field(default="", sa_type=Text)
    text: str = Field(default="", sa_type=Text)
    contact: dict[str, Any] = document(default_factory=dict)
    on_behalf_of: str | None = None
    search_words: str = Field(default="", sa_type=Text)
    search_person: str = Field(default="", sa_type=Text)
    seal: str | None = _seal()
    """In the row it seals, so that an erasure leaves nothing by which words could be guessed."""


class PrivateWordsRow(DeskTable, table=True):
    """What was written later, unmasked, by the reporter or (where masking changed it) by staff.

    Gone when the person is erased.
    """

    __tablename__ = "private_words"

    words_id: str = Field(primary_key=True)
    feedback_id: str = Field(index=True)
    text: str = Field(sa_type=Text)
    published: bool = False
    """Staff's, and on ``feedback.private`` too: whoever writes to the reporter sends it."""
    seal: str | None = _seal()


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
    by: dict[str, Any] | None = _maybe_document()
    body: dict[str, Any] = document(default_factory=dict)
    subject: str | None = None
    """The incident it is about, or the job that it undoes."""
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
    detail: dict[str, Any] | None = _maybe_document()
    undo: dict[str, Any] | None = _maybe_document()


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


class DepartmentRow(DeskTable, table=True):
    """A department."""

    __tablename__ = "departments"

    code: str = Field(primary_key=True)
    zh: str
    en: str
    active: bool = True
    needs_review: bool = _flag()


class CategoryRow(DeskTable, table=True):
    """What a comment may be about; `department` owns it."""

    __tablename__ = "categories"

    code: str = Field(primary_key=True)
    zh: str
    en: str
    department: str
    active: bool = True
    needs_review: bool = _flag()
    rule: str | None = None
    """The rule that replies go by, which they cite."""


class CannedReplyRow(DeskTable, table=True):
    """Words that a reply may begin with, as `CannedReplyListed` has them."""

    __tablename__ = "canned_replies"

    reply_id: str = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    zh: str = Field(sa_type=Text)
    en: str = Field(default="", sa_type=Text)
    department: str | None = None
    category: str | None = None
    outcome: str | None = None
    position: int = 0
    active: bool = True
    version: int = 1
    """Counted up by whoever changes it, so that nobody overwrites what they have not seen."""
    changed_at: datetime = moment()
    changed_by: str | None = None
    used: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    """How often it was inserted into a reply."""


class ReviewRuleRow(DeskTable, table=True):
    """Replies about this are read by somebody else before they go out."""

    __tablename__ = "review_rules"

    kind: str = Field(primary_key=True)
    """``category``, ``priority`` or ``department``."""
    code: str = Field(primary_key=True)
    since: datetime | None = moment(nullable=True)
    """None: from before it was kept since when, by whom and why."""
    by: str | None = None
    reason: str | None = Field(default=None, sa_type=Text)


class PersonRow(DeskTable, table=True):
    """An account. `password` is an argon2 hash."""

    __tablename__ = "people"

    username: str = Field(primary_key=True)
    display: str
    role: str
    """The first of `roles`."""
    roles: list[str] = _documents()
    """Empty: `role` alone."""
    department: str | None = None
    away_until: datetime | None = moment(nullable=True)
    substitute: str | None = None
    email: str | None = None
    locale: str = "zh"
    active: bool = True
    no_reports: list[str] = _documents()
    """Kinds of reports that they do not want by mail."""
    demo: bool = False
    password: str = Field(sa_type=String)

    @property
    def all_roles(self) -> frozenset[str]:
        """All roles of the account."""
        return frozenset(self.roles or [self.role])

    def is_away(self, at: datetime) -> bool:
        """Whether this person is away at that moment; it ends by itself."""
        return self.away_until is not None and at < self.away_until


__all__ = [
    "CaseRow",
    "DecisionRow",
    "DepartmentRow",
    "DeskTable",
    "IncidentRow",
    "JobItemRow",
    "JobRow",
    "MessageRow",
    "PersonRow",
    "PrivateRow",
    "PrivateWordsRow",
    "TimelineRow",
    "WordsRow",
]
