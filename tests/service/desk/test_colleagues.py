"""Colleagues on one case: who is named in a note, and who else has it before them."""

from __future__ import annotations

import httpx2
import pytest

from services.desk.jobs import forget_viewers
from services.desk.store import PersonRow
from services.desk.store.people import list_person
from shared.contracts.vocabulary import Role
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import outbox_of

HTML = {"accept": "text/html"}


@pytest.fixture(autouse=True)
async def people(desk: Desk) -> None:
    """Accounts that the directory knows, as it does a moment after they were made."""
    async with desk.service.transaction() as tx:
        for username, role, department in (
            ("wang", Role.HANDLER, "space"),
            ("li.ming", Role.HANDLER, "space"),
            ("zhao", Role.HANDLER, "it"),
            ("boss", Role.LEADER, None),
            ("gone", Role.HANDLER, "space"),
        ):
            row = PersonRow(
                username=username, display=f"{username}老师", role=str(role), password=""
            )
            row.department, row.active = department, username != "gone"
            desk.service.runtime.directory.apply(list_person(tx, row))


@pytest.fixture
async def case(desk: Desk) -> str:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    return feedback_id


@pytest.fixture
def wang(desk: Desk) -> httpx2.AsyncClient:
    return desk.as_("handler", "space", "wang")


async def mentioned(desk: Desk, who: httpx2.AsyncClient) -> list[str]:
    items = (await who.get("/api/cases?queue=mentioned")).json()["items"]
    return [one["feedback_id"] for one in items]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"text": "请看看", "mention": ["li.ming"]}, ["li.ming"]),
        ({"text": "请看看", "mention": ["@Li.Ming", "boss"]}, ["li.ming", "boss"]),
        ({"text": "请@li.ming。看看，＠boss 也是"}, ["li.ming", "boss"]),
        ({"text": "@li.ming.", "mention": ["li.ming"]}, ["li.ming"]),
        ({"text": "写给 wang@boss.example，@nobody，@gone，@wang"}, []),
    ],
)
async def test_who_is_named_in_a_note_is_told(
    desk: Desk, case: str, wang: httpx2.AsyncClient, body: dict[str, object], told: list[str]
) -> None:
    done = await desk.do(wang, case, "note", **body)
    event = (await outbox_of(desk.service, case))[-1]
    assert event["type"] == "case.noted.v1"
    assert event["body"]["mentions"] == told
    line = [one["text"] for one in done["timeline"] if one["type"] == "case.noted"]
    assert all(f"{name}老师" in line[0] for name in told)
    for name in ("li.ming", "boss"):
        role, department = ("handler", "space") if name == "li.ming" else ("leader", None)
        who = desk.as_(role, department, name)
        assert await mentioned(desk, who) == ([case] if name in told else [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "x", "mention": ["nobody"]}, "mention"),
        ({"text": "x", "mention": ["gone"]}, "mention"),
        ({"text": "x", "mention": ["zhao"]}, "mention"),
        ({"text": "@zhao 请看"}, "text"),
    ],
)
async def test_who_may_not_see_the_case_is_not_named_in_it(
    desk: Desk, case: str, wang: httpx2.AsyncClient, body: dict[str, object], field: str
) -> None:
    before = len(await outbox_of(desk.service, case))
    answer = await wang.post(f"/api/cases/{case}/note", json=body)
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["errors"]
    assert len(await outbox_of(desk.service, case)) == before


async def test_a_mention_is_over_when_its_page_was_looked_at(
    desk: Desk, case: str, wang: httpx2.AsyncClient
) -> None:
    # As the boxes of a form send it.
    form = {"text": "请看看", "mention.li.ming": "1"}
    answer = await wang.post(f"/api/cases/{case}/note", data=form, headers=HTML)
    assert answer.status_code == 303, answer.text
    li = desk.as_("handler", "space", "li.ming")
    assert await mentioned(desk, li) == [case]
    assert "有人提到您" in (await li.get(f"/desk/cases/{case}", headers=HTML)).text
    assert await mentioned(desk, li) == []
    assert "有人提到您" not in (await li.get(f"/desk/cases/{case}", headers=HTML)).text


async def test_only_colleagues_who_may_see_it_are_offered(
    desk: Desk, case: str, wang: httpx2.AsyncClient
) -> None:
    items = (await wang.get(f"/api/cases/{case}/colleagues")).json()["items"]
    assert [one["username"] for one in items] == ["li.ming", "boss"]
    page = (await wang.get(f"/desk/cases/{case}", headers=HTML)).text
    assert 'data-account="li.ming"' in page
    assert 'data-account="zhao"' not in page
    outside = desk.as_("handler", "it", "zhao")
    assert (await outside.get(f"/api/cases/{case}/colleagues")).status_code == 404


async def test_who_else_looks_or_writes_is_said_for_as_long_as_they_do(
    desk: Desk, case: str, wang: httpx2.AsyncClient
) -> None:
    li, path = desk.as_("handler", "space", "li.ming"), f"/api/cases/{case}/viewers"

    async def others(who: httpx2.AsyncClient) -> list[tuple[str, bool]]:
        items = (await who.get(path)).json()["items"]
        return [(one["display"], one["writing"]) for one in items]

    assert (await li.put(path, json={"writing": True})).json() == {"items": []}
    assert await others(wang) == [("li.ming老师", True)]
    assert await others(li) == []
    assert (await wang.put(path)).json()["items"][0]["username"] == "li.ming"
    await li.put(path, json={})
    assert await others(wang) == [("li.ming老师", False)]
    desk.clock.later(seconds=26)
    assert await others(wang) == []
    await forget_viewers(desk.service)
    async with desk.service.transaction() as tx:
        assert await tx.fetch("SELECT * FROM viewers") == []


async def test_whose_case_it_is_not_sees_nobody_and_is_seen_by_nobody(
    desk: Desk, case: str, wang: httpx2.AsyncClient
) -> None:
    outside, path = desk.as_("handler", "it", "zhao"), f"/api/cases/{case}/viewers"
    assert (await outside.get(path)).status_code == 404
    assert (await outside.put(path, json={"writing": True})).status_code == 404
    assert (await wang.put(path, json={"writing": "perhaps"})).status_code == 422
    assert (await wang.get(path)).json() == {"items": []}
