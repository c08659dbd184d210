"""A reader says something."""

from __future__ import annotations

import json
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Browse
from tests.browser.looks import faults_of
from tests.browser.system import System
from tests.browser.windows import PHONE

CODE = re.compile(r"^[0-9A-Z]{4}(-[0-9A-Z]{4}){4}$")
TEXT = "七层的直饮水机只出热水，想接点凉的。"


@pytest.mark.parametrize(
    ("locale", "thanks", "title", "follow"),
    [
        ("zh", "谢谢您告诉我们。", "收到了，谢谢您", "看进展"),
        ("en", "Thank you for telling us.", "Received, thank you", "See progress"),
    ],
)
async def test_on_a_phone_a_reader_gets_thanks_a_code_and_dates(
    browse: Browse, system: System, locale: str, thanks: str, title: str, follow: str
) -> None:
    page = await browse("/?place=七层", width=PHONE, locale=locale)
    await expect(page.locator("#text")).to_be_focused()
    await expect(page.locator("#place")).to_have_value("七层")
    await page.fill("#text", TEXT)
    await page.locator("#say button.btn-primary").click()

    await expect(page.locator("h1")).to_have_text(thanks)
    await expect(page).to_have_title(re.compile(title))
    code = await page.locator(".code").inner_text()
    assert CODE.fullmatch(code)
    await expect(page.locator("svg.qr")).to_be_visible()
    # The dates fill in as soon as somebody has promised them.
    due = page.locator('[data-promise="RESOLUTION"]')
    await expect(due).to_have_text(re.compile(r"\d\d:\d\d"))
    assert await faults_of(page) == []

    await page.get_by_role("link", name=follow).click()
    await expect(page).to_have_url(f"{system.url}/track/{code}")
    await expect(page.locator(".bubble-me")).to_contain_text(TEXT)


async def test_a_date_that_is_promised_late_is_seen_without_a_reload(browse: Browse) -> None:
    page = await browse("/", width=PHONE, own=True)
    # What is promised in general is told once the system has started.
    while "我们会在 1 个工作日内回应您" not in await page.locator("#promise").inner_text():
        await page.reload()
    await page.clock.install()
    asked = 0

    async def not_yet(route: Route) -> None:
        nonlocal asked
        asked += 1
        await (route.fulfill(json={"promises": []}) if asked <= 20 else route.continue_())

    await page.route("**/api/track/*", not_yet)
    await page.fill("#text", TEXT)
    await page.locator("#say button.btn-primary").click()
    due = page.locator('[data-promise="RESOLUTION"]')
    await expect(due).to_have_text("一般：5 个工作日内")
    while not re.search(r"\d\d:\d\d", await due.inner_text()):
        await page.clock.run_for(60_000)
    assert asked > 20


async def test_only_blanks_are_answered_with_a_sentence_and_the_rest_stays(browse: Browse) -> None:
    browse.expect("status of 422")
    page = await browse("/?place=七层")
    await page.fill("#text", "   \n  ")
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator("#say [data-problem]")).to_contain_text("请写")
    await expect(page.locator("#place")).to_have_value("七层")


async def test_too_much_is_answered_with_a_sentence_and_every_word_stays(browse: Browse) -> None:
    browse.expect("status of 422")
    page = await browse("/")
    await page.evaluate("document.querySelector('#text').removeAttribute('maxlength')")
    await page.fill("#text", "长" * 50_001)
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator("#say [data-problem]")).to_contain_text("50000")
    assert len(await page.locator("#text").input_value()) == 50_001


async def test_an_address_that_is_none_loses_no_word(browse: Browse) -> None:
    browse.expect("status of 422")
    page = await browse("/")
    await page.locator("#say summary").click()
    # The browser's own check is one that others do not have.
    await page.evaluate("document.querySelector('#say').noValidate = true")
    await page.fill("#text", TEXT)
    await page.fill("#email", "not an address")
    await page.fill("#name", "小周")
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator("#say [data-problem]")).to_contain_text("邮箱")
    await expect(page.locator("#text")).to_have_value(TEXT)
    await expect(page.locator("#name")).to_have_value("小周")


async def test_what_is_being_written_survives_a_reload(browse: Browse) -> None:
    page = await browse("/")
    await page.locator("#text").press_sequentially("还没写完")
    await page.reload()
    await expect(page.locator("#text")).to_have_value("还没写完")


async def sent(page: Page) -> str:
    """The code of what is said now."""
    await page.fill("#text", TEXT)
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator(".code")).to_have_text(CODE)
    return await page.locator(".code").inner_text()


async def test_thanks_and_code_are_there_after_a_reload_and_in_the_other_language(
    browse: Browse,
) -> None:
    page = await browse("/?place=七层", width=PHONE)
    code = await sent(page)
    for _ in range(2):
        await page.reload()
        await expect(page.locator(".code")).to_have_text(code)
        await expect(page).to_have_title(re.compile("收到了，谢谢您"))
        await expect(page.locator('[data-promise="RESOLUTION"]')).to_have_text(re.compile(r":\d\d"))
    assert code not in page.url
    await page.get_by_role("link", name="English").click()
    for _ in range(2):
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await expect(page.locator(".code")).to_have_text(code)
        await expect(page).to_have_title(re.compile("Received, thank you"))
        await expect(page.locator('[data-promise="RESOLUTION"]')).to_have_text(re.compile(r":\d\d"))
        assert not re.search("[\u3400-\u9fff]", await page.inner_text("main"))
        await page.reload()
    await page.get_by_role("link", name="中文").click()
    await expect(page.locator("h1")).to_have_text("谢谢您告诉我们。")
    await expect(page.locator(".code")).to_have_text(code)


async def test_thanks_are_there_when_a_phone_loads_the_tab_anew(browse: Browse) -> None:
    page = await browse("/", width=PHONE)
    code = await sent(page)
    # A tab that the phone lets go of is never told so: what is kept is as it was before.
    kept = await page.evaluate("sessionStorage.getItem('thanks')")
    await page.goto("about:blank")
    await page.add_init_script(
        f"location.pathname === '/' && sessionStorage.setItem('thanks', {json.dumps(kept)})"
    )
    await page.go_back()
    await expect(page.locator(".code")).to_have_text(code)


@pytest.mark.parametrize("way", ["again", "typed", "back", "kept whole", "an hour"])
async def test_whoever_comes_after_them_does_not_see_the_code(browse: Browse, way: str) -> None:
    page = await browse("/?place=七层")
    code = await sent(page)
    match way:
        case "again":
            await page.get_by_role("link", name="再说一件事").click()
        case "typed":
            await page.goto(page.url)
        case "back":
            await page.get_by_role("link", name="再说一件事").click()
            await expect(page.locator("#text")).to_be_visible()
            await page.go_back()
        case "kept whole":
            await page.evaluate(
                "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))"
            )
        case "an hour":
            await page.evaluate(
                "const t = JSON.parse(sessionStorage.thanks);"
                "sessionStorage.thanks = JSON.stringify({...t, at: t.at - 3_600_001})"
            )
            await page.reload()
    await expect(page.locator("#text")).to_have_value("")
    assert code not in await page.content()
    assert await page.evaluate("sessionStorage.getItem('thanks')") is None


async def test_a_code_is_found_again_even_as_a_whole_link(browse: Browse) -> None:
    said = await browse.people.say(TEXT)
    page = await browse("/")
    await page.fill("#code", said["track_url"])
    await page.keyboard.press("Enter")
    await expect(page.locator(".bubble-me")).to_contain_text(TEXT)


async def test_the_language_stays_once_it_is_chosen(browse: Browse) -> None:
    page = await browse("/")
    await page.get_by_role("link", name="English").click()
    await expect(page.locator("h1")).to_have_text("What would you like to tell the library?")
    await page.goto("/signin")
    await expect(page.locator("h1")).to_have_text("Staff sign-in")
    assert await page.locator("html").get_attribute("lang") == "en"
