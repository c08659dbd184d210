"""The entry points of the running system, what strangers send, and what an answer must be."""

from __future__ import annotations

import itertools
from typing import Any

import httpx2

from shared.ids import new_id
from tests import support
from tests.fakes.wechat_callbacks import CallbackSender
from tests.journeys.conftest import Town

BODIES = [
    b"",
    b"[",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"\xff\xfe",
    b'{"text":"\xff"}',
    b'{"text":"\\ud800"}',
    b'{"text":"\\ud83d"}',
    b'{"text":NaN}',
    b'{"text":Infinity}',
    b'{"text":' + b"9" * 5000 + b"}",
    b"[" * 100_000,
    b'{"text":' * 50_000,
    b'{"text":"x"' + b',"a":1' * 100_000 + b"}",
    b"--x\r\nContent-Disposition: form-data",
    b"\0" * 1000,
]


def calm(answer: httpx2.Response, what: object = "") -> httpx2.Response:
    """An answer, and not a confession."""
    assert answer.status_code < 500, (what, answer.text[:300])
    assert "Traceback" not in answer.text, what
    assert 'File "' not in answer.text, what
    if answer.status_code >= 400 and "text/html" not in answer.headers["content-type"]:
        assert answer.headers["content-type"] == "application/problem+json", what
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["title"]
        assert problem["detail"]
    return answer


def refused(answer: httpx2.Response, *statuses: int, what: object = "") -> httpx2.Response:
    assert answer.status_code in statuses, (what, answer.status_code, answer.text[:300])
    return calm(answer, what)


async def cases_of(town: Town) -> int:
    async with town.services["intake"].engine.connect() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM submissions")
        return int(found.scalar_one())


def program(town: Town, name: str = "survey") -> str:
    return support.adapter_token(town.runtime, name)


class EntryPoints:
    """Every way in for words; each takes any value and gives the answer."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self._n = itertools.count()

    async def json(self, value: Any) -> httpx2.Response:
        body = {"text": value, "title": value, "status": "CLOSED", "assignee": "x", "due": 1}
        async with self.town.web() as web:
            return await web.post("/api/feedback", json=body)

    async def small_fields(self, value: Any) -> httpx2.Response:
        body = {
            "text": "座位",
            "place": value,
            "category": value,
            "locale": value,
            "contact": dict.fromkeys(("name", "email", "phone", "wechat_openid"), value),
        }
        async with self.town.web() as web:
            return await web.post("/api/feedback", json=body)

    async def form(self, value: Any) -> httpx2.Response:
        async with self.town.web() as web:
            return await web.post(
                "/api/feedback",
                data={"text": str(value), "contact.name": str(value)},
                headers={"Accept": "text/html"},
            )

    async def adapter(self, value: Any) -> httpx2.Response:
        body = {"text": value, "channel": "email", "source_message_id": f"h{next(self._n)}"}
        async with self.town.web(program(self.town)) as web:
            return await web.post("/api/feedback", json=body | {"account": value})

    async def source(self, value: Any) -> httpx2.Response:
        body = {"text": "座位", "channel": value, "source_message_id": value}
        async with self.town.web(program(self.town)) as web:
            return await web.post("/api/feedback", json=body)

    async def desk(self, value: Any) -> httpx2.Response:
        body = {"text": value, "desk": value, "on_behalf_of": value, "place": value}
        async with await self.town.as_("clerk") as web:
            return await web.post("/api/desk/feedback", json=body)

    async def wechat(self, value: Any) -> httpx2.Response:
        created = int(self.town.clock.now().timestamp())
        push = CallbackSender("", "tok", "wx1")
        no_xml = [n for n in range(32) if n not in (9, 10, 13)] + [0xFFFE]
        words = str(value).translate(dict.fromkeys(no_xml))
        query, body = push.sealed(
            # Somebody else each time: who writes again soon goes on about what they said.
            push.text(f"o{new_id()}", words, created=created),
            timestamp=created,
        )
        async with self.town.web() as web:
            return await web.post("/wechat/main", params=query, content=body)

    def all(self) -> dict[str, Any]:
        names = ("json", "small_fields", "form", "adapter", "source", "desk", "wechat")
        return {name: getattr(self, name) for name in names}
