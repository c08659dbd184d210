"""How are we doing: numbers that lead to their cases, change in place, and print well."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.system import until

# Its numbers are of what is said here, and its lists as short.
EMPTY = True

MEASURES = ("response_rate", "on_time", "resolution_rate", "satisfaction")


async def leads_to_as_many(page: Page, link: str, number: str, title: str) -> None:
    """What a number of the board says is how many cases are behind it, once nothing arrives."""

    async def asked() -> bool:
        await page.goto("/dashboard?period=today")
        said = await page.locator(number).first.inner_text()
        async with page.expect_navigation():
            await page.locator(link).click()
        await expect(page).to_have_title(re.compile(title))
        shown = await page.locator("[data-row]").count()
        return shown == min(int(said.removeprefix("n = ")), 200)

    await until(asked, what=f"{link} leads to as many cases as it says")


async def test_each_number_leads_to_as_many_cases(browse: Browse) -> None:
    said = await browse.people.say("古籍阅览室的预约页面打不开。")
    await browse.people.in_hand(said["feedback_id"], "special")
    page = await browse("/dashboard?period=today", as_="leader")
    for tile, title in (
        ("open", "未办结"),
        ("due_today", "这一天到期"),
        ("at_risk", "已预警"),
        ("overdue", "已超期"),
        ("received", "收到"),
    ):
        link = f"#tile-{tile}"
        await leads_to_as_many(page, link, f"{link} .tile-value", f"^{title}")
    for measure in MEASURES:
        link = f"#tile-{measure}"
        await leads_to_as_many(page, link, f"{link} .tile-note", ".")
        await expect(page).to_have_url(re.compile(f"measure={measure}"))
    line = page.locator("#table-states tr", has=page.locator(".state-in_progress"))

    async def in_progress() -> bool:
        await page.goto("/dashboard?period=today")
        if not await line.count():
            return False
        number = int(await line.locator("a").inner_text())
        await line.locator("a").click()
        await expect(page.locator("h1")).to_contain_text("办理中")
        return await page.locator("[data-row]").count() == number > 0

    await until(in_progress, what="a state leads to its cases")


async def test_a_department_leads_to_its_open_cases(browse: Browse) -> None:
    said = await browse.people.say("善本书影的扫描件有一页是糊的。")
    where = await browse.people.in_hand(said["feedback_id"], "special")
    page = await browse("/dashboard", as_="leader")
    await expect(page.locator("figure[data-chart=stack] canvas")).to_be_visible()

    async def seen() -> bool:
        await page.goto("/dashboard")
        await page.locator("summary", has_text="表格").first.click()
        line = page.locator(f"#table-dept tr[data-href*='department={where}']")
        if not await line.count():
            return False
        number = int(await line.locator("td").nth(-2).inner_text())
        await line.locator("th a").click()
        await expect(page).to_have_url(re.compile(f"department={where}"))
        own = await page.locator(f"a[href$='{said['feedback_id']}']").count()
        return own == 1 and await page.locator("[data-row]").count() == number

    await until(seen, what="the department leads to its open cases")


async def test_numbers_change_in_place(browse: Browse) -> None:
    await browse.people.heard()
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
    await expect(page).to_have_url(re.compile(r"\?period=month&department=it$"))
    await expect(page.locator("#tile-open")).to_have_attribute("href", re.compile("department=it"))
    await expect(page.locator("#from")).to_be_hidden()
    await page.locator("#period").select_option("custom")
    await page.locator("#from").fill("2026-01-05")
    await expect(page).to_have_url(re.compile("period=custom&from=2026-01-05"))
    own = await browse("/dashboard", as_="liaison.it")
    await expect(own.locator("#department option")).to_have_count(1)
    await expect(own.locator("#departments-h")).to_be_visible()
    await expect(own.locator("[id^=row-]:not(#row-it)")).to_have_count(0)


async def test_dates_that_are_no_period_are_said_at_the_field(browse: Browse) -> None:
    page = await browse("/dashboard?period=custom&from=2026-01-05&to=2026-01-09", as_="leader")
    browse.expect("status of 422")
    wrong = page.locator("#error-to")
    await expect(wrong).to_be_hidden()
    await page.locator("#to").fill("2026-01-02")
    await expect(wrong).to_have_text("结束早于开始。")
    await expect(page.locator("#to")).to_have_attribute("aria-invalid", "true")
    await expect(page).to_have_url(re.compile("from=2026-01-05&to=2026-01-02"))
    await expect(page.locator("#tile-open")).to_have_count(0)
    await page.locator("#to").fill("2026-01-07")
    await expect(wrong).to_be_hidden()
    await expect(page.locator("#to")).to_have_attribute("aria-invalid", "false")
    await expect(page.locator("#tile-open")).to_be_visible()


FULL = """
() => document.querySelectorAll('.board tbody, .board .breaking').forEach((list) => {
  const most = list.closest('#table-departments') ? 16 : 9, row = list.children[0];
  if (!row || row.querySelector('.empty-note') || list.closest('.heat')) return;
  while (list.children.length < most) list.append(row.cloneNode(true));
})
"""
"""As many rows as a large library has."""


async def test_it_prints_on_two_pages(browse: Browse) -> None:
    page = await browse("/dashboard", as_="leader")
    await page.evaluate(FULL)
    await page.emulate_media(media="print")
    await expect(page.locator(".filters")).to_be_hidden()
    await expect(page.locator(".top")).to_be_hidden()
    await expect(page.locator("#tile-open")).to_be_visible()
    await expect(page.locator("h1")).to_be_visible()
    printed = await page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2


async def test_an_open_page_keeps_its_language_whatever_another_window_chose(
    browse: Browse,
) -> None:
    said = await browse.people.say("自助还书机的屏幕黑了。")
    for path, who, asked in (
        (f"/track/{said['tracking_code']}", None, "/track/"),
        (f"/track/{said['tracking_code']}", None, "/stream"),
        ("/desk?queue=all", "coordinator", "/desk"),
        ("/dashboard", "leader", "/stream"),
    ):
        page = await browse(path, as_=who)
        other = await page.context.new_page()
        await other.goto(f"{page.url.partition('?')[0]}?lang=en")
        await expect(other.locator("html")).to_have_attribute("lang", "en")
        # As when it is shown again: its stream is opened anew, what is live asked for once more.
        async with page.expect_request(lambda r, part=asked: part in r.url) as again:
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        request = await again.value
        own = "lang=zh" in request.url or request.headers.get("page-language") == "zh-CN"
        assert own, f"{request.url} is asked for in no language"
    # The last of them is the board: what its stream and another filter bring is Chinese.
    tile = page.locator("#tile-open")
    before = int(await tile.locator(".tile-value").inner_text())
    await browse.people.say("自助还书机又不吐凭条了。")
    await expect(tile.locator(".tile-value")).to_have_text(str(before + 1))
    await expect(tile).to_contain_text("未办结")
    await page.select_option("#channel", "web")
    await expect(page.locator(".period")).to_contain_text("渠道：")
    await expect(page).not_to_have_url(re.compile("lang="))
    await expect(tile).to_contain_text("未办结")
    await other.reload()
    await expect(other.locator("html")).to_have_attribute("lang", "en")
