"""What a reporter says after the reply is work, and in somebody's list."""

from __future__ import annotations

from shared.contracts.vocabulary import Clock
from tests.service.desk import examples
from tests.service.desk.conftest import Desk

STILL = "还是不行，今天下午又被占了"


async def ids(desk: Desk, queue: str, role: str, department: str | None = None) -> list[str]:
    answer = await desk.as_(role, department).get(f"/api/cases?queue={queue}")
    return [item["feedback_id"] for item in answer.json()["items"]]


async def owed(desk: Desk) -> str:
    feedback_id = await desk.replied()
    await desk.process(examples.supplemented(feedback_id, STILL))
    return feedback_id


async def test_it_is_in_the_lists_of_who_answered_and_on_top(desk: Desk) -> None:
    feedback_id = await owed(desk)
    urgent = await desk.in_progress()
    await desk.process(examples.promised(urgent, Clock.RESOLUTION, "2026-03-04 10:06"))

    assert await ids(desk, "mine", "handler", "space") == [feedback_id, urgent]
    assert await ids(desk, "department", "liaison", "space") == [feedback_id, urgent]
    for who in (("handler", "space"), ("reviewer", "space"), ("coordinator", None)):
        assert await ids(desk, "owed", *who) == [feedback_id]
    assert await ids(desk, "owed", "handler", "it") == []
    assert await ids(desk, "overdue", "coordinator") == []

    page = await desk.as_("handler", "space").get("/desk?queue=mine")
    assert "读者又说了话" in page.text
    case = (await desk.as_("handler", "space").get(f"/api/cases/{feedback_id}")).json()
    assert case["words_owed"] is True
    assert case["overdue"] is False
    assert "reply" in case["may"]
    assert "close" not in case["may"]


async def test_words_after_an_answer_of_the_office_are_before_the_office(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.undecided(feedback_id, case_type="inquiry"))
    office = desk.as_("coordinator")
    await desk.do(office, feedback_id, "reply", text="八点开门", outcome="solved")
    assert await ids(desk, "triage", "coordinator") == []
    await desk.process(examples.supplemented(feedback_id, "周六也是吗？"))
    assert await ids(desk, "triage", "coordinator") == [feedback_id]
    answered = await desk.do(office, feedback_id, "reply", text="也是", outcome="solved")
    assert (answered["words_owed"], answered["state"]) == (False, "REPLIED")
    assert await ids(desk, "triage", "coordinator") == []


async def test_it_is_not_closed_before_it_is_answered_and_is_after(desk: Desk) -> None:
    feedback_id = await owed(desk)
    ran_out = examples.met(feedback_id, Clock.FOLLOW_UP, "2026-03-09 10:05")
    await desk.process(ran_out)
    office, handler = desk.as_("coordinator"), desk.as_("handler", "space")
    assert (await office.get(f"/api/cases/{feedback_id}")).json()["state"] == "REPLIED"
    refused = await office.post(f"/api/cases/{feedback_id}/close", json={})
    assert refused.status_code == 409
    assert "回应" in refused.json()["detail"]

    answered = await desk.do(handler, feedback_id, "reply", text="再清一次", outcome="solved")
    assert answered["words_owed"] is False
    assert [r["text"] for r in answered["replies"]] == ["已清理", "再清一次"]
    assert await ids(desk, "owed", "coordinator") == []
    await desk.process(ran_out)
    assert (await office.get(f"/api/cases/{feedback_id}")).json()["state"] == "CLOSED"


async def test_reopening_and_rating_end_it_too(desk: Desk) -> None:
    reopened, rated = await owed(desk), await owed(desk)
    office = desk.as_("coordinator")
    case = await desk.do(office, reopened, "reopen", reason="还没好")
    assert (case["state"], case["words_owed"]) == ("TRIAGE", False)
    await desk.process(examples.rated(rated))
    case = (await office.get(f"/api/cases/{rated}")).json()
    assert (case["state"], case["words_owed"]) == ("CLOSED", False)


async def test_words_after_a_rejection_bring_it_back_to_triage(desk: Desk) -> None:
    feedback_id = await desk.case()
    office = desk.as_("coordinator")
    await desk.do(office, feedback_id, "reject", reason="宿舍网络请找网信办")
    await desk.process(examples.supplemented(feedback_id, "我说的是图书馆的 WiFi"))
    assert await ids(desk, "triage", "coordinator") == [feedback_id]
    assert (await desk.emitted(feedback_id))[-1] == "case.restored"


async def test_thanks_for_an_answer_are_no_work(desk: Desk) -> None:
    feedback_id = await desk.replied()
    thanks = examples.supplemented(feedback_id, "谢谢老师").model_copy(update={"thanks": True})
    await desk.process(thanks)
    office = desk.as_("coordinator")
    case = (await office.get(f"/api/cases/{feedback_id}")).json()
    assert (case["state"], case["words_owed"]) == ("REPLIED", False)
    assert "谢谢老师" in (await office.get(f"/desk/cases/{feedback_id}")).text
    assert (await desk.do(office, feedback_id, "close"))["state"] == "CLOSED"


async def test_words_before_the_question_arrived_do_not_end_the_waiting(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, "ask", question="哪一层？")
    said = examples.supplemented(feedback_id, "怎么还没人理我")
    await desk.process(said.model_copy(update={"unasked": True}))
    case = (await handler.get(f"/api/cases/{feedback_id}")).json()
    assert case["state"] == "WAITING_USER"
    assert "怎么还没人理我" in (await handler.get(f"/desk/cases/{feedback_id}")).text
    await desk.process(said.model_copy(update={"words_id": "w2"}))
    assert (await handler.get(f"/api/cases/{feedback_id}")).json()["state"] == "IN_PROGRESS"


async def test_thanks_for_a_rejection_do_not_bring_it_back(desk: Desk) -> None:
    feedback_id = await desk.case()
    office = desk.as_("coordinator")
    await desk.do(office, feedback_id, "reject", reason="宿舍网络请找网信办")
    thanks = examples.supplemented(feedback_id, "谢谢").model_copy(update={"thanks": True})
    await desk.process(thanks)
    assert await ids(desk, "triage", "coordinator") == []
