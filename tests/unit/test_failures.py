"""The one failure policy: later, or never."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.messaging.failures import cannot_start, is_transient


def _wrapped(error: Exception) -> DBAPIError:
    return DBAPIError("SELECT 1", None, error)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        PoolTimeout(),
        KafkaConnectionError(),
        asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
        asyncpg.InterfaceError("the underlying connection is closed"),
        asyncpg.InternalClientError("not connected"),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        asyncpg.LockNotAvailableError("lock timeout"),
        asyncpg.DiskFullError("no space"),
        asyncpg.AdminShutdownError("terminating"),
        _wrapped(asyncpg.DeadlockDetectedError("deadlock detected")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_passes_by_itself_is_for_later(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(),
        KeyError("department"),
        asyncpg.UniqueViolationError("duplicate key"),
        asyncpg.UndefinedTableError("no such table"),
        asyncpg.DataError("invalid byte sequence"),
        _wrapped(asyncpg.UniqueViolationError("duplicate key")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_never_works_is_never_tried_again(error: Exception) -> None:
    assert not is_transient(error)


def test_whoever_starts_something_reads_a_whole_line() -> None:
    assert cannot_start(OSError("refused")) == "cannot start: OSError: refused"
    assert "try again" in cannot_start(TimeoutError())
