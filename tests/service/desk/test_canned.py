"""Words that a reply may begin with: who writes them, what is refused, what they become."""

from __future__ import annotations

from typing import Any

import pytest

from services.desk.handlers.recollect import OWN
from services.desk.seeds import seed_demo_replies
from services.desk.store import canned
from shared.contracts.desk import CannedReplyListed, CategoryListed
from tests.service.desk import examples
from tests.service.desk.conftest import Desk

BROWSER = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}
URL = "/api/canned-replies"
ONE = {"title": "已收走", "zh": "{称呼}：您好！{部门}已经处理好。"}


async def written(desk: Desk, who: Any = None, **more: Any) -> dict[str, Any]:
    answer = await (who or desk.as_("coordinator")).post(URL, json=ONE | more)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def listed(who: Any) -> dict[str, dict[str, Any]]:
    answer = await who.get(URL)
    assert answer.status_code == 200, answer.text
    return {one["title"]: one for one in answer.json()["items"]}


async def put_in(desk: Desk, who: Any, feedback_id: str, reply_id: str, **more: Any) -> Any:
    return await who.post(f"/api/cases/{feedback_id}/canned", json={"canned": reply_id} | more)


@pytest.mark.parametrize(
    ("role", "department", "own", "other", "everybody"),
    [
        ("coordinator", None, 201, 201, 201),
        ("admin", None, 201, 201, 201),
        ("reviewer", "space", 201, 403, 403),
        ("handler", "space", 403, 403, 403),
        ("liaison", "space", 403, 403, 403),
        ("clerk", None, 403, 403, 403),
        ("leader", None, 403, 403, 403),
        ("auditor", None, 403, 403, 403),
        ("student", None, 403, 403, 403),
    ],
)
async def test_a_head_writes_for_the_own_department_the_office_for_all(
    desk: Desk, role: str, department: str | None, own: int, other: int, everybody: int
) -> None:
    who = desk.as_(role, department)
    for place, status in (("space", own), ("it", other), (None, everybody)):
        answer = await who.post(URL, json=ONE | {"department": place})
        assert answer.status_code == status, (place, answer.text)
        there = await written(desk, department=place)
        changed = await who.post(f"{URL}/{there['reply_id']}", json=ONE | {"department": place})
        hidden = role == "reviewer" and place == "it"
        assert changed.status_code == (404 if hidden else 200 if status == 201 else 403)


async def test_each_sees_what_they_can_use(desk: Desk) -> None:
    for place in ("space", "it", None):
        await written(desk, title=f"给 {place}", department=place)
    assert set(await listed(desk.as_("handler", "space"))) == {"给 space", "给 None"}
    assert set(await listed(desk.as_("reviewer", "it"))) == {"给 it", "给 None"}
    assert len(await listed(desk.as_("admin"))) == 3
    for role in ("leader", "auditor", "student"):
        assert (await desk.as_(role).get(URL)).status_code == 403
        page = await desk.as_(role).get("/desk/replies", headers=BROWSER)
        assert page.status_code == 403


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"zh": "{查询码} 在这里"}, "zh", "{称呼}"),
        ({"zh": "{{7*7}}"}, "zh", "{依据}"),
        ({"en": "{name}"}, "en", "{salutation}"),
        ({"zh": "您好{称呼"}, "zh", "“{称呼”"),
        ({"zh": "{称呼}：您好｝"}, "zh", "“｝”"),
        ({"zh": "{}"}, "zh", "“{}”"),
        ({"en": "Dear {salutation,\nthank you"}, "en", "“{salutation,”"),
        ({"zh": " \u3000"}, "zh", "请写点什么"),
        ({"zh": "长" * 5001}, "zh", ""),
        ({"title": "长" * 61}, "title", ""),
        ({"title": "a\x00b"}, "title", "控制字符"),
        ({"zh": "有事打 13911112222"}, "zh", "电话"),
        ({"en": "mail li.ming@pku.edu.cn"}, "en", "邮箱"),
        ({"department": "nowhere"}, "department", "没有这个部门"),
        ({"category": "nothing"}, "category", "没有这个类别"),
        ({"outcome": "other"}, "outcome", "结果"),
        ({"position": -1}, "position", ""),
        ({"position": "9" * 5000}, "position", ""),
        ({"title": ["x"]}, "title", ""),
    ],
)
async def test_what_cannot_be_kept_is_refused_and_says_what_can(
    desk: Desk, body: dict[str, Any], field: str, says: str
) -> None:
    office = desk.as_("coordinator")
    answer = await office.post(URL, json=ONE | body)
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["errors"]
    assert says in answer.text
    there = await written(desk)
    changed = await office.post(f"{URL}/{there['reply_id']}", json=ONE | body)
    assert changed.status_code == 422
    assert set(await listed(office)) == {ONE["title"]}


async def test_hostile_words_are_inert(desk: Desk) -> None:
    words = '</textarea><script>1</script><img src=x onerror=1>\u202e ${7*7} =1+1 "><svg/onload=1>'
    await written(desk, title='"><svg/onload=1>', zh=words.replace("${7*7}", ""), en=words[:40])
    feedback_id = await desk.in_progress()
    for who, path in (
        (desk.as_("coordinator"), "/desk/replies"),
        (desk.as_("handler", "space"), f"/desk/cases/{feedback_id}"),
    ):
        page = (await who.get(path, headers=BROWSER)).text
        assert "<svg/onload" not in page
        assert "<script>1" not in page
        assert "&#34;&gt;&lt;svg/onload=1&gt;" in page


async def test_it_is_filled_in_for_the_case_in_the_language_of_its_reporter(desk: Desk) -> None:
    rule = "《座位管理办法》（2025 年版）"
    desk.service.runtime.directory.apply(
        CategoryListed(
            at=examples.RECEIVED, code="seats", zh="座位", en="Seats", department="space", rule=rule
        )
    )
    body = {
        "zh": "{称呼}|{反映日期}|{今天}|{答复期限}|{依据}|{经办人}|{类别}|{标题}",
        "en": "{salutation}|{received}|{due}|{rule}",
        "outcome": "solved",
    }
    one = await written(desk, **body)
    handler = desk.as_("handler", "space")
    feedback_id = await desk.in_progress()
    answer = await put_in(desk, handler, feedback_id, one["reply_id"])
    assert answer.json() == {
        "text": "尊敬的读者|3月4日|3月4日|{答复期限}|"
        + rule
        + "|handler space|座位|"
        + examples.SEATS,
        "outcome": "solved",
        "rule": rule,
    }
    kept = (
        await put_in(desk, handler, feedback_id, one["reply_id"], outcome="partly", rule="另一个")
    ).json()
    assert (kept["outcome"], kept["rule"]) == ("partly", "另一个")
    assert "另一个" in kept["text"]

    english = await desk.in_progress(locale="en")
    answer = await put_in(desk, handler, english, one["reply_id"])
    assert answer.json()["text"].startswith("Dear reader|4 Mar|{due}|")
    assert (await handler.get(f"/api/cases/{feedback_id}")).json()["draft"] is None
    # How often that was, is on its page, and changes nothing else of it.
    (item,) = (await handler.get(URL)).json()["items"]
    assert (item["used"], item["version"]) == (3, 1)
    assert "插入过 3 次" in (await handler.get("/desk/replies", headers=BROWSER)).text
    # A restored desk has the last of what was told, and counts on from there.
    *_, told = [t for t in await desk.told() if t["type"] == CannedReplyListed.type]
    async with desk.service.transaction() as tx:
        await tx.fetch("DELETE FROM canned_replies")
        await OWN[CannedReplyListed](CannedReplyListed.model_validate(told["body"]), tx)
    assert (await handler.get(URL)).json()["items"] == [item]


@pytest.mark.parametrize("left", ["{salutation}", "{ 依据 }", "｛Rule｝"])
async def test_what_is_not_filled_in_does_not_go_out_to_anybody(desk: Desk, left: str) -> None:
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    feedback_id = await desk.in_progress()
    text = f"{left}，水杯已经收走。"
    reply = {"text": text, "outcome": "solved"}
    for action, body, field in (
        ("reply", reply, "text"),
        ("submit", reply, "text"),
        ("reply", {"text": "x", "outcome": "explained", "reason": text}, "reason"),
        ("reply", {"text": "x", "outcome": "solved", "rule": left}, "rule"),
        ("ask", {"question": text}, "question"),
        ("progress", {"text": text}, "text"),
    ):
        answer = await handler.post(f"/api/cases/{feedback_id}/{action}", json=body)
        assert answer.status_code == 422, (action, answer.text)
        assert list(answer.json()["errors"]) == [field]
        assert left in answer.text
        english = {"Accept-Language": "en"}
        answer = await handler.post(
            f"/api/cases/{feedback_id}/{action}", json=body, headers=english
        )
        assert f"Still to be filled in: {left}" in answer.text
    # It may have been submitted before this was looked at.
    await desk.do(handler, feedback_id, "submit", text="已经收走。", outcome="solved")
    async with desk.service.transaction() as tx:
        await tx.fetch(
            "UPDATE cases SET review = jsonb_set(review, '{text}', to_jsonb($1::text))", text
        )
    answer = await head.post(f"/api/cases/{feedback_id}/approve", json={})
    assert (answer.status_code, left in answer.text) == (422, True)
    await desk.do(head, feedback_id, "approve", text="已经收走。")


async def test_what_was_masked_does_not_go_out_to_a_reader_and_colleagues_may_quote_it(
    desk: Desk,
) -> None:
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    feedback_id = await desk.in_progress()
    text = "有事请找李强，手机〔电话〕。"
    reply = {"text": text, "outcome": "solved"}
    for action, body in (
        ("reply", reply),
        ("submit", reply),
        ("ask", {"question": text}),
        ("progress", {"text": text}),
    ):
        answer = await handler.post(f"/api/cases/{feedback_id}/{action}", json=body)
        assert answer.status_code == 422, (action, answer.text)
        assert "还有没填上的：〔电话〕" in answer.text
    office = desk.as_("coordinator")
    said = {"department": "it", "question": "读者写了“请打〔电话〕”，是你们的吗？"}
    asked = await office.post(f"/api/cases/{feedback_id}/add_department", json=said)
    assert asked.status_code == 200, asked.text
    # The case keeps what was typed masked; it goes out as it was typed.
    number = "有事请打 13912345678。"
    await desk.do(handler, feedback_id, "submit", text=number, outcome="solved")
    await desk.do(head, feedback_id, "approve")


async def test_braces_that_are_no_variable_of_ours_are_letters_of_a_reply(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    text = "请在检索框里输入 {ISBN} 或 {}，例如 {978}。"
    await desk.do(
        desk.as_("handler", "space"),
        feedback_id,
        "reply",
        text=text,
        outcome="explained",
        reason="见上",
    )


async def test_that_there_is_no_english_is_said_where_the_reporter_reads_english(
    desk: Desk,
) -> None:
    await written(desk, title="只有中文的")
    await written(desk, title="两种都有", en="{salutation}, it is done.")
    handler = desk.as_("handler", "space")
    chinese, english = await desk.in_progress(), await desk.in_progress(locale="en")
    assert "只有中文的</option>" in (await handler.get(f"/desk/cases/{chinese}")).text
    page = (await handler.get(f"/desk/cases/{english}")).text
    assert "只有中文的（没有英文）</option>" in page
    assert "两种都有</option>" in page
    page = (await handler.get(f"/desk/cases/{english}", headers={"Accept-Language": "en"})).text
    assert "只有中文的 (Chinese only)</option>" in page


async def test_old_words_with_a_loose_brace_can_be_retired(desk: Desk) -> None:
    one = await written(desk)
    async with desk.service.transaction() as tx:
        await tx.fetch("UPDATE canned_replies SET zh = '您好{称呼'")
    office = desk.as_("coordinator")
    body = ONE | {"zh": "您好{称呼"}
    address = f"{URL}/{one['reply_id']}"
    assert (await office.post(address, json=body)).status_code == 422
    assert (await office.post(address, json=body | {"active": False})).status_code == 200


async def test_of_another_department_or_retired_it_cannot_be_inserted(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    theirs = await written(desk, department="it")
    gone = await written(desk)
    office = desk.as_("coordinator")
    retired = await office.post(f"{URL}/{gone['reply_id']}", json=ONE | {"active": False})
    assert retired.json()["active"] is False
    for reply_id in (theirs["reply_id"], gone["reply_id"], "nothing", "x" * 500, "a\x00", "../x"):
        answer = await put_in(desk, handler, feedback_id, reply_id)
        assert answer.status_code == 422, reply_id
        assert "canned" in answer.json()["errors"]
    assert gone["reply_id"] not in (await handler.get(f"/desk/cases/{feedback_id}")).text
    assert ONE["title"] not in await listed(handler)
    assert (await listed(office))[ONE["title"]]
    one = await written(desk)
    assert (
        await put_in(desk, desk.as_("liaison", "space"), feedback_id, one["reply_id"])
    ).status_code == 403
    assert (
        await put_in(desk, desk.as_("handler", "it"), feedback_id, one["reply_id"])
    ).status_code == 404


async def test_without_script_it_stands_below_what_was_written_and_is_kept(desk: Desk) -> None:
    one = await written(desk, category="seats", outcome="solved")
    other = await written(desk, title="别的类", category="printing")
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    page = (await handler.get(f"/desk/cases/{feedback_id}")).text
    assert f'<option value="{one["reply_id"]}">' in page
    assert other["reply_id"] not in page
    answer = await handler.post(
        f"/desk/cases/{feedback_id}/canned",
        data={"text": "您来信收到。", "canned": one["reply_id"], "rule": "", "outcome": ""},
        headers=BROWSER,
    )
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/desk/cases/{feedback_id}#write-h",
    )
    draft = (await handler.get(f"/api/cases/{feedback_id}")).json()["draft"]
    assert draft["text"].startswith("您来信收到。\n\n尊敬的读者：您好！")
    assert draft["outcome"] == "solved"
    assert draft["text"] in (await handler.get(f"/desk/cases/{feedback_id}")).text


async def test_nobody_overwrites_what_they_have_not_seen(desk: Desk) -> None:
    one = await written(desk)
    address, office = f"{URL}/{one['reply_id']}", desk.as_("coordinator")
    first = await office.post(address, json=ONE | {"title": "第一", "version": one["version"]})
    assert (first.status_code, first.json()["version"]) == (200, one["version"] + 1)
    second = await office.post(address, json=ONE | {"title": "第二", "version": one["version"]})
    assert second.status_code == 409
    assert second.json()["allowed"]
    assert set(await listed(office)) == {"第一"}


async def test_too_many_are_refused_with_what_is_possible(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canned, "AT_MOST", 1)
    one = await written(desk)
    office = desk.as_("coordinator")
    answer = await office.post(URL, json=ONE)
    assert (answer.status_code, answer.json()["allowed"]) == (409, ["change", "retire"])
    await written(desk, department="space")
    assert (await office.post(f"{URL}/{one['reply_id']}", json=ONE)).status_code == 200


async def test_it_is_told_on_the_directory_by_whom(desk: Desk) -> None:
    one = await written(desk, desk.as_("reviewer", "space"), department="space")
    (told,) = [t for t in await desk.told() if t["type"] == CannedReplyListed.type]
    event = CannedReplyListed.model_validate(told["body"])
    assert (event.reply_id, event.by.name, event.by.role) == (
        one["reply_id"],
        "reviewer.space",
        "reviewer",
    )
    assert told["key"] == f"canned:{one['reply_id']}"


async def test_what_is_shipped_for_a_demonstration_is_there_once(desk: Desk) -> None:
    for _ in range(2):
        await seed_demo_replies(desk.service)
    found = [t for t in await desk.told() if t["type"] == CannedReplyListed.type]
    assert len(found) == len(await listed(desk.as_("admin"))) == 5
