"""Extensions of PostgreSQL that a service makes use of where they are to be had."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from shared.db.address import parse_address
from shared.db.engine import database_name


async def install(server: str, service: str, names: Sequence[str]) -> dict[str, str]:
    """Install `names` into the database of `service`, as the account of the URL `server`.

    What cannot be had is given with the reason: the server has it not, or the account may not.
    """
    missing: dict[str, str] = {}
    if not names:
        return missing
    address = parse_address(server).database(database_name(service))
    connection = await address.connect(name="express_setup")
    try:
        for name in names:
            try:
                await connection.execute(f'CREATE EXTENSION IF NOT EXISTS "{name}"')
            except (
                asyncpg.FeatureNotSupportedError,
                asyncpg.UndefinedFileError,
                asyncpg.InsufficientPrivilegeError,
            ) as error:
                missing[name] = str(error)
            except (asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError):
                continue  # another set-up at the same moment
    finally:
        await connection.close()
    return missing
