"""Many cases at once: chosen, done, taken back; incidents; what is near, found and kept."""

from __future__ import annotations

import re
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.looks import barriers_on, faults_of, picture, unseen_focus
from tests.browser.people import People
from tests.browser.windows import DESK, PHONE

# What is near, and what was found, is of what is said here.
EMPTY = True

HAN = re.compile("[\u4e00-\u9fff]")
_OURS = """() => {
  const page = document.querySelector('main').cloneNode(true);
  for (const one of page.querySelectorAll('[data-theirs], .bubble-text, .words-text, h1, .place, ' +
    '.cell-title a, .cell-dept, textarea, select, .problem')) one.remove();
  return page.textContent;
}"""


async def said(people: People, *texts: str, **more: Any) -> list[str]:
    """Comments that a person has to sort: their ids."""
    receipts = [await people.say(text, **more) for text in texts]
    for one in receipts:
        await people.sorted(one["feedback_id"])
    await people.still()
    return [one["feedback_id"] for one in receipts]


async def looked_at(page: Page, name: str, locale: str = "zh") -> None:
    """Nothing is wrong with it on a desk and on a phone, and a picture of both."""
    for width, height in ((DESK, 860), (PHONE, 740)):
        await page.set_viewport_size({"width": width, "height": height})
        await picture(page, f"{name}-{width}-{locale}")
        assert await faults_of(page) == []
        assert await barriers_on(page) == []
    await page.set_viewport_size({"width": DESK, "height": 860})


async def test_rows_are_chosen_by_keyboard_and_dispatched_and_fetched_back(browse: Browse) -> None:
    ids = await said(browse.people, *(f"紫藤架第{n}块木板松了" for n in range(3)))
    page = await browse("/desk?queue=all&q=紫藤架", as_="coordinator")
    rows = page.locator("[data-row]")
    await expect(rows).to_have_count(3)
    await expect(page.locator("#bulk")).to_be_hidden()
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.locator("[data-picked]")).to_have_text("1")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("Shift+X")
    await expect(page.locator("[data-picked]")).to_have_text("3")
    # What is chosen stays chosen when the list is asked for again.
    async with page.expect_response(lambda answer: "/desk?" in answer.url):
        await page.evaluate("htmx.trigger('#live', 'refresh')")
    await expect(page.locator("[data-pick]:checked")).to_have_count(3)
    await looked_at(page, "rows-chosen")
    await page.locator("#bulk [value=dispatch]").click()
    await expect(page.locator("#do-many [name=feedback_ids]")).to_have_count(3)
    await looked_at(page, "selected-dispatch")
    await page.locator("#many-department").select_option("facilities")
    reason = page.locator("#many-reason")
    if await reason.get_attribute("required") is not None:
        await reason.fill("归属明确")
    await page.locator("#do-many > button").click()
    await expect(page.locator(".job [role=status]")).to_contain_text("3 / 3")
    await looked_at(page, "job-done")
    for one in ids:
        assert (await browse.people.case("coordinator", one) or {})["department"] == "facilities"
    await page.locator(".job button").click()
    await expect(page).to_have_url(re.compile("/desk/jobs/"))
    await expect(page.locator(".job [role=status]")).to_contain_text("3 / 3")
    await expect(page.locator("h2")).to_contain_text("撤销")


async def test_a_range_is_chosen_with_the_mouse(browse: Browse) -> None:
    await said(browse.people, *(f"望海亭第{n}盏地灯不亮" for n in range(3)))
    page = await browse("/desk?queue=all&q=望海亭", as_="coordinator")
    boxes = page.locator("[data-pick]")
    await expect(boxes).to_have_count(3)
    await boxes.nth(0).click()
    await boxes.nth(2).click(modifiers=["Shift"])
    await expect(page.locator("[data-pick]:checked")).to_have_count(3)
    await expect(page).to_have_url(re.compile("/desk\\?"))
    await page.keyboard.press("x")
    await expect(page.locator("[data-pick]:checked")).to_have_count(2)
    assert await unseen_focus(page, 25) == []


async def test_rows_are_chosen_and_dispatched_without_script(browse: Browse) -> None:
    ids = await said(browse.people, *(f"琴房走廊第{n}扇门关不上" for n in range(2)))
    page = await browse("/desk?queue=all&q=琴房走廊", as_="coordinator", script=False, width=PHONE)
    for one in ids:
        await page.locator(f"#pick-{one}").check()
    await page.locator("#bulk [value=dispatch]").click()
    await page.locator("#many-department").select_option("facilities")
    await page.locator("#many-reason").fill("归属明确")
    await page.locator("#do-many > button").click()
    await expect(page).to_have_url(re.compile("/desk/jobs/"))
    await page.reload()
    await expect(page.locator(".job")).to_contain_text("派单")


@pytest.mark.parametrize("locale", ["zh", "en"])
async def test_an_incident_from_beginning_to_end(browse: Browse, locale: str) -> None:
    word = "荷塘书屋" if locale == "zh" else "竹影书屋"
    ids = await said(
        browse.people, f"{word}的投影没有画面", f"{word}投影一直闪", place="二层北", locale=locale
    )
    page = await browse(f"/desk?queue=all&q={word}", as_="coordinator", locale=locale)
    for one in ids:
        await page.locator(f"#pick-{one}").check()
    await page.locator("#bulk [formaction$=incidents]").click()
    await expect(page.locator("#do-open [name=feedback_ids]")).to_have_count(2)
    await looked_at(page, "incident-new", locale)
    await page.fill("#incident-title", f"{word}投影故障")
    await page.fill("#incident-text", "投影机灯泡坏了，配件今天到。")
    await page.locator("#do-open > button").click()
    await expect(page).to_have_url(re.compile("/desk/incidents/[^?]+"))
    await expect(page.locator(".joined > li")).to_have_count(2)

    await page.fill("#answer-text", "ok")
    await page.locator("#do-answer .segments label").first.click()
    await page.locator("[formaction$=preview]").click()
    await expect(page.locator("#preview .hints li").first).to_be_visible()
    await page.fill("#answer-text", "您好，灯泡已于今天上午更换，画面恢复正常。")
    await page.locator("[formaction$=preview]").click()
    await expect(page.locator("#preview .bubble-text").first).to_contain_text("今天上午更换")
    await looked_at(page, "incident", locale)
    if locale == "en":
        assert "".join(HAN.findall(await page.evaluate(_OURS))) == ""
    await page.locator("#other-close > summary").click()
    going_on = "结束，各自继续办理" if locale == "zh" else "Close, let them go on"
    await expect(page.locator("#do-close > button")).to_contain_text(f"{going_on} · 2")
    await looked_at(page, "incident-close", locale)
    await page.locator("#other-close > summary").click()
    await page.locator("#do-answer .btn-primary").click()
    answering = "答复事件的每一件" if locale == "zh" else "Answer all cases of the incident"
    await expect(page.locator(".job h2")).to_have_text(answering)
    await expect(page.locator(".job [role=status]")).to_contain_text("2 / 2")
    for one in ids:
        assert (await browse.people.case("coordinator", one) or {})["state"] == "REPLIED"
    await page.locator("#other-close > summary").click()
    await page.fill("#close-reason", "修好了")
    await page.locator("#do-close > button").click()
    await expect(page.locator(".case-line .tag")).to_have_text(
        "已结束" if locale == "zh" else "Over"
    )
    listed = await browse("/desk/incidents", as_="leader", locale=locale)
    await expect(listed.locator(".incidents")).to_contain_text(f"{word}投影故障")
    await looked_at(listed, "incidents", locale)


async def test_what_is_near_is_joined_and_parted_on_the_page_of_the_case(browse: Browse) -> None:
    text = "古籍阅览室靠窗第三张桌子的台灯插座冒火花，已经拔掉了，麻烦看一下。"
    older, newer = await said(browse.people, text, text + "谢谢", place="古籍阅览室")
    page = await browse(f"/desk/cases/{newer}", as_="coordinator")
    await expect(page.locator(".near li")).to_have_count(1)
    await looked_at(page, "near")
    await page.locator(f"#near-merge-{newer}-{older} button").click()
    await expect(page.locator(".case-line .state")).to_have_text("已并案")
    await expect(page.locator(".job [role=status]")).to_contain_text("1 / 1")
    await page.locator(".job button").click()
    await expect(page.locator(".case-line .state")).to_have_text("待整理")
    await expect(page.locator(".near li")).to_have_count(1)


async def test_hints_come_while_a_reply_is_written(browse: Browse) -> None:
    (one,) = await said(browse.people, "钟楼的钟慢了三分钟")
    where = await browse.people.in_hand(one, "facilities")
    page = await browse(f"/desk/cases/{one}", as_=f"handler.{where}")
    await page.locator("#reply-main-text").fill("已回复")
    await expect(page.locator("#looked-reply-main li").first).to_be_visible()
    await looked_at(page, "hints")
    await page.locator("#reply-main-text").fill(
        "您好，钟楼的钟今天上午 9 点已经校准，谢谢您告诉我们。"
    )
    await expect(page.locator("#looked-reply-main li")).to_have_count(0)


@pytest_asyncio.fixture
async def read(people: People) -> str:
    """A case with a contact that the coordinator has looked at."""
    (one,) = await said(
        people, "信箱旁的公告栏玻璃裂了", contact={"name": "周敏", "phone": "62750000"}
    )
    await people.case("coordinator", one)
    return one


@pytest.mark.parametrize("locale", ["zh", "en"])
async def test_the_auditor_sees_whether_the_record_is_whole_and_who_looked(
    browse: Browse, read: str, locale: str
) -> None:
    page = await browse(f"/desk/cases/{read}", as_="auditor", locale=locale)
    await page.locator("#record > summary").click()
    await expect(page.locator("#record .intact")).to_be_visible()
    await expect(page.locator("#record tbody th")).to_have_count(1)
    await looked_at(page, "record", locale)
    export = await page.locator("#record a").first.get_attribute("href")
    assert export
    await page.goto(export)
    await expect(page.locator("h1")).to_be_visible()


async def test_a_list_is_kept_and_what_was_found_is_marked(browse: Browse) -> None:
    (one,) = await said(browse.people, "连廊的自动门夹人")
    await browse.people.act("coordinator", one, "note", text="厂家电梯部在修，找铜钥匙")
    page = await browse("/desk?queue=all&q=铜钥匙", as_="coordinator")
    await expect(page.locator(f"#row-{one} mark")).to_have_text("铜钥匙")
    await page.locator("#kept > summary").click()
    await page.fill("#filter-name", "找钥匙的")
    await looked_at(page, "found")
    await page.locator("#keep-filter button").click()
    await expect(page.locator(".queue-kept[aria-current]")).to_have_text("找钥匙的")
    await page.goto("/desk?queue=all")
    await page.locator(".queue-kept").click()
    await expect(page.locator(f"#row-{one} mark")).to_have_text("铜钥匙")
    await page.locator("#kept > summary").click()
    await page.locator("#kept [action$=delete] button").click()
    await expect(page.locator(".queue-kept")).to_have_count(0)
