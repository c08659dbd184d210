"""What a line of the log looks like, whoever writes it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.observability import logs
from shared.observability.logs import log


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers, filters = root.level, root.handlers[:], log.level
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    log.level = filters


def _only_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().err.splitlines()
    said: dict[str, Any] = json.loads(line)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(said.pop("timestamp"))).days) == 0
    return said


def test_an_event_is_one_line_with_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    log.warning("规则不能用", version=3, path=Path("rules.json"))
    assert _only_line(capsys) == {
        "event": "规则不能用",
        "level": "warning",
        "version": 3,
        "path": "PosixPath('rules.json')",
    }


@pytest.mark.parametrize("given", [True, "the error itself"])
def test_an_error_brings_its_traceback(capsys: pytest.CaptureFixture[str], given: object) -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        log.error("job failed", exc_info=True if given is True else error)
    said = _only_line(capsys)
    assert said.pop("exception").endswith("ValueError: two\nlines")
    assert said == {"event": "job failed", "level": "error"}


@pytest.mark.parametrize("given", [False, None])
def test_without_a_traceback_nothing_is_said_of_one(
    capsys: pytest.CaptureFixture[str], given: bool | None
) -> None:
    log.error("job failed", exc_info=given)
    assert "exception" not in _only_line(capsys)


def test_what_is_below_the_level_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(logging.WARNING)
    log.info("learned")
    assert capsys.readouterr().err == ""


def test_a_line_of_a_library_has_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("asyncio").exception("task %s failed", "relay")
    said = _only_line(capsys)
    assert said.pop("exception").endswith("ValueError: no")
    assert said == {"event": "task relay failed", "level": "error"}
