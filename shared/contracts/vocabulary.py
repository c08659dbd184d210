"""The words every service uses: states, clocks, roles, outcomes.

Codes travel in events, tables and HTTP; the Chinese and English names beside them are what
people read. A reader that meets a code it does not know treats it as ``OTHER`` (see `lenient`).
Departments and categories are no part of it: a library lists its own on ``feedback.directory``.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a case is. The legal moves between them live in ``services/desk/domain``."""

    RECEIVED = "RECEIVED"
    TRIAGE = "TRIAGE"
    DISPATCHED = "DISPATCHED"
    ACCEPTED = "ACCEPTED"
    IN_PROGRESS = "IN_PROGRESS"
    WAITING_USER = "WAITING_USER"
    WAITING_EXTERNAL = "WAITING_EXTERNAL"
    IN_REVIEW = "IN_REVIEW"
    REPLIED = "REPLIED"
    CLOSED = "CLOSED"
    APPEALED = "APPEALED"
    REJECTED = "REJECTED"
    MERGED = "MERGED"
    WITHDRAWN = "WITHDRAWN"
    SPAM = "SPAM"


ENDED = frozenset({State.CLOSED, State.REJECTED, State.MERGED, State.WITHDRAWN, State.SPAM})
OPEN = frozenset(State) - ENDED - {State.REPLIED}
"""What "open" means on every page and in every measure: before REPLIED, and APPEALED."""


class Clock(StrEnum):
    """The promises that are timed."""

    TRIAGE = "TRIAGE"
    ACCEPT = "ACCEPT"
    FIRST_RESPONSE = "FIRST_RESPONSE"
    NEXT_RESPONSE = "NEXT_RESPONSE"
    RESOLUTION = "RESOLUTION"
    REVIEW = "REVIEW"
    FOLLOW_UP = "FOLLOW_UP"
    APPEAL = "APPEAL"


class Role(StrEnum):
    """What a signed-in person may be."""

    COORDINATOR = "coordinator"
    LEADER = "leader"
    ADMIN = "admin"
    AUDITOR = "auditor"
    CLERK = "clerk"
    STUDENT = "student"
    LIAISON = "liaison"
    HANDLER = "handler"
    REVIEWER = "reviewer"


class Outcome(StrEnum):
    """What became of the matter; mandatory with every published reply."""

    SOLVED = "solved"
    EXPLAINED = "explained"
    PARTLY = "partly"
    CANNOT = "cannot"
    PASSED_ON = "passed_on"
    NO_LONGER_NEEDED = "no_longer_needed"
    OTHER = "other"


class CaseType(StrEnum):
    """What kind of comment it is; decides the row of the policy."""

    COMPLAINT = "complaint"
    REQUEST = "request"
    SUGGESTION = "suggestion"
    INQUIRY = "inquiry"
    PRAISE = "praise"
    OTHER = "other"


class Priority(StrEnum):
    """P1 emergency, P2 high, P3 normal, P4 low."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Channel(StrEnum):
    """The way a comment came in."""

    WEB = "web"
    DESK = "desk"
    WECHAT = "wechat"
    EMAIL = "email"
    PHONE = "phone"
    CLASS_GROUP = "class_group"
    SURVEY = "survey"
    MEETING = "meeting"
    PROPOSAL = "proposal"
    STAFF = "staff"
    API = "api"
    OTHER = "other"


class Solved(StrEnum):
    """The answer to the follow-up question "was it solved?"."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


def complains(stars: int, solved: str) -> bool:
    """Whether the words of such a rating ask for more: not solved, or not done well."""
    return solved != Solved.YES or stars <= 2


class BreachCode(StrEnum):
    """Why a promise was broken."""

    WAITING_EXTERNAL = "waiting_external"
    OVERLOAD = "overload"
    UNCLEAR_OWNER = "unclear_owner"
    INVESTIGATION = "investigation"
    OVERSIGHT = "oversight"
    OTHER = "other"


BREACH_NAMES: dict[BreachCode, tuple[str, str]] = {
    BreachCode.WAITING_EXTERNAL: ("等外部单位", "waiting for others outside"),
    BreachCode.OVERLOAD: ("人手不足", "too much work"),
    BreachCode.UNCLEAR_OWNER: ("归属不清", "unclear who is responsible"),
    BreachCode.INVESTIGATION: ("查明情况需要时间", "finding out took long"),
    BreachCode.OVERSIGHT: ("疏忽", "an oversight"),
    BreachCode.OTHER: ("其他原因", "another reason"),
}
"""Chinese, English."""


class FollowUpHow(StrEnum):
    """How the office asked the reporter afterwards."""

    PHONE = "phone"
    WECHAT = "wechat"
    MAIL = "mail"
    IN_PERSON = "in_person"


class RefusalReason(StrEnum):
    """Why what a reporter asked for changed nothing."""

    TOO_LATE = "too_late"
    TOO_OFTEN = "too_often"
    NOT_POSSIBLE_NOW = "not_possible_now"
    OTHER = "other"


STATE_NAMES: dict[State, tuple[str, str]] = {
    State.RECEIVED: ("已收到", "Received"),
    State.TRIAGE: ("待整理", "Being sorted"),
    State.DISPATCHED: ("待签收", "Sent to a department"),
    State.ACCEPTED: ("已签收", "Accepted"),
    State.IN_PROGRESS: ("办理中", "In progress"),
    State.WAITING_USER: ("待用户补充", "Waiting for you"),
    State.WAITING_EXTERNAL: ("待外部单位", "Waiting for others"),
    State.IN_REVIEW: ("答复待审", "Reply in review"),
    State.REPLIED: ("已答复", "Replied"),
    State.CLOSED: ("已办结", "Closed"),
    State.APPEALED: ("复核中", "Appeal under review"),
    State.REJECTED: ("不予受理", "Not accepted"),
    State.MERGED: ("已并案", "Joined to another"),
    State.WITHDRAWN: ("已撤回", "Withdrawn"),
    State.SPAM: ("无效", "Invalid"),
}
"""State → (Chinese, English)."""

CLOCK_NAMES: dict[Clock, tuple[str, str]] = {
    Clock.TRIAGE: ("派单", "sorting"),
    Clock.ACCEPT: ("签收", "acceptance"),
    Clock.FIRST_RESPONSE: ("首次响应", "first response"),
    Clock.NEXT_RESPONSE: ("再次响应", "next response"),
    Clock.RESOLUTION: ("办结", "resolution"),
    Clock.REVIEW: ("审核", "review"),
    Clock.FOLLOW_UP: ("回访", "follow-up"),
    Clock.APPEAL: ("复核", "appeal"),
}
"""Clock → (Chinese, English); the English as it stands within a sentence."""

CONFIDENTIAL_CATEGORY = "conduct"
"""Cases of this category are confidential, whether or not their reporter asked for it."""

ALARM_NAMES: dict[str, tuple[str, str]] = {
    "collapsed": ("有人倒下、叫不应", "somebody collapsed or does not respond"),
    "seizure": ("有人抽搐", "somebody has a seizure"),
    "breathing": ("有人喘不上气、噎住或过敏", "somebody cannot breathe"),
    "bleeding": ("有人受伤、流血", "somebody is hurt or bleeds"),
    "burning": ("有人烫伤、烧伤", "somebody is scalded or burnt"),
    "fire": ("起火、冒烟、焦味", "fire, smoke, a smell of burning"),
    "gas": ("煤气味、刺鼻气体", "a smell of gas, fumes"),
    "water_electric": ("水碰到电、漏电、大量漏水", "water near electricity, a shock, a flood"),
    "lift": ("电梯困人", "people stuck in a lift"),
    "locked": ("有人被关、被夹住", "somebody locked in or caught"),
    "exit": ("安全出口不通", "an emergency exit that is blocked"),
    "threat": ("打斗、威胁、尾随、偷拍", "violence, a threat, stalking, secret filming"),
    "suicide": ("有人可能轻生", "somebody may take their own life"),
    "falling": ("东西倒塌、坠落", "something collapses or falls"),
    "child": ("孩子、老人走失或无人看管", "a child or an old person lost"),
    "panic": ("拥挤、恐慌", "a crush, a panic"),
    "leak": ("个人信息外泄", "personal data laid open"),
    "outage": ("整个平台瘫痪", "a whole platform is down"),
}
"""What an alarm by meaning is about: Chinese, English."""
