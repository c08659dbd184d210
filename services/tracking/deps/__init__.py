"""What the entry points of tracking work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from starlette.requests import HTTPConnection

from services.tracking.deps.answers import Answer, Answers
from services.tracking.deps.broadcasts import Broadcasts
from services.tracking.deps.changes import ChangeNotifier, wait
from services.tracking.deps.fragments import Fragments
from services.tracking.deps.pace import PACE, Pace
from services.tracking.deps.streams import OpenStreams, StreamSlot
from services.tracking.store.kept_days import KeptDays
from shared.clock import Clock
from shared.messaging.transaction import Transaction
from shared.web.auth import service_of
from shared.web.limits import Failures
from shared.web.pages import Pages

__all__ = [
    "BOARD",
    "NAME",
    "Answer",
    "Answers",
    "Broadcasts",
    "ChangeNotifier",
    "Deps",
    "OpenStreams",
    "Pace",
    "StreamSlot",
    "deps_of",
    "wait",
]

NAME = "tracking"
BOARD = "board"
"""The key under which those wait who look at numbers."""
WATCHERS = 500
"""How many may watch the dashboard in one process."""


@dataclass
class Deps:
    """One per process; nothing in it outlives a restart."""

    pages: Pages
    clock: Clock
    changes: ChangeNotifier = field(default_factory=ChangeNotifier)
    answers: Answers = field(default_factory=Answers)
    fragments: Fragments = field(default_factory=Fragments)
    kept_days: KeptDays = field(default_factory=KeptDays)
    streams: OpenStreams = field(default_factory=OpenStreams)
    board_streams: OpenStreams = field(default_factory=lambda: OpenStreams(per_case=WATCHERS))
    broadcasts: Broadcasts = field(default_factory=Broadcasts)
    unknown_codes: Failures = field(default_factory=lambda: Failures(60, 600))
    waiting: int = 0
    """Requests that wait for a code that is not projected yet."""

    def __post_init__(self) -> None:
        self.pace_board()

    def pace_board(self, every: timedelta = PACE) -> None:
        """Begin to gather what changes the board; `every`: from one move to the next, at least."""
        self.board = Pace(self.clock, partial(self.changes.notify, BOARD), every=every)


def deps_of(where: Transaction | HTTPConnection) -> Deps:
    """The deps of tracking, in a transaction of tracking or for a request to it."""
    deps: Deps = where.deps if isinstance(where, Transaction) else service_of(where, NAME).deps
    return deps
