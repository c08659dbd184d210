"""What the lists behind the numbers say about a line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from services.tracking.domain.behind import ALL_BUT
from services.tracking.domain.measures import COUNTS, RETURN_RATE, Found
from services.tracking.wording.messages import translate
from shared.contracts.vocabulary import BREACH_NAMES, BreachCode
from shared.web import names

AGE_NAMES = (
    ("一天以内", "within a day"),
    ("1–3 天", "1–3 days"),
    ("3–7 天", "3–7 days"),
    ("7–14 天", "7–14 days"),
    ("14–30 天", "14–30 days"),
    ("30 天以上", "more than 30 days"),
)
"""The bands of ages, youngest first."""
DAY_NAMES = (
    ("周一", "Mon"),
    ("周二", "Tue"),
    ("周三", "Wed"),
    ("周四", "Thu"),
    ("周五", "Fri"),
    ("周六", "Sat"),
    ("周日", "Sun"),
)
PRESETS = (
    (
        ("today", "今天"),
        ("week", "本周"),
        ("month", "本月"),
        ("term", "本学期"),
        ("custom", "自选日期"),
    ),
    (
        ("today", "Today"),
        ("week", "This week"),
        ("month", "This month"),
        ("term", "This term"),
        ("custom", "Other dates"),
    ),
)
"""Periods by name: Chinese, English."""
REPORTS = (
    (("week", "周报"), ("month", "月报"), ("term", "学期报告")),
    (("week", "Week"), ("month", "Month"), ("term", "Term")),
)
"""Kinds of reports by name: Chinese, English."""
HIDDEN = ("（保密）", "(confidential)")
"""Stands for the words of a confidential case."""
_IN_TIME = frozenset(
    {
        "on_time",
        "response_rate",
        "accept_hours",
        "first_response_hours",
        "resolution_hours",
        "closed",
        "closed_in_time",
        "first_responses",
        "accepted",
    }
)


def group_words(code: str, locale: str) -> str:
    """What a group of reporters is called."""
    return names.pick("group", names.GROUPS, code, locale)


def reason_words(code: str, locale: str) -> str:
    """Why a deadline was missed; an unknown code as it is."""
    if code not in BreachCode._value2member_map_:
        return code
    return BREACH_NAMES[BreachCode(code)][locale == "en"]


def filter_words(
    asked: Any,
    locale: str,
    department: Callable[[str], str],
    category: Callable[[str], str],
) -> list[tuple[str, str]]:
    """The filters in words, for who reads them on paper: ``(name, value)``."""
    priority = names.pick("priority", names.PRIORITIES, asked.priority, locale)
    said = (
        ("部门", "Department", asked.department and department(asked.department)),
        ("类别", "Category", asked.category and category(asked.category)),
        ("渠道", "Channel", names.pick("channel", names.CHANNELS, asked.channel, locale)),
        ("优先级", "Priority", asked.priority and f"{asked.priority} {priority}"),
        ("读者", "Readers", asked.reporter_group and group_words(asked.reporter_group, locale)),
    )
    return [(en if locale == "en" else zh, value) for zh, en, value in said if value]


MOMENTS: dict[Found, tuple[str, str]] = {
    Found.OPEN: ("下一个期限", "Next due"),
    Found.RECEIVED: ("收到", "Received"),
    Found.FIRST_DUE: ("首次响应到期", "First response due"),
    Found.DISPATCH: ("派出", "Sent"),
    Found.REPLY: ("最近一次答复", "Last reply"),
    Found.RATING: ("评价", "Rated"),
    Found.RETURN: ("退回", "Returned"),
    Found.BREACH: ("超期", "Missed"),
    Found.REASON: ("说明原因", "Explained"),
    Found.STATE: ("走完这一步", "Past this step"),
    Found.HANDS: ("交出", "Done with"),
    Found.UNDELIVERED: ("没有送达", "Failed"),
    Found.UNCERTAIN: ("没有回音", "No answer"),
    Found.RESOLUTION: ("办结", "Resolved"),
    Found.FIRST_RESPONSE: ("首次响应", "First response"),
    Found.ACCEPT: ("签收", "Accepted"),
    Found.LATE: ("办结", "Resolved"),
}
"""What the moment of a line is, by where it is found: Chinese, English."""
_FIRST = {
    Found.DISPATCH: ("首次派出", "First sent"),
    Found.REPLY: ("首次答复", "First reply"),
}
"""The same of a case that is counted once, by the first time."""


def moment_words(sums: tuple[str, ...], locale: str) -> str:
    """What the times in the list behind these sums are."""
    counted = COUNTS[sums[0]]
    words = MOMENTS[counted.found]
    if not counted.each and sums[0] != "outcome":
        words = _FIRST.get(counted.found, words)
    return words[locale == "en"]


def adds_words(measure: str, adds: float, locale: str) -> str:
    """How a line counts towards a rate: in time or late, else how much it adds."""
    say = partial(translate, locale=locale)
    if measure in _IN_TIME:
        return say("按时") if adds else say("超期")
    if measure == RETURN_RATE.key:
        return say("退回了") if adds else say("没有退回")
    if measure == "hops":
        return say("派了 1 次" if adds == 1 else "派了 {n} 次").format(n=int(adds))
    if adds and adds != 1:
        return say("算 {n}").format(n=adds)
    return say("算在内") if adds else say("不算在内")


def detail_words(
    measure: str,
    detail: str,
    locale: str,
    department: Callable[[str], str],
    category: Callable[[str], str],
) -> str:
    """What a detail is called."""
    english = locale == "en"
    match measure:
        case "state" | "dwell":
            return names.state_name(detail, locale)
        case "breaches":
            return names.clock_name(detail, locale)
        case "reasons":
            return reason_words(detail, locale)
        case "outcome":
            return names.pick("outcome", names.OUTCOMES, detail, locale)
        case "channel" | "undelivered" | "uncertain":
            return names.pick("channel", names.CHANNELS, detail, locale)
        case "category" if detail.startswith(ALL_BUT):
            return translate("其他", locale)
        case "category":
            return category(detail)
        case "group":
            return group_words(detail, locale)
        case "dispatches":
            if not detail:
                return translate("首次派出", locale)
            return translate("从{name}", locale).format(name=department(detail))
        case "open_since" if detail.isdigit() and int(detail) < len(AGE_NAMES):
            return AGE_NAMES[int(detail)][english]
        case "arrived" if detail[:1].isdigit() and 1 <= int(detail[0]) <= 7:
            return f"{DAY_NAMES[int(detail[0]) - 1][english]} {detail[2:]}:00"
        case "due":
            return detail[:10]
    return detail
