"""The commands of sla."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import create_async_engine

from services.sla.app import NAME, build
from services.sla.domain.book import LIBRARY
from services.sla.domain.calendar import OutsideCalendar
from services.sla.domain.policy import due_times
from services.sla.domain.words import say_deadline
from services.sla.store import Rulebook
from shared.cli import service_commands
from shared.contracts.vocabulary import DEPARTMENTS, CaseType, Clock, Priority
from shared.db.engine import database_url
from shared.embedded import EmbeddedPostgres
from shared.process import say
from shared.settings import Settings, read_settings, refuse

cli = service_commands(NAME, build)


@cli.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def due(
    context: typer.Context,
    priority: Annotated[str, typer.Option(help="P1, P2, P3 or P4")] = "",
    type: Annotated[str, typer.Option(help="complaint, request, suggestion, inquiry, praise")] = "",
    department: Annotated[str, typer.Option(help="code of the department that would own it")] = "",
    at: Annotated[str, typer.Option(help="received when; without an offset it is Shanghai")] = "",
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
    rules = asyncio.run(_stored_rules(settings))
    calendars = rules.calendars
    if department and department not in {*DEPARTMENTS, *calendars.book.departments}:
        refuse(f"--department: {_not(department)} one of {', '.join(DEPARTMENTS)}")
    try:
        moment = datetime.fromisoformat(at)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=calendars.zone)
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
    local = {clock: t.astimezone(calendars.zone) for clock, t in promised.items()}
    if as_json:
        say(json.dumps({clock.value: t.isoformat() for clock, t in local.items()}))
        return
    for clock, t in local.items():
        words = say_deadline(t, moment, settings.locale, calendars.zone)
        note = _provisional(settings.locale) if calendars.is_provisional(t) else ""
        say(f"{clock.value:<{_WIDTH}}  {t.isoformat(timespec='seconds')}  {words}{note}")


_WIDTH = max(len(clock.value) for clock in Clock)


async def _stored_rules(settings: Settings) -> Rulebook:
    """The rules in the database, where one answers; otherwise the shipped ones.

    Nothing is started for this."""
    rules = Rulebook()
    server = settings.database
    if not server and (settings.data / "postgres").is_dir():
        server = EmbeddedPostgres(settings.data).url
    if not server:
        return rules
    engine = create_async_engine(database_url(server, NAME), connect_args={"timeout": 2})
    try:
        async with engine.connect() as connection:
            await rules.refresh(connection)
    except Exception as error:
        # Whatever is wrong with the database, the shipped rules still answer.
        if settings.database:
            reason = error.__class__.__name__
            print(f"the database does not answer ({reason}); shipped rules", file=sys.stderr)
    finally:
        with contextlib.suppress(Exception):
            await engine.dispose()
    return rules


def _not(value: str) -> str:
    return f"{value!r} is not" if value else "missing;"


def _provisional(locale: str) -> str:
    return " (provisional)" if locale == "en" else "（暂定，节假日安排尚未公布）"


if __name__ == "__main__":
    cli()
