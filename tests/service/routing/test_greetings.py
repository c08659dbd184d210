"""Who begins with a greeting is judged by what they say next."""

from __future__ import annotations

from typing import Any

import pytest

from services.routing import deps, jobs
from services.routing.deps import Meaning
from shared.contracts.intake import FeedbackSupplemented
from tests.service.routing.conftest import NOW, Routing, dispatched
from tests.service.routing.test_alarms import CALM, DANGER, alarms
from tests.service.routing.test_understanding import UNHEARD_OF, Sure
from tests.service.routing.test_vectors import corrected
from tests.unit.routing.test_weigh_up import tiny


@pytest.fixture
def sure(routing: Routing) -> Sure:
    """As the model has it, everything is about seats."""
    embedder = Sure()
    meaning: Meaning = routing.service.deps.meaning
    meaning.embedder, meaning.model = embedder, tiny()
    return embedder


def added(feedback_id: str, text: str, **more: Any) -> FeedbackSupplemented:
    return FeedbackSupplemented(feedback_id=feedback_id, at=NOW, text=text, words_id="w", **more)


@pytest.mark.parametrize("words", ["你好", "老师好", "hi", "在吗", "1", "测试", "?"])
async def test_the_model_has_no_say_where_nothing_is_said(
    routing: Routing, sure: Sure, words: str
) -> None:
    event = await routing.last(await routing.receive(words))
    assert event["type"] == "feedback.triage_needed.v1"
    assert (event.get("category"), event.get("department")) == (None, None)
    assert (event["priority"], event.get("model_version")) == ("P3", None)
    assert event["reasons"][-1]["text_en"] == deps.NOTHING_SAID[1]


async def test_what_is_said_next_decides_as_if_it_had_been_said_first(
    routing: Routing, sure: Sure
) -> None:
    case, first = await routing.receive("你好"), await routing.receive(UNHEARD_OF)
    assert await jobs.embed_waiting(routing.service) == 2
    await routing.process(added(case, "有人吗"), added(case, "谢谢", thanks=True))
    assert len(await routing.emitted(case)) == 1
    await routing.process(added(case, UNHEARD_OF))
    now, then = await routing.last(case), await routing.last(first)
    assert now["type"] == "feedback.routed.v1"
    assert now | {"feedback_id": ""} == then | {"feedback_id": ""}
    # It means what was said, which is embedded anew.
    assert await jobs.embed_waiting(routing.service) == 1
    # What is added to that changes nothing.
    await routing.process(added(case, "厕所太脏了"))
    assert await routing.last(case) == now


async def test_what_a_person_made_of_a_greeting_stays(routing: Routing, sure: Sure) -> None:
    case = await routing.receive("你好")
    await routing.process(dispatched(case, "it"))
    await routing.process(added(case, UNHEARD_OF))
    assert len(await routing.emitted(case)) == 1


async def test_what_a_person_said_a_greeting_is_about_stays(routing: Routing, sure: Sure) -> None:
    case = await routing.receive("你好")
    await routing.process(corrected(case, category="printing", changed=("category",)))
    await routing.process(added(case, UNHEARD_OF))
    assert len(await routing.emitted(case)) == 1


async def test_an_emergency_stays_one_however_it_begins(routing: Routing, sure: Sure) -> None:
    routing.service.deps.meaning.alarms, sure.vector = alarms(), CALM
    case = await routing.receive("你好")
    await routing.process(added(case, "地下室着火了，全是烟"))
    _, alarm, decided = await routing.emitted(case)
    assert (alarm["type"], alarm["found_by"]) == ("feedback.alarm_raised.v1", "rule")
    assert (decided["type"], decided["priority"]) == ("feedback.routed.v1", "P1")
    sure.vector = DANGER
    case = await routing.receive("有人吗")
    await routing.process(added(case, UNHEARD_OF))
    raised = [e for e in await routing.emitted(case) if e["type"] == "feedback.alarm_raised.v1"]
    assert len(raised) == 1
