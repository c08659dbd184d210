"""Code of one release on tables of another: who starts, who refuses, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.db import DatabaseNotReady
from shared.process import migrate_and_seed
from shared.service import Runtime, Service
from tests.upgrades.histories import FIRST, Histories, Step

ADDS = Step("0001", 3, "op.add_column('outbox', sa.Column('more', sa.Text()))")
DROPS = Step("0002", 4, "op.drop_column('log_ends', 'offset')")


@pytest.fixture
def histories(make_quiet_runtime: Callable[..., Runtime], tmp_path: Path) -> Histories:
    return Histories(make_quiet_runtime(), tmp_path)


async def refusal(service: Service) -> str:
    with pytest.raises(DatabaseNotReady) as refused:
        await service.check_database()
    return str(refused.value)


async def test_code_starts_on_newer_tables_that_still_work_for_it_and_says_so(
    histories: Histories,
) -> None:
    old, new = histories.service(FIRST), histories.service(FIRST, ADDS)
    await old.migrate()
    await new.migrate()
    await new.check_database()
    assert new.warnings() == []
    await old.check_database()
    (warning,) = old.warnings()
    assert "version 0002 of release 3" in warning


async def test_code_refuses_older_tables_and_says_what_to_do(histories: Histories) -> None:
    await histories.service(FIRST).migrate()
    said = await refusal(histories.service(FIRST, ADDS))
    assert "at version 0001, this code needs 0002" in said
    assert "python -m services setup" in said


async def test_code_refuses_tables_too_new_for_it_and_says_which_release_is_needed(
    histories: Histories,
) -> None:
    oldest, old = histories.service(FIRST), histories.service(FIRST, ADDS)
    await histories.service(FIRST, ADDS, DROPS).migrate()
    await old.check_database()
    # The release before the one that drops works too, and is enough.
    assert "run release 3 or newer" in await refusal(oldest)
    with pytest.raises(DatabaseNotReady, match="run release 3 or newer"):
        await oldest.migrate()


async def test_a_set_up_of_older_code_does_nothing_and_says_so(
    histories: Histories, capsys: pytest.CaptureFixture[str]
) -> None:
    seeded: list[bool] = []

    async def seed(demo: bool) -> None:
        seeded.append(demo)

    old, new = histories.service(FIRST), histories.service(FIRST, ADDS)
    old.seeds, new.seeds = [seed], [seed]
    await migrate_and_seed([new], demo=False)
    await migrate_and_seed([old], demo=True)
    assert seeded == [False]
    assert "nothing to do" in capsys.readouterr().out
    await new.check_database()


async def test_tables_of_before_release_2_learn_what_works_on_them_at_the_next_set_up(
    histories: Histories,
) -> None:
    old, new = histories.service(FIRST), histories.service(FIRST, ADDS)
    await old.migrate()
    async with old.engine.begin() as connection:
        await connection.execute(text("DROP TABLE schema_revisions"))
    await old.check_database()
    await new.migrate()
    await old.check_database()
    async with new.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT revision, works_with, release FROM schema_revisions ORDER BY revision")
        )
        assert [tuple(row) for row in rows] == [("0001", "0001", 2), ("0002", "0001", 3)]


async def test_tables_that_do_not_say_what_works_on_them_are_refused(histories: Histories) -> None:
    old, new = histories.service(FIRST), histories.service(FIRST, ADDS)
    await new.migrate()
    async with new.engine.begin() as connection:
        await connection.execute(text("DELETE FROM schema_revisions"))
    assert "run a newer release" in await refusal(old)
