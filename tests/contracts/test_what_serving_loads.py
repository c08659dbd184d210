"""A process that serves holds what it needs for that: what commands and set-ups need is not in it.

Each of these is megabytes in every process, and time at every start.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.readers import NAMES
from tests.patience import PATIENCE

ROOT = Path(__file__).parent.parent.parent
COMMANDS = ("typer", "rich", "pygments", "shared.cli", "shared.backup", "services.demo")
SET_UP = ("alembic", "mako", "shared.db.migrate", "jgo", "requests")
LEARNING = ("sklearn", "scipy")
SELDOM = ("cryptography", "openpyxl", "pypinyin", "segno", "PIL")
"""A key of an official account, a workbook somebody sends, a name that is looked for, a QR code, a
picture."""
COUNTING = ("numpy",)
"""Desk and routing load it with the first case whose meaning they compare."""
PROGRAM = """
import sys
from pathlib import Path
from services.{name}.__main__ import build
from shared.process import runtime_for
from shared.settings import Settings
from shared.web.app import web_app

settings = Settings(data=Path(sys.argv[1]))
runtime = runtime_for(settings, "postgresql://127.0.0.1:1/none", "127.0.0.1:1")
web_app(runtime, {{"{name}": build(runtime)}}, list)
print(*sys.modules)
"""


@pytest.mark.parametrize("name", NAMES)
def test_who_serves_loads_nothing_else(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(name=name), tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert f"services.{name}.app" in loaded
    needless = [*COMMANDS, *SET_UP, *LEARNING, *SELDOM, *COUNTING, f"services.{name}.commands"]
    needless += [f"services.{other}" for other in NAMES if other != name]
    assert loaded.isdisjoint(needless), sorted(loaded & set(needless))
