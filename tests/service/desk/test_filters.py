"""Lists that people keep under a name."""

from __future__ import annotations

import re
from typing import Any

from tests.service.desk.conftest import Desk

FORM = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}


async def keep(who: Any, name: str, query: str) -> Any:
    return await who.post("/desk/filters", content=f"name={name}&query={query}", headers=FORM)


async def kept(who: Any, path: str = "/desk") -> list[tuple[str, str]]:
    """Name and address of each that the page shows."""
    page = (await who.get(path)).text
    links = re.findall(
        r'<a href="([^"]*)" class="queue queue-kept".*?<span[^>]*>(.*?)</span>', page
    )
    return [(name, href.replace("&amp;", "&")) for href, name in links]


async def test_a_list_is_kept_and_found_again(desk: Desk) -> None:
    office = desk.as_("coordinator")
    answer = await keep(office, "网络", "%3Fqueue%3Dopen%26department%3Dit%26cursor%3Dx%26evil%3D1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/desk?queue=open&department=it"
    assert await kept(office) == [("网络", "/desk?queue=open&department=it")]
    here = (await office.get("/desk?department=it&queue=open")).text
    assert re.search(r'queue-kept" aria-current="page"', here)
    assert await kept(desk.as_("coordinator", name="another")) == []
    # Under the same name another list takes its place.
    await keep(office, "网络", "queue%3Dall%26q%3D<b>")
    assert await kept(office) == [("网络", "/desk?queue=all&q=%3Cb%3E")]


async def test_it_is_renamed_and_thrown_away_by_its_owner(desk: Desk) -> None:
    office, other = desk.as_("coordinator"), desk.as_("coordinator", name="another")
    await keep(office, "<b>a", "queue%3Dopen")
    page = (await office.get("/desk")).text
    assert "&lt;b&gt;a" in page
    (one,) = re.findall(r'action="(/desk/filters/[^"/]+)"', page)
    for path in (one, f"{one}/delete", "/desk/filters/x"):
        answer = await other.post(path, content="name=c", headers=FORM)
        assert answer.status_code == 404
    await office.post(one, content="name=b", headers=FORM)
    assert [name for name, _ in await kept(office)] == ["b"]
    assert (await office.post(f"{one}/delete", headers=FORM)).status_code == 303
    assert await kept(office) == []


async def test_what_cannot_be_kept_is_said(desk: Desk) -> None:
    office = desk.as_("coordinator")
    assert (await keep(office, "", "queue%3Dopen")).status_code == 422
    assert (await keep(office, "x" * 61, "queue%3Dopen")).status_code == 422
    assert (await keep(office, "a", "queue%3Dnone%26q%3D%00")).headers["location"] == "/desk?"
    for n in range(30):
        await keep(office, f"n{n}", "queue%3Dopen")
    assert (await keep(office, "one more", "queue%3Dopen")).status_code == 409
    assert (await keep(desk.visitor(), "a", "queue%3Dopen")).status_code == 401


async def test_what_is_asked_for_again_and_again_does_not_ask_for_them(desk: Desk) -> None:
    office = desk.as_("coordinator")
    await keep(office, "a", "queue%3Dopen")
    live = await office.get("/desk", headers={"hx-request": "true", "hx-target": "live"})
    assert live.status_code == 200
    assert "queue-kept" not in live.text


async def test_a_list_that_nobody_could_open_is_not_kept(desk: Desk) -> None:
    office = desk.as_("coordinator")
    for unknown in ("department%3Dnope", "category%3Dnope"):
        assert (await keep(office, "x", f"queue%3Dall%26{unknown}")).status_code == 422
    answer = await keep(office, "x", "queue%3Dall%26state%3DNOPE%26channel%3Dnope")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk?queue=all")
    assert await kept(office) == [("x", "/desk?queue=all")]
