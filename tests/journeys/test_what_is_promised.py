"""The public form and the page of thanks promise what the policy in force does, without script."""

from __future__ import annotations

import asyncio
import time

from tests.journeys.conftest import Town
from tests.patience import PATIENCE

HTML = {"Accept": "text/html"}


async def says(town: Town, words: str) -> str:
    """The form, once it says this."""
    end = time.monotonic() + PATIENCE
    async with town.web() as reader:
        while words not in (page := (await reader.get("/", headers=HTML)).text):
            assert time.monotonic() < end, page
            await asyncio.sleep(0.1)
    return page


async def test_what_is_published_stands_on_the_form_and_on_the_page_of_thanks(town: Town) -> None:
    # Nobody published anything: what came with the software is told when sla starts.
    await says(town, "我们会在 1 个工作日内回应您。")
    async with await town.as_("admin") as admin:
        policy = (await admin.get("/api/sla/policy")).json()
        body = {k: policy[k] for k in ("rows", "defaults", "reopened_percent")}
        body["rows"]["P3"]["clocks"] |= {"FIRST_RESPONSE": "1h", "RESOLUTION": "1wd"}
        answer = await admin.post("/api/sla/policy", json=body)
        assert answer.is_success, answer.text
    page = await says(town, "我们会在工作时间 1 小时内回应您。")
    assert "1 个工作日内回应您" not in page
    async with town.web() as reader:
        sent = await reader.post("/api/feedback", data={"text": "占座"}, headers=HTML)
        assert 'data-promise="FIRST_RESPONSE">一般：工作时间 1 小时内<' in sent.text
        assert 'data-promise="RESOLUTION">一般：1 个工作日内<' in sent.text
        assert 'data-promise="TRIAGE">一般：工作时间 4 小时内<' in sent.text
        english = await reader.get("/", headers=HTML | {"Accept-Language": "en"})
        assert "You will hear from us within 1 working hour." in english.text
    await town.sound()
