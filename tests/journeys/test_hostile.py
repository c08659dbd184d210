"""What strangers will send, through every door of the running house.

Each input is inert text or a short no. Afterwards nobody else's case has changed, and nothing that
went in became poison further on.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts import INBOUND, INBOUND_REJECTED
from shared.security import SESSION_LIFE, Signer
from shared.web.auth import COOKIE
from tests.fakes.wechat_callbacks import CallbackSender, sign
from tests.journeys.conftest import Town

SCRIPTS = [
    "<script>alert(1)</script>",
    "占座<img src=x onerror=alert(1)>管不管",
    '"><svg/onload=alert(1)>',
    "javascript:alert(1) data:text/html;base64,PHNjcmlwdD4=",
    "{{1234*1234}} ${1234*1234} <%= 1234*1234 %> #{1234*1234} {%print(1234*1234)%}",
    "</textarea></script><script>alert(1)</script>",
    "＜script＞alert(1)＜/script＞",
    "[x](javascript:alert(1)) ![](http://e/x.png)",
]
STRANGE = [
    "\u202egnp.exe 占座",
    "a\u200bb\u200cc\u200dd\u2066e\ufeff",
    "a" + "\u0301" * 5000,
    "👨\u200d👩\u200d👧\u200d👦🏳️\u200d🌈 𠮷野家",
    "x\u0085\u2028\u2029y",
    "\x1b[31mred\x1b[0m\x07",
    "\U0010ffff\ufffe",
    "'; DROP TABLE submissions; --",
    "100%_\\ %s %n $1 :name ?",
    "=cmd|' /C calc'!A0",
    'line\n{"level":"error","event":"forged"}',
    "${jndi:ldap://e/x} ../../etc/passwd CON",
    "1" * 20_000,
    "a@" * 10_000,
    "ﷺ" * 10_000,
]
A_SECOND = timedelta(seconds=1)
TEXTS = [*SCRIPTS, *STRANGE]
BLANKS = ["", " ", "\n\t", "\u3000", "\u200b", "\u2800", "\u3164", "\ufeff\u00ad", "\u200e\u3000"]
NEVER = ["a\0b", "\0"]
LONG = ["x" * 50_001, "占" * 60_000]
NO_TEXT = [None, 0, True, 1.5, [], {}, ["x"], {"a": 1}]
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
TYPES = [
    "text/plain",
    "text/xml",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-7",
    "application/x-www-form-urlencoded; charset=punycode",
    "application/octet-stream",
    "x" * 500,
    "application/json;;;=",
]


def calm(answer: httpx2.Response, what: object = "") -> httpx2.Response:
    """An answer, and not a confession."""
    assert answer.status_code < 500, (what, answer.text[:300])
    assert "Traceback" not in answer.text, what
    assert 'File "' not in answer.text, what
    if answer.status_code >= 400 and "text/html" not in answer.headers["content-type"]:
        assert answer.headers["content-type"] == "application/problem+json", what
        told = answer.json()
        assert told["status"] == answer.status_code
        assert told["title"]
        assert told["detail"]
    return answer


def refused(answer: httpx2.Response, *statuses: int, what: object = "") -> httpx2.Response:
    assert answer.status_code in statuses, (what, answer.status_code, answer.text[:300])
    return calm(answer, what)


async def cases_of(town: Town) -> int:
    async with town.services["intake"].engine.connect() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM submissions")
        return int(found.scalar_one())


def program(town: Town, name: str = "survey") -> str:
    return town.house.signer.adapter_token(f"id-{name}", name)


class Doors:
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
            push.text(f"o{next(self._n)}", words, created=created), timestamp=created
        )
        async with self.town.web() as web:
            return await web.post("/wechat/main", params=query, content=body)

    def all(self) -> dict[str, Any]:
        names = ("json", "small_fields", "form", "adapter", "source", "desk", "wechat")
        return {name: getattr(self, name) for name in names}


@pytest.fixture
def doors(town: Town) -> Doors:
    return Doors(town)


@pytest_asyncio.fixture(scope="module", autouse=True)
async def _nobody_else_is_touched(town: Town) -> AsyncIterator[None]:
    """A case that stands by while all this comes in, and a house that is sound afterwards."""
    victim = await town.submit("二层还书机吞书，屏幕是黑的。", title="还书机")
    await town.sees(victim["tracking_code"], "DISPATCHED")
    await town.quiet()
    before = await _as_seen(town, victim)
    yield
    await town.sound()
    assert await _as_seen(town, victim) == before


async def _as_seen(town: Town, receipt: dict[str, str]) -> list[dict[str, Any]]:
    """A case as staff and its reporter see it; messages may still go out about it."""
    async with await town.as_("coordinator") as staff:
        case = (await staff.get(f"/api/cases/{receipt['feedback_id']}")).json()
    seen = [case, await town.track(receipt["tracking_code"])]
    for one in seen:
        one["timeline"] = [
            line for line in one["timeline"] if not line["type"].startswith("notification.")
        ]
    return seen


# -- words ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", TEXTS, ids=lambda v: repr(v[:12]))
async def test_any_words_are_kept_as_typed_and_shown_inert(
    town: Town, doors: Doors, value: str
) -> None:
    codes = {}
    for name, door in doors.all().items():
        answer = calm(await door(value), name)
        assert answer.status_code in (200, 201, 422), (name, answer.text[:200])
        if answer.status_code == 201 and name in ("json", "adapter", "desk"):
            codes[name] = answer.json()
    if len(value) < 200 and "\x1b" not in value and "\n" not in value and "\u2028" not in value:
        assert {"json", "adapter", "desk"} <= set(codes)
    async with await town.as_("coordinator") as staff:
        for name, receipt in codes.items():
            await town.sees_any(receipt["tracking_code"])
            case = (await staff.get(f"/api/cases/{receipt['feedback_id']}")).json()
            assert case["text"] == value.strip(), name
            assert case["state"] in ("RECEIVED", "TRIAGE", "DISPATCHED")
            assert case["assignee"] is None
            page = await staff.get(f"/desk/cases/{receipt['feedback_id']}")
            listed = await staff.get("/desk?queue=all")
            track = await staff.get(f"/track/{receipt['tracking_code']}")
            for shown in (page, listed, track):
                calm(shown)
                assert shown.status_code == 200
                for live in ("<script>alert", "<img src=x", "<svg/onload", "\u202e", "1522756"):
                    assert live not in shown.text, live
                assert "\u0301" * 5 not in shown.text


@pytest.mark.parametrize("value", [*BLANKS, *NEVER, *LONG], ids=lambda v: repr(v[:9]))
async def test_what_is_no_words_is_refused_at_every_door(
    town: Town, doors: Doors, value: str
) -> None:
    before = await cases_of(town)
    for name in ("json", "form", "adapter", "desk"):
        refused(await getattr(doors, name)(value), 422, 413, what=name)
    if value not in LONG:
        answer = await doors.wechat(value)
        assert answer.status_code == 200
    # XML has no NUL: what is left of the platform's message are words.
    assert await cases_of(town) == before + (value == "a\0b")


@pytest.mark.parametrize("value", NO_TEXT, ids=lambda v: repr(v)[:12])
async def test_what_is_no_text_is_never_more_than_a_422(doors: Doors, value: Any) -> None:
    for name in ("json", "small_fields", "adapter", "source", "desk"):
        answer = calm(await getattr(doors, name)(value), name)
        assert answer.status_code in (201, 422), name


@pytest.mark.parametrize("body", BODIES, ids=lambda b: repr(b[:14]))
async def test_a_body_that_is_no_comment_is_refused(town: Town, body: bytes) -> None:
    before = await cases_of(town)
    case = await town.submit("座位")
    kind = {"Content-Type": "application/json"}
    duplicate = body.startswith(b'{"text":"x"')
    tokens = {who: await town.token(who) for who in ("clerk", "coordinator", "admin")}
    for token, method, path in (
        (None, "POST", "/api/feedback"),
        (program(town), "POST", "/api/feedback"),
        (tokens["clerk"], "POST", "/api/desk/feedback"),
        (None, "POST", f"/api/track/{case['tracking_code']}/supplement"),
        (None, "POST", "/api/session"),
        (tokens["coordinator"], "POST", "/api/routing/try"),
        (tokens["coordinator"], "PUT", "/api/routing/rules"),
        (tokens["admin"], "POST", "/api/sla/policy"),
        (tokens["admin"], "POST", "/api/sla/calendar"),
        (tokens["coordinator"], "POST", f"/api/cases/{case['feedback_id']}/note"),
        (None, "POST", "/wechat/main"),
    ):
        async with town.web(token) as web:
            answer = calm(await web.request(method, path, content=body, headers=kind), path)
        if not duplicate:
            assert answer.status_code in (400, 401, 404, 422), (path, answer.status_code)
    assert await cases_of(town) <= before + 1 + (2 if duplicate else 0)


@pytest.mark.parametrize("kind", TYPES, ids=lambda k: k[:30])
async def test_a_body_of_another_type_is_refused(town: Town, kind: str) -> None:
    case = await town.submit("座位")
    body = b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\r\n--x--\r\n'
    for token, path in (
        (None, "/api/feedback"),
        (await town.token("clerk"), "/api/desk/feedback"),
        (None, f"/api/track/{case['tracking_code']}/supplement"),
        (None, "/api/session"),
        (await town.token("coordinator"), f"/api/cases/{case['feedback_id']}/note"),
    ):
        async with town.web(token) as web:
            answer = await web.post(path, content=body, headers={"Content-Type": kind})
        refused(answer, 400, 404, 415, 422, what=path)


async def test_a_megabyte_and_one_byte_is_413_with_and_without_a_length(town: Town) -> None:
    async def pieces() -> Any:
        for _ in range(17):
            yield b"x" * 65_536

    headers = {"Content-Type": "application/json"}
    for path in ("/api/feedback", "/api/desk/feedback", "/api/session", "/api/cases/x/note"):
        async with await town.as_("clerk") as web:
            refused(await web.post(path, content=b"x" * 1_000_001, headers=headers), 413)
            refused(await web.post(path, content=pieces(), headers=headers), 413, 404)


# -- later words --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [*SCRIPTS[:3], *STRANGE[:3], *NEVER, *NO_TEXT], ids=lambda v: repr(v)[:12]
)
async def test_later_words_are_as_harmless(town: Town, value: Any) -> None:
    case = await town.submit("打印机卡纸")
    code, case_id = case["tracking_code"], case["feedback_id"]
    await town.sees_any(code)
    body = dict.fromkeys(("text", "reason", "comment", "stars", "solved", "question"), value)
    body |= dict.fromkeys(("to", "department", "category", "priority", "outcome", "suggest"), value)
    async with town.web() as web:
        for action in ("supplement", "rate", "reopen", "appeal", "urge", "nothing"):
            calm(await web.post(f"/api/track/{code}/{action}", json=body), action)
    for who in ("coordinator", "liaison.it", "handler.space", "clerk"):
        async with await town.as_(who) as staff:
            for action in ("dispatch", "accept", "return", "assign", "note", "reply", "reject"):
                answer = await staff.post(f"/api/cases/{case_id}/{action}", json=body)
                calm(answer, (who, action))
            calm(await staff.post(f"/api/cases/{case_id}/note", json={"version": value}), who)


@pytest.mark.parametrize(
    "code", ["x", "0" * 20, "0" * 3000, "%00", "%2e%2e", "'--", "〇" * 20, "%F0%9F%98%80", "%ff",
             "%0d%0aX-Evil:1", "K" * 20, "%E2%80%AE"]
)  # fmt: skip
async def test_unknown_codes_look_all_alike(town: Town, code: str) -> None:
    async with town.web() as web:
        answers = [
            await web.get(f"/api/track/{code}"),
            await web.get(f"/api/track/{code}/stream"),
            await web.post(f"/api/track/{code}/urge"),
            await web.get("/api/track/GZWX-AK5T-N3V8-H2EH-Y5GH"),
        ]
    for answer in answers:
        refused(answer, 404, what=code)
    assert len({a.text for a in answers}) == 1
    assert "x-evil" not in answers[0].headers


async def test_a_code_is_found_as_people_type_it(town: Town) -> None:
    case = await town.submit("座位")
    code = case["tracking_code"]
    seen = await town.sees_any(code)
    plain = code.replace("-", "")
    async with town.web() as web:
        for typed in (code.lower(), plain, f" {plain} ", plain.replace("0", "O"),
                      plain.replace("1", "l"), plain.replace("1", "I").lower(),
                      code.replace("-", " "), code.replace("-", "—")):  # fmt: skip
            answer = await web.get(f"/api/track/{typed}")
            assert answer.status_code == 200, typed
            assert answer.json()["feedback_id"] == seen["feedback_id"]


# -- questions ----------------------------------------------------------------------------------

JUNK = ["%00", "%ff", "%ed%a0%80", "x" * 2000, "-1", "1e309", "NaN", "9" * 400, "'--", "[]",
        "0001-01-01", "9999-12-31", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-12:00",
        "2026-02-30", "%F0%9F%98%80", "../.."]  # fmt: skip
ASKED = {
    "/api/cases": ("state", "department", "queue", "q", "cursor", "limit"),
    "/api/dashboard": ("from", "to", "department", "category", "channel"),
    "/api/sla/calendar": ("from", "to", "department"),
    "/api/sla/due?priority=P3&at=2026-03-04T10:00:00": ("priority", "at", "type", "department"),
    "/api/notification/deliveries": ("feedback_id",),
    "/desk": ("queue", "q", "department", "cursor", "lang", "done"),
    "/dashboard": ("from", "to", "department", "lang"),
    "/routing": ("q", "lang", "saved"),
    "/signin": ("next", "lang"),
    "/": ("place", "lang"),
    "/desk/new": ("desk", "place"),
}


@pytest.mark.parametrize("junk", JUNK, ids=lambda j: j[:20])
async def test_no_question_breaks_anything(town: Town, junk: str) -> None:
    async with await town.as_("coordinator") as staff:
        for path, names in ASKED.items():
            for name in names:
                joint = "&" if "?" in path else "?"
                answer = await staff.get(f"{path}{joint}{name}={junk}")
                calm(answer, (path, name))
                assert answer.status_code in (200, 303, 404, 422), (path, name)


async def test_the_list_is_asked_by_the_rules(town: Town) -> None:
    async with await town.as_("coordinator") as staff:
        for query in ("limit=0", "limit=201", "limit=-1", "limit=1000000000", "limit=x",
                      "cursor=xxx", "cursor=bnVsbA", "cursor=WzEsMiwzXQ", "queue=nothing",
                      "state=OPEN", "q=%00", "q=" + "x" * 501):  # fmt: skip
            refused(await staff.get(f"/api/cases?{query}"), 422, what=query)
        whole = (await staff.get("/api/cases")).json()["items"]
        empty = await staff.get("/api/cases?state=&department=&queue=&q=&cursor=&limit=")
        assert empty.json()["items"] == whole
        for query in ("limit=1", "limit=200", "other=1"):
            assert (await staff.get(f"/api/cases?{query}")).status_code == 200


async def test_wildcards_find_only_themselves(town: Town) -> None:
    mine = await town.submit("折扣 50%_off\\ 的打印卡")
    await town.quiet()
    async with await town.as_("coordinator") as staff:
        for q, found in (("50%_off\\", True), ("%_off", True), ("5%off", False), ("__%", False),
                         ("% OR 1=1", False), ("\\", True), ("５０％＿ＯＦＦ", True)):  # fmt: skip
            items = (await staff.get("/api/cases", params={"q": q, "limit": 200})).json()["items"]
            assert (mine["feedback_id"] in {i["feedback_id"] for i in items}) is found, q


async def test_the_dashboard_is_asked_by_the_rules(town: Town) -> None:
    async with await town.as_("leader") as staff:
        for query in ("from=x", "from=2026-12-01&to=2026-01-01", "from=0001-01-01",
                      "to=9999-12-31", "from=2000-01-01&to=2026-01-01", "category=x"):  # fmt: skip
            refused(await staff.get(f"/api/dashboard?{query}"), 422, what=query)
        refused(await staff.get("/api/dashboard?department=nobody"), 404)
        empty = await staff.get("/api/dashboard?from=&to=&department=")
        assert empty.status_code == 200


# -- who is asking ------------------------------------------------------------------------------


def forged(town: Town) -> dict[str, str]:
    """Tokens nobody gave out, or whose time is over."""
    at = town.clock.now()
    who: dict[str, Any] = {
        "username": "coordinator", "display": "x", "role": "coordinator", "department": "relations"
    }  # fmt: skip
    good = town.house.signer.session(**who, now=at)[0]
    return {
        "nonsense": "nonsense",
        "alg none": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjb29yZGluYXRvciJ9.",
        "expired": town.house.signer.session(**who, now=at - SESSION_LIFE - timedelta(seconds=1))[
            0
        ],
        "another secret": Signer("another secret").session(**who, now=at)[0],
        "one letter": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "cut": good[: len(good) // 2],
        "unsigned": good.rpartition(".")[0],
        "adapter of another secret": Signer("another secret").adapter_token("x", "x"),
        "session as adapter": f"fx.{good}",
        "bytes": "\xff\xfe",
        "long": "x" * 20_000,
    }


async def test_no_token_but_ours_opens_anything(town: Town) -> None:
    for name, token in forged(town).items():
        value = token.encode("latin-1")
        async with town.web() as web:
            for path in ("/api/cases", "/api/dashboard", "/api/sla/policy", "/api/routing/rules"):
                headers: Any = [(b"Authorization", b"Bearer " + value)]
                refused(await web.get(path, headers=headers), 401, what=(name, path))
                if "\xff" not in token:
                    headers = {"Cookie": f"{COOKIE}={token}"}
                    refused(await web.get(path, headers=headers), 401, what=(name, path))
            answer = await web.post(
                "/api/feedback",
                json={"text": "x"},
                headers=[(b"Authorization", b"Bearer " + value)],
            )
            refused(answer, 401, what=name)


async def test_another_site_can_do_nothing_with_our_cookie(town: Town) -> None:
    case = await town.submit("座位")
    await town.sees_any(case["tracking_code"])
    cookie = f"{COOKIE}={await town.token('coordinator')}"
    writes = [
        (method.upper(), path.format(feedback_id=case["feedback_id"], action="note", delivery="x"))
        for path, methods in town.app.openapi()["paths"].items()
        for method in methods
        if method != "get" and not path.startswith(("/api/feedback", "/api/track"))
    ] + [("POST", "/desk/signout"), ("POST", "/routing"), ("POST", "/routing/edit")]  # fmt: skip
    assert len(writes) > 8
    origins = ["null", "http://evil.example", "http://[", "", "foo", "//", "https://" + "x" * 999]
    for (method, path), origin in itertools.product(writes, origins):
        headers = {"Cookie": cookie, "Origin": origin, "Content-Type": "application/json"}
        async with town.web() as web:
            answer = await web.request(method, path, content=b'{"text":"x"}', headers=headers)
        refused(answer, 403, what=(method, path, origin))
    for site in ("cross-site", "same-site"):
        headers = {"Cookie": cookie, "Sec-Fetch-Site": site}
        async with town.web() as web:
            path = f"/api/cases/{case['feedback_id']}/note"
            refused(await web.post(path, json={"text": "x"}, headers=headers), 403)
    ours = town.house.settings.url
    async with town.web() as web:
        answer = await web.post(
            f"/api/cases/{case['feedback_id']}/note",
            json={"text": "x"},
            headers={"Cookie": cookie, "Origin": ours},
        )
        assert answer.status_code == 200


async def test_signing_in_gives_a_new_session_and_leads_nowhere_else(town: Town) -> None:
    async with town.web() as web:
        web.cookies.set(COOKIE, "fixed")
        tokens = set()
        for wanted in ("//evil.example", "https://evil.example", "/\\evil.example", "\\/evil",
                       "javascript:alert(1)", "/\t/evil", "/\r\nX: 1", "%2f%2fevil", "",
                       "/desk", "///evil", "desk"):  # fmt: skip
            answer = await web.post(
                "/api/session",
                data={"username": "clerk", "password": "test-password", "next": wanted},
                headers={"Accept": "text/html"},
            )
            assert answer.status_code == 303, wanted
            assert answer.headers["location"].startswith("/desk"), wanted
            tokens.add(answer.cookies[COOKIE])
        assert "fixed" not in tokens
        assert len(tokens) == 12
        for header in answer.headers.get_list("set-cookie"):
            assert "HttpOnly" in header
            assert "SameSite=lax" in header
        token = answer.cookies[COOKIE]
    async with town.web(token) as web:
        assert (await web.get("/api/cases")).status_code == 200
        assert (await web.delete("/api/session")).status_code == 204
        refused(await web.get("/api/cases"), 401)
        async with town.web() as other:
            page = await other.get("/signin?next=//evil.example")
            assert 'name="next" value="/desk"' in page.text


async def test_no_host_of_a_request_gets_into_an_answer(town: Town) -> None:
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil"}
    async with town.web() as web:
        receipt = await web.post("/api/feedback", json={"text": "座位"}, headers=evil)
        assert receipt.json()["track_url"].startswith(town.house.settings.url + "/track/")
        for path in ("/desk", "/desk/", "//evil.example/", "/track/x/", "/api/cases/", "/signin"):
            answer = calm(await web.get(path, headers=evil), path)
            assert "evil.example" not in answer.headers.get("location", "").removeprefix("/evil")
            assert not answer.headers.get("location", "/x").startswith("//")
        for host in ("[", "a b", "\xff", "", "x" * 3000):
            headers: Any = [(b"Host", host.encode("latin-1"))]
            calm(await web.get("/desk?q=x", headers=headers), host)
            calm(await web.get("/nothing", headers=[*headers, (b"Accept", b"text/html")]), host)


# -- how often ----------------------------------------------------------------------------------


async def test_a_flood_is_stopped_for_its_address_only(town: Town) -> None:
    async with town.web() as flood, town.web() as other:
        answers = await asyncio.gather(
            *(flood.post("/api/feedback", json={"text": f"座位 {n}"}) for n in range(90))
        )
        statuses = {a.status_code for a in answers}
        assert statuses == {201, 429}
        for answer in answers:
            if answer.status_code == 429:
                assert int(refused(answer, 429).headers["Retry-After"]) >= 1
        assert (await other.post("/api/feedback", json={"text": "座位"})).status_code == 201


async def test_guessing_is_stopped_for_the_guesser_only(town: Town) -> None:
    case = await town.submit("座位")
    await town.sees_any(case["tracking_code"])
    async with town.web() as guesser, town.web() as other:
        for _ in range(60):
            refused(await guesser.get("/api/track/0000-0000-0000-0000-0000"), 404)
        blocked = refused(await guesser.get("/api/track/0000-0000-0000-0000-0000"), 429)
        assert int(blocked.headers["Retry-After"]) >= 1
        assert (await guesser.get(f"/api/track/{case['tracking_code']}")).status_code == 200
        refused(await other.get("/api/track/0000-0000-0000-0000-0000"), 404)
        for _ in range(10):
            wrong = {"username": "student", "password": "wrong"}
            refused(await guesser.post("/api/session", json=wrong), 401)
        refused(await guesser.post("/api/session", json=wrong), 429)
        right = {"username": "student", "password": "test-password"}
        refused(await guesser.post("/api/session", json=right), 429)
        assert (await other.post("/api/session", json=right)).status_code == 200
        clerk = {"username": "clerk", "password": "test-password"}
        assert (await guesser.post("/api/session", json=clerk)).status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "\x7f", "\x01"], ids=lambda k: repr(k)[:6])
async def test_a_key_that_is_none_is_refused(town: Town, key: str) -> None:
    case = await town.submit("座位")
    for token, path in (
        (None, "/api/feedback"),
        (program(town), "/api/feedback"),
        (await town.token("clerk"), "/api/desk/feedback"),
        (None, f"/api/track/{case['tracking_code']}/supplement"),
    ):
        body = {"text": "x", "channel": "api", "source_message_id": f"key{len(key)}{path}"}
        headers: Any = [(b"Idempotency-Key", key.encode("latin-1"))]
        async with town.web(token) as web:
            refused(await web.post(path, json=body, headers=headers), 422, what=path)


async def test_a_key_is_one_answer_in_its_own_space(town: Town) -> None:
    key = {"Idempotency-Key": "k" * 255}
    async with town.web() as web, town.web() as elsewhere:
        first = await web.post("/api/feedback", json={"text": "座位"}, headers=key)
        again = await elsewhere.post("/api/feedback", json={"text": "座位"}, headers=key)
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        refused(await web.post("/api/feedback", json={"text": "别的"}, headers=key), 409)
    seen = {first.json()["feedback_id"]}
    for name in ("one", "two"):
        async with town.web(program(town, name)) as web:
            body = {"text": "座位", "channel": "api", "source_message_id": f"{name}-1"}
            answer = await web.post("/api/feedback", json=body, headers=key)
            assert answer.status_code == 201
            seen.add(answer.json()["feedback_id"])
            repeated = await web.post("/api/feedback", json=body | {"text": "别的"}, headers=key)
            assert repeated.status_code == 200
            assert repeated.json() == answer.json()
            other = body | {"source_message_id": f"{name}-2"}
            refused(await web.post("/api/feedback", json=other, headers=key), 409)
    assert len(seen) == 3


# -- WeChat ---------------------------------------------------------------------------------------


async def test_the_platform_is_believed_by_the_rules(town: Town) -> None:
    now = int(town.clock.now().timestamp())
    push = CallbackSender("", "tok", "wx1")

    async def send(body: bytes, **query: str) -> httpx2.Response:
        async with town.web() as web:
            return await web.post("/wechat/main", params=query, content=body)

    def query(at: object = now, nonce: str = "n") -> dict[str, str]:
        return {"timestamp": str(at), "nonce": nonce, "signature": sign("tok", str(at), nonce)}

    good = push.text("oA", "座位", msg_id="1", created=now).encode()
    for wrong in ({}, query() | {"signature": "0" * 40}, query(now - 301), query(now + 3600),
                  query("x"), query(-1), query("9" * 30), query("٣"), query("")):  # fmt: skip
        refused(await send(good, **wrong), 401, what=wrong)
    refused(await send(good, **query(), encrypt_type="rot13"), 400)
    refused(await send(good, **query(), encrypt_type="aes", msg_signature="x"), 400, 401)
    assert (await send(good, **query(nonce="r"))).status_code == 200
    first = await send(good, **query(nonce="r"))
    assert first.status_code == 200
    other = push.text("oA", "别的", msg_id="2", created=now).encode()
    refused(await send(other, **query(nonce="r")), 401)
    laughs = b'<!DOCTYPE x [<!ENTITY a "lol">' + b'<!ENTITY b "&a;&a;">' * 99 + b"]><xml>&b;</xml>"
    outside = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml>&a;</xml>'
    for n, body in enumerate((b"", b"<", b"<xml/>", laughs, outside, b"\xff" * 99, b"<xml>" * 5000,
                              b"{}", b"[]", b'{"FromUserName":"\\ud800"}')):  # fmt: skip
        refused(await send(body, **query(nonce=f"bad{n}")), 400, what=body[:20])
    for n, number in enumerate(("-1", str(2**63), "text", "", "x" * 999, "'--", "1\u202e")):
        body = push.text("oB", f"座位 {n}", msg_id=number, created=now).encode()
        answer = await send(body, **query(nonce=f"id{n}"))
        assert answer.status_code == 200, number
        assert answer.text.startswith("<xml>")
    for created in (0, -1, 2**40, 10**30):
        body = push.text("oC", "座位", created=created, msg_id=f"c{created}").encode()
        assert (await send(body, **query(nonce=f"c{created}"))).status_code == 200


# -- the other way in --------------------------------------------------------------------------


async def test_garbage_on_the_inbound_topic_is_set_aside_with_a_reason(town: Town) -> None:
    good = b'{"text":"kafka \xe5\xba\xa7\xe4\xbd\x8d","channel":"survey","source_message_id":"k1"}'
    wrong = [
        *(b for b in BODIES if not b.startswith(b'{"text":"x"')),
        b'{"text":"x"}',
        b'{"text":"x","channel":"","source_message_id":"a"}',
        b'{"text":"a\\u0000b","channel":"api","source_message_id":"a"}',
        b'{"text":"x","channel":"api","source_message_id":"\\ud800"}',
        b'{"text":"x","channel":"api","source_message_id":"a","occurred_at":"9999-12-31T00:00:00Z"}',
        b'{"text":"x","channel":"api","source_message_id":"a","occurred_at":"yesterday"}',
        b'{"text":"x","channel":"api","source_message_id":"a","contact":{"email":"a\\r\\nBcc: x"}}',
        "{'text': 'x'}".encode("utf-16"),
        b'{"text":"' + b"x" * 60_000 + b'","channel":"api","source_message_id":"a"}',
    ]
    headers = [("ce_id", b"\xff\x00"), ("ce_type", b"case.replied.v1"), ("\x00", b"\x00")]
    keys = itertools.cycle([None, b"", b"\xff\x00", b"k" * 1000])
    before = await cases_of(town)
    producer = AIOKafkaProducer(bootstrap_servers=town.house.kafka)
    await producer.start()
    try:
        for body, key in zip(wrong, keys, strict=False):
            await producer.send_and_wait(INBOUND, body, key=key, headers=headers)
        await producer.send_and_wait(INBOUND, None, key=b"tombstone")
        for _ in range(2):
            await producer.send_and_wait(INBOUND, good, key=b"k1", headers=headers)
    finally:
        await producer.stop()
    await town.quiet()
    consumer = AIOKafkaConsumer(bootstrap_servers=town.house.kafka)
    await consumer.start()
    try:
        partitions = [TopicPartition(INBOUND_REJECTED, n) for n in range(12)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            found += [r for b in (await consumer.getmany(timeout_ms=500)).values() for r in b]
    finally:
        await consumer.stop()
    assert sorted(r.value for r in found) == sorted(wrong)
    for record in found:
        reason = dict(record.headers)["reason"].decode()
        assert 0 < len(reason) <= 1000
    assert await cases_of(town) == before + 1
