"""What routing tells when a comment comes in, comes back, or is dispatched by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from shared.contracts.desk import CaseSplitOff
from shared.contracts.vocabulary import CaseType, Channel, Priority
from shared.ids import new_id
from shared.messaging.failures import is_transient
from shared.observability.metrics import REGISTRY
from tests.service.routing.conftest import NOW, Routing, dispatched, received, returned

SEATS = "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？"
FLOOD = "男厕第二个水龙头关不上，水漫到走廊了，快来人！！"
RIDDLE = "今天天气真好，想起了去年的事。"
CORPUS = Path(__file__).parents[2] / "unit" / "routing" / "corpus.jsonl"


async def test_a_comment_waits_for_the_directory_of_the_very_first_start(routing: Routing) -> None:
    departments = routing.service.deps.directory.departments
    listed = dict(departments)
    departments.clear()
    with pytest.raises(OSError, match="no department is listed") as waits:
        await routing.receive(SEATS)
    assert is_transient(waits.value)
    departments.update(listed)
    event = await routing.last(await routing.receive(SEATS))
    assert event["department"] == "space"


async def test_a_clear_comment_is_routed_with_reasons_and_candidates(routing: Routing) -> None:
    emitted = await routing.last(await routing.receive(SEATS))
    assert emitted["type"] == "feedback.routed.v1"
    assert (emitted["department"], emitted["category"], emitted["priority"]) == (
        "space",
        "seats",
        "P3",
    )
    assert emitted["decided"] == "rule"
    assert emitted["rules_version"] == routing.rules.version
    assert len(emitted["candidates"]) == 3
    assert emitted["candidates"][0]["department"] == "space"
    assert all(r["text"] and r["text_en"] and r["weight"] >= 0 for r in emitted["reasons"])


async def test_reasons_never_quote_the_reporter(routing: Routing) -> None:
    emitted = await routing.last(await routing.receive("王小明占座，学号2100012345，占座！"))
    words = json.dumps(emitted["reasons"], ensure_ascii=False)
    assert "占座" in words
    assert "王小明" not in words
    assert "2100012345" not in words


async def test_what_no_rule_knows_is_left_to_a_person_without_a_guess(routing: Routing) -> None:
    emitted = await routing.last(await routing.receive(RIDDLE))
    assert emitted["type"] == "feedback.triage_needed.v1"
    assert "category" not in emitted
    assert "department" not in emitted
    assert len(emitted["candidates"]) == 3
    assert [c["score"] for c in emitted["candidates"]] == [0, 0, 0]


async def test_place_and_chosen_category_count(routing: Routing) -> None:
    emitted = await routing.last(await routing.receive(RIDDLE, category="printing"))
    assert emitted["department"] == "space"
    assert "打印与研讨间设备" in emitted["reasons"][0]["text"]


async def test_a_confidential_comment_goes_to_the_office(routing: Routing) -> None:
    emitted = await routing.last(await routing.receive(SEATS, confidential=True))
    assert (emitted["type"], emitted["department"]) == ("feedback.routed.v1", "relations")


async def test_every_taught_emergency_is_routed_at_p1_in_one_batch(routing: Routing) -> None:
    samples = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    alarms = [s for s in samples if s["priority"] == "P1" and not s["part"].startswith("unseen")]
    # However else the comment is marked, it must not wait.
    events = [received(s["text"], confidential=n % 2 == 0) for n, s in enumerate(alarms)]
    await routing.process(*events)
    assert len(events) >= 30
    for event in events:
        alarm, emitted = await routing.emitted(event.feedback_id)
        assert (alarm["type"], alarm["found_by"]) == ("feedback.alarm_raised.v1", "rule")
        assert (emitted["type"], emitted["priority"]) == ("feedback.routed.v1", "P1"), event.text


async def test_an_emergency_for_a_department_that_is_gone_goes_to_the_office(
    routing: Routing,
) -> None:
    owner = (await routing.last(await routing.receive(FLOOD)))["department"]
    del routing.service.deps.directory.departments[owner]
    emitted = await routing.last(await routing.receive(FLOOD))
    assert (emitted["type"], emitted["priority"]) == ("feedback.routed.v1", "P1")
    assert emitted["department"] == "relations"


async def test_what_would_go_to_a_department_that_is_gone_is_left_to_a_person(
    routing: Routing,
) -> None:
    del routing.service.deps.directory.departments["space"]
    emitted = await routing.last(await routing.receive(SEATS))
    assert emitted["type"] == "feedback.triage_needed.v1"
    assert "space" not in [c["department"] for c in emitted["candidates"]]


async def test_what_would_be_put_into_a_closed_category_is_left_to_a_person(
    routing: Routing,
) -> None:
    directory = routing.service.deps.directory
    directory.closed_categories["seats"] = directory.categories.pop("seats")
    emitted = await routing.last(case := await routing.receive(SEATS))
    assert emitted["type"] == "feedback.triage_needed.v1"
    assert (emitted["department"], emitted.get("category")) == ("space", None)
    assert "已停用" in emitted["reasons"][0]["text"]
    await routing.process(returned(case, "it", "space"))
    offered = await routing.last(case)
    assert "space" in [one["department"] for one in offered["candidates"]]
    assert "seats" not in [one.get("category") for one in offered["candidates"]]


async def test_a_part_of_a_comment_is_decided_like_a_comment(routing: Routing) -> None:
    whole = received(FLOOD)
    part = CaseSplitOff(
        feedback_id=new_id(),
        at=NOW,
        parent=whole.feedback_id,
        received_at=NOW,
        channel=Channel.WEB,
        text=SEATS,
        code_hash="0" * 64,
    )
    await routing.process(whole, part, part)
    (event,) = await routing.emitted(part.feedback_id)
    assert (event["type"], event["department"]) == ("feedback.routed.v1", "space")


async def test_the_same_comment_read_twice_is_decided_once(routing: Routing) -> None:
    event = received(SEATS)
    await routing.process(event)
    await routing.process(event)
    assert len(await routing.emitted(event.feedback_id)) == 1


async def test_decisions_are_counted(routing: Routing) -> None:
    before = _counted("routed"), _counted("triage")
    await routing.process(received(SEATS), received(SEATS), received(RIDDLE))
    assert (_counted("routed"), _counted("triage")) == (before[0] + 2, before[1] + 1)


async def test_a_returned_case_is_offered_to_others(routing: Routing) -> None:
    case = await routing.receive(SEATS)
    await routing.process(returned(case, "space", suggest="security"))
    emitted = await routing.last(case)
    assert emitted["type"] == "feedback.triage_needed.v1"
    offered = [c["department"] for c in emitted["candidates"]]
    assert offered[0] == "security"
    assert "space" not in offered
    assert len(offered) == 3
    assert emitted["reasons"][0]["text"] == "空间与读者服务部退单，建议转保卫"
    assert (emitted["category"], emitted["priority"]) == ("seats", "P3")


async def test_nobody_who_returned_a_case_is_offered_again(routing: Routing) -> None:
    case = await routing.receive(SEATS)
    await routing.process(returned(case, "space"))
    await routing.process(dispatched(case, "security"), returned(case, "security", suggest="space"))
    emitted = await routing.last(case)
    assert not {"space", "security"} & {c["department"] for c in emitted["candidates"]}
    assert len(emitted["candidates"]) == 3
    assert (await routing.history(case))["returned_by"] == ["space", "security"]


async def test_what_a_person_said_about_urgency_outlives_a_return(routing: Routing) -> None:
    case = await routing.receive(RIDDLE)
    by_hand = dispatched(
        case, "it", category="systems", priority=Priority.P2, case_type=CaseType.REQUEST
    )
    await routing.process(by_hand, returned(case, "it"))
    emitted = await routing.last(case)
    assert (emitted["category"], emitted["case_type"], emitted["priority"]) == (
        "systems",
        "request",
        "P2",
    )


async def test_a_return_of_an_unknown_case_changes_nothing(routing: Routing) -> None:
    await routing.process(returned("nobody", "space"), dispatched("nobody", "space"))
    assert await routing.emitted("nobody") == []


async def test_what_a_person_dispatched_is_kept_as_an_example(routing: Routing) -> None:
    corrected, agreed = await routing.receive(SEATS), await routing.receive(SEATS)
    await routing.process(dispatched(corrected, "security"), dispatched(agreed, "space"))
    one = (await routing.history(corrected))["dispatched_by_person"]
    assert (one["guessed"], one["department"], one["corrected"]) == ("space", "security", True)
    assert not (await routing.history(agreed))["dispatched_by_person"]["corrected"]


async def test_what_routing_dispatched_itself_teaches_nothing(routing: Routing) -> None:
    case = await routing.receive(SEATS)
    await routing.process(dispatched(case, "space", decided="rule"))
    assert (await routing.history(case))["dispatched_by_person"] is None


async def test_an_example_that_came_back_says_what_is_not_theirs(routing: Routing) -> None:
    case = await routing.receive(RIDDLE)
    await routing.process(dispatched(case, "it"), returned(case, "it"))
    assert (await routing.history(case))["dispatched_by_person"]["returned"]
    await routing.process(dispatched(case, "office"))
    taught = (await routing.history(case))["dispatched_by_person"]
    assert (taught["department"], taught["returned"]) == ("office", False)


async def test_the_corrections_are_found_through_their_index(routing: Routing) -> None:
    async with routing.service.engine.connect() as connection:
        await connection.execute(text("SET enable_seqscan = off"))
        plan: Any = await connection.execute(
            text(
                "EXPLAIN SELECT * FROM examples WHERE corrected AND NOT returned "
                "ORDER BY at DESC LIMIT 9"
            )
        )
        assert "examples_corrected" in "\n".join(plan.scalars())


def _counted(result: str) -> float:
    return REGISTRY.get_sample_value("feedback_routed_total", {"result": result}) or 0.0
