"""One JSON line per event on standard error; never the words or contact of a reporter."""

from __future__ import annotations

import logging
import sys
import time

import structlog
from structlog.typing import Processor


def configure(level: int = logging.INFO) -> None:
    """Set up structlog, and pass the libraries' own lines through it, rate-limited."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # A broker that is away makes aiokafka write thousands of lines a minute.
    for name in ("aiokafka", "faststream"):
        logging.getLogger(name).addFilter(_Sparse())
        handler.addFilter(_Sparse(prefix=name))


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
