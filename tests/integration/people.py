"""What people and programs do to the system apart, always through the gateway."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx2
from aiokafka import AIOKafkaProducer

from shared.contracts import INBOUND
from tests.fakes.smtp import SmtpSink
from tests.fakes.wechat import FakeWechat
from tests.fakes.wechat_callbacks import CallbackSender
from tests.integration.system import PASSWORD, Apart, until
from tests.patience import PATIENCE

APPID = "wxfakefakefakefake"
ACCOUNT = {"account": "main", "token": "a-callback-token", "aes_key": "B" * 43}
SEAT = "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？"
REPLY = "已请管理员清理占座，并在该区增加巡视。"


@dataclass
class Town:
    """The system, its people, and what is outside."""

    system: Apart
    mail: SmtpSink
    wechat: FakeWechat
    _tokens: dict[str, str] = field(default_factory=dict)
    _visitors: Any = field(default_factory=lambda: itertools.count(2))

    def anybody(self, token: str | None = None) -> httpx2.AsyncClient:
        """A client with an address of its own, so that nobody uses up another's bucket."""
        n = next(self._visitors)
        return self.system.visitor(f"127.0.{1 + n // 250}.{1 + n % 250}", token)

    async def as_(self, username: str) -> httpx2.AsyncClient:
        if username not in self._tokens:
            async with self.anybody() as visitor:
                answer = await visitor.post(
                    "/api/session", json={"username": username, "password": PASSWORD}
                )
            assert answer.status_code == 200, answer.text
            self._tokens[username] = answer.json()["token"]
        return self.anybody(self._tokens[username])

    async def adapter(self, name: str) -> str:
        """A new token, as the command prints it: alone."""
        done = await self.system.run("services.intake", "token", name)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.split()) == 1, done.stdout
        return done.stdout.strip()

    # -- the entry points: each gives (feedback_id, tracking code) --------------------------------

    async def by_web(self, text: str = SEAT, **more: Any) -> tuple[str, str]:
        async with self.anybody() as visitor:
            return receipt_of(await visitor.post("/api/feedback", json={"text": text, **more}))

    async def by_desk(self) -> tuple[str, str]:
        async with await self.as_("clerk") as clerk:
            return receipt_of(
                await clerk.post(
                    "/api/desk/feedback", json={"text": SEAT, "desk": "总服务台", "place": "一层"}
                )
            )

    async def by_adapter(self, token: str, source: str, **more: Any) -> tuple[str, str]:
        async with self.anybody(token) as program:
            return receipt_of(
                await program.post(
                    "/api/feedback",
                    json={"text": SEAT, "channel": "app", "source_message_id": source, **more},
                )
            )

    async def by_kafka(self, token: str, source: str) -> tuple[str, str]:
        """Published; the code is had by sending the same source id over HTTP."""
        words = f"{SEAT} {source}"
        message = {"channel": "app", "account": "kiosk", "source_message_id": source}
        producer = AIOKafkaProducer(bootstrap_servers=self.system.kafka)
        await producer.start()
        try:
            body = json.dumps(message | {"text": words}).encode()
            await producer.send_and_wait(INBOUND, body, key=source.encode())
        finally:
            await producer.stop()
        (case,) = await self.found(source)
        async with self.anybody(token) as program:
            answer = await program.post("/api/feedback", json=message | {"text": words})
        assert answer.status_code == 200, answer.text
        assert answer.json()["feedback_id"] == case
        return receipt_of(answer)

    async def by_wechat(self, openid: str) -> tuple[str, str]:
        """Said to the official account, in safe mode; the code stands in the passive answer."""
        sender = CallbackSender(
            url=f"{self.system.gateway.url}/wechat/{ACCOUNT['account']}",
            token=ACCOUNT["token"],
            appid=APPID,
            aes_key=ACCOUNT["aes_key"],
        )
        self.wechat.did(APPID, openid)
        # Where the first try is not answered in time, the platform sends it again.
        *_, said = await sender.push(sender.text(openid, SEAT))
        assert not said.shows_error_banner, said
        words = sender.read_reply(said.body)["Content"]
        found = re.search(re.escape(self.system.gateway.url) + r"/track/(\S+)", words)
        assert found, words
        code = found[1]
        return (await self.sees(code))["feedback_id"], code

    # -- what is seen -------------------------------------------------------------------------

    async def found(self, words: str) -> list[str]:
        """The cases a coordinator finds by these words, once there is one."""

        async def look() -> list[str]:
            async with await self.as_("coordinator") as coordinator:
                answer = await coordinator.get("/api/cases", params={"q": words})
            return [case["feedback_id"] for case in answer.json().get("items", [])]

        return list(await until(look, within=PATIENCE, what=f"a case with {words!r}"))

    async def sees(self, code: str, *states: str) -> dict[str, Any]:
        """What the reporter sees, once it is there (in one of these states)."""

        async def look() -> dict[str, Any] | None:
            async with self.anybody() as visitor:
                answer = await visitor.get(f"/api/track/{code}")
            if answer.status_code != 200:
                return None
            body = dict(answer.json())
            return body if not states or body["state"] in states else None

        return dict(await until(look, within=PATIENCE, what=f"a case is {' or '.join(states)}"))

    async def act(self, who: str, case: str, action: str, **body: Any) -> dict[str, Any]:
        """A member of staff does something, which works."""
        async with await self.as_(who) as person:
            answer = await person.post(f"/api/cases/{case}/{action}", json=body)
        assert answer.status_code == 200, f"{who} {action}: {answer.text}"
        return dict(answer.json())

    async def answered_and_rated(self, case: str, code: str) -> dict[str, Any]:
        """The ordinary way from dispatch to an end, by the people whose work it is."""
        await self.sees(code, "DISPATCHED")
        await self.act("liaison.space", case, "accept")
        await self.act("liaison.space", case, "assign", to="handler.space")
        await self.act("handler.space", case, "reply", text=REPLY, outcome="solved")
        await self.sees(code, "REPLIED")

        async def rate() -> bool:
            async with self.anybody() as visitor:
                answer = await visitor.post(
                    f"/api/track/{code}/rate", json={"stars": 5, "solved": "yes"}
                )
            # What tracking shows, intake may not know yet.
            assert answer.status_code in (200, 409), answer.text
            return answer.status_code == 200

        await until(rate, within=PATIENCE, what="a rating is taken")
        return await self.sees(code, "CLOSED")


def receipt_of(answer: httpx2.Response) -> tuple[str, str]:
    assert answer.status_code in (200, 201), answer.text
    body = answer.json()
    return body["feedback_id"], body["tracking_code"]
