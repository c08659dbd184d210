"""Who is turned away, and who is not."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from shared.messaging import group_commit
from shared.web.limits import Bucket, Failures
from tests.service.intake.conftest import Intake


def frozen(intake: Intake) -> None:
    """Limits on a clock that stands still."""
    deps = intake.service.deps
    deps.callers = Bucket(60, 2, now=lambda: 0.0)
    deps.unknown_codes = Failures(60, 600, now=lambda: 0.0)


async def test_sixty_at_once_then_429_and_others_unaffected(intake: Intake) -> None:
    frozen(intake)
    answers = [await intake.say(f"{n}") for n in range(62)]
    assert [a.status_code for a in answers] == [201] * 60 + [429] * 2
    refused = answers[-1]
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["content-type"] == "application/problem+json"
    transport = httpx2.ASGITransport(app=intake.client._transport.app, client=("10.9.9.9", 1))  # type: ignore[attr-defined]
    async with httpx2.AsyncClient(transport=transport, base_url="https://fx.test") as neighbour:
        assert (await neighbour.post("/api/feedback", json={"text": "x"})).status_code == 201
    adapter = intake.adapter()
    for n in range(80):
        answer = await intake.say(channel="api", source_message_id=f"{n}", headers=adapter)
        assert answer.status_code == 201


async def test_a_browser_that_is_turned_away_keeps_its_words(intake: Intake) -> None:
    frozen(intake)
    for _ in range(60):
        intake.service.deps.callers.take("10.1.2.3")
    answer = await intake.client.post(
        "/api/feedback", data={"text": "水漫到走廊了"}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
    assert "水漫到走廊了" in answer.text


async def test_only_codes_that_do_not_exist_count_and_genuine_ones_always_pass(
    intake: Intake,
) -> None:
    frozen(intake)
    code = (await intake.say()).json()["tracking_code"]
    for _ in range(60):
        assert (await intake.later(intake.strange_code(), "urge")).status_code == 404
    refused = await intake.later(intake.strange_code(), "urge")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "600")
    assert (await intake.later(code, "supplement", text="x")).status_code == 200
    genuine = intake.service.runtime.signer.tracking_code()
    assert (await intake.later(genuine, "urge")).status_code == 404


async def test_a_full_queue_is_503_with_retry_after(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    await intake.service.deps.group.stop()
    queue: asyncio.Queue[Any] = asyncio.Queue(1)
    queue.put_nowait(None)
    monkeypatch.setattr(intake.service.deps.group, "_queue", queue)
    answer = await intake.say()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    page = await intake.client.post(
        "/api/feedback", data={"text": "我的话"}, headers={"Accept": "text/html"}
    )
    assert page.status_code == 503
    assert "我的话" in page.text
    queue.get_nowait()
    queue.task_done()


async def test_a_database_that_is_away_is_503_and_the_next_try_finds_one_case(
    intake: Intake,
) -> None:
    await intake.service.engine.dispose()
    broken = intake.service.engine
    intake.service.engine = group_commit_away(intake)
    answer = await intake.say("x", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 503
    intake.service.engine = broken
    assert (await intake.say("x", headers={"Idempotency-Key": "k"})).status_code == 201
    assert await intake.cases() == 1


def group_commit_away(intake: Intake) -> Any:
    from shared.db import create_engine, parse_address

    assert group_commit.QUEUE
    return create_engine(parse_address("postgresql://127.0.0.1:1/nowhere"))


async def test_an_address_writes_only_so_many_bytes_and_others_as_before(intake: Intake) -> None:
    deps = intake.service.deps
    deps.written = Bucket(10_000, 100, now=lambda: 0.0)
    long = "字" * 1_000
    code = (await intake.say(long)).json()["tracking_code"]
    assert (await intake.later(code, "supplement", text=long)).status_code == 200
    answers = [await intake.say(long), await intake.say(long)]
    assert [a.status_code for a in answers] == [201, 429]
    assert int(answers[-1].headers["Retry-After"]) > 1
    assert (await intake.later(code, "supplement", text=long)).status_code == 429
    form = {"text": long}
    page = await intake.client.post("/api/feedback", data=form, headers={"Accept": "text/html"})
    assert page.status_code == 429
    assert long in page.text
    program = intake.adapter()
    answer = await intake.say(long, channel="api", source_message_id="1", headers=program)
    assert answer.status_code == 201


async def test_a_code_in_full_width_is_found_and_is_no_guess(intake: Intake) -> None:
    frozen(intake)
    code = (await intake.say()).json()["tracking_code"]
    wide = "\ufeff" + "".join(chr(ord(c) + 0xFEE0) for c in code).replace("－", "\u2011") + "\u3000"
    intake.service.deps.unknown_codes = Failures(1, 600, now=lambda: 0.0)
    assert (await intake.later(wide, "supplement", text="x")).status_code == 200
    assert (await intake.later(intake.strange_code(), "urge")).status_code == 404
    assert (await intake.later(wide, "urge")).status_code == 200
