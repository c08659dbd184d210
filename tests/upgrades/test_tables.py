"""The tables of each service: its metadata are its migrations, and each migration only adds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from services.__main__ import NAMES, builds
from shared.db.address import parse_address
from shared.db.migrate import known
from shared.db.revisions import TABLE
from shared.service import Runtime, Service
from tests.upgrades.catalogue import Thing, broken, catalogue, differences
from tests.upgrades.databases import contracts, empty_database


@pytest.fixture(params=NAMES)
def service(request: pytest.FixtureRequest, make_quiet_runtime: Callable[..., Runtime]) -> Service:
    return builds()[request.param](make_quiet_runtime())


async def test_the_migrations_make_what_the_metadata_says(service: Service, postgres: str) -> None:
    async with empty_database(postgres) as migrated, empty_database(postgres) as made:
        await migrated.upgrade(service, "head")
        await made.create(service.metadata, await migrated.extensions())
        assert differences(await migrated.catalogue(), await made.catalogue()) == []
        async with migrated.engine.connect() as connection:
            found = await connection.run_sync(
                lambda c: compare_metadata(
                    MigrationContext.configure(
                        c,
                        opts={"include_name": lambda n, kind, _: (kind, n) != ("table", TABLE)},
                    ),
                    service.metadata,
                )
            )
    assert found == []


async def test_no_migration_takes_anything_from_the_code_that_still_works(
    service: Service, postgres: str
) -> None:
    async with empty_database(postgres) as database:
        seen = {}
        for revision, said in known(service.migrations).items():
            await database.upgrade(service, revision)
            seen[revision] = await database.catalogue()
            taken = contracts(service.migrations, revision)
            assert broken(seen[said.works_with], seen[revision], taken) == [], revision


_TABLES = """
CREATE TABLE cases (id text PRIMARY KEY, state text, seen int DEFAULT 1, rated boolean NOT NULL);
CREATE INDEX by_state ON cases (state) WHERE rated;
CREATE UNIQUE INDEX one_state ON cases (state, id);
"""
_NOTICED = [
    "ALTER TABLE cases SET (autovacuum_vacuum_scale_factor = 0.1)",
    "DROP INDEX by_state; CREATE INDEX by_state ON cases (state)",
    "DROP INDEX by_state; CREATE INDEX by_state ON cases (lower(state)) WHERE rated",
    "DROP INDEX by_state; CREATE INDEX by_state ON cases (state text_pattern_ops) WHERE rated",
    "ALTER INDEX by_state SET (fillfactor = 50)",
    "CREATE INDEX another ON cases (seen)",
    "ALTER TABLE cases ALTER seen SET DEFAULT 2",
    "ALTER TABLE cases ALTER state SET STORAGE EXTERNAL",
    "ALTER TABLE cases ADD more text",
    "ALTER TABLE cases ADD more int GENERATED ALWAYS AS (seen + 1) STORED",
    "ALTER TABLE cases ADD more int NOT NULL DEFAULT 0",
    "COMMENT ON COLUMN cases.state IS 'where it is'",
    "CREATE TABLE more (id text PRIMARY KEY)",
]
"""What two databases may not differ in, although older code works on both."""
_BREAKING = [
    "DROP INDEX by_state; CREATE UNIQUE INDEX by_state ON cases (state) WHERE rated",
    "DROP INDEX one_state",
    "DROP INDEX one_state; CREATE UNIQUE INDEX one_state ON cases (state, id) NULLS NOT DISTINCT",
    "ALTER TABLE cases DROP seen",
    "ALTER TABLE cases RENAME seen TO looked_at",
    "ALTER TABLE cases ALTER state SET NOT NULL",
    "ALTER TABLE cases ALTER seen TYPE bigint",
    'ALTER TABLE cases ALTER state TYPE text COLLATE "C"',
    "ALTER TABLE cases ADD more text NOT NULL",
    "ALTER TABLE cases ADD CHECK (seen > 0)",
    "ALTER TABLE cases ADD CHECK (seen > 0) NOT VALID",
    "ALTER TABLE cases ADD UNIQUE (seen)",
    "CREATE UNIQUE INDEX another ON cases (seen)",
    "DROP TABLE cases",
    "ALTER TABLE cases RENAME TO letters",
]


@pytest.mark.parametrize("change", [*_NOTICED, *_BREAKING])
async def test_what_the_comparison_sees(postgres: str, change: str) -> None:
    connection = await parse_address(postgres).connect(name="a test")
    try:
        await connection.execute("CREATE SCHEMA apart; SET search_path = apart")
        await connection.execute(_TABLES)
        before = await catalogue(connection)
        await connection.execute(change)
        after = await catalogue(connection)
    finally:
        await connection.execute("DROP SCHEMA apart CASCADE")
        await connection.close()
    assert differences(before, after)
    assert bool(broken(before, after)) == (change in _BREAKING)


def test_what_a_migration_says_it_takes_away_may_go() -> None:
    column = Thing("text", "", False)
    before = {("column", "cases", "old"): column, ("column", "cases", "older"): column}
    assert broken(before, {}, ["cases.old"]) == ["column cases older is gone"]
