import pytest

from services.sla.domain.policy import (
    Policy,
    Subject,
    choose_row,
    due_times,
    parse_allowance,
    progress_due,
)
from services.sla.seeds import load_policy
from services.sla.store.rules import as_document
from shared.contracts.vocabulary import CaseType, Channel, Clock, Priority
from tests.unit.sla.support import CALENDARS, POLICY, at

WEDNESDAY = at("2026-03-04 10:00")
TABLE = {
    ("P1", "complaint"): ("03-04 10:15", "03-04 10:15", "03-04 10:30", "03-05 10:00"),
    ("P2", "complaint"): ("03-04 12:00", "03-04 12:00", "03-04 15:30", "03-06 10:00"),
    ("P3", "complaint"): ("03-04 15:30", "03-04 15:30", "03-05 10:00", "03-11 10:00"),
    ("P4", "suggestion"): ("03-05 10:00", "03-05 10:00", "03-06 10:00", "03-18 10:00"),
    ("P3", "inquiry"): ("03-04 12:00", None, "03-04 15:30", "03-05 10:00"),
    ("P4", "praise"): ("03-05 10:00", None, "03-06 10:00", None),
}


@pytest.mark.parametrize(("priority", "type"), TABLE)
def test_the_published_table_received_on_a_wednesday_at_ten(priority: str, type: str) -> None:
    due = due_times(
        POLICY, CALENDARS, priority=Priority(priority), type=CaseType(type), at=WEDNESDAY
    )
    columns = (Clock.TRIAGE, Clock.ACCEPT, Clock.FIRST_RESPONSE, Clock.RESOLUTION)
    expected = tuple(text and at(f"2026-{text}") for text in TABLE[priority, type])
    assert tuple(due.get(clock) for clock in columns) == expected


def _due(priority: Priority, **more: object) -> dict[Clock, object]:
    return due_times(POLICY, CALENDARS, priority=priority, at=WEDNESDAY, **more)  # type: ignore[arg-type]


def test_the_other_clocks_have_their_defaults() -> None:
    p1, p2, p3 = (_due(p) for p in (Priority.P1, Priority.P2, Priority.P3))
    assert p3[Clock.REVIEW] == at("2026-03-05 10:00")
    assert p1[Clock.REVIEW] == p2[Clock.REVIEW] == at("2026-03-04 12:00")
    assert p3[Clock.FOLLOW_UP] == at("2026-03-09 10:00")
    assert p3[Clock.APPEAL] == at("2026-03-11 10:00")
    assert all(d[Clock.NEXT_RESPONSE] == d[Clock.FIRST_RESPONSE] for d in (p1, p2, p3))


def test_an_emergency_at_night_in_the_holidays_does_not_wait() -> None:
    due = due_times(POLICY, CALENDARS, priority=Priority.P1, at=at("2026-02-17 23:00"))
    assert due[Clock.FIRST_RESPONSE] == at("2026-02-17 23:30")
    assert due[Clock.RESOLUTION] == at("2026-02-18 23:00")


def test_a_student_union_proposal_has_twenty_working_days() -> None:
    due = _due(Priority.P4, type=CaseType.SUGGESTION, proposal=True)
    assert due[Clock.RESOLUTION] == at("2026-04-01 10:00")


def test_what_is_urgent_stays_urgent_also_as_a_question() -> None:
    assert POLICY.row(Priority.P1, CaseType.INQUIRY) is POLICY.rows["P1"]
    assert POLICY.row(Priority.P3, CaseType.INQUIRY) is POLICY.rows["inquiry"]
    assert POLICY.row(Priority.P4, CaseType.INQUIRY) is POLICY.rows["inquiry"]
    assert POLICY.row(Priority.P3, CaseType.OTHER) is POLICY.rows["P3"]


def test_while_a_vendor_is_waited_for_the_reporter_hears_how_it_stands() -> None:
    rows = POLICY.rows
    assert progress_due(POLICY, CALENDARS, rows["P3"], last=WEDNESDAY) == at("2026-03-09 10:00")
    assert progress_due(POLICY, CALENDARS, rows["praise"], last=WEDNESDAY) is None


def test_levels_are_those_of_the_table() -> None:
    levels = {name: [e.at for e in row.escalate] for name, row in POLICY.rows.items()}
    assert levels == {
        "P1": [50, 100],
        "P2": [75, 100, 150],
        "P3": [75, 100, 200],
        "P4": [100],
        "proposal": [100],
        "inquiry": [100],
        "praise": [],
    }


def _with(**rows: dict[str, object]) -> Policy:
    data = as_document(POLICY)
    for name, more in rows.items():
        data["rows"][name] = data["rows"]["P3"] | more
    return Policy.model_validate(data)


def test_of_the_rows_that_fit_the_most_specific_counts() -> None:
    policy = _with(
        by_wechat={"when": {"channel": ["wechat"]}},
        it={"when": {"department": ["it", "eresources"]}},
        it_by_wechat={"when": {"department": ["it"], "channel": ["wechat"]}},
        urgent_it={"when": {"department": ["it"], "priority": ["P1"]}},
    )

    def row(priority: str, type: str = "complaint", **more: object) -> str:
        subject = Subject(Priority(priority), CaseType(type), **more)  # type: ignore[arg-type]
        return choose_row(policy, subject).name

    assert row("P3") == "P3"
    assert row("P3", channel=Channel.WECHAT) == "by_wechat"
    assert row("P3", "inquiry") == "inquiry"
    assert row("P3", "inquiry", channel=Channel.WECHAT) == "by_wechat"
    assert row("P3", department="it") == "it"
    assert row("P3", department="it", channel=Channel.WECHAT) == "it_by_wechat"
    assert row("P1", department="it", channel=Channel.WECHAT) == "urgent_it"
    # What is urgent has only rows that say so.
    assert row("P2", "inquiry", department="it", channel=Channel.WECHAT) == "P2"
    assert row("P4", "suggestion", channel=Channel.PROPOSAL) == "proposal"
    chosen = choose_row(policy, Subject(Priority.P3, department="it", channel=Channel.WECHAT))
    assert chosen.because == (("department", "it"), ("channel", "wechat"))


def test_the_row_of_a_priority_is_for_all_of_it() -> None:
    with pytest.raises(ValueError, match="P3"):
        _with(P3={"when": {"channel": ["wechat"]}})


def test_warnings_come_where_the_row_says_or_before_the_end() -> None:
    assert POLICY.rows["P3"].warned_at == (75,)
    assert POLICY.rows["P1"].warned_at == (50,)
    assert POLICY.rows["P4"].warned_at == (75,)
    quiet = _with(P4={"warn": [60, 90]}).rows["P4"]
    assert quiet.warned_at == (60, 90)
    assert _with(P4={"warn": []}).rows["P4"].warned_at == ()


def test_the_shipped_policy_says_nothing_that_older_code_cannot_read() -> None:
    assert {key for row in as_document(POLICY)["rows"].values() for key in row} <= {
        "clocks",
        "progress_note",
        "escalate",
    }


def test_a_policy_survives_being_stored() -> None:
    assert Policy.model_validate_json(POLICY.model_dump_json()) == load_policy()


@pytest.mark.parametrize(
    "text", ["", "2", "2 days", "0h", "-1h", "1wd 24x7", "1e9h", "²h", "2h 24x8"]
)
def test_a_duration_nobody_can_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|round the clock"):
        parse_allowance(text)


def test_a_policy_without_a_row_for_a_priority_is_refused() -> None:
    data = POLICY.model_dump(mode="json")
    del data["rows"]["P2"]
    with pytest.raises(ValueError, match="no row for P2"):
        Policy.model_validate(data)
