"""Whether what was done about a theme helped: the cases of four weeks before and after, by a rule
that can be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from shared.contracts.desk import ThemeListed, ThemeMeasure
from shared.moments import LOCAL

WEEKS = 4
"""So many before a measure are held against as many after it."""
LEAST_BEFORE = 5
"""Cases in the weeks before: of fewer nothing can be said."""
FEWER, MORE = 2 / 3, 4 / 3
"""It helped where at most two thirds as many came; one third more is worse."""
LONGEST_CHAIN = 20
"""Themes merged into each other; a ring, which nobody should have made, ends here."""
SHOWN_WEEKS = 12


class Helped(StrEnum):
    """What the weeks after a measure say."""

    YES = "yes"
    NO_CHANGE = "no_change"
    WORSE = "worse"
    TOO_FEW = "too_few"
    NOT_YET = "not_yet"
    """Its four weeks are not over."""


@dataclass(frozen=True)
class Around:
    """What came in the weeks around a day."""

    on: date
    before: tuple[int, ...]
    """Cases received week by week, the four before the day."""
    after: tuple[int, ...]
    """From the day on; of a week that is not over, what came so far."""
    helped: Helped

    @property
    def over_on(self) -> date:
        """The day on which the four weeks after it are over."""
        return self.on + timedelta(weeks=WEEKS)


@dataclass(frozen=True)
class Judged(Around):
    """A measure, and what came in the weeks around it."""

    measure: ThemeMeasure


def judge(measure: ThemeMeasure, days: Counter[date], until: date) -> Judged:
    """`days`: received cases of the theme by local day; `until`: the first day not known yet."""
    found = around(measure.on, days, until)
    return Judged(found.on, found.before, found.after, found.helped, measure)


def around(on: date, days: Counter[date], until: date) -> Around:
    """The four weeks after any day held against those before: a theme for which nothing was done
    is looked at again, too, from the day on which somebody took note of it."""
    before = _weeks(days, on - timedelta(weeks=WEEKS), until)
    after = _weeks(days, on, until)
    return Around(on, before, after, _helped(sum(before), sum(after), on, until))


def _weeks(days: Counter[date], first: date, until: date) -> tuple[int, ...]:
    return tuple(_week(days, first + timedelta(weeks=week), until) for week in range(WEEKS))


def _week(days: Counter[date], first: date, until: date) -> int:
    each = (first + timedelta(days=n) for n in range(7))
    return sum(days[day] for day in each if day < until)


def _helped(before: int, after: int, on: date, until: date) -> Helped:
    if until < on + timedelta(weeks=WEEKS):
        return Helped.NOT_YET
    if before < LEAST_BEFORE:
        return Helped.TOO_FEW
    if after <= FEWER * before:
        return Helped.YES
    return Helped.WORSE if after >= MORE * before else Helped.NO_CHANGE


def by_day(received: Sequence[datetime]) -> Counter[date]:
    """How many were received on each local day."""
    return Counter(at.astimezone(LOCAL).date() for at in received)


def week_by_week(days: Counter[date], until: date) -> list[tuple[date, int]]:
    """The Monday and the cases of the last weeks, the one of yesterday the last."""
    last = until - timedelta(days=1)
    monday = last - timedelta(days=last.weekday())
    mondays = [monday - timedelta(weeks=n) for n in reversed(range(SHOWN_WEEKS))]
    return [(one, _week(days, one, until)) for one in mondays]


def gathered(themes: Mapping[str, ThemeListed]) -> list[tuple[ThemeListed, list[str]]]:
    """Every theme that stands for itself, with its cases and those of what was merged into it."""
    cases: dict[str, dict[str, None]] = {}
    for one in themes.values():
        home = _home(themes, one.theme_id)
        cases.setdefault(home, {}).update(dict.fromkeys(c.case for c in one.cases))
    own = [one for one in themes.values() if _home(themes, one.theme_id) == one.theme_id]
    order = {"open": 0, "kept": 1}
    own.sort(key=lambda one: (order.get(one.status, 2), -len(cases[one.theme_id]), one.theme_id))
    return [(one, list(cases[one.theme_id])) for one in own]


def _home(themes: Mapping[str, ThemeListed], theme_id: str) -> str:
    for _ in range(LONGEST_CHAIN):
        into = themes[theme_id].merged_into
        if into is None or into not in themes:
            return theme_id
        theme_id = into
    return theme_id
