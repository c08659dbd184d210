"""A change of the calendar or of the promises is tried before it counts: through the API."""

from __future__ import annotations

from typing import Any

import pytest

from services.sla import jobs
from services.sla.jobs.trials import work_on_trial
from shared.contracts.vocabulary import Role
from shared.service import Service
from tests.service.sla.support import changes, moment, ordinary, received, replied
from tests.service.sla.test_calendar import Client, client, signed_in
from tests.support import at, outbox_of, process_batch

__all__ = ["client"]

CASE_1 = {
    "feedback_id": "case-1",
    "received_at": "2026-03-04T10:00:00+08:00",
    "priority": "P3",
    "department": "space",
    "category": None,
}
"""What a listed case is known by."""
NOTICE = {
    "days": [
        {"name": "清明节", "date": "2027-04-03", "isOffDay": True},
        {"name": "清明节", "date": "2027-04-04", "isOffDay": True},
        {"name": "清明节", "date": "2027-04-05", "isOffDay": True},
        {"name": "劳动节", "date": "2027-04-25", "isOffDay": False},
        {"name": "劳动节", "date": "2027-05-01", "isOffDay": True},
        {"name": "劳动节", "date": "2027-05-02", "isOffDay": True},
        {"name": "劳动节", "date": "2027-05-03", "isOffDay": True},
        {"name": "劳动节", "date": "2027-05-04", "isOffDay": True},
        {"name": "元旦", "date": "2026-12-31", "isOffDay": True},
        {"name": "元旦", "date": "2027-01-01", "isOffDay": True},
    ]
}


async def tried(sla: Service, client: Client, path: str, **edit: Any) -> dict[str, Any]:
    """The finished trial of a change."""
    begun = await client.post(f"/api/sla/{path}", json=edit, headers=signed_in(sla))
    assert begun.status_code == 202, begun.text
    while await work_on_trial(sla):
        pass
    shown = await client.get(f"/api/sla/trials/{begun.json()['trial']}", headers=signed_in(sla))
    body: dict[str, Any] = shown.json()
    assert body["finished"]
    return body


async def hours(sla: Service, client: Client, day: str, department: str = "") -> Any:
    shown = await client.get(
        "/api/sla/calendar",
        params={"from": day, "to": day, "department": department},
        headers=signed_in(sla),
    )
    return shown.json()["days"][0]["open"]


async def test_a_preview_says_which_open_promises_move_and_moves_none(
    sla: Service, client: Client
) -> None:
    await process_batch(sla, *ordinary(), received("2026-03-04 10:00", "case-2"))
    before = len(await outbox_of(sla))
    closed = {"action": "closed", "first": "2026-03-10", "reason": "全馆停电检修"}
    trial = await tried(sla, client, "calendar/preview", **closed)
    assert trial["counts"] == {"cases": 2, "later": 2}
    assert {one["feedback_id"] for one in trial["cases"]} == {"case-1", "case-2"}
    assert trial["cases"][0] == CASE_1 | {
        "clock": "RESOLUTION",
        "before": "2026-03-11T10:00:00+08:00",
        "after": "2026-03-12T10:00:00+08:00",
    }
    assert trial["days"][0] | {"name": ""} == {
        "date": "2026-03-10",
        "before": "08:30-12:00, 13:30-17:30",
        "after": "",
        "name": "",
    }
    assert len(await outbox_of(sla)) == before
    assert await hours(sla, client, "2026-03-10")


async def test_what_was_previewed_is_what_is_published(sla: Service, client: Client) -> None:
    await process_batch(sla, *ordinary())
    trial = await tried(
        sla, client, "calendar/preview", action="closed", first="2026-03-10", reason="停电"
    )
    address = f"/api/sla/trials/{trial['trial']}/publish"
    done = await client.post(address, headers=signed_in(sla))
    again = await client.post(address, headers=signed_in(sla))
    assert done.json() == again.json() == {"version": 2}
    assert await jobs.recount_open(sla) == 1
    (promise,) = await changes(sla, "moved", "RESOLUTION")
    assert moment(promise, "due") == at("2026-03-12 10:00")
    assert promise["reason"] == "停电"
    assert await hours(sla, client, "2026-03-10") == []


async def test_two_who_change_it_at_once_do_not_undo_each_other(
    sla: Service, client: Client
) -> None:
    first = await tried(sla, client, "calendar/preview", action="closed", first="2026-03-10")
    second = await tried(sla, client, "calendar/preview", action="closed", first="2026-03-11")
    for trial, status in ((first, 200), (second, 409)):
        done = await client.post(
            f"/api/sla/trials/{trial['trial']}/publish", headers=signed_in(sla)
        )
        assert done.status_code == status


async def test_a_notice_publishes_its_year(sla: Service, client: Client) -> None:
    trial = await tried(sla, client, "calendar/preview", action="notice", notice=NOTICE)
    days = {day["date"]: day for day in trial["days"]}
    # The shipped guess for 2027 had five days of May and one of April off.
    assert days["2027-04-25"]["after"] == "08:30-12:00, 13:30-17:30"
    assert days["2026-12-31"]["after"] == ""
    # A holiday that goes is named.
    assert days["2027-10-01"]["name"] == "国庆节"
    await client.post(f"/api/sla/trials/{trial['trial']}/publish", headers=signed_in(sla))
    shown = await client.get(
        "/api/sla/calendar", params={"from": "2027-04-25"}, headers=signed_in(sla)
    )
    worked = shown.json()["days"][0]
    assert (worked["provisional"], len(worked["open"])) == (False, 2)
    assert await hours(sla, client, "2026-12-30")


async def test_a_department_has_its_own_week_and_is_as_the_library_again(
    sla: Service, client: Client
) -> None:
    week = {day: "08:00-22:00" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    trial = await tried(
        sla, client, "calendar/preview", action="week", department="desk", week=week,
        works_on_holidays=True,
    )  # fmt: skip
    await client.post(f"/api/sla/trials/{trial['trial']}/publish", headers=signed_in(sla))
    assert await hours(sla, client, "2026-10-01", "desk") == [["08:00", "22:00"]]
    assert await hours(sla, client, "2026-10-01") == []
    trial = await tried(sla, client, "calendar/preview", action="as_library", department="desk")
    await client.post(f"/api/sla/trials/{trial['trial']}/publish", headers=signed_in(sla))
    assert await hours(sla, client, "2026-10-01", "desk") == []


async def test_exam_weeks_have_hours_of_their_own(sla: Service, client: Client) -> None:
    exam = {
        "action": "period",
        "kind": "exam",
        "name": "期末考试",
        "first": "2026-06-22",
        "last": "2026-07-05",
        "week": {"mon": "08:30-21:30", "sat": "9:00 至 17:00"},
    }
    trial = await tried(sla, client, "calendar/preview", **exam)
    await client.post(f"/api/sla/trials/{trial['trial']}/publish", headers=signed_in(sla))
    assert await hours(sla, client, "2026-06-22") == [["08:30", "21:30"]]
    assert await hours(sla, client, "2026-06-27") == [["09:00", "17:00"]]
    assert await hours(sla, client, "2026-06-23") == []
    overlapping = await client.post(
        "/api/sla/calendar/preview",
        json=exam | {"name": "暑假", "first": "2026-07-05", "last": "2026-08-20"},
        headers=signed_in(sla),
    )
    assert overlapping.status_code == 422


@pytest.mark.parametrize(
    "edit",
    [
        {"action": "closed"},
        {"action": "holiday", "first": "2026-03-10"},
        {"action": "hours", "first": "2026-03-10", "hours": "morning"},
        {"action": "hours", "first": "2026-03-10", "hours": "12:00-08:00"},
        {"action": "closed", "first": "2026-03-10", "last": "2026-03-09"},
        {"action": "closed", "first": "2026-03-10", "last": "2028-03-09"},
        {"action": "make_up", "first": "2026-03-14"},
        {"action": "make_up", "first": "9999-12-25", "counts_as": "mon"},
        {"action": "holiday", "first": "9999-12-31", "name": "元旦"},
        {"action": "holiday", "first": "1999-12-31", "name": "元旦"},
        {"action": "hours", "first": "2099-01-02", "hours": "08:00-12:00"},
        {
            "action": "notice",
            "notice": {"days": [{"name": "元旦", "date": "9999-01-01", "isOffDay": True}]},
        },
        {"action": "holiday", "first": "2026-03-10", "name": "馆庆", "department": "desk"},
        {"action": "week", "week": {}},
        {"action": "notice", "notice": "放假"},
        {"action": "notice", "notice": {"days": [{"name": "x", "date": "soon"}]}},
        {"action": "notice", "notice": {"days": 2 * NOTICE["days"]}},
        {"action": "nothing"},
        {"action": "publish"},
    ],
)
async def test_what_cannot_be_is_refused(
    sla: Service, client: Client, edit: dict[str, Any]
) -> None:
    answer = await client.post("/api/sla/calendar/preview", json=edit, headers=signed_in(sla))
    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["calendar/preview", "policy/try", "trials/x/publish"])
async def test_only_an_administrator_tries_and_publishes(
    sla: Service, client: Client, path: str
) -> None:
    for headers, status in ((signed_in(sla, Role.LEADER), 403), ({}, 401)):
        answer = await client.post(f"/api/sla/{path}", json={}, headers=headers)
        assert answer.status_code == status
    missing = await client.get("/api/sla/trials/x", headers=signed_in(sla))
    assert missing.status_code == 404


async def test_a_policy_is_tried_on_past_cases(sla: Service, client: Client) -> None:
    await process_batch(sla, *ordinary())
    await process_batch(sla, replied("2026-03-10 10:00"))
    policy = (await client.get("/api/sla/policy", headers=signed_in(sla))).json()
    policy["rows"]["P3"]["clocks"]["RESOLUTION"] = "3wd"
    del policy["version"]
    trial = await tried(sla, client, "policy/try", **policy, first="2026-03-01", last="2026-03-31")
    assert trial["counts"]["cases"] == 1
    assert (trial["counts"]["after"], trial["counts"]["before"]) == (
        trial["counts"]["before"] + 1,
        trial["counts"]["after"] - 1,
    )
    (broken,) = [one for one in trial["cases"] if one["broken"]]
    assert broken == CASE_1 | {
        "clock": "RESOLUTION",
        "before": "2026-03-11T10:00:00+08:00",
        "after": "2026-03-09T10:00:00+08:00",
        "ended": "2026-03-10T10:00:00+08:00",
        "broken": True,
    }
    outside = await tried(
        sla, client, "policy/try", **policy, first="2026-02-01", last="2026-02-28"
    )
    assert "cases" not in outside["counts"]
    done = await client.post(f"/api/sla/trials/{trial['trial']}/publish", headers=signed_in(sla))
    assert done.json() == {"version": 2}
    shown = (await client.get("/api/sla/policy", headers=signed_in(sla))).json()
    assert shown["rows"]["P3"]["clocks"]["RESOLUTION"] == "3wd"


async def test_what_was_published_is_no_difference_any_more(sla: Service, client: Client) -> None:
    await process_batch(sla, *ordinary())
    await process_batch(sla, replied("2026-03-10 10:00"))
    policy = (await client.get("/api/sla/policy", headers=signed_in(sla))).json()
    policy["rows"]["P3"]["clocks"]["RESOLUTION"] = "3wd"
    del policy["version"]
    first = await tried(sla, client, "policy/try", **policy)
    assert first["counts"]["broken"] == 1
    await client.post(f"/api/sla/trials/{first['trial']}/publish", headers=signed_in(sla))
    again = await tried(sla, client, "policy/try", **policy)
    assert again["counts"]["before"] == again["counts"]["after"] == first["counts"]["after"]
    assert "broken" not in again["counts"]
    assert again["cases"] == []
    # What was promised at the time is a third thing.
    assert again["counts"]["then"] == first["counts"]["then"] == first["counts"]["before"]
    # Of a promise that only one of the two makes there is no date under the other.
    policy["rows"]["P3"]["clocks"].pop("RESOLUTION")
    (freed,) = (await tried(sla, client, "policy/try", **policy))["cases"]
    assert (freed["clock"], freed["after"], freed["broken"]) == ("RESOLUTION", None, False)


async def test_the_policy_in_force_breaks_what_it_broke(sla: Service, client: Client) -> None:
    await process_batch(sla, *ordinary())
    await process_batch(sla, replied("2026-03-13 10:00"))
    policy = (await client.get("/api/sla/policy", headers=signed_in(sla))).json()
    del policy["version"]
    counts = (await tried(sla, client, "policy/try", **policy))["counts"]
    assert counts["before"] == counts["after"] >= 2
    assert "broken" not in counts
    assert "kept" not in counts


async def test_last_before_first_is_no_stretch_to_try(sla: Service, client: Client) -> None:
    shown = await client.get("/api/sla/policy", headers=signed_in(sla))
    asked = {"rows": shown.json()["rows"], "defaults": shown.json()["defaults"]}
    refused = await client.post(
        "/api/sla/policy/try",
        json=asked | {"first": "2026-12-01", "last": "2026-11-01"},
        headers=signed_in(sla),
    )
    assert refused.status_code == 422
    assert "早于" in refused.json()["detail"]
