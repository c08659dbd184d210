"""Comments that come while something else is measured: events, taken in by tracking as it does it.

Each is a transaction of its own, through the subscription of the service that runs: nothing that a
reader of the board meets differs from events of the log, but that no broker brings them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from services.tracking.store import generation
from shared.process import Build
from shared.service import Runtime, Service
from shared.tasks import end
from tests.support import records
from tests.unit.tracking.examples import Story

A_SECOND = 20
CATEGORIES = ("seats", "offcampus", "facilities", "circulation", "seats", "eresources", "systems")
DEPARTMENTS = ("space", "it", "facilities")
CHANNELS = ("web", "web", "wechat", "desk")
GROUPS = ("students", "students", "teachers")


def with_changes(build: Build, runtime: Runtime) -> Service:
    """The service with ``POST /control/changes {on}``, which begins and ends them.

    When they end it answers ``{committed, received: [monotonic seconds]}``: how many there were,
    and when each that began a case could be seen.
    """
    service = build(runtime)
    router = APIRouter()
    running: list[tuple[asyncio.Task[None], dict[str, Any]]] = []

    @router.post("/control/changes")
    async def changes(request: Request) -> dict[str, Any]:
        if (await request.json())["on"]:
            said: dict[str, Any] = {"committed": 0, "received": []}
            running.append((asyncio.create_task(_come(service, said)), said))
            return {}
        task, said = running.pop()
        failed = task.exception() if task.done() else None
        await end([task])
        if failed is not None:
            raise failed
        return said

    service.routers.append(router)
    return service


async def _come(service: Service, said: dict[str, Any]) -> None:
    begun = time.monotonic()
    for n, event in enumerate(_events(service.runtime)):
        # By the time they should come: one that took longer is caught up with.
        await asyncio.sleep(max(0.0, begun + n / A_SECOND - time.monotonic()))
        async with service.transaction() as tx:
            await generation.guard(tx, service.group)
            await service.subscription.process_batch(tx, records(service, event))
        said["committed"] += 1
        if event.type.startswith("feedback.received"):
            said["received"].append(time.monotonic())


def _events(runtime: Runtime) -> Iterator[Any]:
    """Of one case after the other, from receipt to stars."""
    kinds = zip(*map(itertools.cycle, (CATEGORIES, DEPARTMENTS, CHANNELS, GROUPS)), strict=False)
    for category, department, channel, group in kinds:
        story = Story(now=runtime.clock.now())
        first, *others = story.answered(department)
        yield first.model_copy(
            update={"category": category, "channel": channel, "reporter_group": group}
        )
        yield from others
        yield story.rated()


@contextlib.asynccontextmanager
async def changes_coming(client: Any) -> AsyncIterator[dict[str, Any]]:
    """They come in the block; afterwards what is given says what came."""
    said: dict[str, Any] = {}
    (await client.post("/control/changes", json={"on": True})).raise_for_status()
    try:
        yield said
    finally:
        answer = (await client.post("/control/changes", json={"on": False})).raise_for_status()
        said |= answer.json()
