"""The parts of the dashboard's page: rendered once for all who look at the same."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from pydantic_core import to_json

from services.tracking.api.asking import Asked
from services.tracking.api.board import body_of
from services.tracking.api.context import ViewContext
from services.tracking.deps import Answer, Deps
from services.tracking.deps.fragments import Part
from services.tracking.domain import measures
from services.tracking.domain.behind import ALL_BUT
from services.tracking.wording.board import AGE_NAMES, DAY_NAMES
from services.tracking.wording.figures import figures

MADE_OF = {
    "now": (
        *("at_risk", "before", "breaking_next", "due_today", "open", "overdue"),
        *("overdue_by_department", "replied", "suddenly_more", "surges", "totals", "trend"),
    ),
    "effect": (*measures.MEASURES, "before", "breaches_by_clock", "outcomes", "totals"),
    "departments": ("departments", "minimum_cases"),
    "shape": (
        *("ages", "categories", "channels", "dwell", "flow", "heat", "received", "to"),
        "trend_by_category",
    ),
}
"""The parts of the page: what of the answer each is given. While that is the same, so is it."""
HEATS = 5
"""Shades of the map of hours."""


def parts_of(deps: Deps, asked: Asked, answer: Answer, context: ViewContext) -> dict[str, Part]:
    """Each part of the page; made anew within the minute, since they say how much time is left."""
    minute = context.now.replace(second=0, microsecond=0)
    moment = (context.names, minute)
    return answer.once(
        ("parts", asked, *moment),
        lambda: _parts(deps, asked, body_of(answer, context), context, moment),
    )


def _parts(
    deps: Deps, asked: Asked, body: dict[str, Any], context: ViewContext, moment: tuple[Any, ...]
) -> dict[str, Part]:
    names = body["department_names"]
    found = {}
    for part, fields in MADE_OF.items():
        board = {field: body[field] for field in fields}
        render = partial(_render, deps, part, asked, board, names, context)
        found[part] = deps.fragments.once((asked, part), (moment, to_json(board)), render)
    return found


def _render(
    deps: Deps,
    part: str,
    asked: Asked,
    board: dict[str, Any],
    names: Mapping[str, str],
    context: ViewContext,
) -> Markup:
    english = context.locale == "en"
    return deps.pages.fragment(
        context.locale,
        f"board_{part}.html",
        board=board,
        asked=asked,
        behind=partial(address_behind, asked),
        trend_behind=partial(_trend_behind, asked, board),
        figures=figures(board, context.locale) if part == "effect" else (),
        by_department=[(one.key, one.name[english], one.unit) for one in measures.BY_DEPARTMENT],
        age_names=[pair[english] for pair in AGE_NAMES],
        day_names=[pair[english] for pair in DAY_NAMES],
        busiest=max((n for hours in board.get("heat", ()) for n in hours), default=0),
        heats=HEATS,
        hourly=asked.question(context.now).hourly,
        department_of=lambda code: names.get(code, ""),
        category_of=context.category,
    )


def _trend_behind(asked: Asked, board: dict[str, Any], step: int, line: int) -> str:
    """The address of what came of one line of the trend by category, in one of its steps."""
    trend = board["trend_by_category"]
    starts, lines = trend["from"], trend["lines"]
    code = lines[line]["category"]
    if code is None:
        code = ALL_BUT + ",".join(one["category"] for one in lines[:line])
    end = starts[step + 1] if step + 1 < len(starts) else trend["to"]
    return address_behind(asked, "category", code, period="custom", from_=starts[step], to=end)


def address_behind(
    asked: Asked, measure: str, detail: str | None = None, **changes: str | None
) -> str:
    """The address of the cases behind a number, after the path before everything."""
    return _address(asked, measure, detail, tuple(changes.items()))


@lru_cache(maxsize=4_000)
def _address(
    asked: Asked, measure: str, detail: str | None, changes: tuple[tuple[str, str | None], ...]
) -> str:
    """Made once: a page has some three hundred, and the next one the same, which to put together
    takes as long as all else of it."""
    # A detail may be empty: what has no category, what came from no department.
    changed = {name.rstrip("_"): value for name, value in changes}
    address = f"/dashboard/cases{asked.query(measure=measure, **changed)}"
    return address if detail is None else f"{address}&{urlencode({'detail': detail})}"
