"""An intake service on an empty database, a web client for it, and official accounts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest_asyncio
from sqlalchemy import text

from services.intake.app import build
from shared.clock import ManualClock
from shared.security import plain_code
from shared.service import Runtime, Service
from shared.web.app import web_app
from tests import support
from tests.fakes.wechat_callbacks import CallbackSender

KEY = "A" * 43
ACCOUNTS = [
    {"account": "main", "appid": "wx1", "secret": "s", "token": "tok", "aes_key": KEY},
    {"account": "branch", "appid": "wx2", "secret": "s", "token": "tok2"},
]


@dataclass
class Intake:
    """The service and whoever knocks."""

    service: Service
    clock: ManualClock
    client: httpx2.AsyncClient

    async def say(
        self, words: str = "三层东区217一上午都是一个水杯占着", **more: Any
    ) -> httpx2.Response:
        headers = more.pop("headers", {})
        return await self.client.post("/api/feedback", json={"text": words} | more, headers=headers)

    async def later(self, code: str, action: str, **body: Any) -> httpx2.Response:
        headers = body.pop("headers", {})
        return await self.client.post(f"/api/track/{code}/{action}", json=body, headers=headers)

    def adapter(self, name: str = "survey") -> dict[str, str]:
        token = support.adapter_token(self.service.runtime, name)
        return {"Authorization": f"Bearer {token}"}

    def staff(self, role: str = "clerk", department: str | None = None) -> dict[str, str]:
        token, _ = self.service.runtime.signer.session(
            username=role, display=role, role=role, department=department, now=self.clock.now()
        )
        return {"Authorization": f"Bearer {token}"}

    def wechat(self, account: str = "main", *, safe: bool = False) -> CallbackSender:
        known = next(a for a in ACCOUNTS if a["account"] == account)
        return CallbackSender(
            f"/wechat/{account}", known["token"], known["appid"], KEY if safe else None
        )

    async def push(
        self, xml: str, account: str = "main", *, safe: bool = False, **more: Any
    ) -> httpx2.Response:
        sender = self.wechat(account, safe=safe)
        more.setdefault("timestamp", int(self.clock.now().timestamp()))
        query, body = sender.sealed(xml, **more)
        return await self.client.post(sender.url, params=query, content=body)

    async def emitted(self, feedback_id: str | None = None) -> list[dict[str, Any]]:
        return await support.outbox_of(self.service, feedback_id)

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        async with self.service.engine.connect() as connection:
            return list((await connection.execute(text(statement), values)).mappings())

    async def cases(self) -> int:
        (row,) = await self.rows("SELECT count(*) AS n FROM submissions")
        return int(row["n"])

    async def process(self, *events: Any) -> None:
        await support.process_batch(self.service, *events)

    def strange_code(self) -> str:
        """Looks like one of ours, but was never made here."""
        code = plain_code(self.service.runtime.signer.tracking_code())
        return ("0" if code[0] != "0" else "1") + code[1:]


@pytest_asyncio.fixture
async def intake(make_quiet_runtime: Callable[..., Runtime]) -> AsyncIterator[Intake]:
    clock = support.clock_at("2026-03-04 10:00")
    runtime = make_quiet_runtime(
        clock=clock, wechat=json.dumps(ACCOUNTS), base_url="https://fx.test"
    )
    service = await support.prepared(build, runtime)
    await service.deps.group.start()
    app = web_app(runtime, {"intake": service}, list)
    transport = httpx2.ASGITransport(app=app, client=("10.1.2.3", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="https://fx.test") as client:
        yield Intake(service, clock, client)
    await service.deps.group.stop()
