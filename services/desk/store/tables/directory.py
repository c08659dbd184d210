"""Departments, categories, people, and what holds for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text, text
from sqlmodel import Field

from services.desk.store.tables.base import DeskTable, documents, flag
from shared.db.tables import moment


class DepartmentRow(DeskTable, table=True):
    """A department."""

    __tablename__ = "departments"

    code: str = Field(primary_key=True)
    zh: str
    en: str
    active: bool = True
    needs_review: bool = flag()


class CategoryRow(DeskTable, table=True):
    """What a comment may be about; `department` owns it."""

    __tablename__ = "categories"

    code: str = Field(primary_key=True)
    zh: str
    en: str
    department: str
    active: bool = True
    needs_review: bool = flag()
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
    roles: list[str] = documents()
    """Empty: `role` alone."""
    department: str | None = None
    away_until: datetime | None = moment(nullable=True)
    substitute: str | None = None
    email: str | None = None
    locale: str = "zh"
    active: bool = True
    no_reports: list[str] = documents()
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
