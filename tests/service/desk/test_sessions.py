from __future__ import annotations

import asyncio

import httpx2
import pytest

from services.desk.seeds import DEPARTMENTS, seed_demo_people
from services.desk.store import PersonRow
from shared.web.auth import COOKIE
from shared.web.limits import ConcurrencyLimit
from tests.service.desk.conftest import Desk
from tests.support import adapter_token, outbox_of

HTML = {"accept": "text/html"}
RIGHT = {"username": "coordinator", "password": "test-password"}


@pytest.fixture(autouse=True)
async def people(desk: Desk) -> None:
    await seed_demo_people(desk.service)


async def sign_in(desk: Desk, **changes: str) -> httpx2.Response:
    return await desk.visitor().post("/api/session", json=RIGHT | changes)


async def test_signing_in_gives_a_token_and_a_cookie_that_both_work(desk: Desk) -> None:
    answer = await sign_in(desk)

    assert answer.status_code == 200
    body = answer.json()
    assert body["user"]["name"] == "coordinator"
    assert (body["user"]["role"], body["user"]["department"]) == ("coordinator", "relations")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    by_token = desk.visitor(authorization=f"Bearer {body['token']}")
    by_cookie = desk.visitor()
    by_cookie.cookies.set(COOKIE, body["token"])
    for visitor in (by_token, by_cookie):
        assert (await visitor.get("/api/cases")).status_code == 200


async def test_every_demo_account_signs_in(desk: Desk) -> None:
    names = ["coordinator", "leader", "admin", "auditor", "clerk", "student"]
    names += ["liaison.it", "handler.space", "reviewer.relations"]
    for name in names:
        answer = await sign_in(desk, username=name)
        assert answer.status_code == 200, name
    listed = [e for e in await outbox_of(desk.service) if e["type"] == "directory.person.v1"]
    assert len(listed) == 6 + 3 * len(DEPARTMENTS)


async def test_seeding_twice_emits_nothing_new(desk: Desk) -> None:
    before = len(await outbox_of(desk.service))
    await seed_demo_people(desk.service)
    assert len(await outbox_of(desk.service)) == before


async def test_a_wrong_name_and_a_wrong_password_look_alike(desk: Desk) -> None:
    nobody = await sign_in(desk, username="nobody")
    wrong = await sign_in(desk, password="wrong")
    assert nobody.status_code == wrong.status_code == 401
    assert nobody.content == wrong.content


async def test_the_eleventh_failure_waits_but_only_for_this_account(desk: Desk) -> None:
    for _ in range(10):
        assert (await sign_in(desk, password="wrong")).status_code == 401
    blocked = await sign_in(desk)
    assert blocked.status_code == 429
    assert int(blocked.headers["retry-after"]) > 0
    assert (await sign_in(desk, username="leader")).status_code == 200


async def test_many_wrong_passwords_at_once_are_no_more_than_one_after_the_other(
    desk: Desk,
) -> None:
    answers = await asyncio.gather(*[sign_in(desk, password="wrong") for _ in range(60)])
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (10, 50)


async def test_right_passwords_at_once_all_sign_in(desk: Desk) -> None:
    answers = await asyncio.gather(*[sign_in(desk) for _ in range(15)])
    assert {answer.status_code for answer in answers} == {200}


async def test_more_than_can_be_checked_are_asked_to_come_back(desk: Desk) -> None:
    limits = desk.service.deps.sign_in
    limits.hashing = ConcurrencyLimit(1, waiting=0)
    async with limits.hashing:
        answer = await sign_in(desk)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert (await sign_in(desk)).status_code == 200


async def test_an_account_is_guarded_over_all_addresses_and_its_owner_is_not_locked_out(
    desk: Desk,
) -> None:
    assert (await sign_in(desk)).status_code == 200
    limits = desk.service.deps.sign_in
    for n in range(50):
        async with limits.attempt("coordinator", f"192.0.2.{n}") as attempt:
            attempt.failed = True
    stranger = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=desk.app, client=("192.0.2.99", 1)),
        base_url="http://desk.test",
    )
    assert (await stranger.post("/api/session", json=RIGHT)).status_code == 429
    assert (await sign_in(desk)).status_code == 200


async def test_an_address_that_tries_many_names_waits_and_whoever_works_there_does_not(
    desk: Desk,
) -> None:
    assert (await sign_in(desk)).status_code == 200
    limits = desk.service.deps.sign_in
    for n in range(100):
        async with limits.attempt(f"name{n}", "10.0.0.9") as attempt:
            attempt.failed = True
    assert (await sign_in(desk, username="leader")).status_code == 429
    assert (await sign_in(desk)).status_code == 200
    elsewhere = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=desk.app, client=("192.0.2.99", 1)),
        base_url="http://desk.test",
    )
    assert (await elsewhere.post("/api/session", json=RIGHT)).status_code == 200


@pytest.mark.parametrize("name", ["Coordinator", "ｃｏｏｒｄｉｎａｔｏｒ", " coordinator　"])
async def test_an_account_is_known_however_its_name_is_typed(desk: Desk, name: str) -> None:
    answer = await sign_in(desk, username=name)
    assert answer.status_code == 200
    assert answer.json()["user"]["name"] == "coordinator"
    for _ in range(10):
        await sign_in(desk, username=name, password="wrong")
    assert (await sign_in(desk)).status_code == 429


async def test_the_full_stop_of_a_chinese_keyboard_is_a_dot(desk: Desk) -> None:
    answer = await sign_in(desk, username="ｌｉａｉｓｏｎ。ｉｔ")
    assert answer.status_code == 200
    assert answer.json()["user"]["name"] == "liaison.it"


async def test_success_counts_as_no_failure(desk: Desk) -> None:
    for _ in range(12):
        assert (await sign_in(desk)).status_code == 200


async def test_a_dismissed_account_signs_in_no_more(desk: Desk) -> None:
    async with desk.service.transaction() as tx:
        row = await tx.session.get(PersonRow, "leader")
        assert row is not None
        row.active = False
        tx.session.add(row)
    assert (await sign_in(desk, username="leader")).status_code == 401


async def test_signing_out_ends_the_session_at_once_and_is_emitted_to_the_system(
    desk: Desk,
) -> None:
    token = (await sign_in(desk)).json()["token"]
    visitor = desk.visitor(authorization=f"Bearer {token}")
    assert (await visitor.delete("/api/session")).status_code == 204
    assert (await visitor.get("/api/cases")).status_code == 401
    assert (await outbox_of(desk.service))[-1]["type"] == "directory.session_revoked.v1"


async def test_a_browser_is_sent_on_to_where_it_wanted_to_go(desk: Desk) -> None:
    answer = await desk.visitor().post(
        "/api/session", data=RIGHT | {"next": "/desk?queue=all"}, headers=HTML
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk?queue=all")


@pytest.mark.parametrize(
    "wanted", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/a\nb"]
)
async def test_signing_in_never_leads_to_another_site(desk: Desk, wanted: str) -> None:
    answer = await desk.visitor().post("/api/session", data=RIGHT | {"next": wanted}, headers=HTML)
    assert answer.headers["location"] == "/desk"


async def test_a_browser_sees_what_was_wrong_on_the_same_page(desk: Desk) -> None:
    answer = await desk.visitor().post(
        "/api/session", data={"username": "coordinator", "password": "no"}, headers=HTML
    )
    assert answer.status_code == 401
    assert "账号或密码不对" in answer.text
    assert 'value="coordinator"' in answer.text


async def test_another_site_cannot_sign_a_visitor_in(desk: Desk) -> None:
    answer = await desk.visitor(origin="https://evil.test").post(
        "/api/session", data=RIGHT, headers=HTML
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {"username": "x"}, {"username": "a\x00b", "password": "x"}, {"username": 1}]
)
async def test_an_incomplete_sign_in_is_422(desk: Desk, body: dict[str, object]) -> None:
    assert (await desk.visitor().post("/api/session", json=body)).status_code == 422


async def test_the_sign_in_page_and_the_way_out(desk: Desk) -> None:
    stranger = desk.visitor(**HTML)
    page = await stranger.get("/signin?next=/desk/cases/x")
    assert page.status_code == 200
    assert 'value="/desk/cases/x"' in page.text
    away = await stranger.get("/desk?queue=all")
    assert (away.status_code, away.headers["location"]) == (
        303,
        "/signin?next=/desk%3Fqueue%3Dall",
    )
    member = desk.visitor(**HTML)
    member.cookies.set(COOKIE, (await sign_in(desk)).json()["token"])
    assert (await member.get("/signin")).status_code == 303
    assert (await member.post("/desk/signout")).headers["location"] == "/signin"
    assert (await desk.visitor(**HTML, cookie=f"{COOKIE}=x").get("/desk")).status_code == 303


async def test_nobody_is_believed_before_it_is_known_what_was_revoked(desk: Desk) -> None:
    token = (await sign_in(desk)).json()["token"]
    by_token = desk.visitor(authorization=f"Bearer {token}")
    by_cookie = desk.visitor()
    by_cookie.cookies.set(COOKIE, token)
    made = adapter_token(desk.service.runtime, "adapter")
    adapter = desk.visitor(authorization=f"Bearer {made}")
    nobody = desk.visitor(authorization="Bearer forged")
    desk.service.runtime.directory.loaded = False
    for visitor in (by_token, by_cookie, adapter):
        answer = await visitor.get("/api/cases")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    assert (await nobody.get("/api/cases")).status_code == 401
    assert (await desk.visitor().get("/signin", headers=HTML)).status_code == 200
    desk.service.runtime.directory.loaded = True
    assert (await by_token.get("/api/cases")).status_code == 200
    assert (await adapter.get("/api/cases")).status_code == 403
