"""A desk with an empty database, its routes over ASGI, and people to come in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import text

from services.desk.app import build
from services.desk.seeds import seed_departments
from services.desk.store import PersonRow
from services.desk.store.people import list_person
from shared.clock import ManualClock
from shared.contracts import EVENTS, short_type
from shared.contracts.vocabulary import Role
from shared.messaging.envelope import Record
from shared.service import Service
from shared.web.app import web_app
from tests.service.desk import examples
from tests.support import clock_at, outbox_of, prepared, process_batch


class Desk:
    """What a test does with desk: events, people, a look at the outbox."""

    def __init__(self, service: Service, clock: ManualClock) -> None:
        self.service, self.clock = service, clock
        self.app = web_app(service.runtime, {"desk": service}, lambda: [])

    def visitor(self, **headers: str) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app, client=("10.0.0.9", 1)),
            base_url="http://desk.test",
            headers=headers,
        )

    def token(self, role: str, department: str | None = None, name: str = "") -> str:
        token, _ = self.service.runtime.signer.session(
            username=name or (f"{role}.{department}" if department else role),
            display=f"{role} {department or ''}".strip(),
            role=role,
            department=department,
            now=self.clock.now(),
        )
        return token

    def as_(self, role: str, department: str | None = None, name: str = "") -> httpx2.AsyncClient:
        return self.visitor(authorization=f"Bearer {self.token(role, department, name)}")

    async def process(self, *events: Any) -> None:
        await process_batch(self.service, *events)

    async def read_back(self, feedback_id: str) -> None:
        """What desk emitted about the case comes back to it through the log."""
        async with self.service.engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT headers, body FROM outbox WHERE key = :k AND seq > 0 ORDER BY seq"),
                {"k": feedback_id},
            )
            found = [
                Record(
                    topic=EVENTS,
                    partition=0,
                    offset=n,
                    key=feedback_id.encode(),
                    headers=h if isinstance(h, dict) else json.loads(h),
                    body=b,
                )
                for n, (h, b) in enumerate(rows)
            ]
        async with self.service.transaction() as tx:
            await self.service.subscription.process_batch(tx, found)

    async def case(self, **more: Any) -> str:
        """A new case in TRIAGE."""
        event = examples.received(**more)
        await self.process(event)
        return event.feedback_id

    async def emitted(self, feedback_id: str) -> list[str]:
        return [short_type(t["type"]) for t in await outbox_of(self.service, feedback_id)]

    async def told(self, feedback_id: str | None = None) -> list[dict[str, Any]]:
        """The outbox without the record of who looked: an answer that shows a contact is a look."""
        emitted = await outbox_of(self.service, feedback_id)
        return [e for e in emitted if e["type"] != "case.personal_data_read.v1"]

    async def do(
        self, who: httpx2.AsyncClient, feedback_id: str, action: str, **body: Any
    ) -> dict[str, Any]:
        answer = await who.post(f"/api/cases/{feedback_id}/{action}", json=body)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    async def in_progress(self, department: str = "space", **more: Any) -> str:
        """A case that the handler of a department works on."""
        feedback_id = await self.case(**more)
        await self.process(examples.routed(feedback_id, department))
        await self.do(self.as_("liaison", department), feedback_id, "accept")
        await self.do(self.as_("handler", department), feedback_id, "claim")
        return feedback_id

    async def replied(self, department: str = "space", **more: Any) -> str:
        """A case that was answered."""
        feedback_id = await self.in_progress(department, **more)
        await self.do(
            self.as_("handler", department), feedback_id, "reply", text="已清理", outcome="solved"
        )
        return feedback_id

    async def person(self, username: str, role: Role, department: str | None = None) -> None:
        async with self.service.transaction() as tx:
            list_person(
                tx,
                PersonRow(
                    username=username,
                    display=f"{username} 老师",
                    role=str(role),
                    department=department,
                    password="",
                ),
            )


@pytest.fixture
def clock() -> ManualClock:
    return clock_at("2026-03-04 10:05")


@pytest_asyncio.fixture
async def desk(make_quiet_runtime: Callable[..., Any], clock: ManualClock) -> AsyncIterator[Desk]:
    service = await prepared(build, make_quiet_runtime(clock=clock))
    await seed_departments(service)
    for call in service.starting:
        await call()
    yield Desk(service, clock)
