"""What a reporter may still say about a comment, and when not.

What is possible desk decides (`shared.contracts.rights`); here it becomes words. What passes and
comes too late all the same is refused by desk, in public.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from shared.contracts.inbound import MAX_REASON, Reason, Text, as_typed, is_blank
from shared.contracts.refusal import Conflict
from shared.contracts.rights import (
    Asked,
    CaseStanding,
    Refused,
    ReporterAction,
    Rights,
    allowed_actions,
    refusal,
)
from shared.contracts.vocabulary import RefusalReason, Solved, State

MAX_SUPPLEMENTS = 50
"""A case; whoever has more to say has another matter."""

Action = ReporterAction


@dataclass(frozen=True, slots=True)
class Standing:
    """All that decides what a reporter may do now; the defaults before desk's first event."""

    state: State = State.RECEIVED
    rights: Rights = field(default_factory=Rights)
    asked: Asked = field(default_factory=Asked)


Words = tuple[str, str]

_OVER: Words = ("这件事已经结束了。", "This matter is over.")
_ASKED: Words = (
    "您刚才的请求我们已经收到，正在办。",
    "We have your last request and are working on it.",
)
_WITHDRAWN: Words = (
    "您已经撤回了。还想请我们办的话，请另提一条。",
    "You took it back. If you want us to act after all, please send a new comment.",
)
_REJECTED: Words = (
    "这件事没能受理，原因写在您的查询页上。",
    "It was not taken on; the reason is on your tracking page.",
)
_FINAL: Words = (
    "馆领导已经复核过，维持了原来的处理，不再复核。有新的情况，请另提一条。",
    "A leader has looked at it again and let it stand; that is final. "
    "If there is anything new, please send a new comment.",
)
_SPAM: Words = (
    "这条内容没有办理，也没有可以复核的答复。如果是我们弄错了，请另提一条，写清楚在哪里、什么事，"
    "或者联系用户关系办公室。",
    "It was not dealt with, and there is no reply to appeal against. If that was a mistake, please "
    "send a new comment that says where and what, or speak to the user relations office.",
)
_JOINED: Words = (
    "这件事和别人说的同一件事并在一起办理，不能单独这样做。",
    "It is handled together with the same matter of another reader, so not by itself.",
)
_ADD: Words = (
    "请补充情况，办理的人看得到。",
    "Please add what you have to say; whoever works on it will read it.",
)
_SPLIT: Words = (
    "您说的几件事分开办理，请在查询页上对其中一件来说。",
    "Your matters are handled separately: please choose one of them on your tracking page.",
)
_SPLIT_RATE: Words = (
    "您说的几件事分开办理，请在查询页上分别评价每一件。",
    "Your matters are handled separately: please rate each of them on your tracking page.",
)
_PUT_BACK: Words = (
    "这件事已经合回您原来说的一件，请对那一件来说。",
    "It went back into your whole comment: please speak of that one.",
)
_NOTHING_YET: Words = (
    "这件事正在办理，还没有结果可以复核。",
    "It is being worked on; there is no result yet to look at again.",
)
_OR_APPEAL: Words = ("可以请馆领导复核。", "You can ask a leader to look at it again.")
_NO_REPLY: Words = (
    "还没有答复。有了答复就可以评价或要求重办。",
    "There is no reply yet; once there is, you can rate it or reopen.",
)
_RATED: Words = ("这次答复您已经评价过了，谢谢。", "You have rated this reply already. Thank you.")
_LATE: Words = (
    "答复已经过去太久，不能再要求重办。",
    "The reply was too long ago to reopen it.",
)
_OFTEN: Words = (
    "已经重办过多次，不能再要求重办。",
    "It was reopened before, more than once, and cannot be again.",
)
_URGED: Words = (
    "刚刚已经替您催过了，也转告了办理的人。请过一小时再催。",
    "You urged us within the last hour, and we have passed it on.",
)
_ANSWERED: Words = ("已经答复了。", "It is answered.")
_CLOSED: Words = ("这件事已经办结。", "This matter is closed.")
_OR_REOPEN: Words = (
    "如果没有解决，可以要求重办。",
    "If it is not solved, you can reopen it.",
)
_OR_WRITE: Words = (
    "还有要说的，请另提一条，注明这件的查询码。",
    "For anything more, please send a new comment that names this tracking code.",
)
_ASK_FIRST: Words = (
    "申请复核之前，请先说明哪里没有解决，要求重办。",
    "Before an appeal, please say what is not solved and reopen it.",
)
_NO_APPEAL: Words = (
    "这件事现在不能申请复核。",
    "It cannot be looked at again now.",
)

_REPLIED = (State.REPLIED, State.CLOSED)


def reason_against(action: Action, standing: Standing, now: datetime) -> Words | None:
    """Why `action` is not possible now, in both languages; None when it is."""
    match refusal(action, standing.rights, standing.asked, now=now):
        case None:
            return None
        case Refused.OVER:
            return _WITHDRAWN
        case Refused.PENDING:
            return _RATED if action is Action.RATE and _is_rated(standing) else _ASKED
        case Refused.TOO_SOON:
            return _URGED
        case RefusalReason.TOO_LATE:
            return _with(_LATE, *_instead(standing, now))
        case RefusalReason.TOO_OFTEN:
            return _with(_OFTEN, *_instead(standing, now))
        case _:
            return _not_now(action, standing, now)


def _is_rated(standing: Standing) -> bool:
    return Action.RATE in standing.asked.pending


def _instead(standing: Standing, now: datetime) -> tuple[Words, ...]:
    """What is left to who has an answer that solved nothing."""
    possible = allowed(standing, now)
    if Action.REOPEN in possible:
        return (_OR_REOPEN,)
    if Action.APPEAL in possible:
        return (_OR_APPEAL,)
    return (_FINAL,) if standing.rights.appeal_dismissed else (_OR_WRITE,)


def _with(*parts: Words) -> Words:
    return "".join(zh for zh, _ in parts), " ".join(en for _, en in parts)


def _not_now(action: Action, standing: Standing, now: datetime) -> Words:
    """By what is true of the case, as desk says it; then by its state."""
    rights, state = standing.rights, standing.state
    match _standing_of(standing):
        case CaseStanding.WITHDRAWN:
            return _WITHDRAWN
        case CaseStanding.SPAM:
            return _SPAM
        case CaseStanding.PUT_BACK:
            return _PUT_BACK
        case CaseStanding.SPLIT:
            return _SPLIT_RATE if action is Action.RATE else _SPLIT
        case CaseStanding.REJECTED:
            if rights.appeal_dismissed:
                return _FINAL
            left = Action.APPEAL in allowed(standing, now)
            return _with(_REJECTED, _OR_APPEAL) if left else _REJECTED
        case CaseStanding.JOINED:
            if action is Action.RATE:
                return _RATED if rights.answered else _NO_REPLY
            return _with(_JOINED, _ADD) if Action.SUPPLEMENT in allowed(standing, now) else _JOINED
    replied = state in _REPLIED
    match action:
        case Action.RATE:
            return _RATED if replied else _NO_REPLY
        case Action.REOPEN:
            return _NO_REPLY
        case Action.APPEAL:
            if rights.appeal_dismissed:
                return _FINAL
            if not replied:
                return _NOTHING_YET
            return _ASK_FIRST if Action.REOPEN in allowed(standing, now) else _NO_APPEAL
    if replied:
        said = _CLOSED if state is State.CLOSED else _ANSWERED
        return _with(said, *_instead(standing, now))
    return _OVER


def _standing_of(standing: Standing) -> CaseStanding:
    """As desk says it; of what desk said before it said that, as far as the state shows it."""
    if standing.rights.standing is CaseStanding.OPEN:
        return _BY_STATE.get(standing.state, CaseStanding.OPEN)
    return standing.rights.standing


_BY_STATE = {
    State.REJECTED: CaseStanding.REJECTED,
    State.SPAM: CaseStanding.SPAM,
    State.WITHDRAWN: CaseStanding.WITHDRAWN,
}


def allowed(standing: Standing, now: datetime) -> list[str]:
    """The names of what is possible now."""
    return allowed_actions(standing.rights, standing.asked, now=now)


def check(action: Action, standing: Standing, now: datetime) -> None:
    """`Conflict` with what is possible instead, unless `action` is possible."""
    why = reason_against(action, standing, now)
    if why is not None:
        raise Conflict(*why, allowed=allowed(standing, now))


def check_room(supplements: int, allowed: list[str]) -> None:
    """`Conflict` with what is possible instead, once a case holds all it may."""
    if supplements >= MAX_SUPPLEMENTS:
        raise Conflict(
            f"这一件已经补充了 {MAX_SUPPLEMENTS} 次，写不下了。请另提一件，注明这件的查询码，"
            "我们会放在一起看。",
            f"You have added to this one {MAX_SUPPLEMENTS} times, and it holds no more. "
            "Please send a new comment that names its tracking code; we will read them together.",
            allowed=[action for action in allowed if action != Action.SUPPLEMENT],
        )


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


def _number(stars: Any) -> Any:
    if isinstance(stars, bool):
        raise ValueError("请给 1 到 5 颗星 | please give 1 to 5 stars")
    return stars


class Rating(_Body):
    """How the reply was."""

    stars: Annotated[int, Field(ge=1, le=5), BeforeValidator(_number)]
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
