"""Events of desk: work on a case between acceptance and reply, review and appeal."""

from __future__ import annotations

from datetime import datetime

from shared.contracts.desk.path import CaseEvent
from shared.contracts.lenient import AnyOutcome
from shared.contracts.vocabulary import Clock, State


class CaseProgressed(CaseEvent, type="case.progressed.v1", owner="desk", shred=("text",)):
    """A public interim word (进展); as an answer it meets the first or the next response."""

    department: str | None = None
    text: str
    words_id: str | None = None
    """Key of the unmasked words in `PrivateReplyWords`, where masking changed them."""
    amends: bool | None = None
    """True where it adds to the answer given before, or corrects it (in REPLIED)."""


class CaseWaitingExternal(
    CaseEvent, type="case.waiting_external.v1", owner="desk", shred=("waiting_for", "reason")
):
    """Somebody outside has to act first (→ WAITING_EXTERNAL); the user's promise keeps running."""

    state: State = State.WAITING_EXTERNAL
    department: str | None = None
    waiting_for: str
    """Which unit, in words the reporter reads."""
    until: datetime | None = None
    """When the handler looks again."""
    reason: str


class CaseExtensionAsked(
    CaseEvent, type="case.extension_asked.v1", owner="desk", shred=("reason",)
):
    """The handler asks for more time; nothing has moved yet."""

    department: str | None = None
    until: datetime
    reason: str


class CaseExtensionGranted(
    CaseEvent, type="case.extension_granted.v1", owner="desk", shred=("reason",)
):
    """The resolution is promised for `until` now; the reporter reads `reason`."""

    department: str | None = None
    until: datetime
    reason: str


class CaseExtensionRefused(
    CaseEvent, type="case.extension_refused.v1", owner="desk", shred=("reason",)
):
    """No more time."""

    department: str | None = None
    reason: str


class CaseReplySubmitted(CaseEvent, type="case.reply_submitted.v1", owner="desk", shred=()):
    """A reply waits to be read before it goes out (→ IN_REVIEW); its words stay in desk."""

    state: State = State.IN_REVIEW
    department: str | None = None
    outcome: AnyOutcome
    rule: str | None = None


class CaseReplySentBack(CaseEvent, type="case.reply_sent_back.v1", owner="desk", shred=()):
    """The reviewer wants it otherwise (→ IN_PROGRESS); the comment stays in desk."""

    state: State = State.IN_PROGRESS
    department: str | None = None
    to: str | None = None
    """The account that drafted it."""


class CaseBreachExplained(
    CaseEvent, type="case.breach_explained.v1", owner="desk", shred=("text",)
):
    """Why a promise was broken, for the reporter and for the reports.

    `code`: ``waiting_external``, ``overload``, ``unclear_owner``, ``investigation``,
    ``oversight``, ``other``. `again`: said before of the same breach; what is said now takes the
    place of that.
    """

    department: str | None = None
    clock: Clock
    code: str
    text: str
    until: datetime | None = None
    """The new date, where one is named in the same step."""
    again: bool | None = None


class CaseAppealed(CaseEvent, type="case.appealed.v1", owner="desk", shred=("reason",)):
    """A leader looks again (→ APPEALED)."""

    state: State = State.APPEALED
    previous: State
    department: str | None = None
    reason: str


class CaseAppealUpheld(CaseEvent, type="case.appeal_upheld.v1", owner="desk", shred=("reason",)):
    """The reporter is right (APPEALED → TRIAGE): the resolution is promised anew, in full."""

    state: State = State.TRIAGE
    reason: str
    words_id: str | None = None
    cycle: int
    department: str | None = None


class CaseAppealDismissed(
    CaseEvent, type="case.appeal_dismissed.v1", owner="desk", shred=("reason",)
):
    """It stays as it was decided (APPEALED → CLOSED), with the reason the reporter reads."""

    state: State = State.CLOSED
    reason: str
    words_id: str | None = None
    department: str | None = None


class CasePersonalDataRead(CaseEvent, type="case.personal_data_read.v1", owner="desk", shred=()):
    """Somebody was shown who the reporter is; `what` names it: ``contact``, ``words``, ``export``.

    Written once for each look, for the auditor; no line of any timeline but the auditor's.
    """

    what: tuple[str, ...]


class CaseAlarmConfirmed(CaseEvent, type="case.alarm_confirmed.v1", owner="desk", shred=()):
    """A person says that it is an emergency; a correction to P1 goes with it where it was not."""

    department: str | None = None


class CaseAlarmDismissed(CaseEvent, type="case.alarm_dismissed.v1", owner="desk", shred=()):
    """A person says that it is no emergency."""

    department: str | None = None


class CaseAlarmUnanswered(CaseEvent, type="case.alarm_unanswered.v1", owner="desk", shred=()):
    """Nobody has done anything about an alarm: the office is told again, and the leaders are."""

    level: int
    """1 the first time."""
    raised_at: datetime
    kind: str | None = None
    """As in ``feedback.alarm_raised``."""
