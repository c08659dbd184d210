"""Departments, categories, and whose replies are read first."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated

import typer

from services.desk.app import build
from services.desk.store import CategoryRow, DepartmentRow
from services.desk.store import people as accounts
from services.desk.store.posts import check_names
from services.desk.store.review_rules import codes_of, rules, set_rule
from shared.cli import with_service
from shared.contracts.vocabulary import Priority
from shared.privacy import masked
from shared.process import say
from shared.service import Service
from shared.settings import refuse


def add_department(
    code: Annotated[str, typer.Argument(help="short ASCII code, e.g. archives")],
    zh: Annotated[str, typer.Argument(help="Chinese name")],
    en: Annotated[str, typer.Argument(help="English name")],
    close: Annotated[bool, typer.Option("--close", help="it takes no more work")] = False,
) -> None:
    """Add a department, rename one, or close it."""
    _check_listed(code, zh, en)

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.transaction() as tx:
            if not close:
                await check_names(tx, DepartmentRow, code, zh, en)
            there = await accounts.all_departments(tx)
            if close:
                check_known(code, there)
            row = there.get(code) or DepartmentRow(code=code, zh="", en="")
            row.zh, row.en, row.active = zh.strip(), en.strip(), not close
            accounts.list_department(tx, row)
        say(f"{code}: {zh} / {en}" + (" (closed)" if close else ""))

    with_service(build, work)


def add_category(
    code: Annotated[str, typer.Argument(help="short ASCII code, e.g. seats")],
    zh: Annotated[str, typer.Argument(help="Chinese name")],
    en: Annotated[str, typer.Argument(help="English name")],
    department: Annotated[str, typer.Argument(help="code of the department that owns it")],
    rule: Annotated[str, typer.Option(help="the rule replies cite; - for none")] = "",
    close: Annotated[bool, typer.Option("--close", help="nothing new is put into it")] = False,
) -> None:
    """Add a category, rename one, give it to another department, or close it."""
    _check_listed(code, zh, en)

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.transaction() as tx:
            if await accounts.department(tx, department) is None:
                codes = ", ".join(sorted(await accounts.all_departments(tx)))
                refuse(f"DEPARTMENT: there is no {department!r}; choose from {codes}")
            if not close:
                await check_names(tx, CategoryRow, code, zh, en)
            known = await accounts.all_categories(tx)
            if close:
                check_known(code, known)
            row = known.get(code) or CategoryRow(code=code, zh="", en="", department=department)
            row.zh, row.en, row.department = zh.strip(), en.strip(), department
            row.active = not close
            if rule.strip():
                row.rule = None if rule.strip() == "-" else rule.strip()
            accounts.list_category(tx, row)
        say(f"{code}: {zh} / {en}, {department}" + (" (closed)" if close else ""))

    with_service(build, work)


def require_review(
    category: Annotated[str, typer.Option(help="code of a category")] = "",
    priority: Annotated[str, typer.Option(help="P1 to P4")] = "",
    department: Annotated[str, typer.Option(help="code of a department")] = "",
    off: Annotated[bool, typer.Option("--off", help="no more")] = False,
    reason: Annotated[str, typer.Option(help="why; kept with it")] = "",
) -> None:
    """Have replies read by somebody else first, for what is dispatched or corrected from now on."""
    given = {"category": category, "priority": priority, "department": department}
    chosen = [(kind, code) for kind, code in given.items() if code]
    if len(chosen) != 1:
        refuse("one of --category, --priority and --department, please")
    kind, code = chosen[0]
    if kind == "priority" and code not in list(Priority):
        refuse(f"--priority: choose from {', '.join(Priority)}")

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.transaction() as tx:
            codes = (await codes_of(tx))[kind]
            if off:  # also of what was closed since
                codes += [row.code for row in await rules(tx) if row.kind == kind]
            check_known(code, codes, f"--{kind}")
            await set_rule(tx, kind, code, on=not off, reason=masked(reason.strip()) or None)
        say(f"{kind} {code}: replies are {'not ' if off else ''}read by somebody else first")

    with_service(build, work)


def check_known(code: str, there: Collection[str], argument: str = "CODE") -> None:
    """Refuse a code that is none of these: a slip would change nothing, and say that it had."""
    if code not in there:
        refuse(f"{argument}: there is no {code!r}; choose from {', '.join(sorted({*there}))}")


def _check_listed(code: str, zh: str, en: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,31}", code):
        refuse("CODE: 2 to 32 lower-case letters, digits or underscores")
    if not zh.strip() or not en.strip():
        refuse("ZH, EN: both names, please")
