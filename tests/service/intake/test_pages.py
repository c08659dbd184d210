"""The pages, and what a clerk enters."""

from __future__ import annotations

import re

import pytest

from services.intake.domain.submission import GROUPS
from shared.contracts.sla import OrdinaryPromisesSet, PromisedTime
from shared.contracts.vocabulary import Clock
from tests.service.intake.conftest import Intake

HTML = {"Accept": "text/html"}


async def test_say_it_has_the_place_filled_in_and_a_key_of_its_own(intake: Intake) -> None:
    first = await intake.client.get('/?place=三层东区"><script>x')
    second = await intake.client.get("/")
    assert first.status_code == 200
    assert "三层东区&#34;&gt;&lt;script&gt;x" in first.text
    keys = {
        re.search(r'name="idempotency_key" value="([^"]+)"', p.text)[1] for p in (first, second)
    }  # type: ignore[index]
    assert len(keys) == 2
    assert "default-src 'self'" in first.headers["Content-Security-Policy"]


async def test_after_sending_comes_the_code_and_the_way_to_follow_it(intake: Intake) -> None:
    form = {"text": "占座", "contact.email": "l@example.edu", "anonymous": "", "locale": "en"}
    answer = await intake.client.post("/api/feedback", data=form, headers=HTML)
    (row,) = await intake.rows("SELECT * FROM submissions")
    assert answer.status_code == 201
    assert row["tracking_code"] in answer.text
    assert f"https://fx.test/track/{row['tracking_code']}" in answer.text
    assert "<svg" in answer.text
    assert (row["email"], row["anonymous"], row["locale"]) == ("l@example.edu", False, "en")


async def test_the_form_and_the_receipt_promise_what_the_policy_in_force_says(
    intake: Intake,
) -> None:
    english = HTML | {"Accept-Language": "en"}

    async def read(**headers: str) -> tuple[str, str]:
        headers = headers or HTML
        form = (await intake.client.get("/", headers=headers)).text
        sent = await intake.client.post("/api/feedback", data={"text": "占座"}, headers=headers)
        return form, sent.text

    for page in (*await read(), *await read(**english)):
        assert not re.search(r"\d (个工作日|小时)|working", page)
    assert "寄出后马上告诉您" in (await read())[0]
    intake.service.runtime.directory.apply(
        OrdinaryPromisesSet(
            at=intake.clock.now(),
            policy_version=2,
            times=(
                PromisedTime(clock=Clock.FIRST_RESPONSE, time="1h"),
                PromisedTime(clock=Clock.RESOLUTION, time="1wd"),
                PromisedTime(clock=Clock.TRIAGE, time="in no known form"),
            ),
        )
    )
    form, sent = await read()
    assert "我们会在工作时间 1 小时内回应您。" in form
    for clock, said in (
        ("TRIAGE", ""),
        ("FIRST_RESPONSE", "一般：工作时间 1 小时内"),
        ("RESOLUTION", "一般：1 个工作日内"),
    ):
        assert f'data-promise="{clock}">{said}</strong>' in sent
    form, sent = await read(**english)
    assert "You will hear from us within 1 working hour." in form
    assert ">usually within 1 working day</strong>" in sent


async def test_a_mistake_keeps_every_word(intake: Intake) -> None:
    form = {"text": "占座 <b>", "place": "三层", "contact.email": "nope", "idempotency_key": "k"}
    answer = await intake.client.post("/api/feedback", data=form, headers=HTML)
    assert answer.status_code == 422
    for word in ("占座 &lt;b&gt;", "三层", "nope", "这不像一个邮箱地址", 'value="k"'):
        assert word in answer.text
    english = await intake.client.post(
        "/api/feedback", data={"text": " "}, headers=HTML | {"Accept-Language": "en"}
    )
    assert "please write something" in english.text


async def test_a_form_that_cannot_be_read_is_400(intake: Intake) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"text=%ff%fe", b"text=\xff", b"&".join(b"f%d=x" % n for n in range(200))):
        answer = await intake.client.post("/api/feedback", content=body, headers=kind)
        assert answer.status_code == 400
    for body in (b"text=%00", b"text=x&contact.name=a%0d%0ab", b"contact=x&contact.name=y", b""):
        answer = await intake.client.post("/api/feedback", content=body, headers=kind)
        assert answer.status_code == 422


async def test_a_clerk_enters_what_somebody_said(intake: Intake) -> None:
    form = {
        "text": "扫了三次都没反应",
        "desk": "一层总台",
        "on_behalf_of": "王老师",
        "contact.phone": "62751234",
        "category": "",
    }
    answer = await intake.client.post(
        "/api/desk/feedback", data=form, headers=HTML | intake.staff("clerk")
    )
    (row,) = await intake.rows("SELECT * FROM submissions")
    assert answer.status_code == 201
    assert row["tracking_code"] in answer.text
    assert (row["channel"], row["desk"], row["entered_by"]) == ("desk", "一层总台", "clerk")
    public, private = await intake.emitted()
    assert public["body"]["on_behalf"] is True
    assert public["body"]["by"]["name"] == "clerk"
    assert "王老师" not in str(public)
    assert private["body"]["on_behalf_of"] == "王老师"
    page = await intake.client.get("/desk/new", headers=HTML | intake.staff("student"))
    assert page.status_code == 200
    assert "一层总台" in page.text


async def test_a_clerk_says_how_it_came_when_and_in_which_language(intake: Intake) -> None:
    form = {"text": "x", "channel": "phone", "locale": "en", "occurred_at": "2026-01-05T09:30"}
    for more in ({"occurred_at": ""}, {}):
        answer = await intake.client.post(
            "/api/desk/feedback", data=form | more, headers=HTML | intake.staff("clerk")
        )
        assert answer.status_code == 201
    rows = await intake.rows("SELECT channel, locale FROM submissions")
    assert [tuple(row.values()) for row in rows] == [("phone", "en")] * 2
    said = {event["body"].get("occurred_at") for event in await intake.emitted()}
    assert "2026-01-05T01:30:00Z" in {str(one).replace("+00:00", "Z") for one in said}
    typed = form | {"text": " ", "occurred_at": "2026-01-05T09:30"}
    back = await intake.client.post(
        "/api/desk/feedback", data=typed, headers=HTML | intake.staff("clerk")
    )
    assert back.status_code == 422
    assert '<option value="phone" selected>' in back.text
    assert 'value="2026-01-05T09:30"' in back.text


async def test_a_note_of_a_telephone_call_is_a_channel_of_its_own(intake: Intake) -> None:
    body = {"text": "x", "channel": "phone"}
    post = intake.client.post
    answer = await post("/api/desk/feedback", json=body, headers=intake.staff("coordinator"))
    assert answer.status_code == 201
    assert (await intake.emitted())[0]["body"]["channel"] == "phone"
    wrong = await post("/api/desk/feedback", json=body | {"channel": "api"}, headers=intake.staff())
    assert wrong.status_code == 422


async def test_the_counter_answers_in_the_language_of_the_house(intake: Intake) -> None:
    runtime = intake.service.runtime
    runtime.settings = runtime.settings.model_copy(update={"locale": "en"})
    page = await intake.client.get("/desk/new", headers=HTML | intake.staff("student"))
    assert '<option value="en" selected>' in page.text


async def test_a_moment_to_come_is_refused_in_a_sentence_that_names_no_field(
    intake: Intake,
) -> None:
    said = {"text": "灯不亮。", "occurred_at": "2036-01-01T10:00:00+08:00"}
    answer = await intake.client.post("/api/desk/feedback", json=said, headers=intake.staff())
    assert answer.status_code == 422
    assert answer.json()["detail"] == "说的时间不能是将来"
    assert answer.json()["errors"] == {"occurred_at": "说的时间不能是将来"}


@pytest.mark.parametrize("path", ["/desk/new", "/api/desk/feedback"])
async def test_the_counter_is_for_staff(intake: Intake, path: str) -> None:
    async def status(headers: dict[str, str]) -> int:
        if path == "/desk/new":
            return (await intake.client.get(path, headers=headers)).status_code
        return (await intake.client.post(path, json={"text": "x"}, headers=headers)).status_code

    assert await status({}) == 401
    assert await status({"Authorization": "Bearer fx.forged"}) == 401
    assert await status(intake.adapter()) == 403
    assert await status(intake.staff("auditor")) == 403
    for role in ("clerk", "student", "coordinator", "liaison", "handler", "reviewer", "leader"):
        assert await status(intake.staff(role)) in (200, 201)


async def test_another_site_cannot_use_a_clerks_cookie(intake: Intake) -> None:
    token = intake.staff()["Authorization"].removeprefix("Bearer ")
    cookie = {"Cookie": f"express_session={token}"}
    post = intake.client.post
    ours = await post("/api/desk/feedback", json={"text": "x"}, headers=cookie)
    theirs = await post(
        "/api/desk/feedback", json={"text": "x"}, headers=cookie | {"Origin": "https://evil.test"}
    )
    assert (ours.status_code, theirs.status_code) == (201, 403)


async def test_a_clerks_mistake_keeps_every_word(intake: Intake) -> None:
    form = {"text": "", "desk": "一层总台", "contact.phone": "call"}
    answer = await intake.client.post(
        "/api/desk/feedback", data=form, headers=HTML | intake.staff()
    )
    assert answer.status_code == 422
    assert "一层总台" in answer.text
    assert "请写点什么" in answer.text


async def test_the_entry_points_are_described(intake: Intake) -> None:
    paths = (await intake.client.get("/api/openapi.json")).json()["paths"]
    schema = paths["/api/feedback"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["text"]["maxLength"] == 50_000
    assert schema["required"] == ["text"]
    assert {"/api/desk/feedback", "/api/track/{code}/{action}"} <= set(paths)


async def test_a_reader_may_say_what_they_are_on_the_web_and_at_the_counter(
    intake: Intake,
) -> None:
    for language, alumni in (("zh", "校友"), ("en", "Alumni")):
        headers = HTML | {"Accept-Language": language}
        page = (await intake.client.get("/", headers=headers)).text
        counter = (await intake.client.get("/desk/new", headers=headers | intake.staff())).text
        for asked in (page, counter):
            field = asked.partition('name="reporter_group"')[2].partition("</select>")[0]
            assert re.findall('value="([a-z]+)"', field) == list(GROUPS)
            assert f">{alumni}</option>" in field
    said = {"text": "校友卡刷不开门", "reporter_group": "alumni"}
    await intake.client.post("/api/feedback", data=said, headers=HTML)
    await intake.client.post("/api/desk/feedback", data=said, headers=HTML | intake.staff())
    # Nobody is refused over it, and nobody invents a group.
    for strange in ("", "13800001234", "emperors", 7, None):
        assert (await intake.say("灯坏了", reporter_group=strange)).status_code == 201
    groups = [
        event["body"].get("reporter_group")
        for event in await intake.emitted()
        if event["type"] == "feedback.received.v1"
    ]
    assert groups == ["alumni", "alumni", *[None] * 5]
    wrong = {"text": " ", "reporter_group": "alumni"}
    given_back = await intake.client.post("/api/feedback", data=wrong, headers=HTML)
    assert '<option value="alumni" selected' in given_back.text
