"""Several roles, being away, and who stands in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from services.desk.jobs import hand_over
from services.desk.store import PersonRow
from services.desk.store.people import list_person, person, set_roles
from shared.contracts.vocabulary import Role
from shared.moments import local
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import outbox_of

HTML = {"accept": "text/html"}


async def account(desk: Desk, username: str, *roles: Role, department: str | None = None) -> None:
    """An account that the directory knows, as it does a moment after it was made."""
    async with desk.service.transaction() as tx:
        row = PersonRow(username=username, display=f"{username}老师", role="", password="")
        row.department = department
        set_roles(row, roles)
        listed = list_person(tx, row)
    desk.service.runtime.directory.apply(listed)


def sitting(desk: Desk, username: str) -> httpx2.AsyncClient:
    listed = desk.service.runtime.directory.people[username]
    return desk.as_(listed.role, listed.department, username)


async def away(desk: Desk, username: str, substitute: str | None, **days: int) -> httpx2.Response:
    until = local(desk.clock.now() + timedelta(days=days.get("days", 2)))
    body = {"until": until} | ({"substitute": substitute} if substitute else {})
    return await sitting(desk, username).post("/api/session/absence", json=body)


@pytest.fixture(autouse=True)
async def people(desk: Desk) -> None:
    await account(desk, "wang", Role.LIAISON, Role.HANDLER, department="space")
    await account(desk, "li", Role.HANDLER, department="space")
    await account(desk, "head", Role.REVIEWER, department="space")
    await account(desk, "zhao", Role.HANDLER, department="it")
    await account(desk, "office", Role.COORDINATOR, department="relations")
    await account(desk, "pupil", Role.STUDENT, department="desk")


async def dispatched(desk: Desk) -> str:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    return feedback_id


async def seen(who: httpx2.AsyncClient, queue: str) -> list[str]:
    return [i["feedback_id"] for i in (await who.get(f"/api/cases?queue={queue}")).json()["items"]]


async def test_one_person_with_two_roles_signs_and_handles(desk: Desk) -> None:
    feedback_id = await dispatched(desk)
    wang = sitting(desk, "wang")
    await desk.do(wang, feedback_id, "accept")
    await desk.do(wang, feedback_id, "claim")
    done = await desk.do(wang, feedback_id, "reply", text="您好，已清理", outcome="solved")
    assert done["state"] == "REPLIED"
    told = [e for e in await desk.told(feedback_id) if e["body"]["by"].get("name") == "wang"]
    assert [e["body"]["by"]["role"] for e in told] == ["liaison", "handler", "handler"]
    page = (await wang.get("/desk", headers=HTML)).text
    assert all(f"queue={queue}" in page for queue in ("to_accept", "mine", "department"))


async def test_other_roles_count_at_once_and_without_a_new_password(desk: Desk) -> None:
    li = sitting(desk, "li")
    assert (await li.get("/api/incidents")).status_code == 403
    async with desk.service.transaction() as tx:
        row = await person(tx, "li")
        assert row is not None
        set_roles(row, [Role.HANDLER, Role.LEADER])
        listed = list_person(tx, row)
    desk.service.runtime.directory.apply(listed)
    assert (await li.get("/api/incidents")).status_code == 200
    feedback_id = await desk.in_progress()
    await desk.do(desk.as_("liaison", "space"), feedback_id, "assign", to="li")
    assert await hand_over(desk.service) == 0


async def test_who_stands_in_does_what_the_absent_may_until_they_are_back(desk: Desk) -> None:
    feedback_id = await dispatched(desk)
    zhao = sitting(desk, "zhao")
    assert (await zhao.get(f"/api/cases/{feedback_id}")).status_code == 404
    answer = await away(desk, "wang", "zhao")
    assert answer.status_code == 200, answer.text
    assert answer.json()["substitute"] == "zhao"

    assert feedback_id in await seen(zhao, "to_accept")
    await desk.do(zhao, feedback_id, "accept")
    claimed = await desk.do(zhao, feedback_id, "claim")
    assert (claimed["assignee"], claimed["assignee_name"]) == ("wang", "wang老师")
    assert feedback_id in await seen(zhao, "mine")
    assert claimed["assignee_away"]["substitute_name"] == "zhao老师"
    page = (await zhao.get(f"/desk/cases/{feedback_id}", headers=HTML)).text
    assert "外出到" in page
    assert "代理：zhao老师" in page
    by = [line["by"] for line in claimed["timeline"] if line["type"] == "case.accepted"]
    assert by == ["zhao老师（代 wang老师）"]
    event = (await outbox_of(desk.service, feedback_id))[-1]["body"]["by"]
    assert (event["name"], event["substitute_for"], event["department"]) == (
        "zhao",
        "wang",
        "space",
    )

    desk.clock.later(days=2)
    assert (await zhao.get(f"/api/cases/{feedback_id}")).status_code == 401  # the session is over
    zhao = sitting(desk, "zhao")
    assert (await zhao.get(f"/api/cases/{feedback_id}")).status_code == 404
    assert feedback_id not in await seen(zhao, "mine")
    assert feedback_id in await seen(sitting(desk, "wang"), "mine")


async def test_the_substitute_of_a_substitute_is_nobody(desk: Desk) -> None:
    feedback_id = await dispatched(desk)
    assert (await away(desk, "wang", "zhao")).status_code == 200
    assert (await away(desk, "zhao", "office")).status_code == 200
    assert (
        "accept"
        not in (await sitting(desk, "office").get(f"/api/cases/{feedback_id}")).json()["may"]
    )
    refused = await away(desk, "li", "zhao")
    assert (refused.status_code, "substitute" in refused.json()["errors"]) == (422, True)


@pytest.mark.parametrize("submitted_by", ["head", "li"])
async def test_four_eyes_hold_for_substitutes(desk: Desk, submitted_by: str) -> None:
    """Neither the writer in the place of the head, nor somebody in the place of the writer."""
    feedback_id = await dispatched(desk)
    writer = sitting(desk, submitted_by)
    await desk.do(sitting(desk, "head"), feedback_id, "accept")
    await desk.do(writer, feedback_id, "claim")
    await desk.do(writer, feedback_id, "submit", text="您好，已清理", outcome="solved")
    assert (await away(desk, "head", "li")).status_code == 200
    refused = await sitting(desk, "li").post(f"/api/cases/{feedback_id}/approve")
    assert refused.status_code == 409
    case = (await sitting(desk, "li").get(f"/api/cases/{feedback_id}")).json()
    assert "approve" not in case["may"]
    assert "send_back" in case["may"]
    # Nor once it was sent back by the head.
    reader = "boss" if submitted_by == "head" else "head"
    await desk.do(desk.as_("reviewer", "space", reader), feedback_id, "send_back", comment="再写")
    case = (await sitting(desk, "li").get(f"/api/cases/{feedback_id}")).json()
    assert ("submit" in case["may"], "reply" in case["may"]) == (True, False)


async def test_nobody_grants_themselves_more_time_in_the_place_of_the_head(desk: Desk) -> None:
    """A head does: they may be the only one, and the page says so."""
    feedback_id = await dispatched(desk)
    await desk.do(sitting(desk, "wang"), feedback_id, "accept")
    more = {"until": local(desk.clock.now() + timedelta(days=30)), "reason": "等货"}
    await desk.do(sitting(desk, "li"), feedback_id, "claim")
    await desk.do(sitting(desk, "li"), feedback_id, "extend", **more)
    assert (await away(desk, "head", "li")).status_code == 200
    li = sitting(desk, "li")
    refused = await li.post(f"/api/cases/{feedback_id}/grant_extension")
    assert (refused.status_code, "不能代负责人同意" in refused.json()["detail"]) == (409, True)
    may = (await li.get(f"/api/cases/{feedback_id}")).json()["may"]
    assert ("grant_extension" in may, "refuse_extension" in may) == (False, True)
    page = (await li.get(f"/desk/cases/{feedback_id}", headers=HTML)).text
    assert "是您自己申请的，不能代负责人同意" in page
    await desk.do(li, feedback_id, "refuse_extension", reason="我自己再想想")

    head = desk.as_("reviewer", "space", "boss")
    await desk.do(head, feedback_id, "extend", **more)
    page = (await head.get(f"/desk/cases/{feedback_id}", headers=HTML)).text
    assert "您是负责人，由您同意" in page
    assert "您自己申请" not in (await li.get(f"/desk/cases/{feedback_id}", headers=HTML)).text
    granted = await desk.do(head, feedback_id, "grant_extension")
    assert granted["extension"]["state"] == "granted"


async def test_somebody_else_reads_it_in_the_place_of_the_head(desk: Desk) -> None:
    feedback_id = await dispatched(desk)
    await desk.do(sitting(desk, "wang"), feedback_id, "accept")
    await desk.do(sitting(desk, "wang"), feedback_id, "claim")
    await desk.do(sitting(desk, "wang"), feedback_id, "submit", text="您好", outcome="solved")
    assert (await away(desk, "head", "li")).status_code == 200
    assert (await desk.do(sitting(desk, "li"), feedback_id, "approve"))["state"] == "REPLIED"


@pytest.mark.parametrize(
    ("until", "substitute", "field"),
    [
        ("2020-01-01T08:00:00+08:00", "li", "until"),
        ("2027-01-01T08:00:00", "li", "until"),
        ("2027-01-01T08:00:00+08:00", "wang", "substitute"),
        ("2027-01-01T08:00:00+08:00", "nobody", "substitute"),
        ("2027-01-01T08:00:00+08:00", "pupil", "substitute"),
    ],
)
async def test_an_absence_that_makes_no_sense_is_refused(
    desk: Desk, until: str, substitute: str, field: str
) -> None:
    wang = sitting(desk, "wang")
    answer = await wang.post(
        "/api/session/absence", json={"until": until, "substitute": substitute}
    )
    assert answer.status_code == 422
    assert field in answer.json()["errors"]


async def test_what_an_absence_does_not_know_is_refused_and_does_not_mean_back(desk: Desk) -> None:
    given = (await away(desk, "wang", "zhao")).json()
    answer = await sitting(desk, "wang").post(
        "/api/session/absence", json={k: given[k] for k in ("away_until", "substitute")}
    )
    assert (answer.status_code, answer.json()["errors"]) == (422, {"away_until": "没有这一项"})
    assert desk.service.runtime.directory.absent("zhao", desk.clock.now()) != []


async def test_back_before_time(desk: Desk) -> None:
    await away(desk, "wang", "zhao")
    answer = await sitting(desk, "wang").post("/api/session/absence", json={})
    assert answer.json() == {"name": "wang", "away_until": None, "substitute": None}
    assert desk.service.runtime.directory.absent("zhao", desk.clock.now()) == []


async def test_a_head_says_it_for_the_department_and_lends_nothing_else(desk: Desk) -> None:
    await account(desk, "both", Role.LEADER, Role.HANDLER, department="space")
    head = sitting(desk, "head")
    body: dict[str, Any] = {"until": "2027-01-01T08:00:00+08:00", "substitute": "head"}

    async def status(who: httpx2.AsyncClient, account: str) -> int:
        answer = await who.post("/api/session/absence", json=body | {"account": account})
        return answer.status_code

    assert await status(head, "wang") == 200
    assert await status(head, "zhao") == 403
    assert await status(head, "nobody") == 403
    assert await status(head, "both") == 403
    assert await status(sitting(desk, "li"), "wang") == 403
    await account(desk, "root", Role.ADMIN)
    assert await status(sitting(desk, "root"), "both") == 422
    assert await status(sitting(desk, "root"), "nobody") == 404
    # Neither the one nor the other is lent on.
    await away(desk, "head", "li")
    await away(desk, "root", "li")
    assert await status(sitting(desk, "li"), "wang") == 403


@pytest.mark.parametrize(
    ("absent", "substitute", "status"),
    [
        ("boss", "root", 422),
        ("boss", "office", 422),
        ("office", "root", 422),
        ("office", "office2", 200),
        ("wang", "root", 422),
        ("wang", "zhao", 422),
        ("wang", "pupil", 422),
        ("wang", "head", 200),
        ("head", "li", 200),
        ("boss", None, 200),
        ("root", "office", 200),
    ],
)
async def test_an_administrator_lends_nobody_more_than_they_have(
    desk: Desk, absent: str, substitute: str | None, status: int
) -> None:
    await account(desk, "root", Role.ADMIN)
    await account(desk, "boss", Role.LEADER)
    await account(desk, "office2", Role.COORDINATOR, department="relations")
    body = {"account": absent, "until": "2027-01-01T08:00:00+08:00", "substitute": substitute}
    answer = await sitting(desk, "root").post("/api/session/absence", json=body)
    assert answer.status_code == status, answer.text
    assert (status == 422) == ("substitute" in answer.json().get("errors", {}))
    page = (await sitting(desk, absent).get("/desk/account", headers=HTML)).text
    assert ("替您记下的" in page) == (status == 200 and absent != "root")


async def test_the_page_of_the_account_says_it_and_takes_it(desk: Desk) -> None:
    wang = sitting(desk, "wang")
    form = {"until": "2026-03-06T08:30", "substitute": "zhao"}
    answer = await wang.post("/api/session/absence", data=form, headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/account?absence=1")
    page = (await wang.get("/desk/account?absence=1", headers=HTML)).text
    assert "zhao老师" in page
    assert "我回来了" in page
    theirs = (await sitting(desk, "zhao").get("/desk/account", headers=HTML)).text
    assert "您现在代" in theirs
    assert "代 wang老师" in theirs
    wrong = await wang.post(
        "/api/session/absence", data=form | {"until": "2020-01-01T08:30"}, headers=HTML
    )
    assert wrong.status_code == 422
    assert "时间须在将来" in wrong.text


async def test_what_one_sees_as_a_substitute_is_on_record_as_that(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id), examples.private(feedback_id))
    await away(desk, "wang", "zhao")
    case = (await sitting(desk, "zhao").get(f"/api/cases/{feedback_id}")).json()
    assert case["contact"]
    (look,) = [
        e["body"]["by"]
        for e in await outbox_of(desk.service, feedback_id)
        if e["type"] == "case.personal_data_read.v1"
    ]
    assert (look["name"], look["substitute_for"]) == ("zhao", "wang")


async def test_the_directory_says_where_an_absence_was_entered_and_by_whom(desk: Desk) -> None:
    until = local(desk.clock.now() + timedelta(days=2))
    body = {"account": "wang", "until": until, "substitute": "li"}
    answer = await sitting(desk, "head").post("/api/session/absence", json=body)
    assert answer.status_code == 200, answer.text
    async with desk.service.transaction() as tx:
        row = await person(tx, "wang")
        assert row is not None
        list_person(tx, row)
    listed = [e["body"] for e in await desk.told() if e["type"] == "directory.person.v1"]
    entered, later = (e for e in listed[-2:])
    assert (entered["username"], entered["absence_entered"]) == ("wang", True)
    assert entered["by"]["name"] == "head"
    # What else changes of the account is no news of it.
    assert not later.get("absence_entered")
