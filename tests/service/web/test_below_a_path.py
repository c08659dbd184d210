"""All of it below a path, as behind a library's own web server: EXPRESS_BASE_URL=…/feedback."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from shared.web.assets import STATIC_DIR
from tests.service.web.conftest import RIGHT, Open

BASE = "https://lib.test/feedback"
HTML = {"accept": "text/html,application/xhtml+xml", "origin": "https://lib.test"}
_ADDRESS = re.compile(
    r"""\b(?:href|action|src|hx-get|hx-post|data-href|data-promises|data-stream)="([^"]+)\""""
)
_SCRIPTS_OWN = re.compile(r"""["'`](/[a-z][^"'`]*)""")


@pytest_asyncio.fixture
async def web(opened: Open) -> AsyncIterator[httpx2.AsyncClient]:
    async with opened(BASE, **HTML) as visitor:
        yield visitor


def addresses(page: str) -> list[str]:
    """What a page links to, sends to, or loads, beyond itself."""
    found = [one for one in _ADDRESS.findall(page) if not one.startswith(("?", "#"))]
    assert found
    return found


async def sign_in(web: httpx2.AsyncClient, wanted: str = "/desk") -> httpx2.Response:
    return await web.post(f"{BASE}/api/session", data=RIGHT | {"next": wanted})


async def test_every_address_of_every_page_is_below_it(web: httpx2.AsyncClient) -> None:
    pages = [await web.get(f"{BASE}{path}") for path in ("", "/", "/signin", "/no-such-page")]
    sent = await web.post(f"{BASE}/api/feedback", data={"text": "三层东区217一上午都占着"})
    assert sent.status_code == 201
    pages.append(sent)
    assert (await sign_in(web)).status_code == 303
    for path in ("/desk", "/desk/new", "/dashboard", "/dashboard/cases", "/routing"):
        page = await web.get(f"{BASE}{path}")
        assert page.status_code == 200, path
        pages.append(page)
    pages.append(await web.get(f"{BASE}/routing/edit"))
    assets = set()
    for page in pages:
        for address in addresses(page.text):
            inside = address.removeprefix("https://lib.test")
            assert inside == "/feedback" or inside.startswith(("/feedback/", "/feedback?")), address
            if "/static/" in inside:
                assets.add(inside)
    assert assets
    for address in assets:
        assert (await web.get(f"https://lib.test{address}")).status_code == 200, address


async def test_signing_in_and_out_stays_below_it(web: httpx2.AsyncClient) -> None:
    away = await web.get(f"{BASE}/desk?queue=all")
    assert away.headers["location"] == "/feedback/signin?next=/desk%3Fqueue%3Dall"
    signed_in = await sign_in(web, "/desk?queue=all")
    assert signed_in.headers["location"] == "/feedback/desk?queue=all"
    assert "; Path=/feedback;" in signed_in.headers["set-cookie"]
    assert (await web.get(f"{BASE}/desk")).status_code == 200
    chosen = await web.get(f"{BASE}/signin?lang=en")
    assert "Path=/feedback" in chosen.headers.get("set-cookie", "Path=/feedback")
    out = await web.post(f"{BASE}/desk/signout")
    assert out.headers["location"] == "/feedback/signin"
    assert "; Path=/feedback;" in out.headers["set-cookie"]
    assert (await web.get(f"{BASE}/desk")).status_code == 303


async def test_programs_are_told_addresses_below_it(web: httpx2.AsyncClient) -> None:
    receipt = (await web.post(f"{BASE}/api/feedback", json={"text": "打印机卡纸"})).json()
    assert receipt["track_url"] == f"{BASE}/track/{receipt['tracking_code']}"
    described = (await web.get(f"{BASE}/api/openapi.json")).json()
    assert described["servers"] == [{"url": "/feedback"}]


async def test_probes_and_proxies_that_take_the_path_off_are_answered(
    web: httpx2.AsyncClient,
) -> None:
    for path in ("/health/live", "/metrics", "/", "/signin"):
        assert (await web.get(f"https://lib.test{path}")).status_code == 200, path


@pytest.mark.parametrize("name", ["express.js", "charts.js", "morph.js"])
def test_scripts_write_no_address_of_their_own(name: str) -> None:
    found = _SCRIPTS_OWN.findall((STATIC_DIR / name).read_text())
    assert [one for one in found if not one.startswith("/${")] == []
