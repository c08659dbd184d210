"""A service small enough to see through: it counts what it hears of a case and says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Field

from shared.contracts import EVENTS, Event
from shared.contracts.desk import CaseNoted, CaseOpened
from shared.contracts.intake import FeedbackReceived, FeedbackUrged
from shared.db import migrate, registry_for
from shared.messaging.intake import Intake
from shared.messaging.tables import messaging_tables
from shared.messaging.transaction import Transaction
from shared.service import House, Service

DeskToy = registry_for("toy")
messaging_tables(DeskToy.metadata)


class Heard(DeskToy, table=True):
    __tablename__ = "heard"
    feedback_id: str = Field(primary_key=True)
    order: str = ""


class Poison(Exception):
    """What the toy raises on a poisoned fact."""


async def hear(event: Event, tx: Transaction) -> None:
    shelf = tx.shelf(Heard)
    row = shelf.get(event.feedback_id) or Heard(feedback_id=event.feedback_id)
    if isinstance(event, FeedbackReceived):
        if event.text == "poison" and not tx.tools.get("antidote"):
            raise Poison
        row.order += "r"
        tx.emit(CaseOpened(feedback_id=event.feedback_id, at=tx.now))
    elif isinstance(event, FeedbackUrged):
        row.order += "u"
        tx.emit(CaseNoted(feedback_id=event.feedback_id, at=tx.now))
    shelf.put(row)


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    await tx.shelf(Heard).load(feedback_ids)


class ToyService(Service):
    """Tables straight from the metadata: there is no history to keep, and none to check."""

    async def check_database(self) -> None:
        return None

    async def migrate(self) -> None:
        await migrate.ensure_database(self.house.database, self.name)
        await self.connect()
        async with self.engine.begin() as connection:
            await connection.run_sync(self.metadata.drop_all)
            await connection.run_sync(self.metadata.create_all)
            await connection.execute(text("INSERT INTO log_state (one) VALUES (1)"))


def build(house: House, name: str = "desk", group: str | None = None, **more: Any) -> Service:
    """The consuming toy; it speaks as desk."""
    service = ToyService(
        name,
        house,
        metadata=DeskToy.metadata,
        migrations=Path("/nowhere"),
        intake=Intake({FeedbackReceived: hear, FeedbackUrged: hear}, prefetch=load),
        tools={},
        **more,
    )
    service.group = group or f"{name}-toy"
    return service


def build_source(house: House) -> Service:
    """The telling toy; it speaks as intake."""
    return ToyService(
        "intake",
        house,
        metadata=DeskToy.metadata,
        migrations=Path("/nowhere"),
        intake=Intake({}),
        tools={},
    )


__all__ = ["EVENTS", "Heard", "Poison", "build", "build_source"]
