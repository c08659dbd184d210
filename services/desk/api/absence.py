"""Being away: until when, and who stands in. One says it oneself, or one's head does."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.account import account_page, is_head
from services.desk.api.bodies import Absence, with_offset
from services.desk.api.viewing import viewer_listed
from services.desk.domain import gains_nothing
from services.desk.store import PersonRow
from services.desk.store.people import account_name, person, set_absence
from shared.contracts import Actor
from shared.contracts.refusal import Forbidden, NotFound, Refusal, Unacceptable
from shared.contracts.vocabulary import Role
from shared.messaging.transaction import Transaction
from shared.moments import local
from shared.web.auth import Staff, runtime_of, service_of, signed_in
from shared.web.bodies import checked, described, read_body
from shared.web.pages import wants_html

router = APIRouter(tags=["session"])


@router.post(
    "/api/session/absence",
    summary="Away until a moment, with a substitute; without a moment: back",
    openapi_extra=described(Absence),
)
async def say_absence(request: Request, who: Annotated[Staff, Depends(signed_in)]) -> Response:
    """``{name, away_until, substitute}``. `account`: somebody of the department of its head, or
    anybody for an administrator."""
    raw = await read_body(request, may_be_empty=True)
    try:
        body = checked(Absence, with_offset(raw))
        async with service_of(request, "desk").transaction() as tx:
            row = await person(tx, account_name(body.account or who.username))
            by = _who_may(who, row)
            assert row is not None
            if body.until is not None and body.substitute and not _may_lend(who, row):
                await _check_lends_nothing(tx, row, body.substitute)
            listed = await set_absence(tx, row, body.until, body.substitute, by=by)
            # Here at once; elsewhere when the directory has it.
            tx.after_commit(partial(runtime_of(request).directory.apply, listed))
    except Refusal as refusal:
        if not wants_html(request):
            raise
        return account_page(request, who, absence_problem=refusal)
    if wants_html(request):
        return RedirectResponse("/desk/account?absence=1", 303)
    return JSONResponse(
        {
            "name": listed.username,
            "away_until": local(listed.away_until),
            "substitute": listed.substitute,
        }
    )


def _who_may(who: Staff, row: PersonRow | None) -> Actor:
    """In which role; 404 for an account that is not there, or not theirs to know of."""
    if row is not None and row.username == who.username:
        return who.actor
    for actor in who.actors:
        is_admin = actor.role == Role.ADMIN and actor.substitute_for is None
        if is_admin or (row is not None and is_head(actor, row)):
            if row is None:
                raise NotFound()
            return actor
    raise Forbidden(
        "只能写自己的外出；部门负责人可以替本部门的人写。",
        "You can do this for yourself; the head of a department can for its people.",
    )


def _may_lend(who: Staff, row: PersonRow) -> bool:
    """Whether it is theirs to say who gets these rights: one's own, or those of one's people."""
    return row.username == who.username or any(is_head(actor, row) for actor in who.actors)


async def _check_lends_nothing(tx: Transaction, row: PersonRow, substitute: str) -> None:
    """422 where an administrator, who reads no mail, would lend somebody the rights to it."""
    other = await person(tx, account_name(substitute))
    if other is not None and not gains_nothing(viewer_listed(other), viewer_listed(row)):
        zh = "替别人写外出，只能请本来就有同样权限的同事代理；要请别人，须由本人来写。"
        en = (
            "For somebody else you can only name a substitute who has the same rights already; "
            "to name another, they have to do it themselves."
        )
        raise Unacceptable(zh, en, errors={"substitute": f"{zh} | {en}"})
