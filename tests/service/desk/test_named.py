"""Every field that asks for a case takes its code, its number or the beginning, its address."""

from __future__ import annotations

from typing import Any

import pytest

from shared.security import code_hash
from tests.service.desk.conftest import Desk
from tests.service.desk.finding import CODE
from tests.service.desk.test_related import work

HOW = {
    "code": lambda of: CODE.lower(),
    "page of the code": lambda of: f"https://lib.example.edu/track/{CODE}",
    "number": lambda of: of.upper(),
    "its first part": lambda of: of[:13],
    "without dashes": lambda of: of.replace("-", "")[:12],
    "address": lambda of: f"https://lib.example.edu/desk/cases/{of}?done=note#line-3",
    "with blanks": lambda of: f"  {of} ",
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(("action", "field"), [("merge", "into"), ("link", "to")])
async def test_another_case_is_named_as_people_name_it(
    desk: Desk, how: str, action: str, field: str
) -> None:
    other = await desk.case(code_hash=code_hash(CODE))
    one = await desk.case()
    case = await desk.do(desk.as_("coordinator"), one, action, **{field: HOW[how](other)})
    assert (case["merged_into"] == other, case["links"] == [other]) == (
        action == "merge",
        action == "link",
    )


async def _refused(desk: Desk, into: str) -> dict[str, Any]:
    one = await desk.case()
    answer = await desk.as_("coordinator").post(f"/api/cases/{one}/merge", json={"into": into})
    assert answer.status_code == 422
    body: dict[str, Any] = answer.json()
    return body["errors"]


async def test_what_names_several_or_none_is_asked_for_again(desk: Desk) -> None:
    # What one code opens are the parts of a comment that was split.
    first = await desk.case(code_hash=code_hash(CODE))
    assert await desk.case(code_hash=code_hash(CODE)) != first
    for typed in (CODE, "7K3M", "水杯", first[:7]):
        assert "查询码或编号" in (await _refused(desk, typed))["into"]


async def test_a_department_names_no_case_that_it_does_not_see(desk: Desk) -> None:
    theirs = await desk.case(code_hash=code_hash(CODE))
    office = desk.as_("coordinator")
    await desk.do(office, theirs, "dispatch", department="it", category="systems")
    own = await desk.case()
    job = await office.post(
        "/api/cases/bulk/merge", json={"feedback_ids": [own, theirs], "into": CODE}
    )
    assert job.status_code == 200, job.text
    assert await work(desk) == 1, "the one to join the others to is none of the others"
    case = (await office.get(f"/api/cases/{own}")).json()
    assert case["merged_into"] == theirs
    handler = desk.as_("handler", "space")
    assert (await handler.get(f"/api/cases/{theirs}")).status_code == 404


async def test_cases_are_put_into_a_theme_and_an_incident_as_people_name_them(desk: Desk) -> None:
    one, two = await desk.case(code_hash=code_hash(CODE)), await desk.case()
    office = desk.as_("coordinator")
    theme = (await office.post("/api/themes", json={"title": "占座"})).json()["theme_id"]
    typed = f"{CODE}\n https://lib.example.edu/desk/cases/{two}，F-nobody"
    put = (await office.post(f"/api/themes/{theme}/cases", json={"typed": typed})).json()
    assert (put["changed"], put["unknown"]) == (2, ["F-nobody"])
    new = {"title": "停电", "text": "四楼停电", "feedback_ids": [CODE, two]}
    assert (await office.post("/api/incidents", json=new)).status_code == 201
    assert await work(desk) == 2
    for feedback_id in (one, two):
        assert (await office.get(f"/api/cases/{feedback_id}")).json()["incident"]


async def test_a_case_says_its_number(desk: Desk) -> None:
    one = await desk.case()
    page = (await desk.as_("coordinator").get(f"/desk/cases/{one}")).text
    assert f"<code>{one[:13]}</code>" in page.split('id="number"')[1]
