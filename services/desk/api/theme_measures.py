"""What was done about a theme: noted, corrected, taken back."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.desk.api.bodies import Body, Line, SentLine, Words
from services.desk.api.incidents import public
from services.desk.api.themes import (
    MOST_MEASURES,
    Person,
    done,
    editor,
    list_theme,
    measure_mark,
    measured_between,
    theme_to_change,
)
from services.desk.store import themes
from services.desk.store.themes import Theme
from shared.contracts.refusal import Conflict, Unacceptable
from shared.messaging.transaction import Transaction
from shared.web.auth import service_of
from shared.web.bodies import checked, described, read_body

router = APIRouter(prefix="/api/themes", tags=["themes"])


class Measure(Body):
    what: Annotated[Words, Field(max_length=1_000)]
    on: date
    responsible: Line
    instead_of: str = ""
    """The mark of one that is corrected."""


class TakenBack(Body):
    why: SentLine
    instead_of: str
    """The mark of the one that is taken back."""


class _Which(Body):
    gone: bool = False


_MOVED = (
    "这条措施已经被改过或者拿掉了，请先看看现在的。",
    "This measure was changed or taken back meanwhile. Please look at it first.",
)


@router.post("/{theme_id}/measures", summary="What was done", openapi_extra=described(Measure))
async def set_measure(request: Request, person: Person, theme_id: str) -> Response:
    """``{theme_id, …, measures}``: from which day it holds, and who is responsible. ``instead_of``
    the mark of one (`measure_marks` of the theme) corrects that; ``{gone: true, instead_of, why}``
    takes it back, and the theme says when, who and why. 409 for the mark of none."""
    by = editor(person)
    fields = (await read_body(request)).values()
    gone = checked(_Which, fields).gone
    given = checked(TakenBack, fields) if gone else checked(Measure, fields)
    async with service_of(request, "desk").transaction() as tx:
        one = await theme_to_change(tx, theme_id)
        if isinstance(given, Measure):
            await _note(tx, one, given)
        else:
            _take_back(tx, one, given, person.username)
        await list_theme(request, tx, one, by)
        n = len(await themes.case_ids(tx, theme_id))
    return done(request, one, n)


async def _note(tx: Transaction, one: Theme, given: Measure) -> None:
    measure = await _measure(tx, one, given)
    others = [m for m in one.measures if measure_mark(m) != given.instead_of]
    found = len(others) < len(one.measures)
    # Sent twice the first did it: what was meant stands there.
    if given.instead_of and not found and measure not in one.measures:
        raise Conflict(*_MOVED, allowed=["look"])
    others = [*(m for m in others if m != measure), measure]
    if len(others) > MOST_MEASURES:
        raise Conflict("措施太多了，请另开一个主题。", "Too many measures; open another theme.")
    one.measures = sorted(others, key=lambda m: m["on"])


def _take_back(tx: Transaction, one: Theme, given: TakenBack, by: str) -> None:
    found = [m for m in one.measures if measure_mark(m) == given.instead_of]
    why = public(tx, given.why)
    if not found:
        # Sent twice the first did it, too.
        before = [m for m in one.taken_back if measure_mark(m) == given.instead_of]
        if not any((m["by"], m["why"]) == (by, why) for m in before):
            raise Conflict(*_MOVED, allowed=["look"])
    one.measures = [m for m in one.measures if m not in found]
    said = {"at": tx.now.isoformat(), "by": by, "why": why}
    one.taken_back = [*one.taken_back, *(m | said for m in found)][-MOST_MEASURES:]


async def _measure(tx: Transaction, one: Theme, given: Measure) -> dict[str, str]:
    first, last = await measured_between(tx, one)
    if not first <= given.on <= last:
        raise Unacceptable(
            f"日期要在 {first} 到 {last} 之间：年份写对了吗？",
            f"The day must lie between {first} and {last}: is the year right?",
            errors={"on": f"{first} 到 {last} | {first} to {last}"},
        )
    return {
        "what": public(tx, given.what),
        "on": given.on.isoformat(),
        "responsible": public(tx, given.responsible),
    }
