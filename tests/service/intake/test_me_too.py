"""What many report now is offered before a comment is sent, and the comment says that it is one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.contracts.desk import IncidentListed
from shared.ids import new_id
from tests.fakes.embedder import Compass
from tests.service.intake.conftest import Intake
from tests.support import at

HTML = {"Accept": "text/html"}
COLD = "三层阅览室的空调不制冷了"


@pytest.fixture
def incident(intake: Intake) -> str:
    return opened(intake, "三层空调停机", "空调机组故障 <b>，正在抢修。")


def opened(intake: Intake, title: str, text: str, **more: Any) -> str:
    one = new_id()
    intake.service.runtime.directory.apply(
        IncidentListed(
            at=at("2026-03-04 09:00"),
            incident_id=one,
            title=title,
            text=text,
            opened_at=at("2026-03-04 09:00"),
            **more,
        )
    )
    return one


async def test_open_incidents_are_offered_in_the_librarys_words(
    intake: Intake, incident: str
) -> None:
    opened(intake, "三层空调停机", "去年的事", open=False)
    answer = await intake.client.post("/api/feedback/similar", json={"text": COLD})
    assert answer.status_code == 200
    (one,) = answer.json()["items"]
    assert (one["incident"], one["title"]) == (incident, "三层空调停机")
    by_place = {"text": "空调不制冷", "place": "三层"}
    assert (await intake.client.post("/api/feedback/similar", json=by_place)).json()["items"]
    other = await intake.client.post("/api/feedback/similar", json={"text": "宿舍 WiFi 慢"})
    assert other.json() == {"items": []}
    assert (await intake.rows("SELECT count(*) AS n FROM submissions"))[0]["n"] == 0

    part = await intake.client.post("/api/feedback/similar", data={"text": COLD}, headers=HTML)
    assert f'data-me-too="{incident}"' in part.text
    assert "&lt;b&gt;" in part.text
    for strange in ({"text": 7}, {"text": None, "place": ["x"]}, {}):
        assert (await intake.client.post("/api/feedback/similar", json=strange)).status_code == 200
    broken = await intake.client.post(
        "/api/feedback/similar", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert broken.status_code == 400


async def test_they_are_found_by_meaning_and_nobody_waits_for_it(
    intake: Intake, incident: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meaning, compass = intake.service.deps.meaning, Compass()
    meaning.embedder = compass
    said = {"text": "sauna up there, my phone is 13800138000"}

    async def offered() -> list[str]:
        answer = await intake.client.post("/api/feedback/similar", json=said)
        return [one["incident"] for one in answer.json()["items"]]

    # Before anybody has looked at the incident, by words.
    assert await offered() == []
    await meaning.learn(intake.service.deps.open_incidents)
    assert await offered() == [incident]
    assert "13800138000" not in compass.asked[-1]
    said["text"] = "somebody makes noise"
    assert await offered() == []
    said["text"] = COLD
    assert await offered() == [incident]
    said["text"] = "a sauna"
    compass.away = True
    assert await offered() == []
    compass.away = False

    async def hangs(*_: Any, **__: Any) -> list[Any]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr("services.intake.deps.WITHIN", 0.01)
    monkeypatch.setattr(compass, "embed", hangs)
    assert await offered() == []


async def test_the_page_asks_only_where_there_is_something_to_offer(intake: Intake) -> None:
    assert "data-alike" not in (await intake.client.get("/")).text
    one = opened(intake, "电梯停运", "北侧电梯检修。")
    page = (await intake.client.get("/")).text
    assert "data-alike" in page
    # Without script it is a button of the form, after the one that sends.
    assert page.index('name="incident" value="' + one) > page.index("btn-primary")
    refused = await intake.client.post("/api/feedback", data={"text": " "}, headers=HTML)
    assert one in refused.text


async def test_me_too_is_said_with_the_comment_on_every_entry_point(
    intake: Intake, incident: str
) -> None:
    form = [("text", COLD), ("incident", ""), ("incident", incident)]
    content = "&".join(f"{name}={value}" for name, value in form)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    sent = await intake.client.post("/api/feedback", content=content, headers=HTML | kind)
    assert sent.status_code == 201
    assert "三层空调停机" in sent.text
    await intake.say(COLD, incident=incident.upper())
    adapter = {"channel": "survey", "source_message_id": "1", "incident": incident}
    await intake.say(COLD, headers=intake.adapter(), **adapter)
    staff = {"text": COLD, "incident": incident}
    await intake.client.post("/api/desk/feedback", json=staff, headers=intake.staff())
    said = [
        event["body"]["incident"]
        for event in await intake.emitted()
        if event["type"] == "feedback.received.v1"
    ]
    assert said == [incident] * 4


async def test_at_the_counter_one_is_ticked_with_script_and_without(
    intake: Intake, incident: str
) -> None:
    staff = HTML | intake.staff()
    page = (await intake.client.get("/desk/new", headers=staff)).text
    assert "similar?choose=1" in page
    assert f'value="{incident}"' in page  # without script
    asked = "/api/feedback/similar?choose=1"
    offer = await intake.client.post(asked, data={"text": COLD}, headers=HTML)
    assert f'type="radio" class="form-check-input" name="incident" id="is-{incident}"' in offer.text
    assert "data-me-too" not in offer.text
    wrong = {"text": " ", "incident": incident}
    refused = await intake.client.post("/api/desk/feedback", data=wrong, headers=staff)
    assert f'value="{incident}" checked' in refused.text
    saved = {"text": COLD, "incident": incident}
    done = await intake.client.post("/api/desk/feedback", data=saved, headers=staff)
    assert (done.status_code, "三层空调停机”放在一起" in done.text) == (201, True)
    over = opened(intake, "门禁停机", "修好了。", open=False)
    done = await intake.client.post(
        "/api/desk/feedback", data={"text": COLD, "incident": over}, headers=staff
    )
    assert "刚刚办结了" in done.text


async def test_what_was_answered_already_is_said_before_it_is_sent(intake: Intake) -> None:
    opened(
        intake, "三层空调停机", "正在修。", answer="周五修好。", answered_at=at("2026-03-04 09:30")
    )
    found = await intake.client.post("/api/feedback/similar", json={"text": COLD})
    (one,) = found.json()["items"]
    assert (one["answer"], one["answered_at"]) == ("周五修好。", "2026-03-04T09:30:00+08:00")
    part = await intake.client.post("/api/feedback/similar", data={"text": COLD}, headers=HTML)
    assert "周五修好。" in part.text
    assert "周五修好。" in (await intake.client.get("/")).text


async def test_a_comment_is_never_lost_over_an_incident(intake: Intake) -> None:
    over = opened(intake, "三层空调停机", "修好了。", open=False)
    sent = await intake.client.post(
        "/api/feedback", data={"text": COLD, "incident": over}, headers=HTML
    )
    assert sent.status_code == 201
    assert "刚刚办结了" in sent.text
    for strange in ("13800001234", "<b>", 7, None, ""):
        assert (await intake.say(COLD, incident=strange)).status_code == 201
    said = [
        event["body"].get("incident")
        for event in await intake.emitted()
        if event["type"] == "feedback.received.v1"
    ]
    assert said == [over, *[None] * 5]
    adapter = {"channel": "survey", "source_message_id": "1", "incident": "13800001234"}
    refused = await intake.say(COLD, headers=intake.adapter(), **adapter)
    assert refused.status_code == 422
    assert "incident" in refused.json()["errors"]


async def test_a_key_stands_for_the_incident_too(intake: Intake, incident: str) -> None:
    key = {"Idempotency-Key": "k"}
    first = await intake.say(COLD, incident=incident, headers=key)
    again = await intake.say(COLD, incident=incident, headers=key)
    assert first.json() == again.json()
    assert (await intake.say(COLD, headers=key)).status_code == 409
