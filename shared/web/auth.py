"""Who is asking: staff by session (cookie or bearer), adapters by token, the public by nothing."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from shared.contracts import Actor
from shared.contracts.refusal import Forbidden, NotSignedIn
from shared.contracts.vocabulary import Role
from shared.security import AdapterToken, Session
from shared.service import House, Service
from shared.web.pages import wants_html

COOKIE = "express_session"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Staff:
    """A signed-in member of staff, as the directory knows them now."""

    username: str
    display: str
    role: Role
    department: str | None
    session_id: str

    @property
    def actor(self) -> Actor:
        """The person as facts name them."""
        return Actor(
            kind="staff",
            name=self.username,
            display=self.display,
            role=self.role,
            department=self.department,
        )

    @property
    def user(self) -> dict[str, str | None]:
        """The person as pages and ``/api/session`` show them."""
        return {
            "name": self.username,
            "display": self.display,
            "role": self.role,
            "department": self.department,
        }


def house_of(request: HTTPConnection) -> House:
    """What the services of this process share."""
    house: House = request.app.state.house
    return house


def service_of(request: HTTPConnection, name: str) -> Service:
    """A service of this process."""
    service: Service = request.app.state.services[name]
    return service


def bearer(request: HTTPConnection) -> str | None:
    """The token of the Authorization header."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def adapter(request: Request) -> AdapterToken | None:
    """The adapter that asks, if it is one; `NotSignedIn` for a token that is forged or revoked.

    A staff bearer is no adapter and reads as None.
    """
    token = bearer(request)
    if token is None:
        return None
    house = house_of(request)
    if token.startswith("fx."):
        known = house.signer.read_adapter_token(token)
        if known is not None and known.token_id not in house.directory.revoked_tokens:
            return known
        raise _unknown_token()
    if _session(house, token) is None:
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
    house = house_of(request)
    session = _session(house, token)
    if session is None:
        return None
    if from_cookie and request.method not in _SAFE:
        refuse_foreign_origin(request)
    return _as_now(house, session)


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
    ours = {request.headers.get("host", ""), urlsplit(house_of(request).settings.url).netloc}
    if origin is not None and _netloc(origin) in ours - {""}:
        return
    raise Forbidden("请求来自别的网站，已拒绝。", "This request came from another site.")


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _session(house: House, token: str) -> Session | None:
    session = house.signer.read_session(token, house.clock.now())
    if session is None or session.session_id in house.directory.revoked_sessions:
        return None
    person = house.directory.people.get(session.username)
    return None if person is not None and not person.active else session


def _as_now(house: House, session: Session) -> Staff | None:
    person = house.directory.people.get(session.username)
    role = person.role if person else session.role
    if role not in Role._value2member_map_:
        return None
    return Staff(
        username=session.username,
        display=person.display if person else session.display,
        role=Role(role),
        department=person.department if person else session.department,
        session_id=session.session_id,
    )


def _unknown_token() -> NotSignedIn:
    return NotSignedIn("令牌无效或已停用。", "This token is unknown or revoked.")
