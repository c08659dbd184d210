"""Builds tracking: its entry points are plugged in."""

from __future__ import annotations

from pathlib import Path

import structlog

from services.tracking import api, handlers, jobs, pages
from services.tracking.deps import NAME, Deps
from services.tracking.jobs import reports
from services.tracking.store import CaseRow, TrackingTable, generation
from services.tracking.wording import page_words
from shared.contracts import Event
from shared.contracts.desk import CategoryListed, DepartmentListed, SurgeListed
from shared.messaging.subscription import LINGER, Subscription
from shared.service import Runtime, Service
from shared.web.pages import Pages

log = structlog.get_logger()

HERE = Path(__file__).parent
ON_THE_BOARD = (DepartmentListed, CategoryListed, SurgeListed)
"""What it shows besides what was projected: names, and of what suddenly more is said."""


def build(runtime: Runtime) -> Service[Deps]:
    """The service, ready to start."""
    deps = Deps(Pages.of(runtime, NAME, HERE / "templates", words=page_words), runtime.clock)
    service = Service(
        NAME,
        runtime,
        metadata=TrackingTable.metadata,
        migrations=HERE / "migrations",
        subscription=Subscription(
            handlers=handlers.HANDLERS,
            # Lines and durations are only ever added.
            loads=(CaseRow,),
            guard=generation.guard,
            # An open page shows a number within a second: this, and `pace.PACE`.
            linger=4 * LINGER,
            linger_at_broker=True,
        ),
        deps=deps,
    )

    def show_on_the_board(event: Event) -> None:
        if isinstance(event, ON_THE_BOARD):
            deps.board.renamed()

    runtime.directory.listeners.append(show_on_the_board)
    service.hot_routes = api.HOT_ROUTES
    service.routers = [api.router, pages.router]

    async def know_generation() -> None:
        async with service.engine.begin() as connection:
            if await generation.is_outdated(connection):
                number = await generation.begin_anew(connection)
                log.info("the views say more than before and are begun anew", generation=number)
            service.group = generation.group_of(await generation.current(connection))

    async def begin_anew() -> str:
        async with service.engine.begin() as connection:
            return generation.group_of(await generation.begin_anew(connection))

    service.starting.append(know_generation)
    service.begin_anew = begin_anew
    service.jobs = {
        "follow the generation": lambda: jobs.follow_generation(service),
        "look for changes": lambda: jobs.look_for_changes(service),
        "look at the board": lambda: jobs.look_at_the_board(service),
        "keep bands true": lambda: jobs.keep_bands_true(service),
        "publish gauges": lambda: jobs.publish_gauges(service),
    }
    if runtime.settings.reports == "on":
        service.jobs["tell reports"] = lambda: reports.tell_reports(service)
    return service
