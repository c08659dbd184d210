"""Plugs the doors of routing in."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from services.routing import api, jobs, pages, store
from services.routing.handlers import HANDLERS
from services.routing.store import RoutingTable
from services.routing.tools import Tools
from shared.messaging.intake import Intake
from shared.service import House, Service
from shared.web.pages import Pages

NAME = "routing"
HERE = Path(__file__).parent


def build(house: House) -> Service:
    """The routing service of this house."""
    tools = Tools(
        directory=house.directory,
        pages=Pages(NAME, HERE / "templates", locale=house.settings.locale, clock=house.clock),
    )
    service = Service(
        NAME,
        house,
        metadata=RoutingTable.metadata,
        migrations=HERE / "migrations",
        intake=Intake(HANDLERS, prefetch=store.load),
        tools=tools,
    )

    async def store_shipped(demo: bool) -> None:
        async with service.transaction() as tx:
            await store.seed(tx.connection, tx.now)

    service.routers = [api.router, pages.router]
    service.starting = [partial(jobs.refresh_rules, service)]
    service.seeds = [store_shipped]
    service.jobs = {"rules": partial(jobs.follow_rules, service)}
    service.checks = [lambda: tools.rules.problem]
    return service
