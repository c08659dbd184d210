"""Many cases at once through the pages, and what takes it back."""

from __future__ import annotations

from typing import Any

import pytest

from services.desk.store.looks import QUEUES
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_related import shown, work

BROWSER = {"accept": "text/html"}


async def send(desk: Desk, who: Any, action: str, *ids: str, **fields: str) -> str:
    """A form with some boxes ticked: the id of the job."""
    form = [("feedback_ids", one) for one in ids] + list(fields.items())
    body = "&".join(f"{name}={value}" for name, value in form)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = await who.post(f"/api/cases/bulk/{action}", content=body, headers=BROWSER | kind)
    assert answer.status_code == 303, answer.text
    await work(desk)
    return str(answer.headers["location"]).rpartition("/")[2]


async def undo(desk: Desk, who: Any, job: str) -> dict[str, Any]:
    answer = await who.post(f"/api/jobs/{job}/undo", json={})
    assert answer.status_code == 200, answer.text
    await work(desk)
    done: dict[str, Any] = (await who.get(f"/api/jobs/{answer.json()['job']}")).json()
    return done


async def test_rows_can_be_chosen_by_who_could_do_something_with_them(desk: Desk) -> None:
    one = await desk.case()
    office = (await desk.as_("coordinator").get("/desk?queue=triage")).text
    assert f'id="pick-{one}"' in office
    assert 'name="action" value="dispatch"' in office
    auditor = (await desk.as_("auditor").get("/desk?queue=triage")).text
    assert f"row-{one}" in auditor
    assert "data-pick" not in auditor


async def test_what_was_chosen_is_shown_with_the_form_of_the_action(desk: Desk) -> None:
    first, second = await desk.case(title="座位 <b>"), await desk.case()
    page = await desk.as_("coordinator").get(
        f"/desk/selected?action=dispatch&feedback_ids={first}&feedback_ids={second}&feedback_ids=x"
    )
    assert page.status_code == 200
    assert page.text.count('name="feedback_ids"') == 2
    assert "座位 &lt;b&gt;" in page.text
    assert 'name="department"' in page.text
    liaison = desk.as_("liaison", "space")
    assert (await liaison.get("/desk/selected?action=dispatch")).status_code == 403
    assert (await liaison.get("/desk/selected?action=note")).status_code == 403
    assert (await liaison.get("/desk/selected?action=dance")).status_code == 404
    nothing = await liaison.get(f"/desk/selected?action=accept&feedback_ids={first}")
    assert 'name="feedback_ids"' not in nothing.text
    assert "还没有选中" in nothing.text


@pytest.mark.parametrize("action", ["dispatch", "reply", "close", "merge", "join", "leave", "link"])
async def test_each_action_has_a_page(desk: Desk, action: str) -> None:
    one = await desk.case()
    page = await desk.as_("coordinator").get(f"/desk/selected?action={action}&feedback_ids={one}")
    assert page.status_code == 200
    assert f'action="/api/cases/bulk/{action}"' in page.text


async def test_a_job_has_a_page_with_what_was_not_done(desk: Desk) -> None:
    office = desk.as_("coordinator")
    ids = [await desk.case(title=f"第{n}件") for n in range(3)]
    await desk.do(office, ids[1], "reject", reason="x")
    job = await send(desk, office, "dispatch", *ids, department="it", back="//evil.test")
    page = (await office.get(f"/desk/jobs/{job}")).text
    assert "2 / 3" in page
    assert f'href="/desk/cases/{ids[1]}" data-theirs>第1件' in page
    assert f"/api/jobs/{job}/undo" in page
    assert (await desk.as_("liaison", "it").get(f"/desk/jobs/{job}")).status_code == 404


async def test_a_dispatch_is_taken_back_but_for_who_has_gone_on(desk: Desk) -> None:
    office = desk.as_("coordinator")
    ids = [await desk.case() for _ in range(3)]
    job = await send(desk, office, "dispatch", *ids, department="it")
    await desk.do(desk.as_("liaison", "it"), ids[1], "accept")
    done = await undo(desk, office, job)
    assert [f["feedback_id"] for f in done["failed"]] == [ids[1]]
    assert [(await shown(desk, one))["state"] for one in ids] == ["TRIAGE", "ACCEPTED", "TRIAGE"]
    again = await office.post(f"/api/jobs/{job}/undo", json={})
    assert again.json()["job"] == done["job"]


async def test_a_dispatch_from_a_department_goes_back_there(desk: Desk) -> None:
    office = desk.as_("coordinator")
    one = await desk.case()
    await desk.do(office, one, "dispatch", department="space")
    job = await send(desk, office, "dispatch", one, department="it", reason="x")
    assert (await shown(desk, one))["department"] == "it"
    assert (await undo(desk, office, job))["failed"] == []
    assert (await shown(desk, one))["department"] == "space"


async def test_joined_cases_are_parted_again(desk: Desk) -> None:
    office, target = desk.as_("coordinator"), await desk.case()
    ids = [await desk.case() for _ in range(2)]
    job = await send(desk, office, "merge", target, *ids, into=target)
    assert sorted((await shown(desk, target))["merged"]) == sorted(ids)
    assert (await undo(desk, office, job))["failed"] == []
    assert (await shown(desk, target))["merged"] == []
    assert {(await shown(desk, one))["state"] for one in ids} == {"TRIAGE"}


async def test_links_and_incidents_are_undone(desk: Desk) -> None:
    office, other = desk.as_("coordinator"), await desk.case()
    one, already = await desk.case(), await desk.case()
    await desk.do(office, already, "link", to=other)
    job = await send(desk, office, "link", one, already, to=other)
    await undo(desk, office, job)
    assert (await shown(desk, one))["links"] == []
    assert (await shown(desk, already))["links"] == [other], "that was somebody else"

    opened = await office.post("/api/incidents", json={"title": "x", "text": "y"})
    incident = opened.json()["incident_id"]
    job = await send(desk, office, "join", one, incident=incident)
    assert (await shown(desk, one))["incident"] == incident
    await undo(desk, office, job)
    assert (await shown(desk, one))["incident"] is None


async def test_who_had_it_before_has_it_again(desk: Desk) -> None:
    for name in ("wang", "li"):
        await desk.person(name, role="handler", department="space")  # type: ignore[arg-type]
    liaison, office = desk.as_("liaison", "space"), desk.as_("coordinator")
    fresh, held = await desk.case(), await desk.case()
    for one in (fresh, held):
        await desk.do(office, one, "dispatch", department="space")
        await desk.do(liaison, one, "accept")
    await desk.do(liaison, held, "assign", to="li")
    job = await send(desk, liaison, "assign", fresh, held, to="wang")
    assert (await shown(desk, fresh))["assignee"] == "wang"
    assert (await undo(desk, liaison, job))["failed"] == []
    assert (await shown(desk, fresh))["assignee"] is None
    assert (await shown(desk, held))["assignee"] == "li"


async def test_what_was_said_in_public_is_not_undone(desk: Desk) -> None:
    office, one = desk.as_("coordinator"), await desk.case()
    job = await send(desk, office, "reply", one, text="x", outcome="solved")
    assert (await office.post(f"/api/jobs/{job}/undo", json={})).status_code == 409
    assert "/undo" not in (await office.get(f"/desk/jobs/{job}")).text


async def test_who_may_undo(desk: Desk) -> None:
    office, one = desk.as_("coordinator"), await desk.case()
    answer = await office.post(
        "/api/cases/bulk/dispatch", json={"feedback_ids": [one], "department": "it"}
    )
    job = answer.json()["job"]
    assert (await office.post(f"/api/jobs/{job}/undo", json={})).status_code == 409, "it runs"
    await work(desk)
    stranger = desk.as_("liaison", "space")
    assert (await stranger.post(f"/api/jobs/{job}/undo", json={})).status_code == 404
    assert (await desk.visitor().post(f"/api/jobs/{job}/undo", json={})).status_code == 401


async def test_a_list_stays_a_list_for_everybody(desk: Desk) -> None:
    """Also where there are boxes and nothing to tick."""
    await desk.process(examples.received(entered_by="clerk"))
    for queue in QUEUES:
        page = await desk.as_("clerk", "desk", "clerk").get(f"/desk?queue={queue}")
        assert page.status_code == 200
