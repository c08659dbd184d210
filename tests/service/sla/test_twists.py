"""The case in full, as sla reads it from the log."""

from __future__ import annotations

from typing import Any

from shared.contracts.desk import (
    CaseBreachExplained,
    CaseCorrected,
    CaseExtensionGranted,
    CaseMerged,
    CaseProgressed,
    CaseRecalled,
    CaseReplySentBack,
    CaseReplySubmitted,
    CaseSplitOff,
    CaseUnmerged,
    CaseWaitingExternal,
)
from shared.contracts.sla import SlaSegmentEnded
from shared.contracts.vocabulary import CaseType, Channel, Clock, Outcome, Priority, State
from shared.service import Service
from tests.service.sla.support import (
    CASE,
    changes,
    moment,
    ordinary,
    passing,
    promises,
    replied,
)
from tests.support import at, outbox_of, process_batch


def about(when: str, feedback_id: str = CASE) -> dict[str, Any]:
    return {"feedback_id": feedback_id, "at": at(when)}


async def segments(service: Service, feedback_id: str = CASE) -> list[tuple[str, int]]:
    """Department and working minutes of each segment that ended."""
    return [
        (one["body"]["department"], one["body"]["working_seconds"] // 60)
        for one in await outbox_of(service, feedback_id)
        if one["type"] == f"{SlaSegmentEnded.type}"
    ]


async def test_a_departments_time_ends_with_its_reply(sla: Service) -> None:
    await process_batch(sla, *ordinary())
    assert await segments(sla) == []
    await process_batch(sla, replied("2026-03-05 09:30"))
    assert await segments(sla) == [("space", 120 + 240 + 60)]


async def test_fetched_back_its_time_ends_and_triage_begins(sla: Service) -> None:
    await process_batch(sla, *ordinary())
    await process_batch(
        sla, CaseRecalled(**about("2026-03-04 11:00"), department="space", reason="派错了")
    )
    assert await segments(sla) == [("space", 60)]
    assert [c["cycle"] for c in await changes(sla, "promised", "TRIAGE")] == [1, 2]
    assert (await promises(sla))["RESOLUTION"]["status"] == "running"


async def test_waiting_for_a_vendor_owes_notes_and_survives_being_stored(sla: Service) -> None:
    await process_batch(sla, *ordinary())
    await process_batch(
        sla,
        CaseProgressed(**about("2026-03-04 11:00"), state=State.IN_PROGRESS, text="已经在问。"),
    )
    await process_batch(
        sla, CaseWaitingExternal(**about("2026-03-04 11:30"), waiting_for="厂家", reason="等配件")
    )
    assert moment((await promises(sla))["NEXT_RESPONSE"], "due") == at("2026-03-09 11:30")
    await process_batch(
        sla,
        CaseCorrected(
            **about("2026-03-04 14:00"),
            state=State.WAITING_EXTERNAL,
            changed=("priority",),
            case_type=CaseType.COMPLAINT,
            priority=Priority.P2,
            reason="很多人受影响",
        ),
    )
    # Urgent now: notes every working day, counted from where the owed one began.
    assert moment((await promises(sla))["NEXT_RESPONSE"], "due") == at("2026-03-05 11:30")
    [moved] = await changes(sla, "moved", "RESOLUTION")
    assert moved["reason"] == "priority"


async def test_more_time_moves_the_promise_with_the_reason(sla: Service) -> None:
    await process_batch(sla, *ordinary())
    await process_batch(
        sla,
        CaseExtensionGranted(
            **about("2026-03-05 10:00"),
            state=State.IN_PROGRESS,
            until=at("2026-03-18 17:30"),
            reason="配件在路上",
        ),
    )
    resolution = (await promises(sla))["RESOLUTION"]
    assert moment(resolution, "due") == at("2026-03-18 17:30")
    assert moment(resolution, "first_due") == at("2026-03-11 10:00")
    assert resolution["reason"] == "配件在路上"


async def test_a_new_date_with_the_reason_of_a_breach_hides_no_breach(sla: Service) -> None:
    await process_batch(sla, *ordinary())
    await passing(sla, "2026-03-11 10:00")
    await process_batch(
        sla,
        CaseBreachExplained(
            **about("2026-03-11 11:00"),
            state=State.IN_PROGRESS,
            clock=Clock.RESOLUTION,
            code="overload",
            text="开学人手不足",
            until=at("2026-03-16 17:30"),
        ),
    )
    resolution = (await promises(sla))["RESOLUTION"]
    assert resolution["status"] == "breached"
    assert moment(resolution, "due") == at("2026-03-16 17:30")


async def test_review_has_its_clock(sla: Service) -> None:
    await process_batch(sla, *ordinary())
    submitted = CaseReplySubmitted(**about("2026-03-05 10:00"), outcome=Outcome.SOLVED)
    await process_batch(sla, submitted)
    assert moment((await promises(sla))["REVIEW"], "due") == at("2026-03-06 10:00")
    await process_batch(sla, CaseReplySentBack(**about("2026-03-05 15:00")))
    assert (await promises(sla))["REVIEW"]["in_time"] is True


async def test_merged_nothing_is_promised_and_parted_everything_anew(sla: Service) -> None:
    await process_batch(sla, *ordinary())
    await process_batch(sla, CaseMerged(**about("2026-03-05 10:00"), into="other"))
    assert {p["status"] for p in (await promises(sla)).values()} == {"met", "cancelled"}
    await process_batch(
        sla,
        CaseUnmerged(
            **about("2026-03-06 10:00"), previous_into="other", reason="不是一件事", cycle=2
        ),
    )
    running = {c: p for c, p in (await promises(sla)).items() if p["status"] == "running"}
    assert set(running) == {"TRIAGE", "FIRST_RESPONSE", "RESOLUTION"}
    assert moment(running["RESOLUTION"], "due") == at("2026-03-13 10:00")


async def test_a_part_is_promised_from_the_receipt_of_the_whole(sla: Service) -> None:
    await process_batch(
        sla,
        CaseSplitOff(
            **about("2026-03-05 10:00", "part"),
            parent=CASE,
            received_at=at("2026-03-04 10:00"),
            channel=Channel.WEB,
            text="插座没电",
            code_hash="h",
        ),
    )
    due = {c: moment(p, "due") for c, p in (await promises(sla, "part")).items()}
    assert due == {
        "TRIAGE": at("2026-03-05 15:30"),
        "FIRST_RESPONSE": at("2026-03-05 10:00"),
        "RESOLUTION": at("2026-03-11 10:00"),
    }
