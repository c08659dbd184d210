"""A reply before it is sent is shown as notification will send it, and as the page will show it."""

from __future__ import annotations

from typing import Any

import pytest

from services.desk.api.preview import ways
from services.notification.domain import Case as Addressed
from services.notification.domain import Contact, channels
from services.notification.domain.notices import notices
from services.notification.wording import Details, compose
from shared.contracts.desk import CaseReplied
from tests.service.desk import examples
from tests.service.desk.conftest import Desk

WORDS = "您好，占座的水杯已经收走，以后每天闭馆前清理。"
RULE = "《座位管理办法》（2025 年版）第 7 条"
BROWSER = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}
REPLY = {"text": WORDS, "outcome": "solved", "rule": RULE}


async def asked(desk: Desk, feedback_id: str, who: Any, **body: Any) -> dict[str, Any]:
    answer = await who.post(f"/api/cases/{feedback_id}/preview", json=REPLY | body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("channel", ["web", "wechat"])
@pytest.mark.parametrize("size", [1, 300])
async def test_what_is_shown_is_what_notification_sends(
    desk: Desk, locale: str, channel: str, size: int
) -> None:
    feedback_id = await desk.in_progress(locale=locale, channel=channel)
    contact = {"email": "a@example.edu", "wechat_openid": "o1", "wechat_account": "library"}
    await desk.process(examples.private(feedback_id, contact=contact))
    handler = desk.as_("handler", "space")
    shown = await asked(desk, feedback_id, handler, text=WORDS * size)
    await handler.post(f"/api/cases/{feedback_id}/reply", json=REPLY | {"text": WORDS * size})
    (told,) = [t for t in await desk.told(feedback_id) if t["type"] == CaseReplied.type]
    event = CaseReplied.model_validate(told["body"])
    (notice,) = notices(event, Addressed(), Addressed(department="space"), _Nobody())
    for letter in shown["letters"]:
        details = Details(
            url=f"{desk.service.runtime.settings.url}/track/…",
            locale=locale,
            received_at=examples.RECEIVED,
            channel=letter["channel"],
            params=notice.params,
            department_name=desk.service.runtime.directory.department_name,
        )
        subject, text = compose("reply", details)
        assert letter["text"] == text
        assert letter["subject"] == (subject if letter["channel"] == "email" else None)
        assert letter["short"] == (letter["channel"] == "wechat" and size > 1)
        assert (WORDS not in text) == letter["short"]
        assert RULE in text
    assert [one["channel"] for one in shown["letters"]] == channels(
        Addressed(channel=channel), Contact(email="a", openid="o")
    )
    assert shown["page"]["rests"][-1].endswith(RULE)


class _Nobody:
    def staff(self, **_: Any) -> list[str]:
        return []

    def substitute(self, name: str) -> None:
        return None


@pytest.mark.parametrize("channel", ["web", "desk", "wechat"])
def test_the_order_of_the_ways_is_that_of_notification(channel: str) -> None:
    for email in (None, "a@b.c"):
        for openid in (None, "o"):
            found = ways(channel, {"email": email, "wechat_openid": openid})
            assert found == channels(Addressed(channel=channel), Contact(email, openid))


async def test_the_page_shows_masked_words_and_the_letter_what_was_written(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    await desk.process(examples.private(feedback_id, contact={"email": "a@example.edu"}))
    handler = desk.as_("handler", "space")
    shown = await asked(
        desk, feedback_id, handler, text="请打 13911112222 <b>", rule="问 13911112222", outcome=""
    )
    (letter,) = shown["letters"]
    assert "请打 13911112222 <b>" in letter["text"]
    assert "13911112222" not in str(shown["page"])
    assert "问 13911112222" not in letter["text"], "a rule is for everybody to read"
    assert {"greeting", "personal_data"} <= {one["code"] for one in shown["hints"]}
    assert "case.replied" not in await desk.emitted(feedback_id)
    assert (await handler.get(f"/api/cases/{feedback_id}")).json()["draft"] is None


async def test_a_page_without_script_keeps_what_was_written(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    form = {"text": "你好<script>1</script>", "outcome": "solved", "rule": RULE}
    page = await handler.post(f"/desk/cases/{feedback_id}/preview", data=form, headers=BROWSER)
    assert page.status_code == 200
    assert "你好&lt;script&gt;1&lt;/script&gt;</textarea>" in page.text
    assert f"依据：{RULE}" in page.text
    assert "没有留联系方式" in page.text
    part = await handler.post(
        f"/desk/cases/{feedback_id}/preview", data=form, headers=BROWSER | {"hx-request": "true"}
    )
    assert "<html" not in part.text
    assert "<script>1" not in part.text


async def test_who_reviews_sees_it_as_the_reporter_will(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    sent = await handler.post(f"/api/cases/{feedback_id}/submit", json=REPLY)
    assert sent.status_code == 200, sent.text
    shown = await asked(desk, feedback_id, head, text="", outcome=None, rule=None)
    assert shown["page"]["text"] == WORDS
    assert shown["page"]["rests"] == ["结果：已解决", f"依据：{RULE}"]
    assert 'hx-target="#preview"' in (await head.get(f"/desk/cases/{feedback_id}")).text


@pytest.mark.parametrize(
    ("role", "department", "status"),
    [
        ("handler", "space", 200),
        ("reviewer", "space", 200),
        ("coordinator", None, 200),
        ("liaison", "space", 403),
        ("leader", None, 403),
        ("auditor", None, 403),
        ("handler", "it", 404),
    ],
)
async def test_who_writes_replies_may_look(
    desk: Desk, role: str, department: str | None, status: int
) -> None:
    feedback_id = await desk.in_progress()
    who = desk.as_(role, department)
    for prefix in ("api", "desk"):
        answer = await who.post(
            f"/{prefix}/cases/{feedback_id}/preview", data=REPLY, headers=BROWSER
        )
        assert answer.status_code == status


async def test_the_rule_is_kept_with_the_words_and_stands_in_the_record(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    await handler.post(f"/api/cases/{feedback_id}/reply", json=REPLY)
    case = (await handler.get(f"/api/cases/{feedback_id}")).json()
    assert (case["replies"][0]["rule"], case["conversation"][-1]["rule"]) == (RULE, RULE)
    assert f"依据：{RULE}" in (await handler.get(f"/desk/cases/{feedback_id}")).text
    exported = await desk.as_("auditor").get(f"/api/cases/{feedback_id}/export")
    lines = exported.json()["record"]["chains"]["messages"]["lines"]
    assert lines[-1]["rule"] == RULE
    assert exported.json()["intact"]


@pytest.mark.parametrize(("locale", "said"), [("zh", "其中第2件"), ("en", "matter 2 of it")])
async def test_the_letter_of_a_part_says_which_of_the_matters_it_answers(
    desk: Desk, locale: str, said: str
) -> None:
    whole = await desk.case(locale=locale)
    await desk.process(examples.private(whole))
    parts = [{"text": "占座没人管"}, {"text": "空调太冷"}]
    ended = await desk.do(desk.as_("coordinator"), whole, "split", parts=parts)
    shown = await asked(desk, ended["children"][1], desk.as_("coordinator"))
    assert said in shown["letters"][0]["text"]
    whole = await desk.case(locale=locale)
    await desk.process(examples.private(whole))
    shown = await asked(desk, whole, desk.as_("coordinator"))
    assert said not in shown["letters"][0]["text"]
