"""What was read of days that are over: they change seldom, and are not read for every comment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.tracking.domain.bands import Bands
from services.tracking.domain.board import Percentiles, Question
from services.tracking.domain.periods import day_of
from services.tracking.domain.sums import Sum

MOST = 60
"""How many questions are remembered."""
AT_MOST = timedelta(minutes=1)
"""So long is it believed: the release before counts no changes, and may be writing beside."""


@dataclass(frozen=True)
class Past:
    """The sums of the days before today that make a part of an answer."""

    sums: Sequence[Sum]
    bands: Mapping[tuple[str, bool], Bands]
    """By clock, in the period or (True) before it."""
    percentiles: Mapping[tuple[str, bool], Percentiles]
    """Of the same."""
    changed: int
    """How often those days had changed before it was read."""
    read: datetime


class KeptDays:
    """The past of some questions, by what is asked and by the day it is asked on."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Question, datetime], Past] = {}

    def get(self, question: Question, changed: int) -> Past | None:
        """What was read, if those days have changed so often and no oftener."""
        past = self._kept.get(_key(question))
        if past is None or past.changed != changed:
            return None
        return past if timedelta(0) <= question.now - past.read < AT_MOST else None

    def keep(self, question: Question, past: Past) -> None:
        """Keep it; the oldest makes room."""
        self._kept.pop(_key(question), None)
        while len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[_key(question)] = past


def _key(question: Question) -> tuple[Question, datetime]:
    return replace(question, now=question.first, restricted=False), day_of(question.now)
