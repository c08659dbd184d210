"""Who is asking: staff by session (cookie or bearer), adapters by token, the public by nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from shared.contracts import Actor
from shared.contracts.refusal import Forbidden, NotSignedIn, Unavailable
from shared.contracts.vocabulary import Role
from shared.security import AdapterToken, Session
from shared.service import Runtime, Service
from shared.web.pages import wants_html
from shared.web.permissions import FORBIDDEN, REFUSALS, ROLES, Permission

COOKIE = "express_session"
RENEWAL = "express.renewal"
"""Of the scope: cookies that go with the answer, unless it says something about them itself."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Absent:
    """Somebody who is away, and in whose place a member of staff may act until they are back."""

    username: str
    display: str
    roles: tuple[Role, ...]
    department: str | None


@dataclass(frozen=True)
class Staff:
    """A signed-in member of staff, as the directory knows them now."""

    username: str
    display: str
    roles: tuple[Role, ...]
    """At least one; the first is what they are called."""
    department: str | None
    session_id: str
    stands_in_for: tuple[Absent, ...] = ()
    acting: Actor | None = None
    """In which role, and for whom, where a route asked for a permission."""

    @property
    def role(self) -> Role:
        """The first of their roles."""
        return self.roles[0]

    def may(self, permission: Permission) -> bool:
        """Whether one of their roles, or of those they stand in for, has a permission."""
        return self.actor_with(permission) is not None

    def actor_with(self, *permissions: Permission) -> Actor | None:
        """In which role, their own first, they have one of these permissions."""
        able = (a for a in self.actors if any(a.role in ROLES[one] for one in permissions))
        return next(able, None)

    def departments_with(self, permission: Permission) -> list[str]:
        """The departments for which a role of theirs has a permission, their own first."""
        able = (a.department for a in self.actors if a.role in ROLES[permission])
        return list(dict.fromkeys(code for code in able if code))

    @property
    def actors(self) -> tuple[Actor, ...]:
        """The person in each role: in their own, then in those of whom they stand in for."""
        own = [(role, self.department, None) for role in self.roles]
        others = [
            (r, one.department, one.username) for one in self.stands_in_for for r in one.roles
        ]
        return tuple(
            Actor(
                kind="staff",
                name=self.username,
                display=self.display,
                role=role,
                department=department,
                substitute_for=absent,
            )
            for role, department, absent in (*own, *others)
        )

    @property
    def actor(self) -> Actor:
        """The person as events name them."""
        return self.acting or self.actors[0]

    @property
    def user(self) -> dict[str, Any]:
        """The person as pages and ``/api/session`` show them."""
        return {
            "name": self.username,
            "display": self.display,
            "role": self.role,
            "roles": list(self.roles),
            "department": self.department,
            "stands_in_for": [
                {"name": one.username, "display": one.display} for one in self.stands_in_for
            ],
            "acts_as": sorted(self.every_role),
        }

    @property
    def every_role(self) -> frozenset[Role]:
        """All roles in which they may act now."""
        return frozenset(self.roles).union(*(one.roles for one in self.stands_in_for))


def runtime_of(request: HTTPConnection) -> Runtime:
    """What the services of this process share."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def service_of(request: HTTPConnection, name: str) -> Service:
    """A service of this process."""
    service: Service = request.app.state.services[name]
    return service


def bearer(request: HTTPConnection) -> str | None:
    """The token of the Authorization header."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def adapter(request: Request) -> AdapterToken | None:
    """The adapter that asks, if it is one; `NotSignedIn` for a token that is not in use.

    Signed is not enough: the directory has to know it. A staff bearer is no adapter and reads as
    None.
    """
    token = bearer(request)
    if token is None:
        return None
    runtime = runtime_of(request)
    if token.startswith("fx."):
        known = runtime.signer.read_adapter_token(token)
        if known is not None:
            _wait_for_directory(runtime)
            if known.token_id in runtime.directory.tokens:
                return known
        raise _unknown_token()
    if _session(runtime, token) is None:
        raise _unknown_token()
    return None


def maybe_staff(request: Request) -> Staff | None:
    """The signed-in member of staff, or None."""
    token = bearer(request)
    if token is not None and token.startswith("fx."):
        return None
    from_cookie = token is None
    if from_cookie:
        token = request.cookies.get(COOKIE)
    if not token:
        return None
    runtime = runtime_of(request)
    session = _session(runtime, token)
    if session is None:
        return None
    if from_cookie:
        if request.method not in _SAFE:
            refuse_foreign_origin(request)
        _renew(request, runtime, session)
    return _as_now(runtime, session)


def staff(request: Request) -> Staff:
    """The signed-in member of staff: 401 without one, 403 for an adapter's token."""
    token = bearer(request)
    if token is not None and token.startswith("fx."):
        adapter(request)
        raise Forbidden(
            "适配器的令牌只能提交反馈。", "An adapter's token may only submit feedback."
        )
    person = maybe_staff(request)
    if person is None:
        raise NotSignedIn("请先登录。", "Please sign in first.")
    return person


async def signed_in(request: Request) -> Staff:
    """`staff` as a dependency of a route: what is no coroutine FastAPI runs in a thread."""
    return staff(request)


def require_role(request: Request, *permissions: Permission) -> Staff:
    """Who asks, if a role of theirs has one of these permissions; 403 otherwise, 401 for nobody."""
    return acting(staff(request), *permissions)


def acting(person: Staff, *permissions: Permission) -> Staff:
    """`person` in the role that has one of these permissions; 403 where none has."""
    if (actor := person.actor_with(*permissions)) is None:
        raise Forbidden(*REFUSALS.get(permissions[0], FORBIDDEN))
    return replace(person, acting=actor)


def with_role(*permissions: Permission) -> Callable[[Request], Awaitable[Staff]]:
    """`require_role` as a dependency of a route."""

    async def required(request: Request) -> Staff:
        return require_role(request, *permissions)

    return required


def to_sign_in(request: Request) -> Response | None:
    """Where a browser is sent that asks for a page of the staff and has nobody signed in.

    None for whoever is signed in, and for programs and the live part of a page: they want the 401.
    """
    program = bearer(request) is not None or not wants_html(request)
    live = request.headers.get("hx-request") == "true"
    if program or live or maybe_staff(request) is not None:
        return None
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/signin?next={quote(wanted)}", 303)


def refuse_foreign_origin(request: Request) -> None:
    """403 for a write that another site makes with our visitor's cookie."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    if origin is None and site in (None, "same-origin", "none"):
        return
    ours = {request.headers.get("host", ""), urlsplit(runtime_of(request).settings.url).netloc}
    if origin is not None and _netloc(origin) in ours - {""}:
        return
    raise Forbidden("请求来自别的网站，已拒绝。", "This request came from another site.")


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _session(runtime: Runtime, token: str) -> Session | None:
    session = runtime.signer.read_session(token, runtime.clock.now())
    if session is None:
        return None
    _wait_for_directory(runtime)
    if runtime.directory.is_ended(session):
        return None
    person = runtime.directory.people.get(session.username)
    return None if person is not None and not person.active else session


def keep_session(answer: Response, runtime: Runtime, token: str, session: Session) -> None:
    """Give a browser the cookie of a session."""
    answer.set_cookie(
        COOKIE,
        token,
        max_age=max(0, int((session.expires - runtime.clock.now()) / timedelta(seconds=1))),
        path="/",
        httponly=True,
        samesite="lax",
        secure=runtime.settings.url.startswith("https:"),
    )


def _renew(request: Request, runtime: Runtime, session: Session) -> None:
    """Let a session that is used go on: whatever is answered brings its new cookie."""
    renewed = runtime.signer.renewed(session, runtime.clock.now())
    if renewed is not None:
        carrier = Response()
        keep_session(carrier, runtime, *renewed)
        request.scope.get(RENEWAL, []).append(carrier.headers["set-cookie"])


def _wait_for_directory(runtime: Runtime) -> None:
    """503 until it is known what was revoked, and who has which role."""
    if not runtime.directory.loaded:
        raise Unavailable(
            "系统正在启动，请过几秒再试。",
            "The system is starting. Please try again in a few seconds.",
            retry_after=2,
        )


def _as_now(runtime: Runtime, session: Session) -> Staff | None:
    person = runtime.directory.people.get(session.username)
    roles = known_roles(person.all_roles if person else (session.role,))
    if not roles:
        return None
    return Staff(
        username=session.username,
        display=person.display if person else session.display,
        roles=roles,
        department=person.department if person else session.department,
        session_id=session.session_id,
        stands_in_for=absent_of(runtime, session.username),
    )


def absent_of(runtime: Runtime, username: str) -> tuple[Absent, ...]:
    """For whom somebody stands in now."""
    return tuple(
        Absent(one.username, one.display, known_roles(one.all_roles), one.department)
        for one in runtime.directory.absent(username, runtime.clock.now())
    )


def known_roles(roles: Iterable[str]) -> tuple[Role, ...]:
    """The roles that this code knows, in their order."""
    return tuple(Role(role) for role in roles if role in Role._value2member_map_)


def _unknown_token() -> NotSignedIn:
    return NotSignedIn("令牌无效或已停用。", "This token is unknown or revoked.")
