"""What a transaction promises to the entry point that opened it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Generator
from datetime import UTC, datetime
from itertools import count
from typing import Any, NoReturn

import asyncpg
import pytest

from shared.contracts.vocabulary import State
from shared.db.engine import borrowed, driver_of
from shared.ids import new_id
from shared.messaging.row_buffer import _dump
from shared.messaging.statements import Column, Insert, Statement, write
from shared.service import Service
from tests.messaging.conftest import scalar
from tests.messaging.test_streams import process, story

_OPEN = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE 'idle in transaction%'
"""


def fail() -> NoReturn:
    raise RuntimeError("a notifier with a bug")


async def test_a_call_after_the_commit_that_fails_fails_nobody_else(
    reader: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[str] = []
    async with reader.transaction() as tx:
        await tx.lock("a")
        tx.after_commit(lambda: called.append("before"))
        tx.after_commit(fail)
        tx.after_commit(lambda: called.append("behind"))
    assert called == ["before", "behind"]
    assert await scalar(reader, "SELECT count(*) FROM streams") == 1
    out = capsys.readouterr().out
    assert "call after a commit failed" in out
    assert "a notifier with a bug" not in out


async def test_nothing_is_called_when_nothing_is_committed(reader: Service) -> None:
    called: list[str] = []
    with pytest.raises(RuntimeError):
        async with reader.transaction() as tx:
            tx.after_commit(lambda: called.append("behind"))
            fail()
    assert called == []


async def test_a_connection_is_given_back_without_waiting_for_anything(reader: Service) -> None:
    """So that no cancellation can come between, and no task is needed against one."""
    connection = await reader._driven.connect()
    await driver_of(connection).fetch("SELECT 1")
    with pytest.raises(StopIteration):
        connection.close().send(None)


class CancelledAt(Coroutine[Any, Any, None]):
    """A coroutine whose task is cancelled when it waits for the nth time."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], n: int) -> None:
        self._coroutine, self._left = coroutine, n

    def send(self, value: Any) -> Any:
        return self._waits_for(self._coroutine.send(value))

    def throw(self, *error: Any) -> Any:
        return self._waits_for(self._coroutine.throw(*error))

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._coroutine.__await__()

    def _waits_for(self, future: Any) -> Any:
        task = asyncio.current_task()
        if self._left == 0 and task is not None:
            task.cancel()
        self._left -= 1
        return future


async def test_whenever_a_transaction_is_cancelled_its_connection_comes_back_with_nothing_open(
    reader: Service,
) -> None:
    async def work() -> None:
        async with reader.transaction() as tx:
            await tx.lock(new_id())

    for n in count():
        task = asyncio.create_task(CancelledAt(work(), n))
        await asyncio.gather(task, return_exceptions=True)
        assert reader.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        async with borrowed(reader._driven) as connection:
            assert not driver_of(connection).is_in_transaction(), n
        assert await scalar(reader, _OPEN) == 0
        if not task.cancelled():
            break
    assert n > 2


async def test_a_poll_costs_four_round_trips_however_much_it_brings(
    reader: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEGIN, lock and read, write, COMMIT."""
    sent: list[str] = []
    for name in ("fetch", "execute"):
        original = getattr(asyncpg.Connection, name)

        async def count(self: Any, query: str, *values: Any, original: Any = original) -> Any:
            sent.append(query)
            return await original(self, query, *values)

        monkeypatch.setattr(asyncpg.Connection, name, count)
    await process(reader, *[r for _ in range(9) for r in story(reader, new_id())])
    assert len(sent) == 4, sent


async def test_statements_written_together_keep_their_values_apart() -> None:
    sent: list[tuple[Any, ...]] = []

    async def fetch(text: str, *values: Any) -> list[Any]:
        columns = [value for value in values if isinstance(value, Column)]
        # Nothing the first time, as the driver asks whether arrays are in it.
        assert [list(c) for c in columns] == [[] for _ in columns]
        sent.append((text, *(list(v) if isinstance(v, Column) else v for v in values)))
        return []

    a = Statement(Insert("a", {"x": "int", "y": "int"}), ([1], [2]))
    ten = {f"c{n}": "text" for n in range(10)}
    b = Statement(Insert("b", ten, "ON CONFLICT DO NOTHING"), [[value] for value in "456789wxyz"])
    two = Statement(Insert("c", {"z": "int"}), ([7, 8],))
    await write(fetch, [])
    await write(fetch, [a])
    await write(fetch, [b, a])
    await write(fetch, [a, two])
    await write(fetch, [two, a])
    names = ", ".join(f'"{n}"' for n in ten)
    cast = ", ".join(f"${n}::text" for n in range(1, 11))
    into_a = 'INSERT INTO a ("x", "y")'
    assert sent == [
        (f"{into_a} VALUES ($1::int, $2::int)", 1, 2),
        (
            f"WITH w0 AS (INSERT INTO b ({names}) VALUES ({cast}) ON CONFLICT DO NOTHING) "
            f"{into_a} VALUES ($11::int, $12::int)",
            *(*"456789wxyz", 1, 2),
        ),
        # The outbox, which is last, may have several for one of each other table.
        (
            f"WITH w0 AS ({into_a} VALUES ($1::int, $2::int)) "
            'INSERT INTO c ("z") SELECT * FROM unnest($3::int[])',
            *(1, 2, [7, 8]),
        ),
        (
            'WITH w0 AS (INSERT INTO c ("z") SELECT * FROM unnest($1::int[])) '
            f"{into_a} SELECT * FROM unnest($2::int[], $3::int[])",
            *([7, 8], [1], [2]),
        ),
    ]


async def test_a_column_arrives_as_it_is(reader: Service) -> None:
    """Whatever the driver's version makes of an array: see `Column`."""
    now = datetime.now(UTC)
    written = {
        "text": ["a", None, "", "[1, 2]", "NULL"],
        "int": [1, None, -3, 0, 5],
        "jsonb": ['{"a": [1]}', None, "[]", '"x"', "1"],
        "bytea": [b"", None, b"\0", b"[]", b"x"],
        "timestamptz": [now, None, now, now, now],
        "float8": [0.5, None, 1.0, 2.0, 3.0],
        "bool": [True, None, False, True, False],
    }
    names = ", ".join(f'"{name}"' for name in written)
    arrays = ", ".join(f"${n}::{name}[]" for n, name in enumerate(written, 1))
    ask = f"SELECT * FROM unnest({arrays}) AS t({names})"
    async with reader.transaction() as tx:
        for _ in range(2):
            rows = await tx.fetch(ask, *map(Column, written.values()))
            as_lists = await tx.fetch(ask, *written.values())
            assert [tuple(row) for row in rows] == [tuple(row) for row in as_lists]
            assert [row["text"] for row in rows] == written["text"]
        assert await tx.fetch("SELECT unnest($1::text[])", Column([])) == []


def test_documents_are_written_as_json_had_them() -> None:
    at = datetime(2026, 3, 4, 10, 5, tzinfo=UTC)
    plain = [[], {}, "", 0, False, ["a", None, 1.5, True], {"开": {"b": ['\n\\"']}}, State.CLOSED]
    assert [_dump(None), _dump(at)] == [None, '"2026-03-04T10:05:00Z"']
    for value in plain:
        assert json.loads(_dump(value) or "") == json.loads(json.dumps(value))
    assert _dump({"other": object}) == json.dumps({"other": str(object)}, separators=(",", ":"))
