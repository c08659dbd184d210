"""At the counter, somebody waiting: the keyboard alone."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.conftest import Browse

TEXT = "预约的书到馆通知发到旧手机上了，想改号码。"


async def test_a_comment_is_saved_in_under_a_dozen_strokes_besides_its_words(
    browse: Browse,
) -> None:
    page = await browse("/desk/new", as_="clerk")
    strokes = 0

    async def press(key: str) -> None:
        nonlocal strokes
        strokes += 1
        await page.keyboard.press(key)

    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.type(TEXT)
    await press("Tab")
    await page.keyboard.type("总服务台")
    await press("Tab")
    await page.keyboard.type("62750000")
    await press("Control+Enter")
    first = page.locator("#result .code")
    await expect(first).to_be_visible()
    assert strokes < 12
    code = await first.inner_text()
    await expect(page.locator("#result svg.qr")).to_be_visible()

    # Ready for the next: the words are gone, the cursor is back, the place is remembered.
    await expect(page.locator("#text")).to_have_value("")
    await expect(page.locator("#text")).to_be_focused()
    await expect(page.locator("#place")).to_have_value("总服务台")
    await expect(page.locator("#phone")).to_have_value("")
    await page.keyboard.type("第二位读者问寒假开不开。")
    await page.keyboard.press("Control+Enter")
    await expect(first).not_to_have_text(code)

    await page.get_by_role("link", name="打开这一件").click()
    await expect(page.locator(".words-text")).to_have_text("第二位读者问寒假开不开。")


async def test_what_was_said_at_the_desk_is_followed_like_any_other(browse: Browse) -> None:
    page = await browse("/desk/new", as_="student")
    await page.fill("#text", TEXT)
    await page.locator("#counter summary").click()
    await page.get_by_label("保密").check()
    await page.keyboard.press("Control+Enter")
    code = await page.locator("#result .code").inner_text()
    reader = await browse(f"/track/{code}")
    await expect(reader.locator("h1")).to_be_visible()
    await expect(reader.locator(".bubble-me")).to_contain_text(re.escape(TEXT)[:5])


async def test_nothing_written_is_said_and_nothing_is_saved(browse: Browse) -> None:
    browse.expect("status of 422")
    page = await browse("/desk/new", as_="clerk")
    await page.fill("#text", "   ")
    await page.fill("#name", "小吴")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#counter [data-problem]")).to_contain_text("请写")
    await expect(page.locator("#name")).to_have_value("小吴")
    await expect(page.locator("#result .code")).to_have_count(0)
