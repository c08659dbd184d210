"""A reply that somebody else reads before it goes out, through the pages."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Browse
from tests.browser.looks import faults_of


async def test_a_reply_is_sent_back_once_and_then_approved(browse: Browse) -> None:
    said = await browse.people.say("三层东区的灯一直在闪。")
    case, code = said["feedback_id"], said["tracking_code"]
    where = await browse.people.in_hand(case, "facilities")
    writer = await browse(as_=f"handler.{where}")

    async def submit(text: str) -> None:
        await writer.goto(f"/desk/cases/{case}")
        await writer.locator("#others > summary").click()
        await writer.locator("#other-submit > summary").click()
        await writer.locator("#submit-text").fill(text)
        await writer.locator("#do-submit").get_by_text("已解决", exact=True).click()
        await writer.locator("#do-submit > button.btn-primary").click()
        await expect(writer.locator("#review-text")).to_have_text(text)

    await submit("灯管换了。")
    head = await browse("/desk?queue=review", as_=f"reviewer.{where}", width=360)
    await head.locator(f"#open-{case}").click()
    await expect(head.locator("#review-text")).to_have_text("灯管换了。")
    assert await faults_of(head) == []
    await head.locator("#other-send_back > summary").click()
    await head.locator("#send_back-comment").fill("请写明哪一天换的。")
    await head.locator("#do-send_back > button").click()
    await expect(head.locator("#review-text")).to_have_count(0)
    await browse.people.heard()
    assert (await browse.people.track(code))["replies"] == []

    await expect(writer.locator(".note")).to_contain_text("请写明哪一天换的。")
    await submit("今天上午灯管换了，不再闪。")
    await expect(head.locator("#do-approve-main > button")).to_be_visible()
    await head.locator("#do-approve-main > button").click()
    await expect(head.locator(".case-line .state")).to_have_text("已答复")
    reader = await browse(f"/track/{code}")
    await expect(reader.locator(".bubble-them").last).to_contain_text("今天上午灯管换了，不再闪。")
