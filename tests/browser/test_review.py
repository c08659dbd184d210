"""Replies on their way out, through the pages: canned words, and somebody else who reads first."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.looks import barriers_on, faults_of
from tests.browser.system import until
from tests.browser.windows import DESK, PHONE

TITLE = "水龙头已经换好"
WORDS = "{称呼}：您好！{部门}已经换好水龙头。"
FILLED = "尊敬的读者：您好！后勤保障已经换好水龙头。"
RULE = "《设施维修办法》（2024 年版）"


async def test_a_reply_is_sent_back_once_and_then_approved(browse: Browse) -> None:
    said = await browse.people.say("三层东区的灯一直在闪。")
    case, code = said["feedback_id"], said["tracking_code"]
    where = await browse.people.in_hand(case, "facilities")
    writer = await browse(as_=f"handler.{where}")

    async def submit(text: str, place: str = "") -> None:
        await writer.locator(f"#submit{place}-text").fill(text)
        await writer.locator(f"#do-submit{place}").get_by_text("已解决", exact=True).click()
        await writer.locator(f"#do-submit{place} > button.btn-primary").click()
        await expect(writer.locator("#review-text")).to_have_text(text)

    await writer.goto(f"/desk/cases/{case}")
    await writer.locator("#others > summary").click()
    await writer.locator("#other-submit > summary").click()
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
    # Once it was sent back, to be read again is what is offered first.
    await writer.goto(f"/desk/cases/{case}")
    await submit("今天上午灯管换了，不再闪。", "-main")
    await expect(head.locator("#do-approve-main > button")).to_be_visible()
    await head.locator("#do-approve-main > button").click()
    await expect(head.locator(".case-line .state")).to_have_text("已答复")
    reader = await browse(f"/track/{code}")
    await expect(reader.locator(".bubble-them").last).to_contain_text("今天上午灯管换了，不再闪。")


async def test_a_canned_reply_is_written_inserted_previewed_and_sent(browse: Browse) -> None:
    browse.expect("status of 422")
    said = await browse.people.say(
        "二层男厕第二个水龙头关不上。", contact={"email": "tap@example.edu"}
    )
    case, code = said["feedback_id"], said["tracking_code"]
    where = await browse.people.in_hand(case, "facilities")

    head = await browse("/desk/replies", as_=f"reviewer.{where}", width=PHONE)
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

    writer = await browse(f"/desk/cases/{case}", as_=f"handler.{where}")
    await writer.locator("#canned-reply-main").select_option(label=TITLE)
    await writer.locator("#canned-reply-main").press("Enter")
    await expect(writer.locator("#reply-main-text")).to_have_value(FILLED)
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
        shown = await browse.people.case(f"handler.{where}", case)
        draft = shown and shown["draft"]
        return bool(draft and (draft["text"], draft["rule"]) == (FILLED, RULE))

    await until(kept, what="the draft is kept by desk")
    # On a phone without script the draft is there, and a second one goes below it.
    phone = await browse(f"/desk/cases/{case}", as_=f"handler.{where}", width=PHONE, script=False)
    words = phone.locator("#reply-main-text")
    await expect(words).to_have_value(FILLED)
    await phone.locator("#canned-reply-main").select_option(label=TITLE)
    await phone.locator("#do-reply-main [data-canned]").click()
    await expect(words).to_have_value(f"{FILLED}\n\n{FILLED}")
    await words.fill(FILLED)
    await phone.locator("#do-reply-main .also button").click()
    await expect(phone.locator("#preview .preview-email")).to_contain_text(FILLED)
    await expect(words).to_have_value(FILLED)
    # Enter in a field sends, whatever is chosen to be inserted.
    await phone.locator("#canned-reply-main").select_option(label=TITLE)
    await phone.locator("#reply-main-rule").press("Enter")
    await expect(phone.locator(".case-line .state")).to_have_text("已答复")

    reader = await browse(f"/track/{code}", width=PHONE)
    answer = reader.locator(".bubble-them").last
    await expect(answer).to_contain_text(FILLED)
    await expect(answer).to_contain_text(f"依据：{RULE}")
    assert (await browse.people.track(code))["replies"][-1]["text"] == FILLED


LIKE = """<ul class="near answered"><li><ul class="sentences">
<li><form method="post" action="/desk/cases/x/take">
<input type="hidden" name="text" value="阀芯换了。">
<button class="btn btn-small sentence" data-take="1"><kbd class="only-js">Alt 1</kbd>
<span>阀芯换了。</span></button></form></li></ul></li></ul>"""
"""One sentence of an earlier answer; here is no model that could find one."""


async def test_a_sentence_goes_where_the_cursor_was_and_to_the_end_where_it_never_was(
    browse: Browse,
) -> None:
    said = await browse.people.say("二层女厕第一个水龙头也关不上。")
    case = said["feedback_id"]
    where = await browse.people.in_hand(case, "facilities")
    handler = f"handler.{where}"

    async def opened(width: int = DESK) -> Page:
        page = await browse(as_=handler, width=width)
        await page.route("**/answered", lambda route: route.fulfill(body=LIKE))
        await page.goto(f"/desk/cases/{case}")
        await expect(page.locator("[data-take='1']")).to_be_visible()
        return page

    page = await opened()
    words = page.locator("#reply-main-text")
    await words.fill("您好！谢谢。")
    await words.evaluate("field => field.setSelectionRange(3, 3)")
    await page.keyboard.press("Alt+1")
    await expect(words).to_have_value("您好！阀芯换了。谢谢。")
    # Pressed twice it stands there once.
    await page.keyboard.press("Alt+1")
    await expect(words).to_have_value("您好！阀芯换了。谢谢。")
    await words.fill("您好！谢谢。")

    async def kept() -> bool:
        shown = await browse.people.case(handler, case)
        draft = shown and shown["draft"]
        return bool(draft and draft["text"] == "您好！谢谢。")

    await until(kept, what="the draft is kept by desk")
    phone = await opened(PHONE)
    # A hand that has no keys is not told of any.
    await expect(phone.locator("[data-take='1'] kbd")).to_be_hidden()
    await phone.locator("[data-take='1']").tap()
    await expect(phone.locator("#reply-main-text")).to_have_value("您好！谢谢。阀芯换了。")
    assert await faults_of(phone) == []


async def test_a_reply_in_two_tabs_is_one_reply(browse: Browse) -> None:
    said = await browse.people.say("三层的阅览灯闪。")
    case = said["feedback_id"]
    where = await browse.people.in_hand(case, "facilities")
    first = await browse(f"/desk/cases/{case}", as_=f"handler.{where}")
    second = await first.context.new_page()
    await second.goto(f"/desk/cases/{case}")
    await second.locator("#reply-main-text").fill("您好！灯已经换了。")
    await expect(first.locator("#reply-main-text")).to_have_value("您好！灯已经换了。")
