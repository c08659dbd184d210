"""The shipped gateway before six stand-ins that say who they are and what they were told."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from services.__main__ import NAMES
from services.intake.api.pictures import LARGEST_FORM
from shared.web.edge import MAX_BODY
from tests.fakes.serving import serving
from tests.integration.system import Gateway, free_ports
from tests.patience import ANSWER, plain

MAP = {
    "intake": """
        GET /                     POST /api/feedback       POST /api/desk/feedback
        GET /desk/new             GET /wechat/main         POST /wechat/main
        POST /api/track/abc/rate  POST /api/track/abc/urge POST /api/track/abc/reopen
        POST /api/track/abc/supplement  POST /api/track/abc/withdraw  POST /api/track/abc/appeal
        GET /pictures/P-1         HEAD /pictures/P-1
        GET /static/express.css   GET /nowhere""",
    "tracking": """
        GET /track/abc            GET /api/track/abc       GET /api/track/abc/stream
        HEAD /api/track/abc       GET /dashboard           GET /api/dashboard
        GET /reports              GET /api/reports/cases.csv""",
    "desk": """
        GET /signin               POST /api/session        DELETE /api/session
        GET /desk                 GET /desk/cases/F-1      POST /desk/signout
        GET /api/cases            GET /api/cases/F-1       POST /api/cases/F-1/accept
        GET /admin                GET /admin/people        GET /api/themes
        GET /api/surges           POST /api/surges/1/confirm
        GET /api/theme-suggestions
        POST /api/themes/1/cases  GET /desk/themes         POST /api/session/reports""",
    "routing": "GET /routing  GET /routing/rules  GET /api/routing/rules",
    "sla": """
        GET /sla  GET /sla/calendar  GET /api/sla/due  POST /api/sla/policy
        GET /api/cases/F-1/promises/RESOLUTION  GET /sla/cases/F-1/promises/RESOLUTION
        GET /sla/why/W-1""",
    "notification": "GET /notification  POST /api/notification/deliveries/1/resend",
}


def stand_in(name: str) -> FastAPI:
    app = FastAPI()

    @app.get("/api/track/{code}/stream")
    async def stream(request: Request) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            n = 0
            while not await request.is_disconnected():
                n += 1
                yield f"id: {n}\ndata: {name}\n\n"
                await asyncio.sleep(0.2)

        return StreamingResponse(lines(), media_type="text/event-stream", headers={"X-Owner": name})

    @app.api_route("/broken", methods=["GET"])
    async def broken() -> Response:
        return JSONResponse({"title": "ours"}, 503, media_type="application/problem+json")

    @app.api_route("/{path:path}", methods=["GET", "HEAD", "POST", "DELETE", "PUT"])
    async def echo(request: Request) -> JSONResponse:
        body = await request.body()
        forwarded = {k: v for k, v in request.headers.items() if "forward" in k or "real" in k}
        return JSONResponse(
            {"owner": name, "forwarded": forwarded, "bytes": len(body), "path": request.url.path},
            headers={"X-Owner": name},
        )

    return app


@pytest_asyncio.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with AsyncExitStack() as stack:
        owners = {}
        for name in NAMES:
            url = await stack.enter_async_context(serving(stand_in(name)))
            owners[name] = url.removeprefix("http://")
        gateway = Gateway(tmp_path_factory.mktemp("gateway"), owners)
        await gateway.start()
        yield gateway
        assert await gateway.stop() == 0


def visiting(gateway: Gateway) -> httpx2.AsyncClient:
    return plain(base_url=gateway.url, timeout=ANSWER)


@pytest_asyncio.fixture
async def visitor(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    async with visiting(gateway) as client:
        yield client


@pytest.mark.parametrize("owner", NAMES)
async def test_a_path_goes_to_its_owner(visitor: httpx2.AsyncClient, owner: str) -> None:
    words = MAP[owner].split()
    for method, path in zip(words[::2], words[1::2], strict=True):
        if path.endswith("/stream"):
            async with visitor.stream(method, path) as answer:
                assert await anext(answer.aiter_lines()) == "id: 1"
                assert answer.headers["x-owner"] == owner, path
            continue
        answer = await visitor.request(method, path)
        assert answer.status_code == 200, path
        assert answer.headers["x-owner"] == owner, path


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "/health/ready", "/health", "//metrics", "/x/../metrics",
             "/%6detrics", "/./health/ready", "/gateway/away.json"]
)  # fmt: skip
async def test_what_is_for_operators_is_not_for_the_public(gateway: Gateway, path: str) -> None:
    # A client library would tidy the path, so the request is written by hand.
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 404 " in head.splitlines()[0]
    assert b"application/problem+json" in head
    assert b"Retry-After" not in head
    assert json.loads(body)["status"] == 404


async def test_the_gateway_says_that_it_lives_without_asking_anybody(
    visitor: httpx2.AsyncClient,
) -> None:
    answer = await visitor.get("/health/live")
    assert (answer.status_code, answer.text) == (200, "alive\n")


async def test_a_client_cannot_say_who_it_is(visitor: httpx2.AsyncClient) -> None:
    lies = {
        "X-Forwarded-For": "198.51.100.7, 127.0.0.1",
        "X-Forwarded-Proto": "https",
        "X-Real-IP": "198.51.100.7",
        "Forwarded": "for=198.51.100.7",
    }
    forwarded = (await visitor.get("/signin", headers=lies)).json()["forwarded"]
    assert forwarded == {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http"}


async def test_a_balancer_that_was_named_may_say_who_the_client_is(
    gateway: Gateway, tmp_path: Path
) -> None:
    behind = Gateway(tmp_path, gateway.owners, behind="127.0.0.1")
    await behind.start()
    try:
        async with plain(base_url=behind.url, timeout=ANSWER) as client:
            answer = await client.get(
                "/signin", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
            )
        assert answer.json()["forwarded"]["x-forwarded-for"] == "198.51.100.7"
    finally:
        await behind.stop()


async def test_a_body_may_have_one_megabyte(visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.post("/api/session", content=b"x" * MAX_BODY)
    assert answer.json()["bytes"] == MAX_BODY
    for headers in ({}, {"Accept": "text/html"}):
        answer = await visitor.post("/api/session", content=b"x" * (MAX_BODY + 1), headers=headers)
        assert answer.status_code == 413
        kind = "text/html" if headers else "application/problem+json"
        assert answer.headers["content-type"].startswith(kind)
        assert "1 MB" in answer.text


async def test_a_body_without_a_length_is_measured_as_it_comes(visitor: httpx2.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield b"x" * 100_000

    answer = await visitor.post("/api/session", content=pieces())
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/api/feedback", "/api/desk/feedback", "/api/track/abc/supplement"]
)
async def test_where_words_may_have_pictures_a_body_may_be_larger(
    visitor: httpx2.AsyncClient, path: str
) -> None:
    answer = await visitor.post(path, content=b"x" * LARGEST_FORM)
    assert answer.json() == answer.json() | {"bytes": LARGEST_FORM, "owner": "intake"}
    answer = await visitor.post(path, content=b"x" * (LARGEST_FORM + 1))
    assert (answer.status_code, "26 MB" in answer.text) == (413, True)


async def test_a_line_of_a_stream_comes_before_the_next_is_written(
    visitor: httpx2.AsyncClient,
) -> None:
    seen: list[str] = []
    async with visitor.stream("GET", "/api/track/abc/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            seen.append(line)
            # The stand-in never ends: a gateway that kept lines back would give none.
            if seen.count("data: tracking") == 3:
                break
    assert [line for line in seen if line.startswith("id")] == ["id: 1", "id: 2", "id: 3"]


async def test_an_owner_that_is_away_is_a_503_with_a_sentence_and_others_go_on(
    gateway: Gateway, tmp_path: Path
) -> None:
    (nobody,) = free_ports(1)
    lame = Gateway(tmp_path, gateway.owners | {"desk": f"127.0.0.1:{nobody}"})
    await lame.start()
    try:
        async with visiting(lame) as client:
            program = await client.post("/api/session", json={})
            person = await client.get("/desk", headers={"Accept": "text/html,*/*;q=0.8"})
            other = await client.get("/")
    finally:
        await lame.stop()
    assert program.status_code == person.status_code == 503
    assert program.headers["retry-after"] == person.headers["retry-after"] == "5"
    assert program.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert program.json()["status"] == 503
    assert "请几秒钟后再试" in person.text
    assert other.json()["owner"] == "intake"


@pytest_asyncio.fixture(scope="module")
async def below(
    gateway: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    """The gateway of a system whose addresses begin with a path."""
    (nobody,) = free_ports(1)
    owners = gateway.owners | {"sla": f"127.0.0.1:{nobody}"}
    below = Gateway(tmp_path_factory.mktemp("below"), owners, prefix="/feedback")
    await below.start()
    yield below
    assert await below.stop() == 0


@pytest.mark.parametrize("owner", [name for name in NAMES if name != "sla"])
@pytest.mark.parametrize("prefix", ["/feedback", ""])
async def test_a_path_before_everything_changes_no_owner(
    below: Gateway, owner: str, prefix: str
) -> None:
    async with visiting(below) as visitor:
        words = MAP[owner].split()
        for method, path in zip(words[::2], words[1::2], strict=True):
            if path.endswith("/stream"):
                async with visitor.stream(method, prefix + path) as answer:
                    assert answer.headers["x-owner"] == owner, path
                continue
            answer = await visitor.request(method, prefix + path)
            assert answer.headers["x-owner"] == owner, path
            if method != "HEAD":
                assert answer.json()["path"] == prefix + path


async def test_what_the_gateway_says_itself_is_below_it_too(below: Gateway) -> None:
    async with visiting(below) as visitor:
        for path in ("/metrics", "/feedback/metrics", "/feedback/health/ready"):
            assert (await visitor.get(path)).status_code == 404, path
        for path in ("/health/live", "/feedback/health/live"):
            assert (await visitor.get(path)).text == "alive\n", path
        page = await visitor.get("/feedback/sla", headers={"Accept": "text/html"})
        assert page.status_code == 503
        assert 'href="/feedback/"' in page.text
        await visitor.get("/feedback/track/SECRET-CODE")
    for _ in range(2000):
        if below.requests()[-1]["path"].startswith("/feedback/track"):
            break
        await asyncio.sleep(0.05)
    # The page it answers with is not the one that was asked for.
    away, code = below.requests()[-2:]
    assert (away["path"], away["status"], code["path"]) == (
        "/feedback/sla",
        503,
        "/feedback/track/-",
    )
    assert "[warn]" not in (below.directory / "gateway.log").read_text()


async def test_who_sends_json_is_told_in_json(below: Gateway) -> None:
    java = {"Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}
    async with visiting(below) as visitor:
        program = await visitor.post("/feedback/api/sla/policy", json={}, headers=java)
        person = await visitor.post("/feedback/api/sla/policy", data={"a": "b"}, headers=java)
    assert program.headers["content-type"].startswith("application/problem+json")
    assert person.headers["content-type"].startswith("text/html")


async def test_what_a_service_answers_is_passed_on_as_it_is(visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.get("/broken")
    assert (answer.status_code, answer.json()) == (503, {"title": "ours"})
    assert "retry-after" not in answer.headers


async def test_the_log_of_requests_holds_no_tracking_code_no_query_and_no_address(
    gateway: Gateway, visitor: httpx2.AsyncClient
) -> None:
    for path in ("/track/SECRET-CODE", "/api/track/SECRET-CODE?x=1", "/?place=SECRET-CODE"):
        await visitor.get(path)

    def written() -> list[dict[str, Any]]:
        return gateway.requests()[-3:]

    for _ in range(2000):
        if [line["path"] for line in written()] == ["/track/-", "/api/track/-", "/"]:
            break
        await asyncio.sleep(0.05)
    assert [line["path"] for line in written()] == ["/track/-", "/api/track/-", "/"]
    text = (gateway.directory / "run" / "requests").read_text()
    assert "SECRET-CODE" not in text
    for line in gateway.requests():
        assert not {"address", "remote_addr", "client"} & line.keys()


async def test_a_client_that_sends_nothing_costs_the_others_nothing(
    gateway: Gateway, visitor: httpx2.AsyncClient
) -> None:
    idle = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(300)]
    try:
        for one in idle:
            one.sendall(b"POST /api/feedback HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{")
        assert (await visitor.get("/")).json()["owner"] == "intake"
    finally:
        for one in idle:
            one.close()
