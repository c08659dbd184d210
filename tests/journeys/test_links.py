"""Whoever is shown a link can open it."""

from __future__ import annotations

import re
from html import unescape
from importlib import import_module
from urllib.parse import urljoin, urlsplit

from typer.main import get_command

from services.__main__ import NAMES
from tests.journeys.conftest import Town

OFFICE = ("auditor", "admin", "coordinator", "leader", "clerk", "student")
STAFF = (*OFFICE, "liaison.it", "handler.it", "reviewer.it")
BEGIN = ("/desk", "/desk?queue=owed", "/desk/account")
_HREF = re.compile(r'<a\b[^>]*?href="([^"#][^"]*)"')
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[A-Z_]{5,}")


async def test_every_link_that_anybody_is_shown_opens(town: Town) -> None:
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
    wrong = {who: await _that_do_not_open(town, who) for who in STAFF}
    assert wrong == {who: [] for who in STAFF}


async def test_an_administrator_is_told_what_can_be_done_here_and_by_which_command(
    town: Town,
) -> None:
    async with await town.as_("admin") as web:
        web.headers["accept"] = "text/html"
        page = (await web.get("/desk")).text
        for href in ("/routing", "/sla/policy", "/sla/calendar", "/reports/mailed"):
            assert f'<li><a href="{href}">' in page
        assert "新来的会自己出现在这里" not in page
        assert 'name="q"' not in page
        known = {f"services.{name}": commands(name) for name in NAMES} | {"services": commands()}
        named = re.findall(r"<code>python -m (services[.\w]*) ([\w-]+)</code>", page)
        assert len(named) == page.count("<code>") > 10
        assert [one for one in named if one[1] not in known[one[0]]] == []
    async with await town.as_("coordinator") as web:
        web.headers["accept"] = "text/html"
        assert 'id="administrator"' not in (await web.get("/desk")).text


def commands(name: str = "") -> set[str]:
    """What can be given to the command line of a service, or of the whole system."""
    module = import_module(f"services.{name}.commands" if name else "services.__main__")
    return {*get_command(module.cli).commands}  # type: ignore[attr-defined]


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
