"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.bodies import SignIn, checked, receive
from services.desk.store import PersonRow
from services.desk.store.people import is_password, person
from shared.contracts.desk import SessionRevoked
from shared.contracts.refusal import NotSignedIn, Refusal, TooMany
from shared.contracts.vocabulary import Role
from shared.security import SESSION_LIFE
from shared.service import Service
from shared.web.auth import COOKIE, Staff, house_of, refuse_foreign_origin, service_of, staff
from shared.web.limits import caller
from shared.web.pages import choose_locale, wants_html

router = APIRouter(tags=["session"])

_OPENAPI = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": SignIn.model_json_schema()}},
    }
}


@router.post("/api/session", summary="Sign in", openapi_extra=_OPENAPI)
async def sign_in(request: Request) -> Response:
    """``{token, user}`` and a cookie; a browser's form is sent on to where it wanted to go."""
    raw = await receive(request)
    if raw.form is not None or "origin" in request.headers:
        refuse_foreign_origin(request)
    values = raw.values()
    try:
        body: SignIn = checked(SignIn, values)
        row = await _prove(request, body)
    except Refusal as refusal:
        if not wants_html(request):
            raise
        return _again(request, refusal, values)
    house = house_of(request)
    token, session = house.signer.session(
        username=row.username,
        display=row.display,
        role=row.role,
        department=row.department,
        now=house.clock.now(),
    )
    answer: Response
    if wants_html(request):
        answer = RedirectResponse(local_path(body.next), 303)
    else:
        user = Staff(row.username, row.display, Role(row.role), row.department, session.session_id)
        answer = JSONResponse({"token": token, "user": user.user})
    answer.headers["Cache-Control"] = "no-store"
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION_LIFE / timedelta(seconds=1)),
        path="/",
        httponly=True,
        samesite="lax",
        secure=house.settings.url.startswith("https:"),
    )
    return answer


@router.delete("/api/session", status_code=204, summary="Sign out")
async def sign_out(request: Request) -> Response:
    """The session is over, here at once and everywhere within a minute."""
    await end_session(service_of(request, "desk"), staff(request), request)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path="/")
    return answer


async def end_session(service: Service, person: Staff, request: Request) -> None:
    """Revoke the session this person came with."""
    house = house_of(request)
    async with service.transaction() as tx:
        expires = tx.now + SESSION_LIFE
        tx.emit(
            SessionRevoked(
                at=tx.now, by=person.actor, session_id=person.session_id, expires=expires
            )
        )
        tx.after_commit(
            lambda: house.directory.revoked_sessions.update({person.session_id: expires})
        )


def local_path(wanted: str) -> str:
    """A path of ours, whatever the form said."""
    plain = wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/desk"


async def _prove(request: Request, body: SignIn) -> PersonRow:
    service = service_of(request, "desk")
    failures = service.tools.sign_in_failures
    key = f"{body.username.casefold()}|{caller(request)}"
    if (wait := failures.blocked(key)) is not None:
        raise TooMany(
            "密码错的次数太多，请过一会儿再试。",
            "Too many wrong passwords. Please try again later.",
            retry_after=wait,
        )
    async with service.transaction() as tx:
        row = await person(tx, body.username)
    stored = row.password if row is not None and row.active else None
    if not await is_password(body.password, stored) or row is None:
        failures.count(key)
        raise NotSignedIn("账号或密码不对。", "The name or the password is wrong.")
    return row


def _again(request: Request, refusal: Refusal, values: dict[str, str]) -> Response:
    service = service_of(request, "desk")
    locale = choose_locale(request, house_of(request).settings.locale)
    answer: Response = service.tools.pages.render(
        request,
        "signin.html",
        status=refusal.status,
        problem=refusal.detail(locale),
        username=values.get("username", "")[:100],
        next=local_path(values.get("next", "/desk")),
    )
    if refusal.retry_after:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer
