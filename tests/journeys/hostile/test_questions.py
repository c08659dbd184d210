"""Codes nobody was given, and questions nobody should ask."""

from __future__ import annotations

import pytest

from tests.journeys.conftest import Town
from tests.journeys.hostile.entry_points import calm, refused


@pytest.mark.parametrize(
    "code", ["x", "0" * 20, "0" * 3000, "%00", "%2e%2e", "'--", "〇" * 20, "%F0%9F%98%80", "%ff",
             "%0d%0aX-Evil:1", "K" * 20, "%E2%80%AE"]
)  # fmt: skip
async def test_unknown_codes_look_all_alike(town: Town, code: str) -> None:
    async with town.web() as web:
        answers = [
            await web.get(f"/api/track/{code}"),
            await web.get(f"/api/track/{code}/stream"),
            await web.post(f"/api/track/{code}/urge"),
            await web.get("/api/track/GZWX-AK5T-N3V8-H2EH-Y5GH"),
        ]
    for answer in answers:
        refused(answer, 404, what=code)
    assert len({a.text for a in answers}) == 1
    assert "x-evil" not in answers[0].headers


async def test_a_code_is_found_as_people_type_it(town: Town) -> None:
    case = await town.submit("座位")
    code = case["tracking_code"]
    seen = await town.sees_any(code)
    plain = code.replace("-", "")
    async with town.web() as web:
        for typed in (code.lower(), plain, f" {plain} ", plain.replace("0", "O"),
                      plain.replace("1", "l"), plain.replace("1", "I").lower(),
                      code.replace("-", " "), code.replace("-", "—")):  # fmt: skip
            answer = await web.get(f"/api/track/{typed}")
            assert answer.status_code == 200, typed
            assert answer.json()["feedback_id"] == seen["feedback_id"]


JUNK = ["%00", "%ff", "%ed%a0%80", "x" * 2000, "-1", "1e309", "NaN", "9" * 400, "'--", "[]",
        "0001-01-01", "9999-12-31", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-12:00",
        "2026-02-30", "%F0%9F%98%80", "../.."]  # fmt: skip
ASKED = {
    "/api/cases": ("state", "department", "queue", "q", "cursor", "limit"),
    "/api/dashboard": ("from", "to", "department", "category", "priority", "reporter_group"),
    "/api/dashboard/cases?measure=breaches": ("detail", "skip", "reporter_group", "period"),
    "/api/dashboard/cases?measure=open_since": ("detail",),
    "/api/dashboard/cases?measure=due": ("detail",),
    "/api/sla/calendar": ("from", "to", "department"),
    "/api/sla/due?priority=P3&at=2026-03-04T10:00:00": ("priority", "at", "type", "department"),
    "/api/notification/deliveries": ("feedback_id",),
    "/desk": ("queue", "q", "department", "cursor", "lang", "done", "state", "job"),
    "/desk/selected": ("action",),
    "/desk/selected?action=dispatch": ("feedback_ids", "lang"),
    "/desk/incidents": ("feedback_ids", "lang"),
    "/dashboard": ("from", "to", "period", "department", "reporter_group", "lang"),
    "/routing": ("q", "lang", "saved"),
    "/signin": ("next", "lang"),
    "/": ("place", "lang"),
    "/desk/new": ("desk", "place"),
}


@pytest.mark.parametrize("junk", JUNK, ids=lambda j: j[:20])
async def test_no_question_breaks_anything(town: Town, junk: str) -> None:
    async with await town.as_("coordinator") as staff:
        for path, names in ASKED.items():
            for name in names:
                joint = "&" if "?" in path else "?"
                answer = await staff.get(f"{path}{joint}{name}={junk}")
                calm(answer, (path, name))
                assert answer.status_code in (200, 303, 404, 422), (path, name)


async def test_the_list_is_asked_by_the_rules(town: Town) -> None:
    await town.quiet()
    async with await town.as_("coordinator") as staff:
        for query in ("limit=0", "limit=201", "limit=-1", "limit=1000000000", "limit=x",
                      "cursor=xxx", "cursor=bnVsbA", "cursor=WzEsMiwzXQ", "queue=nothing",
                      "state=OPEN", "q=%00", "q=" + "x" * 501):  # fmt: skip
            refused(await staff.get(f"/api/cases?{query}"), 422, what=query)
        whole = (await staff.get("/api/cases")).json()["items"]
        empty = await staff.get("/api/cases?state=&department=&queue=&q=&cursor=&limit=")
        assert empty.json()["items"] == whole
        for query in ("limit=1", "limit=200", "other=1"):
            assert (await staff.get(f"/api/cases?{query}")).status_code == 200


async def test_wildcards_find_only_themselves(town: Town) -> None:
    mine = await town.submit("折扣 50%_off\\ 的打印卡")
    await town.quiet()
    async with await town.as_("coordinator") as staff:
        for q, found in (("50%_off\\", True), ("%_off", True), ("5%off", False), ("__%", False),
                         ("% OR 1=1", False), ("\\", True), ("５０％＿ＯＦＦ", True)):  # fmt: skip
            items = (await staff.get("/api/cases", params={"q": q, "limit": 200})).json()["items"]
            assert (mine["feedback_id"] in {i["feedback_id"] for i in items}) is found, q


async def test_the_dashboard_is_asked_by_the_rules(town: Town) -> None:
    async with await town.as_("leader") as staff:
        for query in ("from=x", "from=2026-12-01&to=2026-01-01", "from=0001-01-01",
                      "to=9999-12-31", "from=2000-01-01&to=2026-01-01", "category=x"):  # fmt: skip
            refused(await staff.get(f"/api/dashboard?{query}"), 422, what=query)
        refused(await staff.get("/api/dashboard?department=nobody"), 404)
        empty = await staff.get("/api/dashboard?from=&to=&department=")
        assert empty.status_code == 200
