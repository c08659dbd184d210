"""``replay``: a library's past, in a file, under a policy. It needs no server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from services.sla.commands.output import OutputFile, row_of
from services.sla.commands.past_file import PastFile
from services.sla.commands.rules import calendar_of, departments_of, policy_of, stored_rules
from services.sla.domain.past_columns import Column
from services.sla.domain.past_dates import UnreadableDate, read_date
from services.sla.domain.replay_summary import Summary
from services.sla.domain.replaying import judge
from services.sla.store import Rulebook
from services.sla.wording.replay import summary_lines, why
from shared.clock import SystemClock
from shared.process import say
from shared.settings import read_settings, refuse
from shared.spreadsheets import UnreadableTable

KINDS = ("csv", "xlsx", "json")
SHOWN = 20
"""Odd rows that are told at the terminal; all of them stand in the file."""

_Text = Annotated[str, typer.Option(help="name of the column, or its number")]


def replay(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX, a case a row")],
    out: Annotated[Path, typer.Option(help="a .csv, .xlsx or .json file")],
    policy: Annotated[Path | None, typer.Option(help="JSON, as GET /api/sla/policy")] = None,
    calendar: Annotated[
        Path | None, typer.Option(help="JSON: a calendar, or a notice {days: [...]}")
    ] = None,
    departments: Annotated[
        Path | None,
        typer.Option(help="JSON: our departments {code: [Chinese, English]}; else those shipped"),
    ] = None,
    id: _Text = "",
    received: _Text = "",
    responded: _Text = "",
    closed: _Text = "",
    due: _Text = "",
    department: _Text = "",
    priority: _Text = "",
    now: Annotated[str, typer.Option(help="what is open is judged at this time")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="the summary as JSON")] = False,
) -> None:
    """Say which cases of the past would have kept a policy, and which not.

    Columns that are not named are found by their usual names. A due date in the file counts
    instead of the policy. Summary on standard output, progress and what was odd on the other.
    """
    kind = out.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        refuse(f"--out {out}: the name must end in .csv, .xlsx or .json")
    if out.exists() and file.exists() and out.samefile(file):
        refuse(f"--out {out}: that is the file that is read")
    at = _now(now)
    settings = read_settings()
    rules = asyncio.run(stored_rules(settings))
    names = departments_of(departments)
    if policy is not None:
        rules = Rulebook(policy_of(policy, names), rules.calendars.definition)
    if calendar is not None:
        definition = calendar_of(calendar, rules.calendars.definition)
        rules = Rulebook(rules.policy, definition)
    given = {
        Column.ID: id,
        Column.RECEIVED: received,
        Column.RESPONDED: responded,
        Column.CLOSED: closed,
        Column.DUE: due,
        Column.DEPARTMENT: department,
        Column.PRIORITY: priority,
    }
    try:
        past = PastFile.look_through(file, given, names, tell=_tell)
        for note in past.notes:
            _tell(note)
        summary, head = Summary(), _head(file, past, rules, at)
        with OutputFile(out, kind, settings.locale) as output:
            for line, odd in _judged(past, rules, at, summary, output, settings.locale):
                if summary.odd_rows <= SHOWN:
                    _tell(f"line {line}: {odd}")
            if summary.odd_rows > SHOWN:
                _tell(f"… {summary.odd_rows} odd rows, all of them in {out}")
            body = head | summary.body()
            called = partial(names.called, locale=settings.locale)
            lines = list(summary_lines(body, settings.locale, called))
            output.end(body, lines)
    except UnreadableTable as unreadable:
        refuse(f"{file}: {unreadable.en}")
    except OSError as error:
        refuse(f"{error.filename or file}: {error.strerror}")
    if as_json:
        say(json.dumps(body, ensure_ascii=False, indent=1))
        return
    for sentence in lines:
        say(sentence)


def _judged(
    past: PastFile,
    rules: Rulebook,
    now: datetime,
    summary: Summary,
    output: OutputFile,
    locale: str,
) -> Iterator[tuple[int, str]]:
    """Judge and write every row; gives the odd ones."""
    in_force = rules.rules()
    for row in past.rows(tell=_tell):
        judged = judge(row.case, in_force, now=now)
        judged.odd += row.odd
        summary.add(row.case.department, judged, written=row.department, known=row.is_ours)
        told = row_of(row, judged, why(row.case, judged, in_force.policy, now, locale))
        output.add(told)
        if judged.odd:
            yield row.line, told["odd"]


def _head(file: Path, past: PastFile, rules: Rulebook, now: datetime) -> dict[str, Any]:
    return {
        "file": file.name,
        "read_as": past.how,
        "columns": past.named,
        "notes": past.notes,
        "policy_version": rules.policy.version,
        "calendar_version": rules.calendars.definition.version,
        "now": now.isoformat(),
    }


def _now(text: str) -> datetime:
    if not text:
        return SystemClock().now()
    try:
        when = read_date(text)
    except UnreadableDate:
        when = None
    if when is None:
        refuse(f"--now: {text!r} is not a time such as 2026-03-04T10:00+08:00")
    return when.at


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
