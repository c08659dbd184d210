"""What desk lists on ``feedback.directory``: departments, categories, people, incidents."""

from __future__ import annotations

from datetime import datetime

from shared.contracts.event import DIRECTORY, DirectoryFact


class DepartmentListed(
    DirectoryFact, type="directory.department.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """A department as it is now."""

    code: str
    zh: str
    en: str
    active: bool = True

    @property
    def key(self) -> str:
        """One entry per department."""
        return f"department:{self.code}"


class CategoryListed(
    DirectoryFact, type="directory.category.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """What a comment may be about, as it is now, and which department owns it."""

    code: str
    zh: str
    en: str
    department: str
    active: bool = True
    rule: str | None = None
    """The rule that replies go by, which they cite."""

    @property
    def key(self) -> str:
        """One entry per category."""
        return f"category:{self.code}"


class PersonListed(
    DirectoryFact, type="directory.person.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """A member of staff as they are now."""

    username: str
    display: str
    role: str
    """The first of `roles`."""
    roles: tuple[str, ...] = ()
    """All roles of the account; empty in what was written before there could be several."""
    department: str | None = None
    email: str | None = None
    locale: str = "zh"
    active: bool = True
    away_until: datetime | None = None
    substitute: str | None = None
    """The account that may do what this one may, until `away_until`."""

    @property
    def all_roles(self) -> tuple[str, ...]:
        """All roles of the account, the first one first."""
        return self.roles or (self.role,)

    def is_away(self, at: datetime) -> bool:
        """Whether this person is away at that moment; it ends by itself."""
        return self.away_until is not None and at < self.away_until

    @property
    def key(self) -> str:
        """One entry per account."""
        return f"person:{self.username}"


class SessionRevoked(
    DirectoryFact, type="directory.session_revoked.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """A session ended before its time."""

    session_id: str
    expires: datetime

    @property
    def key(self) -> str:
        """One entry per session."""
        return f"session:{self.session_id}"


class SessionForgotten(
    DirectoryFact, type="directory.session_forgotten.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """Tombstone: a session that was revoked would be over by now."""

    session_id: str

    @property
    def key(self) -> str:
        """The key of the entry that it removes."""
        return f"session:{self.session_id}"

    @property
    def tombstone(self) -> bool:
        """Always: compaction then removes what stood here."""
        return True


class SessionsEnded(
    DirectoryFact, type="directory.sessions_ended.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """Whoever had signed in by then has to do so again: a new password, a lost device, a leak."""

    username: str | None = None
    """None: everybody."""
    before: datetime

    @property
    def key(self) -> str:
        """One entry per account, and one for all of them."""
        return f"sessions:{self.username or '*'}"


class IncidentListed(
    DirectoryFact, type="directory.incident.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """One fault that many report, as it is now."""

    incident_id: str
    title: str
    text: str
    """The explanation that the public reads."""
    opened_at: datetime
    open: bool = True

    @property
    def key(self) -> str:
        """One entry per incident."""
        return f"incident:{self.incident_id}"
