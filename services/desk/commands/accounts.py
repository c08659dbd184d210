"""Accounts: who may do what here, who is away, who has left."""

from __future__ import annotations

import getpass
import re
import sys
from datetime import datetime
from typing import Annotated

import typer

from services.desk import jobs
from services.desk.app import build
from services.desk.commands.listed import check_department
from services.desk.store import PersonRow
from services.desk.store import people as accounts
from services.desk.store.posts import nobody_left, posts_filled
from shared.cli import with_service
from shared.contracts.vocabulary import Role
from shared.messaging.transaction import Transaction
from shared.moments import LOCAL, local
from shared.process import say
from shared.service import Service
from shared.settings import refuse

_Force = Annotated[
    bool, typer.Option("--force", help="also where nobody is left to administer or coordinate")
]


def create_user(
    name: Annotated[str, typer.Argument(help="the account, e.g. wang.li")],
    role: Annotated[list[Role], typer.Option(help="what this person does here; may be repeated")],
    department: Annotated[str, typer.Option(help="code of the department")] = "",
    display: Annotated[str, typer.Option(help="the name people see; default: the account")] = "",
    email: Annotated[str, typer.Option(help="where staff messages go")] = "",
    locale: Annotated[str, typer.Option(help="zh or en; default: EXPRESS_LOCALE")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the password from standard input")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="change an account that exists")
    ] = False,
    force: _Force = False,
) -> None:
    """Create an account (or change one, with --replace). Asks for the password."""
    name = accounts.account_name(name)
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        refuse("NAME: letters, digits, dot, dash and underscore, at most 64")
    _check_roles(role, department)
    if locale not in ("", "zh", "en"):
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
            if department:
                await check_department(tx, department, "--department")
            before = await posts_filled(tx)
            row = known or PersonRow(
                username=name,
                display="",
                role="",
                password="",
                locale=service.runtime.settings.locale,
            )
            row.display = display or row.display or name
            accounts.set_roles(row, role)
            row.department = department or None
            row.email, row.locale = email or row.email, locale or row.locale
            row.active = True
            hashed = accounts.hash_password(password)
            if known is None:
                row.password, row.demo = hashed, False
            else:
                accounts.set_password(tx, row, hashed)
            accounts.list_person(tx, row)
            left = await nobody_left(tx, before, name, force=force)
        await _hand_over(service)
        say(
            f"{name}: {', '.join(row.roles)}"
            + (f", {department}" if department else "")
            + _mind(left)
        )

    with_service(build, work)


def set_roles(
    name: Annotated[str, typer.Argument(help="the account, e.g. wang.li")],
    role: Annotated[list[Role], typer.Option(help="what this person does; may be repeated")],
    department: Annotated[str, typer.Option(help="code of the department; default: as now")] = "",
    force: _Force = False,
) -> None:
    """Give an account other roles, at once and without a new password."""

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.transaction() as tx:
            row = await _account(tx, name)
            _check_roles(role, department or row.department or "")
            if department:
                await check_department(tx, department, "--department")
            before = await posts_filled(tx)
            accounts.set_roles(row, role)
            row.department = department or row.department
            accounts.list_person(tx, row)
            left = await nobody_left(tx, before, row.username, force=force)
        await _hand_over(service)
        where = f", {row.department}" if row.department else ""
        say(f"{row.username}: {', '.join(row.roles)}{where}{_mind(left)}")

    with_service(build, work)


def away(
    name: Annotated[str, typer.Argument(help="the account, e.g. wang.li")],
    until: Annotated[str, typer.Option(help="the moment of coming back, e.g. 2026-03-09T08:30")],
    substitute: Annotated[str, typer.Option(help="the account that stands in until then")] = "",
) -> None:
    """Somebody is away from now on; a substitute may do what they may until they are back."""
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        refuse(f"--until: {until!r} is no moment; write it like 2026-03-09T08:30")
    _set_absence(name, moment.replace(tzinfo=moment.tzinfo or LOCAL), substitute)


def back(name: Annotated[str, typer.Argument(help="the account, e.g. wang.li")]) -> None:
    """Somebody is back before the time they named; nobody stands in for them any more."""
    _set_absence(name, None, "")


def _set_absence(name: str, until: datetime | None, substitute: str) -> None:
    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.transaction() as tx:
            row = await _account(tx, name)
            await accounts.set_absence(tx, row, until, substitute)
        if until is None:
            say(f"{row.username}: back")
        else:
            say(
                f"{row.username}: away until {local(until)}; {row.substitute or 'nobody'} stands in"
            )

    with_service(build, work)


def deactivate_user(
    name: Annotated[str, typer.Argument(help="the account, e.g. wang.li")],
    force: _Force = False,
) -> None:
    """Close the account of somebody who left; their open cases go back to the department."""

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.transaction() as tx:
            row = await _account(tx, name)
            before = await posts_filled(tx)
            row.active = False
            accounts.list_person(tx, row)
            left = await nobody_left(tx, before, row.username, force=force)
        await _hand_over(service)
        say(f"{row.username}: closed{_mind(left)}")

    with_service(build, work)


def set_password(
    name: Annotated[str, typer.Argument(help="the account, e.g. wang.li")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the password from standard input")
    ] = False,
) -> None:
    """Give an account a new password; every session of it ends. Asks for the password."""
    password = _password(password_stdin)

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.transaction() as tx:
            row = await _account(tx, name)
            accounts.set_password(tx, row, accounts.hash_password(password))
        say(f"{row.username}: a new password; who was signed in is not any more")

    with_service(build, work)


def end_sessions(
    name: Annotated[str, typer.Argument(help="the account, e.g. wang.li")] = "",
    everybody: Annotated[bool, typer.Option("--all", help="of all accounts")] = False,
) -> None:
    """End every session of an account, or of all: after a loss or a leak."""
    if bool(name) == everybody:
        refuse("NAME or --all, please")

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.transaction() as tx:
            row = await _account(tx, name) if name else None
            accounts.end_sessions(tx, None if row is None else row.username)
        who = "everybody" if row is None else row.username
        say(f"{who} has to sign in again")

    with_service(build, work)


def _check_roles(roles: list[Role], department: str) -> None:
    for role in roles:
        if role in accounts.NEEDS_DEPARTMENT and not department:
            refuse(f"--department: a {role} belongs to a department")


async def _account(tx: Transaction, name: str) -> PersonRow:
    row = await accounts.person(tx, accounts.account_name(name))
    if row is None:
        refuse(f"NAME: there is no account {name!r}")
    return row


def _mind(left: tuple[str, str] | None) -> str:
    return f"\n注意：{left[0]} | mind: {left[1]}" if left else ""


async def _hand_over(service: Service) -> None:
    total = 0
    while n := await jobs.hand_over(service):
        total += n
    if total:
        say(f"{total} open cases were put back to their departments")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("密码 / password: ")
        if getpass.getpass("再输一次 / again: ") != password:
            refuse("the two passwords differ")
    else:
        refuse("no terminal to ask on: give the password with --password-stdin")
    if len(password) < accounts.SHORTEST_PASSWORD or not password.strip():
        shortest = accounts.SHORTEST_PASSWORD
        refuse(f"the password needs at least {shortest} characters, not all of them blanks")
    return password
