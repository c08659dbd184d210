"""The table of cases that a report can be taken away as: its columns, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.tracking.domain.case import title_of
from services.tracking.wording.board import HIDDEN, group_words
from shared.contracts.vocabulary import Clock
from shared.spreadsheets import Cell
from shared.web import names

Words = tuple[str, str]
SOLVED: dict[str, Words] = {"yes": ("是", "yes"), "partly": ("部分", "partly"), "no": ("否", "no")}
YES_NO: tuple[Words, Words] = (("否", "no"), ("是", "yes"))
HEADER: tuple[Words, ...] = (
    ("编号", "Case"),
    ("收到", "Received"),
    ("渠道", "Channel"),
    ("地点", "Place"),
    ("标题", "Title"),
    ("状态", "State"),
    ("部门", "Department"),
    ("类别", "Category"),
    ("类型", "Type"),
    ("优先级", "Priority"),
    ("读者群", "Readers"),
    ("派出次数", "Times sent"),
    ("退单次数", "Returns"),
    ("重开次数", "Reopenings"),
    ("首次派出", "First sent"),
    ("首次答复", "First reply"),
    ("最近答复", "Last reply"),
    ("答复结果", "Outcome"),
    ("最初承诺的办结期限", "First promised"),
    ("现在的办结期限", "Promised now"),
    ("办结曾超期", "Promise missed"),
    ("延过期", "Extended"),
    ("星", "Stars"),
    ("读者说解决了吗", "Solved, by the reporter"),
)


def header(locale: str) -> list[str]:
    """The names of the columns."""
    return [words[locale == "en"] for words in HEADER]


def line(
    case: Any, locale: str, department: Callable[[str], str], category: Callable[[str], str]
) -> list[Cell]:
    """A case as a row of the table; words of a confidential one are left out."""
    english = locale == "en"
    promise = case.promises.get(Clock.RESOLUTION) or {}
    return [
        case.feedback_id,
        case.received_at,
        names.pick("channel", names.CHANNELS, case.channel, locale),
        HIDDEN[english] if case.confidential else case.place,
        HIDDEN[english] if case.confidential else title_of(case),
        names.state_name(names.shown_as(case.state, split=case.split), locale),
        department(case.department) if case.department else None,
        category(case.category) if case.category else None,
        names.pick("type", names.TYPES, case.case_type, locale) or None,
        case.priority,
        group_words(case.reporter_group, locale) if case.reporter_group else None,
        case.dispatches,
        case.returns,
        case.reopenings,
        case.first_dispatched_at,
        case.first_replied_at,
        case.replied_at,
        names.pick("outcome", names.OUTCOMES, case.outcome, locale) or None,
        _moment(promise.get("first_due")),
        _moment(promise.get("due")),
        YES_NO[bool(case.measured.get("broken"))][english],
        YES_NO[bool(case.extended)][english],
        case.stars,
        SOLVED[case.solved][english] if case.solved in SOLVED else None,
    ]


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
