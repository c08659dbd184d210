"""What a transaction promises to the entry point that opened it."""

from __future__ import annotations

from typing import Any, NoReturn

import asyncpg
import pytest

from shared.ids import new_id
from shared.messaging.statements import Statement, write
from shared.service import Service
from tests.messaging.conftest import scalar
from tests.messaging.test_streams import process, reader, story

__all__ = ["reader"]


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


async def test_a_poll_costs_five_round_trips_however_much_it_brings(
    reader: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEGIN, lock, read, write, COMMIT."""
    sent: list[str] = []
    for name in ("fetch", "execute"):
        original = getattr(asyncpg.Connection, name)

        async def count(self: Any, query: str, *values: Any, original: Any = original) -> Any:
            sent.append(query)
            return await original(self, query, *values)

        monkeypatch.setattr(asyncpg.Connection, name, count)
    await process(reader, *[r for _ in range(9) for r in story(reader, new_id())])
    assert len(sent) == 5, sent


async def test_statements_written_together_keep_their_values_apart() -> None:
    sent: list[tuple[Any, ...]] = []

    async def fetch(*sending: Any) -> list[Any]:
        sent.append(sending)
        return []

    a, b = (
        Statement("INSERT a ($1, $2)", (1, 2)),
        Statement("INSERT b ($1, $10)", (3, *"456789xyz")),
    )
    await write(fetch, [])
    await write(fetch, [a])
    await write(fetch, [a, b, a])
    assert sent == [
        ("INSERT a ($1, $2)", 1, 2),
        (
            "WITH w0 AS (INSERT a ($1, $2)), w1 AS (INSERT b ($3, $12)) INSERT a ($13, $14)",
            *(1, 2, 3, *"456789xyz", 1, 2),
        ),
    ]
