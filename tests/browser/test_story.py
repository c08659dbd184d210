"""One matter from the first words to the rating, both sides watching, nobody reloading."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.looks import faults_of
from tests.browser.system import PASSWORD
from tests.browser.windows import PHONE

# The list of all shows what is said here.
EMPTY = True

TEXT = "研讨室 412 的投影接上电脑以后没有画面，换了两根线也一样。"
QUESTION = "您用的是哪一种接口？屏幕上有没有提示？"
ANSWER = "是 HDMI，屏幕上写着无信号。"
REPLY = "投影的接口板坏了，今天上午已经换好，试过可以用了。谢谢您说得这么清楚。"


async def _sign_in(page: Page, username: str) -> None:
    await page.fill("#username", username)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator(".who")).to_be_visible()


async def test_a_matter_from_words_to_rating_by_a_reader_with_a_phone_only(browse: Browse) -> None:
    reader = await browse("/?place=四层", width=PHONE)
    await reader.fill("#text", TEXT)
    await reader.locator("#say button.btn-primary").tap()
    await reader.get_by_role("link", name="看进展").tap()
    await expect(reader.locator(".hero")).to_be_visible()
    head = reader.locator("h1")
    loaded = await reader.evaluate("performance.timeOrigin")
    feedback_id = await _id_of(reader)

    # The office: through the queue where it waits for a person, else it is with a department.
    case = await browse.people.sorted(feedback_id)
    office = await browse("/signin?next=/desk%3Fqueue%3Dall")
    await _sign_in(office, "coordinator")
    await office.locator(f"#open-{feedback_id}").click()
    await expect(office.locator(".words-text")).to_have_text(TEXT)
    if case["state"] == "TRIAGE":
        await office.locator("#dispatch-else summary").click()
        await office.locator("#dispatch-department").select_option("space")
        await office.locator("#do-dispatch > button").click()
        await expect(office.locator(".case-line .state")).to_have_text("待签收")
    department = (await browse.people.sorted(feedback_id))["department"]
    await expect(head).to_have_text(re.compile("^已转给"))

    liaison = await browse("/signin")
    await _sign_in(liaison, f"liaison.{department}")
    await expect(liaison.locator(f"#row-{feedback_id}")).to_be_visible()
    await liaison.locator(f"#open-{feedback_id}").click()
    await liaison.locator("#do-accept-main button").click()
    await expect(liaison.locator(".case-line .state")).to_have_text("已签收")
    await expect(head).to_have_text(re.compile("已经接手"))

    handler = await browse("/desk?queue=department", as_=f"handler.{department}")
    await handler.locator(f"#open-{feedback_id}").click()
    await handler.locator("#do-claim-main button").click()
    await expect(head).to_have_text(re.compile("正在办理"))

    await handler.locator("#others > summary").click()
    await handler.locator("#other-ask summary").click()
    await handler.locator("#ask-question").fill(QUESTION)
    await handler.locator("#do-ask > button").click()
    await expect(reader.locator(".bubble-them")).to_contain_text(QUESTION)
    await expect(head).to_have_text(re.compile("想向您了解"))

    await expect(reader.locator("#act-supplement")).to_have_attribute("open", "")
    await expect(reader.locator(".hero")).to_contain_text("以前回答")
    assert await faults_of(reader) == []
    await reader.locator("#supplement").fill(ANSWER)
    await reader.locator("#form-supplement button").tap()
    await expect(reader.locator(".bubble-me").last).to_contain_text(ANSWER)
    await expect(reader.locator("#supplement")).to_have_value("")
    await expect(handler.locator(".bubble-me")).to_contain_text(ANSWER)

    # The rating is not there before there is something to rate.
    await expect(reader.locator("#form-rate")).to_have_count(0)
    await handler.locator("#reply-main-text").fill(REPLY)
    await handler.locator("#do-reply-main").get_by_text("已解决", exact=True).click()
    await handler.locator("#do-reply-main > button.btn-primary").click()
    await expect(handler.locator(".case-line .state")).to_have_text("已答复")
    await expect(reader.locator(".bubble-them").last).to_contain_text(REPLY)
    await expect(head).to_have_text(re.compile("已经答复您"))

    assert await faults_of(reader) == []
    # The address may say which part of the page is looked at.
    await browse.people.may(urlsplit(reader.url).path.rsplit("/", 1)[1], "rate")
    await reader.locator("label[for=star-5]").tap()
    await reader.locator("label[for=solved-yes]").tap()
    await reader.locator("#comment").fill("很快，谢谢。")
    await reader.locator("#form-rate button").tap()
    await expect(head).to_have_text(re.compile("已经办完"))
    await expect(reader.locator("#form-rate")).to_have_count(0)
    await expect(reader.locator(".timeline-plain")).to_contain_text("您评了 5 星")
    await expect(office.locator(".case-line .state")).to_have_text("已办结")

    assert await faults_of(reader) == []
    # All of it happened on the page that was opened at the beginning.
    assert await reader.evaluate("performance.timeOrigin") == loaded
    numbers = await reader.locator(".timeline-plain li").evaluate_all(
        "lines => lines.map(line => Number(line.dataset.seq))"
    )
    assert numbers == sorted(set(numbers), reverse=True)


async def test_rating_before_a_reply_is_refused_in_words(browse: Browse) -> None:
    said = await browse.people.say("扫描仪的盖子合不上。")
    page = await browse(f"/track/{said['tracking_code']}")
    await expect(page.locator("h1")).to_be_visible()
    answer = await page.request.post(
        f"/api/track/{said['tracking_code']}/rate",
        form={"stars": "5", "solved": "yes", "comment": "先打个分"},
        headers={"Accept": "text/html"},
    )
    assert answer.status == 409
    body = await answer.text()
    assert "现在不能这样做" in body and "先打个分" in body


async def test_a_code_that_is_none_of_ours_is_said_kindly(browse: Browse) -> None:
    browse.expect("status of 404")
    page = await browse("/track/ABCD-EFGH-JKMN-PQRS-TVWX")
    await expect(page.get_by_label("您的查询码")).to_have_value("ABCD-EFGH-JKMN-PQRS-TVWX")
    await expect(page.locator("main")).to_contain_text("没有这个查询码")
    await expect(page.locator("main")).to_contain_text("查询码找不到了")


async def test_taking_it_back_ends_it_on_the_page(browse: Browse) -> None:
    said = await browse.people.say("刚才那条写错了地方。")
    page = await browse(f"/track/{said['tracking_code']}")
    await page.locator("#act-withdraw summary").click()
    await page.locator("#form-withdraw button").click()
    await expect(page.locator("h1")).to_have_text(re.compile("您已经撤回"))
    await expect(page.locator(".can")).to_have_count(0)


async def test_not_solved_opens_it_again(browse: Browse) -> None:
    said = await browse.people.say("四层走廊的灯一闪一闪。")
    await browse.people.answered(said["feedback_id"], "facilities", "灯管已经换了。")
    await browse.people.may(said["tracking_code"], "reopen")
    page = await browse(f"/track/{said['tracking_code']}", locale="en")
    await page.locator("#act-reopen summary").click()
    await page.locator("#reopen").fill("还在闪，换的不是那一根。")
    await page.locator("#form-reopen button").click()
    await expect(page.locator(".bubble-me").last).to_contain_text("还在闪")
    await expect(page.locator("h1")).to_contain_text("We take this up again")


async def _id_of(page: Page) -> str:
    draft = await page.locator("[data-draft^=supplement-]").get_attribute("data-draft")
    assert draft
    return draft.removeprefix("supplement-")
