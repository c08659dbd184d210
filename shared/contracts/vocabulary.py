"""The words every service uses: states, clocks, roles, outcomes, departments, categories.

Codes travel in events, tables and HTTP; the Chinese and English names beside them are what
people read. A reader that meets a code it does not know treats it as ``OTHER`` (see `lenient`).
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
    """P1 urgent … P4 suggestion."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Channel(StrEnum):
    """The door a comment came through."""

    WEB = "web"
    DESK = "desk"
    WECHAT = "wechat"
    EMAIL = "email"
    PHONE = "phone"
    API = "api"
    OTHER = "other"


class Solved(StrEnum):
    """The answer to the follow-up question "was it solved?"."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


DEPARTMENTS: dict[str, tuple[str, str]] = {
    "circulation": ("流通服务部", "Circulation"),
    "space": ("空间与读者服务部", "Space and Reader Services"),
    "eresources": ("资源建设部电子资源组", "E-resources"),
    "it": ("信息系统部", "Information Systems"),
    "facilities": ("后勤保障", "Facilities"),
    "office": ("馆办公室", "Library Office"),
    "acquisition": ("资源建设部采访组", "Acquisition"),
    "catalogue": ("编目典藏部", "Cataloguing and Stacks"),
    "events": ("文化活动部", "Cultural Events"),
    "special": ("特藏部", "Special Collections"),
    "reference": ("学科服务部", "Reference and Subject Services"),
    "ill": ("馆际互借组", "Interlibrary Loan"),
    "desk": ("综合服务台口", "Service Desk"),
    "security": ("保卫", "Security"),
    "relations": ("用户关系办公室", "User Relations Office"),
}
"""Shipped departments: code → (Chinese, English). Desk owns the live list and publishes it on
``feedback.directory``; this is what `setup` loads the first time."""

CATEGORIES: dict[str, tuple[str, str, str]] = {
    "circulation": ("借阅流通", "Circulation", "circulation"),
    "seats": ("座位与空间", "Seats and space", "space"),
    "eresources": ("电子资源与数据库", "E-resources and databases", "eresources"),
    "offcampus": ("校外访问与认证", "Off-campus access", "it"),
    "facilities": ("设施环境", "Facilities", "facilities"),
    "conduct": ("服务态度与纪律", "Staff conduct", "relations"),
    "systems": ("系统平台", "Systems", "it"),
    "acquisition": ("馆藏荐购", "Acquisition", "acquisition"),
    "catalogue": ("书目与排架", "Catalogue and shelving", "catalogue"),
    "events": ("活动讲座与展览", "Events and exhibitions", "events"),
    "special": ("古籍特藏", "Special collections", "special"),
    "reference": ("参考咨询与学科服务", "Reference", "reference"),
    "ill": ("馆际互借", "Interlibrary loan", "ill"),
    "rules": ("开放时间与规章", "Hours and rules", "office"),
    "entry": ("入馆与证件", "Entry and cards", "desk"),
    "printing": ("打印与研讨间设备", "Printing and study rooms", "space"),
    "safety": ("安全与失物", "Safety, lost and found", "security"),
    "accessibility": ("无障碍", "Accessibility", "office"),
    "international": ("国际学生", "International students", "reference"),
    "praise": ("表扬", "Praise", "relations"),
    "not_ours": ("非本馆事务", "Not the library's", "relations"),
}
"""Shipped categories: code → (Chinese, English, owning department)."""

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
