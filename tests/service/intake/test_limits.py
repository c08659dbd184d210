"""Who is turned away, and who is not."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from shared.messaging import group_commit
from shared.web.limits import Bucket, Failures
from tests.service.intake.conftest import Door


def frozen(door: Door) -> None:
    """Limits on a clock that stands still."""
    tools = door.service.tools
    tools.callers = Bucket(60, 2, now=lambda: 0.0)
    tools.strangers = Failures(60, 600, now=lambda: 0.0)


async def test_sixty_at_once_then_429_and_others_unaffected(door: Door) -> None:
    frozen(door)
    answers = [await door.say(f"{n}") for n in range(62)]
    assert [a.status_code for a in answers] == [201] * 60 + [429] * 2
    refused = answers[-1]
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["content-type"] == "application/problem+json"
    transport = httpx2.ASGITransport(app=door.client._transport.app, client=("10.9.9.9", 1))  # type: ignore[attr-defined]
    async with httpx2.AsyncClient(transport=transport, base_url="https://fx.test") as neighbour:
        assert (await neighbour.post("/api/feedback", json={"text": "x"})).status_code == 201
    adapter = door.adapter()
    for n in range(80):
        answer = await door.say(channel="api", source_message_id=f"{n}", headers=adapter)
        assert answer.status_code == 201


async def test_a_browser_that_is_turned_away_keeps_its_words(door: Door) -> None:
    frozen(door)
    for _ in range(60):
        door.service.tools.callers.take("10.1.2.3")
    answer = await door.client.post(
        "/api/feedback", data={"text": "水漫到走廊了"}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
    assert "水漫到走廊了" in answer.text


async def test_only_codes_that_do_not_exist_count_and_genuine_ones_always_pass(door: Door) -> None:
    frozen(door)
    code = (await door.say()).json()["tracking_code"]
    for _ in range(60):
        assert (await door.later(door.strange_code(), "urge")).status_code == 404
    refused = await door.later(door.strange_code(), "urge")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "600")
    assert (await door.later(code, "supplement", text="x")).status_code == 200
    genuine = door.service.house.signer.tracking_code()
    assert (await door.later(genuine, "urge")).status_code == 404


async def test_a_full_queue_is_503_with_retry_after(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    await door.service.tools.group.stop()
    queue: asyncio.Queue[Any] = asyncio.Queue(1)
    queue.put_nowait(None)
    monkeypatch.setattr(door.service.tools.group, "_queue", queue)
    answer = await door.say()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    page = await door.client.post(
        "/api/feedback", data={"text": "我的话"}, headers={"Accept": "text/html"}
    )
    assert page.status_code == 503
    assert "我的话" in page.text
    queue.get_nowait()
    queue.task_done()


async def test_a_database_that_is_away_is_503_and_the_next_try_finds_one_case(door: Door) -> None:
    await door.service.engine.dispose()
    broken = door.service.engine
    door.service.engine = group_commit_away(door)
    answer = await door.say("x", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 503
    door.service.engine = broken
    assert (await door.say("x", headers={"Idempotency-Key": "k"})).status_code == 201
    assert await door.cases() == 1


def group_commit_away(door: Door) -> Any:
    from shared.db.engine import create_engine

    assert group_commit.QUEUE
    url = door.service.url.set(query={}, host="127.0.0.1", port=1)
    return create_engine(url, role=None)
