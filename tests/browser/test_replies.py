"""Words that a reply begins with, and how the reporter will see it: a head, a handler, a phone."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import PHONE, Browse
from tests.browser.looks import barriers_on, faults_of
from tests.browser.system import until

TITLE = "水龙头已经换好"
WORDS = "{称呼}：您好！{部门}已经换好水龙头。"
FILLED = "尊敬的读者：您好！后勤保障已经换好水龙头。"
RULE = "《设施维修办法》（2024 年版）"


async def test_a_canned_reply_is_written_inserted_previewed_and_sent(browse: Browse) -> None:
    browse.expect("status of 422")
    said = await browse.people.say(
        "二层男厕第二个水龙头关不上。", contact={"email": "tap@example.edu"}
    )
    case, code = said["feedback_id"], said["tracking_code"]
    await browse.people.in_hand(case, "facilities")

    head = await browse("/desk/replies", as_="reviewer.facilities", width=PHONE)
    await head.locator("#new-canned > summary").click()
    await head.locator("#title-new").fill(TITLE)
    await head.locator("#zh-new").fill("{查询码}")
    await head.locator("#do-canned > button").click()
    await expect(head.locator("#do-canned [data-problem]")).to_contain_text("{称呼}")
    await head.locator("#zh-new").fill(WORDS)
    await head.locator("#outcome-new").select_option("solved")
    await head.locator("#do-canned > button").click()
    await expect(head.locator(".said")).to_be_visible()
    await expect(head.locator(".canned h2").filter(has_text=TITLE)).to_be_visible()
    assert await faults_of(head) == []
    assert await barriers_on(head) == []

    writer = await browse(f"/desk/cases/{case}", as_="handler.facilities")
    await writer.locator("#canned-reply-main").select_option(label=TITLE)
    await writer.locator("#canned-reply-main").press("Enter")
    field = writer.locator("#reply-main-text")
    await expect(field).to_have_value(FILLED)
    await expect(writer.locator("#do-reply-main input[value=solved]")).to_be_checked()
    await writer.locator("#reply-main-rule").fill(RULE)
    await writer.locator("#do-reply-main .also button").click()
    letter = writer.locator("#preview .preview-email .letter")
    await expect(letter).to_contain_text(FILLED)
    await expect(letter).to_contain_text(f"依据：{RULE}")
    await expect(writer.locator("#preview .preview-page")).to_contain_text("结果：已解决")
    assert await faults_of(writer) == []
    assert await barriers_on(writer) == []

    async def kept() -> bool:
        shown = await browse.people.case("handler.facilities", case)
        draft = shown and shown["draft"]
        return bool(draft and (draft["text"], draft["rule"]) == (FILLED, RULE))

    await until(kept, what="the draft is kept by desk")
    # On a phone without script the draft is there, and a second one goes below it.
    phone = await browse(f"/desk/cases/{case}", as_="handler.facilities", width=PHONE, script=False)
    await expect(phone.locator("#reply-main-text")).to_have_value(FILLED)
    await phone.locator("#canned-reply-main").select_option(label=TITLE)
    await phone.locator(".canned-row button").click()
    await expect(phone.locator("#reply-main-text")).to_have_value(f"{FILLED}\n\n{FILLED}")
    await phone.locator("#reply-main-text").fill(FILLED)
    await phone.locator("#do-reply-main .also button").click()
    await expect(phone.locator("#preview .preview-email")).to_contain_text(FILLED)
    await expect(phone.locator("#reply-main-text")).to_have_value(FILLED)
    await phone.locator("#do-reply-main > button.btn-primary").click()
    await expect(phone.locator(".case-line .state")).to_have_text("已答复")

    reader = await browse(f"/track/{code}", width=PHONE)
    answer = reader.locator(".bubble-them").last
    await expect(answer).to_contain_text(FILLED)
    await expect(answer).to_contain_text(f"依据：{RULE}")
