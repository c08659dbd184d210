"""What every request passes: HEAD, and a path before everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

from shared.web.edge import Edge

app = FastAPI()
app.router.redirect_slashes = False


@app.get("/plain")
async def plain(request: Request) -> Response:
    return PlainTextResponse(request.url.path)


@app.get("/missing")
async def missing() -> Response:
    return JSONResponse({"no": "such thing"}, 404)


@app.get("/")
@app.get("/feedback-form")
async def home(request: Request) -> Response:
    answer = PlainTextResponse(request.url.path)
    answer.set_cookie("seen", "a path=/ in a value", path="/")
    answer.set_cookie("narrow", "1", path="/plain")
    return answer


@app.get("/away")
async def away(to: str) -> Response:
    return RedirectResponse(to, 303)


@app.get("/stream")
async def stream() -> Response:
    async def lines() -> AsyncIterator[str]:
        while True:
            yield "data: 1\n\n"
            await asyncio.sleep(3600)

    return StreamingResponse(lines(), media_type="text/event-stream")


def visitor(base_path: str = "") -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=Edge(app, base_path))
    return httpx2.AsyncClient(transport=transport, base_url="http://fx.test")


@pytest.mark.parametrize("path", ["/plain", "/missing", "/", "/away?to=/plain"])
async def test_head_is_get_without_the_body(path: str) -> None:
    async with visitor() as web:
        got, head = await web.get(path), await web.head(path)
    assert head.content == b""
    assert head.status_code == got.status_code
    assert dict(head.headers) == dict(got.headers)


async def test_head_of_a_stream_comes_to_an_end() -> None:
    async with visitor() as web:
        head = await web.head("/stream")
    assert (head.status_code, head.content) == (200, b"")


async def test_what_takes_no_get_takes_no_head() -> None:
    async with visitor() as web:
        assert (await web.head("/no-such")).status_code == 404


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/feedback", "/"),
        ("/feedback/", "/"),
        ("/feedback/plain", "/plain"),
        ("/plain", "/plain"),  # a proxy took the path off already
        ("/feedback-form", "/feedback-form"),
    ],
)
async def test_a_path_before_everything_is_taken_off(path: str, inside: str) -> None:
    async with visitor("/feedback") as web:
        answer = await web.get(path)
    assert (answer.status_code, answer.text) == (200, inside)


@pytest.mark.parametrize(
    ("to", "location"),
    [
        ("/plain?x=1", "/feedback/plain?x=1"),
        ("//evil.test/", "//evil.test/"),
        ("https://other.test/plain", "https://other.test/plain"),
    ],
)
async def test_redirects_stay_below_it(to: str, location: str) -> None:
    async with visitor("/feedback") as web:
        answer = await web.get("/feedback/away", params={"to": to})
    assert answer.headers["location"] == location


async def test_a_slash_at_the_end_is_taken_off_below_it() -> None:
    async with visitor("/feedback") as web:
        answer = await web.get("/feedback/plain/?x=1")
    assert (answer.status_code, answer.headers["location"]) == (308, "/feedback/plain?x=1")


async def test_cookies_belong_to_it() -> None:
    async with visitor("/feedback") as web:
        answer = await web.get("/feedback/")
    seen, narrow = answer.headers.get_list("set-cookie")
    assert "a path=/ in a value" in seen
    assert "; Path=/feedback;" in f"{seen};"
    assert "; Path=/plain;" in f"{narrow};"
