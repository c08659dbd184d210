from datetime import UTC, date, datetime, time, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.sla import seeds
from services.sla.domain.calendars import ROUND_THE_CLOCK, CalendarDefinition, Calendars, Week
from services.sla.domain.working_time import OutsideCalendar
from tests.unit.sla.support import CALENDARS, LIBRARY_HOURS, LOCAL, at, wd

ONE_DAY = wd(1)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-03-04 10:00", 1, "2026-03-05 10:00"),  # Wednesday → Thursday
        ("2026-03-06 16:00", 1, "2026-03-09 16:00"),  # Friday → Monday
        ("2026-03-04 08:30", 1, "2026-03-04 17:30"),  # the whole day: its end
        ("2026-03-04 12:30", 1, "2026-03-05 12:00"),  # at lunch: from 13:30, 4 h + 3.5 h
        ("2026-03-04 12:00", 1, "2026-03-05 12:00"),
        ("2026-03-04 17:30", 1, "2026-03-05 17:30"),  # closing time: tomorrow's whole day
        ("2026-03-04 22:15", 1, "2026-03-05 17:30"),
        ("2026-03-08 11:00", 1, "2026-03-09 17:30"),  # Sunday
        ("2026-02-13 10:00", 1, "2026-02-14 10:00"),  # make-up Saturday before the festival
        ("2026-02-14 10:00", 1, "2026-02-24 10:00"),  # across Spring Festival, to a Tuesday
        ("2026-02-18 09:00", 1, "2026-02-24 17:30"),  # received in the holidays
        ("2026-02-27 15:00", 1, "2026-02-28 15:00"),  # the make-up Saturday after it
        ("2026-02-11 10:00", 5, "2026-02-25 10:00"),  # Thu, Fri, Sat, (holiday), Tue, Wed
        ("2026-09-18 10:00", 1, "2026-09-20 10:00"),  # Friday → make-up Sunday
        ("2026-09-24 16:00", 5, "2026-10-09 16:00"),  # Mid-Autumn and National Day both
        ("2025-12-31 10:00", 1, "2026-01-04 10:00"),  # a Wednesday → make-up Sunday
        ("2026-12-31 10:00", 1, "2027-01-04 10:00"),  # 1 January is a Friday, then a weekend
        ("2026-04-03 10:00", 1, "2026-04-07 10:00"),  # Qingming
        ("2026-04-30 10:00", 3, "2026-05-08 10:00"),
        ("2026-04-30 10:00", 4, "2026-05-09 10:00"),
        ("2026-06-18 10:00", 1, "2026-06-22 10:00"),
    ],
)
def test_working_days_end_on_the_date_a_person_would_count(start: str, days: int, due: str) -> None:
    assert LIBRARY_HOURS.add_working(at(start), wd(days)) == at(due)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-03-04 10:00", 2, "2026-03-04 12:00"),  # uses up the morning: noon, not 13:30
        ("2026-03-04 10:00", 4, "2026-03-04 15:30"),
        ("2026-03-04 13:30", 4, "2026-03-04 17:30"),  # uses up the afternoon
        ("2026-03-04 11:59", 2, "2026-03-04 15:29"),
        ("2026-03-04 17:00", 2, "2026-03-05 10:00"),
        ("2026-03-06 17:29", 4, "2026-03-09 13:59"),
        ("2026-03-04 07:00", 3.5, "2026-03-04 12:00"),
    ],
)
def test_hours_end_at_the_window_they_use_up(start: str, hours: float, due: str) -> None:
    assert LIBRARY_HOURS.add_working(at(start), timedelta(hours=hours)) == at(due)


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-03-04 08:30", "2026-03-04 08:30"),
        ("2026-03-04 12:00", "2026-03-04 13:30"),
        ("2026-03-04 12:30", "2026-03-04 13:30"),
        ("2026-03-06 17:30", "2026-03-09 08:30"),
        ("2026-02-14 17:30", "2026-02-24 08:30"),
        ("2026-01-03 09:00", "2026-01-04 08:30"),
    ],
)
def test_what_comes_outside_hours_waits_for_the_next_opening(moment: str, opening: str) -> None:
    assert LIBRARY_HOURS.next_opening(at(moment)) == at(opening)
    assert LIBRARY_HOURS.is_open(at(moment)) is (moment == opening)


def test_lunch_and_nights_do_not_count_between_two_moments() -> None:
    between = LIBRARY_HOURS.working_between
    assert between(at("2026-03-04 11:30"), at("2026-03-04 14:00")) == timedelta(hours=1)
    assert between(at("2026-03-04 17:00"), at("2026-03-05 09:00")) == timedelta(hours=1)
    assert between(at("2026-02-14 17:30"), at("2026-02-24 08:30")) == timedelta(0)
    assert between(at("2026-03-05 09:00"), at("2026-03-04 17:00")) == -timedelta(hours=1)


def test_nothing_to_add_leaves_a_window_end_where_it_is() -> None:
    zero = timedelta(0)
    assert LIBRARY_HOURS.add_working(at("2026-03-04 12:00"), zero) == at("2026-03-04 12:00")
    assert LIBRARY_HOURS.add_working(at("2026-03-04 12:01"), zero) == at("2026-03-04 13:30")


def test_round_the_clock_counts_nights_and_holidays() -> None:
    always = CALENDARS.named(ROUND_THE_CLOCK)
    start = at("2026-02-17 23:50")
    assert always.add_working(start, timedelta(minutes=15)) == at("2026-02-18 00:05")
    assert always.is_open(start)
    assert always.next_opening(start) == start
    assert always.working_between(start, at("2026-02-18 00:05")) == timedelta(minutes=15)


def test_results_are_in_utc() -> None:
    assert LIBRARY_HOURS.add_working(at("2026-03-04 10:00"), ONE_DAY).tzinfo is UTC


def test_the_table_grows_both_ways() -> None:
    assert LIBRARY_HOURS.add_working(at("2040-06-06 10:00"), ONE_DAY) == at("2040-06-07 10:00")
    assert LIBRARY_HOURS.add_working(at("2001-06-06 10:00"), ONE_DAY) == at("2001-06-07 10:00")
    assert LIBRARY_HOURS.subtract_working(at("2001-06-07 10:00"), ONE_DAY) == at("2001-06-06 10:00")
    with pytest.raises(OutsideCalendar):
        LIBRARY_HOURS.add_working(at("2500-01-01 10:00"), ONE_DAY)


# --- the shipped data ------------------------------------------------------------------------


def _off(day: date) -> bool:
    return CALENDARS.definition.hours_on(day) == ()


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_shipped_years_agree_with_an_independent_list(year: int) -> None:
    known = holidays.country_holidays("CN", years=year)
    day = date(year, 1, 1)
    while day.year == year:
        assert _off(day) is not known.is_working_day(day), day
        day += timedelta(days=1)


def test_the_shipped_2027_has_the_statutory_days_and_is_provisional() -> None:
    definition = seeds.load_calendar()
    known = holidays.country_holidays("CN", years=2027)
    listed = {
        h.first + timedelta(days=n)
        for h in definition.years[2027].holidays
        for n in range((h.last - h.first).days + 1)
    }
    assert listed == set(known)
    assert definition.years[2027].make_up == ()
    assert CALENDARS.is_provisional(at("2027-01-04 10:00"))
    assert not CALENDARS.is_provisional(at("2026-12-31 23:59"))
    assert CALENDARS.is_provisional(datetime(2026, 12, 31, 17, tzinfo=UTC))  # 2027 in Shanghai
    assert CALENDARS.is_provisional(at("2031-01-04 10:00"))


def test_working_days_of_2026_are_those_of_the_notice() -> None:
    """365 days, 104 of them on weekends; 19 weekdays off, 6 weekend days worked."""
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert sum(not _off(day) for day in days) == 365 - 104 - 19 + 6


# --- what a library may edit -----------------------------------------------------------------

MORNING = [["09:00", "11:30"]]
EDITED = CalendarDefinition.model_validate(
    seeds.load_calendar().model_dump(mode="json")
    | {
        "vacations": [
            {
                "name": "暑假",
                "first": "2026-07-13",
                "last": "2026-08-30",
                "week": {"tue": MORNING, "thu": MORNING},
            }
        ],
        "days": {"2026-03-10": []},
        "departments": {
            "security": {
                "week": {
                    d: [["00:00", "08:00"], ["16:00", "00:00"]]
                    for d in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
                },
                "works_on_holidays": True,
                "vacations": [],
            },
            "events": {
                "week": {
                    "mon": [["08:30", "12:00"]],
                    **{d: [["08:30", "12:00"], ["13:30", "17:30"]] for d in ("tue", "fri", "sun")},
                },
                "days": {"2026-03-11": [["13:30", "20:00"]]},
            },
        },
    }
)


def test_vacation_hours_replace_the_week_while_they_last() -> None:
    hours = Calendars(EDITED).named("")
    five_hours = timedelta(hours=5)
    assert hours.add_working(at("2026-07-14 09:00"), five_hours) == at("2026-07-16 11:30")
    assert hours.next_opening(at("2026-08-28 10:00")) == at("2026-08-31 08:30")


def test_a_single_day_may_be_closed_or_different() -> None:
    calendars = Calendars(EDITED)
    assert calendars.named("").next_opening(at("2026-03-10 09:00")) == at("2026-03-11 08:30")
    assert calendars.named("events").next_opening(at("2026-03-11 09:00")) == at("2026-03-11 13:30")


def test_a_department_may_keep_hours_of_its_own_past_midnight_and_in_holidays() -> None:
    night = Calendars(EDITED).named("security")
    start = at("2026-02-17 20:00")
    assert night.add_working(start, timedelta(hours=12)) == at("2026-02-18 08:00")
    assert night.is_open(at("2026-02-18 00:00"))


def test_a_make_up_day_has_the_hours_of_the_weekday_it_counts_as() -> None:
    events = Calendars(EDITED).named("events")
    # Saturday 28 February counts as a Monday, of which they only work the morning
    assert events.add_working(at("2026-02-28 08:30"), timedelta(hours=4)) == at("2026-03-01 09:00")


def test_a_department_without_hours_of_its_own_has_the_librarys() -> None:
    calendars = Calendars(EDITED)
    assert calendars.named("circulation") is calendars.named("")


@pytest.mark.parametrize(
    "wrong",
    [
        {"week": {}},
        {"week": {"mon": []}},
        {"week": {"mon": [["13:30", "12:00"]]}},
        {"week": {"mon": [["08:30", "12:00"], ["11:00", "17:30"]]}},
        {"week": {"mon": [["08:30", "00:00"], ["13:30", "17:30"]]}},
        {"years": {"2026": {"published": True, "holiday": []}}},
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        CalendarDefinition.model_validate(seeds.load_calendar().model_dump(mode="json") | wrong)


# --- laws ------------------------------------------------------------------------------------

moments = st.datetimes(
    min_value=datetime(2025, 6, 1),  # noqa: DTZ001 (hypothesis adds the zone)
    max_value=datetime(2027, 6, 1),  # noqa: DTZ001
    timezones=st.just(LOCAL),
)
amounts = st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(hours=400))
calendars = st.sampled_from(
    [
        LIBRARY_HOURS,
        CALENDARS.named(ROUND_THE_CLOCK),
        Calendars(EDITED).named("security"),
        Calendars(EDITED).named("events"),
    ]
)


@given(calendars, moments, amounts)
def test_what_is_added_is_what_lies_between(calendar, start, amount) -> None:
    assert calendar.working_between(start, calendar.add_working(start, amount)) == amount


@given(calendars, moments, amounts, amounts)
def test_adding_twice_is_adding_the_sum(calendar, start, a, b) -> None:
    twice = calendar.add_working(calendar.add_working(start, a), b)
    assert twice == calendar.add_working(start, a + b)


@given(calendars, moments, moments, amounts)
def test_who_comes_later_is_never_due_earlier(calendar, a, b, amount) -> None:
    first, second = sorted((a, b))
    assert calendar.add_working(first, amount) <= calendar.add_working(second, amount)


@given(moments, amounts)
def test_a_deadline_lies_in_a_window_or_at_its_end(start, amount) -> None:
    due = LIBRARY_HOURS.add_working(start, amount)
    local = due.astimezone(LOCAL)
    assert CALENDARS.definition.hours_on(local.date())
    assert LIBRARY_HOURS.is_open(due) or local.time() in (time(12), time(17, 30))


@given(calendars, moments, amounts)
def test_subtracting_leaves_exactly_that_much(calendar, end, amount) -> None:
    begin = calendar.subtract_working(end, amount)
    assert begin < end
    assert calendar.working_between(begin, end) == amount


@given(calendars, moments, moments, moments)
def test_working_time_adds_up_along_the_way(calendar, a, b, c) -> None:
    between = calendar.working_between
    assert between(a, b) + between(b, c) == between(a, c)
    assert between(a, b) == -between(b, a)


@given(moments)
def test_the_table_agrees_with_the_book_at_any_moment(moment) -> None:
    windows = CALENDARS.definition.hours_on(moment.date())
    assert LIBRARY_HOURS.is_open(moment) is any(a <= moment.time() < b for a, b in windows)


@pytest.mark.parametrize("opens", ["08:30Z", "08:30+08:00"])
def test_hours_with_a_zone_are_refused_in_a_file_as_well(opens: str) -> None:
    with pytest.raises(ValidationError, match="08:30 这样的时间"):
        TypeAdapter(Week).validate_json(f'{{"mon": [["{opens}", "12:00"]]}}')
