"""The commands of desk."""

from __future__ import annotations

import getpass
import re
import sys
from typing import Annotated

import typer

from services.desk.app import build
from services.desk.domain import diagram as draw
from services.desk.store import DepartmentRow, PersonRow
from services.desk.store import people as accounts
from shared.cli import service_commands, with_service
from shared.contracts.vocabulary import Role
from shared.process import say
from shared.service import Service
from shared.settings import refuse

SHORTEST_PASSWORD = 8
cli = service_commands("desk", build)


@cli.command()
def diagram() -> None:
    """Print the life of a case as a Mermaid diagram."""
    print(draw())


@cli.command(name="create-user")
def create_user(
    name: Annotated[str, typer.Argument(help="the account, e.g. wang.li")],
    role: Annotated[Role, typer.Option(help="what this person does here")],
    department: Annotated[str, typer.Option(help="code of the department")] = "",
    display: Annotated[str, typer.Option(help="the name people see; default: the account")] = "",
    email: Annotated[str, typer.Option(help="where staff messages go")] = "",
    locale: Annotated[str, typer.Option(help="zh or en")] = "zh",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the password from standard input")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="change an account that exists")
    ] = False,
) -> None:
    """Create an account (or change one, with --replace). Asks for the password."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        refuse("NAME: lower-case letters, digits, dot, dash and underscore, at most 64")
    if role in accounts.NEEDS_DEPARTMENT and not department:
        refuse(f"--department: a {role} belongs to a department")
    if locale not in ("zh", "en"):
        refuse("--locale: zh or en")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        refuse("--email: not an address")
    password = _password(password_stdin)

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.transaction() as tx:
            known = await accounts.person(tx, name)
            if known is not None and not replace:
                refuse(f"{name} exists already; --replace changes it")
            if department and await accounts.department(tx, department) is None:
                codes = ", ".join(sorted(await accounts.all_departments(tx)))
                refuse(f"--department: there is no {department!r}; choose from {codes}")
            row = known or PersonRow(username=name, display="", role="", password="")
            row.display = display or row.display or name
            row.role, row.department = str(role), department or None
            row.email, row.locale = email or row.email, locale
            row.password, row.demo, row.active = accounts.hash_password(password), False, True
            accounts.list_person(tx, row)
        say(f"{name}: {role}" + (f", {department}" if department else ""))

    with_service(build, work)


@cli.command(name="add-department")
def add_department(
    code: Annotated[str, typer.Argument(help="short ASCII code, e.g. archives")],
    zh: Annotated[str, typer.Argument(help="Chinese name")],
    en: Annotated[str, typer.Argument(help="English name")],
    close: Annotated[bool, typer.Option("--close", help="it takes no more work")] = False,
) -> None:
    """Add a department, rename one, or close it."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,31}", code):
        refuse("CODE: 2 to 32 lower-case letters, digits or underscores")
    if not zh.strip() or not en.strip():
        refuse("ZH, EN: both names, please")

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.transaction() as tx:
            row = (await accounts.all_departments(tx)).get(code) or DepartmentRow(
                code=code, zh="", en=""
            )
            row.zh, row.en, row.active = zh.strip(), en.strip(), not close
            accounts.list_department(tx, row)
        say(f"{code}: {zh} / {en}" + (" (closed)" if close else ""))

    with_service(build, work)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("密码 / password: ")
        if getpass.getpass("再输一次 / again: ") != password:
            refuse("the two passwords differ")
    else:
        refuse("no terminal to ask on: give the password with --password-stdin")
    if len(password) < SHORTEST_PASSWORD:
        refuse(f"the password needs at least {SHORTEST_PASSWORD} characters")
    return password


if __name__ == "__main__":
    cli()
