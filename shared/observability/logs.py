"""One JSON line per event on standard error; never the words or contact of a reporter."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any


class Log:
    """Writes events of at least a level, each with its values: ``log.info("learned", letters=3)``.

    `exc_info` adds the traceback: of that error, or with True of the one being handled.
    """

    def __init__(self, level: int = logging.INFO) -> None:
        self.level = level

    def info(self, event: str, **values: Any) -> None:
        """Say what happened."""
        self._say(logging.INFO, event, values)

    def warning(self, event: str, **values: Any) -> None:
        """Say what somebody may have to look at."""
        self._say(logging.WARNING, event, values)

    def error(
        self, event: str, *, exc_info: bool | BaseException | None = None, **values: Any
    ) -> None:
        """Say what went wrong."""
        error = sys.exc_info()[1] if exc_info is True else exc_info or None
        self._say(logging.ERROR, event, values, error)

    def _say(
        self, level: int, event: str, values: dict[str, Any], error: BaseException | None = None
    ) -> None:
        if level >= self.level:
            sys.stderr.write(_line(level, event, values, error) + "\n")
            sys.stderr.flush()


log = Log()


def configure(level: int = logging.INFO) -> None:
    """From which level on events are told; the libraries' own lines are too, rate-limited."""
    log.level = level
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # A broker that is away makes aiokafka write thousands of lines a minute.
    for name in ("aiokafka", "faststream"):
        logging.getLogger(name).addFilter(_Sparse())
        handler.addFilter(_Sparse(prefix=name))


def _line(level: int, event: str, values: dict[str, Any], error: BaseException | None) -> str:
    said = values | {
        "event": event,
        "level": logging.getLevelName(level).lower(),
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    if error is not None:
        said["exception"] = "".join(traceback.format_exception(error)).rstrip()
    return json.dumps(said, ensure_ascii=False, default=repr)


class _Lines(logging.Formatter):
    """A library's line in the same form."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        return _line(record.levelno, record.getMessage(), {}, error)


class _Sparse(logging.Filter):
    """At most one line per source line every ten seconds."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self._prefix = prefix
        self._last: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if self._prefix and not record.name.startswith(self._prefix):
            return True
        location, now = (record.name, record.lineno), time.monotonic()
        if now - self._last.get(location, -1e9) < 10:
            return False
        self._last[location] = now
        return True
