"""Every page, wide and on a phone, in both languages.

With ``EXPRESS_PICTURES=1`` a picture of each is written to ``build/screenshots/``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from shared.moments import LOCAL
from tests.browser import day
from tests.browser.conftest import Browse
from tests.browser.looks import barriers_on, faults_of, picture, unseen_focus
from tests.browser.people import People
from tests.browser.system import until
from tests.browser.windows import DESK, PHONE

# A day as `day` tells it; some pages are looked at with nothing on them.
EMPTY = True

HAN = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_WORDS_OF_THE_HOUSE = """() => {
  // Everything but what people wrote themselves.
  const page = document.body.cloneNode(true);
  const theirs = '.bubble-text, .words-text, .case-head h1, .cell-title a, .place, .breaking a, ' +
    '.who, .timeline-plain, .cell-dept small, .reasons, .case-line, .contact, .bubble-who, ' +
    'tr[id^=rule-] details, textarea, [hreflang], datalist, script, select, [data-theirs]';
  for (const one of page.querySelectorAll(theirs)) one.remove();
  return document.title.split(' · ').at(-1) + ' ' + page.textContent;
}"""

_WIDE_TABLES = """() => {
  for (const one of document.querySelectorAll('table.figures')) one.style.minWidth = '757px';
}"""

Go = Callable[[Browse, int, str], Awaitable[Page]]


@pytest_asyncio.fixture(scope="module")
async def scene(people: People) -> dict[str, str]:
    """A day at the library, and three matters to look at closely."""
    await day.spend(people)
    said = await people.say(
        day.SOCKETS, place="四层南区", contact={"name": "小林", "email": "lin@example.edu"}
    )
    where = await people.in_hand(said["feedback_id"], "facilities")
    by = f"handler.{where}"
    await people.act(by, said["feedback_id"], "note", text="配电箱在 4-S-2，先请师傅看空开。")
    await people.act(by, said["feedback_id"], "ask", question="请问是哪几排？旁边的台灯亮吗？")
    done = await people.say(day.BOOK)
    await people.answered(
        done["feedback_id"],
        "acquisition",
        "已经下单，预计三周内到馆。到馆后第一个通知您来取，谢谢您的推荐。",
        "solved",
    )
    talk = await people.say(day.LAPTOP, place="三层", contact={"name": "周敏", "phone": "62750000"})
    working = await people.in_hand(talk["feedback_id"], "it")
    hand = f"handler.{working}"
    await people.act(hand, talk["feedback_id"], "note", text=day.NOTE)
    more = {"until": f"{local_date() + timedelta(days=30)}T17:00:00+08:00", "reason": day.DISK}
    await people.act(hand, talk["feedback_id"], "extend", **more)
    await people.act(f"reviewer.{working}", talk["feedback_id"], "grant_extension")
    await people.act(hand, talk["feedback_id"], "ask", question=day.WHICH)
    await people.later(talk["tracking_code"], "supplement", text=day.THIS)
    await people.act("coordinator", said["feedback_id"], "link", to=talk["feedback_id"])
    unclear = await people.say(day.UNCLEAR, locale="en")
    await people.sorted(unclear["feedback_id"])

    async def answered() -> bool:
        asked = await people.track(said["tracking_code"])
        replied = await people.track(done["tracking_code"])
        back = await people.track(talk["tracking_code"])
        states = (asked["state"], replied["state"], back["state"])
        end = next(one for one in back["promises"] if one["clock"] == "RESOLUTION")
        moved = end["due"] != end["first_due"]
        return states == ("WAITING_USER", "REPLIED", "IN_PROGRESS") and moved

    await until(answered, what="the reporters' pages know")
    followed = await people.track(talk["tracking_code"])
    return {
        "why_mine": followed["why"]["RESOLUTION"],
        "asked": said["tracking_code"],
        "asked_case": said["feedback_id"],
        "talk_case": talk["feedback_id"],
        "handler": hand,
        "done": done["tracking_code"],
        "done_case": done["feedback_id"],
        "sorting": unclear["feedback_id"],
        "today": local_date().isoformat(),
    }


def local_date() -> date:
    """Today in the library."""
    return datetime.now(LOCAL).date()


PAGES: dict[str, tuple[str, str | None]] = {
    "say": ("/", None),
    "say-place": ("/?place=Seat 118", None),
    "signin": ("/signin", None),
    "nothing": ("/no-such-page", None),
    "asked": ("/track/{asked}", None),
    "done": ("/track/{done}", None),
    "matters": ("/track/mine", None),
    "matters-link": ("/track/mine/a-link", None),
    "desk": ("/desk?queue=open", "coordinator"),
    "desk-empty": ("/desk?queue=overdue", "coordinator"),
    "desk-searched": ("/desk?queue=all&q=nobody-wrote-this", "coordinator"),
    "desk-searched-queue": ("/desk?queue=triage&q=nobody-wrote-this", "coordinator"),
    "desk-narrowed": ("/desk?queue=all&department=it", "coordinator"),
    "mine": ("/desk", "handler.ill"),
    "sorting": ("/desk/cases/{sorting}", "coordinator"),
    "working": ("/desk/cases/{talk_case}", "{handler}"),
    "finished": ("/desk/cases/{done_case}", "coordinator"),
    "why": ("/sla/cases/{talk_case}/promises/RESOLUTION", "{handler}"),
    "why-mine": ("{why_mine}", None),
    "selected": ("/desk/selected?action=dispatch&feedback_ids={sorting}", "coordinator"),
    "selected-none": ("/desk/selected?action=merge", "coordinator"),
    "incidents": ("/desk/incidents", "coordinator"),
    "incident-of": ("/desk/incidents?feedback_ids={sorting}", "coordinator"),
    "canned": ("/desk/replies", "coordinator"),
    "review-rules": ("/desk/review-rules", "admin"),
    "themes": ("/desk/themes?feedback_ids={sorting}", "coordinator"),
    "report-themes": ("/reports/themes", "leader"),
    "near": ("/desk/cases/{sorting}/near", "coordinator"),
    "answered": ("/desk/cases/{talk_case}/answered", "{handler}"),
    "record": ("/desk/cases/{talk_case}/record", "auditor"),
    "counter": ("/desk/new", "clerk"),
    "board": ("/dashboard", "leader"),
    "board-department": ("/dashboard", "reviewer.facilities"),
    "report": ("/reports?kind=week&at={today}", "leader"),
    "report-department": ("/reports?kind=month&at={today}", "reviewer.facilities"),
    "mailed": ("/reports/mailed", "admin"),
    "account-head": ("/desk/account", "reviewer.facilities"),
    "policy": ("/sla/policy", "coordinator"),
    "calendar": ("/sla/calendar", "coordinator"),
    "board-behind": ("/dashboard/cases?measure=first_response", "leader"),
    "account": ("/desk/account", "student"),
    "rules": ("/routing?q=e-book", "coordinator"),
    "rules-edit": ("/routing/edit", "admin"),
    "rule-edit": ("/routing/edit?rule=seats.hog", "admin"),
    "unit-edit": ("/routing/edit?unit=canteen", "admin"),
    "learned": ("/routing/learned", "coordinator"),
    "refused": ("/dashboard", "student"),
}


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_made_well(
    browse: Browse, scene: dict[str, str], name: str, locale: str
) -> None:
    browse.expect("status of 404", "status of 403")
    path, who = PAGES[name]
    page = await browse(path.format(**scene), as_=who and who.format(**scene), locale=locale)
    for width, height in ((DESK, 860), (PHONE, 740)):
        await page.set_viewport_size({"width": width, "height": height})
        await _looked_at(page, name, width, locale)
        assert await faults_of(page) == []
    assert await barriers_on(page) == []
    own, _, system = (await page.title()).rpartition(" · ")
    assert own and system == ("用户反馈直通车" if locale == "zh" else "Feedback Express")
    if locale == "en":
        left = HAN.findall(await page.evaluate(_WORDS_OF_THE_HOUSE))
        assert "".join(left) in ("", "中文")


@pytest.mark.parametrize("name", ["say", "signin", "done", "desk", "working", "counter", "board"])
async def test_the_keyboard_shows_where_it_is(
    browse: Browse, scene: dict[str, str], name: str
) -> None:
    path, who = PAGES[name]
    page = await browse(path.format(**scene), as_=who and who.format(**scene))
    assert await unseen_focus(page, 20) == []


@pytest.mark.parametrize(("width", "locale"), [(DESK, "zh"), (PHONE, "zh"), (PHONE, "en")])
async def test_what_is_shown_after_sending(browse: Browse, width: int, locale: str) -> None:
    page = await browse("/", width=width, locale=locale)
    await page.fill("#text", day.LAMP)
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator('[data-promise="RESOLUTION"]')).to_have_text(re.compile(r"\d:\d"))
    await _looked_at(page, "sent", width, locale)
    counter = await browse("/desk/new", as_="clerk", width=width, locale=locale)
    await counter.fill("#text", day.LAMP)
    await counter.keyboard.press("Control+Enter")
    await expect(counter.locator("#result .code")).to_be_visible()
    await _looked_at(counter, "saved", width, locale)
    assert await faults_of(page) + await faults_of(counter) == []


async def test_the_keys_can_be_looked_up(browse: Browse, scene: dict[str, str]) -> None:
    page = await browse("/desk?queue=all", as_="coordinator")
    await page.locator("[data-keys]").click()
    await expect(page.locator("#keys")).to_be_visible()
    await _looked_at(page, "keys", DESK, "zh", whole=False)


@pytest.mark.parametrize("path", ["/dashboard", "/reports"])
async def test_a_wide_table_scrolls_in_its_card(
    browse: Browse, scene: dict[str, str], path: str
) -> None:
    page = await browse(path, as_="leader", width=PHONE)
    await expect(page.locator("#table-departments")).to_be_visible()
    # As with many departments or long names, which this day has not got.
    await page.evaluate(_WIDE_TABLES)
    assert await faults_of(page) == []


async def test_the_board_on_paper(browse: Browse, scene: dict[str, str]) -> None:
    page = await browse("/dashboard", as_="leader", width=800)
    await page.emulate_media(media="print")
    await _looked_at(page, "board-paper", 800, "zh")


async def _looked_at(page: Page, name: str, width: int, locale: str, *, whole: bool = True) -> None:
    if await page.locator("figure[data-chart]").count():
        await expect(page.locator("figure[data-chart] canvas").first).to_be_visible()
    await picture(page, f"{name}-{width}-{locale}", whole=whole)
