"""Plugs the doors of desk in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.desk import api, handlers, jobs, pages, seeds
from services.desk.store import DeskTable, load
from shared.contracts import PRIVATE
from shared.messaging.directory import Directory
from shared.messaging.intake import Intake
from shared.service import House, Service
from shared.web.limits import Failures
from shared.web.pages import Pages

HERE = Path(__file__).parent


@dataclass
class Tools:
    """What the doors of desk work with."""

    directory: Directory
    pages: Pages
    sign_in_failures: Failures


def build(house: House) -> Service:
    """The desk service of `house`."""
    service = Service(
        "desk",
        house,
        metadata=DeskTable.metadata,
        migrations=HERE / "migrations",
        intake=Intake(handlers.HANDLERS, prefetch=load, tombstones={PRIVATE: handlers.erase}),
        tools=Tools(
            directory=house.directory,
            pages=Pages(
                "desk", HERE / "templates", locale=house.settings.locale, clock=house.clock
            ),
            sign_in_failures=Failures(most=10, seconds=15 * 60),
        ),
    )
    service.routers = [api.session, api.cases, pages.router]
    service.jobs = {"waiting": partial(jobs.keep_ending, service)}

    async def seed(demo: bool) -> None:
        await seeds.seed_departments(service)
        if demo:
            await seeds.seed_demo_people(service)

    service.seeds = [seed]
    return service
