"""People and programs at the system's web entry points, without a network in between.

Every request passes the whole application, from the edge to the answer. Each visitor has an
address of their own, as in life: the limits of the public entry points hold here too.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI

from shared.clock import Clock
from shared.security import Session
from shared.service import Runtime

Json = dict[str, Any]
_OVER = 401
_BUSY = 503
_AGAIN = 2.0
"""Seconds until somebody asks again, `_PATIENCE` times at most."""
_PATIENCE = 30
_NOT_NOW = frozenset({403, 404, 409, 422})


class Unexpected(RuntimeError):
    """An answer that nobody here can do anything with."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    def json(self) -> Json:
        """The body of a JSON answer."""
        parsed: Json = json.loads(self.body)
        return parsed


@dataclass
class Asking:
    """Asks the application of this process, as anybody, a program, or a member of staff."""

    app: FastAPI
    runtime: Runtime
    refused: Counter[str] = field(default_factory=Counter)
    """What was refused, and why → how often."""
    _sessions: dict[str, tuple[str, Session]] = field(default_factory=dict)
    _visitors: int = 0

    @property
    def clock(self) -> Clock:
        """The demonstration's."""
        return self.runtime.clock

    def address(self) -> str:
        """The address of another visitor."""
        self._visitors += 1
        return f"10.{self._visitors >> 16 & 255}.{self._visitors >> 8 & 255}.{self._visitors & 255}"

    async def ask(
        self,
        method: str,
        path: str,
        body: Json | bytes | None = None,
        *,
        token: str | None = None,
        address: str = "127.0.0.1",
        kind: str = "application/json",
        query: dict[str, str] | None = None,
    ) -> Answer:
        """One request; who is told that the system is busy asks again, as people do."""
        for _ in range(_PATIENCE):
            answer = await self._ask_once(method, path, body, token, address, kind, query)
            if answer.status != _BUSY:
                return answer
            await asyncio.sleep(_AGAIN)
        return answer

    async def _ask_once(
        self,
        method: str,
        path: str,
        body: Json | bytes | None,
        token: str | None,
        address: str,
        kind: str,
        query: dict[str, str] | None,
    ) -> Answer:
        path, _, search = path.partition("?")
        raw = body if isinstance(body, bytes) else b"" if body is None else _dumped(body)
        headers = [(b"host", b"demo"), (b"content-type", kind.encode())]
        headers.append((b"content-length", str(len(raw)).encode()))
        if token:
            headers.append((b"authorization", f"Bearer {token}".encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": (search or urlencode(query or {})).encode(),
            "root_path": "",
            "headers": headers,
            "client": (address, 1000),
            "server": ("demo", 80),
        }
        sent = asyncio.Event()
        status, parts = 0, []

        async def receive() -> Json:
            if sent.is_set():
                await asyncio.Event().wait()
            sent.set()
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, receive, send)
        return Answer(status, b"".join(parts))

    async def staff(
        self, who: str, method: str, path: str, body: Json | None = None
    ) -> Json | None:
        """The answer a member of staff gets; None where it cannot be done now."""
        answer = await self.ask(method, path, body, token=await self._token(who))
        if answer.status == _OVER:
            # The clock went on by hours between the look at the session and its use.
            answer = await self.ask(method, path, body, token=await self._token(who))
        if answer.status < 300:
            return answer.json()
        if answer.status not in _NOT_NOW:
            raise Unexpected(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        self.refused[f"{path.rsplit('/', 1)[-1]} {answer.json().get('detail')}"] += 1
        return None

    async def act(self, who: str, feedback_id: str, action: str, **body: Any) -> Json | None:
        """What a member of staff does to a case: the case as it is afterwards."""
        return await self.staff(who, "POST", f"/api/cases/{feedback_id}/{action}", body)

    async def later(self, code: str, action: str, **body: Any) -> bool:
        """What a reporter does later, by tracking code."""
        answer = await self.ask("POST", f"/api/track/{code}/{action}", body, address=self.address())
        if answer.status >= 500:
            raise Unexpected(f"{action}: {answer.status} {answer.body[:300]!r}")
        if answer.status != 200:
            self.refused[f"reporter's {action} {answer.json().get('detail')}"] += 1
        return answer.status == 200

    async def _token(self, who: str) -> str:
        """A session of theirs. They sign in with their password the first time.

        Later sessions are signed here: a password is checked slowly on purpose, and in two months
        that would take longer than everything else.
        """
        now = self.clock.now()
        known = self._sessions.get(who)
        if known is None:
            password = self.runtime.settings.demo_secret()
            answer = await self.ask(
                "POST",
                "/api/session",
                {"username": who, "password": password},
                address=self.address(),
            )
            if answer.status != 200:
                raise Unexpected(f"sign in as {who}: {answer.status} {answer.body[:300]!r}")
            token = str(answer.json()["token"])
            session = self.runtime.signer.read_session(token, now)
            assert session is not None
            known = token, session
        elif self.runtime.signer.read_session(known[0], now) is None:
            old = known[1]
            known = self.runtime.signer.session(
                username=who, display=old.display, role=old.role, department=old.department, now=now
            )
        self._sessions[who] = known
        return known[0]


def _dumped(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
