"""A case that does not go the ordinary way: whose hands it is in, and what is owed meanwhile."""

from datetime import datetime, timedelta

from services.sla.domain import cases
from services.sla.domain.case_clocks import CaseClocks, Update
from shared.contracts.sla import Change
from shared.contracts.sla import PromiseStatus as Status
from shared.contracts.vocabulary import CaseType, Clock, Priority
from tests.unit.sla.support import RULES, accepted, at, received


def hours(update: Update) -> list[tuple[str, float, bool]]:
    """Department, working hours in its hands, whether it only did a part."""
    return [
        (left.segment.department, left.worked / timedelta(hours=1), left.segment.part)
        for left in update.left
    ]


def due(case: CaseClocks, clock: Clock) -> datetime | None:
    timer = case.running(clock)
    return None if timer is None else timer.due


def test_a_reply_ends_the_time_of_the_department() -> None:
    # Dispatched on Wednesday at 11:00: one hour before noon, four after it, all of Thursday.
    replied = cases.reply(accepted(), RULES, at=at("2026-03-05 17:30"))
    assert hours(replied) == [("it", 12.5, False)]


def test_fetched_back_it_is_triage_again_and_the_users_clocks_run_on() -> None:
    before = accepted()
    update = cases.give_back(before, RULES, at=at("2026-03-05 08:30"))
    assert hours(update) == [("it", 5.0, False)]
    assert due(update.case, Clock.RESOLUTION) == due(before, Clock.RESOLUTION)
    assert update.case.running(Clock.TRIAGE)


def test_dispatched_again_the_next_department_begins_where_the_first_ended() -> None:
    asked = cases.ask_user(accepted(), RULES, at=at("2026-03-04 15:00")).case
    update = cases.dispatch(asked, RULES, at=at("2026-03-05 08:30"), department="space")
    # It waited for the reporter from 15:00 on.
    assert hours(update) == [("it", 2.5, False)]
    assert [s.department for s in update.case.segments if s.ended_at is None] == ["space"]
    resolution = update.case.running(Clock.RESOLUTION)
    assert resolution is not None
    assert resolution.paused_at is None
    assert due(update.case, Clock.ACCEPT) == at("2026-03-05 12:00") + timedelta(hours=2)


def test_while_others_are_waited_for_the_reporter_hears_every_three_days() -> None:
    first = cases.progress(accepted(), RULES, at=at("2026-03-04 15:00")).case
    assert first.current(Clock.FIRST_RESPONSE).status is Status.MET  # type: ignore[union-attr]
    resolution = due(first, Clock.RESOLUTION)
    waiting = cases.wait_for_others(first, RULES, at=at("2026-03-04 15:30")).case
    assert due(waiting, Clock.RESOLUTION) == resolution
    assert due(waiting, Clock.NEXT_RESPONSE) == at("2026-03-09 15:30")
    told = cases.progress(waiting, RULES, at=at("2026-03-06 08:30")).case
    assert due(told, Clock.NEXT_RESPONSE) == at("2026-03-10 17:30")
    resumed = cases.stop_waiting(told, RULES, at=at("2026-03-09 08:30"))
    assert due(resumed.case, Clock.NEXT_RESPONSE) is None
    replied = cases.reply(resumed.case, RULES, at=at("2026-03-09 09:30"))
    # Three hours before it waited, and the last one.
    assert hours(replied) == [("it", 4.0, False)]


def test_no_note_is_owed_before_the_first_answer_was_given() -> None:
    waiting = cases.wait_for_others(accepted(), RULES, at=at("2026-03-04 15:30")).case
    assert due(waiting, Clock.NEXT_RESPONSE) is None
    assert waiting.running(Clock.FIRST_RESPONSE)


def test_words_while_others_are_waited_for_do_not_end_the_waiting() -> None:
    first = cases.progress(accepted(), RULES, at=at("2026-03-04 15:00")).case
    waiting = cases.wait_for_others(first, RULES, at=at("2026-03-04 15:30")).case
    heard = cases.hear_from_user(waiting, RULES, at=at("2026-03-05 08:30")).case
    assert any(s.waiting_since for s in heard.segments)
    # An answer to them is owed sooner than the note was.
    assert due(heard, Clock.NEXT_RESPONSE) == at("2026-03-05 17:30")


def test_words_after_the_reply_are_owed_an_answer_and_the_follow_up_waits() -> None:
    replied = cases.reply(accepted(), RULES, at=at("2026-03-05 10:00")).case
    heard = cases.hear_from_user(replied, RULES, at=at("2026-03-06 10:00")).case
    follow_up = heard.running(Clock.FOLLOW_UP)
    assert follow_up is not None
    assert follow_up.paused_at is not None
    assert due(heard, Clock.NEXT_RESPONSE) == at("2026-03-09 10:00")
    answered = cases.progress(heard, RULES, at=at("2026-03-09 09:00")).case
    assert answered.current(Clock.NEXT_RESPONSE).in_time  # type: ignore[union-attr]
    assert due(answered, Clock.FOLLOW_UP) == at("2026-03-11 09:00")
    again = cases.reply(heard, RULES, at=at("2026-03-09 09:00")).case
    assert due(again, Clock.FOLLOW_UP) == at("2026-03-12 09:00")


def test_words_that_are_answered_elsewhere_are_owed_no_more_and_the_follow_up_goes_on() -> None:
    replied = cases.reply(accepted(), RULES, at=at("2026-03-05 10:00")).case
    heard = cases.hear_from_user(replied, RULES, at=at("2026-03-06 10:00")).case
    parted = cases.owe_no_more(heard, RULES, at=at("2026-03-09 09:00")).case
    assert due(parted, Clock.NEXT_RESPONSE) is None
    assert due(parted, Clock.FOLLOW_UP) == at("2026-03-11 09:00")
    # What was not answered yet is owed all that it was.
    assert cases.owe_no_more(accepted(), RULES, at=at("2026-03-05 10:00")).case == accepted()


def test_a_second_department_has_a_time_of_its_own() -> None:
    helped = cases.add_department(
        accepted(), RULES, at=at("2026-03-04 14:00"), department="space"
    ).case
    update = cases.finish_part(helped, RULES, at=at("2026-03-04 16:00"), department="space")
    assert hours(update) == [("space", 2.0, True)]
    assert cases.finish_part(update.case, RULES, at=at("2026-03-04 17:00"), department="space") == (
        Update(update.case)
    )
    replied = cases.reply(update.case, RULES, at=at("2026-03-04 17:30"))
    assert hours(replied) == [("it", 5.0, False)]


def test_restored_it_has_the_full_time_and_a_first_response_again() -> None:
    refused = cases.end(received(), RULES, at=at("2026-03-04 11:00")).case
    restored = cases.restore(refused, RULES, at=at("2026-03-05 10:00"))
    assert due(restored.case, Clock.RESOLUTION) == at("2026-03-12 10:00")
    assert due(restored.case, Clock.FIRST_RESPONSE) == at("2026-03-06 10:00")
    assert due(restored.case, Clock.TRIAGE)


def test_an_appeal_upheld_meets_the_appeal_and_promises_anew_in_full() -> None:
    replied = cases.reply(accepted(), RULES, at=at("2026-03-05 10:00")).case
    appealed = cases.appeal(replied, RULES, at=at("2026-03-06 10:00")).case
    upheld = cases.restore(appealed, RULES, at=at("2026-03-09 10:00")).case
    assert upheld.current(Clock.APPEAL).in_time  # type: ignore[union-attr]
    assert due(upheld, Clock.RESOLUTION) == at("2026-03-16 10:00")
    assert upheld.running(Clock.FIRST_RESPONSE) is None


def test_a_part_that_was_split_off_has_waited_since_the_whole_came_in() -> None:
    update = cases.split_off(RULES, received_at=at("2026-03-04 10:00"), at=at("2026-03-06 14:00"))
    assert due(update.case, Clock.RESOLUTION) == at("2026-03-11 10:00")
    triage = update.case.running(Clock.TRIAGE)
    assert triage is not None
    assert triage.started_at == at("2026-03-06 14:00")


def test_corrected_to_urgent_the_promise_counts_from_receipt_and_says_why() -> None:
    update = cases.correct(
        accepted(),
        RULES,
        at=at("2026-03-04 15:00"),
        priority=Priority.P2,
        type=CaseType.COMPLAINT,
    )
    assert due(update.case, Clock.RESOLUTION) == at("2026-03-06 10:00")
    moved = {c.clock: c.reason for c in update.changes if c.change is Change.MOVED}
    assert moved[Clock.RESOLUTION] == "priority"
