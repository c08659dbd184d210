"""The calendar as people change it, and the notice that comes once a year."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from services.sla.domain import editing
from services.sla.domain.calendar_edits import Action, CalendarEdit, apply_edit
from services.sla.domain.calendars import CalendarDefinition, Vacation, Year, changed_to
from services.sla.domain.hours import hours_text, read_hours
from services.sla.domain.notice_text import days_in
from services.sla.domain.notices import with_notice
from services.sla.domain.policy_form import differences, read_duration
from services.sla.domain.year_view import day_view, differing_days, year_view
from services.sla.seeds import load_calendar, load_policy
from shared.contracts.refusal import Unacceptable

SHIPPED = load_calendar()


def _notice_of(year: Year) -> dict[str, Any]:
    """As it is passed around: a day an entry, make-up days under the name of their holiday."""
    days = []
    for holiday in year.holidays:
        for n in range((holiday.last - holiday.first).days + 1):
            day = holiday.first + timedelta(days=n)
            days.append({"name": holiday.name, "date": day.isoformat(), "isOffDay": True})
    for made_up in year.make_up:
        # Mid-Autumn is nearer, but what is made up is a day of the week after.
        away = date(2026, 10, 1) if made_up.day == date(2026, 9, 20) else made_up.day
        nearest = min(year.holidays, key=lambda h: abs((h.first - away).days))
        days.append({"name": nearest.name, "date": made_up.day.isoformat(), "isOffDay": False})
    return {"year": 2026, "papers": ["https://www.gov.cn/"], "days": days}


@pytest.mark.parametrize("day", [date(2029, 6, 13), date(2020, 6, 10), date(2097, 3, 5)])
def test_a_day_far_from_now_differs_where_it_is_changed(day: date) -> None:
    closed = apply_edit(SHIPPED, CalendarEdit(action=Action.CLOSED, first=day), SHIPPED)
    named = CalendarEdit(action=Action.HOLIDAY, first=day, name="馆庆")
    holiday = apply_edit(SHIPPED, named, SHIPPED)
    for changed in (closed, holiday):
        ((before, after),) = differing_days(SHIPPED, changed, "", first=date(2026, 1, 1))
        assert (before.day, bool(before.open), after.open) == (day, True, ())
        back = [
            after.day for _, after in differing_days(changed, SHIPPED, "", first=date(2026, 1, 1))
        ]
        assert back == [day]


def test_what_stands_beyond_the_calendar_can_be_taken_back() -> None:
    beyond = date(9999, 12, 31)
    old = changed_to(SHIPPED, 1, days={beyond: ()})
    back = CalendarEdit(action=Action.ORDINARY, first=beyond)
    assert apply_edit(old, back, SHIPPED).days == {}


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_notice_says_what_is_shipped(year: int) -> None:
    blank = changed_to(SHIPPED, 1, years={y: v for y, v in SHIPPED.years.items() if y != year})
    read = with_notice(blank, _notice_of(SHIPPED.years[year]))
    assert read.years[year] == SHIPPED.years[year]
    assert read.hours_on(date(year, 10, 1)) == ()


def test_the_notice_is_read_as_it_was_published() -> None:
    text = """国务院办公厅关于2026年部分节假日安排的通知
    经国务院批准，现将2026年元旦、春节等放假调休日期的具体安排通知如下。
    一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
    二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
    三、清明节：4月4日（周六）至6日（周一）放假，共3天。
    四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
    五、端午节：6月19日（周五）至21日（周日）放假，共3天。
    六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
    七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。
    节假日期间，各地区、各部门要妥善安排好值班和安全、保卫等工作。"""
    blank = changed_to(SHIPPED, 1, years={})
    notice = CalendarEdit(action=Action.NOTICE, notice=text)
    assert apply_edit(blank, notice, SHIPPED).years[2026] == SHIPPED.years[2026]
    across = "2027年放假安排\n一、元旦：2026年12月31日至2027年1月2日放假。\n"
    assert [d["date"] for d in days_in(across)["days"]] == [
        "2026-12-31",
        "2027-01-01",
        "2027-01-02",
    ]
    assert days_in("没有日子的话") is None


NOTICE = """关于2027年放假安排的通知
各部门：
根据国务院办公厅2026年11月4日通知，现将放假安排通知如下。
一、元旦：1月1日（周五）至3日（周日）放假，共3天。
二、春节：2月5日（农历除夕、周五）至11日（周四）放假调休，共7天。1月31日（周日）、2月14日（周日）上班。鼓励安排职工在除夕（2月5日、周五）休息。
三、清明节：4月3日（周六）至5日（周一）放假，共3天。
办公室
2026年11月5日
"""


def test_one_sentence_may_say_what_is_off_and_what_is_worked() -> None:
    text = (
        "2027年\n元旦：1月1日至3日放假调休，1月4日（周一）调休上班。\n劳动节：放假时间为5月1日到2日"
    )
    found = days_in(text)
    assert found is not None
    assert [(d["name"], d["date"][5:], d["isOffDay"]) for d in found["days"]] == [
        ("元旦", "01-01", True),
        ("元旦", "01-02", True),
        ("元旦", "01-03", True),
        ("元旦", "01-04", False),
        ("劳动节", "05-01", True),
        ("劳动节", "05-02", True),
    ]


def _refusal(text: str, locale: str) -> str:
    with pytest.raises(Unacceptable) as refused:
        apply_edit(SHIPPED, CalendarEdit(action=Action.NOTICE, notice=text), SHIPPED)
    return refused.value.detail(locale)


def test_a_letter_head_and_a_date_below_are_no_days_of_a_notice() -> None:
    found = days_in(NOTICE)
    assert found is not None
    assert len(found["days"]) == 3 + 7 + 2 + 3
    assert sum(not day["isOffDay"] for day in found["days"]) == 2


@pytest.mark.parametrize(
    ("right", "wrong", "zh", "en"),
    [
        ("清明节：", "清明节 ", "看不出是哪个节日", "which holiday"),
        ("4月3日（周六）", "4月3日（周五）", "2027-04-03 是周六", "2027-04-03 is a Saturday"),
        ("11日（周四）", "12日（周四）", "2027-02-12 是周五", "2027-02-12 is a Friday"),
        ("共7天", "共8天", "这些日子是 7 天", "these are 7"),
        ("2月5日（农历除夕、周五）至", "2月30日至", "没有“2月30日至11日（周四）”", "there is no"),
        ("（周日）上班", "（周日）照常", "看不出是放假还是上班", "off or worked?"),
        ("1月1日（周五）", "1月5日（周二）", "不是一段假期", "no days of one holiday"),
    ],
)
def test_a_line_that_is_not_understood_is_named_and_not_dropped(
    right: str, wrong: str, zh: str, en: str
) -> None:
    text = NOTICE.replace(right, wrong)
    assert zh in _refusal(text, "zh")
    assert en in _refusal(text, "en")


@pytest.mark.parametrize(
    ("text", "zh"),
    [
        ('{"days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true},]}', "从 1:66 起"),
        ('{"days": [{"name": "元旦", "date": "2027-02-30", "isOffDay": true}]}', "days.0.date"),
        ("哈哈", "里面没有放假的日子"),
        ("[" * 50_000, "括号套得太深"),
    ],
)
def test_what_is_no_notice_is_told_where(text: str, zh: str) -> None:
    assert zh in _refusal(text, "zh")
    assert "“" not in _refusal(text, "en")


def test_a_notice_takes_the_place_of_a_guess_and_reaches_into_the_year_before() -> None:
    days = [
        {"name": "元旦", "date": "2026-12-31", "isOffDay": True},
        {"name": "元旦", "date": "2027-01-01", "isOffDay": True},
        {"name": "元旦", "date": "2027-01-03", "isOffDay": False},
    ]
    read = with_notice(SHIPPED, {"days": days})
    assert read.years[2027].published
    assert [h.name for h in read.years[2027].holidays] == ["元旦"]
    assert read.years[2026].holidays[:-1] == SHIPPED.years[2026].holidays
    assert read.hours_on(date(2026, 12, 31)) == ()
    # A Thursday and a Friday are taken, the last of them is made up.
    assert read.years[2027].make_up[0].counts_as == "fri"
    assert read.hours_on(date(2027, 1, 3))


def test_a_holiday_in_the_middle_of_another_leaves_its_ends() -> None:
    changed = editing.add_holiday(SHIPPED, date(2026, 10, 3), date(2026, 10, 4), name="馆庆")
    names = [(h.name, h.first.day, h.last.day) for h in changed.years[2026].holidays[-3:]]
    assert names == [("国庆节", 1, 2), ("馆庆", 3, 4), ("国庆节", 5, 7)]
    plain = editing.without_holiday(changed, date(2026, 10, 2), date(2026, 10, 5))
    assert [h.first.day for h in plain.years[2026].holidays[-2:]] == [1, 6]


def test_the_year_says_why_a_day_is_what_it_is() -> None:
    kinds = {view.day: view.kind.value for view in year_view(SHIPPED, 2026)}
    assert len(kinds) == 365
    assert kinds[date(2026, 10, 1)] == "holiday"
    assert kinds[date(2026, 10, 10)] == "make_up"
    assert kinds[date(2026, 3, 7)] == "closed"
    week = {"mon": read_hours("9:00-12:00")}
    exams = Vacation(
        name="考试", first=date(2026, 6, 22), last=date(2026, 7, 3), week=week, kind="exam"
    )
    changed = editing.put_period(SHIPPED, exams)
    assert day_view(changed, date(2026, 6, 22)).kind.value == "exam"
    differing = [
        after.day for _, after in differing_days(SHIPPED, changed, "", first=date(2026, 1, 1))
    ]
    assert (differing[0], differing[-1]) == (date(2026, 6, 22), date(2026, 7, 3))
    assert editing.drop_period(changed, "考试", date(2026, 6, 22)).vacations == ()


def test_what_code_of_before_could_not_read_is_not_written_without_need() -> None:
    summer = Vacation(name="暑假", first=date(2026, 7, 10), last=date(2026, 8, 30), week={})
    changed = editing.put_period(SHIPPED, summer)
    assert "kind" not in changed.model_dump(mode="json", exclude_none=True)["vacations"][0]


def test_only_what_is_newly_announced_is_offered() -> None:
    newer = SHIPPED.years | {2027: SHIPPED.years[2027].model_copy(update={"published": True})}
    shipped = changed_to(SHIPPED, 1, years=newer)
    assert editing.newer_years(SHIPPED, shipped) == [2027]
    assert editing.newer_years(editing.publish(SHIPPED, 2027), shipped) == []
    assert editing.adopt_years(SHIPPED, shipped).years[2027].published


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("08:30-12:00, 13:30-17:30", "08:30-12:00, 13:30-17:30"),
        ("8:30–12:00；13：30 至 17：30", "08:30-12:00, 13:30-17:30"),
        ("9:00-24:00", "09:00-24:00"),
        ("休", ""),
        ("", ""),
    ],
)
def test_hours_are_read_as_people_type_them(typed: str, read: str) -> None:
    assert hours_text(read_hours(typed)) == read


@pytest.mark.parametrize(
    "typed", ["morning", "12-8", "25:00-26:00", "9:00-8:00", "8:00-9:00, 8:30-10:00"]
)
def test_what_are_no_hours(typed: str) -> None:
    with pytest.raises(Unacceptable):
        read_hours(typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("5 个工作日", "5wd"),
        ("2天", "2wd"),
        ("1 working day", "1wd"),
        ("4 小时", "4h"),
        ("4h", "4h"),
        ("24 小时（不分昼夜）", "24h 24x7"),
        ("30 min (day and night)", "30min 24x7"),
        ("15分钟", "15min"),
        ("2.5 wd", "2.5wd"),
        ("", None),
        ("–", None),
    ],
)
def test_lengths_of_time_are_read_as_people_type_them(typed: str, code: str | None) -> None:
    assert read_duration(typed, field="x") == code


@pytest.mark.parametrize("typed", ["soon", "0h", "5 个工作日（不分昼夜）", "h"])
def test_what_is_no_length_of_time(typed: str) -> None:
    with pytest.raises(Unacceptable):
        read_duration(typed, field="x")


def test_two_versions_differ_cell_by_cell() -> None:
    before = load_policy()
    body = before.model_dump(mode="json")
    body["rows"]["P3"]["clocks"]["RESOLUTION"] = "3wd"
    del body["rows"]["praise"]
    body["defaults"]["APPEAL"] = "4wd"
    after = type(before).model_validate(body)
    found = differences(before, after)
    assert found["P3"] == {"RESOLUTION": ("5wd", "3wd")}
    assert found["praise"]["FIRST_RESPONSE"] == ("2wd", None)
    assert found[""] == {"APPEAL": ("5wd", "4wd")}
    assert differences(before, before) == {}


def test_a_changed_calendar_forgets_what_was_worked_out_of_the_old() -> None:
    assert SHIPPED.hours_on(date(2026, 10, 10))
    without = changed_to(SHIPPED, 2, years=SHIPPED.years | {2026: Year(published=True)})
    assert isinstance(without, CalendarDefinition)
    assert without.hours_on(date(2026, 10, 10)) == ()
