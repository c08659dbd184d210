"""Codes as people read them, and the one icon and colour each state has on every page.

Chinese is the source; ``locales/`` has the other languages, each kind of code in a context.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.contracts.vocabulary import CLOCK_NAMES, STATE_NAMES, Clock, State
from shared.web import catalogue

STATE_ICONS: dict[str, str] = {
    "RECEIVED": "inbox",
    "TRIAGE": "sort",
    "DISPATCHED": "send",
    "ACCEPTED": "stamp",
    "IN_PROGRESS": "work",
    "WAITING_USER": "question",
    "WAITING_EXTERNAL": "building",
    "IN_REVIEW": "eye",
    "REPLIED": "reply",
    "CLOSED": "done",
    "APPEALED": "scales",
    "REJECTED": "refuse",
    "MERGED": "merge",
    "WITHDRAWN": "undo",
    "SPAM": "ban",
}
"""State → symbol in ``icons.svg``; the colour is the CSS class ``state-<state in lower case>``."""

SPLIT = "SPLIT"
"""No state of a case, but how one is shown that goes on as its parts: else it reads as joined."""
_SPLIT_NAMES = ("已拆分", "Split")

OUTCOMES: dict[str, str] = {
    "solved": "已解决",
    "explained": "已说明原因",
    "partly": "解决了一部分",
    "cannot": "目前做不到",
    "passed_on": "已转相关单位",
    "no_longer_needed": "已不需要处理",
}
TYPES: dict[str, str] = {
    "complaint": "投诉",
    "request": "请求",
    "suggestion": "建议",
    "inquiry": "咨询",
    "praise": "表扬",
}
PRIORITIES: dict[str, str] = {
    "P1": "紧急",
    "P2": "高",
    "P3": "普通",
    "P4": "低",
}
"""How soon, and nothing of what it is about: a suggestion is a type."""
CHANNELS: dict[str, str] = {
    "web": "网页",
    "desk": "服务台",
    "wechat": "微信",
    "email": "邮件",
    "phone": "电话",
    "class_group": "班级群",
    "survey": "问卷",
    "meeting": "座谈会",
    "proposal": "提案",
    "staff": "馆员发现",
    "api": "系统接入",
}
GROUPS: dict[str, str] = {
    "students": "学生",
    "undergraduates": "本科生",
    "graduates": "研究生",
    "teachers": "教师",
    "faculty": "教研人员",
    "staff": "职工",
    "alumni": "校友",
    "visitors": "访客",
}
"""Usual groups of reporters; a library may have others, which are called by their code."""
CHANNEL_ICONS: dict[str, str] = {
    "web": "globe",
    "desk": "desk",
    "wechat": "chat",
    "email": "mail",
    "phone": "phone",
    "class_group": "chat",
    "survey": "globe",
    "meeting": "desk",
    "proposal": "desk",
    "staff": "desk",
    "api": "plug",
}


LOCALES = Path(__file__).parent / "locales"


def pick(
    kind: str | None, table: Mapping[str, str], code: object, locale: str, locales: Path = LOCALES
) -> str:
    """The name of `code` in `locale`, by the catalogue in `locales`; an unknown code as it is.

    `kind` is the context in the catalogue: 签收 is one thing as a clock, another as an action.
    """
    zh = table.get(str(code)) if code else None
    if zh is None:
        return str(code or "")
    return catalogue.load([locales], locale).get(catalogue.in_context(kind, zh), zh)


def state_name(code: object, locale: str = "zh") -> str:
    """A state as staff read it: 已收到, 办理中, …."""
    if code == SPLIT:
        return _SPLIT_NAMES[locale != "zh"]
    if code == State.WAITING_USER:
        return "待用户补充" if locale == "zh" else "Waiting for reporter"
    pair = STATE_NAMES.get(State(str(code))) if code in State._value2member_map_ else None
    return pair[locale != "zh"] if pair else str(code or "")


def shown_as(state: object, *, split: object) -> str:
    """The code that a state is shown by: what goes on as its parts was joined to no other case."""
    return SPLIT if split and state == State.MERGED else str(state)


def as_shown(one: Mapping[str, Any]) -> str:
    """The same of a line of a list: its `state`, and whether it was `split`."""
    return shown_as(one["state"], split=one.get("split"))


def clock_name(code: object, locale: str = "zh") -> str:
    """A clock as a heading: 派单, "Sorting"; an unknown code as it is."""
    if code not in Clock._value2member_map_:
        return str(code or "")
    zh, en = CLOCK_NAMES[Clock(str(code))]
    return zh if locale == "zh" else en.capitalize()
