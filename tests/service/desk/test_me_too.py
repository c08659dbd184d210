"""Who says "me too" with a comment is one of the incident's, or told why not."""

from __future__ import annotations

from shared.contracts.intake import FeedbackIncidentNamed
from tests.service.desk.conftest import Desk
from tests.service.desk.examples import received
from tests.service.desk.test_related import shown, told
from tests.support import at, id_at


async def open_incident(desk: Desk) -> str:
    async with desk.as_("coordinator") as office:
        body = {"title": "三层空调停机", "text": "机组故障，正在抢修。"}
        opened = await office.post("/api/incidents", json=body)
    assert opened.status_code == 201, opened.text
    return str(opened.json()["incident_id"])


async def test_who_says_me_too_is_one_of_the_incident_once(desk: Desk) -> None:
    incident = await open_incident(desk)
    event = received(incident=incident)
    await desk.process(event, event)
    await desk.process(event)
    case = await shown(desk, event.feedback_id)
    assert (case["state"], case["incident"]) == ("TRIAGE", incident)
    (joined,) = await told(desk, event.feedback_id, "case.joined_incident")
    assert joined["by"]["kind"] == "reporter"
    answer = {"text": "修好了。", "outcome": "solved"}
    async with desk.as_("coordinator") as office:
        begun = await office.post(f"/api/incidents/{incident}/reply", json=answer)
    assert begun.json()["total"] == 1


async def test_who_says_me_too_when_it_is_over_has_a_case_all_the_same(desk: Desk) -> None:
    incident = await open_incident(desk)
    async with desk.as_("coordinator") as office:
        await office.post(f"/api/incidents/{incident}/close", json={"reason": "修好了"})
    for wanted in (incident, id_at(at("2026-03-04 09:00"))):
        event = received(incident=wanted)
        await desk.process(event)
        case = await shown(desk, event.feedback_id)
        assert (case["state"], case["incident"]) == ("TRIAGE", None)
        (refused,) = await told(desk, event.feedback_id, "case.request_refused")
        assert refused["request"] == "feedback.received"
        assert await told(desk, event.feedback_id, "case.opened")


async def test_who_says_me_too_after_the_comment_is_one_of_the_incident_once(desk: Desk) -> None:
    incident = await open_incident(desk)
    feedback_id = await desk.case(text="三层空调停了")
    named = FeedbackIncidentNamed(feedback_id=feedback_id, at=desk.clock.now(), incident=incident)
    await desk.process(named)
    await desk.process(named.model_copy())
    assert (await shown(desk, feedback_id))["incident"] == incident
    (joined,) = await told(desk, feedback_id, "case.joined_incident")
    assert joined["by"]["kind"] == "reporter"


async def test_me_too_of_what_is_over_or_answered_is_said_or_changes_nothing(desk: Desk) -> None:
    incident = await open_incident(desk)
    late, replied = [await desk.case(text=f"三层空调停了 {n}") for n in (1, 2)]
    async with desk.as_("coordinator") as office:
        await desk.do(office, replied, "reply", text="已经修好了。", outcome="solved")
        await office.post(f"/api/incidents/{incident}/close", json={"reason": "修好了"})
    for one in (late, replied):
        await desk.process(
            FeedbackIncidentNamed(feedback_id=one, at=desk.clock.now(), incident=incident)
        )
    assert len(await told(desk, late, "case.request_refused")) == 1
    assert await told(desk, replied, "case.request_refused") == []
    assert (await shown(desk, replied))["state"] == "REPLIED"


async def test_who_comes_after_the_answer_reads_it_and_waits_for_their_own(desk: Desk) -> None:
    incident = await open_incident(desk)
    await desk.process(received(incident=incident))
    answer = {"text": "周五修好，电话 13800001234。", "outcome": "explained", "reason": "等配件"}
    async with desk.as_("coordinator") as office:
        replied = await office.post(f"/api/incidents/{incident}/reply", json=answer)
        assert replied.status_code == 200, replied.text
    late = received(incident=incident)
    await desk.process(late)
    (joined,) = await told(desk, late.feedback_id, "case.joined_incident")
    assert joined["answer"].startswith("周五修好")
    assert "13800001234" not in joined["answer"]
    assert joined["answered_at"]
    assert (await shown(desk, late.feedback_id))["state"] == "TRIAGE"

    # A new explanation is the newer word: nobody is told what was true before.
    async with desk.as_("coordinator") as office:
        await office.post(f"/api/incidents/{incident}/explain", json={"text": "又坏了，在查。"})
    later = received(incident=incident)
    await desk.process(later)
    (joined,) = await told(desk, later.feedback_id, "case.joined_incident")
    assert (joined["text"], joined.get("answer")) == ("又坏了，在查。", None)
