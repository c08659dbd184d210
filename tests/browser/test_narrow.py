"""On a phone: words and figures are broken where words end, and a form says what is wrong."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.system import until
from tests.browser.windows import PHONE

# The list of all shows what is said here.
EMPTY = True

# Words of letters and digits that stand on more than one line; Chinese breaks anywhere.
_BROKEN = """(cells) => {
  const broken = [];
  for (const cell of document.querySelectorAll(cells)) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let text; (text = texts.nextNode());) {
      for (const { 0: word, index } of text.data.matchAll(/[\\w%.:+\\u2212-]+/g)) {
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + word.length);
        const lines = new Set([...range.getClientRects()].filter(r => r.width).map(r => r.top));
        if (word.length < 24 && lines.size > 1) broken.push(word);
      }
    }
  }
  return broken;
}"""


async def _broken(page: Page, cells: str) -> list[str]:
    assert await page.locator(cells).count(), cells
    return list(await page.evaluate(_BROKEN, cells))


async def test_a_row_that_owes_an_answer_leaves_room_for_its_department(browse: Browse) -> None:
    people = browse.people
    said = await people.say("The printer on the second floor eats my cards.", locale="en")
    case = said["feedback_id"]
    await people.answered(case, "it", "Dear reader, it was repaired today, please try again.")
    await people.later(said["tracking_code"], "supplement", text="It still does not work.")

    async def owed() -> bool:
        found = await people.case("coordinator", case)
        return found is not None and bool(found["words_owed"])

    await until(owed, what="the words are owed an answer")
    page = await browse("/desk?queue=all&lang=en", as_="coordinator", width=PHONE)
    row = page.locator(f"#row-{case}")
    await expect(row).to_contain_text("please answer")
    assert await _broken(page, f"#row-{case} td") == []
    dept = await row.locator(".cell-dept").bounding_box()
    assert dept is not None and dept["width"] > 90


async def test_a_promise_that_no_longer_applies_fits_beside_its_date(browse: Browse) -> None:
    people = browse.people
    said = await people.say("The printer on the third floor eats my cards.", locale="en")
    case = said["feedback_id"]
    await people.in_hand(case, "it")
    await people.later(said["tracking_code"], "withdraw")

    async def ended() -> bool:
        found = await people.case("coordinator", case) or {"promises": []}
        return any(one["status"] == "cancelled" for one in found["promises"])

    await until(ended, what="what was promised no longer applies")
    page = await browse(f"/desk/cases/{case}?lang=en", as_="coordinator", width=PHONE)
    await expect(page.locator(".promise-cancelled").first).to_contain_text("no longer applies")
    assert await _broken(page, "table.promises th, table.promises td") == []
    table = await page.locator("table.promises").bounding_box()
    card = await page.locator("section:has(> table.promises)").bounding_box()
    assert table is not None
    assert card is not None
    assert table["x"] + table["width"] <= card["x"] + card["width"]
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= PHONE


async def test_figures_stay_whole_where_there_is_little_room(browse: Browse) -> None:
    for language in ("zh", "en"):
        page = await browse(f"/dashboard?lang={language}", as_="leader", width=PHONE)
        for cells in ("#table-measures td", "#table-departments td"):
            assert await _broken(page, cells) == [], (language, cells)


async def test_what_is_wrong_with_a_new_rule_is_said_beside_its_field(browse: Browse) -> None:
    browse.expect("status of 422")
    page = await browse("/routing/edit?rule=new", as_="coordinator", width=PHONE)
    await page.fill("#id", "p1.aed")
    await page.fill("#note", "自带的垫子")
    await page.fill("#note_en", "Mats of their own")
    await page.fill("#phrases", "坐垫")
    save = page.locator("form#rule button.btn-primary")
    await save.click()
    await expect(page.locator("#error-id")).to_contain_text("已经有一条规则")
    await expect(page.locator("#note")).to_have_value("自带的垫子")
    await page.fill("#id", "own.narrow")
    await page.fill("#phrases", "")
    await save.click()
    await expect(page.locator("#error-phrases")).to_be_visible()


async def test_while_a_rule_is_tried_both_buttons_say_that_they_are_not_heard(
    browse: Browse,
) -> None:
    page = await browse("/routing/edit?rule=seats.hog", as_="coordinator")
    tries = page.locator("button[name=do][value=try]")
    # In the same turn in which it is sent: nothing has been answered yet.
    during = await page.evaluate(
        """() => {
          document.querySelector('[value=try]').click();
          return [...document.querySelectorAll('#rule button')]
            .map(b => [b.disabled, b.textContent]);
        }"""
    )
    assert during == [[True, "检查并保存"], [True, "正在试算…"]]
    await expect(page.locator("#trial")).to_be_visible()
    await expect(tries).to_be_enabled()
    await expect(tries).to_have_text(re.compile("^先试算$"))
