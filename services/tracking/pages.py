"""The door for people: where is it, and how are we doing."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.tracking.api import PRIVATE
from services.tracking.reading import SEE_OWN, behind_body, board_body, locale_of, track_body
from shared.web.auth import house_of, service_of, staff, to_sign_in

router = APIRouter(include_in_schema=False)


@router.get("/track/{code}")
async def track_page(request: Request, code: str) -> Response:
    """``/track/{code}``, for the reporter."""
    body = await track_body(request, code)
    pages = service_of(request, "tracking").tools.pages
    response: Response = pages.render(request, "track.html", case=body, code=code)
    response.headers.update(PRIVATE)
    return response


@router.get("/dashboard")
async def dashboard_page(request: Request) -> Response:
    """``/dashboard``, for managers."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    body = await board_body(request, person)
    directory = house_of(request).directory
    own = person.role in SEE_OWN
    departments = [
        (code, directory.department_name(code, locale_of(request)))
        for code in directory.departments
        if not own or code == person.department
    ]
    pages = service_of(request, "tracking").tools.pages
    response: Response = pages.render(
        request, "dashboard.html", board=body, user=person.user, departments=departments
    )
    return response


@router.get("/dashboard/cases")
async def cases_behind_page(request: Request) -> Response:
    """``/dashboard/cases``: what a number of the dashboard is made of."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    body = await behind_body(request, person)
    pages = service_of(request, "tracking").tools.pages
    response: Response = pages.render(request, "behind.html", behind=body, user=person.user)
    return response
