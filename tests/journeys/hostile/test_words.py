"""Words of every kind, and what is no words, at every entry point and later on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.conftest import Town
from tests.journeys.hostile.entry_points import (
    BODIES,
    EntryPoints,
    calm,
    cases_of,
    program,
    refused,
)

SCRIPTS = [
    "<script>alert(1)</script>",
    "占座<img src=x onerror=alert(1)>管不管",
    '"><svg/onload=alert(1)>',
    "javascript:alert(1) data:text/html;base64,PHNjcmlwdD4=",
    "{{9999*9876}} ${9999*9876} <%= 9999*9876 %> #{9999*9876} {%print(9999*9876)%}",
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
TEXTS = [*SCRIPTS, *STRANGE]
BLANKS = ["", " ", "\n\t", "\u3000", "\u200b", "\u2800", "\u3164", "\ufeff\u00ad", "\u200e\u3000"]
NEVER = ["a\0b", "\0"]
LONG = ["x" * 50_001, "占" * 60_000]
NO_TEXT = [None, 0, True, 1.5, [], {}, ["x"], {"a": 1}]
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


@pytest.mark.parametrize("value", TEXTS, ids=lambda v: repr(v[:12]))
async def test_any_words_are_kept_as_typed_and_shown_inert(
    town: Town, entry_points: EntryPoints, value: str
) -> None:
    codes = {}
    for name, entry_point in entry_points.all().items():
        answer = calm(await entry_point(value), name)
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
                for live in ("<script>alert", "<img src=x", "<svg/onload", "\u202e", "98750124"):
                    assert live not in shown.text, live
                assert "\u0301" * 5 not in shown.text


@pytest.mark.parametrize("value", [*BLANKS, *NEVER, *LONG], ids=lambda v: repr(v[:9]))
async def test_what_is_no_words_is_refused_at_every_entry_point(
    town: Town, entry_points: EntryPoints, value: str
) -> None:
    before = await cases_of(town)
    for name in ("json", "form", "adapter", "desk"):
        refused(await getattr(entry_points, name)(value), 422, 413, what=name)
    if value not in LONG:
        answer = await entry_points.wechat(value)
        assert answer.status_code == 200
    # XML has no NUL: what is left of the platform's message are words.
    assert await cases_of(town) == before + (value == "a\0b")


@pytest.mark.parametrize("value", NO_TEXT, ids=lambda v: repr(v)[:12])
async def test_what_is_no_text_is_never_more_than_a_422(
    entry_points: EntryPoints, value: Any
) -> None:
    for name in ("json", "small_fields", "adapter", "source", "desk"):
        answer = calm(await getattr(entry_points, name)(value), name)
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
    await town.sees_any(case["tracking_code"])
    await town.quiet()
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
        refused(answer, 400, 415, 422, what=path)


async def test_a_megabyte_and_one_byte_is_413_with_and_without_a_length(town: Town) -> None:
    async def pieces() -> Any:
        for _ in range(17):
            yield b"x" * 65_536

    headers = {"Content-Type": "application/json"}
    for path in ("/api/feedback", "/api/desk/feedback", "/api/session", "/api/cases/x/note"):
        async with await town.as_("clerk") as web:
            refused(await web.post(path, content=b"x" * 1_000_001, headers=headers), 413)
            refused(await web.post(path, content=pieces(), headers=headers), 413, 404)


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
