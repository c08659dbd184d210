"""Builds the sla service: its entry points on what they work with."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from services.sla import api, jobs, pages, seeds, store
from services.sla.deps import NAME, Deps
from services.sla.handlers import HANDLERS
from services.sla.handlers.recollect import OWN
from services.sla.jobs.trials import follow_trials
from services.sla.store import SlaTable
from services.sla.wording import page_words
from shared.messaging.subscription import LINGER, Subscription
from shared.service import Runtime, Service
from shared.web.pages import Pages

HERE = Path(__file__).parent


def build(runtime: Runtime) -> Service[Deps]:
    """The sla service of this system."""
    rules = Deps(
        seeds.load_policy(),
        seeds.load_calendar(),
        pages=Pages.of(runtime, NAME, HERE / "templates", words=page_words),
        directory=runtime.directory,
    )
    service = Service(
        NAME,
        runtime,
        metadata=SlaTable.metadata,
        migrations=HERE / "migrations",
        subscription=Subscription(
            # Not more: marks wait until the partition is caught up, which in a surge it seldom is.
            HANDLERS,
            loads=store.LOADED,
            prefetch=store.load_policies,
            linger=LINGER,
            own=OWN,
        ),
        deps=rules,
    )

    async def load_rules() -> None:
        async with service.engine.connect() as connection:
            await rules.refresh(connection)

    async def store_shipped(demo: bool) -> None:
        async with service.transaction() as tx:
            await seeds.seed(tx.connection, tx.now)

    service.routers = [*api.ROUTERS, *pages.ROUTERS]
    service.starting = [load_rules]
    service.seeds = [store_shipped]
    service.jobs = {
        "marks": jobs.MarkLoop(service).run,
        "rules": partial(jobs.follow_rules, service),
        "trials": partial(follow_trials, service),
    }
    return service
