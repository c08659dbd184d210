"""Databases of the services: each is made once, and belongs to a role of its own."""

from __future__ import annotations

import contextlib

import asyncpg

from shared.db.address import parse_address
from shared.db.engine import database_name


async def ensure_database(server: str, service: str) -> str | None:
    """Create the service's database and its owning role; gives the role, if there is one.

    Where the account may not create roles, the database simply belongs to the account.
    """
    name = database_name(service)
    connection = await parse_address(server).connect(name="express_setup")
    try:
        may = await connection.fetchrow(
            "SELECT rolcreaterole OR rolsuper AS role, rolcreatedb OR rolsuper AS db "
            "FROM pg_roles WHERE rolname = current_user"
        )
        assert may is not None
        role: str | None = None
        known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
        if not known and may["role"]:
            with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
                await connection.execute(f'CREATE ROLE "{name}" NOLOGIN')
            known = 1
        if known:
            if may["role"]:
                await connection.execute(f'GRANT "{name}" TO current_user')
            role = name
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            owner = f' OWNER "{role}"' if role else ""
            try:
                await connection.execute(
                    f"CREATE DATABASE \"{name}\"{owner} TEMPLATE template0 ENCODING 'UTF8' "
                    "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C.UTF-8'"
                )
                await connection.execute(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')
                if role:
                    await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO "{role}"')
            except asyncpg.DuplicateDatabaseError:
                pass
    finally:
        await connection.close()
    return role


async def known_role(server: str, service: str) -> str | None:
    """The role this service acts as, where set-up made one."""
    name = database_name(service)
    connection = await parse_address(server).connect(name=name)
    try:
        member = await connection.fetchval(
            "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = $1", name
        )
    finally:
        await connection.close()
    return name if member else None
