"""How are we doing: numbers that lead to their cases, change in place, and print well."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.conftest import Browse


async def test_each_number_leads_to_as_many_cases(browse: Browse) -> None:
    said = await browse.people.say("古籍阅览室的预约页面打不开。")
    await browse.people.in_hand(said["feedback_id"], "special")
    page = await browse("/dashboard", as_="leader")
    for tile, title in (("open", "未办结"), ("due_today", "今天到期"), ("overdue", "已超期")):
        await page.goto("/dashboard")
        number = int(await page.locator(f"#tile-{tile} .tile-value").inner_text())
        await page.locator(f"#tile-{tile}").click()
        await expect(page).to_have_title(re.compile(f"^{title}"))
        assert await page.locator("[data-row]").count() == min(number, 50)

    for tile in ("on_time", "first_response"):
        await page.goto("/dashboard")
        note = await page.locator(f"#tile-{tile} .tile-note").inner_text()
        await page.locator(f"#tile-{tile}").click()
        await expect(page).to_have_url(re.compile(f"measure={tile}"))
        assert await page.locator("[data-row]").count() == int(note.removeprefix("n = "))

    await page.goto("/dashboard")
    line = page.locator("table.figures tr", has=page.locator(".state-in_progress")).last
    number = int(await line.locator("a").inner_text())
    await line.locator("a").click()
    await expect(page.locator(".only .tag")).to_have_text(re.compile("^办理中"))
    assert await page.locator("[data-row]").count() == min(number, 50)
    await page.locator(".only .tag").click()
    await expect(page.locator(".only")).to_have_count(0)


async def test_a_department_leads_to_its_open_cases(browse: Browse) -> None:
    said = await browse.people.say("善本书影的扫描件有一页是糊的。")
    where = await browse.people.in_hand(said["feedback_id"], "special")
    page = await browse("/dashboard", as_="leader")
    await expect(page.locator("figure[data-chart=stack] canvas")).to_be_visible()
    await page.locator("summary", has_text="表格").first.click()
    line = page.locator(f"#table-dept tr[data-href*='department={where}']")
    number = int(await line.locator("td").nth(-2).inner_text())
    await line.locator("a").click()
    await expect(page.locator("[data-row]")).to_have_count(number)
    await expect(page.locator(f"#row-{said['feedback_id']}")).to_be_visible()


async def test_numbers_change_in_place(browse: Browse) -> None:
    page = await browse("/dashboard", as_="leader")
    loaded = await page.evaluate("performance.timeOrigin")
    tile = page.locator("#tile-open .tile-value")
    before = int(await tile.inner_text())
    await browse.people.say("地下书库有点潮，书脊上有霉点。")
    await expect(tile).to_have_text(str(before + 1))
    assert await page.evaluate("performance.timeOrigin") == loaded


async def test_the_filters_stand_in_the_address(browse: Browse) -> None:
    page = await browse("/dashboard", as_="leader")
    await page.locator("#department").select_option("it")
    await expect(page).to_have_url(re.compile(r"\?department=it$"))
    await expect(page.locator("#tile-open")).to_have_attribute("href", re.compile("department=it"))
    own = await browse("/dashboard", as_="liaison.it")
    await expect(own.locator("#department option")).to_have_count(2)


async def test_it_prints_without_what_only_a_screen_needs(browse: Browse) -> None:
    page = await browse("/dashboard", as_="leader")
    await page.emulate_media(media="print")
    await expect(page.locator(".filters")).to_be_hidden()
    await expect(page.locator(".top")).to_be_hidden()
    await expect(page.locator("#tile-open")).to_be_visible()
    await expect(page.locator("h1")).to_be_visible()
