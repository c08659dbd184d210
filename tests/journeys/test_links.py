"""Whoever is shown a link can open it."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

from tests.journeys.conftest import Town

BEGIN = ("/desk", "/desk?queue=owed", "/desk/account", "/dashboard")
_HREF = re.compile(r'<a\b[^>]*?href="([^"#][^"]*)"')
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[A-Z_]{5,}")


async def test_every_link_that_an_auditor_is_shown_opens(town: Town) -> None:
    receipts = [await town.submit("占座没人管，三层东区") for _ in range(2)]
    for one in receipts:
        await town.sees_any(one["tracking_code"])
    await town.quiet()
    ids = [one["feedback_id"] for one in receipts]
    async with await town.as_("coordinator") as office:
        many = {"feedback_ids": ids, "reason": "归信息系统部", "department": "it"}
        assert (await office.post("/api/cases/bulk/dispatch", json=many)).status_code == 200
        made = {"title": "占座", "text": "正在处理。", "feedback_ids": ids}
        assert (await office.post("/api/incidents", json=made)).status_code == 201
    await town.quiet()
    assert await _that_do_not_open(town, "auditor") == []


async def _that_do_not_open(town: Town, who: str) -> list[tuple[str, str, int]]:
    """(address, page it stands on, status), each kind of address once."""
    wrong, left, seen = [], [(path, "") for path in BEGIN], set(BEGIN)
    async with await town.as_(who) as web:
        web.headers["accept"] = "text/html"
        while left:
            path, page = left.pop(0)
            answer = await web.get(path)
            if answer.status_code not in (200, 303, 307):
                wrong.append((path, page, answer.status_code))
            if "html" not in answer.headers.get("content-type", ""):
                continue
            for href in _HREF.findall(answer.text):
                to = urlsplit(urljoin(path, unescape(href)))
                if to.netloc or "lang=" in to.query:
                    continue
                named = "&".join(one.partition("=")[0] for one in to.query.split("&"))
                kind = _ID.sub("*", f"{to.path}?{named}")
                if kind not in seen:
                    seen.add(kind)
                    left.append((to._replace(fragment="").geturl(), path))
    return wrong
