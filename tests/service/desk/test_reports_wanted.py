"""Everybody says for themselves which reports come by mail."""

from __future__ import annotations

from services.desk.handlers.recollect import recollect_person
from shared.contracts.desk import PersonListed
from shared.contracts.vocabulary import Role
from shared.messaging.replay import Replay
from tests.service.desk.conftest import Desk
from tests.service.desk.test_substitutes import HTML, account, sitting
from tests.support import outbox_of


async def listed(desk: Desk) -> PersonListed:
    told = [e for e in await outbox_of(desk.service) if e["type"] == "directory.person.v1"]
    return PersonListed.model_validate(told[-1]["body"])


async def test_a_reader_switches_kinds_off_and_on(desk: Desk) -> None:
    await account(desk, "boss", Role.LEADER)
    boss = sitting(desk, "boss")
    page = (await boss.get("/desk/account", headers=HTML)).text
    assert page.count('name="wanted"') == page.count(" checked>") == 3
    answer = await boss.post("/api/session/reports", data={"wanted": "month"}, headers=HTML)
    assert answer.headers["location"] == "/desk/account?reports=1"
    assert (await listed(desk)).no_reports == ("week", "term")
    page = (await boss.get("/desk/account", headers=HTML)).text
    assert page.count(" checked>") == 1
    answer = await boss.post("/api/session/reports", json={"wanted": ["week", "month", "term"]})
    assert answer.json() == {"wanted": ["week", "month", "term"]}
    # A form in which nothing is ticked has no field at all.
    answer = await boss.post("/api/session/reports", json={})
    assert answer.json() == {"wanted": []}
    wrong = await boss.post("/api/session/reports", json={"wanted": ["year"]})
    assert wrong.status_code == 422


async def test_who_is_mailed_none_has_nothing_to_choose(desk: Desk) -> None:
    await account(desk, "li", Role.HANDLER, department="space")
    li = sitting(desk, "li")
    assert 'name="wanted"' not in (await li.get("/desk/account", headers=HTML)).text
    assert (await li.post("/api/session/reports", json={"wanted": []})).status_code == 403


async def test_a_restored_database_knows_it_again(desk: Desk) -> None:
    await account(desk, "boss", Role.LEADER)
    await sitting(desk, "boss").post("/api/session/reports", json={"wanted": ["term"]})
    event = await listed(desk)
    async with desk.service.transaction() as tx:
        await tx.fetch("UPDATE people SET no_reports = '[]' WHERE username = 'boss'")
    async with desk.service.transaction() as tx:
        tx.replay = Replay("desk")
        await recollect_person(event, tx)
    async with desk.service.transaction() as tx:
        rows = await tx.fetch("SELECT no_reports FROM people WHERE username = 'boss'")
    assert [row[0] for row in rows] == [["week", "month"]]
