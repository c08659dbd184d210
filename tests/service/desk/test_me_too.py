"""Who says "me too" with a comment is one of the incident's, or told why not."""

from __future__ import annotations

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
