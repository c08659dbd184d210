"""The code is formatted, free of what the linter knows, and agrees with its own types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "--no-cache", "."),
        ("ruff", "format", "--no-cache", "--check", "."),
        ("mypy", "shared", "services"),
    ],
    ids=["linter", "format", "types"],
)
def test_it_finds_nothing(command: tuple[str, ...], tmp_path: Path) -> None:
    tool, *arguments = command
    if tool == "mypy":
        arguments.append(f"--cache-dir={tmp_path}")
    program = Path(sys.executable).with_name(tool)
    done = subprocess.run(
        [program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
