"""Dates as other systems write them."""

from __future__ import annotations

from datetime import datetime

import pytest

from services.sla.domain.past_dates import DateColumn, UnreadableDate, When, read_date
from shared.moments import LOCAL


def _at(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=LOCAL)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-03-05T08:30:00+08:00", "2024-03-05T08:30"),
        ("2024-03-05T00:30:00Z", "2024-03-05T08:30"),
        ("2024-03-05T00:30:00.000", "2024-03-05T00:30"),
        ("2024-03-05 08:30:15", "2024-03-05T08:30:15"),
        ("2024/3/5 8:30", "2024-03-05T08:30"),
        ("2024.3.5 8:30", "2024-03-05T08:30"),
        ("2024年3月5日 8:30", "2024-03-05T08:30"),
        ("2024年3月5日8时30分", "2024-03-05T08:30"),
        ("2024年3月5日 星期二 下午3点", "2024-03-05T15:00"),
        ("２０２４－０３－０５　０８：３０", "2024-03-05T08:30"),
        ("2024/3/5 下午 8:30", "2024-03-05T20:30"),
        ("2024-03-05 24:00", "2024-03-06T00:00"),
        ("3/5/2024 8:30 PM", "2024-03-05T20:30"),
        ("03/05/2024 12:05:00 AM", "2024-03-05T00:05"),
        ("20240305083000", "2024-03-05T08:30"),
        ("5 Mar 2024 08:30", "2024-03-05T08:30"),
        ("Mar 5, 2024 8:30 AM", "2024-03-05T08:30"),
        ("Tue, 05 Mar 2024 08:30:00 +0000", "2024-03-05T16:30"),
        ("Tue Mar 05 08:30:00 CST 2024", "2024-03-05T08:30"),
        ("2024-03-05 08:30 EST", "2024-03-05T21:30"),
        ("2024-03-05 08:30:00 GMT+0800 (China Standard Time)", "2024-03-05T08:30"),
        ("1709600000", "2024-03-05T08:53:20"),
        ("1709600000000", "2024-03-05T08:53:20"),
        (45356.354166666664, "2024-03-05T08:30"),
        ("45356.354166666664", "2024-03-05T08:30"),
        (datetime.fromisoformat("2024-03-05T08:30"), "2024-03-05T08:30"),
    ],
)
def test_a_moment(written: object, meant: str) -> None:
    assert read_date(written) == When(_at(meant))


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-05",
        "2024/3/5",
        "2024年3月5日",
        "2024年3月5号（周二）",
        "20240305",
        20240305.0,
        "3/5/24",
        "5-Mar-24",
        "March 5th, 2024",
        45356,
        "45356",
        "'2024-03-05",
        datetime.fromisoformat("2024-03-05").date(),
    ],
)
def test_a_day(written: object) -> None:
    assert read_date(written) == When(_at("2024-03-05"), day=True)


@pytest.mark.parametrize(
    "written", ["", " ", "NULL", "N/A", "—", "无", None, "0000-00-00", 0, "\\N"]
)
def test_nothing(written: object) -> None:
    assert read_date(written) is None


@pytest.mark.parametrize(
    "written",
    ["soon", "2024-13-05", "2024-02-30", "8:30", "31/12", "1066-10-14", "99999", 3.5, "5", "2024"],
)
def test_what_is_no_date(written: object) -> None:
    with pytest.raises(UnreadableDate):
        read_date(written)


@pytest.mark.parametrize(
    ("values", "month_first"),
    [
        (["3/5/2024", "3/25/2024"], True),
        (["3/5/2024", "25/3/2024"], False),
        (["3/5/2024"], None),
        (["2024-03-05"], None),
    ],
)
def test_a_column_tells_whether_the_month_comes_first(
    values: list[str], month_first: bool | None
) -> None:
    column = DateColumn()
    for value in values:
        column.look(value)
    assert column.certain is month_first


def test_a_column_of_midnights_is_one_of_days() -> None:
    days, moments = DateColumn(), DateColumn()
    for value in ("2024-03-05 00:00:00", "03/06/2024 12:00:00 AM"):
        days.look(value)
        moments.look(value)
    moments.look("2024-03-07 08:30:00")
    assert days.read("2024-03-05 00:00:00") == When(_at("2024-03-05"), day=True)
    assert moments.read("2024-03-05 00:00:00") == When(_at("2024-03-05"))
    # A cell that a workbook shows as a day is one, also beside moments.
    assert moments.read(datetime.fromisoformat("2024-03-05")) == When(_at("2024-03-05"), day=True)


def test_two_days_are_compared_as_days() -> None:
    day = When(_at("2024-03-05"), day=True)
    assert not When(_at("2024-03-05T23:59")).after(day)
    assert When(_at("2024-03-06")).after(day)
    assert not day.after(When(_at("2024-03-05T08:00")))
