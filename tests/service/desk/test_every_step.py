"""Each action of staff over HTTP, with what it leaves in the case and in the log."""

from __future__ import annotations

from typing import Any

import httpx2

from services.desk.jobs import end_waiting, offer_again
from shared.contracts.intake import FeedbackAppealed
from shared.contracts.vocabulary import Clock, Role
from tests.fakes.promises import Promises
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import at, outbox_of

LATER = "2026-03-20T10:00:00+08:00"


async def post(
    who: httpx2.AsyncClient, feedback_id: str, action: str, **body: Any
) -> httpx2.Response:
    return await who.post(f"/api/cases/{feedback_id}/{action}", json=body)


async def last(desk: Desk, feedback_id: str) -> dict[str, Any]:
    """The newest event of desk: its type without version, and its body."""
    newest = (await desk.told(feedback_id))[-1]
    return {"type": newest["type"], **newest["body"]}


async def promised(desk: Desk, feedback_id: str, due: str = "2026-03-11 10:00") -> None:
    await desk.process(examples.promised(feedback_id, Clock.RESOLUTION, due))


async def test_the_office_fetches_back_what_went_wrong_and_sends_it_elsewhere(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    office = desk.as_("coordinator")
    bare = await post(office, feedback_id, "dispatch", department="it")
    same = await post(office, feedback_id, "dispatch", department="space", reason="x")
    assert (bare.status_code, list(bare.json()["errors"])) == (422, ["reason"])
    assert (same.status_code, list(same.json()["errors"])) == (422, ["department"])

    case = await desk.do(office, feedback_id, "dispatch", department="it", reason="是网络的事")
    assert (case["state"], case["department"], case["assignee"]) == ("DISPATCHED", "it", None)
    told = await last(desk, feedback_id)
    assert (told["again"], told["previous_department"], told["reason"]) == (
        True,
        "space",
        "是网络的事",
    )
    space, it = desk.as_("liaison", "space"), desk.as_("liaison", "it")
    assert (await space.get(f"/api/cases/{feedback_id}")).status_code == 404
    case = await desk.do(office, feedback_id, "recall", reason="再看看")
    assert (case["state"], case["department"], case["returned_by"]) == ("TRIAGE", None, [])
    assert (await it.get(f"/api/cases/{feedback_id}")).status_code == 404


async def test_what_a_case_is_about_is_corrected_wherever_it_is(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    office = desk.as_("coordinator")
    await desk.process(examples.private(feedback_id))
    case = await desk.do(
        office,
        feedback_id,
        "correct",
        category="conduct",
        type="request",
        priority="P2",
        title="台口态度，电话 13800001234",
        reason="读者说的是人",
    )
    assert (case["category"], case["type"], case["priority"]) == ("conduct", "request", "P2")
    assert (case["state"], case["confidential"]) == ("IN_PROGRESS", True)
    assert case["title"] == "台口态度，电话 13800001234"
    told = await last(desk, feedback_id)
    assert set(told["changed"]) == {"category", "case_type", "priority", "title", "confidential"}
    assert "13800001234" not in str(told)
    nothing = await post(office, feedback_id, "correct", priority="P2", reason="x")
    assert nothing.status_code == 422


async def test_what_was_refused_or_thrown_away_comes_back(desk: Desk) -> None:
    office = desk.as_("coordinator")
    refused, thrown = await desk.case(), await desk.case()
    await desk.do(office, refused, "reject", reason="不归图书馆", instead="请找网信办")
    assert (await last(desk, refused))["instead"] == "请找网信办"
    await desk.do(office, thrown, "spam")
    for feedback_id, previous in ((refused, "REJECTED"), (thrown, "SPAM")):
        case = await desk.do(office, feedback_id, "restore", reason="看错了")
        assert (case["state"], case["cycle"]) == ("TRIAGE", 2)
        assert (await last(desk, feedback_id))["previous"] == previous
    await desk.do(office, thrown, "spam", reason="广告")
    desk.clock.later(days=31)
    office = desk.as_("coordinator")  # signed in anew
    assert (await post(office, thrown, "restore", reason="x")).status_code == 409


async def test_a_second_department_sees_the_case_and_does_its_part(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    liaison, it = desk.as_("liaison", "space"), desk.as_("handler", "it")
    assert (await it.get(f"/api/cases/{feedback_id}")).status_code == 404
    await desk.do(liaison, feedback_id, "add_department", department="it", question="是系统吗？")
    for queue in ("department", "all"):
        listed = (await it.get(f"/api/cases?queue={queue}")).json()["items"]
        assert [i["feedback_id"] for i in listed] == [feedback_id]
    seen = (await it.get(f"/api/cases/{feedback_id}")).json()
    assert set(seen["may"]) == {"finish_part", "note"}
    assert (await post(it, feedback_id, "reply", text="x", outcome="solved")).status_code == 403

    case = await desk.do(it, feedback_id, "finish_part", text="不是系统")
    (part,) = case["co_departments"]
    assert (part["department"], part["state"], part["text"]) == ("it", "finished", "不是系统")
    assert (await post(it, feedback_id, "finish_part", text="又")).status_code == 409
    await desk.do(liaison, feedback_id, "remove_department", department="it")
    assert (await it.get(f"/api/cases/{feedback_id}")).status_code == 404


async def test_the_head_signs_where_no_liaison_is_and_a_handler_hands_over(desk: Desk) -> None:
    await desk.person("wang", Role.HANDLER, "space")
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    assert (await desk.do(desk.as_("reviewer", "space"), feedback_id, "accept"))["state"] == (
        "ACCEPTED"
    )
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, "claim")
    handed = await desk.do(handler, feedback_id, "assign", to="wang")
    assert handed["assignee"] == "wang"
    assert (await post(handler, feedback_id, "assign", to="wang")).status_code == 409


async def test_a_word_in_between_is_public_and_ends_the_right_to_return(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    await desk.process(examples.private(feedback_id))
    handler, liaison = desk.as_("handler", "space"), desk.as_("liaison", "space")
    assert "return" in (await liaison.get(f"/api/cases/{feedback_id}")).json()["may"]
    case = await desk.do(handler, feedback_id, "progress", text="师傅在路上，王小明同学请稍等")
    assert case["state"] == "IN_PROGRESS"
    assert case["conversation"][-1]["kind"] == "progress"
    told = await last(desk, feedback_id)
    assert (told["type"], "王小明" in told["text"]) == ("case.progressed.v1", False)
    words = [e for e in await outbox_of(desk.service, feedback_id) if "reply_words" in e["type"]]
    assert [w["body"]["words_id"] for w in words] == [told["words_id"]]
    refused = await post(liaison, feedback_id, "return", reason="不是我们的")
    assert refused.status_code == 409
    assert "return" not in refused.json()["allowed"]


async def test_waiting_for_somebody_outside_ends_by_hand_or_on_its_day(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    wait = {"for": "后勤处", "reason": "等配件"}
    for until in ("2026-03-01T10:00:00+08:00", "2026-03-20T10:00:00", "soon"):
        answer = await post(handler, feedback_id, "wait", until=until, **wait)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["until"]), until
    case = await desk.do(handler, feedback_id, "wait", until=LATER, **wait)
    assert (case["state"], case["waiting_for"], case["waiting_until"]) == (
        "WAITING_EXTERNAL",
        "后勤处",
        LATER,
    )
    assert (await desk.do(handler, feedback_id, "resume"))["waiting_for"] is None
    await desk.do(handler, feedback_id, "wait", until=LATER, **wait)
    assert await end_waiting(desk.service) == 0
    desk.clock.later(days=17)
    assert await end_waiting(desk.service) == 1
    assert (await last(desk, feedback_id))["reason"] == "until"


async def test_more_time_is_asked_for_refused_and_granted(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    await promised(desk, feedback_id)
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    early = await post(handler, feedback_id, "extend", until="2026-03-10T10:00+08:00", reason="x")
    assert (early.status_code, list(early.json()["errors"])) == (422, ["until"])
    assert (await post(head, feedback_id, "grant_extension")).status_code == 409

    asked = await desk.do(handler, feedback_id, "extend", until=LATER, reason="等货")
    assert (asked["extension"]["state"], asked["extension"]["until"]) == ("pending", LATER)
    assert (await post(handler, feedback_id, "extend", until=LATER, reason="x")).status_code == 409
    refused = await desk.do(head, feedback_id, "refuse_extension", reason="先换旧的")
    assert refused["extension"]["state"] == "refused"
    await desk.do(handler, feedback_id, "extend", until=LATER, reason="等货")
    granted = await desk.do(head, feedback_id, "grant_extension", note="好")
    assert (granted["extension"]["state"], granted["extension"]["answer"]) == ("granted", "好")
    told = await last(desk, feedback_id)
    assert (told["type"], told["reason"]) == ("case.extension_granted.v1", "等货")


async def test_after_the_deadline_it_is_explained_and_no_more_extended(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    promises = Promises(feedback_id)
    due = at("2026-03-11 10:00")
    await desk.process(promises.change("promised", Clock.RESOLUTION, due, at=examples.RECEIVED))
    handler = desk.as_("handler", "space")
    explanation = {"clock": "RESOLUTION", "code": "overload", "text": "人手不够"}
    assert (await post(handler, feedback_id, "explain_breach", **explanation)).status_code == 409
    desk.clock.later(days=8)
    handler = desk.as_("handler", "space")  # signed in anew
    await desk.process(promises.breached(Clock.RESOLUTION, at=due))
    assert (await post(handler, feedback_id, "extend", until=LATER, reason="x")).status_code == 409
    await desk.do(handler, feedback_id, "explain_breach", **explanation)
    told = await last(desk, feedback_id)
    assert (told["code"], "until" in told) == ("overload", False)
    for until in ("2026-03-12T10:00:00+08:00", "2026-04-01T10:00:00", due.isoformat()):
        body = explanation | {"until": until}
        answer = await post(handler, feedback_id, "explain_breach", **body)
        assert (answer.status_code, "until" in answer.json()["errors"]) == (422, True)
    # As the field of a form for a date and a time sends it: the time on the wall here.
    form = explanation | {"until": "2026-04-01T10:00"}
    sent = await handler.post(f"/api/cases/{feedback_id}/explain_breach", data=form)
    assert sent.status_code == 200, sent.text
    assert (await last(desk, feedback_id))["until"] == "2026-04-01T10:00:00+08:00"
    assert "改期到 04-01 10:00" in sent.json()["timeline"][-1]["text"]
    other = await post(handler, feedback_id, "explain_breach", **explanation | {"clock": "ACCEPT"})
    assert other.status_code == 422


async def test_what_nobody_touched_past_its_clock_is_offered_again(desk: Desk) -> None:
    untouched, touched = await desk.in_progress(), await desk.in_progress()
    handler = desk.as_("handler", "space")
    await desk.do(handler, touched, "note", text="看过了")
    due = at("2026-03-05 10:00")
    desk.clock.later(days=2)
    for feedback_id in (untouched, touched):
        promises = Promises(feedback_id)
        await desk.process(
            promises.change("promised", Clock.FIRST_RESPONSE, due, at=examples.RECEIVED),
            promises.breached(Clock.FIRST_RESPONSE, at=due),
        )
    handler = desk.as_("handler", "space")  # signed in anew
    assert await offer_again(desk.service) == 1
    case = (await handler.get(f"/api/cases/{untouched}")).json()
    assert (case["state"], case["assignee"]) == ("ACCEPTED", None)
    assert (await last(desk, untouched))["reason"] == "untouched"
    listed = (await handler.get("/api/cases?queue=department")).json()["items"]
    assert untouched in [one["feedback_id"] for one in listed]
    # Whoever takes what is late already has not let it lie.
    await desk.do(handler, untouched, "claim")
    assert await offer_again(desk.service) == 0


async def test_a_reply_is_read_by_somebody_else_before_it_goes_out(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    await desk.process(examples.private(feedback_id))
    handler = desk.as_("handler", "space")
    head, other = desk.as_("reviewer", "space"), desk.as_("reviewer", "space", "boss")
    draft = {"text": "王小明同学，已清理", "outcome": "solved"}
    case = await desk.do(handler, feedback_id, "submit", **draft)
    assert (case["state"], case["review"]["text"]) == ("IN_REVIEW", "王小明同学，已清理")
    assert case["replies"] == []
    assert "已清理" not in str(await outbox_of(desk.service, feedback_id))
    case = await desk.do(head, feedback_id, "send_back", comment="请写明时间")
    assert (case["state"], case["review"]) == ("IN_PROGRESS", None)
    assert case["notes"][-1]["text"] == "请写明时间"
    assert "请写明时间" not in str(case["conversation"])

    await desk.do(head, feedback_id, "submit", **draft)
    own = await post(head, feedback_id, "approve")
    assert (own.status_code, "approve" in own.json()["allowed"]) == (409, False)
    case = await desk.do(other, feedback_id, "approve")
    assert (case["state"], case["replies"][0]["text"]) == ("REPLIED", "王小明同学，已清理")
    private, told = (await desk.told(feedback_id))[-2:]
    assert private["body"]["text"] == "王小明同学，已清理"
    assert told["body"]["drafted_by"] == "reviewer.space"
    assert told["body"]["words_id"] == private["body"]["words_id"]
    assert "王小明" not in told["body"]["text"]


async def test_what_was_sent_back_goes_out_with_a_heads_consent_changed_or_not(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    draft = {"text": "已清理。", "outcome": "solved"}
    await desk.do(handler, feedback_id, "submit", **draft)
    await desk.do(head, feedback_id, "send_back", comment="请写明哪一天")
    case = (await handler.get(f"/api/cases/{feedback_id}")).json()
    assert ("submit" in case["may"], "reply" in case["may"]) == (True, False)
    told = case["sent_back"]
    assert (told["by"], told["comment"]) == ("reviewer.space", "请写明哪一天")
    assert [note["kind"] for note in case["notes"]] == ["send_back"]
    page = (await handler.get(f"/desk/cases/{feedback_id}")).text
    assert "退回修改了这份答复" in page
    assert 'id="do-submit-main"' in page, "to be read again is what is offered first"
    assert "改好再送审：负责人同意后才发出去。" in page
    for text in ("已清理。", "已清理了。", "3 月 4 日已清理。"):
        held = await post(handler, feedback_id, "reply", text=text, outcome="solved")
        assert (held.status_code, "请再送审" in held.json()["detail"]) == (409, True), text
    for action, field in (("progress", "text"), ("ask", "question")):
        held = await post(handler, feedback_id, action, **{field: "已清理。"})
        assert (held.status_code, list(held.json()["errors"])) == (422, [field]), action
    assert (await desk.do(handler, feedback_id, "submit", **draft))["sent_back"] is None
    await desk.do(head, feedback_id, "send_back", comment="还是没写")
    await desk.do(handler, feedback_id, "progress", text="正在问是哪一天。")
    await desk.do(handler, feedback_id, "submit", text="3 月 4 日已清理。", outcome="solved")
    case = await desk.do(head, feedback_id, "approve")
    assert (case["state"], case["sent_back"]) == ("REPLIED", None)


async def test_a_head_who_sent_a_reply_back_may_publish_it_after_all(desk: Desk) -> None:
    first, second = await desk.in_progress(), await desk.in_progress()
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    draft = {"text": "已清理。", "outcome": "solved"}
    for feedback_id, writer, reader in (
        (first, handler, head),
        (second, head, desk.as_("reviewer", "space", "boss")),
    ):
        await desk.do(writer, feedback_id, "submit", **draft)
        await desk.do(reader, feedback_id, "send_back", comment="再想想")
    assert "也可以由您直接答复" in (await head.get(f"/desk/cases/{first}")).text
    assert (await desk.do(head, first, "reply", **draft))["state"] == "REPLIED"
    # But not the own draft, which another head sent back.
    assert (await post(head, second, "reply", **draft)).status_code == 409


async def test_a_word_more_reaches_the_reporter_and_the_reply_stays(desk: Desk) -> None:
    feedback_id = await desk.replied()
    handler = desk.as_("handler", "space")
    case = (await handler.get(f"/api/cases/{feedback_id}")).json()
    assert "amend" in case["may"]
    page = (await handler.get(f"/desk/cases/{feedback_id}")).text
    assert "补充或更正答复" in page
    case = await desk.do(handler, feedback_id, "amend", text="更正：清理是在三层西区。")
    assert (case["state"], len(case["replies"]), case["cycle"]) == ("REPLIED", 1, 1)
    last_said = case["conversation"][-1]
    assert (last_said["kind"], last_said["text"]) == ("progress", "更正：清理是在三层西区。")
    told = await last(desk, feedback_id)
    assert (told["state"], told["text"]) == ("REPLIED", "更正：清理是在三层西区。")
    assert told["amends"] is True
    assert case["timeline"][-1]["text"] == "补充了答复：更正：清理是在三层西区。"


async def test_who_reads_a_reply_may_change_it(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    await desk.do(handler, feedback_id, "submit", text="好了", outcome="solved")
    body = {"text": "东区已经清理", "outcome": "partly"}
    case = await desk.do(head, feedback_id, "approve", **body)
    assert (case["replies"][0]["text"], case["replies"][0]["outcome"]) == tuple(body.values())


async def test_what_is_only_explained_needs_a_reason(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    for outcome in ("explained", "cannot"):
        answer = await post(handler, feedback_id, "reply", text="不行", outcome=outcome)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["reason"])
    body = {"text": "不行", "outcome": "cannot", "reason": "消防不许", "rule": "阅览规则 2025"}
    await desk.do(handler, feedback_id, "reply", **body)
    told = await last(desk, feedback_id)
    assert (told["reason"], told["rule"]) == ("消防不许", "阅览规则 2025")


async def test_a_leader_or_the_office_wants_it_done(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    for who in (desk.as_("leader"), desk.as_("coordinator")):
        case = await desk.do(who, feedback_id, "supervise", text="今天办完")
        assert (case["state"], case["assignee"]) == ("IN_PROGRESS", "handler.space")
        assert case["supervised_at"]
    head = desk.as_("reviewer", "space")
    assert (await post(head, feedback_id, "supervise", text="x")).status_code == 403


async def test_the_office_asks_afterwards_and_that_closes_it(desk: Desk) -> None:
    feedback_id = await desk.replied()
    office = desk.as_("coordinator")
    case = await desk.do(
        office, feedback_id, "follow_up", solved="yes", stars=5, text="很满意", how="phone"
    )
    assert case["state"] == "CLOSED"
    assert (await desk.emitted(feedback_id))[-2:] == ["case.followed_up", "case.closed"]
    case = await desk.do(office, feedback_id, "follow_up", solved="no", how="in_person")
    assert (await desk.emitted(feedback_id))[-1] == "case.followed_up"
    assert case["state"] == "CLOSED"
    # Who reads two answers that contradict each other knows which one counts.
    said = [line["text"] for line in case["timeline"] if line["type"] == "case.followed_up"]
    assert said == [
        "电话回访：已解决，5 星",
        "当面回访：没有解决（再次回访，以这一次为准）",
    ]


async def test_an_appeal_is_heard_after_the_case_was_asked_about_again(desk: Desk) -> None:
    feedback_id = await desk.replied()
    appeal = FeedbackAppealed(feedback_id=feedback_id, at=examples.RECEIVED, reason="没有解决")
    await desk.process(appeal)
    assert (await last(desk, feedback_id))["request"] == "feedback.appealed"
    desk.clock.later(days=16)
    late = examples.reopen_requested(feedback_id, "2026-03-20 10:05")
    await desk.process(late)
    assert (await last(desk, feedback_id))["rights"]["appeal"] is True
    await desk.process(appeal.model_copy(update={"at": desk.clock.now()}))
    leader = desk.as_("leader")
    case = (await leader.get(f"/api/cases/{feedback_id}")).json()
    assert (case["state"], set(case["may"])) == ("APPEALED", {"uphold", "dismiss", "note"})

    case = await desk.do(leader, feedback_id, "dismiss", reason="已经按规则办了")
    assert (case["state"], case["conversation"][-1]["kind"]) == ("CLOSED", "verdict")
    assert (await last(desk, feedback_id))["rights"]["appeal"] is False


async def test_an_appeal_against_a_rejection_may_be_upheld(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.do(desk.as_("coordinator"), feedback_id, "reject", reason="不归我们")
    await desk.process(
        FeedbackAppealed(feedback_id=feedback_id, at=examples.RECEIVED, reason="就归你们")
    )
    case = await desk.do(desk.as_("leader"), feedback_id, "uphold", reason="确实归我们")
    assert (case["state"], case["cycle"]) == ("TRIAGE", 2)
    assert (await last(desk, feedback_id))["type"] == "case.appeal_upheld.v1"


async def test_an_answer_to_a_rejection_after_a_month_is_told_that_it_is_too_late(
    desk: Desk,
) -> None:
    feedback_id = await desk.case()
    await desk.do(desk.as_("coordinator"), feedback_id, "reject", reason="不归我们")
    desk.clock.later(days=31)
    await desk.process(examples.supplemented(feedback_id))
    told = await last(desk, feedback_id)
    assert (told["type"], told["reason"]) == ("case.request_refused.v1", "too_late")


async def test_a_part_nobody_has_done_is_over_with_the_answer_and_its_writer_is_told_before(
    desk: Desk,
) -> None:
    feedback_id = await desk.in_progress()
    handler, it = desk.as_("handler", "space"), desk.as_("handler", "it")
    await desk.do(
        desk.as_("liaison", "space"), feedback_id, "add_department", department="it", question="?"
    )
    look = await handler.post(f"/api/cases/{feedback_id}/look", json={"text": "好"})
    (hint,) = [h for h in look.json()["hints"] if h["code"] == "parts"]
    assert "请信息系统部协办" in hint["text"]
    case = await desk.do(handler, feedback_id, "reply", text="好了", outcome="solved")
    (part,) = case["co_departments"]
    assert (part["state"], part["text"]) == ("not_needed", None)
    assert (await desk.emitted(feedback_id))[-2:] == ["case.replied", "case.department_removed"]
    assert (await post(it, feedback_id, "finish_part", text="x")).status_code == 409
    page = (await handler.get(f"/desk/cases/{feedback_id}")).text
    assert "不再需要" in page
    assert "还在办" not in page


async def test_a_rejection_that_a_leader_let_stand_is_restored_by_the_office(desk: Desk) -> None:
    feedback_id = await desk.case()
    office = desk.as_("coordinator")
    await desk.do(office, feedback_id, "reject", reason="不归我们")
    await desk.process(
        FeedbackAppealed(feedback_id=feedback_id, at=examples.RECEIVED, reason="就归你们")
    )
    case = await desk.do(desk.as_("leader"), feedback_id, "dismiss", reason="确实不归我们")
    assert case["state"] == "CLOSED"
    assert (await last(desk, feedback_id))["rights"]["standing"] == "rejected"
    refused = await post(office, feedback_id, "follow_up", solved="yes", how="phone")
    assert (refused.status_code, refused.json()["allowed"]) == (409, ["restore"])
    case = await desk.do(office, feedback_id, "restore", reason="归我们")
    assert (case["state"], case["cycle"]) == ("TRIAGE", 2)
