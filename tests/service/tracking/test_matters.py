"""All that a reporter has with us, on one page."""

from __future__ import annotations

from datetime import timedelta

from shared.security import LINK_TO_MATTERS, MATTERS, MATTERS_COOKIE
from tests.service.tracking.conftest import Web
from tests.support import process_batch
from tests.unit.tracking.examples import Story


async def test_the_page_lists_where_each_of_them_is(web: Web, code: str) -> None:
    signer, now = web.service.runtime.signer, web.clock.now()
    other = signer.tracking_code()
    late = signer.tracking_code()
    await process_batch(web.service, *Story(code=code).worked("it"), *Story(code=other).begun())
    until = now + timedelta(minutes=30)
    cookie = signer.signed(MATTERS, [code, other, late], until=until)
    headers = {"Cookie": f"{MATTERS_COOKIE}={cookie}"}
    page = await web.get("/track/mine", headers=headers)
    assert page.status_code == 200
    assert page.text.index(f"/track/{code.replace('-', '')}") < page.text.index(
        f"/track/{other.replace('-', '')}"
    )
    assert "信息系统部正在办理" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    web.clock.later(minutes=31)
    assert code.replace("-", "") not in (await web.get("/track/mine", headers=headers)).text


async def test_nobody_else_sees_them(web: Web, code: str) -> None:
    signer = web.service.runtime.signer
    await process_batch(web.service, *Story(code=code).begun())
    until = web.clock.now() + timedelta(minutes=30)
    link = signer.signed(LINK_TO_MATTERS, [code], until=until)
    for cookie in ("", "x", link):
        page = await web.get("/track/mine", headers={"Cookie": f"{MATTERS_COOKIE}={cookie}"})
        assert page.status_code == 200
        assert "要一个链接" in page.text
        assert code.replace("-", "") not in page.text


async def test_the_link_leads_to_a_button_and_uses_nothing_up(web: Web) -> None:
    page = await web.get('/track/mine/a"><b>')
    assert page.status_code == 200
    assert 'name="token" value="a&#34;&gt;&lt;b&gt;"' in page.text
    assert 'action="/api/track/mine"' in page.text
