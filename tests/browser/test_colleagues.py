"""Colleagues on one case, and one who stands in for another, through the pages."""

from __future__ import annotations

from datetime import datetime, timedelta

from playwright.async_api import expect

from shared.moments import LOCAL
from tests.browser.conftest import Browse
from tests.browser.looks import faults_of


async def test_two_on_one_case_and_a_colleague_is_called(browse: Browse) -> None:
    said = await browse.people.say("三层西区的窗帘掉下来一半。")
    case = said["feedback_id"]
    where = await browse.people.in_hand(case, "facilities")
    head = await browse(f"/desk/cases/{case}", as_=f"reviewer.{where}")
    handler = await browse(f"/desk/cases/{case}", as_=f"handler.{where}")

    await handler.locator("#note-box > summary").click()
    note = handler.locator("#note-text")
    await note.press_sequentially("请 @liai")
    options = handler.locator(".mentions [role=option]")
    await expect(options).to_have_count(1)
    await expect(note).to_have_attribute("aria-activedescendant", "note-text-people-0")
    assert await faults_of(handler) == []
    await note.press("Escape")
    await expect(options).to_have_count(0)
    await note.press_sequentially("s")
    await expect(options).to_have_count(1)
    await note.press("Enter")
    await expect(note).to_have_value(f"请 @liaison.{where} ")
    await expect(head.locator(".viewers")).to_contain_text("正在写答复")
    await handler.locator("#do-note > button").click()
    await expect(handler.locator(".note")).to_contain_text(f"@liaison.{where}")

    called = await browse("/desk?queue=mentioned", as_=f"liaison.{where}", width=360)
    await called.locator(f"#open-{case}").click()
    await expect(called.locator(".case-line")).to_contain_text("有人提到您")
    await expect(handler.locator(".viewers")).to_contain_text("正在看")


async def test_boxes_call_a_colleague_without_script(browse: Browse) -> None:
    said = await browse.people.say("三层西区的百叶窗拉不上。")
    case = said["feedback_id"]
    where = await browse.people.in_hand(case, "facilities")
    handler = await browse(f"/desk/cases/{case}", as_=f"handler.{where}", script=False)
    await handler.locator("#note-box > summary").click()
    await handler.locator("#note-text").fill("请看看")
    await handler.locator("#note-box .calls > summary").click()
    await handler.locator(f'[data-account="reviewer.{where}"]').check()
    await handler.locator("#do-note > button").click()
    head = await browse("/desk?queue=mentioned", as_=f"reviewer.{where}", script=False)
    await expect(head.locator(f"#open-{case}")).to_be_visible()


async def test_away_with_somebody_who_stands_in(browse: Browse) -> None:
    said = await browse.people.say("四层报告厅门口的指示牌倒了。")
    where = await browse.people.at(said["feedback_id"], "facilities")
    liaison = await browse("/desk/account", as_=f"liaison.{where}", width=360)
    assert await faults_of(liaison) == []
    back = datetime.now(LOCAL) + timedelta(days=7)
    await liaison.locator("#absent-until").fill(f"{back:%Y-%m-%dT%H:%M}")
    await liaison.locator("#substitute").select_option("handler.events")
    await liaison.locator(".absence button.btn-primary").click()
    await expect(liaison.locator(".absence [role=status]")).to_be_visible()
    await expect(liaison.locator(".absence")).to_contain_text("您外出")
    try:
        other = await browse("/desk?queue=to_accept", as_="handler.events")
        await expect(other.locator(".who")).to_contain_text("代")
        await other.locator(f"#open-{said['feedback_id']}").click()
        await other.locator("#do-accept-main > button").click()
        await expect(other.locator(".case-line .state")).to_have_text("已签收")
        await expect(other.locator("#live")).to_contain_text("（代 ")
    finally:
        await liaison.goto("/desk/account")
        await liaison.get_by_role("button", name="我回来了").click()
        await expect(liaison.locator("#absent-until")).to_be_visible()
        await expect(liaison.get_by_role("button", name="我回来了")).to_have_count(0)
    assert await browse.people.case("handler.events", said["feedback_id"]) is None
