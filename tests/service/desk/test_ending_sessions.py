"""How long a session lasts, and what ends it before its time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from services.desk.jobs import forget_sessions
from services.desk.seeds import seed_demo_people
from services.desk.store import PersonRow
from services.desk.store.people import end_sessions, hash_password, list_person, set_password
from shared.contracts import DIRECTORY, Event
from shared.contracts.desk import SessionForgotten, SessionRevoked, SessionsEnded
from shared.messaging.directory import Directory, DirectoryReader
from shared.messaging.envelope import headers_for
from shared.messaging.retention import prune
from shared.security import Signer
from shared.web.auth import COOKIE
from tests.service.desk.conftest import Desk
from tests.support import adapter_token, outbox_of

OLD, NEW = "the old password", "the new password"
HTML = {"accept": "text/html"}


@pytest.fixture(autouse=True)
async def wang(desk: Desk) -> None:
    async with desk.service.transaction() as tx:
        row = PersonRow(username="wang", display="王", role="leader", password=hash_password(OLD))
        list_person(tx, row)


async def sign_in(desk: Desk, password: str = OLD) -> httpx2.AsyncClient:
    """A browser in which Wang is signed in."""
    browser = desk.visitor()
    body = {"username": "wang", "password": password}
    answer = await browser.post("/api/session", json=body)
    assert answer.status_code == 200, answer.text
    return browser


async def is_in(browser: httpx2.AsyncClient) -> bool:
    return (await browser.get("/api/cases")).status_code == 200


# -- how long --------------------------------------------------------------------------------


async def test_a_session_that_is_used_goes_on_and_one_that_is_not_ends(desk: Desk) -> None:
    used, unused = await sign_in(desk), await sign_in(desk)
    first = used.cookies[COOKIE]
    assert "set-cookie" not in (await used.get("/api/cases")).headers
    desk.clock.later(hours=7)
    answer = await used.get("/api/cases")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "Max-Age=43200" in answer.headers["set-cookie"]
    assert used.cookies[COOKIE] != first
    desk.clock.later(hours=6)
    assert await is_in(used)
    assert not await is_in(unused)


async def test_used_or_not_it_ends_after_three_days(desk: Desk) -> None:
    browser = await sign_in(desk)
    for _ in range(11):
        desk.clock.later(hours=6)
        assert await is_in(browser)
    desk.clock.later(hours=5)
    assert await is_in(browser)
    desk.clock.later(hours=1)
    assert not await is_in(browser)


async def test_a_program_is_given_no_cookie(desk: Desk) -> None:
    token = (await sign_in(desk)).cookies[COOKIE]
    program = desk.visitor(authorization=f"Bearer {token}")
    desk.clock.later(hours=7)
    answer = await program.get("/api/cases")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


async def test_a_renewed_session_is_the_same_one_and_signing_out_ends_both_cookies(
    desk: Desk,
) -> None:
    browser = await sign_in(desk)
    copied = desk.visitor()
    copied.cookies.set(COOKIE, browser.cookies[COOKIE])
    desk.clock.later(hours=2)
    assert await is_in(browser)
    desk.clock.later(hours=2)
    answer = await browser.delete("/api/session")
    assert answer.headers.get_list("set-cookie") == [answer.headers["set-cookie"]]
    assert not browser.cookies.get(COOKIE), "no renewal comes back with the sign-out"
    assert not await is_in(copied)


async def test_a_session_of_the_release_before_lives_until_it_ends(desk: Desk) -> None:
    signer, now = desk.service.runtime.signer, desk.clock.now()
    until = int(now.timestamp()) + 12 * 3600
    token = signer._sessions.dumps(["an-id-of-before", "wang", "王", "leader", None, until])
    browser = desk.visitor()
    browser.cookies.set(COOKIE, str(token))
    desk.clock.later(hours=11)
    assert await is_in(browser)
    assert browser.cookies[COOKIE] == token
    desk.clock.later(hours=1)
    assert not await is_in(browser)


async def test_a_new_secret_ends_no_session_while_the_old_one_stands_behind_it(
    desk: Desk,
) -> None:
    used, copied = await sign_in(desk), desk.visitor()
    copied.cookies.set(COOKIE, used.cookies[COOKIE])
    adapter = desk.visitor(authorization=f"Bearer {adapter_token(desk.service.runtime, 'kiosk')}")
    runtime, (old, new) = desk.service.runtime, ("a secret for tests only", "another of its kind")
    runtime.signer = Signer([new, old])
    desk.clock.later(hours=2)
    assert await is_in(used)
    assert (await adapter.get("/api/cases")).status_code == 403, "known, and no member of staff"
    # What is used meanwhile is signed by the new one, and survives the end of the old one.
    runtime.signer = Signer([new])
    assert await is_in(used)
    assert not await is_in(copied)
    assert (await adapter.get("/api/cases")).status_code == 401


# -- what ends it ----------------------------------------------------------------------------


async def change(browser: httpx2.AsyncClient, **values: str) -> httpx2.Response:
    return await browser.post("/api/session/password", json={"password": OLD, "new": NEW} | values)


async def test_a_new_password_ends_every_session_but_the_one_it_was_typed_in(desk: Desk) -> None:
    here, elsewhere = await sign_in(desk), await sign_in(desk)
    program = desk.visitor(authorization=f"Bearer {elsewhere.cookies[COOKIE]}")
    colleague = desk.as_("leader", name="li")
    answer = await change(here)
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["name"] == "wang"
    assert await is_in(here)
    assert not await is_in(elsewhere)
    assert not await is_in(program)
    assert await is_in(colleague)
    again = await desk.visitor().post("/api/session", json={"username": "wang", "password": OLD})
    assert again.status_code == 401
    assert await is_in(await sign_in(desk, NEW))
    assert NEW not in str(await outbox_of(desk.service))


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"password": "wrong"}, 401),
        ({"new": "short"}, 422),
        ({"new": ""}, 422),
        ({"again": "another"}, 422),
    ],
)
async def test_a_password_is_not_changed_by_a_mistake(
    desk: Desk, values: dict[str, str], status: int
) -> None:
    here, elsewhere = await sign_in(desk), await sign_in(desk)
    assert (await change(here, **values)).status_code == status
    assert await is_in(here)
    assert await is_in(elsewhere)
    assert await is_in(await sign_in(desk, OLD))


async def test_guessing_the_password_here_is_counted_as_guessing_it_there(desk: Desk) -> None:
    here = await sign_in(desk)
    for _ in range(10):
        assert (await change(here, password="wrong")).status_code == 401
    assert (await change(here)).status_code == 429
    assert (await desk.visitor().post("/api/session/password", json={})).status_code == 401


@pytest.mark.parametrize(
    ("new", "zh", "en"),
    [
        ("short", "至少 8 个字", "at least 8 characters"),
        (" " * 8, "请写点什么", "please write something"),
        ("", "至少 8 个字", "at least 8 characters"),
    ],
)
async def test_what_is_no_password_is_refused_in_words(
    desk: Desk, new: str, zh: str, en: str
) -> None:
    browser = await sign_in(desk)
    for language, words in (("zh", zh), ("en", en)):
        browser.headers["accept-language"] = language
        refused = await change(browser, new=new)
        assert (refused.status_code, refused.json()["errors"]) == (422, {"new": words})
    assert await is_in(browser)


async def test_the_page_of_an_account(desk: Desk) -> None:
    assert (await desk.visitor(**HTML).get("/desk/account")).status_code == 303
    browser = await sign_in(desk)
    page = await browser.get("/desk/account", headers=HTML)
    assert page.status_code == 200
    form = {"password": OLD, "new": NEW, "again": "another"}
    wrong = await browser.post("/api/session/password", data=form, headers=HTML)
    assert (wrong.status_code, "两次输入的新密码不一样" in wrong.text) == (422, True)
    assert OLD not in wrong.text
    right = await browser.post("/api/session/password", data=form | {"again": NEW}, headers=HTML)
    assert (right.status_code, right.headers["location"]) == (303, "/desk/account?changed=1")
    page = await browser.get(right.headers["location"], headers=HTML)
    assert "密码已修改" in page.text
    foreign = await browser.post(
        "/api/session/password", data=form, headers=HTML | {"origin": "https://evil.test"}
    )
    assert foreign.status_code == 403


async def test_a_command_in_another_process_ends_them_when_the_directory_says_so(
    desk: Desk,
) -> None:
    browser, colleague = await sign_in(desk), desk.as_("leader", name="li")
    directory = desk.service.runtime.directory
    desk.clock.later(seconds=5)
    async with desk.service.transaction() as tx:
        row = await tx.session.get(PersonRow, "wang")
        assert row is not None
        ended = set_password(tx, row, hash_password(NEW))
    reader = DirectoryReader(directory, "127.0.0.1:1")
    reader._take(_raw(ended))
    assert not await is_in(browser)
    assert await is_in(colleague)
    new = await sign_in(desk, NEW)
    desk.clock.later(seconds=5)
    async with desk.service.transaction() as tx:
        everybody = end_sessions(tx, None)
    desk.clock.later(seconds=-3600)
    reader._take(_raw(everybody))
    assert not await is_in(new)
    assert not await is_in(colleague)
    # A clock that is behind locks nobody out.
    assert await is_in(await sign_in(desk, NEW))


async def test_demo_accounts_read_the_language_of_the_house(desk: Desk) -> None:
    runtime = desk.service.runtime
    runtime.settings = runtime.settings.model_copy(update={"locale": "en"})
    await seed_demo_people(desk.service)
    async with desk.service.transaction() as tx:
        row = await tx.session.get(PersonRow, "handler.space")
        assert row is not None
        assert row.locale == "en"


async def test_demo_accounts_keep_a_password_that_somebody_gave_them(desk: Desk) -> None:
    await seed_demo_people(desk.service)
    async with desk.service.transaction() as tx:
        row = await tx.session.get(PersonRow, "leader")
        assert row is not None
        set_password(tx, row, hash_password(NEW))
    await seed_demo_people(desk.service)
    body = {"username": "leader", "password": NEW}
    assert (await desk.visitor().post("/api/session", json=body)).status_code == 200


# -- and is forgotten ------------------------------------------------------------------------


async def test_what_was_revoked_is_forgotten_when_it_would_be_over(desk: Desk) -> None:
    browser = await sign_in(desk)
    await browser.delete("/api/session")
    directory = desk.service.runtime.directory
    (session,) = directory.revoked_sessions
    desk.clock.later(hours=12, minutes=59)
    assert await forget_sessions(desk.service) == 0
    desk.clock.later(minutes=1)
    assert await forget_sessions(desk.service) == 1
    assert await forget_sessions(desk.service) == 0
    assert directory.revoked_sessions == {}
    last = (await outbox_of(desk.service))[-1]
    assert (last["type"], last["body"]) == (SessionForgotten.type, None)
    assert (last["topic"], last["key"]) == (DIRECTORY, f"session:{session}")
    # The outbox forgets too: first what was overtaken, after a month the tombstone itself.
    async with desk.service.engine.connect() as connection:
        await connection.exec_driver_sql("UPDATE outbox SET published_at = now()")
        await connection.commit()
        raw = (await connection.get_raw_connection()).driver_connection
        assert await _left(desk, session) == [SessionRevoked.type, SessionForgotten.type]
        await prune(raw)
        assert await _left(desk, session) == [SessionForgotten.type]
        await connection.exec_driver_sql("UPDATE outbox SET published_at = now() - interval '31 d'")
        await connection.commit()
        await prune(raw)
    assert await _left(desk, session) == []
    kept = {event["type"] for event in await outbox_of(desk.service)}
    assert "directory.person.v1" in kept


async def test_a_tombstone_takes_nothing_else_off_the_directory(desk: Desk) -> None:
    directory = Directory()
    reader = DirectoryReader(directory, "127.0.0.1:1")
    now = desk.clock.now()
    reader._take(_raw(SessionRevoked(at=now, session_id="s", expires=now)))
    reader._take(_raw(SessionsEnded(at=now, username="wang", before=now)))
    forged = _raw(SessionForgotten(at=now, session_id="s"), ce_source="intake")
    reader._take(forged)
    assert directory.revoked_sessions == {"s": now}
    reader._take(_raw(SessionForgotten(at=now, session_id="s")))
    assert directory.revoked_sessions == {}
    assert directory.sessions_ended == {"wang": now}


async def _left(desk: Desk, session: str) -> list[str]:
    events = await outbox_of(desk.service)
    return [event["type"] for event in events if event["key"] == f"session:{session}"]


def _raw(event: Event, **forged: str) -> Any:
    """A message of the directory as Kafka's client gives it."""
    headers = headers_for(event, ce_id="1", source="desk", sequence=None, cause=None) | forged
    return SimpleNamespace(
        topic=DIRECTORY,
        partition=0,
        offset=0,
        key=event.key.encode(),
        value=None if event.tombstone else event.model_dump_json().encode(),
        headers=[(name, value.encode()) for name, value in headers.items()],
    )
