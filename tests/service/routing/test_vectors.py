"""What cases mean, in the database: embedded in the background, found by nearness."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from services.routing import jobs
from services.routing.store import vectors
from shared.contracts.desk import CaseCorrected
from shared.contracts.vocabulary import CaseType, Priority, State
from shared.embeddings import EmbedderAway
from tests.fakes import embedder
from tests.service.routing.conftest import NOW, Routing, dispatched, received


class Compass(embedder.Compass):
    """Which knows other words than those of the desk."""

    words = ("占座", "空调", "漏水", "打印", "seat", "noise", "cold", "book")

    def __init__(self, model: str = "compass-1") -> None:
        super().__init__(model)


def use(routing: Routing, compass: Compass) -> Compass:
    routing.service.deps.meaning.embedder = compass
    return compass


def corrected(feedback_id: str, **more: Any) -> CaseCorrected:
    values: dict[str, Any] = {
        "category": "space",
        "case_type": CaseType.COMPLAINT,
        "priority": Priority.P3,
        "reason": "核对过",
        "state": State.TRIAGE,
    }
    return CaseCorrected(feedback_id=feedback_id, at=NOW, **(values | more))


async def kept(routing: Routing) -> dict[str, str]:
    async with routing.service.engine.connect() as connection:
        rows = await connection.execute(text("SELECT feedback_id, model FROM vectors"))
        return {row.feedback_id: row.model for row in rows}


async def test_cases_are_embedded_and_the_nearest_are_found_by_an_index(routing: Routing) -> None:
    compass = use(routing, Compass())
    seats = await routing.receive("三楼有人占座，占座一整天", title="占座")
    cold = await routing.receive("空调太冷了 cold")
    again = await routing.receive("又有人占座")
    assert await jobs.embed_waiting(routing.service) == 3
    assert await kept(routing) == dict.fromkeys((seats, cold, again), "compass-1")
    assert await jobs.embed_waiting(routing.service) == 0
    async with routing.service.engine.connect() as connection:
        near = await vectors.nearest(
            connection, "compass-1", compass.direction("占座"), limit=2, but=again
        )
        assert [one.feedback_id for one in near] == [seats, cold]
        assert 1 >= near[0].likeness > near[1].likeness
        # Of three rows each way is as good; what is shown is that the index can be used.
        for other in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            await connection.execute(text(f"SET LOCAL {other} = off"))
        plan = await connection.execute(
            text(
                "EXPLAIN SELECT feedback_id FROM vectors WHERE model = 'compass-1' ORDER BY "
                "vector::halfvec(8) <=> CAST(:v AS real[])::halfvec(8) LIMIT 3"
            ),
            {"v": [1.0] * 8},
        )
        assert "vectors_nearest_" in " ".join(row[0] for row in plan)


async def test_another_model_embeds_everything_anew_and_its_index_takes_the_place(
    routing: Routing,
) -> None:
    use(routing, Compass('it\'s "one" : %s'))
    case = await routing.receive("有人占座")
    await jobs.embed_waiting(routing.service)
    compass = use(routing, Compass("another"))
    assert await jobs.embed_waiting(routing.service) == 1
    assert await kept(routing) == {case: "another"}
    async with routing.service.engine.connect() as connection:
        names = await connection.execute(
            text("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'vectors_nearest_%'")
        )
        assert len(names.all()) == 1
        assert await vectors.nearest(connection, "another", compass.direction("占座"), limit=1)


async def test_what_is_confidential_gets_no_vector_and_only_the_beginning_is_asked_for(
    routing: Routing,
) -> None:
    compass = use(routing, Compass())
    await routing.receive("馆员某某对我说了很难听的话", confidential=True)
    await routing.receive("很长的信。" * 5000)
    await jobs.embed_waiting(routing.service)
    assert len(await kept(routing)) == 1
    assert max(map(len, compass.asked)) <= 240


async def test_what_becomes_confidential_loses_its_vector_until_that_is_lifted(
    routing: Routing,
) -> None:
    use(routing, Compass())
    case, sent = await routing.receive("有人占座"), await routing.receive("有人占座，管不管")
    await jobs.embed_waiting(routing.service)
    await routing.process(corrected(case, confidential=True, changed=("confidential",)))
    await routing.process(dispatched(sent, "relations", category="conduct", confidential=True))
    assert await kept(routing) == {}
    async with routing.service.engine.begin() as connection:
        # As by who made it just before.
        await vectors.keep(connection, "compass-1", NOW, [(case, (1.0,) * 8)])
    assert await kept(routing) == {}
    assert await jobs.embed_waiting(routing.service) == 0
    await routing.process(corrected(case, changed=("title",), confidential=True))
    assert await jobs.embed_waiting(routing.service) == 0
    await routing.process(corrected(case, changed=("confidential",)))
    await routing.process(dispatched(sent, "space", category="space"))
    assert await jobs.embed_waiting(routing.service) == 2


async def test_what_is_about_conduct_gets_no_vector(routing: Routing) -> None:
    use(routing, Compass())
    case = await routing.receive("馆员态度恶劣，骂人，还推了我", category="conduct")
    assert (await routing.last(case))["category"] == "conduct"
    assert await jobs.embed_waiting(routing.service) == 0
    assert routing.service.deps.meaning.fresh == {}


async def test_confidential_in_the_batch_it_came_with_it_gets_no_vector(routing: Routing) -> None:
    use(routing, Compass())
    event = received("有人占座")
    hushed = corrected(event.feedback_id, confidential=True, changed=("confidential",))
    await routing.process(event, hushed)
    assert await jobs.embed_waiting(routing.service) == 0


async def test_what_was_not_embedded_while_the_model_was_away_is_embedded_later(
    routing: Routing,
) -> None:
    compass = use(routing, Compass())
    compass.away = True
    case = await routing.receive("有人占座")
    assert (await routing.last(case))["type"].startswith("feedback.")
    with pytest.raises(EmbedderAway):
        await jobs.embed_waiting(routing.service)
    compass.away = False
    assert await jobs.embed_waiting(routing.service) == 1


async def test_one_process_embeds_at_a_time(routing: Routing) -> None:
    use(routing, Compass())
    await routing.receive("有人占座")
    async with routing.service.engine.connect() as connection:
        await connection.execute(text(f"SELECT pg_advisory_lock({jobs._LOCK})"))
        assert await jobs.embed_waiting(routing.service) == 0
        await connection.execute(text(f"SELECT pg_advisory_unlock({jobs._LOCK})"))
    assert await jobs.embed_waiting(routing.service) == 1


async def test_without_the_extension_cases_are_embedded_and_it_is_said(routing: Routing) -> None:
    use(routing, Compass())
    async with routing.service.engine.begin() as connection:
        await connection.execute(text("SET LOCAL ROLE postgres"))
        await connection.execute(text("DROP EXTENSION vector CASCADE"))
    try:
        await routing.receive("有人占座")
        assert await jobs.embed_waiting(routing.service) == 1
        assert not routing.service.deps.meaning.indexed
        assert "extension" in routing.service.warnings()[0]
    finally:
        await routing.service.install_extensions()


async def test_with_a_model_that_is_off_nothing_is_asked(routing: Routing) -> None:
    await jobs.embed_cases(routing.service)
    assert routing.service.warnings() == []
