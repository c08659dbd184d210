"""Comments that do not go the ordinary way: what each of them meets, through all services."""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any

import httpx2

from services.desk.jobs import end_waiting
from shared.security import plain_code
from tests.journeys.conftest import Town
from tests.journeys.test_many_reporters import COLD
from tests.journeys.test_stories import SEAT, moment, promise, topic_of
from tests.patience import PATIENCE
from tests.support import at

HTML = {"Accept": "text/html"}


async def do(town: Town, who: str, case_id: str, action: str, **body: Any) -> dict[str, Any]:
    """What somebody of the staff does, and may do."""
    answer = await town.act(who, case_id, action, **body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def found(letters: io.StringIO, pattern: str) -> re.Match[str]:
    """What the letters that go out say, once they do."""
    async with asyncio.timeout(PATIENCE):
        while (said := re.search(pattern, letters.getvalue())) is None:
            await asyncio.sleep(0.05)
    return said


async def offered(visitor: httpx2.AsyncClient, asked: dict[str, Any]) -> list[str]:
    """The incidents that whoever writes this is asked about."""
    answer = await visitor.post("/api/feedback/similar", json=asked)
    assert answer.status_code == 200, answer.text
    return [one["incident"] for one in answer.json()["items"]]


async def begun(town: Town, when: str, text: str = SEAT, **more: Any) -> tuple[str, str]:
    """A comment that somebody of the space department works on: its code and id."""
    town.clock.set(at(when))
    receipt = await town.submit(text, place="三层东区", **more)
    code, case_id = receipt["tracking_code"], receipt["feedback_id"]
    await town.sees(code, "DISPATCHED")
    await town.quiet()
    await do(town, "liaison.space", case_id, "accept")
    await do(town, "handler.space", case_id, "claim")
    await town.quiet()
    return code, case_id


async def test_progress_then_more_time_refused_then_granted(town: Town) -> None:
    code, case_id = await begun(town, "2026-05-13 09:00")
    first = promise(await town.track(code), "RESOLUTION")["due"]
    await do(town, "handler.space", case_id, "progress", text="正在核对监控。")
    await town.quiet()
    seen = await town.track(code)
    assert promise(seen, "FIRST_RESPONSE")["status"] == "met"
    assert [line["text"] for line in seen["conversation"]][-1] == "正在核对监控。"

    later = "2026-05-25T17:00:00+08:00"
    await do(town, "handler.space", case_id, "extend", until=later, reason="等系统厂家的记录")
    hers = await town.act("handler.space", case_id, "grant_extension")
    assert hers.status_code == 403
    await do(town, "reviewer.space", case_id, "refuse_extension", reason="先给一个说法")
    await town.quiet()
    seen = await town.track(code)
    assert (promise(seen, "RESOLUTION")["due"], seen["extended"]) == (first, False)
    assert "先给一个说法" not in str(seen)

    await do(town, "handler.space", case_id, "extend", until=later, reason="厂家周五才有记录")
    await do(town, "reviewer.space", case_id, "grant_extension")
    await town.quiet()
    seen = await town.track(code)
    moved = promise(seen, "RESOLUTION")
    assert (moved["due"], moved["first_due"], seen["extended"]) == (later, first, True)
    assert "厂家周五才有记录" in moved["reason"]
    await town.later(days=8)
    await do(town, "handler.space", case_id, "reply", text="已处理。", outcome="solved")
    await town.quiet()
    assert promise(await town.track(code), "RESOLUTION")["status"] == "met"
    await town.sound()


async def test_a_broken_promise_is_explained_and_given_a_new_date(town: Town) -> None:
    code, case_id = await begun(town, "2026-05-14 09:00")
    await town.later(days=14)
    await town.quiet()
    handler, leader = await town.as_("handler.space"), await town.as_("leader")

    async def owing() -> list[list[str]]:
        answers = [await who.get("/api/cases?queue=reasons") for who in (handler, leader)]
        return [[one["feedback_id"] for one in answer.json()["items"]] for answer in answers]

    assert await owing() == [[case_id], [case_id]]
    reason = {"code": "waiting_external", "text": "等厂家的配件"}
    until = "2026-06-05T17:00:00+08:00"
    first = {"clock": "FIRST_RESPONSE"} | reason
    dated = await town.act("handler.space", case_id, "explain_breach", **first, until=until)
    assert (dated.status_code, list(dated.json()["errors"])) == (422, ["until"])
    case = await do(town, "handler.space", case_id, "explain_breach", **first)
    assert case["reasons_owed"] == ["RESOLUTION"]
    assert await owing() == [[case_id], [case_id]]
    rest = {"clock": "RESOLUTION", "until": until} | reason
    case = await do(town, "handler.space", case_id, "explain_breach", **rest)
    assert case["reasons_owed"] == []
    await town.quiet()
    assert await owing() == [[], []]
    case = (await handler.get(f"/api/cases/{case_id}")).json()
    assert "改期到 06-05 17:00" in str(case["timeline"])
    seen = await town.track(code)
    moved, missed = promise(seen, "RESOLUTION"), promise(seen, "FIRST_RESPONSE")
    assert (moved["due"], moved["reason"]) == (until, "等厂家的配件")
    assert (moved["status"], missed["status"]) == ("breached", "breached")
    said = [line["text"] for line in seen["timeline"]]
    assert said.count("没能按时的原因：等厂家的配件") == 2
    assert said[-1] == "答复的时间改为6月5日（周五）17:00 前。原因：等厂家的配件"

    # Said once more of the same promise: both can be read, and the second one counts.
    async def reasons() -> dict[str, int]:
        figures = await leader.get("/api/dashboard?from=2026-05-01")
        return dict(figures.json()["breach_reasons"])

    assert await reasons() == {"waiting_external": 2}
    again = {"clock": "RESOLUTION", "code": "oversight", "text": "配件早就到了，是我们忘了"}
    case = await do(town, "handler.space", case_id, "explain_breach", **again)
    assert "再次说明，以这一次为准" in case["timeline"][-1]["text"]
    assert "等厂家的配件" in str(case["timeline"])
    await town.quiet()
    assert await reasons() == {"waiting_external": 1, "oversight": 1}
    said = [line["text"] for line in (await town.track(code))["timeline"]]
    assert said[-1] == "没能按时的原因，以这一次说的为准：配件早就到了，是我们忘了"
    await town.sound()


async def test_while_a_vendor_is_waited_for_progress_notes_are_due(town: Town) -> None:
    code, case_id = await begun(town, "2026-06-03 09:00")
    due = promise(await town.track(code), "RESOLUTION")["due"]
    until = "2026-06-08T10:00:00+08:00"
    waiting = {"for": "门禁厂家", "until": until, "reason": "等配件"}
    await do(town, "handler.space", case_id, "progress", text="门锁坏了，已经请厂家来看。")
    await do(town, "handler.space", case_id, "wait", **waiting)
    await town.quiet()
    seen = await town.track(code)
    assert (seen["state"], seen["waiting_for"]["for"]) == ("WAITING_EXTERNAL", "门禁厂家")
    assert seen["waiting_for"]["until"] == until
    # The reporter's promise runs on, and between now and then they hear how it goes.
    assert promise(seen, "RESOLUTION")["due"] == due
    assert promise(seen, "RESOLUTION")["status"] == "running"
    note = promise(seen, "NEXT_RESPONSE")
    assert note["status"] == "running"
    await town.later(hours=3)
    await do(town, "handler.space", case_id, "progress", text="厂家说周一到货。")
    await town.quiet()
    again = promise(await town.track(code), "NEXT_RESPONSE")
    assert again["status"] == "running"
    assert moment(again["due"]) > moment(note["due"])
    await town.later(days=5, hours=2)
    await end_waiting(town.services["desk"])
    seen = await town.sees(code, "IN_PROGRESS")
    assert seen["waiting_for"] is None
    await do(town, "handler.space", case_id, "reply", text="换好了。", outcome="solved")
    await town.sees(code, "REPLIED")
    await town.sound()


async def test_a_rejection_is_appealed_upheld_and_answered(town: Town) -> None:
    town.clock.set(at("2026-06-17 09:00"))
    receipt = await town.submit("宿舍的 WiFi 慢得没法用")
    code, case_id = receipt["tracking_code"], receipt["feedback_id"]
    await town.sees_any(code)
    await town.quiet()
    case = await town.track(code)
    if case["state"] != "TRIAGE":
        await do(town, "coordinator", case_id, "recall", reason="不是图书馆的")
    words = {"reason": "宿舍网络由网信办负责。", "instead": "网信办 6275"}
    await do(town, "coordinator", case_id, "reject", **words)
    seen = await town.sees(code, "REJECTED")
    assert "appeal" in seen["may"]
    assert "宿舍网络由网信办负责。" in [line["text"] for line in seen["conversation"]]
    await town.quiet()
    async with town.web() as visitor:
        path = f"/api/track/{code}/appeal"
        asked = await visitor.post(path, json={"reason": "图书馆自习区也一样"})
        assert asked.status_code == 200, asked.text
    await town.sees(code, "APPEALED")
    await town.quiet()
    assert promise(await town.track(code), "APPEAL")["status"] == "running"
    refused = await town.act("coordinator", case_id, "uphold", reason="好")
    assert refused.status_code == 403
    await do(town, "leader", case_id, "uphold", reason="自习区归我们，请信息系统部办理。")
    seen = await town.sees(code, "TRIAGE")
    assert seen["back"] == "again"
    await do(town, "coordinator", case_id, "dispatch", department="it")
    await do(town, "liaison.it", case_id, "accept")
    await do(town, "handler.it", case_id, "claim")
    await do(town, "handler.it", case_id, "reply", text="加了接入点。", outcome="solved")
    seen = await town.sees(code, "REPLIED")
    assert [reply["text"] for reply in seen["replies"]] == ["加了接入点。"]
    await town.sound()


async def test_of_two_people_on_one_case_the_later_overwrites_nothing(town: Town) -> None:
    code, case_id = await begun(town, "2026-07-01 09:00")
    async with await town.as_("handler.space") as one, await town.as_("reviewer.space") as two:
        page = f"/api/cases/{case_id}"
        seen = [(await who.get(page)).json()["version"] for who in (one, two)]
        assert seen[0] == seen[1]
        first = {"text": "已经劝离。", "outcome": "solved", "version": seen[0]}
        answered = await one.post(f"{page}/reply", json=first)
        assert answered.status_code == 200, answered.text
        other = {"text": "没有发现占座。", "outcome": "explained", "reason": "现场没有人"}
        late = await two.post(f"{page}/reply", json=other | {"version": seen[1]})
        assert late.status_code == 409
        stale = await two.post(f"{page}/assign", json={"to": "handler.space", "version": seen[1]})
        assert stale.status_code == 409
    await town.quiet()
    replies = (await town.track(code))["replies"]
    assert [reply["text"] for reply in replies] == ["已经劝离。"]
    await town.sound()


async def test_a_wrong_department_is_fetched_back_and_the_promise_stands(town: Town) -> None:
    code, case_id = await begun(town, "2026-07-15 09:00")
    due = promise(await town.track(code), "RESOLUTION")["due"]
    case = await do(town, "coordinator", case_id, "recall", reason="是门禁坏了，不是占座")
    assert (case["state"], case["returned_by"]) == ("TRIAGE", [])
    assert (await town.act("handler.space", case_id, "progress", text="好")).status_code == 404
    seen = await town.sees(code, "TRIAGE")
    assert (seen["back"], seen["department"]) == ("returned", None)
    await do(town, "coordinator", case_id, "dispatch", department="facilities")
    seen = await town.sees(code, "DISPATCHED")
    assert (seen["back"], seen["department"]) == (None, "facilities")
    await do(town, "liaison.facilities", case_id, "accept")
    await town.quiet()
    assert promise(await town.track(code), "RESOLUTION")["due"] == due
    await town.sound()


async def test_who_says_me_too_hears_the_answer_and_after_its_end_is_answered_alone(
    town: Town,
) -> None:
    town.clock.set(at("2026-08-05 09:00"))
    async with await town.as_("coordinator") as office:
        body = {"title": "三层空调停机", "text": "机组故障，正在抢修。"}
        incident = (await office.post("/api/incidents", json=body)).json()["incident_id"]
    await town.quiet()
    async with town.web() as visitor:
        asked = {"text": COLD}
        async with asyncio.timeout(PATIENCE):
            while incident not in await offered(visitor, asked):
                await asyncio.sleep(0.2)  # one address may ask eight times a second
    receipt = await town.submit(COLD, incident=incident)
    code = receipt["tracking_code"]
    await town.sees_any(code)
    await town.quiet()
    assert (await town.track(code))["incident"]["title"] == "三层空调停机"
    async with await town.as_("coordinator") as office:
        answer = {"text": "机组修好了。", "outcome": "solved"}
        begun = await office.post(f"/api/incidents/{incident}/reply", json=answer)
        assert begun.json()["total"] == 1
    seen = await town.sees(code, "REPLIED")
    assert [reply["text"] for reply in seen["replies"]] == ["机组修好了。"]
    await town.quiet()
    # Who joins after the answer is promised one of their own, and is not closed without it.
    contact = {"contact": {"email": "lin@students.example"}}
    after = await town.submit(COLD, incident=incident, **contact)
    await town.sees_any(after["tracking_code"])
    await town.quiet()
    printer, letters = town.services["notification"].deps.printer, io.StringIO()
    printer.stream, before = letters, printer.stream
    closing = {"reason": "修好了"}
    words = {"waiting": "answer", "text": "机组稳定了，三层不冷了。", "outcome": "solved"}
    async with await town.as_("coordinator") as office:
        over = await office.post(f"/api/incidents/{incident}/close", json=closing)
        assert over.status_code == 409, over.text
        over = await office.post(f"/api/incidents/{incident}/close", json=closing | words)
        assert (over.status_code, over.json()["total"]) == (200, 1), over.text
    seen = await town.sees(after["tracking_code"], "REPLIED")
    assert [reply["text"] for reply in seen["replies"]] == [words["text"]]
    try:
        # The receipt goes first, and waits a moment for the promise it carries.
        await town.later(seconds=15)
        await found(letters, words["text"])
    finally:
        printer.stream = before
    await town.quiet()
    assert promise(await town.track(after["tracking_code"]), "RESOLUTION")["status"] == "met"
    late = await town.submit(COLD, incident=incident)
    await town.sees_any(late["tracking_code"])
    await town.quiet()
    seen = await town.track(late["tracking_code"])
    assert (seen["state"], seen["incident"]) == ("DISPATCHED", None)
    assert any("单独办理" in line["text"] for line in seen["timeline"])
    await town.sound()


async def test_a_letter_leads_to_all_that_its_reporter_has_with_us(town: Town) -> None:
    town.clock.set(at("2026-08-19 09:00"))
    contact = {"contact": {"email": "lin@students.example"}}
    receipts = [await town.submit(text, **contact) for text in (SEAT, COLD)]
    codes = [receipt["tracking_code"] for receipt in receipts]
    for code in codes:
        await town.sees_any(code)
    await town.quiet()
    printer, letters = town.services["notification"].deps.printer, io.StringIO()
    printer.stream, before = letters, printer.stream
    try:
        async with town.web() as visitor:
            asked = await visitor.post(f"/api/track/{codes[0]}/matters", data={}, headers=HTML)
            assert asked.status_code == 303
            # The receipts go first, and wait a moment for the promise they carry.
            await town.later(seconds=15)
            link = await found(letters, r"/track/mine/(\S+)")
    finally:
        printer.stream = before
    async with town.web() as browser:
        assert "只能用一次" in (await browser.get(link[0], headers=HTML)).text
        form = {"token": link[1]}
        opened = await browser.post("/api/track/mine", data=form, headers=HTML)
        assert (opened.status_code, opened.headers["location"]) == (303, "/track/mine")
        page = (await browser.get("/track/mine", headers=HTML)).text
        for code in codes:
            assert f"/track/{plain_code(code)}" in page
        again = await browser.post("/api/track/mine", data=form, headers=HTML)
        assert again.status_code == 404
    assert "lin@students" not in str(await topic_of(town, receipts[0]["feedback_id"]))
    await town.sound()


async def test_who_begins_with_a_greeting_is_answered_for_what_they_say_next(town: Town) -> None:
    town.clock.set(at("2026-05-13 09:00"))
    receipt = await town.submit("老师好")
    code, case_id = receipt["tracking_code"], receipt["feedback_id"]
    await town.sees(code, "TRIAGE")
    await town.quiet()
    more = await town.web().post(f"/api/track/{code}/supplement", json={"text": SEAT})
    assert more.status_code == 200, more.text
    seen = await town.sees(code, "DISPATCHED")
    assert seen["department"] == "space"
    await town.quiet()
    office = await town.as_("coordinator")
    case = (await office.get(f"/api/cases/{case_id}")).json()
    assert (case["category"], case["priority"], case["confidential"]) == ("seats", "P3", False)
    assert case["title"] == SEAT
    await town.sound()
