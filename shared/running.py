"""Which processes of the house run on this machine: each leaves a note while it runs."""

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

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


@contextlib.contextmanager
def note_of(settings: Settings, services: Iterable[str]) -> Iterator[None]:
    """``<data>/run/<pid>.json`` with ``{pid, url, services, started}`` for the length of a block.

    `url` is this process's own door, whatever links in messages begin with. A data directory that
    cannot be written costs the note, not the process.
    """
    host = _EVERYWHERE.get(settings.host, settings.host)
    note = {
        "pid": os.getpid(),
        "url": f"http://{host}:{settings.port}",
        "services": list(services),
        "started": psutil.Process().create_time(),
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
    """The notes of processes that are alive, oldest first; what a killed one left is ignored."""
    notes = [note for path in (data / "run").glob("*.json") if (note := _read(path))]
    return sorted(notes, key=lambda note: float(note["started"]))


def _read(path: Path) -> dict[str, Any] | None:
    """The note, or None when its process is gone (or another one has its number now)."""
    try:
        note: dict[str, Any] = json.loads(path.read_text())
        if psutil.Process(note["pid"]).create_time() != note["started"]:
            return None
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return note
