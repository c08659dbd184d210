"""The record of a case: who looked at it, and a copy to take along with its proof."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response

from services.desk.api.cases import case_body, is_id, view_context
from services.desk.api.views import ViewContext
from services.desk.deps import deps_of
from services.desk.domain import sees
from services.desk.store.reading import some_cases
from services.desk.store.record import Record, read_record
from shared.contracts.refusal import Forbidden, NotFound
from shared.contracts.vocabulary import Role
from shared.db.engine import driver_of
from shared.moments import local
from shared.service import Service
from shared.web.auth import Staff, service_of, signed_in

router = APIRouter(tags=["record"])

Person = Annotated[Staff, Depends(signed_in)]
_NO_STORE = {"Cache-Control": "no-store"}


@router.get("/api/cases/{feedback_id}/readings", summary="Who was shown who the reporter is")
async def readings(request: Request, person: Person, feedback_id: str) -> JSONResponse:
    """For auditors: ``{items: [{at, by, by_name, role, what}], intact, differences, not_covered,
    erased, lines}``."""
    if Role.AUDITOR not in person.every_role:
        raise Forbidden("只有审计可以看查阅记录。", "Only auditors see who looked.")
    context = view_context(request, person)
    service = service_of(request, "desk")
    body = await record_body(service, feedback_id, context, readings=True)
    return JSONResponse(body, headers=_NO_STORE)


async def record_body(
    service: Service, feedback_id: str, context: ViewContext, *, readings: bool
) -> dict[str, Any]:
    """``{intact, differences, not_covered, erased, lines}`` of a case that this person sees, and
    who was shown who the reporter is."""
    async with service.engine.connect() as connection:
        found = await some_cases(connection, [feedback_id]) if is_id(feedback_id) else []
    if not found or not sees(context.viewer, found[0]):
        raise NotFound()
    record = await _record(service, feedback_id)
    body = _checked(record, context.locale) | {"lines": record.summary()[context.locale == "en"]}
    if not readings:
        return body
    return body | {
        "items": [
            {
                "at": local(one["at"]),
                "by": one["username"],
                "by_name": context.person(one["username"], one["display"]),
                "role": one["role"],
                "what": one["what"].split(","),
            }
            for one in record.readings
        ],
    }


@router.get("/api/cases/{feedback_id}/export", summary="The case with the proof of its record")
async def export(
    request: Request,
    person: Person,
    feedback_id: str,
    format: Annotated[Literal["json", "html"], Query()] = "json",
) -> Response:
    """``{case, record, intact, differences, not_covered, erased}``, as this person may see it."""
    context = view_context(request, person)
    service = service_of(request, "desk")
    case = await case_body(service, feedback_id, context, what=("contact", "export"))
    record = await _record(service, feedback_id)
    body = {
        "exported_at": local(context.now),
        "exported_by": person.username,
        # Addresses of pictures are good for minutes only.
        "case": _without_addresses(case) | {"draft": None},
        "record": record.proof,
        **_checked(record, context.locale),
    }
    name = f"{feedback_id}.{format}"
    headers = _NO_STORE | {"Content-Disposition": f'attachment; filename="{name}"'}
    if format == "json":
        return JSONResponse(body, headers=headers)
    page = deps_of(request).pages.render(request, "export.html", user=person.user, export=body)
    page.headers.update(headers | {"Content-Disposition": f'inline; filename="{name}"'})
    return page


def _without_addresses(case: dict[str, Any]) -> dict[str, Any]:
    def told(one: dict[str, Any]) -> dict[str, Any]:
        sent = [{k: v for k, v in p.items() if k != "url"} for p in one["pictures"]]
        return one | {"pictures": sent}

    return told(case) | {"conversation": [told(one) for one in case["conversation"]]}


async def _record(service: Service, feedback_id: str) -> Record:
    async with service.engine.connect() as connection:
        record = await read_record(driver_of(connection).fetch, feedback_id, service.runtime.sealer)
    if record is None:
        raise NotFound()
    return record


def _checked(record: Record, locale: str) -> dict[str, Any]:
    differences = [pair[locale == "en"] for pair in record.differences()]
    return {
        "intact": not differences,
        "differences": differences,
        "not_covered": [pair[locale == "en"] for pair in record.not_covered()],
        "erased": record.sealed.erased,
    }
