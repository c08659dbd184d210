"""What is generated is what the code says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.__main__ import drift, generated
from schemas.readers import NAMES, written

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def files() -> dict[Path, str]:
    return generated()


def test_the_committed_files_are_what_the_code_says_now(files: dict[Path, str]) -> None:
    assert drift(files) == [], "run: python -m schemas, and look at what changed"


def test_every_service_of_the_system_is_described(files: dict[Path, str]) -> None:
    assert written() == list(NAMES)
    described = {p.stem for p in files if p.parent.name == "asyncapi"}
    assert described == set(NAMES)


def test_another_process_writes_the_same_bytes(files: dict[Path, str]) -> None:
    code = "import sys; from schemas.__main__ import generated; " + (
        "[sys.stdout.buffer.write(t.encode()) for _, t in sorted(generated().items())]"
    )
    there = "".join(text for _, text in sorted(files.items())).encode()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        check=True,
    )
    assert done.stdout == there
