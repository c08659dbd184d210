"""What tests share: a house on the real servers, services with empty databases."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.clock import Clock, ManualClock, SystemClock
from shared.ids import new_id
from shared.messaging.envelope import Record, headers_for
from shared.messaging.transaction import Transaction
from shared.security import Signer
from shared.service import House, Service
from shared.settings import Settings

_KEEP = {"alembic_version", "log_state"}
_migrated: set[tuple[str, str]] = set()
_made = itertools.count()


def make_house(
    database: str, kafka: str, data: Path, *, clock: Clock | None = None, **settings: Any
) -> House:
    """A house on these servers with a fixed secret."""
    values = {"data": data, "secret": "a secret for tests only", "demo_password": "test-password"}
    return House(
        settings=Settings(**(values | settings)),
        kafka=kafka,
        database=database,
        signer=Signer("a secret for tests only"),
        clock=clock or SystemClock(),
        replica="test",
    )


async def prepared(build: Callable[[House], Service], house: House) -> Service:
    """The service, connected, with its database migrated and emptied; nothing is started."""
    service = build(house)
    known = (house.database, service.name)
    if known not in _migrated:
        await service.migrate()
        _migrated.add(known)
    else:
        await service.connect()
    async with service.engine.begin() as connection:
        tables = (
            await connection.execute(
                text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            )
        ).scalars()
        names = ", ".join(f'"{t}"' for t in tables if t not in _KEEP)
        if names:
            await connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    return service


async def take_in(service: Service, *events: Any) -> None:
    """Give facts to the service as the log would, in one transaction."""
    async with service.transaction() as tx:
        await apply(service, tx, *events)


async def apply(service: Service, tx: Transaction, *events: Any) -> None:
    """Take facts in inside `tx`, the way the consumer does it."""
    records = [
        Record(
            topic=e.topic,
            partition=0,
            offset=n,
            key=e.key.encode(),
            headers=headers_for(e, ce_id=new_id(), source=e.owner, sequence=n + 1, cause=None),
            body=None if e.tombstone else e.model_dump_json(exclude_none=True).encode(),
        )
        for n, e in enumerate(events)
    ]
    await service.intake.take_in(tx, records)


async def told(service: Service, feedback_id: str | None = None) -> list[dict[str, Any]]:
    """What stands in the outbox, oldest first: ``{type, seq, body}``."""
    import json

    async with service.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT headers->>'ce_type' AS type, seq, body, key, topic FROM outbox "
                "WHERE CAST(:k AS text) IS NULL OR key = :k ORDER BY id"
            ),
            {"k": feedback_id},
        )
        return [
            {
                "type": r.type,
                "seq": r.seq,
                "topic": r.topic,
                "body": None if r.body is None else json.loads(r.body),
            }
            for r in rows
        ]


def at(words: str) -> datetime:
    """``2026-03-04 10:00`` in Shanghai as aware UTC."""
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(words).replace(tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


def clock_at(words: str) -> ManualClock:
    """A clock that stands at that Shanghai time."""
    return ManualClock(at(words))


def id_at(moment: datetime) -> str:
    """An identifier as it would have been made at `moment`, after all that were made before."""
    made = int(moment.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | next(_made)
    return str(UUID(int=made))
