"""The next migration as a developer is given it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Column, Text

from services.__main__ import NAMES
from shared.db.migrate import known, write_next
from shared.release import RELEASE
from shared.service import Runtime
from tests.upgrades.histories import FIRST, Histories

SERVICES = Path(__file__).parents[2] / "services"
TEMPLATE = SERVICES / "desk" / "migrations" / "script.py.mako"


def test_every_service_has_the_same_template() -> None:
    for name in NAMES:
        its = SERVICES / name / "migrations" / "script.py.mako"
        assert its.read_text() == TEMPLATE.read_text(), name


async def test_it_has_the_difference_and_says_that_the_last_release_works_on_it(
    make_quiet_runtime: Callable[..., Runtime], tmp_path: Path
) -> None:
    service = Histories(make_quiet_runtime(), tmp_path).service(FIRST)
    await service.migrate()
    shutil.copy(TEMPLATE, service.migrations)
    service.metadata.tables["outbox"].append_column(Column("more", Text))
    async with service.engine.connect() as connection:
        await connection.run_sync(write_next, service.migrations, service.metadata, "more of it")
    (written,) = (service.migrations / "versions").glob("0002*.py")
    assert "op.add_column('outbox', sa.Column('more'" in written.read_text()
    said = known(service.migrations)["0002"]
    assert (said.works_with, said.release) == ("0001", RELEASE)
    assert await service.migrate() is None
    await service.check_database()
    await service.engine.dispose()
