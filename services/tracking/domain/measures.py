"""Every measure once: what it counts, what it rests on, and its formula.

`COUNTS` are the sums that are kept (`counting.py` says what a case adds to each); `MEASURES` are
made of them. Board, reports and `/metrics` read both here, and so do the people who ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

from shared.contracts.vocabulary import Clock

Words = tuple[str, str]
"""(Chinese, English)."""


class Found(StrEnum):
    """Where what a sum is made of is found; see `Counted`."""

    OPEN = "open"
    RECEIVED = "received"
    FIRST_DUE = "first_due"
    LATE = "late"
    """Open when the period ended, and the promise to the reporter was broken."""
    DISPATCH = "dispatch"
    REPLY = "reply"
    RATING = "rating"
    RETURN = "return"
    BREACH = "breach"
    REASON = "reason"
    STATE = "state"
    HANDS = "hands"
    UNDELIVERED = "undelivered"
    UNCERTAIN = "uncertain"
    """Whether a message arrived, nobody can know."""
    RESOLUTION = "RESOLUTION"
    FIRST_RESPONSE = "FIRST_RESPONSE"
    ACCEPT = "ACCEPT"


@dataclass(frozen=True)
class Counted:
    """A sum that is kept: what it counts, and where that is found.

    A case is counted once, in the hour or day its own state says, unless `each`: then whatever
    happened is counted, however often to a case, and stays where it was.
    """

    name: Words
    found: Found
    each: bool = False


def _each(found: Found, zh: str, en: str) -> Counted:
    return Counted((zh, en), found, each=True)


def _cases(found: Found, zh: str, en: str) -> Counted:
    return Counted((zh, en), found)


COUNTS: dict[str, Counted] = {
    "state": _cases(Found.OPEN, "现在处于这一步的", "at this step now"),
    "open": _cases(Found.OPEN, "未办结的", "open"),
    "overdue": _cases(Found.OPEN, "已超期、未办结的", "open and past a deadline"),
    "due": _cases(Found.OPEN, "这一天到期的", "due on this day"),
    "at_risk": _cases(Found.OPEN, "已预警、尚未超期的", "warned of and not overdue yet"),
    "open_since": _cases(
        Found.OPEN, "这些天收到、还未办结的", "received on these days, still open"
    ),
    "late": _cases(
        Found.LATE,
        "办结期限超过了、还未办结的（另定了新期限也算）",
        "open, and the promised date was missed, whether or not there is a new one",
    ),
    "received": _cases(Found.RECEIVED, "收到的", "received"),
    "channel": _cases(Found.RECEIVED, "经这个渠道收到的", "received on this channel"),
    "category": _cases(Found.RECEIVED, "收到的这一类", "received of this category"),
    "group": _cases(Found.RECEIVED, "收到的这一群读者的", "received from this group of reporters"),
    "arrived": _cases(
        Found.RECEIVED, "在一周的这个时段收到的", "received at this time of the week"
    ),
    "promised": _cases(Found.RECEIVED, "收到并答应了办结期限的", "received and promised a date"),
    "extended": _cases(Found.RECEIVED, "收到的当中延过期的", "received, and extended since"),
    "broken": _cases(
        Found.RECEIVED, "收到的当中办结超过期的", "received, and the promised date was missed"
    ),
    "dispatched": _cases(Found.DISPATCH, "首次派出的", "sent to a department for the first time"),
    "dispatched_right": _cases(Found.DISPATCH, "一次派准的", "sent once and never returned"),
    "returned": _cases(Found.DISPATCH, "首次派出、后来被退过的", "sent out and returned since"),
    "hops": _cases(Found.DISPATCH, "派出的次数", "times sent to a department"),
    "answered": _cases(Found.REPLY, "首次答复的", "answered for the first time"),
    "reopened": _cases(Found.REPLY, "首次答复、后来重开过的", "answered and reopened since"),
    "outcome": _cases(Found.REPLY, "最近一次答复在这段时间的", "whose last reply was then"),
    "asked": _cases(Found.RATING, "说了是否解决的", "whose reporter said whether it was solved"),
    "solved_halves": _cases(Found.RATING, "说解决了或部分解决的", "said to be solved, or partly"),
    "ratings": _cases(Found.RATING, "打了星的", "with stars"),
    "satisfied": _cases(Found.RATING, "四星以上的", "with four stars or more"),
    "first_due": _cases(Found.FIRST_DUE, "首次响应到期的", "whose first response was due"),
    "first_in_time": _cases(Found.FIRST_DUE, "首次响应按时的", "first answered in time"),
    "closed": _each(Found.RESOLUTION, "办结的", "resolved"),
    "closed_in_time": _each(Found.RESOLUTION, "按时办结的", "resolved in time"),
    "first_responses": _each(Found.FIRST_RESPONSE, "首次响应的", "first answered"),
    "accepted": _each(Found.ACCEPT, "签收的", "accepted"),
    "dispatches": _each(
        Found.DISPATCH, "派到部门的（每次都算）", "sent to a department, each time"
    ),
    "returns": _each(Found.RETURN, "部门退回的（每次都算）", "returned by a department, each time"),
    "breaches": _each(Found.BREACH, "超过期的期限（每个都算）", "deadlines missed, each of them"),
    "reasons": _each(
        Found.REASON, "说明了原因的（每个算一次）", "misses that were explained, each of them once"
    ),
    "dwell": _each(Found.STATE, "走完这一步的（每次都算）", "past this step, each time"),
    "hands": _each(
        Found.HANDS, "经一个部门办完的（每次都算）", "a department was done with, each time"
    ),
    "undelivered": _each(Found.UNDELIVERED, "没有送达的消息", "messages that did not arrive"),
    "uncertain": _each(
        Found.UNCERTAIN,
        "不知道有没有送达的消息",
        "messages of which nobody knows whether they arrived",
    ),
}
"""Name of a sum → what it counts. `received_day` is `received` by day; sums of seconds, what was
`sent_back` of the dispatches of a day, and the flows, from which the levels of earlier days are
counted back, list no cases of their own."""


class Unit(StrEnum):
    """How a measure is said."""

    RATE = "rate"
    MEAN = "mean"
    HOURS = "hours"
    """Median and ninth decile, in working hours."""


@dataclass(frozen=True)
class Figure:
    """A value and the number it rests on; None where that is 0."""

    value: float | None
    n: int


@dataclass(frozen=True)
class Measure:
    """A measure. Its value is `weight` times the sum of `part`, divided by the sum of `whole`."""

    key: str
    name: Words
    counts: Words
    rests_on: Words
    unit: Unit = Unit.RATE
    part: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    weight: float = 1.0
    clock: Clock | None = None
    """Of a measure in hours: whose working time."""
    less_is_better: bool = False

    def of(self, totals: Mapping[str, int]) -> Figure:
        """The measure, of sums by name; ``outcome:solved`` is the sum of one detail."""
        n = sum(totals.get(name, 0) for name in self.whole)
        if not n:
            return Figure(None, 0)
        part = sum(totals.get(name, 0) for name in self.part)
        return Figure(self.weight * part / n, n)


def _rate(
    key: str,
    name: Words,
    part: str,
    whole: tuple[str, ...],
    counts: Words,
    rests_on: Words,
    *,
    weight: float = 1.0,
    less_is_better: bool = False,
) -> Measure:
    return Measure(
        key,
        name,
        counts,
        rests_on,
        part=(part,),
        whole=whole,
        weight=weight,
        less_is_better=less_is_better,
    )


def _hours(key: str, name: Words, clock: Clock, counts: Words) -> Measure:
    rests_on = (
        "这段时间内完成的；中位数和九成数由每档宽 2% 的分布得出，误差不超过 2% 或一分钟",
        "those that were completed in the period; median and ninth decile are read off bands"
        " 2 % wide, and are at most 2 % or a minute off",
    )
    return Measure(key, name, counts, rests_on, unit=Unit.HOURS, clock=clock, less_is_better=True)


_ALL: tuple[Measure, ...] = (
    _rate(
        "response_rate",
        ("响应率", "Response rate"),
        "first_in_time",
        ("first_due",),
        ("期限之内有人公开回应过", "first answered by a person before the deadline"),
        (
            "首次响应在这段时间到期，且已回应或已超期",
            "first responses due in the period, given or missed",
        ),
    ),
    _rate(
        "on_time",
        ("按时办结率", "On-time rate"),
        "closed_in_time",
        ("closed", "late"),
        (
            "在办结期限之内答复；重开不改前一次",
            "resolved before the promised date; a reopening changes nothing about the first time",
        ),
        (
            "这段时间办结的，加上期末还未办结、办结期限超过了的（另定了新期限也算），谁也藏不住",
            "resolved in the period, and those open at its end whose promised date was missed, with"
            " or without a new one: none can hide",
        ),
    ),
    _rate(
        "resolution_rate",
        ("解决率", "Resolution rate"),
        "solved_halves",
        ("asked",),
        ("读者说解决了；部分解决算一半", "said to be solved by the reporter; partly counts half"),
        (
            "这段时间回答了“解决了吗”的读者，回访也算",
            "reporters who said in the period whether it was solved, also when asked by telephone",
        ),
        weight=0.5,
    ),
    _rate(
        "satisfaction",
        ("满意率", "Satisfaction rate"),
        "satisfied",
        ("ratings",),
        ("五星里给了四星以上", "four stars of five, or more"),
        ("这段时间打星的读者", "reporters who gave stars in the period"),
    ),
    _rate(
        "solved",
        ("解决的占比", "Share solved"),
        "outcome:solved",
        ("outcome",),
        (
            "答复的结果是“已解决”；说明了原因的不算",
            "replies whose outcome is “solved”; what was only explained does not count",
        ),
        ("最近一次答复在这段时间的", "cases whose last reply was in the period"),
    ),
    _rate(
        "overdue_rate",
        ("超期率", "Overdue rate"),
        "broken",
        ("promised",),
        ("办结期限曾经超过；延期抹不掉", "the promised date was missed; no extension undoes it"),
        ("这段时间收到、答应了期限的", "received in the period and promised a date"),
        less_is_better=True,
    ),
    _rate(
        "extended",
        ("延期率", "Extension rate"),
        "extended",
        ("promised",),
        ("批准过延期", "an extension was granted"),
        ("这段时间收到、答应了期限的", "received in the period and promised a date"),
        less_is_better=True,
    ),
    _rate(
        "reopened",
        ("重开率", "Reopening rate"),
        "reopened",
        ("answered",),
        ("答复之后又重开", "reopened after the reply"),
        ("这段时间首次答复的", "first answered in the period"),
        less_is_better=True,
    ),
    _rate(
        "first_dispatch",
        ("一次派准率", "First-dispatch accuracy"),
        "dispatched_right",
        ("dispatched",),
        ("只派过一次，也没有被退", "sent to one department once, and never returned"),
        ("这段时间首次派出的", "first sent out in the period"),
    ),
    _rate(
        "returned",
        ("退单率", "Return rate"),
        "returned",
        ("dispatched",),
        ("被部门退过", "returned by a department"),
        ("这段时间首次派出的", "first sent out in the period"),
        less_is_better=True,
    ),
    Measure(
        "hops",
        ("流转次数", "Hops"),
        ("平均派到几个部门", "departments a case was sent to, on average"),
        ("这段时间首次派出的", "first sent out in the period"),
        unit=Unit.MEAN,
        part=("hops",),
        whole=("dispatched",),
        less_is_better=True,
    ),
    _hours(
        "accept_hours",
        ("签收用时", "Time to accept"),
        Clock.ACCEPT,
        ("从派出到签收的工作时间", "working time from dispatch to acceptance"),
    ),
    _hours(
        "first_response_hours",
        ("首次响应用时", "Time to first response"),
        Clock.FIRST_RESPONSE,
        (
            "从收到到第一次有人公开回应的工作时间",
            "working time from receipt to the first public word of a person",
        ),
    ),
    _hours(
        "resolution_hours",
        ("办结用时", "Time to resolution"),
        Clock.RESOLUTION,
        (
            "从收到到答复的工作时间，等读者补充的不算",
            "working time from receipt to reply, without waiting for the reporter",
        ),
    ),
)
MEASURES: dict[str, Measure] = {one.key: one for one in _ALL}

RETURN_RATE = _rate(
    "return_rate",
    ("退单率", "Return rate"),
    "sent_back",
    ("dispatches",),
    ("后来被这个部门退回的", "those that this department returned since"),
    ("这段时间派给它的次数", "how often it was sent one in the period"),
    less_is_better=True,
)
HANDS = Measure(
    "hands_hours",
    ("在手时间", "Time in hand"),
    ("这个部门从接手到交出的平均工作时间", "working time in this department's hands, on average"),
    ("这段时间从它手里交出的", "those it was done with in the period"),
    unit=Unit.MEAN,
    part=("hands_seconds",),
    whole=("hands",),
    weight=1 / 3600,
    less_is_better=True,
)
DWELL = Measure(
    "dwell_hours",
    ("停留", "Dwell"),
    ("在一步上停留的平均时间，按自然时间", "time at one step on average, by the clock"),
    ("这段时间离开这一步的", "those that left it in the period"),
    unit=Unit.MEAN,
    part=("dwell_seconds",),
    whole=("dwell",),
    weight=1 / 3600,
    less_is_better=True,
)
BY_DEPARTMENT = (
    MEASURES["on_time"],
    MEASURES["response_rate"],
    MEASURES["solved"],
    MEASURES["satisfaction"],
    RETURN_RATE,
    HANDS,
)
"""What departments are held beside each other by; ranked by the first."""


def lower_bound(rate: float, n: int, z: float = 1.96) -> float:
    """The lower end of Wilson's 95 % interval: 3 of 3 is 0.44, 95 of 100 is 0.89."""
    middle = rate + z * z / (2 * n)
    spread = z * sqrt((rate * (1 - rate) + z * z / (4 * n)) / n)
    return (middle - spread) / (1 + z * z / n)


def is_surge(today: int, usual: float) -> bool:
    """Whether so many are more than what chance brings where `usual` come: three deviations."""
    return today >= 5 and today > usual + 3 * sqrt(max(1.0, usual))
