"""Events of desk: what the office decides about a case, and how cases hang together."""

from __future__ import annotations

from datetime import datetime

from shared.contracts.desk.path import CaseEvent
from shared.contracts.lenient import AnyCaseType, AnyChannel, AnyOutcome
from shared.contracts.vocabulary import Priority, Solved, State


class CaseRecalled(CaseEvent, type="case.recalled.v1", owner="desk", shred=("reason",)):
    """The office fetched it back (→ TRIAGE); no return of the department's."""

    state: State = State.TRIAGE
    department: str | None = None
    """Which had it."""
    reason: str


class CaseCorrected(CaseEvent, type="case.corrected.v1", owner="desk", shred=("title", "reason")):
    """What the case is about was corrected. All values as they are now; `changed` names those that
    were others: ``category``, ``case_type``, ``priority``, ``title``, ``confidential``."""

    changed: tuple[str, ...]
    department: str | None = None
    category: str | None = None
    case_type: AnyCaseType
    priority: Priority
    title: str = ""
    confidential: bool = False
    reason: str


class CaseMarkedAsSpam(CaseEvent, type="case.marked_as_spam.v1", owner="desk", shred=("reason",)):
    """Not a matter at all (→ SPAM)."""

    state: State = State.SPAM
    reason: str = ""


class CaseRestored(CaseEvent, type="case.restored.v1", owner="desk", shred=("reason",)):
    """It goes on (REJECTED, SPAM → TRIAGE), as if reopened but without counting as that.

    By the office, or by the reporter's answer to a rejection.
    """

    state: State = State.TRIAGE
    previous: State
    reason: str
    cycle: int


class CaseMerged(CaseEvent, type="case.merged.v1", owner="desk", shred=("reason",)):
    """Joined to another case (→ MERGED): its reporter follows that one and gets its answers."""

    state: State = State.MERGED
    into: str
    department: str | None = None
    reason: str = ""
    put_back: bool = False
    """It was a part of `into`, which was split and goes on as a whole again."""


class CaseAbsorbed(CaseEvent, type="case.absorbed.v1", owner="desk", shred=()):
    """Another case was joined to this one; `merged` is its `feedback_id`."""

    merged: str


class CaseAnsweredThrough(
    CaseEvent, type="case.answered_through.v1", owner="desk", shred=("text",)
):
    """The case it was joined to was answered: its reporter gets the same words.

    `kind`: ``reply`` or ``progress``.
    """

    state: State = State.MERGED
    into: str
    kind: str
    department: str | None = None
    text: str
    outcome: AnyOutcome | None = None
    rule: str | None = None
    """The rule the reply rests on, by name and version."""
    words_id: str | None = None
    """Key of the unmasked words in `PrivateReplyWords` of this case."""
    amends: bool | None = None
    """As of `CaseProgressed`, where `kind` is ``progress``."""


class CaseUnmerged(CaseEvent, type="case.unmerged.v1", owner="desk", shred=("reason",)):
    """It goes on by itself again (MERGED → TRIAGE); the other half is `CaseReleased`.

    Of a case that was split it is the end of that: `children`, each told by a `CaseMerged`.
    """

    state: State = State.TRIAGE
    previous_into: str
    """Empty where it was split."""
    children: tuple[str, ...] = ()
    reason: str
    cycle: int


class CaseWordsOwed(CaseEvent, type="case.words_owed.v1", owner="desk", shred=()):
    """A reporter whose case was joined to this one spoke after its reply: that is owed an answer
    here. `origin` is the case they spoke in."""

    origin: str


class CaseReleased(CaseEvent, type="case.released.v1", owner="desk", shred=()):
    """A case that had been joined to this one goes on by itself again. `settled`: all that was
    owed an answer here was said there, and goes with it."""

    merged: str
    settled: bool = False


class CaseSplit(CaseEvent, type="case.split.v1", owner="desk", shred=()):
    """Several matters in one: it ends as MERGED into its children, which go on (see
    `CaseSplitOff`)."""

    state: State = State.MERGED
    children: tuple[str, ...]


class CaseSplitOff(
    CaseEvent, type="case.split_off.v1", owner="desk", shred=("title", "text", "place")
):
    """A case began as a part of another: it carries what `FeedbackReceived` carries.

    Its promises count from `received_at`, and the reporter follows it under the parent's code.
    """

    state: State = State.TRIAGE
    parent: str
    received_at: datetime
    channel: AnyChannel
    title: str = ""
    text: str
    category: str | None = None
    place: str | None = None
    locale: str = "zh"
    anonymous: bool = False
    confidential: bool = False
    code_hash: str
    """The parent's."""
    reachable: tuple[str, ...] = ()
    reporter_group: str | None = None
    """The whole's, where its reporter said so."""


class CaseLinked(CaseEvent, type="case.linked.v1", owner="desk", shred=()):
    """Staff see that another case has to do with it; both cases get one of these."""

    to: str


class CaseUnlinked(CaseEvent, type="case.unlinked.v1", owner="desk", shred=()):
    """The two have nothing to do with each other after all."""

    to: str


class CaseJoinedIncident(CaseEvent, type="case.joined_incident.v1", owner="desk", shred=()):
    """It is one of many about one fault; `title` and `text` are what the public reads about it."""

    incident_id: str
    title: str
    text: str
    answer: str | None = None
    """What those were answered who reported it before; this case still waits for its own."""
    answered_at: datetime | None = None


class CaseLeftIncident(CaseEvent, type="case.left_incident.v1", owner="desk", shred=()):
    """It is not about that fault after all."""

    incident_id: str


class CaseDepartmentAdded(
    CaseEvent, type="case.department_added.v1", owner="desk", shred=("question",)
):
    """A second department does its part; the first keeps the promise."""

    department: str
    question: str


class CaseDepartmentRemoved(CaseEvent, type="case.department_removed.v1", owner="desk", shred=()):
    """Its part is not needed any more."""

    department: str
    reason: str | None = None
    """``not_needed``: it was answered, or ended, before they had done it; None: taken away."""


class CasePartFinished(CaseEvent, type="case.part_finished.v1", owner="desk", shred=("text",)):
    """A second department has done its part; `text` is for the first, not for the reporter."""

    department: str
    text: str


class CaseFollowedUp(CaseEvent, type="case.followed_up.v1", owner="desk", shred=("text",)):
    """The office asked the reporter how it was (回访); `CaseClosed` follows where it was open.

    `how`: ``phone``, ``wechat``, ``mail``, ``in_person``. `again`: asked before about the same
    answer; what is said now takes the place of that.
    """

    solved: Solved
    stars: int | None = None
    text: str | None = None
    how: str
    again: bool | None = None


class CaseSupervised(CaseEvent, type="case.supervised.v1", owner="desk", shred=("text",)):
    """A leader or the office wants it done (督办); owner and state stay."""

    department: str | None = None
    text: str
