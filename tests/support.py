"""What tests share: a system on the real servers, services with empty databases."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.desk.seeds import CATEGORIES, DEPARTMENTS
from shared.clock import Clock, ManualClock, SystemClock
from shared.contracts import EVENTS
from shared.ids import new_id
from shared.messaging.directory import Directory
from shared.messaging.envelope import Record, headers_for
from shared.messaging.transaction import Transaction
from shared.moments import LOCAL
from shared.security import Signer
from shared.service import Runtime, Service
from shared.settings import Settings

_EMPTY = """
DO $$ DECLARE name text; first bigint;
BEGIN
  FOR name IN
    SELECT relname FROM pg_class WHERE relkind = 'r'
    AND relnamespace = 'public'::regnamespace AND relpersistence <> 't'
    AND relname NOT IN ('alembic_version', 'schema_revisions', 'log_state')
  LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
  FOR name, first IN
    SELECT sequencename, start_value FROM pg_sequences WHERE last_value IS NOT NULL
  LOOP
    PERFORM setval(format('%I', name), first, false);
  END LOOP;
END $$"""
"""A test leaves few rows: to delete them costs a hundredth of giving every table new files."""
_connected: dict[tuple[asyncio.AbstractEventLoop, str, str], tuple[AsyncEngine, str | None]] = {}
_made = itertools.count()
_numbers: WeakKeyDictionary[Service, Counter[tuple[str, str]]] = WeakKeyDictionary()
"""The last number of each case and source in what a test's service was given."""


def make_runtime(
    database: str, kafka: str, data: Path, *, clock: Clock | None = None, **settings: Any
) -> Runtime:
    """A system on these servers with a fixed secret, which knows what desk lists at set-up."""
    values = {
        "data": data,
        "secret": "a secret for tests only",
        "demo_password": "test-password",
        "embeddings": "off",
        # Stories pass over Mondays: a mail that nobody there asked for would be in their way.
        "reports": "off",
    }
    directory = Directory()
    directory.departments |= DEPARTMENTS
    directory.categories |= CATEGORIES
    # Nobody reads the topic here: what stands in it is known.
    directory.loaded = True
    return Runtime(
        settings=Settings(**(values | settings)),
        directory=directory,
        kafka=kafka,
        database=database,
        signer=Signer("a secret for tests only"),
        clock=clock or SystemClock(),
        replica="test",
    )


async def prepared(build: Callable[[Runtime], Service], runtime: Runtime) -> Service:
    """The service, connected, with its database migrated and emptied; nothing is started.

    The connections are those of the last test: to open them, and to have every statement composed
    and planned anew, costs more than most tests.
    """
    service = build(runtime)
    known = (asyncio.get_running_loop(), runtime.database, service.name)
    if known in _connected:
        service.engine, service.role = _connected[known]
    else:
        await service.migrate()
        _connected[known] = service.engine, service.role
    async with service.engine.begin() as connection:
        await connection.execute(text(_EMPTY))
    return service


async def disconnect(database: str) -> None:
    """Close what `prepared` keeps open in this loop, before the loop or the server ends."""
    here = (asyncio.get_running_loop(), database)
    for known in [known for known in _connected if known[:2] == here]:
        engine, _ = _connected.pop(known)
        await engine.dispose()


def adapter_token(runtime: Runtime, name: str) -> str:
    """A token as the command issues it, which the directory knows already."""
    runtime.directory.tokens.add(f"id-of-{name}")
    return runtime.signer.adapter_token(f"id-of-{name}", name)


async def process_batch(service: Service, *events: Any) -> None:
    """Give events to the service as the log would, in one transaction."""
    async with service.transaction() as tx:
        await apply(service, tx, *events)


async def apply(service: Service, tx: Transaction, *events: Any) -> None:
    """Take events in inside `tx`, the way the consumer does it."""
    await service.subscription.process_batch(tx, records(service, *events))


def records(service: Service, *events: Any) -> list[Record]:
    """New events as they stand in the log this service reads, numbered by case and source."""
    return [
        Record(
            topic=e.topic,
            partition=0,
            offset=n,
            key=e.key.encode(),
            headers=headers_for(
                e,
                ce_id=new_id(),
                source=e.owner,
                sequence=_next_number(service, e) if e.topic == EVENTS else None,
                cause=None,
            ),
            body=None if e.tombstone else e.model_dump_json(exclude_none=True).encode(),
        )
        for n, e in enumerate(events)
    ]


def _next_number(service: Service, event: Any) -> int:
    numbers = _numbers.setdefault(service, Counter())
    numbers[event.feedback_id, event.owner] += 1
    return numbers[event.feedback_id, event.owner]


async def outbox_of(service: Service, feedback_id: str | None = None) -> list[dict[str, Any]]:
    """What stands in the outbox, oldest first: ``{type, seq, body}``."""
    import json

    async with service.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT headers->>'ce_type' AS type, seq, body, key, topic FROM outbox "
                "WHERE CAST(:k AS text) IS NULL OR split_part(key, '/', 1) = :k ORDER BY id"
            ),
            {"k": feedback_id},
        )
        return [
            {
                "type": r.type,
                "seq": r.seq,
                "topic": r.topic,
                "key": r.key,
                "body": None if r.body is None else json.loads(r.body),
            }
            for r in rows
        ]


def at(words: str) -> datetime:
    """``2026-03-04 10:00`` in Shanghai as aware UTC."""
    return datetime.fromisoformat(words).replace(tzinfo=LOCAL).astimezone(UTC)


def clock_at(words: str) -> ManualClock:
    """A clock that stands at that Shanghai time."""
    return ManualClock(at(words))


class RunningClock(ManualClock):
    """One that moves a little whenever somebody looks at it, as a real one does."""

    def now(self) -> datetime:
        self.set(super().now() + timedelta(microseconds=100))
        return super().now()


def id_at(moment: datetime) -> str:
    """An identifier as it would have been made at `moment`, after all that were made before."""
    made = int(moment.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | next(_made)
    return str(UUID(int=made))
