"""What programs send and ask, whatever their libraries say about HTML."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from tests.service.web.conftest import RIGHT, Open

JAVA = {"accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}
JSON_TYPES = ["application/json", "application/json; charset=utf-8", "Application/Vnd.Fx+JSON"]


@pytest_asyncio.fixture
async def web(opened: Open) -> AsyncIterator[httpx2.AsyncClient]:
    async with opened("https://fx.test", **JAVA) as visitor:
        yield visitor


@pytest.mark.parametrize("kind", JSON_TYPES)
async def test_who_sends_json_is_answered_in_json(web: httpx2.AsyncClient, kind: str) -> None:
    async def post(path: str, body: str) -> httpx2.Response:
        return await web.post(path, content=body.encode(), headers={"content-type": kind})

    taken = await post("/api/feedback", '{"text": "打印机卡纸"}')
    assert (taken.status_code, taken.headers["content-type"]) == (201, "application/json")
    code = taken.json()["tracking_code"]
    signed_in = await post("/api/session", str(RIGHT).replace("'", '"'))
    assert (signed_in.status_code, signed_in.json()["user"]["name"]) == (200, "coordinator")
    token = signed_in.json()["token"]
    web.cookies.clear()
    for path, body, status in (
        ("/api/feedback", "{}", 422),
        ("/api/feedback", "{", 400),
        ("/api/feedback", "[]", 422),
        ("/api/feedback", '{"text": ' + "[" * 50_000, 400),
        ("/api/feedback", '{"text": ' + "[" * 600 + "]" * 600 + "}", 422),
        ("/api/session", '{"username": "coordinator", "password": "no"}', 401),
        ("/api/session", "{", 400),
        (f"/api/track/{code}/no-such", "{}", 404),
        (f"/api/track/{code}/rate", "{}", 409),
        ("/api/cases/F-1/accept", "{}", 401),
        ("/no-such", "{}", 404),
        ("/signin", "{}", 405),
    ):
        refused = await post(path, body)
        assert refused.status_code == status, (path, body)
        assert refused.headers["content-type"] == "application/problem+json", (path, body)
        assert refused.json()["detail"]
    web.headers["authorization"] = f"Bearer {token}"
    for path, status in (("/api/cases/F-1/accept", 404), ("/api/desk/feedback", 422)):
        refused = await post(path, "{}")
        assert refused.status_code == status, path
        assert refused.headers["content-type"] == "application/problem+json", path


async def test_a_program_that_asks_is_answered_in_json(web: httpx2.AsyncClient) -> None:
    for method, path, status in (
        ("GET", "/api/cases", 401),
        ("DELETE", "/api/session", 401),
        ("GET", "/api/track/0000-0000", 404),
        ("GET", "/api/no-such", 404),
        ("HEAD", "/api/cases", 401),
    ):
        refused = await web.request(method, path)
        assert (refused.status_code, refused.headers["content-type"]) == (
            status,
            "application/problem+json",
        ), path
    for kind in ("text/json", "application/xml", "text/plain"):
        refused = await web.post("/api/feedback", content=b"{}", headers={"content-type": kind})
        assert refused.headers["content-type"] == "application/problem+json", kind
    refused = await web.post(
        "/api/cases/F-1/accept", headers={"authorization": "Bearer gone.for.good"}
    )
    assert (refused.status_code, refused.headers["content-type"]) == (
        401,
        "application/problem+json",
    )
    page = await web.get("/track/0000-0000")
    assert page.headers["content-type"].startswith("text/html")


async def test_a_form_is_answered_with_pages(web: httpx2.AsyncClient) -> None:
    taken = await web.post("/api/feedback", data={"text": "打印机卡纸"})
    assert (taken.status_code, taken.headers["content-type"]) == (201, "text/html; charset=utf-8")
    signed_in = await web.post("/api/session", data=RIGHT)
    assert signed_in.status_code == 303


@pytest.mark.parametrize(
    "accept", ["application/json, text/html;q=0.5", "text/html;q=0", "*/*", "application/json"]
)
async def test_who_likes_json_better_gets_it(web: httpx2.AsyncClient, accept: str) -> None:
    answer = await web.post("/api/feedback", data={"text": "卡纸"}, headers={"accept": accept})
    assert answer.headers["content-type"] == "application/json"


async def test_head_is_get_without_the_body_everywhere(web: httpx2.AsyncClient) -> None:
    receipt = (await web.post("/api/feedback", json={"text": "打印机卡纸"})).json()
    code = receipt["tracking_code"]
    paths = ["/", "/signin", "/health/live", "/health/ready", "/metrics", "/api/openapi.json"]
    paths += ["/desk", "/api/cases", "/api/dashboard", "/no-such", "/track/0000-0000"]
    paths += [f"/track/{code[:-1]}", f"/api/track/{code[:-1]}", "/api/routing/rules", "/signin/"]
    for path in paths:
        got, head = await web.get(path), await web.head(path)
        assert head.status_code == got.status_code, path
        assert head.content == b"", path
        assert head.headers["content-type" if "content-type" in got.headers else "location"], path
