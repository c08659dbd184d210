"""The one failure policy: what may pass by itself, and what never will.

*Transient*: the database or the broker is away, a deadlock, a timeout. Everything waits, since
nothing else would work either. *Permanent*: anything else. The message is buried as a dead letter.
"""

from __future__ import annotations

import asyncpg
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

TOO_MANY_REFUSED = 70
"""Exit status: a service refused so many events in a row that the fault is ours; start again."""
FIRST_WAIT = 1.0
"""Seconds before the first new try."""
LONGEST_WAIT = 30.0
"""Seconds between tries at the most; the wait doubles until here."""

# SQLSTATE classes: 08 connection, 40 deadlock and serialisation, 53 resources, 55 lock not
# available, 57 the operator's doing (shutdown, cancelled statement), 58 the system's.
_PASSING = ("08", "40", "53", "55", "57", "58")
_TIMED_OUT = ("57014", "55P03", "25P03", "25P04")
"""Statement cancelled, lock not available, and transactions that lasted too long."""


DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""All that asyncpg raises by itself; the last is what a connection that goes away may say."""


def is_transient(error: BaseException) -> bool:
    """True when the same thing may work later without anybody mending anything."""
    passing = PoolTimeout | KafkaError | OSError | TimeoutError | asyncpg.InternalClientError
    if isinstance(error, passing):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        return error.orig is not None and is_transient(error.orig)
    if isinstance(error, asyncpg.InterfaceError):
        # A value the driver cannot even encode stays what it is; anything else is the connection.
        return not isinstance(error, ValueError)
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if isinstance(state, str):
        return state.startswith(_PASSING)
    cause = error.__cause__
    return cause is not None and cause is not error and is_transient(cause)


def cannot_start(error: BaseException) -> str:
    """One line for whoever starts a service or a command while a server is away."""
    said = str(error) or "a server did not answer in time, try again in a moment"
    return f"cannot start: {type(error).__name__}: {said}"


def is_timeout(error: BaseException | None) -> bool:
    """True when time ran out: the database's doing, or that of what was asked of it."""
    while error is not None:
        if isinstance(error, PoolTimeout):
            return False
        state = getattr(error, "sqlstate", None)
        if isinstance(error, TimeoutError) or state in _TIMED_OUT:
            return True
        error = error.orig if isinstance(error, DBAPIError) else error.__cause__
    return False


def location_of(error: BaseException) -> str:
    """File and line where it went wrong."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"


class Backoff:
    """Waits that double from `FIRST_WAIT` to `LONGEST_WAIT`, until something works again."""

    def __init__(self, first: float = FIRST_WAIT, longest: float = LONGEST_WAIT) -> None:
        self._first, self._longest = first, longest
        self._next = first

    def next(self) -> float:
        """Seconds to wait now."""
        wait, self._next = self._next, min(self._next * 2, self._longest)
        return wait

    def reset(self) -> None:
        """It worked."""
        self._next = self._first
