"""What a request body may hold."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from services.desk.domain import Action
from services.desk.domain.canned import not_filled_in, not_for_a_reader
from services.desk.store.people import SHORTEST_PASSWORD, account_name
from shared.contracts.vocabulary import (
    BreachCode,
    CaseType,
    Clock,
    FollowUpHow,
    Outcome,
    Priority,
    Solved,
)
from shared.moments import LOCAL
from shared.web.bodies import ParsedBody

# Letters to Unicode, and yet nothing to the eye.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_VISIBLE = frozenset("LNPS")


def clean(value: str) -> str:
    """Line ends LF, blank ends off; refuses what no database or page can hold."""
    if any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in value):
        raise ValueError("请去掉特殊控制字符 | please remove control characters")
    return value.replace("\r\n", "\n").replace("\r", "\n").strip()


def _something(value: str) -> str:
    if not any(unicodedata.category(c)[0] in _VISIBLE and c not in _BLANK_LETTERS for c in value):
        raise ValueError("请写点什么 | please write something")
    return value


def _filled_in(value: str) -> str:
    if (why := not_filled_in(value)) is not None:
        raise ValueError(" | ".join(why))
    return value


def _for_a_reader(value: str) -> str:
    if (why := not_for_a_reader(value)) is not None:
        raise ValueError(" | ".join(why))
    return value


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _outcome(value: Outcome) -> Outcome:
    if value is Outcome.OTHER:
        raise ValueError("请选择一种结果 | please choose an outcome")
    return value


Line = Annotated[str, Field(max_length=200), AfterValidator(clean), AfterValidator(_something)]
Words = Annotated[str, Field(max_length=50_000), AfterValidator(clean), AfterValidator(_something)]
SentLine = Annotated[Line, AfterValidator(_filled_in)]
SentWords = Annotated[Words, AfterValidator(_filled_in)]
"""Words that go out, to the reporter or to colleagues by mail: no variable stands in them still.

What colleagues say about a text (a note, why it is sent back) may name one."""
ReaderLine = Annotated[Line, AfterValidator(_for_a_reader)]
ReaderWords = Annotated[Words, AfterValidator(_for_a_reader)]
"""Words for the reporter: besides, nothing that was masked where they were taken from.

Colleagues may quote a comment as they read it."""
Maybe = BeforeValidator(_blank_is_none)
AnOutcome = Annotated[Outcome, AfterValidator(_outcome)]


def with_offset(parsed: ParsedBody) -> dict[str, Any]:
    """The values of the body; a date field of a browser means the time on the wall here."""
    values = parsed.values()
    until = values.get("until")
    if not parsed.is_form or not isinstance(until, str):
        return values
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        return values
    here = moment.replace(tzinfo=LOCAL) if moment.tzinfo is None else moment
    return values | {"until": here.isoformat()}


class Body(BaseModel):
    """What a body may hold; anything else in it is passed over.

    Fields are named as in `ActionInput`; an alias is what the contract calls them. `words` are
    those that people wrote: they are masked before anything is decided.
    """

    model_config = ConfigDict(extra="ignore")
    words: ClassVar[tuple[str, ...]] = ()


class NoBody(Body):
    """Nothing to say."""


class Dispatch(Body):
    words = ("reason",)
    department: Line
    category: Annotated[Line | None, Maybe] = None
    priority: Annotated[Priority | None, Maybe] = None
    case_type: Annotated[CaseType | None, Maybe] = Field(default=None, alias="type")
    reason: Annotated[SentWords | None, Maybe] = None


class Correct(Body):
    words = ("title", "reason")
    category: Annotated[Line | None, Maybe] = None
    case_type: Annotated[CaseType | None, Maybe] = Field(default=None, alias="type")
    priority: Annotated[Priority | None, Maybe] = None
    title: Annotated[Line | None, Maybe] = None
    confidential: Annotated[bool | None, Maybe] = None
    reason: Words


class Reject(Body):
    words = ("reason", "instead")
    reason: ReaderWords
    instead: Annotated[ReaderWords | None, Maybe] = None


class Spam(Body):
    words = ("reason",)
    reason: Annotated[Words | None, Maybe] = None


class Return(Body):
    words = ("reason",)
    reason: SentWords
    suggest: Annotated[Line | None, Maybe] = None


class Assign(Body):
    to: Line


class Ask(Body):
    words = ("text",)
    text: ReaderWords = Field(alias="question")


class Progress(Body):
    words = ("text",)
    text: ReaderWords


class Text(Body):
    words = ("text",)
    text: SentWords


def _names(value: Any) -> Any:
    """A list of boxes in a form names each of them: ``mention.wang=1``."""
    if isinstance(value, dict):
        return [name for name, chosen in value.items() if chosen]
    return [value] if isinstance(value, str) and value.strip() else value or []


class Note(Body):
    words = ("text",)
    text: Words
    mentions: Annotated[list[Line], BeforeValidator(_names)] = Field(default=[], alias="mention")
    rang: bool = False
    """They rang the reporter, who left a telephone alone, and told them."""


class Wait(Body):
    words = ("waiting_for", "reason")
    waiting_for: SentLine = Field(alias="for")
    until: Annotated[AwareDatetime | None, Maybe] = None
    reason: SentWords


class Reply(Body):
    words = ("text", "reason", "rule")
    text: ReaderWords
    outcome: AnOutcome
    rule: Annotated[ReaderLine | None, Maybe] = None
    reason: Annotated[ReaderWords | None, Maybe] = None
    """Why it was only explained, or cannot be done."""


class ReplyToAll(Reply):
    english: Annotated[ReaderWords | None, Maybe] = None
    """The same for whoever reads English; without it they get `text`, too."""

    @property
    def both(self) -> str:
        """For whoever reads either."""
        return f"{self.text}\n\n{self.english}" if self.english else self.text

    def read_by(self, locale: str, *, others: bool) -> str:
        """What a reporter of that language gets; `others` get the same words."""
        alone = self.english if locale == "en" and self.english else self.text
        return self.both if others else alone


class Draft(Body):
    text: Annotated[str, Field(max_length=50_000), AfterValidator(clean)] = ""
    outcome: Annotated[AnOutcome | None, Maybe] = None
    rule: Annotated[Line | None, Maybe] = None


class DraftToAll(Draft):
    english: Annotated[str, Field(max_length=50_000), AfterValidator(clean)] = ""

    def read_in(self, locale: str) -> str:
        """What is read by whoever reads that language."""
        return self.english if locale == "en" and self.english else self.text


class Taken(Body):
    text: Words
    """A sentence of an earlier answer."""


class DirectReply(Reply):
    case_type: Annotated[CaseType | None, Maybe] = Field(default=None, alias="type")


class Approve(Body):
    words = ("text", "reason")
    text: Annotated[ReaderWords | None, Maybe] = None
    outcome: Annotated[AnOutcome | None, Maybe] = None
    reason: Annotated[SentWords | None, Maybe] = None


class SendBack(Body):
    words = ("text",)
    text: Words = Field(alias="comment")


class Extend(Body):
    words = ("reason",)
    until: AwareDatetime
    reason: ReaderWords


class GrantExtension(Body):
    words = ("text",)
    until: Annotated[AwareDatetime | None, Maybe] = None
    text: Annotated[SentWords | None, Maybe] = Field(default=None, alias="note")


class AddDepartment(Body):
    words = ("text",)
    department: Line
    text: SentWords = Field(alias="question")


class RemoveDepartment(Body):
    department: Line


class ExplainBreach(Body):
    words = ("text",)
    clock: Clock
    code: BreachCode
    text: SentWords
    until: Annotated[AwareDatetime | None, Maybe] = None


class FollowUp(Body):
    words = ("text",)
    solved: Solved
    stars: Annotated[Annotated[int, Field(ge=1, le=5)] | None, Maybe] = None
    text: Annotated[Words | None, Maybe] = None
    how: FollowUpHow


class Merge(Body):
    words = ("reason",)
    into: Line
    reason: Annotated[SentWords | None, Maybe] = None


class SplitPart(Body):
    text: Words
    title: Annotated[Line | None, Maybe] = None
    category: Annotated[Line | None, Maybe] = None


def _paragraphs(value: Any) -> Any:
    """What a form sends: each paragraph is a part."""
    if not isinstance(value, str):
        return value
    texts = [one for one in re.split(r"\n\s*\n", clean(value)) if one.strip()]
    if len(texts) < 2:
        raise ValueError(
            "至少两件，中间空一行 | write at least two, with an empty line between them"
        )
    return [{"text": text} for text in texts]


class Split(Body):
    parts: Annotated[
        list[SplitPart], Field(min_length=2, max_length=10), BeforeValidator(_paragraphs)
    ]


class Link(Body):
    other: Line = Field(alias="to")


class Join(Body):
    incident: Line


class WithReason(Body):
    words = ("reason",)
    reason: SentWords


class Closing(Body):
    """Of an incident; what is needed of it depends on `waiting`."""

    waiting: Annotated[Literal["answer", "go_on"] | None, Maybe] = None
    """What becomes of those who still wait for an answer."""
    reason: Annotated[SentWords | None, Maybe] = None
    text: Annotated[ReaderWords | None, Maybe] = None
    outcome: Annotated[AnOutcome | None, Maybe] = None
    rule: Annotated[ReaderLine | None, Maybe] = None


class SignIn(Body):
    username: Annotated[
        str,
        Field(min_length=1, max_length=100),
        AfterValidator(clean),
        AfterValidator(account_name),
    ]
    password: Annotated[str, Field(min_length=1, max_length=200)]
    next: Annotated[str, Field(max_length=2000)] = "/desk"


class NewPassword(Body):
    password: Annotated[str, Field(min_length=1, max_length=200)]
    """The one of now."""
    new: Annotated[
        str, Field(min_length=SHORTEST_PASSWORD, max_length=200), AfterValidator(_something)
    ]
    again: Annotated[str | None, Field(max_length=200)] = None


class Absence(Body):
    """Nothing else may be in it: without `until` it means the opposite, so a misspelt one must not
    be passed over."""

    model_config = ConfigDict(extra="forbid")
    account: Annotated[Line | None, Maybe] = None
    """None: one's own."""
    until: Annotated[AwareDatetime | None, Maybe] = None
    """None: back."""
    substitute: Annotated[Line | None, Maybe] = None


class ReportsWanted(Body):
    """A kind that there is not would be passed over in silence, so it is refused."""

    model_config = ConfigDict(extra="forbid")
    wanted: list[Literal["week", "month", "term"]] = Field(default_factory=list, max_length=3)


BODIES: dict[Action, type[Body]] = {
    Action.DISPATCH: Dispatch,
    Action.RECALL: WithReason,
    Action.CORRECT: Correct,
    Action.REJECT: Reject,
    Action.SPAM: Spam,
    Action.RESTORE: WithReason,
    Action.ADD_DEPARTMENT: AddDepartment,
    Action.REMOVE_DEPARTMENT: RemoveDepartment,
    Action.FOLLOW_UP: FollowUp,
    Action.REOPEN: WithReason,
    Action.RETURN: Return,
    Action.ASSIGN: Assign,
    Action.PROGRESS: Progress,
    Action.AMEND: Progress,
    Action.ASK: Ask,
    Action.WAIT: Wait,
    Action.SUBMIT: Reply,
    Action.REPLY: DirectReply,
    Action.EXTEND: Extend,
    Action.FINISH_PART: Text,
    Action.EXPLAIN_BREACH: ExplainBreach,
    Action.APPROVE: Approve,
    Action.SEND_BACK: SendBack,
    Action.GRANT_EXTENSION: GrantExtension,
    Action.REFUSE_EXTENSION: WithReason,
    Action.SUPERVISE: Text,
    Action.UPHOLD: WithReason,
    Action.DISMISS: WithReason,
    Action.NOTE: Note,
    Action.MERGE: Merge,
    Action.UNMERGE: WithReason,
    Action.SPLIT: Split,
    Action.LINK: Link,
    Action.UNLINK: Link,
    Action.JOIN: Join,
    Action.ANSWER_INCIDENT: Reply,
}
"""The others need none."""
