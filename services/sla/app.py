"""Plugs the doors of sla in."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from services.sla import api, jobs, store
from services.sla.handlers import HANDLERS
from services.sla.store import Rulebook, SlaTable
from services.sla.store.rules import seed
from shared.messaging.intake import PACE, Intake
from shared.service import House, Service

NAME = "sla"


def build(house: House) -> Service:
    """The sla service of this house."""
    rules = Rulebook()
    service = Service(
        NAME,
        house,
        metadata=SlaTable.metadata,
        migrations=Path(__file__).parent / "migrations",
        intake=Intake(HANDLERS, prefetch=store.load, pace=PACE),
        tools=rules,
    )

    async def load_rules() -> None:
        async with service.engine.connect() as connection:
            await rules.refresh(connection)

    async def store_shipped(demo: bool) -> None:
        async with service.transaction() as tx:
            await seed(tx.connection, tx.now)

    service.routers = [api.router]
    service.starting = [load_rules]
    service.seeds = [store_shipped]
    service.jobs = {
        "marks": jobs.MarkLoop(service).run,
        "rules": partial(jobs.follow_rules, service),
    }
    return service
