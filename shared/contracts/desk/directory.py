"""What desk lists on ``feedback.directory``: departments, categories, people, incidents."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from shared.contracts.event import DIRECTORY, DirectoryFact
from shared.contracts.lenient import AnyOutcome


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
    absence_entered: bool = False
    """`by` says with this entry until when they are away, and who stands in."""
    no_reports: tuple[str, ...] = ()
    """Kinds of reports (``week``, ``month``, ``term``) that this person does not want by mail."""

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


class CannedReplyListed(
    DirectoryFact, type="directory.canned_reply.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """Words that a reply may begin with, as they are now (快捷回复)."""

    reply_id: str
    title: str
    zh: str
    """The words, with variables in braces."""
    en: str = ""
    """For reporters who read English; empty: they get the Chinese ones."""
    department: str | None = None
    """Whose they are; None: everybody's."""
    category: str | None = None
    """Offered in this category only; None: in all."""
    outcome: AnyOutcome | None = None
    """Chosen with them, where nothing was chosen before."""
    position: int = 0
    """Smaller ones first."""
    active: bool = True
    used: int = 0
    """How often it was inserted."""
    version: int | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None
    """Which one it is, and who wrote it when; None: said before that was said, by this event."""

    @property
    def key(self) -> str:
        """One entry per reply."""
        return f"canned:{self.reply_id}"


class ReviewRuleListed(
    DirectoryFact, type="directory.review_rule.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """Whether replies about this are read by somebody else before they go out, as it is now."""

    kind: str
    """``category``, ``priority`` or ``department``."""
    code: str
    required: bool
    reason: str | None = None

    @property
    def key(self) -> str:
        """One entry per category, priority and department."""
        return f"review:{self.kind}:{self.code}"


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
    answer: str | None = None
    """What all who reported it were answered last, since that explanation."""
    answered_at: datetime | None = None

    @property
    def key(self) -> str:
        """One entry per incident."""
        return f"incident:{self.incident_id}"


class ThemeMeasure(BaseModel):
    """What was done about a theme."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    what: str
    on: date
    """From which day it holds, by the calendar of the library."""
    responsible: str
    """A department or an office, as the committee is told it."""


class ThemeMeasureTakenBack(ThemeMeasure):
    """One that does not count any more."""

    at: datetime
    by: str
    """The account that took it back."""
    why: str
    """In its words; masked."""


class ThemeCase(BaseModel):
    """A case that belongs to a theme."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    case: str
    """Its `feedback_id`."""
    origin: str = "hand"
    """``hand``: somebody put it there; ``found``: by its meaning."""


class ThemeQuote(BaseModel):
    """A sentence that is typical of a theme."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    case: str
    """The `feedback_id` of the case it stands in; whoever knows that as confidential shows none."""
    text: str
    """Masked, and nobody is named in it."""


class ThemeListed(
    DirectoryFact, type="directory.theme.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """Something that comes up again and again, as it is now: its cases, and what was done."""

    theme_id: str
    title: str
    about: str = ""
    """What it is about, in staff's words; masked."""
    status: str = "open"
    """``open``, ``kept`` (an eye on it), ``closed``, or ``merged``."""
    origin: str = "hand"
    """``hand`` or ``found``."""
    merged_into: str | None = None
    """The theme it is a part of since then."""
    opened_at: datetime
    measures: tuple[ThemeMeasure, ...] = ()
    taken_back: tuple[ThemeMeasureTakenBack, ...] = ()
    cases: tuple[ThemeCase, ...] = ()
    quotes: tuple[ThemeQuote, ...] = ()
    """Of its newest cases; told anew without it once the reporter of one is erased."""

    @property
    def key(self) -> str:
        """One entry per theme."""
        return f"theme:{self.theme_id}"


class ThemeDismissed(
    DirectoryFact, type="directory.theme_dismissed.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """A person said of cases that were found together that they are no theme."""

    suggestion_id: str
    matter: str
    """What most of them name."""
    cases: tuple[str, ...] = ()
    """Their ids; they are offered again once there are twice as many."""

    @property
    def key(self) -> str:
        """One entry per group that was dismissed."""
        return f"theme-dismissed:{self.suggestion_id}"


class SurgeListed(
    DirectoryFact, type="directory.surge.v1", owner="desk", topic=DIRECTORY, shred=()
):
    """More on one matter than is usual, as it is now. Staff alone hear of it: an incident that the
    public reads is opened by a person."""

    surge_id: str
    matter: str
    """Under what it was counted: the thing, with what is wrong with it or the floor."""
    zh: str
    en: str
    """The same in the words of the library."""
    status: str = "suggested"
    """``suggested``, ``confirmed`` (there is an incident of it), or ``dismissed``."""
    found_at: datetime
    minutes: int
    """In so many minutes there were `n`, of which `usual` would have been."""
    n: int
    usual: float
    cases: tuple[str, ...] = ()
    """Their ids, in order of time."""
    incident_id: str | None = None

    @property
    def key(self) -> str:
        """One entry per surge."""
        return f"surge:{self.surge_id}"
