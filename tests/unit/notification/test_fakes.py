"""The fakes must be as strict as what they stand for; other tests lean on them."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import httpx2
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from tests.fakes.serving import serving
from tests.fakes.wechat import FakeWechat, make_app
from tests.fakes.wechat_callbacks import CallbackSender, Try


async def test_a_slow_callback_gets_the_same_push_three_times_and_they_overlap() -> None:
    entry_point, seen, at_once, most = FastAPI(), [], 0, 0
    all_sent = asyncio.Event()

    @entry_point.post("/wechat/main")
    async def slow(request: Request) -> PlainTextResponse:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        seen.append((dict(request.query_params), await request.body()))
        await all_sent.wait()
        at_once -= 1
        return PlainTextResponse("success")

    async with serving(entry_point) as url:
        sender = CallbackSender(url + "/wechat/main", "token", "wx1")
        tries = await sender.push(sender.text("oUser", "慢"), wait=1.0)
        all_sent.set()
    assert [one.status for one in tries] == [None, None, None]
    assert len(seen) == 3
    assert seen[0] == seen[1] == seen[2]
    assert most > 1


async def test_a_quick_callback_gets_one_push_and_overlap_sends_all() -> None:
    entry_point, seen = FastAPI(), []

    @entry_point.post("/wechat/main")
    async def quick(request: Request) -> PlainTextResponse:
        seen.append(await request.body())
        return PlainTextResponse("success")

    async with serving(entry_point) as url:
        sender = CallbackSender(url + "/wechat/main", "token", "wx1", "A" * 43)
        assert await sender.push(sender.text("oUser", "快")) == [Try(200, "success")]
        assert len(seen) == 1
        tries = await sender.push(sender.text("oUser", "快"), overlap=0.01)
    assert [one.shows_error_banner for one in tries] == [False] * 3
    assert len(seen) == 4


async def test_the_fake_shows_escapes_as_the_platform_does() -> None:
    fake = FakeWechat(always_open=True)
    async with serving(make_app(fake)) as url, httpx2.AsyncClient(base_url=url) as client:
        asked = {"grant_type": "client_credential", "appid": "wx1", "secret": "x"}
        token = (await client.post("/cgi-bin/stable_token", json=asked)).json()["access_token"]
        await client.post(
            f"/cgi-bin/message/custom/send?access_token={token}",
            content=b'{"touser":"o","msgtype":"text","text":{"content":"\\u4f60"}}',
        )
        listed = (await client.get("/_fake/deliveries")).json()
    assert listed[0]["text"] == "\\u4f60"


async def test_the_fake_is_steered_from_another_process() -> None:
    fake = FakeWechat()
    async with serving(make_app(fake)) as url, httpx2.AsyncClient(base_url=url) as client:
        asked = {"grant_type": "client_credential", "appid": "wx1", "secret": "x"}
        token = (await client.post("/cgi-bin/stable_token", json=asked)).json()["access_token"]
        body = {"touser": "o", "msgtype": "text", "text": {"content": "x"}}

        async def code() -> int:
            path = f"/cgi-bin/message/custom/send?access_token={token}"
            return int((await client.post(path, json=body)).json()["errcode"])

        assert await code() == 45015
        await client.post("/_fake/did", json={"appid": "wx1", "openid": "o", "what": "follow"})
        assert [await code() for _ in range(4)] == [0, 0, 0, 45047]
        await client.post("/_fake/did", json={"appid": "wx1", "openid": "o"})
        await client.post("/_fake/fail", json={"errcode": 45009, "times": 2})
        assert [await code() for _ in range(3)] == [45009, 45009, 0]
        await client.post("/_fake/tokens/revoke")
        assert await code() == 40001
        token = (await client.post("/cgi-bin/stable_token", json=asked)).json()["access_token"]
        await client.post("/_fake/clock", json={"hours": 49})
        assert await code() == 42001
        token = (await client.post("/cgi-bin/stable_token", json=asked)).json()["access_token"]
        assert await code() == 45015


def test_the_fake_can_be_started_by_hand() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "tests.fakes.wechat", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--port" in shown.stdout
