"""A small service: keeps in which order it handled the events of a case, and emits that it did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Field, SQLModel

from shared.contracts import EVENTS, INBOUND, INBOUND_REJECTED, Event
from shared.contracts.desk import CaseNoted, CaseOpened
from shared.contracts.intake import FeedbackReceived, FeedbackUrged
from shared.contracts.vocabulary import State
from shared.db import own_registry
from shared.db.databases import ensure_database
from shared.messaging.envelope import Record
from shared.messaging.subscription import Subscription
from shared.messaging.tables import messaging_tables
from shared.messaging.transaction import Transaction
from shared.service import Runtime, Service


class DeskToy(SQLModel, registry=own_registry()):
    __abstract__ = True


messaging_tables(DeskToy.metadata)


class Handled(DeskToy, table=True):
    __tablename__ = "handled"
    feedback_id: str = Field(primary_key=True)
    order: str = ""


class Poison(Exception):
    """What the toy raises on a poisoned event."""


async def handle(event: Event, tx: Transaction) -> None:
    if before := tx.deps.get("before"):
        await before(event)
    rows = tx.rows(Handled)
    row = rows.get(event.feedback_id) or Handled(feedback_id=event.feedback_id)
    if isinstance(event, FeedbackReceived):
        if event.text == tx.deps.get("poison", "poison") and not tx.deps.get("antidote"):
            raise Poison
        row.order += "r"
        tx.emit(CaseOpened(feedback_id=event.feedback_id, at=tx.now))
    elif isinstance(event, FeedbackUrged):
        row.order += "u"
        tx.emit(CaseNoted(feedback_id=event.feedback_id, at=tx.now, state=State.TRIAGE))
    rows.upsert(row)


async def handle_inbound(record: Record, tx: Transaction) -> None:
    """What stands on the inbound topic, by its body; the place is kept as its order."""
    tx.rows(Handled).upsert(Handled(feedback_id=(record.body or b"").decode(), order="x"))


async def send_back(record: Record, tx: Transaction) -> None:
    tx.publish(INBOUND_REJECTED, key=None, body=record.body, headers=record.headers)


class ToyService(Service):
    """Tables straight from the metadata: there is no history to keep, and none to check."""

    async def check_database(self) -> None:
        return None

    async def migrate(self) -> None:
        await ensure_database(self.runtime.database, self.name)
        await self.connect()
        async with self.engine.begin() as connection:
            await connection.run_sync(self.metadata.drop_all)
            await connection.run_sync(self.metadata.create_all)
            await connection.execute(text("INSERT INTO log_state (one) VALUES (1)"))


def build(runtime: Runtime, name: str = "desk", group: str | None = None, **more: Any) -> Service:
    """The consuming toy; it speaks as desk."""
    service = ToyService(
        name,
        runtime,
        metadata=DeskToy.metadata,
        migrations=Path("/nowhere"),
        subscription=Subscription(
            {FeedbackReceived: handle, FeedbackUrged: handle},
            raw={INBOUND: handle_inbound},
            unreadable={INBOUND: send_back},
            loads=(Handled,),
        ),
        deps={},
        **more,
    )
    service.group = group or f"{name}-toy"
    return service


def build_source(runtime: Runtime, name: str = "intake") -> Service:
    """The emitting toy; it speaks as intake."""
    return ToyService(
        name,
        runtime,
        metadata=DeskToy.metadata,
        migrations=Path("/nowhere"),
        subscription=Subscription({}),
        deps={},
    )


__all__ = ["EVENTS", "Handled", "Poison", "build", "build_source"]
