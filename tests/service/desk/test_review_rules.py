"""A category, a priority or a department whose replies are read by somebody else first."""

from __future__ import annotations

import pytest

from services.desk.store.review_rules import set_rule
from tests.service.desk import examples
from tests.service.desk.conftest import Desk

RULES = (("category", "seats"), ("priority", "P3"), ("department", "space"))


async def rule(desk: Desk, kind: str, code: str, *, on: bool = True) -> None:
    async with desk.service.transaction() as tx:
        await set_rule(tx, kind, code, on=on)


@pytest.mark.parametrize(("kind", "code"), RULES)
async def test_what_needs_review_is_not_answered_directly(desk: Desk, kind: str, code: str) -> None:
    for _ in range(2):
        await rule(desk, kind, code)
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    case = (await handler.get(f"/api/cases/{feedback_id}")).json()
    assert case["needs_review"]
    assert "reply" not in case["may"]
    body = {"text": "您好，已清理", "outcome": "solved"}
    assert (await handler.post(f"/api/cases/{feedback_id}/reply", json=body)).status_code == 409
    await desk.do(handler, feedback_id, "submit", **body)
    done = await desk.do(desk.as_("reviewer", "space"), feedback_id, "approve")
    assert done["state"] == "REPLIED"


@pytest.mark.parametrize(("kind", "code"), RULES)
async def test_other_cases_and_those_of_afterwards_need_none(
    desk: Desk, kind: str, code: str
) -> None:
    await rule(desk, kind, "other")
    await rule(desk, kind, code)
    await rule(desk, kind, code, on=False)
    feedback_id = await desk.replied()
    assert "case.replied" in await desk.emitted(feedback_id)


async def test_who_corrects_or_dispatches_changes_what_it_needs(desk: Desk) -> None:
    await rule(desk, "priority", "P1")
    await rule(desk, "department", "it")
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    office = desk.as_("coordinator")
    case = await desk.do(office, feedback_id, "correct", priority="P1", reason="x")
    assert case["needs_review"]
    case = await desk.do(office, feedback_id, "correct", priority="P3", reason="x")
    assert not case["needs_review"]
    case = await desk.do(office, feedback_id, "dispatch", department="it", reason="x")
    assert case["needs_review"]
