"""Staff at work: signing in, queues by keyboard, what arrives meanwhile, what went stale."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Route, expect

from tests.browser.conftest import Browse
from tests.browser.system import PASSWORD, System

# Lists show what is said here, and nothing before it.
EMPTY = True


async def test_a_wrong_password_is_one_line_and_the_name_stays(
    browse: Browse, system: System
) -> None:
    browse.expect("status of 401")
    page = await browse("/desk/new")
    await expect(page).to_have_url(re.compile("/signin"))
    await page.fill("#username", "clerk")
    await page.fill("#password", "surely wrong")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-problem]")).to_be_visible()
    await expect(page.locator("#username")).to_have_value("clerk")
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{system.url}/desk/new")
    await page.locator("form[action='/desk/signout'] button").click()
    await expect(page).to_have_url(re.compile("/signin"))


async def test_what_was_done_is_said_once(browse: Browse, system: System) -> None:
    said = await browse.people.say("三层南区的插座没有电。")
    case = said["feedback_id"]
    where = await browse.people.at(case, "facilities")
    page = await browse(f"/desk/cases/{case}", as_=f"liaison.{where}")
    await page.locator("#do-accept-main > button").click()
    done = page.locator("[data-once=done]")
    await expect(done).to_have_text("签收：已完成")
    await expect(page).to_have_url(f"{system.url}/desk/cases/{case}")
    # What is read anew of the page still says so, and a page that is loaded again does not.
    async with page.expect_response(lambda answer: "done=accept" in answer.url) as read:
        pass
    assert (await read.value).ok
    await expect(done).to_have_text("签收：已完成")
    await page.reload()
    await expect(page.locator(".case-line .state")).to_have_text("已签收")
    await expect(done).to_have_count(0)

    # Given away, it is seen no more: another page comes, whole, and says what was done.
    await page.locator("#others > summary").click()
    await page.locator("#other-return > summary").click()
    await page.locator("#return-reason").fill("归后勤")
    await page.locator("#do-return > button").click()
    await expect(page).to_have_url(f"{system.url}/desk")
    await expect(done).to_have_text("退单：已完成")
    await expect(page.locator("#n-to_accept")).to_be_visible()
    await page.reload()
    await expect(done).to_have_count(0)


async def test_the_queue_by_keyboard(browse: Browse) -> None:
    for n in range(3):
        await browse.people.say(f"键盘测试用的第 {n + 1} 条：自习区有人大声打电话。")
    await browse.people.still()
    page = await browse("/desk?queue=all", as_="coordinator")
    rows = page.locator("[data-row]")
    await expect(rows.nth(2)).to_be_visible()
    await page.keyboard.press("j")
    await expect(rows.nth(0).locator("a")).to_be_focused()
    await page.keyboard.press("j")
    await expect(rows.nth(1).locator("a")).to_be_focused()
    await page.keyboard.press("k")
    await expect(rows.nth(0).locator("a")).to_be_focused()

    await page.keyboard.press("?")
    await expect(page.locator("#keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#keys")).to_be_hidden()

    await page.keyboard.press("/")
    await expect(page.locator("#q")).to_be_focused()
    await page.keyboard.type("键盘测试用的第 2 条")
    await expect(rows).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.locator("#q")).not_to_be_focused()
    await expect(page.locator("#q")).to_have_value("键盘测试用的第 2 条")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator(".words-text")).to_contain_text("第 2 条")


async def test_an_answer_asked_for_before_a_search_does_not_undo_it(browse: Browse) -> None:
    for n in range(2):
        await browse.people.say(f"搜索测试用的第 {n + 1} 条：自习区有人大声打电话。")
    await browse.people.still()
    page = await browse("/desk?queue=all", as_="coordinator")
    rows = page.locator("[data-row]")
    await expect(rows.nth(1)).to_be_visible()
    asked, answer = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        asked.set()
        await answer.wait()
        await route.fulfill(response=await route.fetch())

    await page.route(lambda url: "queue=all" in url and "q=" not in url, late)
    await page.evaluate("htmx.trigger('#live', 'refresh')")
    await asked.wait()
    await page.fill("#q", "搜索测试用的第 2 条")
    await expect(rows).to_have_count(1)
    async with page.expect_event("requestfinished", lambda one: "q=" not in one.url):
        answer.set()
    await page.wait_for_timeout(300)
    assert await rows.count() == 1


async def test_new_work_appears_and_what_is_under_the_cursor_stays(browse: Browse) -> None:
    # More lines than the window shows: a page that cannot scroll cannot hold a line in its place.
    for n in range(12):
        await browse.people.say(f"窗帘拉不上，下午晒得看不清屏幕，第 {n + 1} 扇。")
    await browse.people.still()
    page = await browse("/desk?queue=all", as_="coordinator")
    await page.keyboard.press("j")
    focused = await page.evaluate("document.activeElement.id")
    before = await page.evaluate("document.activeElement.getBoundingClientRect().top")
    # What may burn is on top of everything.
    said = await browse.people.say("二层配电间在冒烟，有焦味！快来人！")
    await expect(page.locator(f"#row-{said['feedback_id']}")).to_be_visible()
    assert await page.evaluate("document.activeElement.id") == focused
    after = await page.evaluate("document.activeElement.getBoundingClientRect().top")
    assert abs(after - before) <= 1


async def test_a_page_that_went_stale_overwrites_nothing_and_keeps_the_words(
    browse: Browse,
) -> None:
    browse.expect("status of 409")
    said = await browse.people.say("还书箱满了，书塞不进去。")
    where = await browse.people.in_hand(said["feedback_id"], "circulation")
    page = await browse(f"/desk/cases/{said['feedback_id']}", as_=f"handler.{where}")
    await page.locator("#reply-main-text").fill("我们马上来清。")
    await page.locator("#do-reply-main").get_by_text("已解决", exact=True).click()
    # The live part keeps looking; this page does not get to hear of it.
    await page.route("**/desk/cases/**", lambda route: route.abort())
    browse.expect("net::ERR_FAILED")
    await browse.people.act(
        f"handler.{where}", said["feedback_id"], "ask", question="请问是哪一个还书箱？"
    )
    await page.locator("#do-reply-main > button.btn-primary").click()
    await expect(page.locator("#do-reply-main [data-problem]")).to_be_visible()
    await expect(page.locator("#reply-main-text")).to_have_value("我们马上来清。")
    case = await browse.people.case("coordinator", said["feedback_id"])
    assert case and case["state"] == "WAITING_USER" and case["replies"] == []


async def test_while_one_writes_the_page_says_that_things_changed(browse: Browse) -> None:
    said = await browse.people.say("电子屏上的座位数和实际对不上。")
    where = await browse.people.in_hand(said["feedback_id"], "space")
    page = await browse(f"/desk/cases/{said['feedback_id']}", as_=f"handler.{where}")
    await page.locator("#reply-main-text").fill("写到一半")
    await browse.people.act(
        f"handler.{where}", said["feedback_id"], "ask", question="哪一层的屏幕？"
    )
    await expect(page.locator("#do-reply-main .stale")).to_be_visible()
    await expect(page.locator("#reply-main-text")).to_have_value("写到一半")


async def test_a_case_that_is_not_there_and_a_place_that_is_not_ours(browse: Browse) -> None:
    browse.expect("status of 404", "status of 403")
    page = await browse("/desk/cases/0190-nothing", as_="coordinator")
    await expect(page.locator("h1")).to_have_text("没有找到这一页")
    # Whoever is signed in is led back to their work, not to the reporters' entry point.
    await expect(page.get_by_role("link", name="回到首页")).to_have_attribute("href", "/desk")
    clerk = await browse("/dashboard", as_="clerk")
    await expect(clerk.locator("h1")).to_have_text("这一步您的账号还做不了")
    await expect(clerk.locator(".nav-staff a")).to_have_count(2)


async def test_the_history_is_of_people_and_of_the_system_on_demand(browse: Browse) -> None:
    said = await browse.people.say("门禁刷了三次才开。")
    await browse.people.sorted(said["feedback_id"])
    page = await browse(f"/desk/cases/{said['feedback_id']}", as_="coordinator")
    own = page.locator(".timeline-plain .aside").first
    await expect(own).to_be_hidden()
    await page.get_by_label("连同系统记录").check()
    await expect(own).to_be_visible()


async def test_a_case_on_paper_has_whole_dates_and_nothing_to_press(browse: Browse) -> None:
    said = await browse.people.say("还书箱的盖子合不上。")
    where = await browse.people.in_hand(said["feedback_id"], "space")
    page = await browse(f"/desk/cases/{said['feedback_id']}", as_=f"handler.{where}")
    await expect(page.locator(".promise-running").first).to_contain_text("还有")
    await page.emulate_media(media="print")
    shown = "e => e.checkVisibility() && e.getBoundingClientRect().height > 1"
    controls = "button, input, textarea, select, .btn"
    assert (
        await page.evaluate(
            f"[...document.querySelectorAll(`{controls}`)].filter({shown}).map(e => e.outerHTML)"
        )
        == []
    )
    dates = await page.evaluate(
        """[...document.querySelectorAll('.case time')].filter(e => e.checkVisibility()).map(
          e => [getComputedStyle(e).fontSize, getComputedStyle(e, '::after').content])"""
    )
    assert len(dates) > 3
    assert all(size == "0px" and "年" in date for size, date in dates), dates
    for words in ("还有", "为什么是这天"):
        assert words not in await page.locator(".case").inner_text()


async def test_whoever_is_not_signed_in_any_more_signs_in_beside_what_they_wrote(
    browse: Browse, system: System
) -> None:
    browse.expect("401")
    case = (await browse.people.say("四层的复印机卡纸。"))["feedback_id"]
    where = await browse.people.at(case, "facilities")
    page = await browse(f"/desk/cases/{case}", as_=f"liaison.{where}")
    await page.locator("#note-box > summary").click()
    await page.fill("#note-text", "已经问过物业。")
    async with page.expect_response(lambda answer: answer.status == 401):
        await page.context.clear_cookies()
    # What is looked at anew is refused, and takes nothing away.
    await expect(page.locator("#note-text")).to_have_value("已经问过物业。")
    await page.locator("#do-note > button").click()
    link = page.locator("#do-note [data-problem] a")
    await expect(page.locator("#do-note [data-problem]")).to_contain_text("请先登录")
    async with page.context.expect_page() as opened:
        await link.click()
    other = await opened.value
    await other.fill("#username", f"liaison.{where}")
    await other.fill("#password", PASSWORD)
    await other.keyboard.press("Enter")
    await expect(other).to_have_url(f"{system.url}/desk/cases/{case}")
    # There it stands, too, in sight.
    await expect(other.locator("#note-text")).to_be_visible()
    await expect(other.locator("#note-text")).to_have_value("已经问过物业。")
    await page.locator("#do-note > button").click()
    await expect(page.locator("article.note")).to_contain_text("已经问过物业。")


async def test_without_script_the_refusal_leads_to_signing_in_and_gives_the_words_back(
    browse: Browse, system: System
) -> None:
    browse.expect("401")
    case = (await browse.people.say("四层的扫描仪坏了。"))["feedback_id"]
    where = await browse.people.at(case, "facilities")
    page = await browse(f"/desk/cases/{case}", as_=f"liaison.{where}", script=False)
    await page.locator("#note-box > summary").click()
    await page.fill("#note-text", "已经问过物业。")
    await page.context.clear_cookies()
    await page.locator("#do-note > button").click()
    await expect(page.locator("#typed")).to_have_value("已经问过物业。")
    link = page.locator("[data-sign-in]")
    assert await link.get_attribute("href") == f"/signin?next=/desk/cases/{case}"
    assert await link.get_attribute("target") == "_blank"


async def test_back_from_a_rule_that_was_tried_and_saved_is_the_form(
    browse: Browse, system: System
) -> None:
    page = await browse("/routing/edit?rule=new&category=seats", as_="coordinator")
    await page.fill("#id", "own.mats")
    await page.fill("#note", "自带的垫子")
    await page.fill("#note_en", "Mats of their own")
    await page.fill("#phrases", "坐垫")
    await page.locator("button[name=do][value=try]").click()
    await expect(page.locator("#trial, .trial, [data-trial]").first).to_be_visible()
    await expect(page.locator("#note")).to_have_value("自带的垫子")
    await page.fill("#weight", "0.5")
    await page.locator("form#rule button.btn-primary").click()
    await expect(page).to_have_url(re.compile("/routing(#.*)?$"))
    await page.go_back()
    await expect(page).to_have_url(re.compile("/routing/edit"))
    await expect(page.locator("form#rule")).to_be_visible()


async def test_a_measure_of_a_theme_is_taken_back(browse: Browse, system: System) -> None:
    page = await browse("/desk/themes", as_="coordinator")
    await page.evaluate(
        """async () => {
          const made = await (await fetch('/api/themes', {method: 'POST',
            headers: {'Content-Type': 'application/json'},
            body: JSON.stringify({title: '占座'})})).json();
          location.assign(`/desk/themes/${made.theme_id}`);
        }"""
    )
    await expect(page.locator("#do-measure")).to_be_visible()
    await page.fill("#measure-what", "加座位")
    today = await page.locator("#measure-on").get_attribute("max")
    await page.fill("#measure-on", today or "")
    await page.fill("#measure-responsible", "空间部")
    await page.locator("#do-measure > button").click()
    await page.locator("#change-measure-1 > summary").click()
    await page.fill("#measure-1-why", "写错了主题")
    await page.locator("#gone-measure-1 > button").click()
    await expect(page.locator("#change-measure-1")).to_have_count(0)
    await page.locator("#taken-back > summary").click()
    await expect(page.locator("#taken-back")).to_contain_text("写错了主题")
