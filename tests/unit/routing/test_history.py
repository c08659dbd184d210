"""A library's own history in a table, as other systems write it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from services.routing.commands import spans, understood
from services.routing.domain.history import Column, Owners, columns_of, moment_of
from services.routing.domain.model import NOT_OURS
from services.routing.learning.history import look_through
from shared.messaging.directory import Directory

DEPARTMENTS = {
    "space": ("空间与设施服务部", "Space Services"),
    "it": ("信息技术部", "IT Department"),
    "acquisition": ("采访部", "Acquisitions"),
}
CATEGORIES = {"seats": ("座位与空间", "Seats", "space")}
NOW = datetime(2026, 3, 4, tzinfo=timezone(timedelta(hours=8)))
OWNERS = Owners(DEPARTMENTS, {"采编中心": "acquisition"}, CATEGORIES)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("it", "it"),
        ("信息技术部", "it"),
        ("图书馆信息技术部", "it"),
        ("信息技术中心", "it"),
        ("IT department", "it"),
        ("Space  services", "space"),
        ("采编中心", "acquisition"),
        ("非本馆", NOT_OURS),
        ("Not ours", NOT_OURS),
        ("后勤集团", None),
        ("", None),
    ],
)
def test_a_department_is_known_by_code_name_or_as_told(name: str, owner: str | None) -> None:
    assert OWNERS.owner(name) == owner


def test_a_name_that_two_departments_have_is_given_to_neither_until_its_code_is_told(
    tmp_path: Path,
) -> None:
    twice = DEPARTMENTS | {"it2": ("信息技术部", "IT Department"), "lab": ("IT", "Lab")}
    owners = Owners(twice, {}, CATEGORIES)
    for name in ("信息技术部", "图书馆信息技术部", "it  department"):
        assert owners.owner(name) is None, name
        assert owners.several(name) == ("it", "it2")
    # A code is nobody else's, whatever others are called.
    assert (owners.owner("it"), owners.owner("it2"), owners.several("IT")) == ("it", "it2", ())
    told = Owners(twice, {"信息技术部": "it"}, CATEGORIES)
    assert (told.owner("信息技术部"), told.several("信息技术部")) == ("it", ())
    file = tmp_path / "history.csv"
    file.write_text("内容,部门\n网页打不开了,信息技术部\n网页又打不开了,it2\n", encoding="utf-8")
    columns, found = look_through(file, {}, owners, now=NOW)
    assert found.owners == {"it2": 1}
    names = {column: str(column) for column in columns}
    (said,) = (line for line in understood(names, found, Directory()) if "都叫这个" in line)
    assert "'信息技术部': it、it2" in said
    assert "1 '" in said
    assert "--map NAME=CODE" in said


def test_columns_are_guessed_by_name_and_those_that_are_named_come_first() -> None:
    header = ("编号", "信件标题", "来信内容", "承办单位", "问题类别", "来信时间")
    assert columns_of(header, {}) == {
        Column.TEXT: 2,
        Column.DEPARTMENT: 3,
        Column.TITLE: 1,
        Column.CATEGORY: 4,
        Column.TIME: 5,
    }
    assert columns_of(("a", "b"), {Column.TEXT: "b", Column.DEPARTMENT: "1"}) == {
        Column.TEXT: 1,
        Column.DEPARTMENT: 0,
    }
    with pytest.raises(KeyError, match="nothing"):
        columns_of(header, {Column.TEXT: "nothing"})


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("2024-03-05 10:20", "2024-03-05T10:20:00+08:00"),
        ("2024年3月5日", "2024-03-05T00:00:00+08:00"),
        ("2024/3/5", "2024-03-05T00:00:00+08:00"),
        (datetime(2024, 3, 5, tzinfo=timezone(timedelta(hours=8))), "2024-03-05T00:00:00+08:00"),
        (45356, "2024-03-05T00:00:00+08:00"),
        (date(2024, 3, 5), "2024-03-05T00:00:00+08:00"),
        ("20250303", "2025-03-03T00:00:00+08:00"),
        (20250303, "2025-03-03T00:00:00+08:00"),
        ("20250303 10:20", "2025-03-03T10:20:00+08:00"),
        ("13/03/2025", "2025-03-13T00:00:00+08:00"),
        ("03/13/2025 9:05", "2025-03-13T09:05:00+08:00"),
        ("03/03/2025", "2025-03-03T00:00:00+08:00"),
        ("02/03/2025", None),
        ("20251303", None),
        (12, None),
        ("2024-13-45", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_moments_are_read_as_far_as_they_can_be(cell: object, written: str | None) -> None:
    found = moment_of(cell)
    assert (found and found.isoformat()) == written


def test_what_has_no_date_goes_with_the_row_above_and_long_letters_are_said(tmp_path: Path) -> None:
    file = tmp_path / "newest_first.csv"
    file.write_text(
        "内容,部门,时间\n第三封信,it,2024-03-07\n第二封信,it,某日\n"
        f"第一封信{'长' * 4000},it,2024-03-05\n",
        encoding="utf-8",
    )
    _, found = look_through(file, {}, OWNERS, now=NOW)
    assert [one.line for one in found.in_order()] == [4, 2, 3]
    assert sorted(found.doubtful.values()) == [[3], [4]]
    assert spans([2, 3, 4, 7, 9, 10]) == "2-4, 7, 9-10"


def test_a_file_is_looked_through_and_what_is_odd_or_unknown_is_named(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text(
        "标题,内容,部门,类别,时间\n"
        "占座,三楼有人占座一整天,空间与设施服务部,座位与空间,2024-03-06\n"
        ",网页打不开了,信息技术部,,2024-03-05\n"
        ",食堂太贵了,后勤集团,,2024-03-05\n"
        ",宿舍没有热水,非本馆,,2024-03-04\n"
        ",,信息技术部,,2024-03-05\n"
        ",谁来管一管,,,2024-03-05\n",
        encoding="gb18030",
    )
    columns, found = look_through(file, {}, OWNERS, now=NOW)
    assert columns[Column.TEXT] == "内容"
    assert found.owners == {"space": 1, "it": 1, NOT_OURS: 1}
    assert found.unknown == {"后勤集团": 1}
    assert found.odd == {"no such department": [4], "no text": [6], "no department": [7]}
    assert [one.owner for one in found.in_order()] == [NOT_OURS, "it", "space"]
    assert found.letters[0].category == "seats"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(KeyError):
        look_through(file, {}, OWNERS, now=NOW)


def test_dates_with_the_year_last_are_read_as_other_rows_of_the_file_say(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    rows = "内容,部门,时间\n第一封信在此,it,02/03/2025\n第二封信在此,it,{}/03/2025\n"
    file.write_text(rows.format(14), encoding="utf-8")
    _, found = look_through(file, {}, OWNERS, now=NOW)
    assert [one.at and one.at.month for one in found.letters] == [3, 3]
    assert not found.doubtful
    file.write_text(rows.format("04"), encoding="utf-8")
    _, found = look_through(file, {}, OWNERS, now=NOW)
    assert list(found.doubtful.values()) == [[2, 3]]


def test_a_date_that_is_still_to_come_is_said(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text("内容,部门,时间\n网页打不开了,it,2056-01-02\n", encoding="utf-8")
    columns, found = look_through(file, {}, OWNERS, now=NOW)
    said = list(understood(columns, found, Directory()))
    assert "taken, but odd: a date that is still to come: taken as it is: 1 rows: 2" in said


def test_what_a_file_says_twice_counts_once_and_the_later_one_is_right(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text(
        "内容,部门,时间\n网页打不开了,it,2025-03-05\n网页打不开了。,space,2025-03-09\n"
        "网页打不开了,it,2025-03-07\n座位不够坐了,space,2025-03-08\n",
        encoding="utf-8",
    )
    columns, found = look_through(file, {}, OWNERS, now=NOW)
    assert [(one.line, one.owner) for one in found.letters] == [(3, "space"), (5, "space")]
    said = list(understood(columns, found, Directory()))
    assert any("2 rows: 2, 4; each counts once" in line for line in said)
    assert said[-1] == "2 letters to learn from"


def test_without_letters_nothing_is_said_of_dates(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text("内容,部门,时间\n网页打不开了,谁知道,2025-03-05\n", encoding="utf-8")
    columns, found = look_through(file, {}, OWNERS, now=NOW)
    assert not any("no dates" in line for line in understood(columns, found, Directory()))


def test_one_bad_byte_is_said_and_leaves_the_rest_readable(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    rows = "内容,部门,时间\n" + "网页怎么也打不开了请帮忙看看,it,2025-03-05\n"
    file.write_bytes(rows.encode() + b"\xe7\xbd" + "页也打不开,it,2025-03-06\n".encode())
    columns, found = look_through(file, {}, OWNERS, now=NOW)
    assert len(found.letters) == 2
    said = list(understood(columns, found, Directory()))
    assert said[0].startswith("the encoding is not clear: read as utf-8, ','")
