"""Routing with an empty database and the shipped rules, its entry points opened over ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest_asyncio

from services.routing.app import build
from services.routing.deps import Rules
from services.routing.seeds import load_rules
from shared.contracts.desk import CaseDispatched, CaseReturned
from shared.contracts.intake import FeedbackReceived
from shared.contracts.vocabulary import CaseType, Channel, Priority
from shared.ids import new_id
from shared.service import Runtime, Service
from shared.web.app import web_app
from tests.support import at, clock_at, outbox_of, prepared, process_batch

NOW = at("2026-03-04 10:00")


class Routing:
    """What a test does with routing: events, people, a look at the outbox."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.rules: Rules = service.deps.rules
        self.app = web_app(service.runtime, {"routing": service}, lambda: [])

    def visitor(self, **headers: str) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app, client=("10.0.0.9", 1)),
            base_url="http://routing.test",
            headers=headers,
        )

    def as_(self, role: str, **headers: str) -> httpx2.AsyncClient:
        token, _ = self.service.runtime.signer.session(
            username=role,
            display=role,
            role=role,
            department="space" if role in ("liaison", "handler", "reviewer") else None,
            now=NOW,
        )
        return self.visitor(authorization=f"Bearer {token}", **headers)

    async def process(self, *events: Any) -> None:
        await process_batch(self.service, *events)

    async def receive(self, text: str, **more: Any) -> str:
        """A new comment; the answer is its case."""
        event = received(text, **more)
        await self.process(event)
        return event.feedback_id

    async def emitted(self, feedback_id: str) -> list[dict[str, Any]]:
        return [
            {"type": t["type"], **t["body"]} for t in await outbox_of(self.service, feedback_id)
        ]

    async def last(self, feedback_id: str) -> dict[str, Any]:
        return (await self.emitted(feedback_id))[-1]

    async def history(self, feedback_id: str) -> dict[str, Any]:
        answer = await self.as_("coordinator").get(f"/api/routing/cases/{feedback_id}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


SHIPPED = load_rules().version
"""The version of the rules that set-up stores."""


def received(text: str, **more: Any) -> FeedbackReceived:
    values: dict[str, Any] = {
        "feedback_id": new_id(),
        "at": NOW,
        "channel": Channel.WEB,
        "code_hash": "0" * 64,
    }
    return FeedbackReceived(text=text, **(values | more))


def dispatched(feedback_id: str, department: str, **more: Any) -> CaseDispatched:
    values: dict[str, Any] = {
        "case_type": CaseType.COMPLAINT,
        "priority": Priority.P3,
        "decided": "person",
    }
    return CaseDispatched(feedback_id=feedback_id, at=NOW, department=department, **(values | more))


def returned(feedback_id: str, department: str, suggest: str | None = None) -> CaseReturned:
    return CaseReturned(
        feedback_id=feedback_id, at=NOW, department=department, reason="不归我们", suggest=suggest
    )


@pytest_asyncio.fixture
async def routing(make_quiet_runtime: Callable[..., Runtime]) -> AsyncIterator[Routing]:
    """Wednesday, 4 March 2026, 10:00."""
    service = await prepared(build, make_quiet_runtime(clock=clock_at("2026-03-04 10:00")))
    for seed in service.seeds:
        await seed(False)
    for begin in service.starting:
        await begin()
    yield Routing(service)
