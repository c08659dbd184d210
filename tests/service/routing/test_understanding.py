"""A decision with the model, and without it when it is away, slow, or asked too much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.routing import deps, jobs
from services.routing.deps import Meaning
from services.routing.domain import Alarm, Reason
from shared.embeddings import CircuitBreaker, Embedder, EmbedderAway, Vector, parse_source
from tests.patience import PATIENCE
from tests.service.routing.conftest import Routing, dispatched, received, returned
from tests.service.routing.test_vectors import Compass
from tests.unit.routing.test_weigh_up import tiny

UNHEARD_OF = "风很大，雨也很大"
"""No rule knows it."""


class Sure(Compass):
    """Every text is about the same."""

    def __init__(self, vector: tuple[float, ...] = (1.0, 0.0)) -> None:
        super().__init__("compass")
        self.vector = vector
        self.slow = False

    async def embed(self, texts: Sequence[str], **more: Any) -> list[Vector]:
        if self.away:
            raise EmbedderAway("away")
        if self.slow:
            await asyncio.Event().wait()
        return [self.vector for _ in texts]


@pytest.fixture
def sure(routing: Routing) -> Sure:
    embedder = Sure()
    meaning: Meaning = routing.service.deps.meaning
    meaning.embedder, meaning.model = embedder, tiny()
    return embedder


async def test_what_no_rule_knows_is_sent_by_what_was_learned(routing: Routing, sure: Sure) -> None:
    event = await routing.last(await routing.receive(UNHEARD_OF))
    assert event["type"] == "feedback.routed.v1"
    assert (event["decided"], event["department"], event["category"]) == (
        "model",
        "space",
        "seats",
    )
    assert event["confidence"] > 0.9
    assert not any("风" in reason["text"] for reason in event["reasons"])


async def tried(routing: Routing, text: str) -> dict[str, Any]:
    answer = await routing.as_("coordinator").post("/api/routing/try", json={"text": text})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


async def test_a_sentence_is_tried_as_a_comment_is_decided(routing: Routing, sure: Sure) -> None:
    text = "厕所太脏了 谢谢"
    event = await routing.last(await routing.receive(text))
    body = await tried(routing, text)
    same = ("decided", "department", "category", "confidence", "model_version")
    assert {name: body[name] for name in same} == {name: event[name] for name in same}
    assert (body["type"], body["priority"]) == (event["case_type"], event["priority"])
    assert (body["confident"], body["alarm"]) == (True, None)
    case = await routing.receive(f"{UNHEARD_OF} 0")
    await routing.process(dispatched(case, "it"))
    await jobs.embed_waiting(routing.service)
    body = await tried(routing, UNHEARD_OF)
    assert not body["confident"]
    assert "speak against" in body["reasons"][0]["text_en"]
    assert routing.service.deps.meaning.fresh == {}


async def test_a_tried_sentence_says_what_would_alarm_the_office(
    routing: Routing, sure: Sure, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Alarm("meaning", 0.8, (Reason(text="像", text_en="Like a fire", weight=0.8),), "fire")

    async def alarm(*_: Any) -> Alarm:
        return said

    monkeypatch.setattr(routing.service.deps.meaning, "alarm", alarm)
    body = await tried(routing, UNHEARD_OF)
    assert (body["alarm"]["kind"], body["alarm"]["found_by"]) == ("fire", "meaning")
    assert not body["confident"]
    page = await routing.as_("coordinator").post("/routing", data={"text": UNHEARD_OF})
    assert "会马上叫人来看：像" in page.text


async def test_a_tried_sentence_says_that_the_rules_alone_were_asked(
    routing: Routing, sure: Sure
) -> None:
    sure.away = True
    body = await tried(routing, UNHEARD_OF)
    assert (body["decided"], body["reasons"][-1]["text_en"]) == ("rule", deps.AWAY[1])
    routing.service.deps.meaning.embedder = Embedder(parse_source("off"))
    assert (await tried(routing, UNHEARD_OF))["reasons"][-1]["text_en"] == deps.OFF[1]


async def test_the_vector_of_a_decision_is_kept_and_not_asked_for_twice(
    routing: Routing, sure: Sure
) -> None:
    await routing.receive(UNHEARD_OF)
    sure.vector = (0.0, 1.0)
    assert await jobs.embed_waiting(routing.service) == 1
    near = await jobs.find_precedents(routing.service, (1.0, 0.0), "")
    assert near == []
    assert routing.service.deps.meaning.fresh == {}


async def test_what_people_did_with_the_nearest_cases_counts_and_is_named(
    routing: Routing, sure: Sure
) -> None:
    sure.vector = (0.52, 0.48)
    before = [await routing.receive(f"{UNHEARD_OF} {n}") for n in range(3)]
    assert (await routing.last(before[0]))["type"] == "feedback.triage_needed.v1"
    for case in before:
        await routing.process(dispatched(case, "it"))
    await jobs.embed_waiting(routing.service)
    event = await routing.last(await routing.receive(UNHEARD_OF))
    assert event["department"] == "it"
    (reason,) = [one for one in event["reasons"] if before[2] in one["text"]]
    assert routing.service.deps.directory.departments["it"][0] in reason["text"]


async def test_who_is_left_after_a_return_is_weighed_by_what_was_learned(
    routing: Routing, sure: Sure
) -> None:
    before = await routing.receive(f"{UNHEARD_OF} 0")
    await routing.process(dispatched(before, "events"))
    await jobs.embed_waiting(routing.service)
    case = await routing.receive(UNHEARD_OF)
    await routing.process(returned(case, "space"))
    event = await routing.last(case)
    assert (event["type"], event["decided"]) == ("feedback.triage_needed.v1", "model")
    assert event["model_version"] == 0
    offered = [one["department"] for one in event["candidates"]]
    assert offered[0] == "it"
    assert "space" not in offered
    sure.away = True
    await routing.process(returned(case, "it", suggest="events"))
    event = await routing.last(case)
    assert (event["decided"], event["candidates"][0]["department"]) == ("rule", "events")


async def test_what_is_not_ours_is_told_with_whose_it_is(routing: Routing, sure: Sure) -> None:
    sure.vector = (-1.0, -1.0)
    event = await routing.last(await routing.receive("宿舍的热水又停了"))
    first = event["candidates"][0]
    assert (event["type"], first["category"]) == ("feedback.triage_needed.v1", "not_ours")
    assert first["unit"] == "学生宿舍管理部门"
    assert first["instead"].startswith("宿舍的事请找")
    assert all("unit" not in one for one in event["candidates"][1:])


async def test_a_model_that_is_away_leaves_the_decision_to_the_rules(
    routing: Routing, sure: Sure
) -> None:
    sure.away = True
    event = await routing.last(await routing.receive("三层东区一上午都是一个水杯占座"))
    assert (event["decided"], event["department"]) == ("rule", "space")
    assert event["reasons"][-1]["text_en"].startswith("The model of meanings is away")


async def test_a_burst_is_decided_by_the_rules_when_the_time_is_over(
    routing: Routing, sure: Sure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deps, "BUDGET", 0.1)
    sure.slow = True
    events = [received(f"{UNHEARD_OF} {n}") for n in range(50)]
    async with asyncio.timeout(PATIENCE):
        await routing.process(*events)
    for event in events:
        told = await routing.last(event.feedback_id)
        assert told["decided"] == "rule"
        assert told["reasons"][-1]["text_en"].startswith("Too many comments")
    # Nobody waits for a while, and then the model is asked again.
    sure.slow = False
    assert (await routing.last(await routing.receive(UNHEARD_OF)))["decided"] == "rule"
    routing.service.deps.meaning._rests_until = 0.0
    assert (await routing.last(await routing.receive(UNHEARD_OF)))["decided"] == "model"


HALF = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
"""The beginning of an answer."""


class Counting(Embedder):
    """The real client; `waits` says for how long it was told to wait, at most."""

    waits: tuple[float, ...] = ()

    async def embed(
        self, texts: Sequence[str], *, within: float = 30.0, **more: Any
    ) -> list[Vector]:
        if self.available:
            self.waits += (within,)
        return await super().embed(texts, within=within, **more)


@asynccontextmanager
async def dumb(says: bytes, *, hangs_up: bool = False) -> AsyncIterator[Counting]:
    """The client of a server that takes requests, says so much and no more."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        if not hangs_up:
            while await reader.read(4096):
                pass
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    source = parse_source(f"http://127.0.0.1:{port}/v1?model=compass")
    embedder = Counting(source, breaker=CircuitBreaker(now=lambda: 0.0))
    try:
        yield embedder
    finally:
        await embedder.close()
        server.close()


@pytest.mark.parametrize("says", [b"", HALF], ids=["nothing", "half an answer"])
async def test_of_a_model_that_hangs_one_transaction_waits_and_the_next_ones_do_not(
    routing: Routing, sure: Sure, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    monkeypatch.setattr(deps, "BUDGET", 0.3)
    monkeypatch.setattr(deps, "REST", 1e6)
    meaning: Meaning = routing.service.deps.meaning
    async with dumb(says) as embedder, asyncio.timeout(PATIENCE):
        meaning.embedder = embedder
        # They came together, or while the first of them was waited for.
        for events in (2, 1, 3):
            together = [received(f"{UNHEARD_OF} {n}") for n in range(events)]
            await routing.process(*together)
            for event in together:
                told = await routing.last(event.feedback_id)
                assert told["decided"] == "rule"
                assert told["reasons"][-1]["text_en"].endswith("by the rules alone")
            # All of them together have waited for less than the budget of one.
            assert len(embedder.waits) == 1
            assert embedder.waits[0] < deps.BUDGET
        # In a while one of them asks again, and waits as long as the first.
        meaning._rests_until = 0.0
        await routing.receive(UNHEARD_OF)
        await routing.receive(UNHEARD_OF)
        assert len(embedder.waits) == 2


async def test_a_model_that_hangs_up_costs_nobody_the_time_of_waiting(
    routing: Routing, sure: Sure
) -> None:
    meaning: Meaning = routing.service.deps.meaning
    async with dumb(b"", hangs_up=True) as embedder, asyncio.timeout(PATIENCE):
        meaning.embedder = embedder
        for _ in range(5):
            event = await routing.last(await routing.receive(UNHEARD_OF))
            assert event["decided"] == "rule"
        # After three in a row it is known to be away.
        assert len(embedder.waits) <= 3


async def test_what_was_learned_with_other_vectors_is_not_believed(
    routing: Routing, sure: Sure
) -> None:
    sure.model = "another"
    event = await routing.last(await routing.receive(UNHEARD_OF))
    assert event["decided"] == "rule"
    assert "Nothing was learned yet" in event["reasons"][-1]["text_en"]
