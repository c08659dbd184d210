"""Who is asking, from where, and how often."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest

from shared.security import SESSION_LIFE, Signer
from shared.web.auth import COOKIE
from tests.journeys.conftest import Town
from tests.journeys.hostile.entry_points import calm, program, refused

A_SECOND = timedelta(seconds=1)


def forged(town: Town) -> dict[str, str]:
    """Tokens nobody gave out, or whose time is over."""
    at = town.clock.now()
    who: dict[str, Any] = {
        "username": "coordinator", "display": "x", "role": "coordinator", "department": "relations"
    }  # fmt: skip
    good = town.runtime.signer.session(**who, now=at)[0]
    return {
        "nonsense": "nonsense",
        "alg none": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjb29yZGluYXRvciJ9.",
        "expired": town.runtime.signer.session(**who, now=at - SESSION_LIFE - timedelta(seconds=1))[
            0
        ],
        "another secret": Signer("another secret").session(**who, now=at)[0],
        # Not the last one: of its six bits four count.
        "one letter": good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1],
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
    named = defaultdict(lambda: "x", feedback_id=case["feedback_id"], action="note")
    writes = [
        (method.upper(), path.format_map(named))
        for path, methods in town.app.openapi()["paths"].items()
        for method in methods
        if method != "get" and not path.startswith(("/api/feedback", "/api/track"))
    ]
    forms = ("/desk/signout", "/routing", "/routing/edit")
    forms += ("/sla/calendar", "/sla/policy/edit", "/sla/trials/x")
    forms += ("/desk/filters", "/desk/filters/x", "/desk/filters/x/delete")
    forms += ("/desk/incidents/x/preview", f"/desk/cases/{case['feedback_id']}/look")
    forms += (f"/desk/cases/{case['feedback_id']}/preview",)
    writes += [("POST", path) for path in forms]
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
    ours = town.runtime.settings.url
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
        assert receipt.json()["track_url"].startswith(town.runtime.settings.url + "/track/")
        for path in ("/desk", "/desk/", "//evil.example/", "/track/x/", "/api/cases/", "/signin"):
            answer = calm(await web.get(path, headers=evil), path)
            assert "evil.example" not in answer.headers.get("location", "").removeprefix("/evil")
            assert not answer.headers.get("location", "/x").startswith("//")
        for host in ("[", "a b", "\xff", "", "x" * 3000):
            headers: Any = [(b"Host", host.encode("latin-1"))]
            calm(await web.get("/desk?q=x", headers=headers), host)
            calm(await web.get("/nothing", headers=[*headers, (b"Accept", b"text/html")]), host)


async def test_a_flood_is_stopped_for_its_address_only(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long this takes, the bucket is not filled again meanwhile.
    monkeypatch.setattr(town.services["intake"].deps.callers, "_now", lambda: 0.0)
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
