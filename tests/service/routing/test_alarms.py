"""What may be an emergency is told at once, by a rule or by its meaning, and people teach it."""

from __future__ import annotations

from typing import Any

import pytest

from services.routing import jobs
from services.routing.deps import Meaning
from services.routing.domain import AlarmModel
from services.routing.domain.model import packed
from shared.contracts.desk import CaseAlarmConfirmed, CaseAlarmDismissed
from shared.contracts.intake import FeedbackSupplemented
from tests.service.routing.conftest import NOW, Routing
from tests.service.routing.test_understanding import UNHEARD_OF, Sure
from tests.unit.routing.test_weigh_up import tiny

DANGER, CALM, ALMOST = (1.0, 0.0), (0.0, 1.0), (0.8, 0.6)


def alarms() -> AlarmModel:
    """The first direction is danger; the characters say nothing."""
    examples, examples_scale = packed([1.0, 0.0, 0.0, 1.0])
    weights, weights_scale = packed([8.0, -8.0])
    grams, grams_scale = packed([0.0] * 8)
    return AlarmModel(
        embedder="compass",
        dimensions=2,
        buckets=8,
        means={"zh": [0.0, 0.0], "other": [0.0, 0.0]},
        examples=examples,
        examples_scale=examples_scale,
        weights=weights,
        weights_scale=weights_scale,
        kinds=["collapsed", ""],
        narrowness=1.0,
        grams=grams,
        grams_scale=grams_scale,
        bias=0.0,
        threshold=0.5,
    )


@pytest.fixture
def sure(routing: Routing) -> Sure:
    embedder = Sure(DANGER)
    meaning: Meaning = routing.service.deps.meaning
    meaning.embedder, meaning.model, meaning.alarms = embedder, tiny(), alarms()
    return embedder


async def raised(routing: Routing, feedback_id: str) -> list[dict[str, Any]]:
    emitted = await routing.emitted(feedback_id)
    return [one for one in emitted if one["type"] == "feedback.alarm_raised.v1"]


async def test_what_means_danger_is_told_before_the_decision_and_left_to_a_person(
    routing: Routing, sure: Sure
) -> None:
    case = await routing.receive(UNHEARD_OF)
    first, second = await routing.emitted(case)
    assert first["type"] == "feedback.alarm_raised.v1"
    assert (first["found_by"], first["kind"]) == ("meaning", "collapsed")
    assert first["sure"] > 0.9
    assert "风" not in str(first["reasons"])
    # Without it, the model would have been sure enough to send it.
    assert second["type"] == "feedback.triage_needed.v1"
    sure.vector = CALM
    calm = await routing.receive(UNHEARD_OF)
    assert [one["type"] for one in await routing.emitted(calm)] == ["feedback.routed.v1"]


async def test_a_rule_sends_it_as_before_and_the_office_is_told_too(
    routing: Routing, sure: Sure
) -> None:
    sure.vector = CALM
    case = await routing.receive("地下室着火了，全是烟")
    alarm, routed = await routing.emitted(case)
    assert (alarm["found_by"], routed["type"]) == ("rule", "feedback.routed.v1")
    assert (routed["priority"], routed["decided"]) == ("P1", "rule")
    assert alarm["kind"] == "fire"


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize(
    ("said", "kind", "why"),
    [
        ("地下室着火了！开玩笑的", "fire", "a joke or a test"),
        ("you ren yun dao le", "collapsed", "typed in pinyin"),
    ],
)
async def test_what_is_taken_back_and_what_may_be_misread_is_an_alarm_and_sends_nobody(
    routing: Routing, sure: Sure, said: str, kind: str, why: str, away: bool
) -> None:
    sure.vector, sure.away = CALM, away
    alarm, left = await routing.emitted(await routing.receive(said))
    assert (alarm["found_by"], alarm["kind"]) == ("rule", kind)
    assert why in alarm["reasons"][0]["text_en"]
    assert (left["type"], left["priority"]) == ("feedback.triage_needed.v1", "P1")
    assert left["department"] == "security"


async def test_words_that_are_said_of_anything_count_unless_they_mean_no_danger_at_all(
    routing: Routing, sure: Sure
) -> None:
    said = "这罚款看得我心脏病要犯了"
    sure.away = True
    unheard = await routing.receive(said)
    sure.away = False
    meant = await routing.receive(said)
    for case in (unheard, meant):
        alarm, routed = await routing.emitted(case)
        assert (alarm["found_by"], routed["priority"]) == ("rule", "P1")
    sure.vector = CALM
    (left,) = await routing.emitted(await routing.receive(said))
    assert left["type"] == "feedback.triage_needed.v1"
    assert left["priority"] != "P1"
    assert left["reasons"][0]["text_en"].startswith("Words of danger")
    (hushed,) = await routing.emitted(await routing.receive(said, confidential=True))
    assert hushed["department"] == "relations"


async def test_what_is_confidential_is_heard_and_its_vector_forgotten(
    routing: Routing, sure: Sure
) -> None:
    case = await routing.receive(UNHEARD_OF, confidential=True)
    assert len(await raised(routing, case)) == 1
    assert routing.service.deps.meaning.fresh == {}


async def test_a_vector_that_comes_later_raises_it_then_and_only_once(
    routing: Routing, sure: Sure
) -> None:
    sure.away = True
    case = await routing.receive(UNHEARD_OF)
    assert await raised(routing, case) == []
    sure.away = False
    assert await jobs.embed_waiting(routing.service) == 1
    assert [one["kind"] for one in await raised(routing, case)] == ["collapsed"]
    async with routing.service.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM vectors")
    assert await jobs.embed_waiting(routing.service) == 1
    assert len(await raised(routing, case)) == 1


async def test_what_people_said_of_the_like_counts_but_never_hushes_what_is_certain(
    routing: Routing, sure: Sure
) -> None:
    sure.vector = ALMOST
    before = [await routing.receive(f"{UNHEARD_OF} {n}") for n in range(2)]
    assert [len(await raised(routing, case)) for case in before] == [1, 1]
    await jobs.embed_waiting(routing.service)
    for case in before:
        await routing.process(CaseAlarmDismissed(feedback_id=case, at=NOW, state="TRIAGE"))
    assert await raised(routing, await routing.receive(UNHEARD_OF)) == []
    for case in before:
        await routing.process(CaseAlarmConfirmed(feedback_id=case, at=NOW, state="TRIAGE"))
    assert len(await raised(routing, await routing.receive(UNHEARD_OF))) == 1
    for case in before:
        await routing.process(CaseAlarmDismissed(feedback_id=case, at=NOW, state="TRIAGE"))
    sure.vector = DANGER
    assert len(await raised(routing, await routing.receive(UNHEARD_OF))) == 1


def added(feedback_id: str, text: str, **more: Any) -> FeedbackSupplemented:
    return FeedbackSupplemented(feedback_id=feedback_id, at=NOW, text=text, words_id="w", **more)


@pytest.mark.parametrize(
    ("vector", "words", "found_by"),
    [(CALM, "地下室着火了，全是烟", "rule"), (DANGER, UNHEARD_OF, "meaning")],
)
async def test_what_is_added_later_may_be_an_emergency_too(
    routing: Routing, sure: Sure, vector: tuple[float, float], words: str, found_by: str
) -> None:
    sure.vector = CALM
    case = await routing.receive("今天来的人很多")
    (decided,) = await routing.emitted(case)
    sure.vector = vector
    await routing.process(added(case, "谢谢", thanks=True))
    assert await routing.emitted(case) == [decided]
    await routing.process(added(case, words), added(case, words))
    (alarm,) = await raised(routing, case)
    assert alarm["found_by"] == found_by
    # The case goes where it went, and nobody learns from a judgement what its first words are.
    assert await routing.emitted(case) == [decided, alarm]
    await routing.process(CaseAlarmDismissed(feedback_id=case, at=NOW, state="TRIAGE"))
    async with routing.service.engine.connect() as connection:
        judged = await connection.exec_driver_sql("SELECT count(*) FROM judgements")
        assert judged.scalar_one() == 0


async def test_what_is_added_in_peace_raises_nothing(routing: Routing, sure: Sure) -> None:
    sure.vector = CALM
    case = await routing.receive("今天来的人很多")
    await routing.process(added(case, UNHEARD_OF), added("unknown", "地下室着火了"))
    assert await raised(routing, case) == []
