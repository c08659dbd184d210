"""The calendar is edited by people, and what is open is counted anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from services.sla import jobs
from shared.contracts.vocabulary import Role
from shared.service import Service
from shared.web.app import web_app
from tests.service.sla.support import bodies, changes, moment, ordinary, passing, received, replied
from tests.support import at, process_batch

Client = httpx2.AsyncClient


@pytest_asyncio.fixture
async def client(sla: Service) -> AsyncIterator[Client]:
    app = web_app(sla.runtime, {"sla": sla}, lambda: [])
    async with Client(
        transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1:8080"
    ) as client:
        yield client


def signed_in(sla: Service, role: str = Role.ADMIN) -> dict[str, str]:
    token, _ = sla.runtime.signer.session(
        username=f"some {role}",
        display="某人",
        role=role,
        department=None,
        now=sla.runtime.clock.now(),
    )
    return {"Authorization": f"Bearer {token}"}


async def edit(sla: Service, client: Client, **day: Any) -> dict[str, Any]:
    answer = await client.post("/api/sla/calendar", json=day, headers=signed_in(sla))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_day_that_becomes_a_holiday_moves_open_promises_and_says_why(
    sla: Service, client: Client
) -> None:
    await process_batch(sla, *ordinary())
    day = await edit(sla, client, date="2026-03-10", open=[], reason="全馆停电检修")
    assert (day["version"], day["open"]) == (2, [])
    assert await jobs.recount_open(sla) == 1
    (promise,) = await changes(sla, "moved", "RESOLUTION")
    assert moment(promise, "due") == at("2026-03-12 10:00")
    assert moment(promise, "first_due") == at("2026-03-11 10:00")
    assert promise["reason"] == "全馆停电检修"


async def test_counting_anew_twice_emits_nothing_twice(sla: Service, client: Client) -> None:
    await process_batch(sla, *ordinary())
    await edit(sla, client, date="2026-03-10", open=[])
    await jobs.recount_open(sla)
    before = await changes(sla, "moved", "RESOLUTION")
    assert await jobs.recount_open(sla, settle=True) == 0
    assert await changes(sla, "moved", "RESOLUTION") == before
    assert await jobs.recount_open(sla) == 0


async def test_what_has_ended_or_passed_stays(sla: Service, client: Client) -> None:
    await process_batch(sla, *ordinary(), replied("2026-03-05 09:00"))
    await process_batch(sla, received("2026-03-04 10:00", "late"))
    await passing(sla, "2026-03-12 10:00")
    await edit(sla, client, date="2026-03-10", open=[])
    await jobs.recount_open(sla)
    assert await changes(sla, "moved", "RESOLUTION") == []
    (breach,) = await bodies(sla, "sla.breached", "RESOLUTION", "late")
    assert moment(breach, "due") == at("2026-03-11 10:00")


async def test_a_new_calendar_raises_no_breach_while_the_answer_may_stand_in_the_log_unread(
    sla: Service, client: Client
) -> None:
    await process_batch(sla, *ordinary())
    sla.runtime.clock.set(at("2026-03-05 11:00"))  # type: ignore[attr-defined]
    await edit(sla, client, date="2026-03-10", open=[])
    await jobs.recount_open(sla)
    await process_batch(sla, replied("2026-03-05 09:59"))
    assert await bodies(sla, "sla.breached", "FIRST_RESPONSE") == []
    (met,) = await changes(sla, "met", "FIRST_RESPONSE")
    assert met["in_time"] is True


async def test_a_saturday_is_made_up_like_a_friday_and_taken_back(
    sla: Service, client: Client
) -> None:
    made_up = await edit(sla, client, date="2026-03-07", counts_as="fri")
    assert made_up["open"] == [["08:30", "12:00"], ["13:30", "17:30"]]
    back = await edit(sla, client, date="2026-03-07")
    assert (back["version"], back["open"]) == (3, [])


async def test_a_department_has_hours_of_its_own(sla: Service, client: Client) -> None:
    await edit(sla, client, date="2026-03-07", open=[["09:00", "17:00"]], department="space")
    query = "/api/sla/calendar?from=2026-03-07&to=2026-03-07"
    library = await client.get(query, headers=signed_in(sla, Role.HANDLER))
    own = await client.get(f"{query}&department=space", headers=signed_in(sla, Role.HANDLER))
    assert library.json()["days"][0]["open"] == []
    assert own.json()["days"][0]["open"] == [["09:00", "17:00"]]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("calendar", {"date": "2026-03-09", "open": [], "department": "nope"}),
        ("calendar/preview", {"action": "closed", "first": "2026-03-09", "department": "nope"}),
    ],
)
async def test_nobody_s_hours_are_not_changed(
    sla: Service, client: Client, path: str, asked: dict[str, Any]
) -> None:
    sla.runtime.directory.departments["space"] = ("空间与读者服务部", "Space")
    refused = await client.post(f"/api/sla/{path}", json=asked, headers=signed_in(sla))
    assert (refused.status_code, refused.json()["errors"]["department"]) == (422, "没有这个部门。")
    shown = await client.get("/api/sla/calendar?department=nope", headers=signed_in(sla))
    assert shown.status_code == 422


async def test_next_year_is_shown_as_provisional(sla: Service, client: Client) -> None:
    answer = await client.get(
        "/api/sla/calendar?from=2026-12-31&to=2027-01-01", headers=signed_in(sla)
    )
    assert [d["provisional"] for d in answer.json()["days"]] == [False, True]


@pytest.mark.parametrize(
    "day",
    [
        {},
        {"date": "2026-02-30"},
        {"date": "2026-03-07", "open": [["17:00", "09:00"]]},
        {"date": "2026-03-07", "open": [["09:00", "12:00"], ["11:00", "13:00"]]},
        {"date": "2026-03-07", "open": [], "counts_as": "fri"},
        {"date": "2026-03-07", "counts_as": "fri", "department": "space"},
        {"date": "2026-03-07", "counts_as": "someday"},
    ],
)
async def test_what_cannot_be_a_day_is_refused(
    sla: Service, client: Client, day: dict[str, Any]
) -> None:
    answer = await client.post("/api/sla/calendar", json=day, headers=signed_in(sla))
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_only_an_administrator_edits(sla: Service, client: Client) -> None:
    day = {"date": "2026-03-07", "open": []}
    assert (await client.post("/api/sla/calendar", json=day)).status_code == 401
    for role in set(Role) - {Role.ADMIN}:
        answer = await client.post("/api/sla/calendar", json={}, headers=signed_in(sla, role))
        assert answer.status_code == 403
    assert (await client.get("/api/sla/policy")).status_code == 401


async def test_a_new_policy_is_for_cases_to_come(sla: Service, client: Client) -> None:
    await process_batch(sla, received("2026-03-04 10:00"))
    policy = (await client.get("/api/sla/policy", headers=signed_in(sla))).json()
    policy["rows"]["P3"]["clocks"]["RESOLUTION"] = "3wd"
    answer = await client.post("/api/sla/policy", json=policy, headers=signed_in(sla))
    assert answer.json()["version"] == 2
    await process_batch(sla, received("2026-03-04 10:00", "next"))
    (old,) = await changes(sla, "promised", "RESOLUTION")
    (new,) = await changes(sla, "promised", "RESOLUTION", "next")
    assert moment(old, "due") == at("2026-03-11 10:00")
    assert moment(new, "due") == at("2026-03-09 10:00")
    due = await client.get(
        "/api/sla/due?priority=P3&at=2026-03-04T10:00", headers=signed_in(sla, Role.HANDLER)
    )
    assert due.json()["RESOLUTION"] == "2026-03-09T10:00:00+08:00"
    for same in ("2026-03-04T10:00+08:00", "2026-03-04T02:00Z", "2026-03-04 10:00"):
        again = await client.get(
            f"/api/sla/due?priority=P3&at={same}", headers=signed_in(sla, Role.HANDLER)
        )
        assert again.json() == due.json(), same


async def test_a_policy_without_a_row_for_each_priority_is_refused(
    sla: Service, client: Client
) -> None:
    answer = await client.post(
        "/api/sla/policy", json={"rows": {}, "defaults": {}}, headers=signed_in(sla)
    )
    assert answer.status_code == 422


async def test_what_is_shipped_is_stored_once(sla: Service, client: Client) -> None:
    (seed,) = sla.seeds
    await seed(False)
    await edit(sla, client, date="2026-03-10", open=[])
    await seed(True)
    async with sla.engine.connect() as connection:
        await sla.deps.refresh(connection)
    assert sla.deps.calendars.definition.version == 2


@pytest.mark.parametrize("day", ["9999-12-31", "1999-12-31"])
async def test_a_day_that_no_calendar_reaches_is_refused_and_can_be_taken_back(
    sla: Service, client: Client, day: str
) -> None:
    for said in ({"open": []}, {"counts_as": "mon"}):
        refused = await client.post(
            "/api/sla/calendar", json={"date": day} | said, headers=signed_in(sla)
        )
        assert refused.status_code == 422
        assert "不在里面" in refused.json()["errors"]["date"]
    assert (await edit(sla, client, date=day))["version"] == 2


@pytest.mark.parametrize(
    "window",
    [
        ["08:30Z", "12:00Z"],
        ["08:30+05:00", "12:00+05:00"],
        ["08:30", "12:00+08:00"],
        [30600, 43200],
        ["08:30:30.5", "12:00"],
        ["08:30", "12:00:01"],
    ],
)
async def test_hours_are_times_of_the_library_to_the_minute(
    sla: Service, client: Client, window: list[Any]
) -> None:
    day = {"date": "2026-12-07", "open": [window]}
    for language, words in (("zh", "请写成 08:30 这样的时间"), ("en", "write a time like 08:30")):
        headers = signed_in(sla) | {"accept-language": language}
        refused = await client.post("/api/sla/calendar", json=day, headers=headers)
        assert refused.status_code == 422, refused.text
        assert {said: field[:4] for field, said in refused.json()["errors"].items()} == {
            words: "open"
        }
    whole = await edit(sla, client, date="2026-12-07", open=[["08:30:00", "12:00"]])
    assert whole["open"] == [["08:30", "12:00"]]
