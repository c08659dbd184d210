"""The frame around the templates: language, the live part, headers, hostile words."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from starlette.requests import Request

from services.desk.wording import page_words as desk_words
from services.intake.wording import page_words as intake_words
from services.tracking.wording import page_words as tracking_words
from shared.clock import ManualClock
from shared.messaging.directory import Directory
from shared.moments import LOCAL
from shared.web import catalogue
from shared.web.pages import (
    Pages,
    chance,
    choose_locale,
    next_due,
    qr_svg,
    query,
    safe_words,
    sparkline,
)

CLOCK = ManualClock(datetime(2026, 11, 25, 10, 20, tzinfo=LOCAL))
SERVICES = Path(__file__).parents[3] / "services"

WORDS = {
    "desk": desk_words,
    "tracking": tracking_words,
    "intake": partial(intake_words, Directory()),
}


def pages(service: str) -> Pages:
    return Pages(
        service,
        SERVICES / service / "templates",
        clock=CLOCK,
        asset=lambda name: f"/static/{name}",
        words=WORDS.get(service),
    )


def request(path: str = "/", query: str = "", **headers: str) -> Request:
    named = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": named}
    return Request({**scope, "query_string": query.encode()})


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        (request(), "zh"),
        (request(accept_language="en-US,en;q=0.9,zh;q=0.5"), "en"),
        (request(accept_language="fr, zh-CN;q=0.8"), "zh"),
        (request(accept_language="en;q=x, de"), "zh"),
        (request(cookie="locale=en", accept_language="zh"), "en"),
        (request(query="lang=zh", cookie="locale=en"), "zh"),
        (request(query="lang=xx", cookie="locale=yy"), "zh"),
        # What an open page asks for is in its own language, which another window changed for all.
        (request(page_language="zh-CN", cookie="locale=en", accept_language="en"), "zh"),
        (request(page_language="en", query="lang=zh", cookie="locale=zh"), "en"),
        (request(page_language="fr", cookie="locale=en"), "en"),
    ],
)
def test_the_language_is_the_one_a_person_chose(asked: Request, spoken: str) -> None:
    assert choose_locale(asked) == spoken


def test_choosing_a_language_is_remembered() -> None:
    answer = pages("desk").render(request(query="lang=en"), "signin.html", problem=None)
    assert "locale=en" in answer.headers["set-cookie"]
    assert b"Sign in" in answer.body


def test_a_page_that_asks_for_its_parts_chooses_for_no_other() -> None:
    asked = request(query="lang=en", page_language="en")
    answer = pages("desk").render(asked, "signin.html", problem=None)
    assert b"Sign in" in answer.body
    assert "set-cookie" not in answer.headers
    assert "Page-Language" in answer.headers["vary"]


def say(**headers: str) -> str:
    body = pages("intake").render(
        request(**headers), "say.html", form={"text": "<b>&"}, errors={"text": "请写"}, place=""
    )
    return bytes(body.body).decode()


def test_an_error_keeps_every_word_typed_and_escapes_it() -> None:
    page = say()
    assert "&lt;b&gt;&amp;</textarea>" in page
    assert "请写" in page
    assert "idempotency_key" in page


def test_the_policy_of_every_page_is_strict() -> None:
    answer = pages("desk").render(request(), "signin.html", problem=None)
    assert answer.headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "same-origin"


def test_htmx_gets_the_live_part_alone() -> None:
    values = {"page": {"items": [], "next": None}, "counts": {"mine": 3}, "queue": "mine", "q": ""}
    user = {"name": "a", "role": "handler", "department": "it"}
    live = pages("desk").render(
        request("/desk", hx_request="true", hx_target="live"), "desk.html", user=user, **values
    )
    whole = pages("desk").render(request("/desk"), "desk.html", user=user, **values)
    assert b"<html" not in live.body
    assert live.body.strip().startswith(b'<div id="live"')
    assert b"<html" in whole.body
    assert whole.headers["cache-control"] == "no-store"


def test_hostile_words_stay_words() -> None:
    case = {
        "feedback_id": "f1",
        "state": "IN_PROGRESS",
        "title": '"><svg/onload=alert(1)>{{7*7}}\u202e',
        "text": "</script><script>alert(1)</script> {{7*7}}",
        "may": ["reply", "note", "ask", "assign", "unheard_of"],
    }
    user = {"name": "a", "role": "handler", "department": "it"}
    page = bytes(pages("desk").render(request(), "case.html", user=user, case=case).body).decode()
    assert "<svg/onload" not in page
    assert "<script>alert" not in page
    assert "{{7*7}}" in page
    assert "\u202e" not in page


def test_marks_that_pile_up_on_one_letter_are_cut_for_display() -> None:
    assert len(safe_words("a" + "\u0301" * 5000 + "b")) == 6
    assert safe_words("👩‍👩‍👧 é ﷺ") == "👩‍👩‍👧 é ﷺ"


@pytest.mark.parametrize("locale", catalogue.LOCALES)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 429, 500, 503])
def test_every_error_is_told_in_peoples_words(status: int, locale: str) -> None:
    answer = pages("desk").render(
        request(query=f"lang={locale}"),
        "error.html",
        status=status,
        problem={"status": status, "detail": "", "errors": {}, "retry_after": 20},
        typed=["my words"],
    )
    page = bytes(answer.body).decode()
    assert answer.status_code == status
    assert "<h1>" in page
    assert "my words" in page
    assert "Traceback" not in page


def test_the_nearest_deadline_of_a_row_is_the_one_shown() -> None:
    due = {"RESOLUTION": "2026-11-27T17:00:00+08:00", "ACCEPT": "2026-11-25T04:00:00Z"}
    assert next_due({"due": due}) == {"clock": "ACCEPT", "due": "2026-11-25T04:00:00+00:00"}
    assert next_due({"due": {}}) is None


def test_a_qr_code_is_an_inline_picture_without_styles() -> None:
    svg = qr_svg("http://127.0.0.1:8080/track/abc")
    assert svg.startswith("<svg")
    assert "style" not in svg


@pytest.mark.parametrize(
    ("rate", "said"),
    [(1.0, ">99%"), (0.996, ">99%"), (0.93, "93%"), (0.01, "1%"), (0.0, "<1%"), (None, "–")],
)
def test_nothing_that_was_judged_is_certain_or_out_of_question(
    rate: float | None, said: str
) -> None:
    assert chance(rate) == said


def test_a_trend_needs_two_values() -> None:
    assert sparkline([1]) == ""
    assert sparkline(None) == ""
    assert sparkline([3, 3]).count(",") == 2


def test_an_address_keeps_what_is_named_several_times() -> None:
    chosen = request(query="feedback_ids=a&feedback_ids=b&cursor=x&lang=zh")
    assert query(chosen, lang="en") == "?feedback_ids=a&feedback_ids=b&lang=en"
    assert query(chosen, feedback_ids=None) == "?lang=zh"


def test_no_link_says_again_what_was_done_just_now() -> None:
    assert query(request(query="done=accept&q=x&saved=2"), lang="en") == "?q=x&lang=en"
