"""The WeChat platform as far as we speak to it: tokens, customer messages, its own clock.

By hand: ``python -m tests.fakes.wechat --port 9100``, then point ``api_base`` at it. What a test
in another process needs (failures on demand, time travel, deliveries, callbacks) is under
``/_fake``; the outgoing side is `tests.fakes.wechat_callbacks`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from tests.fakes.wechat_callbacks import CallbackSender

MESSAGES: dict[int, str] = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40013: "invalid appid",
    40125: "invalid appsecret",
    42001: "access_token expired",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    48001: "api unauthorized",
    48004: "api forbidden",
}
#: What a follower did: how many messages we may send, and for how long.
GRANTS = {
    "message": (5, timedelta(hours=48)),
    "menu": (3, timedelta(minutes=1)),
    "follow": (3, timedelta(minutes=1)),
    "scan": (3, timedelta(minutes=1)),
}


@dataclass(frozen=True)
class Delivery:
    """One message that reached a follower."""

    at: str
    appid: str
    openid: str
    text: str
    #: Exactly the bytes that came, to look for escapes.
    raw: str


@dataclass
class _Token:
    value: str
    appid: str
    expires_at: datetime
    revoked: bool = False


@dataclass
class _Window:
    left: int
    ends: datetime


@dataclass
class FakeWechat:
    """The state behind the paths. Everything may be looked at and changed by a test."""

    apps: dict[str, str] = field(default_factory=dict)
    """Secret by appid; empty: every application is known."""
    token_lifetime: timedelta = timedelta(hours=2)
    always_open: bool = False
    """Forget windows and quotas."""
    deliveries: list[Delivery] = field(default_factory=list)
    token_calls: list[dict[str, Any]] = field(default_factory=list)
    send_calls: int = 0

    def __post_init__(self) -> None:
        self._offset = timedelta()
        self._tokens: dict[str, _Token] = {}
        self._windows: dict[tuple[str, str], _Window] = {}
        self._failures: deque[int] = deque()
        self._misbehaviour: deque[str] = deque()
        self.always_fail: int | None = None
        self.fail_tokens: int | None = None

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def move(self, **delta: float) -> None:
        """Let the platform's time pass, as ``move(hours=49)``."""
        self._offset += timedelta(**delta)

    def fail(self, *errcodes: int) -> None:
        """Answer the next sends with these codes, in order."""
        self._failures.extend(errcodes)

    def misbehave(self, *how: str) -> None:
        """The next sends: ``hang``, ``drop`` (no answer), ``deliver_then_drop``, ``garbage``,
        or an HTTP status such as ``502``."""
        self._misbehaviour.extend(how)

    def expire_tokens(self) -> None:
        """All tokens are past their end (42001)."""
        for token in self._tokens.values():
            token.expires_at = self.now()

    def revoke_tokens(self) -> None:
        """All tokens are unknown (40001), as after somebody else forced a new one."""
        for token in self._tokens.values():
            token.revoked = True

    def did(self, appid: str, openid: str, what: str = "message") -> None:
        """A follower did something that lets us write to them."""
        count, length = GRANTS[what]
        known = self._windows.get((appid, openid))
        ends = self.now() + length
        if known and known.ends > ends and what != "message":
            known.left = max(known.left, count)
            return
        self._windows[appid, openid] = _Window(count, ends)

    def issue_token(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.token_calls.append(asked)
        appid, secret = str(asked.get("appid", "")), asked.get("secret")
        if self.fail_tokens is not None:
            return error(self.fail_tokens)
        if asked.get("grant_type") != "client_credential" or not appid:
            return error(40013)
        if self.apps and appid not in self.apps:
            return error(40013)
        if self.apps and self.apps[appid] != secret:
            return error(40125)
        now = self.now()
        current = [t for t in self._tokens.values() if t.appid == appid and not t.revoked]
        if asked.get("force_refresh"):
            for token in current:
                token.revoked = True
        else:
            for token in current:
                if token.expires_at - now > timedelta(minutes=5):
                    return _token_answer(token, now)
        token = _Token(secrets.token_urlsafe(40), appid, now + self.token_lifetime)
        self._tokens[token.value] = token
        return _token_answer(token, now)

    def take(self, access_token: str, raw: bytes) -> dict[str, Any]:
        """One customer message."""
        self.send_calls += 1
        if self._failures:
            return error(self._failures.popleft())
        if self.always_fail is not None:
            return error(self.always_fail)
        token = self._tokens.get(access_token)
        if token is None or token.revoked:
            return error(40001)
        if token.expires_at <= self.now():
            return error(42001)
        # As the real one: \u escapes are not undone but shown to the reader.
        body = json.loads(raw.replace(b"\\u", b"\\\\u"))
        openid, text = body["touser"], body["text"]["content"]
        if body["msgtype"] != "text" or not openid:
            return error(40003)
        if not self.always_open:
            window = self._windows.get((token.appid, openid))
            if window is None or window.ends <= self.now():
                return error(45015)
            if window.left <= 0:
                return error(45047)
            window.left -= 1
        self.deliveries.append(
            Delivery(self.now().isoformat(), token.appid, openid, text, raw.decode())
        )
        return error(0)

    def next_misbehaviour(self) -> str | None:
        return self._misbehaviour.popleft() if self._misbehaviour else None


def error(code: int) -> dict[str, Any]:
    return {"errcode": code, "errmsg": "ok" if code == 0 else MESSAGES.get(code, "error")}


def _token_answer(token: _Token, now: datetime) -> dict[str, Any]:
    left = int((token.expires_at - now).total_seconds())
    return {"access_token": token.value, "expires_in": max(0, min(left, 7200))}


class _Dropped(BaseException):
    """Cut the line. No `Exception`: the framework would turn that into an answer of its own."""


class _Dropping:
    """Outermost layer: a promised body that never comes makes the server close the line."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except _Dropped:
            headers = [(b"content-length", b"100")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})


def make_app(fake: FakeWechat) -> Any:
    """The platform's paths, and ``/_fake`` for tests in other processes."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/cgi-bin/stable_token")
    async def stable_token(request: Request) -> dict[str, Any]:
        return fake.issue_token(await request.json())

    @app.post("/cgi-bin/message/custom/send")
    async def custom_send(request: Request, access_token: str = "") -> Response:
        raw = await request.body()
        how = fake.next_misbehaviour()
        if how == "hang":
            await asyncio.sleep(3600)
        if how == "drop":
            raise _Dropped
        if how == "garbage":
            return Response("<html>busy</html>", media_type="text/html")
        if how is not None and how.isdigit():
            return Response("", status_code=int(how))
        answer = fake.take(access_token, raw)
        if how == "deliver_then_drop":
            raise _Dropped
        return JSONResponse(answer)

    @app.get("/_fake/deliveries")
    async def deliveries() -> list[dict[str, Any]]:
        return [asdict(delivery) for delivery in fake.deliveries]

    @app.post("/_fake/fail")
    async def fail(body: dict[str, Any]) -> dict[str, Any]:
        fake.fail(*[int(body["errcode"])] * int(body.get("times", 1)))
        return error(0)

    @app.post("/_fake/misbehave")
    async def misbehave(body: dict[str, Any]) -> dict[str, Any]:
        fake.misbehave(*[str(body["how"])] * int(body.get("times", 1)))
        return error(0)

    @app.post("/_fake/clock")
    async def clock(body: dict[str, float]) -> dict[str, Any]:
        fake.move(**body)
        return {"now": fake.now().isoformat()}

    @app.post("/_fake/tokens/{what}")
    async def tokens(what: str) -> dict[str, Any]:
        {"expire": fake.expire_tokens, "revoke": fake.revoke_tokens}[what]()
        return error(0)

    @app.post("/_fake/did")
    async def did(body: dict[str, str]) -> dict[str, Any]:
        fake.did(body["appid"], body["openid"], body.get("what", "message"))
        return error(0)

    @app.post("/_fake/say")
    async def say(body: dict[str, Any]) -> list[dict[str, Any]]:
        sender = CallbackSender(
            url=body["url"], token=body["token"], appid=body["appid"], aes_key=body.get("aes_key")
        )
        fake.did(body["appid"], body["openid"])
        tries = await sender.push(
            sender.text(body["openid"], body["text"], msg_id=body.get("msg_id")),
            overlap=body.get("overlap"),
            wait=float(body.get("wait", 5.0)),
        )
        return [asdict(one) for one in tries]

    return _Dropping(app)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fakes.wechat", description="A stand-in for the WeChat platform."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--always-open", action="store_true", help="no 48 h window, no quota")
    parser.add_argument(
        "--app", action="append", default=[], metavar="APPID:SECRET", help="known applications"
    )
    options = parser.parse_args()
    apps = dict(app.split(":", 1) for app in options.app)
    fake = FakeWechat(apps=apps, always_open=options.always_open)
    uvicorn.run(make_app(fake), host=options.host, port=options.port)


if __name__ == "__main__":
    main()
