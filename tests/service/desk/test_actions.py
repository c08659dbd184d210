"""The action entry point: bodies, forms, stale pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import outbox_of

HTML = {"accept": "text/html,application/xhtml+xml"}


async def test_a_form_is_answered_with_the_page_and_json_with_the_case(desk: Desk) -> None:
    feedback_id = await desk.case()
    office = desk.as_("coordinator")
    answer = await office.post(
        f"/api/cases/{feedback_id}/dispatch",
        data={"department": "space", "category": "", "priority": "P2", "seen": "2"},
        headers=HTML,
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/desk/cases/{feedback_id}?done=dispatch"
    case = (await office.get(f"/api/cases/{feedback_id}")).json()
    assert (case["department"], case["priority"]) == ("space", "P2")


async def test_who_gives_a_case_away_by_form_lands_on_the_desk(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    answer = await desk.as_("liaison", "space").post(
        f"/api/cases/{feedback_id}/return", data={"reason": "不是"}, headers=HTML
    )
    assert answer.headers["location"] == "/desk?done=return"
    desk_of_theirs = (await desk.as_("liaison", "space").get("/desk?done=return")).text
    assert 'data-once="done"' in desk_of_theirs
    assert "退单：已完成</p>" in desk_of_theirs
    assert "?done" not in desk_of_theirs, "no link leads on with it"


async def test_an_illegal_step_says_what_is_possible_instead(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    answer = await desk.as_("liaison", "space").post(
        f"/api/cases/{feedback_id}/assign", json={}, headers={"accept-language": "en"}
    )
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["allowed"] == ["accept", "add_department", "note", "return"]
    assert body["detail"] == ("This matter is “Sent to a department” and cannot be assigned now.")


async def test_an_unknown_action_does_not_exist(desk: Desk) -> None:
    feedback_id = await desk.case()
    for action in ("explode", "open", "route", "withdraw", "answer_incident"):
        answer = await desk.as_("coordinator").post(f"/api/cases/{feedback_id}/{action}", json={})
        assert answer.status_code == 404, action


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("dispatch", {}, "department"),
        ("dispatch", {"department": "astronomy"}, "department"),
        ("dispatch", {"department": "it", "priority": "P9"}, "priority"),
        ("dispatch", {"department": "it", "category": "nonsense"}, "category"),
        ("dispatch", {"department": ["it"]}, "department"),
        ("dispatch", {"department": "i\x00t"}, "department"),
        ("reject", {"reason": "\u200b\u3164 "}, "reason"),
        ("reject", {"reason": "a\ud800"}, "reason"),
        ("reject", {"reason": "长" * 50_001}, "reason"),
        ("reply", {"text": "好"}, "outcome"),
        ("reply", {"text": "好", "outcome": "other"}, "outcome"),
        ("note", {"text": None}, "text"),
    ],
)
async def test_what_is_wrong_in_a_body_is_said_by_field(
    desk: Desk, action: str, body: dict[str, Any], field: str
) -> None:
    import json

    feedback_id = await desk.case()
    answer = await desk.as_("coordinator").post(
        f"/api/cases/{feedback_id}/{action}",
        content=json.dumps(body),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["errors"]
    assert len(await outbox_of(desk.service, feedback_id)) == 1


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"text": NaN}', "application/json", 400),
        (b'{"text": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"[1]", "application/json", 422),
        (b'"x"', "application/json", 422),
        (b"<x/>", "text/xml", 415),
        (b"x" * 1_000_001, "application/json", 413),
    ],
)
async def test_bodies_that_are_none(desk: Desk, content: bytes, kind: str, status: int) -> None:
    feedback_id = await desk.case()
    answer = await desk.as_("coordinator").post(
        f"/api/cases/{feedback_id}/note", content=content, headers={"content-type": kind}
    )
    assert answer.status_code == status, answer.text


async def test_an_action_without_a_body_needs_none(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    answer = await desk.as_("liaison", "space").post(f"/api/cases/{feedback_id}/accept")
    assert answer.status_code == 200


async def test_privileged_fields_in_a_body_change_nothing(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.do(
        desk.as_("coordinator"), feedback_id, "note", text="x", state="CLOSED", assignee="me"
    )
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert (case["state"], case["assignee"]) == ("TRIAGE", None)


async def test_a_stale_page_does_not_overwrite(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    seen = (await handler.get(f"/api/cases/{feedback_id}")).json()["version"]
    await desk.process(examples.supplemented(feedback_id, "其实是第四层"))
    body = {"text": "三层已清理", "outcome": "solved"}
    address = f"/api/cases/{feedback_id}/reply"

    by_field = await handler.post(address, json=body | {"seen": seen})
    by_header = await handler.post(address, json=body, headers={"if-match": f'"{seen}"'})
    nonsense = await handler.post(address, json=body | {"version": "x"})
    fresh = (await handler.get(f"/api/cases/{feedback_id}")).json()["version"]
    in_time = await handler.post(address, json=body | {"seen": fresh})

    assert (by_field.status_code, by_header.status_code) == (409, 409)
    assert {"reply", "note", "wait"} <= set(by_field.json()["allowed"])
    assert nonsense.status_code == 422
    assert in_time.status_code == 200


@pytest.mark.parametrize(
    ("more", "status"), [({"seen": "1"}, 409), ({"outcome": ""}, 422), ({"outcome": "x"}, 422)]
)
async def test_words_that_are_refused_come_back_with_the_page(
    desk: Desk, more: dict[str, str], status: int
) -> None:
    feedback_id = await desk.in_progress()
    words = {"text": "您好：\n<b>写了</b>很久的答复。", "outcome": "explained", "reason": "见规定"}
    answer = await desk.as_("handler", "space").post(
        f"/api/cases/{feedback_id}/reply", data=words | more, headers=HTML
    )
    assert answer.status_code == status
    given_back = answer.text.partition('id="typed"')[2].partition("</textarea>")[0]
    assert "您好：\n&lt;b&gt;写了&lt;/b&gt;很久的答复。\n\n见规定" in given_back


async def test_a_refused_split_gives_its_words_back_says_how_and_leads_back(desk: Desk) -> None:
    feedback_id = await desk.case()
    came_from = f"/desk/cases/{feedback_id}"
    form = {"parts": "三楼的灯坏了，四楼没有热水"}
    for referer, leads_back in (
        (f"http://test{came_from}?queue=triage", True),
        (f"https://elsewhere.example{came_from}?queue=triage", False),
        ("http://test//elsewhere.example/", False),
    ):
        answer = await desk.as_("coordinator").post(
            f"/api/cases/{feedback_id}/split",
            data=form,
            headers=HTML | {"referer": referer, "host": "test"},
        )
        assert answer.status_code == 422
        given_back = answer.text.partition('id="typed"')[2].partition("</textarea>")[0]
        assert form["parts"] in given_back
        assert "至少两件，中间空一行" in answer.text
        assert (f'href="{came_from}?queue=triage"' in answer.text) is leads_back
        assert 'href="//' not in answer.text


async def test_a_password_never_comes_back_with_a_page(desk: Desk) -> None:
    form = {"username": "x", "password": "secret word", "text": "y" * 10}
    answer = await desk.visitor().post(
        "/api/session", data=form, headers=HTML | {"origin": "https://elsewhere.example"}
    )
    assert answer.status_code == 403
    assert "secret word" not in answer.text


async def test_events_that_move_nothing_do_not_make_a_page_stale(desk: Desk) -> None:
    from shared.contracts.vocabulary import Clock

    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    seen = (await handler.get(f"/api/cases/{feedback_id}")).json()["version"]
    await desk.process(examples.promised(feedback_id, Clock.RESOLUTION, "2026-03-11 10:00"))
    await desk.do(handler, feedback_id, "note", text="看过了", seen=1)
    await desk.do(handler, feedback_id, "reply", text="好了", outcome="solved", seen=seen)


async def test_notes_stay_inside_and_only_the_event_is_emitted(desk: Desk) -> None:
    feedback_id = await desk.case()
    case = await desk.do(desk.as_("coordinator"), feedback_id, "note", text="读者姓王，很急")
    assert case["notes"][0]["text"] == "读者姓王，很急"
    assert "王" not in str(await outbox_of(desk.service, feedback_id))


async def test_a_telephone_number_in_a_reason_does_not_enter_the_log(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    await desk.do(
        desk.as_("liaison", "space"), feedback_id, "return", reason="读者电话 13800001234 打不通"
    )
    assert "13800001234" not in str(await outbox_of(desk.service, feedback_id))


async def test_a_cookie_post_from_another_site_is_refused(desk: Desk) -> None:
    feedback_id = await desk.case()
    visitor = desk.visitor(origin="https://evil.test")
    visitor.cookies.set("express_session", desk.token("coordinator"))
    answer = await visitor.post(f"/api/cases/{feedback_id}/note", json={"text": "x"})
    assert answer.status_code == 403
