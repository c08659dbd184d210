"""What a replay writes: the cases as they are judged, then the odd rows and the summary."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from services.sla.commands.past_file import PastRow
from services.sla.domain.past_dates import When
from services.sla.domain.replaying import Judged, Promised
from services.sla.wording import translate
from shared.moments import LOCAL
from shared.spreadsheets import Cell, XlsxWriter, writer_for

COLUMNS = {
    "line": "行号",
    "id": "编号",
    "department": "部门",
    "our_department": "本馆部门",
    "priority": "优先级",
    "received": "收到",
    "responded": "首次答复",
    "closed": "办结",
    "due": "期限",
    "due_from": "期限来源",
    "mark": "结果",
    "first_response_due": "首次答复期限",
    "first_response_mark": "首次答复结果",
    "answer_elapsed_hours": "首次答复自然小时",
    "answer_working_hours": "首次答复工作小时",
    "end_elapsed_hours": "办结自然小时",
    "end_working_hours": "办结工作小时",
    "why": "依据",
    "odd": "异常",
}
"""Names in CSV and JSON; beside them what people read in a workbook."""
_HOUR = timedelta(hours=1)


def row_of(row: PastRow, judged: Judged, why: str) -> dict[str, Any]:
    """A judged case, by column; dates as `When`."""
    main, first = judged.main, judged.first_response
    return {
        "line": row.line,
        "id": row.id,
        "department": row.department,
        "our_department": code if (code := row.case.department) != row.department else "",
        "priority": row.case.priority.value,
        "received": row.case.received,
        "responded": row.case.responded,
        "closed": row.case.closed,
        "due": main.due,
        "due_from": main.why.value,
        "mark": _mark(main),
        "first_response_due": first.due,
        "first_response_mark": _mark(first),
        "answer_elapsed_hours": _hours(judged.elapsed),
        "answer_working_hours": _hours(judged.worked),
        "end_elapsed_hours": _hours(judged.resolved_in),
        "end_working_hours": _hours(judged.resolved_working),
        "why": why,
        "odd": "; ".join([*(o.value for o in judged.odd), *row.unreadable]),
    }


class OutputFile:
    """The file, complete or not there at all; of its rows none is kept."""

    def __init__(self, path: Path, kind: str, locale: str) -> None:
        self._path = path
        self._kind = kind
        self._locale = locale
        self._part = path.with_name(f".{path.name}.part")
        self._empty = True

    def __enter__(self) -> Self:
        with self._named():
            self._file = self._part.open("wb")
        # The odd rows come after the cases, and there may be many.
        self._odd = tempfile.TemporaryFile("w+", encoding="utf-8")
        header = [self._say(zh) for zh in COLUMNS.values()]
        if self._kind == "json":
            self._file.write(b'{"cases": [')
        elif self._kind == "csv":
            self._writer = writer_for("csv", list(COLUMNS))
        else:
            self._writer = XlsxWriter(header, sheet=self._say("信件"))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._odd.close()
        self._file.close()
        try:
            if kind is None:
                with self._named():
                    os.replace(self._part, self._path)
        finally:
            self._part.unlink(missing_ok=True)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """What goes wrong is said of the file that was asked for."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from None

    def add(self, row: dict[str, Any]) -> None:
        """Write one case."""
        if self._kind == "json":
            self._file.write(b"\n" if self._empty else b",\n")
            self._empty = False
            self._file.write(_json({k: _plain(v) for k, v in row.items()}))
        else:
            self._file.write(self._writer.add([_cell(row[name]) for name in COLUMNS]))
        if row["odd"]:
            odd = {name: row[name] for name in ("line", "id", "odd")}
            self._odd.write(json.dumps(odd, ensure_ascii=False) + "\n")

    def end(self, body: dict[str, Any], lines: Sequence[str]) -> None:
        """Write what comes after the cases."""
        self._odd.seek(0)
        if self._kind == "json":
            self._file.write(b'\n],\n"odd": [')
            for number, line in enumerate(self._odd):
                self._file.write((",\n" if number else "\n").encode() + line.rstrip("\n").encode())
            self._file.write(b'\n],\n"summary": ' + _json(body) + b"}\n")
            return
        if isinstance(self._writer, XlsxWriter):
            header = [self._say(COLUMNS[name]) for name in ("line", "id", "odd")]
            self._file.write(self._writer.next_sheet(header, sheet=self._say("异常行")))
            for line in self._odd:
                self._file.write(self._writer.add(list(json.loads(line).values())))
            self._file.write(self._writer.next_sheet([""], sheet=self._say("小结")))
            for line in lines:
                self._file.write(self._writer.add([line]))
        self._file.write(self._writer.end())

    def _say(self, zh: str) -> str:
        return translate(zh, self._locale)


def _mark(promised: Promised) -> str:
    return promised.standing.value if promised.standing else ""


def _hours(span: timedelta | None) -> float | None:
    return None if span is None else round(span / _HOUR, 4)


def _cell(value: Any) -> Cell:
    if isinstance(value, When):
        return value.local_day if value.day else value.at
    cell: Cell = value
    return cell


def _plain(value: Any) -> Any:
    if isinstance(value, When):
        return value.local_day.isoformat() if value.day else value.at.astimezone(LOCAL).isoformat()
    return None if value == "" else value


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
