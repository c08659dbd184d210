"""What is promised when something happens, with the dates a person would work out."""

from __future__ import annotations

import pytest

from services.sla.store import CaseRow, PolicyRow, Rulebook
from services.sla.store.rules import as_document
from shared.contracts.desk import (
    CaseClosed,
    CaseRejected,
    CaseReleased,
    CaseReplied,
    CaseRequestRefused,
    CaseResumed,
    CaseReturned,
    CaseWithdrawn,
    CaseWordsOwed,
)
from shared.contracts.intake import FeedbackAppealed, FeedbackSupplemented
from shared.contracts.notification import NotificationSent
from shared.contracts.routing import FeedbackTriageNeeded
from shared.contracts.vocabulary import CaseType, Priority, State
from shared.service import Service
from tests.service.sla.support import (
    CASE,
    accepted,
    asked,
    changes,
    dispatched,
    events,
    moment,
    ordinary,
    passing,
    promises,
    received,
    reopened,
    replied,
    routed,
)
from tests.support import apply, at, outbox_of, process_batch


async def test_a_receipt_is_promised_three_dates_at_once(sla: Service) -> None:
    await process_batch(sla, received("2026-03-04 10:00"))
    assert await events(sla) == [
        ("promised", "TRIAGE"),
        ("promised", "FIRST_RESPONSE"),
        ("promised", "RESOLUTION"),
    ]
    due = {clock: moment(one, "due") for clock, one in (await promises(sla)).items()}
    assert due == {
        "TRIAGE": at("2026-03-04 15:30"),
        "FIRST_RESPONSE": at("2026-03-05 10:00"),
        "RESOLUTION": at("2026-03-11 10:00"),
    }
    assert [t["seq"] for t in await outbox_of(sla)] == [1]


async def test_the_same_receipt_twice_promises_nothing_more(sla: Service) -> None:
    await process_batch(sla, received("2026-03-04 10:00"))
    await process_batch(sla, received("2026-03-04 10:00"))
    assert len(await events(sla)) == 3


async def test_received_before_the_spring_festival_is_due_after_it(sla: Service) -> None:
    # 14 February is a make-up Saturday; the holiday lasts from the 15th to the 23rd
    await process_batch(sla, received("2026-02-14 16:00"))
    due = {clock: moment(one, "due") for clock, one in (await promises(sla)).items()}
    assert due["TRIAGE"] == at("2026-02-24 11:00")
    assert due["FIRST_RESPONSE"] == at("2026-02-24 16:00")


async def test_what_routing_finds_is_the_first_promise(sla: Service) -> None:
    await process_batch(sla, received("2026-03-04 10:00"))
    await process_batch(sla, routed("2026-03-04 10:02", Priority.P2))
    _, promise = await changes(sla, "promised", "RESOLUTION")
    assert moment(promise, "due") == moment(promise, "first_due") == at("2026-03-06 10:00")
    assert "reason" not in promise
    assert promise["priority"] == "P2"


async def test_another_priority_after_triage_was_left_to_a_person_moves_the_promise(
    sla: Service,
) -> None:
    doubtful = FeedbackTriageNeeded(**routed("2026-03-04 10:00").model_dump())
    await process_batch(sla, received("2026-03-04 10:00"), doubtful)
    await process_batch(sla, dispatched("2026-03-04 11:00", priority=Priority.P2, decided="person"))
    (promise,) = await changes(sla, "moved", "RESOLUTION")
    assert moment(promise, "due") == at("2026-03-06 10:00")
    assert moment(promise, "first_due") == at("2026-03-11 10:00")
    assert promise["reason"] == "priority"


async def test_with_routing_down_a_person_moves_what_the_reporter_has_read(sla: Service) -> None:
    by_hand = dispatched("2026-03-04 10:30", priority=Priority.P2, decided="person")
    await process_batch(sla, received("2026-03-04 10:00"), by_hand)
    (promise,) = await changes(sla, "moved", "RESOLUTION")
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
    await process_batch(sla, received("2026-03-04 10:00"), sent)
    await process_batch(sla, routed("2026-03-04 11:00", Priority.P2))
    (promise,) = await changes(sla, "moved", "RESOLUTION")
    assert moment(promise, "first_due") == at("2026-03-11 10:00")
    assert moment(promise, "due") == at("2026-03-06 10:00")


async def test_routing_that_comes_after_a_person_dispatched_changes_nothing(sla: Service) -> None:
    await process_batch(
        sla, received("2026-03-04 10:00"), dispatched("2026-03-04 10:30", priority=Priority.P2)
    )
    before = await events(sla)
    await process_batch(sla, routed("2026-03-04 11:00", Priority.P4))
    assert await events(sla) == before


async def test_a_date_worked_out_anew_before_it_left_is_the_only_one(sla: Service) -> None:
    await process_batch(sla, received("2026-03-04 10:00"), routed("2026-03-04 10:00", Priority.P2))
    (promise,) = await changes(sla, "promised", "RESOLUTION")
    assert moment(promise, "due") == moment(promise, "first_due") == at("2026-03-06 10:00")


async def test_praise_is_promised_thanks_and_no_resolution(sla: Service) -> None:
    await process_batch(
        sla,
        received("2026-03-04 10:00"),
        routed("2026-03-04 10:00", Priority.P4, case_type=CaseType.PRAISE),
    )
    assert ("cancelled", "RESOLUTION") in await events(sla)


async def test_the_ordinary_path_is_met_in_time(sla: Service) -> None:
    await process_batch(sla, *ordinary(), replied("2026-03-05 09:00"))
    for clock in ("TRIAGE", "ACCEPT", "FIRST_RESPONSE", "RESOLUTION"):
        (met,) = await changes(sla, "met", clock)
        assert met["in_time"] is True
    assert met["working_seconds"] == 6.5 * 3600
    (accept,) = await changes(sla, "promised", "ACCEPT")
    assert accept["department"] == "space"
    assert {p["status"] for p in (await promises(sla)).values()} == {"met", "running"}
    (follow_up,) = await changes(sla, "promised", "FOLLOW_UP")
    assert moment(follow_up, "due") == at("2026-03-10 09:00")


async def test_what_one_transaction_does_is_one_event_and_says_the_same_as_one_by_one(
    sla: Service,
) -> None:
    story = [*ordinary(), asked("2026-03-04 15:00"), replied("2026-03-06 09:00")]
    await process_batch(sla, *story)
    for event in story:
        await process_batch(sla, event.model_copy(update={"feedback_id": "case-2"}))
    changed = "sla.promises_changed.v1"
    (together,) = [one for one in await outbox_of(sla, CASE) if one["type"] == changed]
    singly = [one for one in await outbox_of(sla, "case-2") if one["type"] == changed]
    assert len(singly) == 5  # what routing said changed nothing
    assert together["body"]["changes"] == [c for one in singly for c in one["body"]["changes"]]
    assert together["body"]["promises"] == singly[-1]["body"]["promises"]
    assert together["body"]["at"] == singly[-1]["body"]["at"]


async def test_an_event_follows_from_what_the_last_change_in_it_followed_from(
    sla: Service,
) -> None:
    async with sla.transaction() as tx:
        await apply(sla, tx, received("2026-03-04 10:00"), dispatched("2026-03-04 10:00"))
        assert tx.cause is not None
        dispatch = tx.cause.ce_id
        await apply(sla, tx, received("2026-03-04 10:00", "case-2"))
    async with sla.transaction() as tx:
        rows = await tx.fetch(
            "SELECT headers->>'ce_causationid' AS cause FROM outbox WHERE key = $1", CASE
        )
    assert [row["cause"] for row in rows] == [dispatch]


async def test_what_happened_before_a_mark_is_emitted_before_it(sla: Service) -> None:
    await process_batch(
        sla, received("2026-03-04 10:00"), accepted("2026-03-04 10:30"), replied("2026-03-12 10:00")
    )
    first, *marks, last = await outbox_of(sla)
    assert {c["change"] for c in first["body"]["changes"]} == {"promised"}
    assert {m["type"] for m in marks} == {"sla.breached.v1", "escalation.raised.v1"}
    assert {p["status"] for p in first["body"]["promises"]} == {"running"}
    assert [
        (c["clock"], c["in_time"]) for c in last["body"]["changes"] if c["change"] == "met"
    ] == [
        ("TRIAGE", False),
        ("FIRST_RESPONSE", False),
        ("RESOLUTION", False),
    ]


async def test_an_ordinary_case_leaves_six_events(sla: Service) -> None:
    rated = CaseClosed(feedback_id=CASE, at=at("2026-03-05 15:00"), how="rated")
    story = [*ordinary(), replied("2026-03-05 09:00"), rated]
    for event in story:
        await process_batch(sla, event)
    assert len(await outbox_of(sla)) <= 6


async def test_one_batch_and_one_by_one_leave_the_same_rows(sla: Service) -> None:
    story = [*ordinary(), asked("2026-03-04 15:00"), replied("2026-03-06 09:00")]
    await process_batch(sla, *story)
    for event in story:
        await process_batch(sla, event.model_copy(update={"feedback_id": "case-2"}))
    for table in ("cases", "clocks"):
        together, singly = [await _rows(sla, table, case) for case in (CASE, "case-2")]
        assert together == singly
        assert together


async def _rows(sla: Service, table: str, feedback_id: str) -> list[str]:
    without = "to_jsonb(r) - 'feedback_id' - 'partition'"
    query = f"SELECT ({without})::text FROM {table} r WHERE feedback_id = $1"
    async with sla.transaction() as tx:
        return sorted(row[0] for row in await tx.fetch(query, feedback_id))


async def test_waiting_for_the_user_moves_the_promise_by_working_time(sla: Service) -> None:
    await process_batch(sla, *ordinary(), asked("2026-03-05 09:00"))
    assert (await events(sla))[-2:] == [("met", "FIRST_RESPONSE"), ("paused", "RESOLUTION")]
    supplied = FeedbackSupplemented(
        feedback_id=CASE, at=at("2026-03-06 09:00"), text="217", words_id="w"
    )
    resumed = CaseResumed(feedback_id=CASE, at=at("2026-03-06 09:01"), reason="supplied")
    await process_batch(sla, supplied)
    await process_batch(sla, resumed)
    (again,) = await changes(sla, "resumed", "RESOLUTION")
    assert moment(again, "due") == at("2026-03-12 10:00")
    assert moment(again, "first_due") == at("2026-03-11 10:00")
    assert (await events(sla))[-1] == ("promised", "NEXT_RESPONSE")


async def test_nobody_answered_and_the_resolution_runs_on(sla: Service) -> None:
    await process_batch(sla, *ordinary(), asked("2026-03-05 09:00"))
    await process_batch(
        sla, CaseResumed(feedback_id=CASE, at=at("2026-03-06 09:00"), reason="timeout")
    )
    assert (await events(sla))[-1] == ("resumed", "RESOLUTION")


async def test_words_of_who_was_joined_are_owed_here_until_they_are_parted(sla: Service) -> None:
    replied = CaseReplied(
        feedback_id=CASE,
        at=at("2026-03-05 10:00"),
        text="好了",
        department="space",
        outcome="solved",
    )
    owed = CaseWordsOwed(
        feedback_id=CASE, at=at("2026-03-05 11:00"), state=State.REPLIED, origin="other"
    )
    await process_batch(sla, *ordinary(), replied)
    await process_batch(sla, owed)
    assert (await events(sla))[-2:] == [("paused", "FOLLOW_UP"), ("promised", "NEXT_RESPONSE")]
    for settled, last in ((False, "promised"), (True, "resumed")):
        parted = CaseReleased(
            feedback_id=CASE,
            at=at("2026-03-05 14:00"),
            state=State.REPLIED,
            merged="other",
            settled=settled,
        )
        await process_batch(sla, parted)
        assert (await events(sla))[-1][0] == last


async def test_a_return_starts_triage_again_for_the_office(sla: Service) -> None:
    back = CaseReturned(
        feedback_id=CASE, at=at("2026-03-04 11:00"), department="space", reason="不归我们"
    )
    await process_batch(sla, *ordinary()[:3], back)
    assert (await events(sla))[-2:] == [("cancelled", "ACCEPT"), ("promised", "TRIAGE")]
    *_, triage = await changes(sla, "promised", "TRIAGE")
    assert (triage["cycle"], "department" in triage) == (2, False)
    await process_batch(sla, dispatched("2026-03-04 11:30", "it", previous_department="space"))
    *_, accept = await changes(sla, "promised", "ACCEPT")
    assert (accept["cycle"], accept["department"]) == (2, "it")


async def test_reopened_has_half_the_time_in_a_new_cycle(sla: Service) -> None:
    await process_batch(sla, *ordinary(), replied("2026-03-06 10:00"))
    await process_batch(sla, reopened("2026-03-09 10:00"))
    *_, again = await changes(sla, "promised", "RESOLUTION")
    assert again["cycle"] == 2
    assert moment(again, "due") == at("2026-03-11 15:15")
    assert again["reason"] == "reopened"
    assert ("cancelled", "FOLLOW_UP") in await events(sla)


@pytest.mark.parametrize(
    "end",
    [
        CaseRejected(feedback_id=CASE, at=at("2026-03-04 11:00"), reason="非本馆"),
        CaseWithdrawn(feedback_id=CASE, at=at("2026-03-04 11:00")),
    ],
)
async def test_an_end_cancels_everything(sla: Service, end: CaseRejected | CaseWithdrawn) -> None:
    await process_batch(sla, received("2026-03-04 10:00"), end)
    assert {k for k, _ in (await events(sla))[3:]} == {"cancelled"}
    assert await passing(sla, "2026-05-01 10:00") == 0


async def test_closed_before_it_ran_out_the_follow_up_is_cancelled(sla: Service) -> None:
    closed = CaseClosed(feedback_id=CASE, at=at("2026-03-05 15:00"), how="rated")
    await process_batch(sla, *ordinary(), replied("2026-03-05 09:00"), closed)
    assert (await events(sla))[-1] == ("cancelled", "FOLLOW_UP")
    assert await passing(sla, "2026-05-01 10:00") == 0


async def test_a_refused_appeal_leaves_time_to_be_followed_up(sla: Service) -> None:
    appealed = FeedbackAppealed(feedback_id=CASE, at=at("2026-03-06 09:00"), reason="不公平")
    refused = CaseRequestRefused(
        feedback_id=CASE,
        at=at("2026-03-06 09:01"),
        state=State.APPEALED,
        request=FeedbackAppealed.type,
        reason="请先选择“没有解决”",
    )
    await process_batch(sla, *ordinary(), replied("2026-03-05 09:00"), appealed, refused)
    assert (await events(sla))[-4:] == [
        ("cancelled", "FOLLOW_UP"),
        ("promised", "APPEAL"),
        ("cancelled", "APPEAL"),
        ("promised", "FOLLOW_UP"),
    ]


async def test_an_event_about_an_unknown_case_changes_nothing(sla: Service) -> None:
    await process_batch(sla, accepted("2026-03-04 10:40"), routed("2026-03-04 10:40"))
    assert await outbox_of(sla) == []


async def test_a_case_keeps_the_policy_it_started_with(sla: Service) -> None:
    await process_batch(sla, received("2026-03-04 10:00"))
    rules: Rulebook = sla.deps
    old = rules.policy
    strict = as_document(old) | {"version": 2}
    strict["rows"]["P2"]["clocks"]["RESOLUTION"] = "1wd"
    async with sla.transaction() as tx:
        tx.session.add(PolicyRow(version=2, body=strict, at=tx.now))
    async with sla.engine.connect() as connection:
        await rules.refresh(connection)
    assert rules.policy.version == 2
    await process_batch(sla, routed("2026-03-04 10:00", Priority.P2))
    *_, kept = await changes(sla, "promised", "RESOLUTION")
    assert (moment(kept, "due"), kept["policy_version"]) == (at("2026-03-06 10:00"), 1)
    await process_batch(sla, received("2026-03-04 10:00", "case-2"))
    async with sla.transaction() as tx:
        row = await tx.session.get(CaseRow, "case-2")
    assert row is not None
    assert row.policy_version == 2
