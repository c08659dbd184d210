"""Dates beyond what anybody plans: refused by field, and shown where one is stored already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from shared.contracts.vocabulary import Role
from tests.service.desk.conftest import Desk

FAR = ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "2200-01-01T00:00:00+08:00")
HTML = {"accept": "text/html"}


@pytest.mark.parametrize("until", FAR)
async def test_a_date_too_far_ahead_is_refused_and_the_case_stays_as_it_was(
    desk: Desk, until: str
) -> None:
    feedback_id = await desk.in_progress()
    await desk.person("wang", Role.HANDLER, "space")
    handler, head = desk.as_("handler", "space", "wang"), desk.as_("reviewer", "space")
    case = f"/api/cases/{feedback_id}"

    async def refused(who: Any, path: str, **body: Any) -> None:
        answer = await who.post(path, json=body | {"until": until})
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["until"]), path
        assert "两年" in answer.json()["errors"]["until"]

    await refused(handler, f"{case}/wait", **{"for": "总务处", "reason": "备件"})
    await refused(handler, f"{case}/extend", reason="备件")
    soon = (desk.clock.now() + timedelta(days=30)).isoformat()
    asked = await handler.post(f"{case}/extend", json={"until": soon, "reason": "备件"})
    assert asked.status_code == 200, asked.text
    await refused(head, f"{case}/grant_extension")
    await refused(handler, "/api/session/absence")
    assert (await handler.get(case)).json()["state"] == "IN_PROGRESS"


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00"])
async def test_an_odd_moment_that_is_stored_is_shown_anyway(desk: Desk, until: str) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, "wait", **{"for": "总务处", "reason": "备件"})
    column = "UPDATE cases SET waiting_until = CAST(CAST(:at AS text) AS timestamptz)"
    line = "UPDATE timeline SET data = data || jsonb_build_object('until', CAST(:at AS text))"
    async with desk.service.engine.begin() as connection:
        for change in (column, line):
            await connection.execute(
                text(f"{change} WHERE feedback_id = :case"), {"at": until, "case": feedback_id}
            )
    for headers, path in (({}, "/api/cases"), (HTML, "/desk/cases")):
        answer = await handler.get(f"{path}/{feedback_id}", headers=headers)
        assert answer.status_code == 200, answer.text
