"""Everything that matters, with scripts turned off: forms post, pages reload."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.conftest import Browse
from tests.browser.system import PASSWORD, System, until
from tests.browser.windows import PHONE


async def test_from_words_to_a_reply_without_a_line_of_script(
    browse: Browse, system: System
) -> None:
    text = "六层的还书架推车挡住了安全通道。"
    reader = await browse("/", width=PHONE, script=False)
    await reader.fill("#text", text)
    await reader.locator("#say button.btn-primary").click()
    await expect(reader.locator("h1")).to_have_text("谢谢您告诉我们。")
    # What only works with scripts is not offered.
    await expect(reader.locator("[data-copy]").first).to_be_hidden()
    await reader.get_by_role("link", name="看进展").click()
    await expect(reader.locator(".bubble-me")).to_contain_text(text)
    code = reader.url.rsplit("/", 1)[1]

    async def seen() -> str | None:
        return (await browse.people.track(code)).get("feedback_id")

    feedback_id = await until(seen, what="the case is there")
    where = await browse.people.at(str(feedback_id), "facilities")

    staff = await browse(f"/desk/cases/{feedback_id}", script=False)
    await expect(staff).to_have_url(re.compile("/signin"))
    await staff.fill("#username", f"liaison.{where}")
    await staff.fill("#password", PASSWORD)
    await staff.locator("button.btn-primary").click()
    await expect(staff).to_have_url(f"{system.url}/desk/cases/{feedback_id}")
    await staff.locator("#do-accept-main button").click()
    await expect(staff.locator(".said")).to_contain_text("签收")
    await staff.locator("form[action='/desk/signout'] button").click()

    handler = await browse("/signin", script=False)
    await handler.fill("#username", f"handler.{where}")
    await handler.fill("#password", PASSWORD)
    await handler.locator("button.btn-primary").click()
    await handler.goto(f"/desk/cases/{feedback_id}")
    await handler.locator("#do-claim-main button").click()
    await handler.fill("#reply-main-text", "推车已经移走，通道也贴了提示。")
    await handler.locator("#do-reply-main").get_by_text("已解决", exact=True).click()
    await handler.locator("#do-reply-main > button.btn-primary").click()
    await expect(handler.locator(".case-line .state")).to_have_text("已答复")

    async def answered() -> bool:
        await reader.reload()
        return "推车已经移走" in await reader.locator("main").inner_text()

    await until(answered, what="the reply is on the page")
    await browse.people.may(code, "rate")
    await reader.locator("label[for=star-4]").click()
    await reader.locator("label[for=solved-yes]").click()
    await reader.locator("#form-rate button").click()
    await expect(reader.locator(".said")).to_have_text("谢谢您的评价。")


async def test_what_was_typed_comes_back_with_the_page(browse: Browse) -> None:
    browse.expect("status of 422")
    page = await browse("/", script=False)
    await page.locator("#say summary").click()
    await page.fill("#text", "　　")
    await page.fill("#place", "五层")
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator("#error-text")).to_contain_text("请写")
    await expect(page.locator("#place")).to_have_value("五层")


async def test_the_board_shows_its_tables(browse: Browse) -> None:
    await browse.people.say("五层东侧窗户关不严。")
    page = await browse("/dashboard", as_="leader", script=False)
    await expect(page.locator("#table-dept")).to_be_visible()
    await expect(page.locator("figure.chart").first).to_be_hidden()
