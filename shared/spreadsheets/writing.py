"""Tables out, as a stream: each row becomes bytes at once, none is kept.

XLSX is written by hand because no library streams it: they all keep the sheet, in memory or in a
temporary file, until the last row. A sheet is a file of a ZIP archive, which can be sent while it
grows.

What somebody typed never becomes a formula: text stays text in XLSX, and in CSV gets an apostrophe
where a spreadsheet would calculate it. Characters that cannot be seen, bidi controls too, are left
out.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from itertools import chain, count
from typing import Protocol
from xml.sax.saxutils import escape

from shared.moments import LOCAL

Cell = str | int | float | bool | date | datetime | None
"""A value; an aware moment is shown in local time (with its offset in CSV)."""

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

# The full-width signs count too: spreadsheets set to Chinese or Japanese calculate them.
_FORMULA = re.compile(r"[\s\x00\u200c\u200d]*[=+\-@＝＋－＠]|[\t\r\n]")
# What cannot be seen, hides what a cell begins with or turns round the line it is shown in; joiners
# stay, of which some letters and signs are made.
_UNSEEN = re.compile(
    "[\u00ad\u200b\u200e\u200f\u061c\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_MOST_ROWS = 1_048_576
_MOST_BYTES = 1 << 30
"""Of one sheet, uncompressed: with 64-bit sizes in a stream Excel calls the file damaged."""
_MOST_CHARACTERS = 32_767
_FIRST_DAY = date(1899, 12, 30)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class TableWriter(Protocol):
    """Makes bytes of rows; what it returns is to be sent in this order."""

    media_type: str

    def add(self, row: Sequence[Cell]) -> bytes:
        """One row; often nothing to send yet."""
        ...

    def end(self) -> bytes:
        """What is left; nothing can be added after it."""
        ...


def writer_for(kind: str, header: Sequence[str], *, sheet: str = "") -> TableWriter:
    """The writer of ``csv`` or ``xlsx``. Raises KeyError for anything else."""
    kinds: dict[str, type[CsvWriter | XlsxWriter]] = {"csv": CsvWriter, "xlsx": XlsxWriter}
    return kinds[kind](header, sheet=sheet)


class CsvWriter:
    """Comma-separated UTF-8, with the mark by which Excel knows it."""

    media_type = MEDIA_TYPES["csv"]

    def __init__(self, header: Sequence[str], *, sheet: str = "") -> None:
        self._buffer = io.StringIO("\ufeff", newline="")
        self._buffer.seek(1)
        self._csv = csv.writer(self._buffer)
        self._csv.writerow([_as_csv(name) for name in header])

    def add(self, row: Sequence[Cell]) -> bytes:
        """One row."""
        self._csv.writerow([_as_csv(value) for value in row])
        return self._take()

    def end(self) -> bytes:
        """The header, if there was no row."""
        return self._take()

    def _take(self) -> bytes:
        made = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return made.encode("utf-8", "replace")


class XlsxWriter:
    """A workbook with a frozen header; a sheet that is full is followed by another."""

    media_type = MEDIA_TYPES["xlsx"]

    def __init__(self, header: Sequence[str], *, sheet: str = "") -> None:
        self._names: list[str] = []
        self._out = _Pipe()
        self._zip = zipfile.ZipFile(self._out, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        # First, so that programs which look at the beginning of a file know what it is.
        self._zip.writestr("[Content_Types].xml", _TYPES)
        self._zip.writestr("_rels/.rels", _RELATIONS)
        self._zip.writestr("xl/styles.xml", _STYLES)
        self._title(header, sheet)
        self._begin()

    def add(self, row: Sequence[Cell]) -> bytes:
        """One row."""
        if self._rows >= _MOST_ROWS or self._bytes >= _MOST_BYTES:
            self._finish()
            self._begin()
        self._row(row)
        return self._out.take()

    def next_sheet(self, header: Sequence[str], *, sheet: str = "") -> bytes:
        """The rows that follow stand in a sheet of their own."""
        self._finish()
        self._title(header, sheet)
        self._begin()
        return self._out.take()

    def end(self) -> bytes:
        """The rest of the sheet, and the list of sheets."""
        self._finish()
        listed = "".join(
            f'<sheet name="{escape(name, _QUOTES)}" sheetId="{n}" r:id="rId{n}"/>'
            for n, name in enumerate(self._names, 1)
        )
        linked = "".join(
            f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" '
            f'Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(self._names) + 1)
        )
        self._zip.writestr("xl/workbook.xml", _WORKBOOK.format(listed))
        self._zip.writestr("xl/_rels/workbook.xml.rels", _PARTS.format(linked))
        self._zip.close()
        return self._out.take()

    def _title(self, header: Sequence[str], sheet: str) -> None:
        self._header = tuple(header)
        self._sheet_name = re.sub(r"[\[\]:*?/\\]", " ", sheet).strip("' ")[:26] or "Sheet"

    def _begin(self) -> None:
        used = {name.casefold() for name in self._names}
        numbered = (f"{self._sheet_name} {n}" for n in count(2))
        named = chain([self._sheet_name], numbered)
        self._names.append(next(name for name in named if name.casefold() not in used))
        self._rows = self._bytes = 0
        self._sheet = self._zip.open(f"xl/worksheets/sheet{len(self._names)}.xml", "w")
        self._write(_SHEET.format(max(1, len(self._header))))
        self._row(self._header, style=' s="1"')

    def _row(self, row: Sequence[Cell], *, style: str = "") -> None:
        self._rows += 1
        self._write(f"<row>{''.join(_as_xml(value, style) for value in row)}</row>")

    def _write(self, text: str) -> None:
        made = text.encode()
        self._bytes += len(made)
        self._sheet.write(made)

    def _finish(self) -> None:
        self._write("</sheetData></worksheet>")
        self._sheet.close()


class _Pipe(io.RawIOBase):
    """Where the archive is written to: nothing is kept of what was taken."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._held += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


def _as_csv(value: Cell) -> str | int | float | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return value.isoformat(" ", "seconds")
        return value.astimezone(LOCAL).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        value = _UNSEEN.sub("", value)
        return f"'{value}" if _FORMULA.match(value) else value
    return value


def _as_xml(value: Cell, style: str) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{value:d}</v></c>'
    if isinstance(value, int | float):
        # Excel keeps 15 digits: a longer number is a name, and cut it would be another one.
        if -(10**15) < value < 10**15:
            return f"<c{style}><v>{value!r}</v></c>"
        value = str(value)
    if isinstance(value, date) and value.year >= 1900:
        return _serial(value)
    text = _UNSEEN.sub("", str(value))
    if not style and _FORMULA.match(text):
        style = ' s="4"'
    return f'<c{style} t="inlineStr"><is><t xml:space="preserve">{_text(text)}</t></is></c>'


def _serial(value: date) -> str:
    day, hours, style = value, 0.0, 3
    if isinstance(value, datetime):
        at = value if value.tzinfo is None else value.astimezone(LOCAL)
        day, style = at.date(), 2
        midnight = datetime.combine(day, time(), at.tzinfo)
        hours = (at.replace(microsecond=0) - midnight).total_seconds() / 86_400
    return f'<c s="{style}"><v>{(day - _FIRST_DAY).days + hours!r}</v></c>'


def _text(text: str) -> str:
    if len(text) > _MOST_CHARACTERS // 2:
        # Counted in halves of UTF-16, as Excel does.
        halves = text.encode("utf-16-le", "surrogatepass")
        if len(halves) > 2 * _MOST_CHARACTERS:
            text = halves[: 2 * (_MOST_CHARACTERS - 1)].decode("utf-16-le", "ignore") + "…"
    return escape(_NOT_XML.sub(lambda m: f"_x{ord(m[0]):04X}_", text))


_QUOTES = {'"': "&quot;"}
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"

# Whatever is not named otherwise is a sheet: how many there will be is not known yet.
_TYPES = (
    f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="{_KIND}.worksheet+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/></Types>'
)
_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
_PARTS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="styles" '
    f'Type="{_OFFICE}/styles" Target="styles.xml"/>{{}}</Relationships>'
)
_WORKBOOK = f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{{}}</sheets></workbook>'
# Plain, header, moment, day, text that looks like a formula.
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd hh:mm:ss"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_SHEET = (
    f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    '</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>'
    '<cols><col min="1" max="{}" width="18" customWidth="1"/></cols><sheetData>'
)
