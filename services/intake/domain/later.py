"""What a reporter may still say about a comment, and when not.

Intake knows a case only by what desk told of it; that is enough to say no at the door, in words.
What passes here and comes too late all the same is refused by desk, in public.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.contracts.inbound import MAX_REASON, Reason, Text, as_typed, is_blank
from shared.contracts.refusal import Conflict
from shared.contracts.vocabulary import Solved

REOPEN_WITHIN = timedelta(days=15)
REOPEN_AT_MOST = 2
URGE_EVERY = timedelta(hours=1)


class Action(StrEnum):
    """What a reporter can do with a tracking code."""

    SUPPLEMENT = "supplement"
    URGE = "urge"
    RATE = "rate"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    APPEAL = "appeal"


class Phase(StrEnum):
    """How far a case is, as far as its reporter's rights depend on it."""

    OPEN = "open"
    REPLIED = "replied"
    CLOSED = "closed"
    REJECTED = "rejected"
    ENDED = "ended"
    """Withdrawn, invalid, joined to another: nothing more is to be said here."""


@dataclass(frozen=True, slots=True)
class Standing:
    """All that decides what a reporter may do now."""

    phase: Phase = Phase.OPEN
    replies: int = 0
    rated: int = 0
    """The number of the last reply that was rated; 0 before any."""
    replied_at: datetime | None = None
    reopened: int = 0
    asked: str | None = None
    """A wish desk has not answered yet: reopen or withdraw."""
    urged_at: datetime | None = None


Words = tuple[str, str]

_OVER: Words = ("这件事已经结束了。", "This matter is over.")
_ASKED: Words = (
    "您刚才的请求我们已经收到，正在办。",
    "We have your last request and are working on it.",
)
_NO_REPLY: Words = (
    "还没有答复。有了答复就可以评价或要求重办。",
    "There is no reply yet; once there is, you can rate it or reopen.",
)
_RATED: Words = ("这次答复您已经评价过了，谢谢。", "You have rated this reply already. Thank you.")
_LATE: Words = (
    "离答复已经超过 15 天，请另提一件，我们会把两件放在一起看。",
    "The reply was more than 15 days ago. Please send a new comment instead.",
)
_OFTEN: Words = (
    "已经重办过两次。如果仍不满意，请直接联系用户关系办公室。",
    "It was reopened twice. If you are still unhappy, please speak to the user relations office.",
)
_URGED: Words = (
    "刚刚已经替您催过了，办理的人看得到。请过一小时再催。",
    "You urged us within the last hour, and they have seen it.",
)
_ANSWERED: Words = (
    "已经答复了。如果没有解决，可以要求重办。",
    "It is answered. If it is not solved, you can reopen it.",
)
_CLOSED: Words = (
    "这件事已经办结。如果没有解决，可以要求重办。",
    "This matter is closed. If it is not solved, you can reopen it.",
)
_APPEAL: Words = (
    "这里还不能申请复核。请要求重办，或直接联系用户关系办公室。",
    "You cannot appeal here yet. Please reopen it, or speak to the user relations office.",
)


def obstacle(action: Action, standing: Standing, now: datetime) -> Words | None:
    """Why `action` is not possible now, in both languages; None when it is."""
    if standing.phase is Phase.ENDED or standing.asked == Action.WITHDRAW:
        return _OVER
    return _CHECKS[action](standing, now)


def _supplement(standing: Standing, now: datetime) -> Words | None:
    if standing.asked:
        return None
    if standing.phase is Phase.REJECTED:
        return _OVER
    return _CLOSED if standing.phase is Phase.CLOSED else None


def _urge(standing: Standing, now: datetime) -> Words | None:
    if standing.phase in (Phase.REPLIED, Phase.CLOSED) and not standing.asked:
        return _ANSWERED
    if standing.phase is Phase.REJECTED and not standing.asked:
        return _OVER
    if standing.urged_at is not None and now - standing.urged_at < URGE_EVERY:
        return _URGED
    return None


def _rate(standing: Standing, now: datetime) -> Words | None:
    if standing.phase not in (Phase.REPLIED, Phase.CLOSED) or not standing.replies:
        return _NO_REPLY
    if standing.rated >= standing.replies:
        return _RATED
    return _ASKED if standing.asked else None


def _reopen(standing: Standing, now: datetime) -> Words | None:
    if standing.asked:
        return _ASKED
    if standing.phase not in (Phase.REPLIED, Phase.CLOSED) or standing.replied_at is None:
        return _NO_REPLY
    if standing.reopened >= REOPEN_AT_MOST:
        return _OFTEN
    return _LATE if now - standing.replied_at > REOPEN_WITHIN else None


def _withdraw(standing: Standing, now: datetime) -> Words | None:
    if standing.phase is Phase.CLOSED:
        return _CLOSED
    return _OVER if standing.phase is Phase.REJECTED else None


def _appeal(standing: Standing, now: datetime) -> Words | None:
    """Desk does not hear appeals yet; a wish that nobody answers is worse than a no."""
    return _APPEAL


_CHECKS = {
    Action.SUPPLEMENT: _supplement,
    Action.URGE: _urge,
    Action.RATE: _rate,
    Action.REOPEN: _reopen,
    Action.WITHDRAW: _withdraw,
    Action.APPEAL: _appeal,
}


def allowed(standing: Standing, now: datetime) -> list[str]:
    """The names of what is possible now."""
    return [action.value for action in Action if obstacle(action, standing, now) is None]


def check(action: Action, standing: Standing, now: datetime) -> None:
    """`Conflict` with what is possible instead, unless `action` is possible."""
    why = obstacle(action, standing, now)
    if why is not None:
        raise Conflict(*why, allowed=allowed(standing, now))


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Nothing(_Body):
    """An action that needs no words."""


class Supplement(_Body):
    """More words."""

    text: Text


def _comment(text: str | None) -> str | None:
    text = as_typed(text or "")
    if len(text) > MAX_REASON:
        raise ValueError(f"最多 {MAX_REASON} 个字 | at most {MAX_REASON} characters")
    return None if is_blank(text) else text


class Rating(_Body):
    """How the reply was."""

    stars: Annotated[int, Field(ge=1, le=5)]
    solved: Solved
    comment: Annotated[str | None, AfterValidator(_comment)] = None


class Because(_Body):
    """A wish with its reason."""

    reason: Reason


BODIES: Mapping[Action, type[BaseModel]] = {
    Action.SUPPLEMENT: Supplement,
    Action.URGE: Nothing,
    Action.RATE: Rating,
    Action.REOPEN: Because,
    Action.WITHDRAW: Nothing,
    Action.APPEAL: Because,
}
"""What each action has to bring."""
