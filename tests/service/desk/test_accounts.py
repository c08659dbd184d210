"""Accounts that change, and how people type their names."""

from __future__ import annotations

import pytest

from services.desk.jobs import hand_over
from services.desk.store import PersonRow
from services.desk.store.people import hash_password, list_person, person
from shared.contracts.vocabulary import Role
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import outbox_of


async def change(desk: Desk, username: str, **values: object) -> None:
    async with desk.service.transaction() as tx:
        row = await person(tx, username)
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)
        list_person(tx, row)


async def assigned(desk: Desk) -> str:
    await desk.person("wang", Role.HANDLER, "space")
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    liaison = desk.as_("liaison", "space")
    await desk.do(liaison, feedback_id, "accept")
    await desk.do(liaison, feedback_id, "assign", to="Ｗａｎｇ")
    return feedback_id


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"department": "it"}, "moved"),
        ({"role": "leader", "department": None}, "moved"),
        ({"active": False}, "left"),
    ],
)
async def test_the_cases_of_who_moves_or_leaves_go_back_to_the_department(
    desk: Desk, values: dict[str, object], reason: str
) -> None:
    feedback_id = await assigned(desk)
    assert await hand_over(desk.service) == 0
    await change(desk, "wang", **values)

    assert await hand_over(desk.service) == 1
    assert await hand_over(desk.service) == 0

    event = (await outbox_of(desk.service, feedback_id))[-1]
    assert event["type"] == "case.unassigned.v1"
    assert (event["body"]["previous"], event["body"]["reason"]) == ("wang", reason)
    assert (event["body"]["department"], event["body"]["state"]) == ("space", "ACCEPTED")
    liaison = desk.as_("liaison", "space")
    listed = (await liaison.get("/api/cases?queue=department")).json()["items"]
    assert [(i["feedback_id"], i["assignee"]) for i in listed] == [(feedback_id, None)]
    case = (await liaison.get(f"/api/cases/{feedback_id}")).json()
    assert "assign" in case["may"]
    assert (
        "claim"
        in (await desk.as_("handler", "space").get(f"/api/cases/{feedback_id}")).json()["may"]
    )


async def test_what_waits_for_the_reporter_goes_on_waiting_for_the_next_handler(
    desk: Desk,
) -> None:
    feedback_id = await assigned(desk)
    handler = desk.as_("handler", "space", "wang")
    await desk.do(handler, feedback_id, "ask", question="哪一排？")
    await change(desk, "wang", active=False)
    assert await hand_over(desk.service) == 1
    other = desk.as_("handler", "space", "li")
    taken = await desk.do(other, feedback_id, "claim")
    assert (taken["state"], taken["assignee"]) == ("WAITING_USER", "li")
    refused = await desk.as_("handler", "space", "zhao").post(f"/api/cases/{feedback_id}/claim")
    assert refused.status_code == 409


async def test_a_liaison_puts_a_case_back(desk: Desk) -> None:
    feedback_id = await assigned(desk)
    case = await desk.do(desk.as_("liaison", "space"), feedback_id, "unassign")
    assert (case["state"], case["assignee"], case["department"]) == ("ACCEPTED", None, "space")


@pytest.mark.parametrize(
    "typed", ["wang", "Wang", " WANG ", "ｗａｎｇ", "Ｗang", "\u200bwang\ufeff"]
)
async def test_no_two_accounts_differ_only_in_case_or_width(desk: Desk, typed: str) -> None:
    async with desk.service.transaction() as tx:
        row = PersonRow(
            username="wang", display="王", role="leader", password=hash_password("long enough")
        )
        list_person(tx, row)
    answer = await desk.visitor().post(
        "/api/session", json={"username": typed, "password": "long enough"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["name"] == "wang"
