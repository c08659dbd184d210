"""The rules a command counts by: stored, shipped, or of a file."""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.sla import seeds
from services.sla.deps import NAME
from services.sla.domain.calendars import CalendarDefinition
from services.sla.domain.departments import DepartmentNames
from services.sla.domain.notices import is_notice, with_notice
from services.sla.domain.policy import Policy
from services.sla.domain.policy_check import problems
from services.sla.store import Rulebook
from shared.db import create_engine, service_address
from shared.embedded import EmbeddedKafka, EmbeddedPostgres
from shared.messaging.directory import Directory, DirectoryReader
from shared.settings import Settings, refuse, refusing_file
from shared.validation import error_words

_SECONDS = 10.0
"""To read the directory in."""


async def stored_rules(settings: Settings) -> Rulebook:
    """The rules in the database, where one answers; otherwise the shipped ones.

    Nothing is started for this."""
    rules = seeds.shipped_rules()
    server = settings.database
    if not server and (settings.data / "postgres").is_dir():
        server = EmbeddedPostgres(settings.data).url
    if not server:
        return rules
    engine = create_engine(replace(service_address(server, NAME), timeout=2))
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


async def check_department(code: str, settings: Settings, rules: Rulebook) -> None:
    """Refuse a code that no department has. One that was added stands in the directory: where that
    cannot be read, whether there is such a department is left open, and said.

    Nothing is started for this."""
    known = {*seeds.load_departments(), *rules.calendars.definition.departments}
    if code in known:
        return
    if kafka := settings.brokers or EmbeddedKafka(settings.data).running_at:
        reader = DirectoryReader(Directory(), kafka)
        found = await reader.read_once(_SECONDS)
        listed = {*reader.directory.departments, *reader.directory.closed_departments}
    else:
        # Without data there is no other department than those that are shipped.
        found, listed = not (settings.data / "kafka").is_dir(), set[str]()
    if code in listed:
        return
    if not found:
        print(
            f"--department: no broker says whether there is a department {code!r}; general hours",
            file=sys.stderr,
        )
        return
    refuse(
        f"--department: there is no department {code!r}; "
        f"choose from {', '.join(sorted(known | listed))}"
    )


def policy_of(path: Path, departments: DepartmentNames) -> Policy:
    """The table of promises in a file, as ``GET /api/sla/policy`` gives it; its rows are for our
    departments. Ends the process with a sentence where it is none."""
    body = {"version": 0} | _object(path, "--policy")
    try:
        policy = Policy.model_validate(body)
    except ValidationError as error:
        refuse(f"--policy {path}: {_first(error)}")
    for where, _, en in problems(policy, {"department": departments.codes}):
        more = " (name yours with --departments)" if where.endswith(".department") else ""
        refuse(f"--policy {path}: {where}: {en}{more}")
    return policy


def calendar_of(path: Path, base: CalendarDefinition) -> CalendarDefinition:
    """The calendar in a file: a whole one, or a yearly notice that is added to `base`."""
    body = _object(path, "--calendar")
    try:
        if is_notice(body):
            return with_notice(base, body)
        return CalendarDefinition.model_validate({"version": 0} | body)
    except ValidationError as error:
        refuse(f"--calendar {path}: {_first(error)}")
    except ValueError as error:
        refuse(f"--calendar {path}: {error}")


def departments_of(path: Path | None) -> DepartmentNames:
    """Our departments: those of a file (``{code: [Chinese, English]}``), or those shipped."""
    if path is None:
        return DepartmentNames(seeds.load_departments())
    names: dict[str, tuple[str, str]] = {}
    for code, both in _object(path, "--departments").items():
        if not (
            isinstance(both, list) and len(both) == 2 and all(isinstance(n, str) for n in both)
        ):
            refuse(f"--departments {path}: {code}: write [Chinese name, English name]")
        names[code] = (both[0], both[1])
    try:
        return DepartmentNames(names)
    except ValueError as error:
        refuse(f"--departments {path}: {error}")


def _object(path: Path, option: str) -> dict[str, Any]:
    try:
        with refusing_file(f"{option} {path}"):
            body = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        refuse(f"{option} {path}: not JSON ({error})")
    if not isinstance(body, dict):
        refuse(f"{option} {path}: not a JSON object")
    return body


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    words = error_words(first, english=True)
    return f"{where}: {words}" if where else words
