"""Tables in: CSV in whatever encoding and with whatever separator, XLSX; a row at a time."""

from __future__ import annotations

import codecs
import csv
import io
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

Value = str | int | float | bool | date | datetime | time | timedelta | None

_SEPARATORS = ",;\t|，；"
_SAMPLE = 1 << 16
_MOST = 1 << 24
_LONGEST_CELL = 10_000_000
_TITLES = 20
"""Rows in which the header is looked for: a title or a note often stands above it."""


class UnreadableTable(ValueError):
    """A file that is no table; says why in words for people."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


@dataclass(frozen=True, slots=True)
class Table:
    """The header, and the rows below it with the number of the line each begins on."""

    header: tuple[str, ...]
    rows: Iterator[tuple[int, list[Value]]]
    read: Callable[[], float]
    """How much of the file was read: 0 to 1."""
    how: str
    """``utf-8, ","`` or the name of the sheet: what was found out about the file."""
    unreadable: int = 0
    """Places that are no text in this encoding; each is a U+FFFD in its cell."""


def open_table(path: Path) -> Table:
    """The table in a file; of a workbook the first sheet that has two filled cells in a row.

    Rows are read while they are asked for; blank ones are passed over. Raises OSError and
    UnreadableTable.
    """
    if stat.S_ISFIFO(path.stat().st_mode):
        # A table is read more than once: for its encoding, its columns, and then its rows.
        raise UnreadableTable(
            "这是管道，不是文件：表格要从头读几遍。请先存成文件，再给出文件名。",
            "This is a pipe and no file, and a table is read from its beginning several times: "
            "save it as a file and name that.",
        )
    with path.open("rb") as file:
        first = file.read(8)
    if first.startswith(b"PK\x03\x04"):
        return _workbook(path)
    if first.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableTable(
            "这是旧版 Excel（.xls）文件，请另存为 .xlsx 或 CSV。",
            "This is an old Excel file (.xls); save it as .xlsx or CSV.",
        )
    return _separated(path)


def _separated(path: Path) -> Table:
    encoding, unreadable = _encoding(path)
    size = path.stat().st_size or 1
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(_SAMPLE)
    separator = _separator(sample)
    binary = path.open("rb")
    rows = _lines(binary, encoding, separator)
    header, rows = _below_header(rows)
    return Table(
        header,
        rows,
        lambda: 1.0 if binary.closed else min(1.0, binary.tell() / size),
        f"{encoding.removesuffix('-sig')}, {separator!r}",
        unreadable,
    )


def _lines(binary: BinaryIO, encoding: str, separator: str) -> Iterator[tuple[int, list[Value]]]:
    csv.field_size_limit(_LONGEST_CELL)
    # Not a codec's own reader, which also ends a line where a cell holds U+2028.
    with io.TextIOWrapper(binary, encoding, "replace", newline="") as text:
        reader = csv.reader(_without_sep_line(text), delimiter=separator)
        line = 1
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise UnreadableTable(
                    f"第 {line} 行读不懂：{error}。", f"Line {line} cannot be read: {error}."
                ) from None
            yield line, list(row)
            line = reader.line_num + 1


def _without_sep_line(text: Iterator[str]) -> Iterator[str]:
    """Excel's own first line ``sep=;`` is none of the table."""
    for number, line in enumerate(text):
        yield "\n" if not number and line.lower().startswith("sep=") else line


def _encoding(path: Path) -> tuple[str, int]:
    """By its mark; else UTF-8 where all of it is, or nearly all; else GB 18030 where all of
    it is, as Excel in Chinese writes; and in how many places it is not that."""
    with path.open("rb") as file:
        first = file.read(4)
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if first.startswith(mark):
            return name, 0
    wrong, right = _decoded(path, "utf-8")
    # One bad byte makes no other encoding of it: in a wrong one nearly every sign is wrong.
    if 20 * wrong <= right:
        return "utf-8", wrong
    # In GB 18030 most pairs of bytes are something, also those of other encodings.
    if not _decoded(path, "gb18030")[0]:
        return "gb18030", 0
    return "cp1252", 0


def _decoded(path: Path, encoding: str) -> tuple[int, int]:
    """In how many places it cannot be read so, and how many signs beyond ASCII can."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    wrong = right = 0
    with path.open("rb") as file:
        while True:
            part = file.read(_MOST)
            text = decoder.decode(part, final=not part)
            missing = text.count("\ufffd")
            wrong += missing
            right += len(text) - missing - len(text.encode("ascii", "ignore"))
            if not part:
                return wrong, right


def _separator(sample: str) -> str:
    """The one by which most lines have as many cells as most others, and more than one."""
    if sample.lower().startswith("sep=") and len(sample) > 4:
        return sample[4]
    # The last line of the sample may be cut.
    lines = list(io.StringIO(sample, newline=""))
    lines = lines[:-1] if len(sample) >= _SAMPLE and len(lines) > 1 else lines
    best, found = (0, 0), ","
    for separator in _SEPARATORS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=separator) if row]
        except csv.Error:
            continue
        width = max(set(widths), key=lambda w: (widths.count(w), w), default=1)
        if width > 1 and (widths.count(width), width) > best:
            best, found = (widths.count(width), width), separator
    return found


def _workbook(path: Path) -> Table:
    # It brings numpy along: together 20 MB, which who only writes tables need not hold.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, ParseError) as error:
        raise UnreadableTable(
            f"这个 Excel 文件打不开：{error}。", f"This workbook cannot be opened: {error}."
        ) from None
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        # What a file says about its own size is often wrong: good for progress only.
        total, done = sheet.max_row or 0, [0]
        sheet.reset_dimensions()
        try:
            header, rows = _below_header(_rows_of(sheet, done))
        except UnreadableTable:
            continue
        return Table(header, rows, partial(_share, done, total), sheet.title)
    raise _empty()


def _rows_of(sheet: Any, done: list[int]) -> Iterator[tuple[int, list[Value]]]:
    try:
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            done[0] = number
            yield number, list(row)
    except (zipfile.BadZipFile, KeyError, ValueError, ParseError) as error:
        raise UnreadableTable(
            f"第 {done[0] + 1} 行读不懂：{error}。", f"Row {done[0] + 1} cannot be read: {error}."
        ) from None


def _share(done: list[int], total: int) -> float:
    return min(1.0, done[0] / total) if total else 0.0


def _below_header(
    rows: Iterator[tuple[int, list[Value]]],
) -> tuple[tuple[str, ...], Iterator[tuple[int, list[Value]]]]:
    for number, row in rows:
        filled = [value for value in row if not _blank(value)]
        if len(filled) > 1:
            return tuple(str(v).strip() if v is not None else "" for v in row), _filled(rows)
        if number > _TITLES:
            break
    raise _empty()


def _filled(rows: Iterator[tuple[int, list[Value]]]) -> Iterator[tuple[int, list[Value]]]:
    return ((number, row) for number, row in rows if not all(_blank(value) for value in row))


def _blank(value: Value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _empty() -> UnreadableTable:
    return UnreadableTable(
        "文件里没有表格：需要一行列名，下面是数据。",
        "There is no table in this file: it needs a row of column names, and rows below it.",
    )
