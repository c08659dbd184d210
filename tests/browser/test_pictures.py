"""A reader sends pictures from a phone; the desk and the reader see them."""

from __future__ import annotations

from typing import Any

from PIL import Image
from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.looks import barriers_on, faults_of
from tests.browser.system import System, until
from tests.browser.windows import PHONE
from tests.pictures import as_held, encoded, gif, opened, photo

TEXT = "二层男厕第二个水龙头一直在漏，见照片。"


def file(content: bytes, name: str = "IMG_0001.jpg", kind: str = "image/jpeg") -> Any:
    return {"name": name, "mimeType": kind, "buffer": content}


async def shown_pictures(page: Page) -> int:
    """How many pictures of the page are there whole."""
    return int(
        await page.evaluate(
            "[...document.querySelectorAll('[data-pictures] img')]"
            ".filter((one) => one.complete && one.naturalWidth > 0).length"
        )
    )


async def test_from_a_phone_to_the_desk_and_back_to_the_reader(
    browse: Browse, system: System
) -> None:
    page = await browse("/", width=PHONE)
    await page.fill("#text", TEXT)
    await page.locator(".fold > summary").first.click()
    noise = encoded(Image.effect_noise((2600, 1900), 90).convert("RGB"), quality=95)
    await page.set_input_files("#pictures", [file(noise), file(as_held(6)), file(photo())])
    await expect(page.locator("[data-chosen] canvas")).to_have_count(3)
    await expect(page.locator("[data-not-kept]")).to_be_visible()
    # It is made small before it is sent, and what was not meant is taken out again.
    sizes = await page.evaluate("[...document.querySelector('#pictures').files].map((f) => f.size)")
    assert sizes[0] < len(noise) / 2
    await page.locator("[data-chosen] li").nth(2).get_by_role("button").click()
    await expect(page.locator("[data-chosen] canvas")).to_have_count(2)
    await page.set_input_files("#pictures", [file(photo(), f"{n}.jpg") for n in range(2)])
    await expect(page.locator(".choose-pictures .field-error")).to_contain_text("最多发 3 张")
    await expect(page.locator("[data-chosen] canvas")).to_have_count(3)
    await page.locator("[data-chosen] li").nth(2).get_by_role("button").click()
    assert await faults_of(page) == []
    assert await barriers_on(page) == []

    await page.locator("#say button.btn-primary").click()
    await expect(page.locator("h1")).to_have_text("谢谢您告诉我们。")
    code = await page.locator(".code").inner_text()

    async def there() -> str | None:
        return (await browse.people.track(code)).get("feedback_id")

    feedback_id = str(await until(there, what="the case is there"))
    await page.get_by_role("link", name="看进展").click()
    await expect(page.locator(".bubble-me [data-pictures] img")).to_have_count(2)

    async def whole() -> bool:
        return await shown_pictures(page) == 2

    await until(whole, what="both pictures are shown")
    assert await faults_of(page) == []
    assert await barriers_on(page) == []

    # By keyboard: open, the next one, close; and one is where one was.
    await page.locator("[data-pictures] a").first.focus()
    await page.keyboard.press("Enter")
    large = page.locator("dialog.picture-large img")
    await expect(large).to_be_visible()
    first = await large.get_attribute("src")
    await page.keyboard.press("ArrowRight")
    assert await large.get_attribute("src") != first
    await page.keyboard.press("Escape")
    await expect(large).to_be_hidden()
    assert await page.evaluate("document.activeElement.matches('[data-pictures] a')")

    # What is added has its picture, too.
    await page.locator("#act-supplement > summary").click()
    await page.fill("#supplement", "地上也有水了。")
    await page.set_input_files("#act-supplement input[type=file]", [file(photo(colour="red"))])
    await page.locator("#form-supplement button.btn-primary").click()
    await expect(page.locator(".bubble-me [data-pictures] img")).to_have_count(3)
    await expect(page.locator("#form-supplement [data-chosen] canvas")).to_have_count(0)

    where = await browse.people.at(feedback_id, "facilities")
    desk = await browse(f"/desk/cases/{feedback_id}", as_=f"handler.{where}")
    await expect(desk.locator(".words [data-pictures] img")).to_have_count(2)
    await expect(desk.locator(".bubble-me [data-pictures] img")).to_have_count(1)

    async def at_the_desk() -> bool:
        return await shown_pictures(desk) == 3

    await until(at_the_desk, what="the desk shows all three")
    upright = (
        await desk.locator(".words img")
        .nth(1)
        .evaluate("(one) => [one.naturalWidth, one.naturalHeight]")
    )
    assert upright == [200, 400]
    assert await faults_of(desk) == []
    assert await barriers_on(desk) == []
    # Its address is signed anew every few minutes; what is seen already is not asked for again.
    kept = await desk.evaluate(
        """() => {
          const live = document.getElementById('live'), fresh = live.cloneNode(true);
          const before = live.querySelector('[data-pictures] img').getAttribute('src');
          fresh.querySelector('[data-pictures] img').setAttribute('src', before + 'x');
          fresh.querySelector('[data-pictures] a').setAttribute('href', before + 'x');
          window.morph(live, fresh);
          const link = live.querySelector('[data-pictures] a');
          const shown = link.querySelector('img').getAttribute('src');
          return [shown === before, link.getAttribute('href') === before + 'x'];
        }"""
    )
    assert kept == [True, True]
    await desk.reload()
    href = await desk.locator("[data-pictures] a").first.get_attribute("href")
    answer = await desk.request.get(system.url + str(href))
    assert not opened(await answer.body()).getexif()


async def test_without_script_pictures_go_as_they_are_and_words_are_given_back(
    browse: Browse,
) -> None:
    browse.expect("status of 422")
    page = await browse("/", width=PHONE, script=False)
    await page.fill("#text", TEXT)
    await page.locator(".fold > summary").first.click()
    await page.set_input_files("#pictures", [file(gif(), "a.gif", "image/gif")])
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator("#error-pictures")).to_contain_text("可以发 JPEG、PNG、WebP")
    await expect(page.locator("#text")).to_have_value(TEXT)
    await page.set_input_files("#pictures", [file(photo())])
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator("h1")).to_have_text("谢谢您告诉我们。")
    await page.get_by_role("link", name="看进展").click()
    await expect(page.locator(".bubble-me img")).to_have_count(1)


async def test_what_no_browser_can_open_is_told_at_once(browse: Browse) -> None:
    page = await browse("/", locale="en")
    await page.locator(".fold > summary").first.click()
    await page.set_input_files("#pictures", [file(b"nothing", "IMG.HEIC", "image/heic")])
    await expect(page.locator(".choose-pictures .field-error")).to_contain_text("cannot be opened")
    await expect(page.locator("[data-chosen] canvas")).to_have_count(0)
