"""Whether this code works on these tables, which may be older or newer than it is.

A migration says ``WORKS_WITH``, the oldest revision whose code still works on the tables it makes,
and ``RELEASE``, the release it first goes out with. Both are kept in the database as well, in
``schema_revisions``: code of the release before has no file of the migrations that came after it.
Which revisions the code knows is read in their files, so that a process that serves needs no
Alembic (`shared.db.migrate`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.errors import DatabaseNotReady
from shared.release import RELEASE


class Fit(StrEnum):
    """How code and tables stand to each other."""

    NOT_SET_UP = "not set up"
    BEHIND = "behind"
    """The tables are older than the code: it does not start, a set-up mends it."""
    EQUAL = "equal"
    AHEAD = "ahead"
    """The tables are newer and say that this code still works on them."""
    TOO_FAR_AHEAD = "too far ahead"


_NAME = re.compile(r"""^revision\b.* = ["'](\w+)["']$""", re.MULTILINE)
TABLE = "schema_revisions"
"""The runner's own, like Alembic's; no service's metadata has it."""


@dataclass(frozen=True)
class Revision:
    """What a migration says of itself."""

    works_with: str
    release: int


@dataclass(frozen=True)
class Standing:
    """Code and tables beside each other."""

    fit: Fit
    present: str | None
    """The revision of the tables."""
    head: str
    """The revision of the code."""
    release: int | None = None
    """Where the tables are newer: of which release they are, or, too far ahead, the oldest
    release that works on them. None where the database does not say."""


def stand(known: Sequence[str], present: str | None, told: Mapping[str, Revision]) -> Standing:
    """Compare the revisions that the code knows with what the database was `told`.

    `known`: the oldest first.
    """
    head = known[-1]
    if present is None:
        return Standing(Fit.NOT_SET_UP, present, head)
    if present == head:
        return Standing(Fit.EQUAL, present, head)
    if present in known:
        return Standing(Fit.BEHIND, present, head)
    said = told.get(present)
    if said is not None and said.works_with in known:
        return Standing(Fit.AHEAD, present, head, said.release)
    oldest = told.get(said.works_with) if said else None
    return Standing(Fit.TOO_FAR_AHEAD, present, head, oldest.release if oldest else None)


def standing(connection: Connection, migrations: Path) -> Standing:
    """How the tables of this database stand to the code with these `migrations`."""
    return stand(names(migrations), _present(connection), _told(connection))


def names(migrations: Path) -> list[str]:
    """The revisions of a service, the oldest first."""
    files = sorted((migrations / "versions").glob("*.py"))
    return [name for one in files for name in _NAME.findall(one.read_text(encoding="utf-8"))]


def _present(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _told(connection: Connection) -> dict[str, Revision]:
    # Tables made before release 2 do not have it; code and tables are then at the first revision.
    if connection.scalar(text(f"SELECT to_regclass('{TABLE}')")) is None:
        return {}
    rows = connection.execute(text(f"SELECT revision, works_with, release FROM {TABLE}"))
    return {row.revision: Revision(row.works_with, row.release) for row in rows}


async def check(engine: AsyncEngine, service: str, migrations: Path) -> Standing:
    """How the tables stand to this code; `DatabaseNotReady` unless it works on them."""
    hint = f"run: python -m services.{service} migrate  (or: python -m services setup)"
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(standing, migrations)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != asyncpg.InvalidCatalogNameError.sqlstate:
            raise
        raise DatabaseNotReady(f"{service}: there is no database yet; {hint}") from None
    match found.fit:
        case Fit.NOT_SET_UP:
            raise DatabaseNotReady(f"{service}: the database is not set up; {hint}")
        case Fit.BEHIND:
            raise DatabaseNotReady(
                f"{service}: the database is at version {found.present}, this code needs "
                f"{found.head}; {hint}"
            )
        case Fit.TOO_FAR_AHEAD:
            raise DatabaseNotReady(too_far_ahead(service, found))
    return found


def ahead(service: str, standing: Standing) -> str:
    """The sentence of tables that are newer than the code that works on them."""
    return (
        f"{service}: the database is at version {standing.present} of release {standing.release}, "
        f"newer than this code ({standing.head}, release {RELEASE}), which still works on it"
    )


def too_far_ahead(service: str, standing: Standing) -> str:
    """The sentence of tables on which this code does not work."""
    needed = f"release {standing.release} or newer" if standing.release else "a newer release"
    return (
        f"{service}: the database is at version {standing.present}, on which this code "
        f"({standing.head}, release {RELEASE}) does not work; run {needed}"
    )
