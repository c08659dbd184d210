"""Many cases at once: jobs that go on after any end of the process, and incidents."""

from __future__ import annotations

import contextlib
from typing import Any

from services.desk.api import perform
from services.desk.app import build
from services.desk.jobs import step
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_related import shown, told, work
from tests.support import outbox_of

DOWN = {"title": "三层空调", "text": "三层空调坏了，正在修，联系 李雷雷 13911112222"}


async def begin(desk: Desk, path: str, **body: Any) -> str:
    answer = await desk.as_("coordinator").post(path, json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["job"])


async def progress(desk: Desk, job_id: str) -> dict[str, Any]:
    answer = await desk.as_("coordinator").get(f"/api/jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def incident(desk: Desk, cases: int) -> tuple[str, list[str]]:
    answer = await desk.as_("coordinator").post("/api/incidents", json=DOWN)
    assert answer.status_code == 201, answer.text
    incident_id = answer.json()["incident_id"]
    ids = [await desk.case() for _ in range(cases)]
    await begin(desk, "/api/cases/bulk/join", feedback_ids=ids, incident=incident_id)
    await work(desk)
    return incident_id, ids


async def test_a_merge_that_is_killed_in_the_middle_ends_with_each_joined_once(desk: Desk) -> None:
    target = await desk.in_progress()
    ids = [await desk.case() for _ in range(12)]
    job = await begin(desk, "/api/cases/bulk/merge", feedback_ids=[*ids, ids[0]], into=target)
    for _ in range(5):
        await step(desk.service, perform)

    async def killed(tx: Any, item: Any) -> None:
        await perform(tx, item)
        raise ConnectionError("killed before the commit")

    with contextlib.suppress(ConnectionError):
        await step(desk.service, killed)
    assert (await progress(desk, job))["done"] == 5
    another = build(desk.service.runtime)
    await another.connect()
    while await step(another, perform):
        pass
    await another.engine.dispose()
    end = await progress(desk, job)
    assert (end["done"], end["total"], end["failed"]) == (12, 12, [])
    for one in ids:
        assert len(await told(desk, one, "case.merged")) == 1, one
    assert sorted((await shown(desk, target))["merged"]) == sorted(ids)
    assert len(await told(desk, target, "case.absorbed")) == 12


async def test_what_is_refused_for_one_case_is_said_of_it_and_the_others_are_done(
    desk: Desk,
) -> None:
    ids = [await desk.case() for _ in range(3)]
    await desk.do(desk.as_("coordinator"), ids[1], "reject", reason="x")
    missing = "018f0000-0000-7000-8000-000000000000"
    job = await begin(
        desk, "/api/cases/bulk/dispatch", feedback_ids=[*ids, missing], department="it"
    )
    await work(desk)
    end = await progress(desk, job)
    assert (end["done"], end["total"]) == (4, 4)
    assert [f["feedback_id"] for f in end["failed"]] == [ids[1], missing]
    assert "不予受理" in end["failed"][0]["detail"]
    assert (await shown(desk, ids[2]))["department"] == "it"


async def test_who_may_begin_and_see_a_job(desk: Desk) -> None:
    one = await desk.case()
    body = {"feedback_ids": [one], "department": "it"}
    liaison = desk.as_("liaison", "space")
    assert (await liaison.post("/api/cases/bulk/dispatch", json=body)).status_code == 403
    assert (await desk.visitor().post("/api/cases/bulk/dispatch", json=body)).status_code == 401
    office = desk.as_("coordinator")
    assert (await office.post("/api/cases/bulk/note", json=body)).status_code == 404
    for wrong in ({}, {"feedback_ids": []}, {"feedback_ids": [one]}, {"feedback_ids": "x"}):
        answer = await office.post("/api/cases/bulk/dispatch", json=wrong)
        assert answer.status_code == 422, wrong
    job = await begin(desk, "/api/cases/bulk/dispatch", **body)
    assert (await liaison.get(f"/api/jobs/{job}")).status_code == 404
    assert (await desk.visitor().get(f"/api/jobs/{job}")).status_code == 401
    # A foreign case is as unknown in a job as anywhere else.
    answer = await desk.as_("liaison", "it").post(
        "/api/cases/bulk/accept", json={"feedback_ids": [one]}
    )
    await work(desk)
    mine = await desk.as_("liaison", "it").get(f"/api/jobs/{answer.json()['job']}")
    assert mine.json()["done"] == 1


async def test_one_answer_reaches_every_active_case_of_an_incident_once(desk: Desk) -> None:
    incident_id, ids = await incident(desk, 25)
    office = desk.as_("coordinator")
    await desk.do(office, ids[0], "reply", text="您那间先修好了", outcome="solved")
    await desk.process(examples.private(ids[1]))
    (fact,) = await told(desk, ids[1], "case.joined_incident")
    assert fact["title"] == DOWN["title"]
    assert "13911112222" not in fact["text"]

    whole = (await office.get(f"/api/incidents/{incident_id}")).json()
    assert (whole["cases"], whole["active"], len(whole["items"])) == (25, 24, 25)
    assert whole["items"][0]["text"] == examples.SEATS

    path = f"/api/incidents/{incident_id}/reply"
    body = {"text": "王小明老师说修好了", "outcome": "solved"}
    job = await begin(desk, path, **body)
    assert (await office.post(path, json=body)).json()["job"] == job  # sent twice
    other = body | {"text": "还没有修好"}
    assert (await office.post(path, json=other)).status_code == 409
    await work(desk)
    end = await progress(desk, job)
    assert (end["done"], end["total"], end["failed"]) == (24, 24, [])
    for one in ids:
        (reply,) = await told(desk, one, "case.replied")
        if one != ids[0]:
            assert reply["incident_id"] == incident_id
            assert ("王小明" in reply["text"]) == (one != ids[1])
    assert (await shown(desk, ids[2]))["state"] == "REPLIED"
    again = await begin(desk, path, **body)
    await work(desk)
    assert (await progress(desk, again))["total"] == 0
    for wrong in ({"text": "x"}, {"text": "x", "outcome": "cannot"}):
        assert (await office.post(path, json=wrong)).status_code == 422


async def test_an_incident_is_explained_anew_and_closed(desk: Desk) -> None:
    incident_id, ids = await incident(desk, 3)
    office = desk.as_("coordinator")
    assert (await desk.do(office, ids[0], "leave"))["incident"] is None
    await begin(desk, f"/api/incidents/{incident_id}/explain", text="零件明天到")
    await work(desk)
    assert len(await told(desk, ids[0], "case.joined_incident")) == 1
    assert [f["text"] for f in await told(desk, ids[1], "case.joined_incident")][1:] == [
        "零件明天到"
    ]
    body = {"reason": "修好了", "text": "零件换好了，三层凉下来了。", "outcome": "solved"}
    await begin(desk, f"/api/incidents/{incident_id}/close", waiting="answer", **body)
    await work(desk)
    for one, state in zip(ids, ("TRIAGE", "REPLIED", "REPLIED"), strict=True):
        assert (await shown(desk, one))["state"] == state
    late = await office.post(f"/api/cases/{ids[0]}/join", json={"incident": incident_id})
    assert (late.status_code, "note" in late.json()["allowed"]) == (409, True)
    for what in ("reply", "explain"):
        body = {"text": "好了", "outcome": "solved"}
        over = await office.post(f"/api/incidents/{incident_id}/{what}", json=body)
        assert (over.status_code, over.json()["allowed"]) == (409, ["open"])
    listed = (await office.get("/api/incidents")).json()["items"]
    assert [(i["incident_id"], i["open"], i["reason"]) for i in listed] == [
        (incident_id, False, "修好了")
    ]
    facts = [t["body"] for t in await outbox_of(desk.service) if "incident.v1" in t["type"]]
    assert [f["open"] for f in facts if "open" in f] == [True, True, False]


async def test_an_incident_is_not_closed_over_who_still_waits(desk: Desk) -> None:
    incident_id, ids = await incident(desk, 3)
    office, path = desk.as_("coordinator"), f"/api/incidents/{incident_id}/close"
    await desk.do(office, ids[0], "reply", text="您那间先修好了", outcome="solved")
    refused = await office.post(path, json={"reason": "已恢复"})
    assert (refused.status_code, refused.json()["allowed"]) == (409, ["answer", "go_on"])
    assert "2 件没有答复" in refused.json()["detail"]
    for wrong in (
        {"waiting": "answer", "reason": "已恢复"},
        {"waiting": "answer", "text": "修好了。"},
        {"waiting": "answer", "text": "修不了。", "outcome": "cannot"},
        {"waiting": "answer", "text": "{称呼}：修好了。", "outcome": "solved"},
        {"waiting": "go_on"},
        {"waiting": "else", "reason": "已恢复"},
    ):
        assert (await office.post(path, json=wrong)).status_code == 422, wrong
    assert (await office.get(f"/api/incidents/{incident_id}")).json()["open"]

    body = {"waiting": "answer", "text": "零件换好了。", "outcome": "solved"}
    job = await begin(desk, path, **body)
    assert (await office.post(path, json=body)).json() == {"job": job, "total": 2}  # sent twice
    assert (await office.post(path, json=body | {"text": "还没有"})).status_code == 409
    await work(desk)
    end = await progress(desk, job)
    assert (end["done"], end["failed"]) == (2, [])
    for one in ids[1:]:
        (reply,) = await told(desk, one, "case.replied")
        assert (reply["text"], reply["incident_id"]) == ("零件换好了。", incident_id)
    for one in ids:
        assert (await shown(desk, one))["state"] == "REPLIED"
        assert await told(desk, one, "case.closed") == []
    over = (await office.get(f"/api/incidents/{incident_id}")).json()
    assert (over["open"], over["reason"], over["answer"]) == (False, "零件换好了。", "零件换好了。")
    again = await begin(desk, path, **body)
    assert (await progress(desk, again))["total"] == 0


async def test_who_still_waits_may_go_on_when_the_incident_is_closed(desk: Desk) -> None:
    incident_id, ids = await incident(desk, 2)
    path = f"/api/incidents/{incident_id}/close"
    job = await begin(desk, path, waiting="go_on", reason="已恢复")
    assert await begin(desk, path, waiting="go_on", reason="已恢复") == job
    await work(desk)
    end = await progress(desk, job)
    assert (end["done"], end["failed"], end["undoable"]) == (2, [], 0)
    for one in ids:
        case = await shown(desk, one)
        assert (case["state"], case["incident"]) == ("TRIAGE", None)
        assert len(await told(desk, one, "case.left_incident")) == 1
        assert await told(desk, one, "case.closed") == []


async def test_incidents_are_for_the_office_and_seen_by_who_sees_all(desk: Desk) -> None:
    incident_id, _ = await incident(desk, 1)
    paths = ("", f"/{incident_id}/reply", f"/{incident_id}/close", f"/{incident_id}/explain")
    for role, department in (("leader", None), ("liaison", "space"), ("auditor", None)):
        who = desk.as_(role, department)
        for path in paths:
            assert (await who.post(f"/api/incidents{path}", json=DOWN)).status_code == 403, path
        sees = 403 if department else 200
        assert (await who.get("/api/incidents")).status_code == sees
        assert (await who.get(f"/api/incidents/{incident_id}")).status_code == sees
    assert (await desk.visitor().get("/api/incidents")).status_code == 401
    office = desk.as_("coordinator")
    assert (await office.get("/api/incidents/nothing")).status_code == 404
    assert (await office.post("/api/incidents", json={"title": "x"})).status_code == 422
