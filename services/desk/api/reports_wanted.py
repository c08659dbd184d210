"""Which reports one is mailed: everybody says it for themselves."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.bodies import ReportsWanted
from services.desk.store.people import READS_REPORTS, REPORT_KINDS, choose_reports, person
from shared.contracts.refusal import Forbidden, NotFound
from shared.web.auth import Staff, runtime_of, service_of, signed_in
from shared.web.bodies import checked, described, read_body
from shared.web.pages import wants_html

router = APIRouter(tags=["session"])


@router.post(
    "/api/session/reports",
    summary="Which reports come by mail",
    openapi_extra=described(ReportsWanted),
)
async def say_reports(request: Request, who: Annotated[Staff, Depends(signed_in)]) -> Response:
    """``{wanted: [week, month, term]}``, also none; all of them until one says otherwise."""
    if not set(who.roles) & READS_REPORTS:
        raise Forbidden(
            "报告发给协调人员、领导和部门负责人。",
            "Reports go to coordinators, leaders and heads of departments.",
        )
    raw = await read_body(request, may_be_empty=True)
    given = checked(ReportsWanted, raw.with_list("wanted"))
    async with service_of(request, "desk").transaction() as tx:
        row = await person(tx, who.username)
        if row is None:
            raise NotFound
        listed = await choose_reports(tx, row, given.wanted, by=who.actor)
        # Here at once; elsewhere when the directory has it.
        tx.after_commit(partial(runtime_of(request).directory.apply, listed))
    if wants_html(request):
        return RedirectResponse("/desk/account?reports=1", 303)
    return JSONResponse(
        {"wanted": [kind for kind in REPORT_KINDS if kind not in listed.no_reports]}
    )
