"""``due``: what would be promised, by the rules in the database or by the shipped ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated

import typer

from services.sla.commands.rules import check_department, stored_rules
from services.sla.domain.calendars import LIBRARY
from services.sla.domain.policy import due_times
from services.sla.domain.working_time import OutsideCalendar
from services.sla.store import Rulebook
from shared.contracts.vocabulary import CaseType, Clock, Priority
from shared.moments import LOCAL, due_words
from shared.process import say
from shared.settings import Settings, read_settings, refuse

_WIDTH = max(len(clock.value) for clock in Clock)


def due(
    context: typer.Context,
    priority: Annotated[str, typer.Option(help="P1, P2, P3 or P4")] = "",
    type: Annotated[str, typer.Option(help="complaint, request, suggestion, inquiry, praise")] = "",
    department: Annotated[str, typer.Option(help="code of the department that would own it")] = "",
    at: Annotated[str, typer.Option(help="received when; without an offset in local time")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="{CLOCK: due}")] = False,
) -> None:
    """What would be promised at that moment."""
    if context.args:
        refuse(f"{context.args[0]}: not understood; see --help")
    if priority not in Priority._value2member_map_:
        refuse(f"--priority: {_not(priority)} one of {', '.join(Priority)}")
    types = [t.value for t in CaseType if t is not CaseType.OTHER]
    if type and type not in types:
        refuse(f"--type: {_not(type)} one of {', '.join(types)}")
    settings = read_settings()
    rules = asyncio.run(stored_rules(settings))
    calendars = rules.calendars
    if department:
        asyncio.run(check_department(department, settings, rules))
    try:
        moment = datetime.fromisoformat(at)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=LOCAL)
        promised = due_times(
            rules.policy,
            calendars,
            priority=Priority(priority),
            type=CaseType(type) if type else CaseType.OTHER,
            at=moment,
            department=department or LIBRARY,
        )
    except OutsideCalendar:
        refuse(f"--at: no calendar reaches {at}")
    except (ValueError, OverflowError):
        refuse(f"--at: {_not(at)} a time such as 2026-03-04T10:00 or 2026-03-04T10:00+08:00")
    for line in [as_json_line(promised)] if as_json else lines(promised, moment, rules, settings):
        say(line)


def _not(value: str) -> str:
    return f"{value!r} is not" if value else "missing;"


def as_json_line(promised: Mapping[Clock, datetime]) -> str:
    """``{CLOCK: due}``, times with the local offset."""
    return json.dumps({c.value: t.astimezone(LOCAL).isoformat() for c, t in promised.items()})


def lines(
    promised: Mapping[Clock, datetime], at: datetime, rules: Rulebook, settings: Settings
) -> Iterator[str]:
    """A line per clock: its name, the moment, and the moment in words as seen from `at`."""
    for clock, due in promised.items():
        local = due.astimezone(LOCAL)
        note = _provisional(settings.locale) if rules.calendars.is_provisional(due) else ""
        words = due_words(due, at, settings.locale)
        yield f"{clock.value:<{_WIDTH}}  {local.isoformat(timespec='seconds')}  {words}{note}"


def _provisional(locale: str) -> str:
    return " (provisional)" if locale == "en" else "（暂定，节假日安排尚未公布）"
