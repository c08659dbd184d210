"""Plugs the doors of tracking in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from services.tracking import api, handlers, jobs, pages
from services.tracking.live import Bell
from services.tracking.store import TrackingTable, generation, load
from shared.messaging.intake import PACE, Intake
from shared.service import House, Service
from shared.web.limits import Failures
from shared.web.pages import Pages

NAME = "tracking"
HERE = Path(__file__).parent


@dataclass
class Tools:
    """What the doors of tracking work with."""

    pages: Pages
    bell: Bell = field(default_factory=Bell)
    unknown_codes: Failures = field(default_factory=lambda: Failures(60, 600))
    waiting: int = 0
    """Requests that wait for a code that is not projected yet."""


def build(house: House) -> Service:
    """The service, ready to start."""
    service = Service(
        NAME,
        house,
        metadata=TrackingTable.metadata,
        migrations=HERE / "migrations",
        intake=Intake(handlers=handlers.HANDLERS, prefetch=load, guard=generation.guard, pace=PACE),
        tools=Tools(
            Pages(NAME, HERE / "templates", locale=house.settings.locale, clock=house.clock)
        ),
    )
    service.routers = [api.router, pages.router]

    async def know_generation() -> None:
        async with service.engine.connect() as connection:
            service.group = generation.group_of(await generation.current(connection))

    service.starting.append(know_generation)
    service.jobs = {
        "follow the generation": lambda: jobs.follow_generation(service),
        "look for news": lambda: jobs.look_for_news(service),
    }
    return service
