"""kill -9 in the middle of a merge of 200: what was begun is done once, and everybody hears."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from tests.faults.system import System
from tests.patience import PATIENCE, plain

MANY, ADDRESSED = 200, 20
_NOT_THERE = "SELECT 1 FROM cases WHERE state <> 'RECEIVED' HAVING count(*) < $1"
_DONE = "SELECT count(done_at) AS done, count(*) AS total FROM job_items"


@contextlib.asynccontextmanager
async def office(system: System) -> AsyncIterator[httpx2.AsyncClient]:
    """The coordinator, signed in."""
    async with plain(base_url=system.url, timeout=PATIENCE) as web:
        who = {"username": "coordinator", "password": "fault-test"}
        token = (await post(web, "/api/session", **who))["token"]
        web.headers["Authorization"] = f"Bearer {token}"
        yield web


async def opened(system: System) -> None:
    """Wait until the office has every comment."""
    while await system.fetch("desk", _NOT_THERE, MANY + 1):
        await asyncio.sleep(0.1)


async def done(system: System, *, at_least: int) -> int:
    """Wait until so many cases of the job are done; says how many are."""
    while True:
        (row,) = await system.fetch("desk", _DONE)
        if row["done"] >= at_least:
            return int(row["done"])
        await asyncio.sleep(0.01)


async def post(web: httpx2.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await web.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_killed_in_the_middle_of_a_merge_each_case_is_joined_once(
    system: System, chance: random.Random
) -> None:
    await system.begin()
    await system.feed(MANY + 1, chance, addressed=ADDRESSED)
    await opened(system)
    target, *others = sorted(system.acknowledged.values())
    async with office(system) as web:
        body = {"feedback_ids": others, "into": target, "reason": "同一件事"}
        job = (await post(web, "/api/cases/bulk/merge", **body))["job"]
        await done(system, at_least=chance.randint(10, 100))
        system.children["system"].kill()
        (left,) = await system.fetch("desk", _DONE)
        assert left["done"] < MANY, "it was through before it was killed"
        system.start()
        await system.ready()
        await done(system, at_least=MANY)
        seen = (await web.get(f"/api/jobs/{job}")).json()
        assert (seen["done"], seen["total"], seen["failed"]) == (MANY, MANY, [])
        case = (await web.get(f"/api/cases/{target}")).json()
        if case["state"] != "TRIAGE":
            await post(web, f"/api/cases/{target}/recall", reason="直接答复")
        await post(web, f"/api/cases/{target}/reply", text="都修好了。", outcome="solved")
    await system.settle()
    await system.check(frozenset({"MERGED", "REPLIED"}))

    cases = await system.fetch("desk", "SELECT feedback_id, state, merged_into FROM cases")
    into = {row["feedback_id"]: row["merged_into"] for row in cases}
    assert into == dict.fromkeys(others, target) | {target: None}
    events = {headers["ce_id"]: headers for headers in await system.log()}
    kinds = Counter((h["ce_subject"], h["ce_type"]) for h in events.values())
    assert kinds[target, "case.absorbed.v1"] == MANY
    for other in others:
        assert kinds[other, "case.merged.v1"] == kinds[other, "case.answered_through.v1"] == 1
    answered = {
        receiver
        for mail in system.sink.received
        if "答复了" in str(mail.message["Subject"])
        for receiver in mail.rcpt_to
    }
    lost = await system.fetch(
        "notification", "SELECT count(*) AS n FROM deliveries WHERE state = 'uncertain'"
    )
    assert len(answered) + lost[0]["n"] >= ADDRESSED
