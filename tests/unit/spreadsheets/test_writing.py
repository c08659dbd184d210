"""Tables out: read back by the library that others use, and by csv."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from shared.spreadsheets import Cell, CsvWriter, XlsxWriter, writer_for, writing

UNSEEN = "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
ROWS: list[list[Cell]] = [
    ["F-1", 3, 2.5, True, None],
    ["=1+1", "-2", "＝SUM(A1)", "\t=1", " +86 1"],
    [
        datetime(2026, 3, 4, 2, 0, tzinfo=UTC),
        date(2026, 3, 4),
        "a\nb",
        "<&>\"'",
        "深夜 23:00",
    ],
]


def _written(kind: str, rows: list[list[Cell]]) -> bytes:
    writer = writer_for(kind, ["a", "b", "c", "d", "=e"])
    return b"".join([*map(writer.add, rows), writer.end()])


def _sheet(made: bytes) -> Any:
    return load_workbook(io.BytesIO(made)).worksheets[0]


def test_a_workbook_holds_what_was_written() -> None:
    rows = list(_sheet(_written("xlsx", ROWS)).iter_rows(values_only=True))
    assert rows[0] == ("a", "b", "c", "d", "=e")
    assert rows[1] == ("F-1", 3, 2.5, True, None)
    assert rows[3] == (
        datetime.fromisoformat("2026-03-04T10:00"),
        datetime.fromisoformat("2026-03-04"),
        "a\nb",
        "<&>\"'",
        "深夜 23:00",
    )


def test_what_somebody_typed_is_never_a_formula() -> None:
    for row in _sheet(_written("xlsx", ROWS)).iter_rows():
        assert not [cell for cell in row if cell.data_type == "f"]
    lines = list(csv.reader(io.StringIO(_written("csv", ROWS).decode("utf-8-sig"))))
    assert lines[2] == ["'=1+1", "'-2", "'＝SUM(A1)", "'\t=1", "' +86 1"]
    assert lines[0][-1] == "'=e"
    # A number that is one stays one.
    assert list(csv.reader([CsvWriter(["n"]).add([-2]).decode().splitlines()[-1]])) == [["-2"]]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_cannot_be_seen_turns_no_line_round_and_hides_no_formula(kind: str) -> None:
    made = _written(
        kind, [["\u200b=1+1", "\u202e馆书图\u202c", "\u200d=2", "👩\u200d💻", "a\u2066b"]]
    )
    if kind == "csv":
        row = list(csv.reader(io.StringIO(made.decode("utf-8-sig"))))[1]
        assert row == ["'=1+1", "馆书图", "'\u200d=2", "👩\u200d💻", "ab"]
    else:
        (_, cells) = _sheet(made).iter_rows(values_only=True)
        assert cells == ("=1+1", "馆书图", "\u200d=2", "👩\u200d💻", "ab")


def test_moments_of_a_csv_say_their_offset() -> None:
    assert "2026-03-04T10:00:00+08:00,2026-03-04" in _written("csv", ROWS).decode()


def test_a_name_of_digits_is_not_rounded() -> None:
    sheet = _sheet(_written("xlsx", [[20240305000000123, float("nan")]]))
    assert sheet["A2"].value == "20240305000000123"
    assert sheet["B2"].value == "nan"


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(), max_size=40))
def test_any_text_comes_back(text: str) -> None:
    (value,) = [row[0] for row in _sheet(_xlsx_of(text)).iter_rows(min_row=2, values_only=True)]
    # XML itself makes one line end of all.
    assert _plain(value or "") == _plain(re.sub(UNSEEN, "", text))


def _xlsx_of(text: str) -> bytes:
    writer = XlsxWriter(["a"], sheet="一个[名字]:太长" * 9)
    return writer.add([text]) + writer.end()


def _plain(text: str) -> str:
    for code in (*range(32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)):
        if code not in (9, 10, 13):
            text = text.replace(chr(code), f"_x{code:04X}_")
    return text.replace("_x005F_", "_").replace("\r\n", "\n").replace("\r", "\n")


def test_a_text_too_long_for_a_cell_is_cut_where_excel_counts() -> None:
    value = _sheet(_xlsx_of("😀" * 20_000))["A2"].value
    assert len(value.encode("utf-16-le")) // 2 <= 32_767
    assert value.endswith("😀…")


def test_a_full_sheet_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_MOST_ROWS", 3)
    writer = XlsxWriter(["n"], sheet="列表")
    made = b"".join([*(writer.add([n]) for n in range(5)), writer.end()])
    book = load_workbook(io.BytesIO(made))
    assert book.sheetnames == ["列表", "列表 2", "列表 3"]
    values = [[row[0] for row in s.iter_rows(values_only=True)] for s in book.worksheets]
    assert values == [["n", 0, 1], ["n", 2, 3], ["n", 4]]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_nothing_is_kept_of_the_rows(kind: str) -> None:
    writer = writer_for(kind, ["a", "b"])
    tracemalloc.start()
    sent = sum(len(writer.add([f"F-{n}", "文字" * 20])) for n in range(20_000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 400_000
    assert sent > 0


def test_an_unknown_kind_is_no_table() -> None:
    with pytest.raises(KeyError):
        writer_for("pdf", [])
