"""Signing in and out."""

from __future__ import annotations

import asyncio
from functools import partial

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.account import account_page
from services.desk.api.bodies import NewPassword, SignIn
from services.desk.deps import deps_of
from services.desk.store import PersonRow
from services.desk.store.people import (
    hash_password,
    is_password,
    person,
    set_password,
)
from shared.contracts.desk import SessionRevoked
from shared.contracts.refusal import NotSignedIn, Refusal, Unacceptable
from shared.security import RENEW_AFTER, SESSION_LIFE
from shared.service import Service
from shared.web.auth import (
    COOKIE,
    Staff,
    absent_of,
    keep_session,
    known_roles,
    refuse_foreign_origin,
    runtime_of,
    service_of,
    staff,
)
from shared.web.bodies import checked, read_body
from shared.web.limits import caller
from shared.web.pages import choose_locale, wants_html

router = APIRouter(tags=["session"])

_OPENAPI = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": SignIn.model_json_schema()}},
    }
}


_PASSWORD = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": NewPassword.model_json_schema()}},
    }
}


@router.post("/api/session", summary="Sign in", openapi_extra=_OPENAPI)
async def sign_in(request: Request) -> Response:
    """``{token, user}`` and a cookie; a browser's form is sent on to where it wanted to go."""
    raw = await read_body(request, may_be_empty=True, multipart=True)
    if raw.is_form or "origin" in request.headers:
        refuse_foreign_origin(request)
    values = raw.fields
    try:
        body = checked(SignIn, values)
        row = await _prove(request, body.username, body.password)
    except Refusal as refusal:
        if not wants_html(request):
            raise
        return _again(request, refusal, values)
    return _signed_in(request, row, local_path(body.next))


def _signed_in(request: Request, row: PersonRow, next_page: str) -> Response:
    """The answer that begins a session."""
    runtime = runtime_of(request)
    token, session = runtime.signer.session(
        username=row.username,
        display=row.display,
        role=row.role,
        department=row.department,
        # Not before what ended the others, whatever the clocks of two machines say.
        now=max(runtime.clock.now(), runtime.directory.first_session(row.username)),
    )
    answer: Response
    if wants_html(request):
        answer = RedirectResponse(next_page, 303)
    else:
        roles = known_roles(row.roles or (row.role,))
        absent = absent_of(runtime, row.username)
        user = Staff(row.username, row.display, roles, row.department, session.session_id, absent)
        answer = JSONResponse({"token": token, "user": user.user})
    answer.headers["Cache-Control"] = "no-store"
    keep_session(answer, runtime, token, session)
    return answer


@router.post("/api/session/password", summary="Change one's own password", openapi_extra=_PASSWORD)
async def change_password(request: Request) -> Response:
    """Ends every session of the account but a new one, which is answered as by signing in."""
    who = staff(request)
    values = (await read_body(request)).fields
    try:
        body = checked(NewPassword, values)
        row = await _prove(request, who.username, body.password)
        if body.again is not None and body.again != body.new:
            raise Unacceptable("两次输入的新密码不一样。", "The two new passwords differ.")
        hashed = await asyncio.to_thread(hash_password, body.new)
        async with service_of(request, "desk").transaction() as tx:
            changed = await person(tx, who.username)
            # Two at once: the first has won, and this one proved what is the password no more.
            if changed is None or changed.password != row.password:
                raise NotSignedIn("请重新登录。", "Please sign in again.")
            ended = set_password(tx, changed, hashed, by=who.actor)
            # Here at once; elsewhere when the directory has it.
            tx.after_commit(partial(runtime_of(request).directory.apply, ended))
    except Refusal as refusal:
        if not wants_html(request):
            raise
        return account_page(request, who, problem=refusal)
    return _signed_in(request, row, "/desk/account?changed=1")


@router.delete("/api/session", status_code=204, summary="Sign out")
async def sign_out(request: Request) -> Response:
    """The session is over, here at once and everywhere within a minute."""
    await end_session(service_of(request, "desk"), staff(request), request)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path="/")
    return answer


async def end_session(service: Service, person: Staff, request: Request) -> None:
    """Revoke the session this person came with."""
    runtime = runtime_of(request)
    async with service.transaction() as tx:
        # Somebody who has not heard of it yet may renew it once more.
        expires = tx.now + SESSION_LIFE + RENEW_AFTER
        tx.emit(
            SessionRevoked(
                at=tx.now, by=person.actor, session_id=person.session_id, expires=expires
            )
        )
        tx.after_commit(
            lambda: runtime.directory.revoked_sessions.update({person.session_id: expires})
        )


def local_path(wanted: str) -> str:
    """A path of ours, whatever the form said."""
    plain = wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/desk"


async def _prove(request: Request, username: str, password: str) -> PersonRow:
    """The account whose password this is; failures are counted."""
    service = service_of(request, "desk")
    limits = deps_of(request).sign_in
    address = caller(request)
    async with limits.attempt(username, address) as attempt:
        async with service.transaction() as tx:
            row = await person(tx, username)
        stored = row.password if row is not None and row.active else None
        async with limits.hashing:
            right = await is_password(password, stored)
        if not right or row is None:
            attempt.failed = True
            raise NotSignedIn("账号或密码不对。", "The name or the password is wrong.")
        limits.trust(username, address)
    return row


def _again(request: Request, refusal: Refusal, values: dict[str, str]) -> Response:
    locale = choose_locale(request, runtime_of(request).settings.locale)
    answer: Response = deps_of(request).pages.render(
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
