"""The parts of the dashboard's page: rendered once for all who look at the same."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from services.tracking.api.asking import Asked
from services.tracking.api.board import body_of
from services.tracking.api.context import ViewContext
from services.tracking.deps import Answer, Deps
from services.tracking.domain import measures
from services.tracking.domain.behind import ALL_BUT
from services.tracking.wording.board import AGE_NAMES, DAY_NAMES
from services.tracking.wording.figures import figures
from shared.moments import local

PARTS = ("now", "effect", "departments", "shape")
HEATS = 5
"""Shades of the map of hours."""
Part = tuple[Markup, str]
"""``(what it says, by which it is known)``: HTML, and a short hash of it."""


def parts_of(deps: Deps, asked: Asked, answer: Answer, context: ViewContext) -> dict[str, Part]:
    """Each part of the page; made anew within the minute, since they say how much time is left."""
    minute = context.now.replace(second=0, microsecond=0)
    key = ("parts", asked, context.names, minute)
    return answer.once(key, lambda: _render(deps, asked, body_of(answer, context), context))


def _render(
    deps: Deps, asked: Asked, body: dict[str, Any], context: ViewContext
) -> dict[str, Part]:
    english = context.locale == "en"
    given = {
        "board": body,
        "as_of": local(context.now),
        "asked": asked,
        "behind": partial(address_behind, asked),
        "trend_behind": partial(_trend_behind, asked, body),
        "figures": figures(body, context.locale),
        "by_department": [(one.key, one.name[english], one.unit) for one in measures.BY_DEPARTMENT],
        "age_names": [pair[english] for pair in AGE_NAMES],
        "day_names": [pair[english] for pair in DAY_NAMES],
        "busiest": max((n for hours in body["heat"] for n in hours), default=0),
        "heats": HEATS,
        "hourly": asked.question(context.now).hourly,
        "department_of": lambda code: body["department_names"].get(code, ""),
        "category_of": context.category,
    }
    found = {}
    for name in PARTS:
        said = deps.pages.fragment(context.locale, f"board_{name}.html", **given)
        found[name] = (said, hashlib.sha256(said.encode()).hexdigest()[:12])
    return found


def _trend_behind(asked: Asked, body: dict[str, Any], step: int, line: int) -> str:
    """The address of what came of one line of the trend by category, in one of its steps."""
    trend = body["trend_by_category"]
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
    # A detail may be empty: what has no category, what came from no department.
    changed = {name.rstrip("_"): value for name, value in changes.items()}
    address = f"/dashboard/cases{asked.query(measure=measure, **changed)}"
    return address if detail is None else f"{address}&{urlencode({'detail': detail})}"
