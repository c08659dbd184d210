"""When we work and what we promise: looked at, changed, and tried before it counts."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.looks import barriers_on, faults_of, picture, unseen_focus
from tests.browser.windows import DESK, PHONE

HAN = re.compile("[\u4e00-\u9fff]")
_OURS = """() => {
  const page = document.body.cloneNode(true);
  for (const one of page.querySelectorAll(
    '[data-theirs], [hreflang], .who, textarea, script, select')) one.remove();
  return document.title.split(' · ')[0] + ' ' + page.textContent;
}"""
PAGES = {
    "calendar": "/sla/calendar?year=2027&first=2027-10-01&last=2027-10-03",
    "policy": "/sla/policy",
    "policy-edit": "/sla/policy/edit",
}


async def _well_made(page: Page, name: str, locale: str) -> None:
    for width, height in ((DESK, 860), (PHONE, 740)):
        await page.set_viewport_size({"width": width, "height": height})
        await picture(page, f"{name}-{width}-{locale}")
        assert await faults_of(page) + await barriers_on(page) == []
    if locale == "en":
        assert "".join(HAN.findall(await page.evaluate(_OURS))) == ""


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
async def test_the_pages_are_made_well(browse: Browse, name: str, locale: str) -> None:
    page = await browse(PAGES[name], as_="admin", locale=locale)
    for fold in await page.locator("details.card-quiet > summary").all():
        await fold.click()
    await _well_made(page, name, locale)


async def test_days_are_chosen_by_dragging_and_by_the_arrows(browse: Browse) -> None:
    page = await browse("/sla/calendar?year=2029", as_="admin")
    first, last = (page.locator(f'[data-day="2029-05-{day}"]') for day in ("08", "10"))
    await first.hover()
    await page.mouse.down()
    await last.hover()
    await page.mouse.up()
    await expect(page.locator("#first")).to_have_value("2029-05-08")
    await expect(page.locator("#last")).to_have_value("2029-05-10")
    await expect(page.locator(".month .chosen")).to_have_count(3)
    await last.focus()
    await page.keyboard.press("Shift+ArrowDown")
    await expect(page.locator("#last")).to_have_value("2029-05-17")
    await expect(page.locator('[data-day="2029-05-17"]')).to_be_focused()
    # All days together are one stop on the way of the Tab key.
    await page.keyboard.press("Tab")
    await expect(page.locator("[data-day]:focus")).to_have_count(0)
    assert await unseen_focus(page, 8) == []


async def test_a_holiday_is_previewed_and_saved(browse: Browse) -> None:
    said = await browse.people.say("自习室的插座坏了两个。")
    page = await browse("/sla/calendar?year=2029&first=2029-06-01", as_="admin", locale="en")
    await page.get_by_label("Holiday", exact=True).check()
    await page.fill("#name", "校庆 Day")
    await page.locator("[data-range] button").click()
    await expect(page).to_have_url(re.compile("/sla/trials/"))
    await expect(page.locator("#live")).to_contain_text("No open date would move")
    await expect(page.locator("ins").first).to_have_text("closed")
    await _well_made(page, "trial-calendar", "en")
    await page.set_viewport_size({"width": DESK, "height": 860})
    await page.get_by_role("button", name="Save and put in force").click()
    await expect(page.locator(".said")).to_contain_text("Saved")
    await expect(page.locator("td.d-holiday", has_text="1").first).to_be_visible()
    assert said["feedback_id"]


async def test_promises_are_tried_on_the_past_without_a_line_of_script(browse: Browse) -> None:
    browse.expect("status of 422")
    said = await browse.people.say("三层打印机卡纸了。")
    where = await browse.people.in_hand(said["feedback_id"], "it")
    page = await browse("/sla/policy/edit", as_="admin", script=False, width=PHONE)
    # So short that whatever is open is late.
    for row in range(7):
        await page.locator(f"[id='r{row}.TRIAGE']").fill("1 分钟（不分昼夜）")
    await page.locator("[id='r2.RESOLUTION']").fill("很快")
    await page.get_by_role("button", name="试一试").click()
    await expect(page.locator("#wrong")).to_contain_text("不是时长")
    await expect(page.locator("[id='r0.TRIAGE']")).to_have_value("1 分钟（不分昼夜）")
    await page.locator("[id='r2.RESOLUTION']").fill("5 个工作日")
    await page.get_by_role("button", name="试一试").click()
    await expect(page).to_have_url(re.compile("/sla/trials/"))
    await expect(page.locator("#live")).to_contain_text("其中")
    await expect(page.locator(".changed").first).to_be_visible()
    assert where


@pytest.mark.parametrize("who", ["handler.it", "auditor"])
async def test_whoever_may_not_change_them_reads_them(browse: Browse, who: str) -> None:
    page = await browse("/sla/policy", as_=who)
    await expect(page.locator("h1")).to_have_text("我们承诺什么")
    await expect(page.locator("a[href$='/sla/policy/edit']")).to_have_count(0)
    await page.goto("/sla/calendar")
    await expect(page.locator("form[method=post][action*='/sla/']")).to_have_count(0)
    browse.expect("status of 403")
    await page.goto("/sla/policy/edit")
    await expect(page.locator("h1")).not_to_have_text("修改承诺")


async def test_a_row_that_is_for_nobody_is_refused_and_leads_to_its_lists(browse: Browse) -> None:
    browse.expect("status of 422")
    page = await browse("/sla/policy/edit", as_="admin", locale="en")
    await page.locator("[id='r7.RESOLUTION']").fill("2 working days")
    await page.get_by_role("button", name="Try it").click()
    await expect(page.locator("#wrong")).to_contain_text("Please give it a name.")
    await page.locator("[id='r7.name']").fill("students")
    await page.get_by_role("button", name="Try it").click()
    await page.locator("#wrong a").click()
    lists = page.locator("[id='r7.department']")
    await expect(lists).to_be_focused()
    await expect(lists).to_have_attribute("aria-invalid", "true")
    await _well_made(page, "policy-refused", "en")
    await lists.select_option(["it", "reference"])
    await page.get_by_role("button", name="Try it").click()
    await expect(page).to_have_url(re.compile("/sla/trials/"))
    await expect(page.locator(".changed", has_text="Information").first).to_be_visible()
