"""The staff desk in a browser: the same bodies as the API, rendered."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.cases import case_body, eyes_of, list_body, viewer_of
from services.desk.api.session import end_session, local_path
from services.desk.api.views import Eyes
from services.desk.domain import Action, scope_of
from services.desk.domain.visibility import OF_A_DEPARTMENT, OWN_ENTRIES
from services.desk.store.people import staff_of
from services.desk.store.queues import QUEUES, Wanted, counts
from shared.contracts.refusal import NotFound, Unacceptable
from shared.contracts.vocabulary import Role, State
from shared.ids import made_since
from shared.web import names
from shared.web.auth import COOKIE, house_of, maybe_staff, service_of, staff, to_sign_in
from shared.web.pages import Pages, choose_locale

router = APIRouter(include_in_schema=False)

_SHOWN: dict[Role, tuple[str, ...]] = {
    Role.COORDINATOR: ("triage", "to_accept", "due_soon", "overdue", "waiting", "review"),
    Role.LEADER: ("triage", "to_accept", "due_soon", "overdue", "waiting", "review"),
    Role.AUDITOR: ("triage", "to_accept", "due_soon", "overdue", "waiting", "review"),
} | {
    role: ("mine", "department", "to_accept", "due_soon", "overdue", "waiting", "review")
    for role in OF_A_DEPARTMENT
}
_FIRST = {
    Role.COORDINATOR: "triage",
    Role.LEADER: "overdue",
    Role.LIAISON: "to_accept",
    Role.HANDLER: "mine",
    Role.REVIEWER: "department",
}
"""The queue a person finds when they come to work."""
_ON_ITS_WAY = timedelta(minutes=1)
_LOOK_AGAIN = (0.1, 0.2, 0.4, 0.8, 1.5)


@router.get("/signin")
async def sign_in_page(request: Request) -> Response:
    wanted = local_path(request.query_params.get("next", "/desk"))
    if maybe_staff(request) is not None:
        return RedirectResponse(wanted, 303)
    return _pages(request).render(request, "signin.html", next=wanted, problem=None, username="")


@router.post("/desk/signout")
async def sign_out(request: Request) -> Response:
    if (person := maybe_staff(request)) is not None:
        await end_session(service_of(request, "desk"), person, request)
    answer = RedirectResponse("/signin", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.get("/desk")
async def work(request: Request) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    asked = request.query_params
    queue = asked.get("queue") or _FIRST.get(person.role, "all")
    if queue not in QUEUES or any(c in value for value in asked.values() for c in "\x00"):
        raise Unacceptable("没有这个队列。", "There is no such queue.", errors={"queue": queue})
    state = asked.get("state") or None
    if state is not None and state not in State._value2member_map_:
        raise Unacceptable("没有这个状态。", "There is no such state.", errors={"state": state})
    q = asked.get("q", "")[:200]
    viewer = viewer_of(person)
    wanted = Wanted(
        scope=scope_of(viewer),
        username=person.username,
        own_department=person.department,
        now=house_of(request).clock.now(),
        queue=queue,
        state=State(state) if state else None,
        department=asked.get("department") or None,
        category=asked.get("category") or None,
        channel=asked.get("channel") or None,
        q=q,
        cursor=asked.get("cursor") or None,
    )
    service = service_of(request, "desk")
    page = await list_body(service, wanted, eyes_of(request, person))
    shown = _SHOWN.get(person.role, ("mine",) if person.role in OWN_ENTRIES else ())
    async with service.engine.connect() as connection:
        numbers = await counts(connection, wanted, shown)
    return _pages(request).render(
        request,
        "desk.html",
        user=person.user,
        page=page,
        counts=numbers,
        queue=queue,
        q=q,
        only=_narrowed(request, wanted),
    )


@router.get("/desk/cases/{feedback_id}")
async def one_matter(request: Request, feedback_id: str) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    service = service_of(request, "desk")
    case = await _case_patiently(request, feedback_id, eyes_of(request, person))
    people: list[dict[str, Any]] = []
    if Action.ASSIGN in case["may"]:
        async with service.transaction() as tx:
            people = [
                {"username": p.username, "display": p.display}
                for p in await staff_of(tx, case["department"] or "")
            ]
    house = house_of(request)
    english = choose_locale(request, house.settings.locale) == "en"
    return _pages(request).render(
        request,
        "case.html",
        user=person.user,
        case=case,
        departments=[(code, pair[english]) for code, pair in house.directory.departments.items()],
        people=people,
        draft="",
    )


async def _case_patiently(request: Request, feedback_id: str, eyes: Eyes) -> dict[str, Any]:
    """The case; one that was entered a moment ago may still be on its way through the log."""
    service, now = service_of(request, "desk"), house_of(request).clock.now()
    for pause in (*_LOOK_AGAIN, None):
        try:
            return await case_body(service, feedback_id, eyes)
        except NotFound:
            if pause is None or not made_since(feedback_id, now - _ON_ITS_WAY):
                raise
        await asyncio.sleep(pause)
    raise AssertionError


def _narrowed(request: Request, wanted: Wanted) -> list[tuple[str, str]]:
    """What a link from the board narrowed the list to: parameter and its words."""
    house = house_of(request)
    locale = choose_locale(request, house.settings.locale)
    words = {
        "state": names.state_name(wanted.state, locale),
        "department": house.directory.department_name(wanted.department, locale),
        "category": names.category_name(wanted.category, locale),
        "channel": names.pick(names.CHANNELS, wanted.channel, locale),
    }
    return [(name, words[name]) for name in words if getattr(wanted, name)]


def _pages(request: Request) -> Pages:
    pages: Pages = service_of(request, "desk").tools.pages
    return pages
