"""What is promised when something happens, with the dates a person would work out."""

from __future__ import annotations

import pytest

from services.sla.store import CaseRow, PolicyRow, Rulebook
from services.sla.store.rules import as_document
from shared.contracts.desk import (
    CaseClosed,
    CaseRejected,
    CaseRequestRefused,
    CaseResumed,
    CaseReturned,
    CaseWithdrawn,
)
from shared.contracts.intake import FeedbackAppealed, FeedbackSupplemented
from shared.contracts.notification import NotificationSent
from shared.contracts.routing import FeedbackTriageNeeded
from shared.contracts.vocabulary import CaseType, Priority
from shared.service import Service
from tests.service.sla.support import (
    CASE,
    accepted,
    asked,
    bodies,
    dispatched,
    facts,
    moment,
    ordinary,
    passing,
    received,
    reopened,
    replied,
    routed,
)
from tests.support import at, take_in, told


async def test_a_receipt_is_promised_three_dates_at_once(sla: Service) -> None:
    await take_in(sla, received("2026-03-04 10:00"))
    assert await facts(sla) == [
        ("promised", "TRIAGE"),
        ("promised", "FIRST_RESPONSE"),
        ("promised", "RESOLUTION"),
    ]
    due = {t["body"]["clock"]: moment(t["body"], "due") for t in await told(sla)}
    assert due == {
        "TRIAGE": at("2026-03-04 15:30"),
        "FIRST_RESPONSE": at("2026-03-05 10:00"),
        "RESOLUTION": at("2026-03-11 10:00"),
    }
    assert [t["seq"] for t in await told(sla)] == [1, 2, 3]


async def test_the_same_receipt_twice_promises_nothing_more(sla: Service) -> None:
    await take_in(sla, received("2026-03-04 10:00"))
    await take_in(sla, received("2026-03-04 10:00"))
    assert len(await facts(sla)) == 3


async def test_received_before_the_spring_festival_is_due_after_it(sla: Service) -> None:
    # 14 February is a make-up Saturday; the holiday lasts from the 15th to the 23rd
    await take_in(sla, received("2026-02-14 16:00"))
    due = {t["body"]["clock"]: moment(t["body"], "due") for t in await told(sla)}
    assert due["TRIAGE"] == at("2026-02-24 11:00")
    assert due["FIRST_RESPONSE"] == at("2026-02-24 16:00")


async def test_what_routing_finds_is_the_first_promise(sla: Service) -> None:
    await take_in(sla, received("2026-03-04 10:00"))
    await take_in(sla, routed("2026-03-04 10:02", Priority.P2))
    _, promise = await bodies(sla, "sla.promised", "RESOLUTION")
    assert moment(promise, "due") == moment(promise, "first_due") == at("2026-03-06 10:00")
    assert "reason" not in promise
    assert promise["priority"] == "P2"


async def test_another_priority_after_triage_was_left_to_a_person_moves_the_promise(
    sla: Service,
) -> None:
    doubtful = FeedbackTriageNeeded(**routed("2026-03-04 10:00").model_dump())
    await take_in(sla, received("2026-03-04 10:00"), doubtful)
    await take_in(sla, dispatched("2026-03-04 11:00", priority=Priority.P2, decided="person"))
    *_, promise = await bodies(sla, "sla.promised", "RESOLUTION")
    assert moment(promise, "due") == at("2026-03-06 10:00")
    assert moment(promise, "first_due") == at("2026-03-11 10:00")
    assert promise["reason"] == "priority"


async def test_with_routing_down_a_person_moves_what_the_reporter_has_read(sla: Service) -> None:
    by_hand = dispatched("2026-03-04 10:30", priority=Priority.P2, decided="person")
    await take_in(sla, received("2026-03-04 10:00"), by_hand)
    *_, promise = await bodies(sla, "sla.promised", "RESOLUTION")
    assert moment(promise, "first_due") == at("2026-03-11 10:00")
    assert moment(promise, "due") == at("2026-03-06 10:00")


async def test_once_the_receipt_went_out_late_routing_moves_a_promise(sla: Service) -> None:
    sent = NotificationSent(
        feedback_id=CASE,
        at=at("2026-03-04 10:10"),
        delivery_id="d",
        kind="receipt",
        channel="email",
        audience="reporter",
    )
    await take_in(sla, received("2026-03-04 10:00"), sent)
    await take_in(sla, routed("2026-03-04 11:00", Priority.P2))
    *_, promise = await bodies(sla, "sla.promised", "RESOLUTION")
    assert moment(promise, "first_due") == at("2026-03-11 10:00")
    assert moment(promise, "due") == at("2026-03-06 10:00")


async def test_routing_that_comes_after_a_person_dispatched_changes_nothing(sla: Service) -> None:
    await take_in(
        sla, received("2026-03-04 10:00"), dispatched("2026-03-04 10:30", priority=Priority.P2)
    )
    before = await facts(sla)
    await take_in(sla, routed("2026-03-04 11:00", Priority.P4))
    assert await facts(sla) == before


async def test_praise_is_promised_thanks_and_no_resolution(sla: Service) -> None:
    await take_in(
        sla,
        received("2026-03-04 10:00"),
        routed("2026-03-04 10:00", Priority.P4, case_type=CaseType.PRAISE),
    )
    assert ("cancelled", "RESOLUTION") in await facts(sla)


async def test_the_ordinary_path_is_met_in_time(sla: Service) -> None:
    await take_in(sla, *ordinary(), replied("2026-03-05 09:00"))
    for clock in ("TRIAGE", "ACCEPT", "FIRST_RESPONSE", "RESOLUTION"):
        (met,) = await bodies(sla, "sla.met", clock)
        assert met["in_time"] is True
    assert met["working_seconds"] == 6.5 * 3600
    (accept,) = await bodies(sla, "sla.promised", "ACCEPT")
    assert accept["department"] == "space"
    (follow_up,) = await bodies(sla, "sla.promised", "FOLLOW_UP")
    assert moment(follow_up, "due") == at("2026-03-10 09:00")


async def test_facts_of_one_batch_and_one_by_one_come_to_the_same(sla: Service) -> None:
    story = [*ordinary(), asked("2026-03-04 15:00"), replied("2026-03-06 09:00")]
    await take_in(sla, *story)
    together = [(t["type"], t["body"]) for t in await told(sla)]
    other = [e.model_copy(update={"feedback_id": "case-2"}) for e in story]
    for event in other:
        await take_in(sla, event)
    singly = [(t["type"], t["body"]) for t in await told(sla, "case-2")]
    assert [(k, b | {"feedback_id": "case-2"}) for k, b in together] == singly


async def test_one_batch_and_one_by_one_leave_the_same_rows(sla: Service) -> None:
    story = [*ordinary(), asked("2026-03-04 15:00"), replied("2026-03-06 09:00")]
    await take_in(sla, *story)
    for event in story:
        await take_in(sla, event.model_copy(update={"feedback_id": "case-2"}))
    for table in ("cases", "clocks"):
        together, singly = [await _rows(sla, table, case) for case in (CASE, "case-2")]
        assert together == singly
        assert together


async def _rows(sla: Service, table: str, feedback_id: str) -> list[str]:
    query = f"SELECT (to_jsonb(r) - 'feedback_id')::text FROM {table} r WHERE feedback_id = $1"
    async with sla.transaction() as tx:
        return sorted(row[0] for row in await tx.fetch(query, feedback_id))


async def test_waiting_for_the_user_moves_the_promise_by_working_time(sla: Service) -> None:
    await take_in(sla, *ordinary(), asked("2026-03-05 09:00"))
    assert (await facts(sla))[-2:] == [("met", "FIRST_RESPONSE"), ("paused", "RESOLUTION")]
    supplied = FeedbackSupplemented(
        feedback_id=CASE, at=at("2026-03-06 09:00"), text="217", words_id="w"
    )
    resumed = CaseResumed(feedback_id=CASE, at=at("2026-03-06 09:01"), reason="supplied")
    await take_in(sla, supplied)
    await take_in(sla, resumed)
    (again,) = await bodies(sla, "sla.resumed", "RESOLUTION")
    assert moment(again, "due") == at("2026-03-12 10:00")
    assert moment(again, "first_due") == at("2026-03-11 10:00")
    assert (await facts(sla))[-1] == ("promised", "NEXT_RESPONSE")


async def test_nobody_answered_and_the_resolution_runs_on(sla: Service) -> None:
    await take_in(sla, *ordinary(), asked("2026-03-05 09:00"))
    await take_in(sla, CaseResumed(feedback_id=CASE, at=at("2026-03-06 09:00"), reason="timeout"))
    assert (await facts(sla))[-1] == ("resumed", "RESOLUTION")


async def test_a_return_starts_triage_again_for_the_office(sla: Service) -> None:
    back = CaseReturned(
        feedback_id=CASE, at=at("2026-03-04 11:00"), department="space", reason="不归我们"
    )
    await take_in(sla, *ordinary()[:3], back)
    assert (await facts(sla))[-2:] == [("cancelled", "ACCEPT"), ("promised", "TRIAGE")]
    *_, triage = await bodies(sla, "sla.promised", "TRIAGE")
    assert (triage["cycle"], "department" in triage) == (2, False)
    await take_in(sla, dispatched("2026-03-04 11:30", "it", previous_department="space"))
    *_, accept = await bodies(sla, "sla.promised", "ACCEPT")
    assert (accept["cycle"], accept["department"]) == (2, "it")


async def test_reopened_has_half_the_time_in_a_new_cycle(sla: Service) -> None:
    await take_in(sla, *ordinary(), replied("2026-03-06 10:00"))
    await take_in(sla, reopened("2026-03-09 10:00"))
    *_, again = await bodies(sla, "sla.promised", "RESOLUTION")
    assert again["cycle"] == 2
    assert moment(again, "due") == at("2026-03-11 15:15")
    assert again["reason"] == "reopened"
    assert ("cancelled", "FOLLOW_UP") in await facts(sla)


@pytest.mark.parametrize(
    "end",
    [
        CaseRejected(feedback_id=CASE, at=at("2026-03-04 11:00"), reason="非本馆"),
        CaseWithdrawn(feedback_id=CASE, at=at("2026-03-04 11:00")),
    ],
)
async def test_an_end_cancels_everything(sla: Service, end: CaseRejected | CaseWithdrawn) -> None:
    await take_in(sla, received("2026-03-04 10:00"), end)
    assert {k for k, _ in (await facts(sla))[3:]} == {"cancelled"}
    assert await passing(sla, "2026-05-01 10:00") == 0


async def test_closed_before_it_ran_out_the_follow_up_is_cancelled(sla: Service) -> None:
    closed = CaseClosed(feedback_id=CASE, at=at("2026-03-05 15:00"), how="rated")
    await take_in(sla, *ordinary(), replied("2026-03-05 09:00"), closed)
    assert (await facts(sla))[-1] == ("cancelled", "FOLLOW_UP")
    assert await passing(sla, "2026-05-01 10:00") == 0


async def test_a_refused_appeal_leaves_time_to_be_followed_up(sla: Service) -> None:
    appealed = FeedbackAppealed(feedback_id=CASE, at=at("2026-03-06 09:00"), reason="不公平")
    refused = CaseRequestRefused(
        feedback_id=CASE,
        at=at("2026-03-06 09:01"),
        request=FeedbackAppealed.type,
        reason="请先选择“没有解决”",
    )
    await take_in(sla, *ordinary(), replied("2026-03-05 09:00"), appealed, refused)
    assert (await facts(sla))[-4:] == [
        ("cancelled", "FOLLOW_UP"),
        ("promised", "APPEAL"),
        ("cancelled", "APPEAL"),
        ("promised", "FOLLOW_UP"),
    ]


async def test_a_fact_about_an_unknown_case_changes_nothing(sla: Service) -> None:
    await take_in(sla, accepted("2026-03-04 10:40"), routed("2026-03-04 10:40"))
    assert await told(sla) == []


async def test_a_case_keeps_the_policy_it_started_with(sla: Service) -> None:
    await take_in(sla, received("2026-03-04 10:00"))
    rules: Rulebook = sla.tools
    old = rules.policy
    strict = as_document(old) | {"version": 2}
    strict["rows"]["P2"]["clocks"]["RESOLUTION"] = "1wd"
    async with sla.transaction() as tx:
        tx.session.add(PolicyRow(version=2, body=strict, at=tx.now))
    async with sla.engine.connect() as connection:
        await rules.refresh(connection)
    assert rules.policy.version == 2
    await take_in(sla, routed("2026-03-04 10:00", Priority.P2))
    *_, kept = await bodies(sla, "sla.promised", "RESOLUTION")
    assert (moment(kept, "due"), kept["policy_version"]) == (at("2026-03-06 10:00"), 1)
    await take_in(sla, received("2026-03-04 10:00", "case-2"))
    async with sla.transaction() as tx:
        row = await tx.session.get(CaseRow, "case-2")
    assert row is not None
    assert row.policy_version == 2
