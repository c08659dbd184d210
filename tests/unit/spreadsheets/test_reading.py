"""Tables in: encodings, separators, titles above the header, workbooks."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from shared.spreadsheets import UnreadableTable, open_table

RECEIVED = datetime.fromisoformat("2024-03-05T08:30")
TEXT = "编号,收到时间,内容\n1,2024/3/5 8:30,热水没有\n\n2,,“座位”\n"


def _file(tmp_path: Path, content: bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators_are_found(tmp_path: Path, encoding: str, separator: str) -> None:
    path = _file(tmp_path, TEXT.replace(",", separator).encode(encoding))
    table = open_table(path)
    assert table.header == ("编号", "收到时间", "内容")
    assert list(table.rows) == [
        (2, ["1", "2024/3/5 8:30", "热水没有"]),
        (4, ["2", "", "“座位”"]),
    ]
    assert table.how == f"{encoding.removesuffix('-sig')}, {separator!r}"
    assert table.read() == 1.0


def test_a_cell_of_several_lines_is_one_cell(tmp_path: Path) -> None:
    content = 'id;text\r\n1;"a, b\r\nc; d"\r\n2;"e\u2028f"\r\n'
    rows = list(open_table(_file(tmp_path, content.encode())).rows)
    assert rows == [(2, ["1", "a, b\r\nc; d"]), (4, ["2", "e\u2028f"])]


def test_what_stands_above_the_header_is_passed_over(tmp_path: Path) -> None:
    table = open_table(_file(tmp_path, "2023 年来信,,\n,,\n编号,日期,\n1,2,\n".encode()))
    assert table.header == ("编号", "日期", "")
    assert [number for number, _ in table.rows] == [4]


def test_excel_names_its_own_separator(tmp_path: Path) -> None:
    table = open_table(_file(tmp_path, b"sep=;\na;b\n1,5;2\n"))
    assert table.header == ("a", "b")
    assert list(table.rows) == [(3, ["1,5", "2"])]


def test_a_workbook_gives_its_values(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "封面"
    sheet = book.create_sheet("信件")
    for row in (["信件一览"], ["编号", "收到"], ["1", RECEIVED], [], [2, None]):
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    table = open_table(tmp_path / "t.xlsx")
    assert table.how == "信件"
    assert table.header == ("编号", "收到")
    assert list(table.rows) == [(3, ["1", RECEIVED]), (5, [2])]


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"only one\ncolumn\n", b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0old"]
)
def test_what_is_no_table_is_said(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableTable) as refused:
        open_table(_file(tmp_path, content))
    assert refused.value.zh
    assert refused.value.en


def test_a_pipe_is_refused_as_what_it_is() -> None:
    reading, writing = os.pipe()
    os.write(writing, TEXT.encode())
    os.close(writing)
    try:
        with pytest.raises(UnreadableTable) as refused:
            open_table(Path(f"/dev/fd/{reading}"))
    finally:
        os.close(reading)
    assert "管道" in refused.value.zh
    assert "a pipe and no file" in refused.value.en
