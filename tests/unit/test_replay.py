"""What is emitted, and what is in the log already, while a restored database is read forward."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.contracts import EVENTS, PRIVATE
from shared.contracts.desk import CaseOpened, CaseResumed, PrivateErasedByDesk
from shared.messaging.envelope import Record
from shared.messaging.replay import Replay

AT = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
OPENED = CaseOpened(feedback_id="f1", at=AT)


def record(offset: int, ce_id: str, source: str = "intake", cause: str | None = None) -> Record:
    headers = {"ce_id": ce_id, "ce_source": source, "ce_subject": "f1", "ce_sequence": "1"}
    headers |= {"ce_type": "case.opened.v1"} | ({"ce_causationid": cause} if cause else {})
    return Record(EVENTS, 0, offset, b"f1", headers, b"{}")


def replay(*own: Record) -> Replay:
    made = Replay("desk")
    for one in own:
        made.note(one)
    return made


def test_what_the_log_has_is_found_by_its_cause_and_only_once() -> None:
    known = replay(record(5, "own", "desk", cause="c"))
    assert known.find(OPENED, record(3, "c")) == "own"
    assert known.echoed.keys() == {"own"}
    assert known.find(OPENED, record(3, "c")) == ""


def test_what_is_made_again_reads_as_it_stands_in_the_log() -> None:
    """It was decided some time after its cause, whose time the clock of a replay shows."""
    emitted = OPENED.model_copy(update={"at": AT + timedelta(milliseconds=50)})
    kept = record(5, "own", "desk", cause="c")
    known = replay(
        replace(kept, body=emitted.model_dump_json().encode()), record(6, "x", "desk", "d")
    )
    assert known.find(OPENED, record(3, "c")) == "own"
    assert known.as_emitted(OPENED, "own") == emitted
    assert known.as_emitted(OPENED, "another") == OPENED
    assert known.find(OPENED, record(4, "d")) == "x"
    assert known.as_emitted(OPENED, "x") == OPENED, "what cannot be read"


def test_what_the_log_has_not_although_it_has_later_ones_never_came_to_be() -> None:
    known = replay(record(5, "own", "desk"))
    resumed = CaseResumed(feedback_id="f1", at=AT, reason="supplied")
    assert known.find(resumed, record(3, "c")) == ""


def test_behind_its_last_event_a_service_emits() -> None:
    known = replay(record(5, "own", "desk"))
    assert known.find(OPENED, record(6, "c")) is None
    assert replay().find(OPENED, record(0, "c")) is None


def test_what_an_event_of_its_own_brings_about_again_is_not_emitted() -> None:
    assert replay().find(OPENED, record(6, "own", "desk")) == ""


def test_states_of_which_the_newest_wins_are_emitted_again() -> None:
    erased = PrivateErasedByDesk(feedback_id="f1", at=AT)
    assert erased.topic == PRIVATE
    assert replay(record(9, "own", "desk")).find(erased, record(3, "c")) is None


def test_what_is_missing_can_turn_up() -> None:
    known = replay()
    known.miss("dates", "f1")
    known.miss("dates", "f2")
    known.found("dates", "f1")
    assert known.missing == {"dates": {"f2"}}
