"""Words that try to be something else are shown as words, everywhere."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.looks import faults_of
from tests.browser.windows import PHONE

# Every list shows the words: none is so long that they are on its second page.
EMPTY = True

WORDS = [
    "<script>document.title='caught'</script>窗边漏风",
    "<img src=x onerror=\"document.title='caught'\">窗边漏风",
    "{{ 98765 * 98765 }}${98765*98765}{% include 'base.html' %}窗边漏风",
    "</textarea></div><h1 id=caught>窗边漏风</h1>",
    "\u202e风漏边窗\u202c窗边漏风",
    "窗边漏风" + "W" * 400,
    "窗" + "\u0301" * 500 + "边漏风",
]
EVALUATED = str(98765 * 98765)
"""What the third would be if a template took it for its own: no time and no number of a page."""


@pytest.mark.parametrize("words", WORDS, ids=range(len(WORDS)))
async def test_hostile_words_are_inert_on_every_page(browse: Browse, words: str) -> None:
    said = await browse.people.say(words, place=words[:120], contact={"name": "<img src=x>"})
    where = await browse.people.in_hand(said["feedback_id"], "facilities")
    await browse.people.act(f"handler.{where}", said["feedback_id"], "note", text=words)
    await browse.people.act(
        f"handler.{where}", said["feedback_id"], "reply", text=words, outcome="solved"
    )
    await browse.people.later(said["tracking_code"], "reopen", reason=words)

    reader = await browse(f"/track/{said['tracking_code']}", width=PHONE)
    await expect(reader.locator(".bubble-me").first).to_contain_text("边")
    await _inert(reader)
    page = await browse(as_="coordinator", width=PHONE)
    for path in (
        f"/desk/cases/{said['feedback_id']}",
        "/desk?queue=all",
        "/desk?queue=all&q=" + "漏风",
        "/dashboard",
    ):
        await page.goto(path)
        await _inert(page)


async def _inert(page: Page) -> None:
    assert "caught" not in await page.title() or "<" in await page.title()
    assert await page.locator("#caught, main img, main script").count() == 0
    text = await page.locator("main").inner_text()
    assert EVALUATED not in text
    assert not any(sign in text for sign in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
    assert [one for one in await faults_of(page) if "wider" in one] == []
