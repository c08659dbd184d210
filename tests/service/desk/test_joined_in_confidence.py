"""What is said in confidence is not read by more people because cases were joined."""

from __future__ import annotations

import pytest

from services.desk.store.tables import CaseRow
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_related import shown, told, work

SAID = "他今天又骂我了，只告诉办公室"


async def in_confidence(desk: Desk, target: str) -> str:
    """A confidential case that was joined to `target`, which is confidential."""
    one = await desk.case(confidential=True)
    await desk.do(desk.as_("coordinator"), one, "merge", into=target)
    return one


async def test_a_confidential_case_is_joined_to_a_confidential_one_only(desk: Desk) -> None:
    office = desk.as_("coordinator")
    target, one = await desk.in_progress(), await desk.case(confidential=True)
    refused = await office.post(f"/api/cases/{one}/merge", json={"into": target})
    assert refused.status_code == 409, refused.text
    assert {"link", "merge"} <= set(refused.json()["allowed"])
    assert (await shown(desk, one))["state"] == "TRIAGE"
    await desk.do(office, target, "correct", confidential=True, reason="要并入一件保密的")
    await desk.do(office, one, "merge", into=target)
    await desk.process(examples.supplemented(one, SAID))
    await work(desk)
    assert SAID in str((await shown(desk, target))["conversation"])


async def test_what_has_a_confidential_case_below_it_counts_as_one(desk: Desk) -> None:
    office, middle = desk.as_("coordinator"), await desk.case(confidential=True)
    await in_confidence(desk, middle)
    await _laid_open(desk, middle)
    target = await desk.case()
    refused = await office.post(f"/api/cases/{middle}/merge", json={"into": target})
    assert refused.status_code == 409, refused.text


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("correct", {"category": "seats", "reason": "是占座"}),
        ("dispatch", {"category": "seats", "department": "space"}),
    ],
)
async def test_it_stays_confidential_while_a_confidential_one_is_joined_to_it(
    desk: Desk, action: str, body: dict[str, str]
) -> None:
    office, target = desk.as_("coordinator"), await desk.case(category="conduct")
    ordinary = await desk.case()
    await desk.do(office, ordinary, "merge", into=target)
    one = await in_confidence(desk, target)
    refused = await office.post(f"/api/cases/{target}/{action}", json=body)
    assert refused.status_code == 409, refused.text
    assert (await shown(desk, target))["confidential"]
    await desk.do(office, one, "unmerge", reason="不是一件事")
    assert not (await desk.do(office, target, action, **body))["confidential"]


async def test_routing_that_comes_late_does_not_open_it_either(desk: Desk) -> None:
    target = await desk.case(category="conduct")
    await in_confidence(desk, target)
    for late in (examples.undecided(target), examples.routed(target)):
        await desk.process(late)
        case = await shown(desk, target)
        assert (case["state"], case["category"], case["confidential"]) == (
            "TRIAGE",
            "conduct",
            True,
        )


async def test_joined_before_that_was_refused_it_goes_on_by_itself_with_the_next_words(
    desk: Desk,
) -> None:
    target = await desk.in_progress(confidential=True)
    one = await in_confidence(desk, target)
    await _laid_open(desk, target)
    await desk.process(examples.supplemented(one, SAID))
    await work(desk)
    assert SAID not in str((await shown(desk, target))["conversation"])
    case = await shown(desk, one)
    assert (case["state"], case["merged_into"]) == ("TRIAGE", None)
    assert SAID in str(case["conversation"])
    assert [fact["merged"] for fact in await told(desk, target, "case.released")] == [one]


async def _laid_open(desk: Desk, feedback_id: str) -> None:
    """The case as an earlier release may have left it."""
    async with desk.service.transaction() as tx:
        await tx.lock(feedback_id, loading=(CaseRow,))
        (row,) = tx.rows(CaseRow).for_case(feedback_id)
        row.confidential = row.confidence_asked = False
        tx.rows(CaseRow).upsert(row)
