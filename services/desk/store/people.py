"""Departments, accounts and passwords. What changes is told on the directory."""

from __future__ import annotations

import asyncio
from functools import cache

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import select

from services.desk.store.tables import DepartmentRow, PersonRow
from shared.contracts.desk import DepartmentListed, PersonListed
from shared.contracts.vocabulary import Role
from shared.messaging.transaction import Transaction

NEEDS_DEPARTMENT = frozenset({Role.LIAISON, Role.HANDLER, Role.REVIEWER})
_AT_ONCE = asyncio.Semaphore(2)
"""Hashing takes memory and a core: a rush of sign-ins waits its turn instead."""


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

    async with _AT_ONCE:
        await asyncio.to_thread(_nobody)
        return await asyncio.to_thread(verify)


async def person(tx: Transaction, username: str) -> PersonRow | None:
    """An account."""
    return await tx.session.get(PersonRow, username)


async def department(tx: Transaction, code: str) -> DepartmentRow | None:
    """A department that takes work."""
    row = await tx.session.get(DepartmentRow, code)
    return row if row is not None and row.active else None


async def staff_of(tx: Transaction, code: str) -> list[PersonRow]:
    """Who may be given work in a department."""
    found = await tx.session.exec(
        select(PersonRow)
        .where(PersonRow.department == code, PersonRow.active)
        .where(PersonRow.role.in_([str(r) for r in NEEDS_DEPARTMENT]))  # type: ignore[attr-defined]
        .order_by(PersonRow.role, PersonRow.username)
    )
    return list(found)


async def everybody(tx: Transaction) -> dict[str, PersonRow]:
    """All accounts by name."""
    return {p.username: p for p in await tx.session.exec(select(PersonRow))}


async def all_departments(tx: Transaction) -> dict[str, DepartmentRow]:
    """All departments by code."""
    return {d.code: d for d in await tx.session.exec(select(DepartmentRow))}


def list_person(tx: Transaction, row: PersonRow) -> None:
    """Keep an account and tell the house."""
    tx.session.add(row)
    told = PersonListed(at=tx.now, **row.model_dump(exclude={"password", "demo"}))
    tx.emit(told)
    _know(tx, told)


def list_department(tx: Transaction, row: DepartmentRow) -> None:
    """Keep a department and tell the house."""
    tx.session.add(row)
    told = DepartmentListed(at=tx.now, **row.model_dump())
    tx.emit(told)
    _know(tx, told)


def _know(tx: Transaction, told: PersonListed | DepartmentListed) -> None:
    directory = tx.tools.directory
    tx.after_commit(lambda: directory.apply(told))
