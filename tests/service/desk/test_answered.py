"""How the department answered the like, while an answer is written."""

from __future__ import annotations

from typing import Any

import pytest

from services.desk.jobs import meaning as jobs
from shared.contracts.vocabulary import Solved
from tests.fakes.embedder import Compass
from tests.service.desk import examples
from tests.service.desk.conftest import Desk

COLD = "三层空调不制冷，热"
SAUNA = "3F is a sauna, AC please"
REPLY = "同学您好！空调已于今天修好。李明同学反映的灯也换了。"


@pytest.fixture
def compass(desk: Desk) -> Compass:
    compass = desk.service.deps.meaning.embedder = Compass()
    return compass


async def answered(desk: Desk, department: str = "facilities", text: str = COLD) -> str:
    one = await desk.in_progress(department, text=text)
    handler = desk.as_("handler", department)
    await desk.do(handler, one, "note", text="内部：空调合同到期，千万别说。")
    await desk.do(handler, one, "reply", text=REPLY, outcome="solved")
    return one


async def offered(desk: Desk, feedback_id: str, who: Any = None) -> list[dict[str, Any]]:
    who = who or desk.as_("handler", "facilities")
    answer = await who.get(f"/api/cases/{feedback_id}/answered")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_answers_of_ones_own_department_are_offered_and_nothing_internal(
    desk: Desk, compass: Compass
) -> None:
    old, rated = await answered(desk), await answered(desk, text=SAUNA)
    await answered(desk, "it")
    await desk.process(
        examples.intake.FeedbackRated(
            feedback_id=rated, at=examples.RECEIVED, stars=5, solved=Solved.YES
        )
    )
    one = await desk.in_progress("facilities", text="空调又坏了，热死了")
    await jobs.embed_waiting(desk.service)
    items = await offered(desk, one)
    # Word for word the same is said once, by the one that was liked best.
    assert [(i["feedback_id"], i["stars"], i["answered"]) for i in items] == [(rated, 5, 2)]
    assert old != rated
    assert all(i["sentences"] == ["空调已于今天修好。"] for i in items)
    page = await desk.as_("handler", "facilities").get(f"/desk/cases/{one}/answered")
    assert "空调已于今天修好。" in page.text
    assert "合同" not in page.text and "李明" not in page.text


@pytest.mark.parametrize("indexed", [True, False])
async def test_what_names_nothing_known_is_offered_by_meaning_and_words_and_nothing_else(
    desk: Desk, compass: Compass, indexed: bool
) -> None:
    """Each is shown as similar; to this model all that names nothing means the same."""
    same = await answered(desk, text="茶水间的微波炉门关不严，一开就漏电似的麻手。")
    await answered(desk, text="茶水间的微波炉里有人热了一条鱼")
    await answered(desk, text="机构库里我的论文作者名字写错了")
    one = await desk.in_progress("facilities", text="微波炉门关不严，摸着麻手像漏电，在茶水间。")
    await jobs.embed_waiting(desk.service)
    meaning = desk.service.deps.meaning
    if indexed and not meaning.indexed:
        pytest.skip("this database knows no vectors")
    meaning.indexed = indexed
    assert [i["feedback_id"] for i in await offered(desk, one)] == [same]


async def test_a_sentence_is_taken_into_ones_own_draft(desk: Desk, compass: Compass) -> None:
    one = await desk.in_progress("facilities", text=COLD)
    handler = desk.as_("handler", "facilities")
    # Taken twice, as by a double click, it stands there once.
    for text in ("空调已修好。", "空调已修好。", "Please try again.", "Thank you."):
        answer = await handler.post(f"/desk/cases/{one}/take", data={"text": text})
        assert answer.status_code == 303
    draft = (await handler.get(f"/api/cases/{one}")).json()["draft"]
    assert draft["text"] == "空调已修好。Please try again. Thank you."
    page = (await handler.get(f"/desk/cases/{one}")).text
    assert f'hx-get="/desk/cases/{one}/answered"' in page


async def test_who_writes_no_answers_or_does_not_see_the_case_is_offered_none(
    desk: Desk, compass: Compass
) -> None:
    await answered(desk)
    one = await desk.in_progress("facilities", text=COLD)
    await jobs.embed_waiting(desk.service)
    for who, status in (
        (desk.as_("handler", "it"), 404),
        (desk.as_("liaison", "facilities"), 403),
        (desk.as_("auditor"), 403),
    ):
        assert (await who.get(f"/api/cases/{one}/answered")).status_code == status
        taken = await who.post(f"/desk/cases/{one}/take", data={"text": "空调已修好。"})
        assert taken.status_code == status


async def test_without_a_model_nothing_is_offered(desk: Desk) -> None:
    await answered(desk)
    one = await desk.in_progress("facilities", text=COLD)
    assert await offered(desk, one) == []
