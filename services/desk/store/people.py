"""Departments, accounts and passwords. What changes is emitted on the directory."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import col, select

from services.desk.domain.search import fold
from services.desk.store.tables import CategoryRow, DepartmentRow, PersonRow
from shared.contracts import SYSTEM, Actor
from shared.contracts.desk import CategoryListed, DepartmentListed, PersonListed, SessionsEnded
from shared.contracts.refusal import Unacceptable
from shared.contracts.vocabulary import Role
from shared.messaging.transaction import Transaction
from shared.moments import not_ahead
from shared.security import session_moment

SHORTEST_PASSWORD = 8
REPORT_KINDS = ("week", "month", "term")
READS_REPORTS = frozenset({Role.COORDINATOR, Role.LEADER, Role.REVIEWER})
"""Who is mailed reports: of the whole library, or the head of a department its own."""
NEEDS_DEPARTMENT = frozenset({Role.LIAISON, Role.HANDLER, Role.REVIEWER})


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))


@cache
def _nobody() -> str:
    return _hasher().hash("there is no such account")


def hash_password(password: str) -> str:
    """Slow on purpose; call it off the event loop where requests wait."""
    return _hasher().hash(password)


async def is_password(password: str, stored: str | None) -> bool:
    """Whether it is; takes as long for an account that does not exist (`stored` None)."""

    def verify() -> bool:
        against = stored or _nobody()
        try:
            return _hasher().verify(password, against) and stored is not None
        except UnknownHashError:
            return False

    return await asyncio.to_thread(verify)


def account_name(typed: str) -> str:
    """The account that is meant, however it was typed: `Clerk`, `ｃｌｅｒｋ` → `clerk`.

    The full stop of a Chinese keyboard is a dot: `li。ming` → `li.ming`.

    Accounts are made in this form only, so that no two differ in nothing else.
    """
    return fold(typed).replace("。", ".").strip()


async def person(tx: Transaction, username: str) -> PersonRow | None:
    """An account, by its name in the form of `account_name`."""
    return await tx.session.get(PersonRow, username)


async def department(tx: Transaction, code: str) -> DepartmentRow | None:
    """A department that takes work."""
    row = await tx.session.get(DepartmentRow, code)
    return row if row is not None and row.active else None


async def category(tx: Transaction, code: str) -> CategoryRow | None:
    """A category that is in use."""
    row = await tx.session.get(CategoryRow, code)
    return row if row is not None and row.active else None


async def staff_of(tx: Transaction, code: str) -> list[PersonRow]:
    """Who may be given work in a department."""
    found = await tx.session.exec(
        select(PersonRow)
        .where(PersonRow.department == code, PersonRow.active)
        .order_by(PersonRow.role, PersonRow.username)
    )
    return [row for row in found if row.all_roles & NEEDS_DEPARTMENT]


async def listed(tx: Transaction, usernames: list[str]) -> dict[str, PersonRow]:
    """Those of these accounts that are there and open, by name."""
    found = await tx.session.exec(
        select(PersonRow).where(PersonRow.active, col(PersonRow.username).in_(usernames))
    )
    return {row.username: row for row in found}


async def everybody(tx: Transaction) -> dict[str, PersonRow]:
    """All accounts by name."""
    return {p.username: p for p in await tx.session.exec(select(PersonRow))}


async def all_departments(tx: Transaction) -> dict[str, DepartmentRow]:
    """All departments by code."""
    return {d.code: d for d in await tx.session.exec(select(DepartmentRow))}


async def all_categories(tx: Transaction) -> dict[str, CategoryRow]:
    """All categories by code."""
    return {c.code: c for c in await tx.session.exec(select(CategoryRow))}


def set_roles(row: PersonRow, roles: Sequence[Role]) -> None:
    """Give an account these roles; the first is what the person is called."""
    row.roles = [str(role) for role in dict.fromkeys(roles)]
    row.role = row.roles[0]


async def set_absence(
    tx: Transaction,
    row: PersonRow,
    until: datetime | None,
    substitute: str | None,
    *,
    by: Actor = SYSTEM,
) -> PersonListed:
    """Away from now until then, or (None) back; 422 for who cannot stand in."""
    if until is None:
        row.away_until = row.substitute = None
        return list_person(tx, row, by=by)
    if (refused := not_ahead(until, tx.now)) is not None:
        raise _wrong("until", *refused)
    other = await person(tx, account_name(substitute)) if substitute else None
    if substitute and (other is None or not other.active):
        raise _wrong("substitute", "没有这个账号。", "There is no such account.")
    if other is not None and (refused := _cannot_stand_in(row, other, tx.now)) is not None:
        raise _wrong("substitute", *refused)
    row.away_until, row.substitute = until, other.username if other else None
    return list_person(tx, row, by=by, absence_entered=True)


async def choose_reports(
    tx: Transaction, row: PersonRow, wanted: Collection[str], *, by: Actor = SYSTEM
) -> PersonListed:
    """The kinds of reports this account gets by mail from now on; of no other kind there is one."""
    row.no_reports = [kind for kind in REPORT_KINDS if kind not in wanted]
    return list_person(tx, row, by=by)


def _cannot_stand_in(absent: PersonRow, other: PersonRow, now: datetime) -> tuple[str, str] | None:
    if other.username == absent.username:
        return "自己不能代自己。", "Nobody stands in for themselves."
    if other.is_away(now):
        return (
            "这位同事自己也不在，请另找一位。",
            "This colleague is away, too; please choose another.",
        )
    # They would see what is kept from them, or change what they only read.
    if other.all_roles <= NEVER_SUBSTITUTES:
        return (
            "学生助理和审计不代别人办事。",
            "Student assistants and auditors do not stand in for others.",
        )
    return None


NEVER_SUBSTITUTES = frozenset({Role.STUDENT, Role.AUDITOR})


def _wrong(field: str, zh: str, en: str) -> Unacceptable:
    return Unacceptable(zh, en, errors={field: f"{zh} | {en}"})


def list_person(
    tx: Transaction, row: PersonRow, *, by: Actor = SYSTEM, absence_entered: bool = False
) -> PersonListed:
    """Keep an account, and emit it on the directory."""
    tx.session.add(row)
    known = row.model_dump(exclude={"password", "demo"})
    event = PersonListed(at=tx.now, by=by, absence_entered=absence_entered, **known)
    tx.emit(event)
    return event


def set_password(
    tx: Transaction, row: PersonRow, hashed: str, *, by: Actor = SYSTEM
) -> SessionsEnded:
    """Keep a new password, and end every session that began with the old one."""
    row.password, row.demo = hashed, False
    tx.session.add(row)
    return end_sessions(tx, row.username, by=by)


def end_sessions(tx: Transaction, username: str | None, *, by: Actor = SYSTEM) -> SessionsEnded:
    """Whoever signed in until now, to this account or (None) to any, has to do so again."""
    before = session_moment(tx.now)
    event = SessionsEnded(at=tx.now, by=by, username=username, before=before)
    tx.emit(event)
    return event


def list_department(tx: Transaction, row: DepartmentRow) -> None:
    """Keep a department, and emit it on the directory."""
    tx.session.add(row)
    tx.emit(DepartmentListed(at=tx.now, **row.model_dump()))


def list_category(tx: Transaction, row: CategoryRow) -> None:
    """Keep a category, and emit it on the directory."""
    tx.session.add(row)
    tx.emit(CategoryListed(at=tx.now, **row.model_dump()))
