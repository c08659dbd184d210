"""An official account for the demonstration: its followers' messages, and a platform that takes
every message of ours and sends none on."""

from __future__ import annotations

import hashlib
import json
import random
import re
from datetime import datetime
from xml.sax.saxutils import escape

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from services.demo.asking import Asking, Unexpected

ACCOUNT = "library"
_TOKEN = "demo-only"
_PATH = "/demo/wechat"
_CODE = re.compile(r"/track/([0-9A-Z-]+)")


def setting(url: str) -> str:
    """``EXPRESS_WECHAT`` of a demonstration that runs at `url`."""
    one = {"account": ACCOUNT, "appid": "wx-demo", "secret": "none", "token": _TOKEN}
    return json.dumps([one | {"api_base": url + _PATH}])


def serve_platform(app: FastAPI) -> None:
    """What the system calls instead of WeChat: everything is taken, nothing leaves the machine."""
    platform = APIRouter(prefix=_PATH + "/cgi-bin", include_in_schema=False)

    @platform.post("/stable_token")
    async def token() -> JSONResponse:
        return JSONResponse({"access_token": "demo", "expires_in": 7200})

    @platform.post("/message/custom/send")
    async def send() -> JSONResponse:
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    app.include_router(platform)


async def write(asking: Asking, openid: str, text: str, rng: random.Random) -> str:
    """A follower writes to the account; the tracking code they are told."""
    now: datetime = asking.clock.now()
    moment, nonce = str(int(now.timestamp())), str(rng.getrandbits(48))
    signature = hashlib.sha1("".join(sorted((_TOKEN, moment, nonce))).encode()).hexdigest()
    body = (
        f"<xml><ToUserName>gh_demo</ToUserName><FromUserName>{openid}</FromUserName>"
        f"<CreateTime>{moment}</CreateTime><MsgType>text</MsgType>"
        f"<Content>{escape(text)}</Content><MsgId>{rng.getrandbits(60)}</MsgId></xml>"
    )
    answer = await asking.ask(
        "POST",
        f"/wechat/{ACCOUNT}",
        body.encode(),
        kind="text/xml",
        query={"signature": signature, "timestamp": moment, "nonce": nonce},
        address=asking.address(),
    )
    told = _CODE.search(answer.body.decode())
    if answer.status != 200 or told is None:
        raise Unexpected(f"WeChat: {answer.status} {answer.body[:300]!r}")
    return told[1]
