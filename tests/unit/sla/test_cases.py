from typing import Any

import pytest
from pydantic import TypeAdapter

from services.sla import seeds
from services.sla.domain import cases
from services.sla.domain.calendars import CalendarDefinition, Calendars
from services.sla.domain.case_clocks import CaseClocks, Rules, Update
from services.sla.domain.clocks import MarkKind, Timer
from services.sla.domain.policy import Policy
from services.sla.store.rules import as_document
from shared.contracts.sla import Change
from shared.contracts.sla import PromiseStatus as Status
from shared.contracts.vocabulary import CaseType, Clock, Priority, Role
from tests.unit.sla.support import CALENDARS, POLICY, RULES, WEDNESDAY, accepted, at, received


def _replied(when: str = "2026-03-06 10:00") -> CaseClocks:
    return cases.reply(accepted(), RULES, at=at(when)).case


def _timer(case: CaseClocks, clock: Clock) -> Timer:
    timer = case.current(clock)
    assert timer is not None
    return timer


def _statuses(case: CaseClocks) -> dict[Clock, Status]:
    return {c: t.status for c in Clock if (t := case.current(c))}


def _told(update: Update) -> list[tuple[Change, Clock]]:
    return [(c.change, c.clock) for c in update.changes]


def test_a_receipt_starts_the_users_clocks_and_triage() -> None:
    change = cases.receive(RULES, at=WEDNESDAY)
    assert _told(change) == [
        (Change.PROMISED, Clock.TRIAGE),
        (Change.PROMISED, Clock.FIRST_RESPONSE),
        (Change.PROMISED, Clock.RESOLUTION),
    ]
    assert _timer(change.case, Clock.RESOLUTION).due == at("2026-03-11 10:00")
    assert change.case.policy_version == POLICY.version


def test_the_ordinary_path_meets_every_promise() -> None:
    case = accepted()
    assert _timer(case, Clock.ACCEPT).due == at("2026-03-04 16:30")
    assert _timer(case, Clock.ACCEPT).department == "it"
    change = cases.reply(case, RULES, at=at("2026-03-05 09:00"))
    assert _statuses(change.case) == {
        Clock.TRIAGE: Status.MET,
        Clock.ACCEPT: Status.MET,
        Clock.FIRST_RESPONSE: Status.MET,
        Clock.RESOLUTION: Status.MET,
        Clock.FOLLOW_UP: Status.RUNNING,
    }
    resolution = next(c for c in change.changes if c.clock is Clock.RESOLUTION)
    assert resolution.in_time
    assert resolution.working_seconds == 6.5 * 3600
    closed = cases.close(change.case, RULES, at=at("2026-03-05 10:00")).case
    assert not any(t.is_open for t in closed.timers)


def test_what_routing_finds_before_a_date_was_announced_is_the_first_promise() -> None:
    case = cases.receive(RULES, at=WEDNESDAY).case
    change = cases.route(case, RULES, at=at("2026-03-04 10:02"), priority=Priority.P2)
    timer = _timer(change.case, Clock.RESOLUTION)
    assert timer.due == timer.first_due == at("2026-03-06 10:00")
    assert timer.started_at == WEDNESDAY
    assert {c.change for c in change.changes} == {Change.PROMISED}


def test_a_later_priority_counts_from_receipt_and_keeps_the_first_date() -> None:
    change = cases.route(
        received(), RULES, at=at("2026-03-05 10:00"), priority=Priority.P1, type=CaseType.OTHER
    )
    timer = _timer(change.case, Clock.RESOLUTION)
    assert timer.due == at("2026-03-05 10:00")
    assert timer.first_due == at("2026-03-11 10:00")
    assert {(s.level, s.to) for s in timer.steps} == {(50, Role.REVIEWER), (100, Role.LEADER)}


def test_routing_that_changes_nothing_says_nothing() -> None:
    assert cases.route(received(), RULES, at=WEDNESDAY, priority=Priority.P3).changes == ()


def test_praise_promises_thanks_and_no_resolution() -> None:
    change = cases.route(
        received(), RULES, at=WEDNESDAY, priority=Priority.P4, type=CaseType.PRAISE
    )
    assert _timer(change.case, Clock.RESOLUTION).status is Status.CANCELLED
    assert _timer(change.case, Clock.FIRST_RESPONSE).due == at("2026-03-06 10:00")
    back = cases.route(
        change.case, RULES, at=WEDNESDAY, priority=Priority.P3, type=CaseType.COMPLAINT
    ).case
    assert _timer(back, Clock.RESOLUTION).due == at("2026-03-11 10:00")
    assert _timer(back, Clock.RESOLUTION).status is Status.RUNNING


def test_an_inquiry_needs_no_signature() -> None:
    case = cases.dispatch(
        received(), RULES, at=at("2026-03-04 10:30"), department="it", type=CaseType.INQUIRY
    ).case
    assert case.current(Clock.ACCEPT) is None
    assert _timer(case, Clock.RESOLUTION).due == at("2026-03-05 10:00")


def test_raising_the_priority_while_dispatching_breaks_no_triage_promise() -> None:
    case = cases.dispatch(
        received(),
        RULES,
        at=at("2026-03-04 10:30"),
        department="facilities",
        priority=Priority.P1,
    ).case
    assert _timer(case, Clock.TRIAGE).status is Status.MET
    assert _timer(case, Clock.ACCEPT).due == at("2026-03-04 10:45")


def test_a_return_starts_triage_again_and_the_user_waits_no_longer() -> None:
    case = cases.dispatch(received(), RULES, at=at("2026-03-04 11:00"), department="it").case
    change = cases.give_back(case, RULES, at=at("2026-03-04 15:00"))
    assert _told(change) == [
        (Change.CANCELLED, Clock.ACCEPT),
        (Change.PROMISED, Clock.TRIAGE),
    ]
    triage = _timer(change.case, Clock.TRIAGE)
    assert (triage.cycle, triage.due) == (2, at("2026-03-05 10:00"))
    for clock in (Clock.FIRST_RESPONSE, Clock.RESOLUTION):
        assert _timer(change.case, clock) == _timer(case, clock)
    again = cases.dispatch(change.case, RULES, at=at("2026-03-05 09:00"), department="space").case
    assert _timer(again, Clock.ACCEPT).cycle == 2


def test_returned_after_signing_the_signature_stays_met() -> None:
    case = cases.give_back(accepted(), RULES, at=at("2026-03-05 09:00")).case
    assert _timer(case, Clock.ACCEPT).status is Status.MET
    assert _timer(case, Clock.TRIAGE).status is Status.RUNNING


def test_a_public_question_answers_first_and_stops_the_resolution() -> None:
    asked = cases.ask_user(accepted(), RULES, at=at("2026-03-05 09:00"))
    assert _told(asked) == [
        (Change.MET, Clock.FIRST_RESPONSE),
        (Change.PAUSED, Clock.RESOLUTION),
    ]
    heard = cases.hear_from_user(asked.case, RULES, at=at("2026-03-06 09:00"))
    assert _timer(heard.case, Clock.RESOLUTION).due == at("2026-03-12 10:00")
    assert _timer(heard.case, Clock.NEXT_RESPONSE).due == at("2026-03-09 09:00")
    assert _timer(heard.case, Clock.FIRST_RESPONSE) == _timer(asked.case, Clock.FIRST_RESPONSE)
    answered = cases.reply(heard.case, RULES, at=at("2026-03-06 10:00")).case
    assert _timer(answered, Clock.NEXT_RESPONSE).status is Status.MET


def test_a_day_of_waiting_for_the_user_is_not_the_librarys() -> None:
    asked = cases.ask_user(accepted(), RULES, at=at("2026-03-05 09:00")).case
    heard = cases.hear_from_user(asked, RULES, at=at("2026-03-06 09:00")).case
    changes = cases.reply(heard, RULES, at=at("2026-03-06 10:00")).changes
    resolution = next(c for c in changes if c.clock is Clock.RESOLUTION)
    assert resolution.working_seconds == (6 + 0.5 + 1) * 3600


def test_an_automatic_message_is_no_first_response() -> None:
    case = accepted()
    assert cases.reply(case, RULES, at=at("2026-03-05 09:00"), human=False).changes == ()
    asked = cases.ask_user(case, RULES, at=at("2026-03-05 09:00"), human=False)
    assert _timer(asked.case, Clock.FIRST_RESPONSE).status is Status.RUNNING


def test_nobody_answered_and_the_resolution_runs_again_without_a_next_response() -> None:
    asked = cases.ask_user(accepted(), RULES, at=at("2026-03-05 09:00")).case
    change = cases.stop_waiting(asked, RULES, at=at("2026-03-12 09:00"))
    assert _told(change) == [(Change.RESUMED, Clock.RESOLUTION)]


def test_more_from_the_user_before_the_first_answer_owes_no_second_one() -> None:
    change = cases.hear_from_user(received(), RULES, at=at("2026-03-04 11:00"))
    assert change.changes == ()


def test_thanks_for_the_reply_are_owed_nothing_and_more_words_are() -> None:
    case, later = _replied("2026-03-05 09:00"), at("2026-03-05 11:00")
    assert cases.hear_from_user(case, RULES, at=later, thanks=True).changes == ()
    owed = cases.hear_from_user(case, RULES, at=later)
    assert (Change.PAUSED, Clock.FOLLOW_UP) in _told(owed)
    # To somebody who waits for an answer, thanks are one.
    asked = cases.ask_user(accepted(), RULES, at=at("2026-03-05 09:00")).case
    assert cases.hear_from_user(asked, RULES, at=later, thanks=True).changes


def test_what_is_said_before_the_question_arrives_is_no_answer() -> None:
    later = at("2026-03-05 11:00")
    asked = cases.ask_user(accepted(), RULES, at=at("2026-03-05 09:00")).case
    assert cases.hear_from_user(asked, RULES, at=later, unasked=True).changes == ()
    # Where nobody is waited for any more, it is a word as any other.
    assert cases.hear_from_user(_replied("2026-03-05 09:00"), RULES, at=later, unasked=True).changes


def test_a_reply_to_someone_who_was_asked_ends_the_pause() -> None:
    asked = cases.ask_user(accepted(), RULES, at=at("2026-03-05 09:00")).case
    case = cases.reply(asked, RULES, at=at("2026-04-08 09:00")).case
    resolution = _timer(case, Clock.RESOLUTION)
    assert resolution.status is Status.MET
    assert resolution.due > resolution.first_due


def test_a_reply_after_the_deadline_does_not_undo_the_breach() -> None:
    change = cases.reply(accepted(), RULES, at=at("2026-03-11 10:01"))
    assert Clock.RESOLUTION in {reached.mark.clock for reached in change.reached}
    (met,) = [c for c in change.changes if c.clock is Clock.RESOLUTION]
    assert (met.change, met.in_time) == (Change.MET, False)
    resolution = _timer(change.case, Clock.RESOLUTION)
    assert resolution.status is Status.BREACHED
    assert resolution.breached_at == at("2026-03-11 10:00")
    assert not resolution.is_open
    assert cases.tick(change.case, RULES, now=at("2026-03-11 11:00")).changes == ()


def test_a_reply_at_the_deadline_itself_is_in_time() -> None:
    assert _timer(_replied("2026-03-11 10:00"), Clock.RESOLUTION).status is Status.MET


def test_withdrawn_after_the_deadline_was_still_a_breach() -> None:
    case = cases.end(accepted(), RULES, at=at("2026-03-12 10:00")).case
    assert _timer(case, Clock.RESOLUTION).status is Status.BREACHED
    assert not any(t.is_open for t in case.timers)


def test_withdrawn_in_time_everything_is_cancelled() -> None:
    change = cases.end(received(), RULES, at=at("2026-03-04 11:00"))
    assert {c.change for c in change.changes} == {Change.CANCELLED}
    assert not any(t.is_open for t in change.case.timers)


def test_reopened_has_half_the_time_and_the_first_figures_stay() -> None:
    replied = _replied()
    change = cases.reopen(replied, RULES, at=at("2026-03-09 10:00"))
    again = _timer(change.case, Clock.RESOLUTION)
    # 18.75 h: 6 on Monday, 7.5 on Tuesday, 5.25 on Wednesday
    assert (again.cycle, again.due) == (2, at("2026-03-11 15:15"))
    assert again.first_due == at("2026-03-11 10:00")
    first = [t for t in change.case.timers if t.clock is Clock.RESOLUTION and t.cycle == 1]
    assert first == [replied.current(Clock.RESOLUTION)]
    assert _timer(change.case, Clock.TRIAGE).cycle == 2
    assert _timer(change.case, Clock.FOLLOW_UP).status is Status.CANCELLED


def test_a_reopened_case_that_becomes_urgent_keeps_to_half() -> None:
    case = cases.reopen(_replied(), RULES, at=at("2026-03-09 10:00")).case
    case = cases.dispatch(
        case, RULES, at=at("2026-03-09 11:00"), department="it", priority=Priority.P2
    ).case
    assert _timer(case, Clock.RESOLUTION).due == at("2026-03-10 10:00")


def test_levels_are_marked_anew_in_a_new_cycle() -> None:
    case = cases.tick(accepted(), RULES, now=at("2026-03-12 10:00")).case
    case = cases.reopen(
        cases.reply(case, RULES, at=at("2026-03-12 11:00")).case,
        RULES,
        at=at("2026-03-13 10:00"),
    ).case
    change = cases.tick(case, RULES, now=at("2026-04-30 10:00"))
    breaches = {
        (reached.mark.clock, reached.mark.cycle)
        for reached in change.reached
        if reached.mark.kind is MarkKind.BREACHED
    }
    assert (Clock.RESOLUTION, 2) in breaches
    assert (Clock.RESOLUTION, 1) not in breaches


def test_a_tick_emits_in_the_order_things_came_due() -> None:
    change = cases.tick(received(), RULES, now=at("2026-04-30 10:00"))
    moments = [reached.mark.at for reached in change.reached]
    assert moments == sorted(moments)
    assert len(moments) == 9  # three clocks, three levels
    assert cases.next_check(change.case) is None


def test_a_case_is_looked_at_when_its_first_level_comes_due() -> None:
    assert cases.next_check(received()) == at("2026-03-04 14:30")  # 75 % of 4 h of triage


def test_an_extension_moves_the_promise_and_says_why() -> None:
    change = cases.extend(
        accepted(),
        RULES,
        at=at("2026-03-10 10:00"),
        until=at("2026-03-13 17:30"),
        reason="等供应商更换部件",
    )
    assert change.changes[-1].reason == "等供应商更换部件"
    resolution = _timer(change.case, Clock.RESOLUTION)
    assert resolution.due == at("2026-03-13 17:30")
    assert resolution.first_due == at("2026-03-11 10:00")
    assert resolution.extended


def test_an_extension_after_the_deadline_does_not_undo_the_breach() -> None:
    change = cases.extend(
        accepted(), RULES, at=at("2026-03-12 10:00"), until=at("2026-03-20 17:30"), reason="-"
    )
    resolution = _timer(change.case, Clock.RESOLUTION)
    assert resolution.status is Status.BREACHED
    assert (
        _timer(
            cases.reply(change.case, RULES, at=at("2026-03-13 10:00")).case, Clock.RESOLUTION
        ).status
        is Status.BREACHED
    )


def test_a_date_that_moves_says_whether_the_urgency_or_the_kind_is_another() -> None:
    case = cases.dispatch(received(), RULES, at=WEDNESDAY, department="it").case

    def reasons(**more: Any) -> set[str | None]:
        asked = {"priority": Priority.P4, "type": case.type, "category": case.category} | more
        return {c.reason for c in cases.correct(case, RULES, at=WEDNESDAY, **asked).changes}

    assert reasons() == {"priority"}
    assert reasons(category="seats") == {"category"}


def test_a_lower_priority_after_the_deadline_does_not_hide_the_breach() -> None:
    change = cases.route(
        accepted(),
        RULES,
        at=at("2026-03-12 10:00"),
        priority=Priority.P4,
        type=CaseType.SUGGESTION,
    )
    resolution = _timer(change.case, Clock.RESOLUTION)
    assert resolution.due == at("2026-03-18 10:00")
    assert resolution.breached_at == at("2026-03-11 10:00")


def test_review_has_its_own_clock() -> None:
    case = cases.send_to_review(accepted(), RULES, at=at("2026-03-05 10:00")).case
    assert _timer(case, Clock.REVIEW).due == at("2026-03-06 10:00")
    back = cases.finish_review(case, RULES, at=at("2026-03-05 15:00")).case
    assert _timer(back, Clock.REVIEW).status is Status.MET
    again = cases.send_to_review(back, RULES, at=at("2026-03-05 16:00")).case
    published = cases.reply(again, RULES, at=at("2026-03-05 17:00")).case
    assert _timer(published, Clock.REVIEW).status is Status.MET
    assert _timer(published, Clock.REVIEW).cycle == 2


@pytest.mark.parametrize("upheld", [True, False])
def test_an_appeal_is_decided_either_way(upheld: bool) -> None:
    case = cases.appeal(_replied(), RULES, at=at("2026-03-09 10:00")).case
    assert _timer(case, Clock.APPEAL).due == at("2026-03-16 10:00")
    decide = cases.reopen if upheld else cases.close
    case = decide(case, RULES, at=at("2026-03-10 10:00")).case
    assert _timer(case, Clock.APPEAL).status is Status.MET
    assert any(t.is_open for t in case.timers) is upheld


def test_a_follow_up_that_ran_out_is_emitted_and_leaves_nothing_running() -> None:
    change = cases.tick(_replied(), RULES, now=at("2026-03-11 10:00"))
    assert _told(change) == [(Change.MET, Clock.FOLLOW_UP)]
    assert (change.reached, change.changes[0].at) == ((), at("2026-03-11 10:00"))
    assert not any(t.is_open for t in change.case.timers)


def test_a_new_calendar_moves_open_deadlines_and_keeps_what_has_passed() -> None:
    definition = seeds.load_calendar().model_dump(mode="json") | {"days": {"2026-03-10": []}}
    rules = Rules(POLICY, Calendars(CalendarDefinition.model_validate(definition)))
    change = cases.recompute(accepted(), rules, at=at("2026-03-05 12:00"))
    resolution = _timer(change.case, Clock.RESOLUTION)
    assert resolution.due == at("2026-03-12 10:00")
    assert resolution.first_due == at("2026-03-11 10:00")
    assert change.reached == ()  # whether it was broken is found where the log is read
    assert _timer(change.case, Clock.FIRST_RESPONSE) == _timer(accepted(), Clock.FIRST_RESPONSE)
    assert [c.clock for c in change.changes if c.change is Change.MOVED] == [Clock.RESOLUTION]


def test_a_new_calendar_moves_what_was_broken_and_hides_no_breach() -> None:
    definition = seeds.load_calendar().model_dump(mode="json") | {"days": {"2026-03-10": []}}
    rules = Rules(POLICY, Calendars(CalendarDefinition.model_validate(definition)))
    broken = cases.tick(accepted(), RULES, now=at("2026-03-11 10:00")).case
    resolution = _timer(
        cases.recompute(broken, rules, at=at("2026-03-11 11:00")).case, Clock.RESOLUTION
    )
    assert (resolution.status, resolution.due) == (Status.BREACHED, at("2026-03-12 10:00"))


def test_a_department_with_hours_of_its_own_signs_in_them() -> None:
    definition = seeds.load_calendar().model_dump(mode="json") | {
        "departments": {"events": {"week": {"thu": [["09:00", "18:00"]]}}}
    }
    rules = Rules(POLICY, Calendars(CalendarDefinition.model_validate(definition)))
    case = cases.dispatch(received(), rules, at=at("2026-03-04 11:00"), department="events").case
    assert _timer(case, Clock.ACCEPT).due == at("2026-03-05 13:00")
    assert _timer(case, Clock.RESOLUTION).due == at("2026-03-11 10:00")  # told already
    untold = cases.receive(rules, at=WEDNESDAY).case
    routed = cases.route(untold, rules, at=WEDNESDAY, department="events").case
    assert _timer(routed, Clock.FIRST_RESPONSE).first_due == at("2026-03-05 16:30")
    assert _timer(routed, Clock.TRIAGE).due == _timer(untold, Clock.TRIAGE).due


def test_the_clocks_of_a_case_survive_being_stored() -> None:
    adapter = TypeAdapter(CaseClocks)
    case = cases.ask_user(accepted(), RULES, at=at("2026-03-05 09:00")).case
    assert adapter.validate_json(adapter.dump_json(case)) == case


def test_a_date_that_somebody_named_stands_whatever_becomes_of_the_calendar() -> None:
    # A Sunday evening: no working time reaches it.
    until = at("2026-03-15 20:00")
    extended = cases.extend(
        accepted(), RULES, at=at("2026-03-05 10:00"), until=until, reason="等供应商"
    ).case
    definition = seeds.load_calendar().model_dump(mode="json")
    definition["days"]["2026-03-09"] = []
    rules = Rules(POLICY, Calendars(CalendarDefinition.model_validate(definition)))
    update = cases.recompute(extended, rules, at=at("2026-03-06 10:00"))
    assert update.case.running(Clock.RESOLUTION).due == until  # type: ignore[union-attr]
    assert not [c for c in update.changes if c.clock is Clock.RESOLUTION]
    # What stands still meanwhile moves it all the same.
    asked = cases.ask_user(update.case, rules, at=at("2026-03-10 10:00")).case
    heard = cases.hear_from_user(asked, rules, at=at("2026-03-11 10:00")).case
    assert heard.running(Clock.RESOLUTION).due == at("2026-03-16 17:30")  # type: ignore[union-attr]


def test_the_rows_of_another_department_count_from_the_next_clock_on() -> None:
    data = as_document(POLICY)
    quick = {"clocks": data["rows"]["P3"]["clocks"] | {"ACCEPT": "1h", "RESOLUTION": "1wd"}}
    data["rows"]["it"] = quick | {"when": {"department": ["it"]}}
    rules = Rules(Policy.model_validate(data), CALENDARS)
    known = cases.announce(cases.receive(rules, at=WEDNESDAY).case)
    sent = cases.dispatch(known, rules, at=at("2026-03-04 11:00"), department="it").case
    assert sent.running(Clock.ACCEPT).due == at("2026-03-04 12:00")  # type: ignore[union-attr]
    assert sent.running(Clock.RESOLUTION).due == at("2026-03-11 10:00")  # type: ignore[union-attr]
    # Before anybody knew a date it is the first promise.
    new = cases.receive(rules, at=WEDNESDAY).case
    routed = cases.route(new, rules, at=WEDNESDAY, department="it").case
    assert routed.running(Clock.RESOLUTION).due == at("2026-03-05 10:00")  # type: ignore[union-attr]


def test_who_works_on_it_is_warned_apart_from_who_is_told_above() -> None:
    data = as_document(POLICY)
    data["rows"]["P3"] |= {"warn": [50, 90]}
    rules = Rules(Policy.model_validate(data), CALENDARS)
    case = cases.receive(rules, at=WEDNESDAY).case
    reached = cases.tick(case, rules, now=at("2026-03-11 10:00")).reached
    assert [(r.mark.level, r.mark.kind) for r in reached if r.mark.clock is Clock.RESOLUTION] == [
        (50, MarkKind.WARNED),
        (75, MarkKind.ESCALATED),
        (90, MarkKind.WARNED),
        (100, MarkKind.BREACHED),
    ]
