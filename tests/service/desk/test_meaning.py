"""What cases mean, beside their words: kept in the background, found in other words."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from services.desk.jobs import meaning as jobs
from services.desk.jobs import surges
from services.desk.store import meanings
from shared.contracts.intake import PrivateErased
from shared.embeddings import EmbedderAway
from tests.fakes.embedder import Compass
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_similar import COLD, OTHER, similar

SAUNA = "3F reading room is a sauna, please repair the AC"
LAMP = "三层阅览室的灯从昨天下午开始就不亮了，看不了书，请尽快修。"


@pytest.fixture
def compass(desk: Desk) -> Compass:
    compass = desk.service.deps.meaning.embedder = Compass()
    return compass


async def kept(desk: Desk) -> dict[str, tuple[str, list[str]]]:
    async with desk.service.engine.connect() as connection:
        rows = await connection.execute(text("SELECT feedback_id, model, things FROM meanings"))
        return {row.feedback_id: (row.model, row.things) for row in rows}


async def test_the_same_matter_in_other_words_is_shown_and_why(
    desk: Desk, compass: Compass
) -> None:
    one, copy = await desk.case(text=COLD), await desk.case(text=COLD)
    sauna = await desk.case(text=SAUNA)
    lamp, other = await desk.case(text=LAMP), await desk.case(text=OTHER)
    assert await jobs.embed_arrived(desk.service) == 5
    found = {i["feedback_id"]: i["same"] for i in await similar(desk, one)}
    assert found == {copy: "words", sauna: "matter"}
    assert {i["feedback_id"] for i in await similar(desk, sauna)} == {one, copy}
    assert lamp not in found and other not in found
    page = await desk.as_("coordinator").get(f"/desk/cases/{one}/near")
    assert "同一件事，说法不同" in page.text


async def test_what_names_nothing_known_is_found_where_the_words_are_near(
    desk: Desk, compass: Compass
) -> None:
    one = await desk.case(text="导盲的狗能进来吗？")
    again = await desk.case(text="狗，导盲的那种，让进吗")
    await desk.case(text=COLD)
    assert await jobs.embed_waiting(desk.service) == 3
    found = await similar(desk, one)
    assert [(i["feedback_id"], i["same"]) for i in found] == [(again, "matter")]


async def test_without_a_model_words_alone_are_compared(desk: Desk, compass: Compass) -> None:
    one, sauna = await desk.case(text=COLD), await desk.case(text=SAUNA)
    compass.away = True
    with pytest.raises(EmbedderAway):
        await jobs.embed_waiting(desk.service)
    assert await similar(desk, one) == []
    compass.away = False
    assert await jobs.embed_waiting(desk.service) == 2
    assert [i["feedback_id"] for i in await similar(desk, one)] == [sauna]


async def test_confidential_and_erased_cases_have_no_meaning(desk: Desk, compass: Compass) -> None:
    await desk.case(text=COLD, confidential=True)
    erased = await desk.case(text=COLD)
    await jobs.embed_arrived(desk.service)
    assert list(await kept(desk)) == [erased]
    await desk.process(PrivateErased(feedback_id=erased, at=examples.RECEIVED))
    assert await kept(desk) == {}
    assert await jobs.embed_waiting(desk.service) == 0


async def counted(desk: Desk) -> set[str]:
    async with desk.service.engine.connect() as connection:
        rows = await connection.execute(text("SELECT feedback_id FROM case_matters"))
        return {row.feedback_id for row in rows}


@pytest.mark.parametrize("said", [{"confidential": True}, {"category": "conduct"}])
async def test_what_becomes_confidential_means_nothing_until_that_is_lifted(
    desk: Desk, compass: Compass, said: dict[str, object]
) -> None:
    office, case = desk.as_("coordinator"), await desk.case(text=COLD)
    other = await desk.case(text=COLD)
    await jobs.embed_arrived(desk.service)
    await surges.count_cases(desk.service)
    await desk.do(office, case, "correct", reason="说的是某位馆员", **said)
    assert list(await kept(desk)) == [other]
    assert await counted(desk) == {other}
    assert await jobs.embed_waiting(desk.service) == 0
    assert await surges.count_cases(desk.service) == 0
    back = {"confidential": False} if "confidential" in said else {"category": "seats"}
    await desk.do(office, case, "correct", reason="看错了", **back)
    assert await jobs.embed_waiting(desk.service) == 1
    assert await surges.count_cases(desk.service) == 1
    assert set(await kept(desk)) == await counted(desk) == {case, other}


async def test_what_routing_takes_for_conduct_means_nothing(desk: Desk, compass: Compass) -> None:
    case = await desk.case(text=COLD)
    await jobs.embed_arrived(desk.service)
    await desk.process(examples.routed(case, "relations", category="conduct"))
    assert await kept(desk) == {}


async def test_a_vector_on_its_way_and_confidence_wait_for_each_other(
    desk: Desk, compass: Compass
) -> None:
    case = await desk.case(text=COLD)
    async with desk.service.engine.connect() as connection:
        found = await meanings.arrived(connection, compass.model, [case])
    await desk.do(desk.as_("coordinator"), case, "correct", reason="保密", confidential=True)
    async with desk.service.transaction() as tx:
        await tx.lock(case)
        await meanings.keep(tx, compass.model, [(found[0], compass.direction(COLD))])
    assert await kept(desk) == {}


async def test_another_model_makes_everything_anew(desk: Desk, compass: Compass) -> None:
    one = await desk.case(text=COLD)
    await jobs.embed_waiting(desk.service)
    other = desk.service.deps.meaning.embedder = Compass('it\'s "another" : %s')
    assert await jobs.embed_waiting(desk.service) == 1
    (model, things) = (await kept(desk))[one]
    assert model.startswith(other.model)
    assert things == ["air"]
    async with desk.service.engine.connect() as connection:
        names = await connection.execute(
            text("SELECT 1 FROM pg_indexes WHERE indexname LIKE 'meanings_nearest_%'")
        )
        assert len(names.all()) == 1


async def test_one_process_looks_at_all_cases_at_a_time(desk: Desk, compass: Compass) -> None:
    await desk.case(text=COLD)
    async with desk.service.engine.connect() as connection:
        await connection.execute(text(f"SELECT pg_advisory_lock({jobs._LOCK})"))
        assert await jobs.embed_waiting(desk.service) == 0
        await connection.execute(text(f"SELECT pg_advisory_unlock({jobs._LOCK})"))
    assert await jobs.embed_waiting(desk.service) == 1


async def test_only_masked_words_are_embedded(desk: Desk, compass: Compass) -> None:
    await desk.case(text="空调坏了，打 [电话] 找我")
    await jobs.embed_arrived(desk.service)
    assert compass.asked == ["空调坏了，打 [电话] 找我"]


async def test_with_a_model_that_is_off_what_cases_name_is_kept_and_nothing_asked(
    desk: Desk,
) -> None:
    one, meaning = await desk.case(text=COLD), desk.service.deps.meaning
    assert await jobs.embed_arrived(desk.service) == 1
    assert (not meaning.arrived, await jobs.embed_waiting(desk.service)) == (True, 0)
    async with desk.service.transaction() as tx:
        (row,) = await tx.fetch("SELECT feedback_id, things, vector FROM meanings")
    assert (row["feedback_id"], "air" in row["things"], list(row["vector"])) == (one, True, [])
    assert desk.service.warnings() == []
    # A model makes it anew; what it has made stays when it is turned off again.
    meaning.embedder, off = Compass(), meaning.embedder
    assert await jobs.embed_waiting(desk.service) == 1
    meaning.embedder = off
    assert await jobs.embed_waiting(desk.service) == 0
