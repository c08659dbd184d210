"""Which processes of the system run on this machine: each leaves a note while it runs."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import structlog

from shared.settings import Settings

log = structlog.get_logger()


@contextlib.contextmanager
def note_of(settings: Settings, services: Iterable[str]) -> Iterator[None]:
    """``<data>/run/<pid>.json`` with ``{pid, url, services}`` for the length of a block.

    `url` is this process's own address, whatever links in messages begin with. A data directory
    that cannot be written costs the note, not the process.
    """
    note = {
        "pid": os.getpid(),
        "url": settings.own_url,
        "services": list(services),
    }
    path = settings.data / "run" / f"{os.getpid()}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for other in path.parent.glob("*.json"):
            if _read(other) is None:
                other.unlink(missing_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.write_text(json.dumps(note))
        unfinished.replace(path)
    except OSError as error:
        log.warning("no note for the status command", error=str(error))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def running(data: Path) -> list[dict[str, Any]]:
    """The notes of processes that are alive; what a killed one left is ignored."""
    return [note for path in sorted((data / "run").glob("*.json")) if (note := _read(path))]


def _read(path: Path) -> dict[str, Any] | None:
    """The note, or None when its process is gone, or its number has gone to another program.

    A process is known by its command, not by its start: that is counted from a clock that may jump.
    """
    try:
        note: dict[str, Any] = json.loads(path.read_text())
        command = psutil.Process(note["pid"]).cmdline()
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return note if any("services" in word for word in command) else None
