"""The cases that a number of the dashboard is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from services.tracking.api.asking import asked_of
from services.tracking.api.context import ViewContext
from services.tracking.deps import NAME
from services.tracking.domain.behind import behind, keys
from services.tracking.domain.case import title_of
from services.tracking.store.drill_down import Row, rows_behind
from services.tracking.wording.board import (
    AGE_NAMES,
    HIDDEN,
    adds_words,
    detail_words,
    moment_words,
)
from shared.contracts.refusal import NoSuchChoice
from shared.contracts.vocabulary import BreachCode, Channel, Clock, Outcome, State
from shared.moments import local
from shared.web.auth import Staff, service_of, staff
from shared.web.choices import choice

router = APIRouter()
LONGEST_DETAIL = 400
MOST_LISTED = 200
"""How many lines behind a number are listed at a time."""


@router.get("/api/dashboard/cases")
async def drill_down(request: Request) -> dict[str, Any]:
    """The cases that make a number: `measure`, `detail`, and the filters of the dashboard."""
    return await drill_down_body(request, staff(request))


async def drill_down_body(request: Request, person: Staff) -> dict[str, Any]:
    """The body of ``GET /api/dashboard/cases``."""
    asked = asked_of(request, person)
    service = service_of(request, NAME)
    context = ViewContext.of(service.runtime, asked.locale)
    question = asked.question(context.now)
    key = choice(request, "measure", sorted(keys())) or "open"
    wanted = behind(key, _detail(request, key))
    skip = _skip(request)
    found: list[Row] = []
    n = 0
    async with service.transaction() as tx:
        async for row in rows_behind(tx, question, wanted):
            n += 1
            if n > skip:
                found.append(row)
            if len(found) > MOST_LISTED:
                break
    return {
        "measure": wanted.key,
        "name": wanted.name[asked.locale == "en"],
        "detail": wanted.detail,
        "detail_name": _detail_name(wanted.key, wanted.detail, context),
        "from": local(question.first),
        "to": local(question.last),
        "at_present": wanted.at_present,
        "as_of": local(context.now),
        "at_name": moment_words(wanted.whole, asked.locale),
        "department": question.department,
        "department_name": context.name_of(question.department) or None,
        "items": [_item(row, wanted.key, context) for row in found[:MOST_LISTED]],
        "skipped": skip,
        "next": str(skip + MOST_LISTED),
        "more": len(found) > MOST_LISTED,
    }


def _item(row: Row, measure: str, context: ViewContext) -> dict[str, Any]:
    case = row.case
    return {
        "feedback_id": case.feedback_id,
        "title": HIDDEN[context.locale == "en"] if case.confidential else title_of(case),
        "state": case.state,
        "split": case.split,
        "department": row.department,
        "department_name": context.name_of(row.department) or None,
        "received_at": local(case.received_at),
        "at": local(row.at),
        "detail": row.detail,
        # By what it was counted by: a rate has no details of its own.
        "detail_name": _detail_name(row.name, row.detail, context),
        "said": None if row.adds is None else adds_words(measure, row.adds, context.locale),
        "adds": row.adds,
        "hours": None if row.seconds is None else round(row.seconds / 3600, 2),
        "working": row.working,
    }


def _detail_name(measure: str, detail: str | None, context: ViewContext) -> str | None:
    """What a detail is called: a state, a clock, a category, a department it came from …"""
    if detail is None:
        return None
    return detail_words(measure, detail, context.locale, context.name_of, context.category)


def _detail(request: Request, measure: str) -> str | None:
    """Which of the cases of a sum; 422 for what can be no detail of it."""
    detail = request.query_params.get("detail")
    if detail is None:
        return None
    known = _DETAILS.get(measure, ("",))
    if not (known(detail) if callable(known) else detail in known):
        raise NoSuchChoice("detail", () if callable(known) else filter(None, known))
    return detail


def _is_code(text: str) -> bool:
    return len(text) <= LONGEST_DETAIL and text.isprintable()


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and date.fromisoformat(text).year > 2000
    except ValueError:
        return False


_DETAILS: dict[str, Collection[str] | Callable[[str], bool]] = {
    "state": list(State),
    "dwell": list(State),
    "breaches": list(Clock),
    "outcome": list(Outcome),
    "reasons": list(BreachCode),
    "channel": list(Channel),
    # Codes that cases have, whether or not they are listed still.
    **dict.fromkeys(("category", "dispatches", "group", "undelivered", "uncertain"), _is_code),
    "arrived": lambda text: re.fullmatch("[1-7]-([01][0-9]|2[0-3])", text) is not None,
    "open_since": [str(band) for band in range(len(AGE_NAMES))],
    "due": _is_day,
}
"""Sum → its details; the others have none."""


def _skip(request: Request) -> int:
    value = request.query_params.get("skip") or "0"
    if not (value.isascii() and value.isdigit() and len(value) < 8):
        raise NoSuchChoice("skip")
    return int(value)
