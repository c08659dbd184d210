from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.sla import EscalationRaised
from shared.contracts.vocabulary import Clock
from tests.fakes.promises import Promises
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import at


async def ids(
    desk: Desk, query: str, role: str = "coordinator", of: str | None = None
) -> list[str]:
    answer = await desk.as_(role, of).get(f"/api/cases?{query}")
    assert answer.status_code == 200, answer.text
    return [i["feedback_id"] for i in answer.json()["items"]]


async def test_what_breaks_first_is_on_top_and_what_is_over_at_the_bottom(desk: Desk) -> None:
    calm, urgent, unpromised = await desk.case(), await desk.case(), await desk.case()
    done, done_later = (
        await desk.replied(),
        await desk.replied(at=examples.RECEIVED + timedelta(minutes=1)),
    )
    await desk.process(examples.promised(calm, Clock.RESOLUTION, "2026-03-11 10:00"))
    await desk.process(examples.promised(urgent, Clock.RESOLUTION, "2026-03-11 10:00"))
    await desk.process(examples.promised(urgent, Clock.TRIAGE, "2026-03-04 11:00"))
    assert await ids(desk, "") == [urgent, calm, unpromised, done_later, done]


async def test_ties_go_to_who_has_waited_longer(desk: Desk) -> None:
    late = await desk.case(at=examples.RECEIVED + timedelta(minutes=2))
    early = await desk.case()
    for feedback_id in (late, early):
        await desk.process(examples.promised(feedback_id, Clock.RESOLUTION, "2026-03-11 10:00"))
    assert await ids(desk, "") == [early, late]


async def test_a_row_has_what_a_person_needs_to_choose(desk: Desk) -> None:
    feedback_id = await desk.case(place="三层东区", title="占座")
    await desk.process(
        examples.routed(feedback_id),
        examples.promised(feedback_id, Clock.ACCEPT, "2026-03-04 14:30"),
    )
    row = (await desk.as_("liaison", "space").get("/api/cases?queue=to_accept")).json()["items"][0]
    assert row["due"] == {"ACCEPT": "2026-03-04T14:30:00+08:00"}
    expected = {
        "feedback_id": feedback_id,
        "title": "占座",
        "state": "DISPATCHED",
        "department": "space",
        "department_name": "空间与读者服务部",
        "category": "seats",
        "priority": "P3",
        "type": "complaint",
        "received_at": "2026-03-04T10:00:00+08:00",
        "overdue": False,
        "place": "三层东区",
    }
    assert {key: row[key] for key in expected} == expected


async def test_due_soon_overdue_and_met(desk: Desk) -> None:
    feedback_id = await desk.case()
    triage = Promises(feedback_id)
    due = at("2026-03-04 14:00")
    await desk.process(triage.change("promised", Clock.TRIAGE, due, at=examples.RECEIVED))
    assert await ids(desk, "queue=due_soon") == []
    desk.clock.later(hours=2, minutes=30)
    assert await ids(desk, "queue=due_soon") == [feedback_id]
    desk.clock.later(hours=2)
    assert await ids(desk, "queue=due_soon") == []
    assert await ids(desk, "queue=overdue") == [feedback_id]
    await desk.process(triage.breached(Clock.TRIAGE, at=due))
    assert await ids(desk, "queue=overdue") == [feedback_id]
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert [(p["clock"], p["status"]) for p in case["promises"]] == [("TRIAGE", "breached")]
    await desk.process(triage.change("met", Clock.TRIAGE, at=due, in_time=False))
    assert await ids(desk, "queue=overdue") == []
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    assert [(p["clock"], p["status"]) for p in case["promises"]] == [("TRIAGE", "breached")]


async def test_a_waiting_case_is_not_overdue_while_its_clock_stands_still(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    await desk.process(examples.promised(feedback_id, Clock.RESOLUTION, "2026-03-05 10:00"))
    await desk.do(desk.as_("handler", "space"), feedback_id, "ask", question="哪里？")
    due = at("2026-03-05 10:00")
    paused = Promises(feedback_id).change("paused", Clock.RESOLUTION, due, at=due)
    await desk.process(paused)
    desk.clock.later(days=3)
    assert await ids(desk, "queue=overdue") == []
    assert await ids(desk, "queue=waiting", "handler", "space") == [feedback_id]


async def test_each_queue_holds_what_its_name_says(desk: Desk) -> None:
    triage = await desk.case()
    sent = await desk.case()
    await desk.process(examples.routed(sent))
    working = await desk.in_progress()
    assert await ids(desk, "queue=triage") == [triage]
    assert await ids(desk, "queue=to_accept", "liaison", "space") == [sent]
    assert await ids(desk, "queue=mine", "handler", "space") == [working]
    assert await ids(desk, "queue=department", "reviewer", "space") == [sent, working]
    assert await ids(desk, "queue=review") == []
    assert await ids(desk, "state=IN_PROGRESS") == [working]
    assert await ids(desk, "department=space&state=DISPATCHED") == [sent]
    assert await ids(desk, "department=it") == []


async def test_what_was_brought_to_somebody_stands_in_their_queue_until_it_is_answered(
    desk: Desk,
) -> None:
    feedback_id = await desk.in_progress()
    raised = EscalationRaised(
        feedback_id=feedback_id,
        at=desk.clock.now(),
        clock=Clock.RESOLUTION,
        cycle=1,
        due=desk.clock.now(),
        first_due=desk.clock.now(),
        level=100,
        to_role="leader",
    )
    assert await ids(desk, "queue=escalated", "leader") == []
    await desk.process(raised, raised.model_copy(update={"level": 150, "to_role": "reviewer"}))
    assert await ids(desk, "queue=escalated", "leader") == [feedback_id]
    assert await ids(desk, "queue=escalated", "reviewer", "space") == [feedback_id]
    assert await ids(desk, "queue=escalated", "reviewer", "it") == []
    assert await ids(desk, "queue=alarm") == []
    page = await desk.as_("leader").get("/desk?queue=escalated")
    assert feedback_id in page.text
    answer = await desk.as_("handler", "space").post(
        f"/api/cases/{feedback_id}/reply", json={"text": "您好，已经修好。", "outcome": "solved"}
    )
    assert answer.status_code == 200
    assert await ids(desk, "queue=escalated", "leader") == []


async def test_pages_follow_each_other_without_gap_or_repeat(desk: Desk) -> None:
    made = [await desk.case(at=examples.RECEIVED + timedelta(seconds=n)) for n in range(7)]
    office = desk.as_("coordinator")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = (await office.get("/api/cases", params={"limit": 3, "cursor": cursor})).json()
        seen += [i["feedback_id"] for i in answer["items"]]
        cursor = answer["next"]
        if len(seen) == 3:
            # Work that comes in meanwhile shifts nobody.
            await desk.process(examples.promised(made[0], Clock.TRIAGE, "2026-03-04 10:30"))
    assert seen == made


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"},
        {"cursor": "W10"},
        {"cursor": "WyIyMDI2IiwgIngiLCAxXQ"},
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "201"},
        {"limit": "1000000000"},
        {"queue": "nonsense"},
        {"state": "nonsense"},
        {"q": "a\x00b"},
        {"q": "长" * 501},
        {"department": "\x00"},
    ],
)
async def test_a_question_that_cannot_be_read_is_422(desk: Desk, query: dict[str, Any]) -> None:
    answer = await desk.as_("coordinator").get("/api/cases", params=query)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("占座", True),
        ("占座到底", True),
        ("座", True),
        ("没有空格", False),
        ("217", True),
        ("WIFI", True),
        ("wifi 慢", True),
        ("Ｗｉ", True),
        ("100%", True),
        ("%", True),
        ("_", False),
        ("1%0", False),
        ("\\", False),
        ("占座%管", False),
        ("' OR 1=1 --", False),
        ("标题里", True),
        ("🙂", True),
    ],
)
async def test_search_finds_literal_parts_and_nothing_else(
    desk: Desk, words: str, found: bool
) -> None:
    feedback_id = await desk.case(
        title="标题里的话", text="217一上午占座。占座到底管不管？WiFi 慢，100%满 🙂"
    )
    answer = await desk.as_("coordinator").get("/api/cases", params={"q": words})
    assert [i["feedback_id"] for i in answer.json()["items"]] == ([feedback_id] if found else [])


async def test_the_administrator_runs_the_system_and_reads_no_case(desk: Desk) -> None:
    await desk.case()
    assert await ids(desk, "queue=all", "admin") == []
