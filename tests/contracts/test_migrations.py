"""What every migration says of itself: which code still works on its tables, and its release."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from services.__main__ import NAMES
from shared.db.migrate import directory, known
from shared.db.revisions import Revision, names
from shared.release import RELEASE

SERVICES = Path(__file__).parents[2] / "services"


def mistakes(migrations: dict[str, Revision]) -> list[str]:
    """What the declarations of a history, the oldest first, break."""
    found: list[str] = []
    order = list(migrations)
    for number, (name, one) in enumerate(migrations.items()):
        if one.release > RELEASE:
            found.append(f"{name}: RELEASE {one.release} is not begun, this is {RELEASE}")
        if one.works_with not in order[: number + 1]:
            found.append(f"{name}: WORKS_WITH {one.works_with} is no earlier revision")
        elif number and migrations[one.works_with].release >= one.release:
            found.append(f"{name}: the code of the release before does not work on its tables")
    for (_, before), (name, one) in pairwise(migrations.items()):
        if one.release < before.release:
            found.append(f"{name}: its RELEASE is older than that of the migration before")
        if one.works_with in order and order.index(one.works_with) < order.index(before.works_with):
            found.append(f"{name}: WORKS_WITH is code that the migration before left behind")
    return found


@pytest.mark.parametrize("service", NAMES)
def test_every_migration_works_with_the_code_of_the_release_before(service: str) -> None:
    assert mistakes(known(SERVICES / service / "migrations")) == []


@pytest.mark.parametrize("service", NAMES)
def test_the_revisions_read_in_the_files_are_the_history_that_alembic_reads(service: str) -> None:
    migrations = SERVICES / service / "migrations"
    assert names(migrations) == list(known(migrations))
    assert names(migrations)[-1] == directory(migrations).get_current_head()


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        ({"0002": Revision("0002", 2)}, "release before does not work"),
        ({"0002": Revision("0001", RELEASE + 1)}, "is not begun"),
        ({"0002": Revision("0007", 2)}, "no earlier revision"),
        ({"0002": Revision("0001", 0)}, "older than"),
        ({"0002": Revision("0001", 2), "0003": Revision("0002", 2)}, "release before does not"),
        (
            {"0002": Revision("0001", 2), "0003": Revision("0002", 3), "0004": Revision("0001", 3)},
            "left behind",
        ),
    ],
)
def test_a_wrong_declaration_is_found(said: dict[str, Revision], mistake: str) -> None:
    assert mistake in "; ".join(mistakes({"0001": Revision("0001", 1)} | said))


@pytest.mark.parametrize("left_out", ["WORKS_WITH", "RELEASE"])
def test_a_migration_that_says_nothing_is_found(tmp_path: Path, left_out: str) -> None:
    lines = ["revision = '0001'", "down_revision = None", "WORKS_WITH = '0001'", "RELEASE = 1"]
    folder = tmp_path / "versions"
    folder.mkdir()
    (tmp_path / "env.py").touch()
    said = [line for line in lines if not line.startswith(left_out)]
    (folder / "0001.py").write_text("\n".join([*said, "def upgrade(): ..."]))
    with pytest.raises(ValueError, match=left_out):
        known(tmp_path)
