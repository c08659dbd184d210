from __future__ import annotations

import re

import pytest

from services.desk.jobs import end_waiting
from shared.contracts import routing
from shared.contracts.vocabulary import Clock, Role
from tests.fakes.promises import Promises
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import at, outbox_of


async def test_a_case_goes_from_receipt_to_closing_and_every_step_is_emitted(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    liaison, handler = desk.as_("liaison", "space"), desk.as_("handler", "space")

    accepted = await desk.do(liaison, feedback_id, "accept")
    assert (accepted["state"], accepted["department"]) == ("ACCEPTED", "space")
    assert (await desk.do(handler, feedback_id, "claim"))["state"] == "IN_PROGRESS"
    replied = await desk.do(handler, feedback_id, "reply", text="清了水杯。", outcome="solved")
    assert replied["state"] == "REPLIED"
    assert replied["replies"][0]["text"] == "清了水杯。"
    assert replied["replies"][0]["outcome"] == "solved"
    await desk.process(examples.rated(feedback_id))

    assert await desk.emitted(feedback_id) == [
        "case.opened",
        "case.dispatched",
        "case.accepted",
        "case.assigned",
        "case.replied",
        "case.closed",
    ]


async def test_a_case_is_before_the_coordinator_while_routing_is_down(desk: Desk) -> None:
    feedback_id = await desk.case()

    listed = (await desk.as_("coordinator").get("/api/cases?queue=triage")).json()

    assert [i["feedback_id"] for i in listed["items"]] == [feedback_id]
    assert listed["items"][0]["state"] == "TRIAGE"
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert case["why"] is None
    assert "dispatch" in case["may"]


async def test_a_person_who_was_faster_than_routing_is_not_overruled(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.do(desk.as_("coordinator"), feedback_id, "dispatch", department="facilities")

    await desk.process(examples.routed(feedback_id, "space"))

    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert case["department"] == "facilities"
    assert case["why"]["decided"] == "person"
    assert case["why"]["candidates"][0]["department"] == "space"
    assert (await desk.emitted(feedback_id)).count("case.dispatched") == 1


async def test_what_routing_is_unsure_of_waits_with_its_candidates(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.undecided(feedback_id))

    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()

    assert case["state"] == "TRIAGE"
    assert [c["department"] for c in case["why"]["candidates"]] == ["space", "it"]
    assert case["why"]["reasons"][0]["text"] == "提到“占座”"
    assert case["why"]["confidence"] == 0.93
    assert (case["category"], case["priority"], case["type"]) == ("seats", "P3", "complaint")


async def test_what_is_not_ours_has_where_to_go_instead_in_its_form(desk: Desk) -> None:
    theirs = routing.Candidate(
        department="relations",
        score=0.8,
        category="not_ours",
        unit="学生宿舍管理部门",
        unit_en="the student residences",
        instead="请找所住楼的值班室。",
        instead_en="Please ask the desk of your building.",
    )
    office = desk.as_("coordinator")
    for locale, told in (("zh", theirs.instead), ("en", theirs.instead_en)):
        feedback_id = await desk.case(locale=locale)
        await desk.process(examples.undecided(feedback_id, candidates=(theirs,)))
        page = (await office.get(f"/desk/cases/{feedback_id}")).text
        assert f">{told}</textarea>" in page
        assert "：学生宿舍管理部门" in page


async def test_an_unknown_department_is_left_to_a_person(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id, "astronomy"))
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert case["state"] == "TRIAGE"


async def test_a_department_returns_once_and_then_it_is_binding(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id, "space"))
    liaison, office = desk.as_("liaison", "space"), desk.as_("coordinator")

    returned = await desk.do(liaison, feedback_id, "return", reason="是空调", suggest="facilities")
    assert (returned["state"], returned["department"]) == ("TRIAGE", None)
    bare = await office.post(f"/api/cases/{feedback_id}/dispatch", json={"department": "space"})
    assert (bare.status_code, list(bare.json()["errors"])) == (422, ["reason"])
    await desk.do(office, feedback_id, "dispatch", department="space", reason="是空调，也归你们")
    again = await liaison.post(f"/api/cases/{feedback_id}/return", json={"reason": "还不是"})

    assert again.status_code == 409
    assert again.json()["allowed"] == ["accept", "add_department", "note"]


async def test_after_two_returns_the_next_department_may_not_return_it(desk: Desk) -> None:
    feedback_id = await desk.case()
    office = desk.as_("coordinator")
    for department in ("space", "facilities"):
        await desk.do(office, feedback_id, "dispatch", department=department)
        await desk.do(desk.as_("liaison", department), feedback_id, "return", reason="不是我们的")

    bound = await desk.do(office, feedback_id, "dispatch", department="it", reason="裁定")

    assert bound["binding"] is True
    assert (
        "return"
        not in (await desk.as_("liaison", "it").get(f"/api/cases/{feedback_id}")).json()["may"]
    )


async def test_after_two_returns_those_who_are_left_are_offered_with_who_returned_it_and_why(
    desk: Desk,
) -> None:
    feedback_id = await desk.case()
    office = desk.as_("coordinator")
    for department, why in (("space", "是灯"), ("facilities", "是网络")):
        await desk.do(office, feedback_id, "dispatch", department=department)
        await desk.do(desk.as_("liaison", department), feedback_id, "return", reason=why)
    offered = tuple(routing.Candidate(department=d, score=0.3) for d in ("space", "it", "office"))
    await desk.process(examples.undecided(feedback_id, candidates=offered))

    page = (await office.get(f"/desk/cases/{feedback_id}")).text
    now = page[page.index('id="now-h"') : page.index('id="dispatch-else"')]
    assert re.findall(r'id="bind-(\w+)"', now) == ["it", "office"]
    assert "后勤保障退单：是网络" in now
    assert "空间与读者服务部退单：是灯" in now
    form = now[now.index('id="bind-it"') : now.index('id="bind-office"')]
    assert re.search(r'<textarea[^>]+name="reason"[^>]+required', form)

    body = {"department": "it", "reason": "裁定", "seen": re.search(r'seen" value="(\d+)', form)[1]}
    sent = await office.post(f"/api/cases/{feedback_id}/dispatch", data=body)
    assert sent.json()["binding"] is True


async def test_routing_does_not_send_it_back_to_who_returned_it(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id, "space"))
    await desk.do(desk.as_("liaison", "space"), feedback_id, "return", reason="不是")
    await desk.process(examples.routed(feedback_id, "space"))
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert case["state"] == "TRIAGE"


async def test_an_answer_to_a_question_ends_the_waiting(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    asked = await desk.do(handler, feedback_id, "ask", question="是哪一排？")
    assert asked["state"] == "WAITING_USER"

    await desk.process(examples.supplemented(feedback_id))

    case = (await handler.get(f"/api/cases/{feedback_id}")).json()
    assert case["state"] == "IN_PROGRESS"
    assert [(m["who"], m["text"]) for m in case["conversation"]] == [
        ("library", "是哪一排？"),
        ("me", "就是靠窗那一排"),
    ]
    assert (await desk.emitted(feedback_id))[-1] == "case.resumed"


async def test_what_a_reporter_adds_unasked_only_joins_the_conversation(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.supplemented(feedback_id))
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert case["state"] == "TRIAGE"
    assert case["conversation"][0]["text"] == "就是靠窗那一排"
    assert await desk.emitted(feedback_id) == ["case.opened"]


async def test_a_question_nobody_answers_does_not_hold_the_case_for_ever(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    await desk.do(desk.as_("handler", "space"), feedback_id, "ask", question="哪一排？")
    desk.clock.later(days=6)
    assert await end_waiting(desk.service) == 0
    desk.clock.later(days=1)
    assert await end_waiting(desk.service) == 1
    assert (await desk.emitted(feedback_id))[-1] == "case.resumed"


async def test_staff_can_stop_waiting(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, "ask", question="哪一排？")
    assert (await desk.do(handler, feedback_id, "resume"))["state"] == "IN_PROGRESS"


async def test_a_rating_closes_and_a_second_one_changes_nothing(desk: Desk) -> None:
    feedback_id = await desk.replied()
    await desk.process(examples.rated(feedback_id))
    await desk.process(examples.rated(feedback_id, 1))
    assert (await desk.emitted(feedback_id)).count("case.closed") == 1


async def test_a_rating_before_the_reply_is_refused_and_emitted(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.rated(feedback_id))
    assert (await desk.emitted(feedback_id))[-1] == "case.request_refused"


async def test_quiet_after_the_reply_closes_the_case(desk: Desk) -> None:
    feedback_id = await desk.replied()
    await desk.process(examples.met(feedback_id, Clock.FOLLOW_UP, "2026-03-09 10:05"))
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert case["state"] == "CLOSED"
    assert case["overdue"] is False


async def test_a_follow_up_of_an_earlier_round_does_not_close_the_next(desk: Desk) -> None:
    feedback_id = await desk.replied()
    await desk.process(examples.reopen_requested(feedback_id, "2026-03-05 10:00"))
    office, handler = desk.as_("coordinator"), desk.as_("handler", "space")
    await desk.do(office, feedback_id, "dispatch", department="space")
    await desk.do(desk.as_("liaison", "space"), feedback_id, "accept")
    await desk.do(handler, feedback_id, "claim")
    await desk.do(handler, feedback_id, "reply", text="又清了", outcome="solved")
    follow_up = Promises(feedback_id)
    due = at("2026-03-10 10:05")
    await desk.process(follow_up.change("promised", Clock.FOLLOW_UP, due, at=due, cycle=2))
    await desk.process(follow_up.change("met", Clock.FOLLOW_UP, due, at=due, cycle=1))
    assert (await office.get(f"/api/cases/{feedback_id}")).json()["state"] == "REPLIED"


async def test_a_reporter_reopens_twice_within_fifteen_days_of_the_reply(desk: Desk) -> None:
    feedback_id = await desk.replied()
    await desk.process(examples.rated(feedback_id))
    await desk.process(examples.reopen_requested(feedback_id, "2026-03-19 10:00"))
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert (case["state"], case["cycle"], case["department"]) == ("TRIAGE", 2, None)

    desk.clock.set(at("2026-03-19 10:10"))
    await desk.do(desk.as_("coordinator"), feedback_id, "dispatch", department="space")
    await desk.do(desk.as_("liaison", "space"), feedback_id, "accept")
    await desk.do(desk.as_("handler", "space"), feedback_id, "claim")
    await desk.do(desk.as_("handler", "space"), feedback_id, "reply", text="好了", outcome="solved")
    await desk.process(examples.reopen_requested(feedback_id, "2026-03-20 10:00"))
    assert (await desk.emitted(feedback_id))[-1] == "case.reopened"


async def test_reopening_too_late_is_refused_and_emitted(desk: Desk) -> None:
    feedback_id = await desk.replied()
    await desk.process(examples.reopen_requested(feedback_id, "2026-03-19 10:06"))
    assert (await desk.emitted(feedback_id))[-1] == "case.request_refused"
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert case["state"] == "REPLIED"


async def test_withdrawing_ends_it_wherever_it_is_but_only_once(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    await desk.process(examples.withdrawn(feedback_id))
    await desk.process(examples.withdrawn(feedback_id))
    assert (await desk.emitted(feedback_id))[-2:] == ["case.withdrawn", "case.request_refused"]


@pytest.mark.parametrize("how", ["rated", "withdrawn"])
async def test_words_that_come_after_the_end_are_refused_and_emitted(desk: Desk, how: str) -> None:
    feedback_id = await desk.replied()
    ended = examples.rated(feedback_id) if how == "rated" else examples.withdrawn(feedback_id)
    await desk.process(ended, examples.supplemented(feedback_id, "还是不行"))
    assert (await desk.emitted(feedback_id))[-1] == "case.request_refused"
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert "还是不行" in str(case["conversation"])


async def test_the_office_answers_at_once_what_it_can_and_a_desk_what_is_an_inquiry(
    desk: Desk,
) -> None:
    complaint = await desk.case(entered_by="clerk")
    await desk.process(examples.undecided(complaint))
    clerk, office = desk.as_("clerk", "desk", "clerk"), desk.as_("coordinator")
    body = {"text": "八点开门", "outcome": "solved"}

    refused = await clerk.post(f"/api/cases/{complaint}/reply", json=body)
    answered = await desk.do(office, complaint, "reply", type="inquiry", **body)

    assert refused.status_code == 409
    assert (answered["state"], answered["type"]) == ("REPLIED", "inquiry")
    corrected, replied = (await outbox_of(desk.service, complaint))[-2:]
    assert (corrected["type"], replied["type"]) == ("case.corrected.v1", "case.replied.v1")
    assert replied["body"]["direct"] is True


async def test_a_liaison_gives_it_to_somebody_of_the_department(desk: Desk) -> None:
    await desk.person("wang", Role.HANDLER, "space")
    await desk.person("li", Role.HANDLER, "it")
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    liaison = desk.as_("liaison", "space")
    await desk.do(liaison, feedback_id, "accept")

    foreign = await liaison.post(f"/api/cases/{feedback_id}/assign", json={"to": "li"})
    given = await desk.do(liaison, feedback_id, "assign", to="wang")

    assert foreign.status_code == 422
    assert "to" in foreign.json()["errors"]
    assert (given["assignee"], given["assignee_name"]) == ("wang", "wang 老师")
    mine = (await desk.as_("handler", "space", "wang").get("/api/cases?queue=mine")).json()
    assert [i["feedback_id"] for i in mine["items"]] == [feedback_id]


async def test_a_refusal_needs_a_reason_and_ends_it(desk: Desk) -> None:
    feedback_id = await desk.case()
    office = desk.as_("coordinator")
    bare = await office.post(f"/api/cases/{feedback_id}/reject", json={"reason": " \u3000 "})
    assert bare.status_code == 422
    case = await desk.do(office, feedback_id, "reject", reason="宿舍网络请找网信办")
    assert (case["state"], case["may"]) == ("REJECTED", ["restore"])


async def test_own_events_enter_the_timeline_with_what_caused_them(
    desk: Desk,
) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.undecided(feedback_id))
    case = await desk.do(desk.as_("coordinator"), feedback_id, "dispatch", department="space")

    assert [(t["seq"], t["type"]) for t in case["timeline"]] == [
        (1, "feedback.received"),
        (2, "case.opened"),
        (3, "feedback.triage_needed"),
        (4, "case.dispatched"),
    ]
    assert case["timeline"][3]["text"] == "派给空间与读者服务部（人工），类别：座位与空间"
    assert case["timeline"][3]["by"] == "coordinator"


async def test_what_is_read_back_from_the_log_stands_in_the_timeline_once(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.do(desk.as_("coordinator"), feedback_id, "note", text="看过")
    for _ in range(2):
        await desk.read_back(feedback_id)

    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()

    assert [(t["seq"], t["type"]) for t in case["timeline"]] == [
        (1, "feedback.received"),
        (2, "case.opened"),
        (3, "case.noted"),
    ]


async def test_the_same_receipt_twice_opens_one_case(desk: Desk) -> None:
    event = examples.received()
    await desk.process(event)
    await desk.process(event)
    assert await desk.emitted(event.feedback_id) == ["case.opened"]


async def test_an_event_of_an_unknown_case_is_passed_over(desk: Desk) -> None:
    for event in (
        examples.routed("unknown"),
        examples.supplemented("unknown"),
        examples.rated("unknown"),
        examples.withdrawn("unknown"),
        examples.reopen_requested("unknown", "2026-03-05 10:00"),
        examples.promised("unknown", Clock.TRIAGE, "2026-03-05 10:00"),
    ):
        await desk.process(event)
    assert await desk.emitted("unknown") == []


async def test_what_the_office_made_confidential_stays_so_wherever_it_goes(desk: Desk) -> None:
    office, case = desk.as_("coordinator"), await desk.case()
    await desk.process(examples.routed(case, "space"))
    for asked in (True, False):
        await desk.do(office, case, "correct", confidential=asked, reason="点了名")
        await desk.do(office, case, "recall", reason="换个部门")
        await desk.do(office, case, "dispatch", department="it", category="seats")
        seen = (await office.get(f"/api/cases/{case}")).json()
        assert (seen["department"], seen["confidential"]) == ("it", asked)
