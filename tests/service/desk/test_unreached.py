"""A word to the reporter that did not arrive, or of which nobody knows, is seen at the desk."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.notification import NotificationFailed, NotificationSent
from tests.service.desk.conftest import Desk


def told(desk: Desk, feedback_id: str, **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "feedback_id": feedback_id,
        "at": desk.clock.now(),
        "delivery_id": "d1",
        "kind": "reply",
        "channel": "email",
        "audience": "reporter",
    }
    return values | more


def failed(desk: Desk, feedback_id: str, **more: Any) -> NotificationFailed:
    return NotificationFailed(**told(desk, feedback_id, **({"reason": "smtp_550"} | more)))


async def page(desk: Desk, feedback_id: str, *who: str, language: str = "zh") -> str:
    answer = await desk.as_(*who).get(
        f"/desk/cases/{feedback_id}", headers={"accept-language": language}
    )
    assert answer.status_code == 200
    return str(answer.text)


@pytest.mark.parametrize(
    ("uncertain", "zh", "en"),
    [
        (False, "答复没有送达用户", "Could not deliver the reply to the reporter"),
        (
            True,
            "不知道答复有没有送达用户",
            "It is not known whether the reply reached the reporter",
        ),
    ],
)
async def test_the_timeline_says_no_more_than_is_known(
    desk: Desk, uncertain: bool, zh: str, en: str
) -> None:
    feedback_id = await desk.replied()
    await desk.process(failed(desk, feedback_id, uncertain=uncertain))
    for language, said in (("zh", zh), ("en", en)):
        answer = await desk.as_("coordinator").get(
            f"/api/cases/{feedback_id}", headers={"accept-language": language}
        )
        assert [line["text"] for line in answer.json()["timeline"]][-1] == said


@pytest.mark.parametrize(
    ("more", "zh", "en"),
    [
        (
            {"reason": "wechat_window_over", "channel": "wechat"},
            "微信超过 48 小时没有往来，公众号不能主动发",
            "after 48 hours without a word from the reader WeChat lets us send nothing",
        ),
        ({"reason": "smtp_550"}, "对方的邮件服务器拒收", "their mail server refuses it"),
        ({"reason": "smtp_451"}, "一直没有收下", "has not taken it in"),
        (
            {"reason": "wechat_http_502", "uncertain": True},
            "也许到了，也许没有",
            "it may have arrived, or not",
        ),
        ({"reason": "something_new"}, "原因不明", "the reason is not known"),
    ],
)
async def test_the_case_says_on_top_what_did_not_arrive_and_why(
    desk: Desk, more: dict[str, Any], zh: str, en: str
) -> None:
    feedback_id = await desk.replied()
    assert 'id="unreached"' not in await page(desk, feedback_id, "coordinator")
    await desk.process(failed(desk, feedback_id, **more))
    for language, why in (("zh", zh), ("en", en)):
        said = await page(desk, feedback_id, "coordinator", language=language)
        notice = said.partition('id="unreached"')[2].partition("</section>")[0]
        assert why in notice
        assert "</header>" in said.partition('id="unreached"')[2].partition('class="case-left"')[0]
        assert ("两遍" in notice or "twice" in notice) is bool(more.get("uncertain"))


async def test_who_may_send_it_again_has_the_button_and_the_handler_is_told_whom_to_ask(
    desk: Desk,
) -> None:
    feedback_id = await desk.replied()
    await desk.process(failed(desk, feedback_id, delivery_id="d7"))
    button = 'action="/api/notification/deliveries/d7/resend"'
    assert button in await page(desk, feedback_id, "coordinator")
    handler = await page(desk, feedback_id, "handler", "space")
    assert button not in handler
    assert "要再发一次，请找用户关系办公室" in handler


async def test_the_notice_is_gone_once_words_were_sent(desk: Desk) -> None:
    feedback_id = await desk.replied()
    await desk.process(failed(desk, feedback_id))
    body = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert (body["unreached"]["kind"], body["unreached"]["delivery_id"]) == ("reply", "d1")
    await desk.process(NotificationSent(**told(desk, feedback_id, kind="delay")))
    assert 'id="unreached"' in await page(desk, feedback_id, "coordinator")
    await desk.process(NotificationSent(**told(desk, feedback_id)))
    assert 'id="unreached"' not in await page(desk, feedback_id, "coordinator")


@pytest.mark.parametrize("more", [{"kind": "receipt"}, {"audience": "staff", "kind": "news"}])
async def test_what_nobody_wrote_to_the_reporter_makes_no_notice(
    desk: Desk, more: dict[str, str]
) -> None:
    feedback_id = await desk.replied()
    await desk.process(failed(desk, feedback_id, **more))
    assert 'id="unreached"' not in await page(desk, feedback_id, "coordinator")


async def test_of_an_erased_reporter_nobody_is_asked_to_reach_them(desk: Desk) -> None:
    feedback_id = await desk.replied()
    await desk.process(failed(desk, feedback_id))
    async with desk.service.transaction() as tx:
        await tx.fetch("UPDATE cases SET erased = true WHERE feedback_id = $1", feedback_id)
    assert 'id="unreached"' not in await page(desk, feedback_id, "coordinator")
