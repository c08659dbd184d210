"""Whether this code works on these tables, which may be older or newer than it is.

A migration says ``WORKS_WITH``, the oldest revision whose code still works on the tables it makes,
and ``RELEASE``, the release it first goes out with. Both are kept in the database as well, in
``schema_revisions``: code of the release before has no file of the migrations that came after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text


class Fit(StrEnum):
    """How code and tables stand to each other."""

    NOT_SET_UP = "not set up"
    BEHIND = "behind"
    """The tables are older than the code: it does not start, a set-up mends it."""
    EQUAL = "equal"
    AHEAD = "ahead"
    """The tables are newer and say that this code still works on them."""
    TOO_FAR_AHEAD = "too far ahead"


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


def stand(
    known: Mapping[str, Revision], head: str, present: str | None, told: Mapping[str, Revision]
) -> Standing:
    """Compare the revisions that the code knows with what the database was `told`."""
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


def declared(script: Script) -> Revision:
    """What the migration file says; ValueError where it does not."""
    module = script.module
    try:
        return Revision(module.WORKS_WITH, module.RELEASE)
    except AttributeError as missing:
        raise ValueError(f"{module.__file__} does not say {missing.name}") from None


def standing(connection: Connection, migrations: Path) -> Standing:
    """How the tables of this database stand to the code with these `migrations`."""
    head = directory(migrations).get_current_head()
    assert head is not None
    present = MigrationContext.configure(connection).get_current_revision()
    return stand(known(migrations), head, present, _told(connection))


def known(migrations: Path) -> dict[str, Revision]:
    """What the migrations of a service say of themselves, the oldest first."""
    scripts = list(directory(migrations).walk_revisions())
    return {one.revision: declared(one) for one in reversed(scripts)}


def directory(migrations: Path) -> ScriptDirectory:
    """The migration files of a service."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def _told(connection: Connection) -> dict[str, Revision]:
    # Tables made before release 2 do not have it; code and tables are then at the first revision.
    if connection.scalar(text(f"SELECT to_regclass('{TABLE}')")) is None:
        return {}
    rows = connection.execute(text(f"SELECT revision, works_with, release FROM {TABLE}"))
    return {row.revision: Revision(row.works_with, row.release) for row in rows}


def prepare(connection: Connection, migrations: Path) -> None:
    """Make the table of revisions and enter those that are in the tables already."""
    connection.execute(
        text(
            f"CREATE TABLE IF NOT EXISTS {TABLE} ("
            "revision text PRIMARY KEY, works_with text NOT NULL, release integer NOT NULL, "
            "at timestamptz NOT NULL DEFAULT now())"
        )
    )
    present = MigrationContext.configure(connection).get_current_revision()
    if present is not None:
        for script in directory(migrations).iterate_revisions(present, "base"):
            record(connection, script)


def record(connection: Connection, script: Script) -> None:
    """Enter a revision; inside the transaction that makes its tables."""
    said = declared(script)
    connection.execute(
        text(
            f"INSERT INTO {TABLE} (revision, works_with, release) "
            "VALUES (:revision, :works_with, :release) ON CONFLICT (revision) DO UPDATE "
            "SET works_with = excluded.works_with, release = excluded.release"
        ),
        {"revision": script.revision, "works_with": said.works_with, "release": said.release},
    )
