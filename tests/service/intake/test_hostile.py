"""What strangers will send, through every field of every entry point: inert text or a short no."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from markupsafe import escape

from tests.service.intake.conftest import Intake

SCRIPTS = [
    "<script>alert(1)</script>",
    "占座<img src=x onerror=alert(1)>管不管",
    '"><svg/onload=alert(1)>',
    "javascript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "{{7*7}} ${7*7} <%= 7*7 %> #{7*7}",
    "</textarea><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "＜script＞alert(1)＜/script＞",
    "[x](javascript:alert(1)) ![](http://e/x.png)",
]
UNICODE = [
    "\u202egnp.exe",
    "a\u200bb\u200cc\u200dd\u2066e",
    "a" + "\u0301" * 5000,
    "ﷺ" * 200,
    "👨\u200d👩\u200d👧\u200d👦🏳️\u200d🌈",
    "\ufeffBOM",
    "\u0085\u2028\u2029x",
    "\x1b[31mred\x1b[0m\x07",
    "Ω≈ç√∫˜µ≤≥÷ 田中さんに ٱلْعَرَبِيَّة",
    "\U0010ffff\ufffe",
]
INJECTIONS = [
    "'; DROP TABLE submissions; --",
    "100% _under_ \\ %s %n $1 :name ?",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    'line\n{"level":"error","event":"forged"}',
    "${jndi:ldap://e/x}",
    "../../etc/passwd",
    "CON",
    "a" * 30_000 + "!",
    "1" * 30_000,
    "1-" * 15_000,
    "a@" * 15_000,
    "(((((" * 5_000,
]
TABLE = [*SCRIPTS, *UNICODE, *INJECTIONS]
FIELDS = ["text", "title", "place", "category", "locale", "contact.name", "contact.email",
          "contact.phone", "contact.wechat_openid", "idempotency_key"]  # fmt: skip


def body_with(field: str, value: Any) -> dict[str, Any]:
    outer, _, inner = field.partition(".")
    return {"text": "x"} | {outer: {inner: value} if inner else value}


@pytest.fixture(autouse=True)
def _no_limit(intake: Intake) -> None:
    from shared.web.limits import Bucket

    intake.service.deps.callers = Bucket(1e9, 1e9)


async def test_every_string_in_every_field_is_kept_inert_or_refused(intake: Intake) -> None:
    kept = 0
    for value, field in itertools.product(TABLE, FIELDS):
        answer = await intake.client.post("/api/feedback", json=body_with(field, value))
        assert answer.status_code in (201, 422), (field, value[:40], answer.text)
        if answer.status_code == 422:
            assert set(answer.json()["errors"]) == {field}
        kept += answer.status_code == 201
    assert kept == await intake.cases()
    for table in ("submissions", "outbox"):
        assert (await intake.rows(f"SELECT count(*) AS n FROM {table}"))[0]["n"] >= kept


@pytest.mark.parametrize("value", TABLE, ids=range(len(TABLE)))
async def test_words_round_trip_exactly_and_a_page_shows_them_inert(
    intake: Intake, value: str
) -> None:
    answer = await intake.say(value)
    assert answer.status_code == 201
    (row,) = await intake.rows("SELECT text FROM submissions")
    assert row["text"] == value.strip()
    page = await intake.client.post(
        "/api/feedback",
        data={"text": value, "contact.email": "nope"},
        headers={"Accept": "text/html"},
    )
    assert page.status_code == 422
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert "<svg/onload" not in page.text
    assert str(escape(value.strip()[:11])) in page.text


@pytest.mark.parametrize(
    "value", [None, 0, -1, 1.5, True, [], {}, ["x"], {"a": {"b": [1]}}, "9" * 4000, 10**30]
)
async def test_any_type_in_any_field_is_an_answer_below_500(intake: Intake, value: Any) -> None:
    fields = [*FIELDS, "anonymous", "confidential", "contact", "channel", "account",
              "source_message_id", "occurred_at"]  # fmt: skip
    for field in fields:
        for headers in ({}, intake.adapter()):
            base = {"channel": "api", "source_message_id": f"{field}{value}"[:99]}
            answer = await intake.client.post(
                "/api/feedback", json=base | body_with(field, value), headers=headers
            )
            assert answer.status_code in (200, 201, 422), (field, value, answer.text)
            desk = await intake.client.post(
                "/api/desk/feedback", json=body_with(field, value), headers=intake.staff()
            )
            assert desk.status_code in (201, 422), (field, value, desk.text)


@pytest.mark.parametrize("action", ["supplement", "urge", "rate", "reopen", "withdraw", "appeal"])
async def test_later_words_are_as_safe(intake: Intake, action: str) -> None:
    for value in (*TABLE, None, 5, [], {}, "a\0b", "9" * 4000):
        code = (await intake.say()).json()["tracking_code"]
        body = {"text": value, "reason": value, "stars": value, "solved": value, "comment": value}
        answer = await intake.later(code, action, **body)
        assert answer.status_code in (200, 409, 422), (value, answer.text)
        assert answer.headers["content-type"].startswith("application/")


@pytest.mark.parametrize(
    "code", ["x", "0" * 20, "0" * 5000, "%00", "%2e%2e", "'--", "〇" * 20, "%F0%9F%98%80", "%ff"]
)
async def test_strange_codes_are_404(intake: Intake, code: str) -> None:
    answer = await intake.client.post(f"/api/track/{code}/urge")
    assert answer.status_code == 404
    assert answer.json()["title"] == "没有找到"


async def test_strange_headers_do_no_harm(intake: Intake) -> None:
    for headers in (
        {"Accept-Language": "x" * 5000},
        {"Accept-Language": "en;q=nan, zh;q=1e999"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic eA=="},
        {"Cookie": "express_session=nonsense; locale=xx"},
        {"Accept": "text/html;q=0, */*"},
    ):
        assert (await intake.say(headers=headers)).status_code == 201, headers
    assert (await intake.say(headers={"Authorization": "Bearer x.y.z"})).status_code == 401
    many = {f"X-{n}": "v" for n in range(200)}
    assert (await intake.say(headers=many)).status_code in (201, 431)


async def test_personal_data_is_nowhere_but_in_private(intake: Intake) -> None:
    phone, mail, student = "13987654321", "canary.bird@example.edu", "2200054321"
    words = f"我的电话{phone}，{mail}，学号 {student}"
    answer = await intake.client.post(
        "/api/feedback",
        json={
            "text": words,
            "title": words,
            "place": words,
            "contact": {"name": "金丝雀", "phone": phone, "email": mail},
        },
    )
    code = answer.json()["tracking_code"]
    await intake.later(code, "supplement", text=words)
    for event in await intake.emitted():
        if event["topic"] == "feedback.private":
            continue
        for secret in (phone, mail, student, "金丝雀", code):
            assert secret not in str(event)
    metrics = (await intake.client.get("/metrics")).text
    assert "feedback_received_total" in metrics
    assert phone not in metrics
