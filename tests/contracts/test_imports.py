"""Who may import whom: the rules of ``.importlinter``, and the one that we wrote ourselves."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from grimp import ImportGraph

from schemas.readers import NAMES
from tests.contracts.allowed_imports import AllowedImports

ROOT = Path(__file__).parent.parent.parent


def test_nobody_imports_what_is_not_theirs() -> None:
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_name_every_service() -> None:
    rules = (ROOT / ".importlinter").read_text("utf-8")
    for name in NAMES:
        assert rules.count(f"    services.{name}\n") == 4
        assert f"    services.{name}.domain\n" in rules


def test_a_kind_of_module_that_is_not_in_the_list_needs_a_reason(tmp_path: Path) -> None:
    for part in ("services", "shared", "schemas"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=_only_code)
    shutil.copytree(ROOT / "tests/contracts", tmp_path / "tests/contracts", ignore=_only_code)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    (tmp_path / "services/desk/helpers.py").touch()
    done = _lint(tmp_path)
    assert done.returncode == 1
    assert "services.desk.helpers" in done.stdout


def _only_code(folder: str, names: list[str]) -> set[str]:
    return {n for n in names if not n.endswith(".py") and not (Path(folder) / n).is_dir()}


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def _graph(*imports: tuple[str, str]) -> ImportGraph:
    graph = ImportGraph()
    for module in ("ours", "ours.domain", "ours.domain.table", "ours.store"):
        graph.add_module(module)
    for importer, imported in imports:
        if imported not in graph.modules:
            graph.add_module(imported, is_squashed="." not in imported)
        graph.add_import(
            importer=importer, imported=imported, line_number=7, line_contents="import"
        )
    return graph


def _kept(*imports: tuple[str, str]) -> bool:
    contract = AllowedImports(
        "domain",
        {},
        {
            "source_modules": ["ours.domain"],
            "allowed_modules": ["pydantic", "shared.contracts"],
            "refused_modules": ["time", "urllib"],
        },
    )
    return contract.check(_graph(*imports), verbose=False).kept


@pytest.mark.parametrize(
    "imported", ["pydantic", "shared.contracts", "shared.contracts.desk", "re", "ours.domain.table"]
)
def test_a_domain_may_import_what_is_listed(imported: str) -> None:
    assert _kept(("ours.domain", imported))


@pytest.mark.parametrize(
    "imported", ["sqlalchemy", "ours.store", "shared.service", "shared.contractsx", "time"]
)
@pytest.mark.parametrize("importer", ["ours.domain", "ours.domain.table"])
def test_a_domain_may_import_nothing_else(importer: str, imported: str) -> None:
    assert not _kept((importer, imported))


def test_others_may_import_what_they_like() -> None:
    assert _kept(("ours.store", "sqlalchemy"))
