"""Builds the routing service."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from services.routing import api, jobs, pages, seeds, store
from services.routing.deps import NAME, Deps, Meaning, Rules
from services.routing.handlers import CONCERNS, HANDLERS, TOMBSTONES
from services.routing.handlers.recollect import OWN
from services.routing.store import RoutingTable, vectors
from shared.contracts.desk import CaseReturned, CaseSplitOff
from shared.contracts.intake import FeedbackReceived, FeedbackSupplemented
from shared.contracts.routing import PrivateErasedByRouting
from shared.messaging.subscription import Subscription
from shared.service import Runtime, Service
from shared.web.pages import Pages

HERE = Path(__file__).parent


def build(runtime: Runtime) -> Service[Deps]:
    """The routing service of this system."""
    deps = Deps(
        directory=runtime.directory,
        pages=Pages.of(runtime, NAME, HERE / "templates"),
        rules=Rules(seeds.shipped_rules),
        meaning=Meaning(
            runtime.embedder,
            seeds.shipped_model(),
            alarms=seeds.shipped_alarms(),
            kinds=seeds.shipped_kinds(),
        ),
    )
    service = Service(
        NAME,
        runtime,
        metadata=RoutingTable.metadata,
        migrations=HERE / "migrations",
        subscription=Subscription(
            HANDLERS,
            tombstones=TOMBSTONES,
            acknowledge=PrivateErasedByRouting,
            loads=store.LOADED,
            urgent={FeedbackReceived, FeedbackSupplemented, CaseSplitOff, CaseReturned},
            concerns=CONCERNS,
            own=OWN,
        ),
        deps=deps,
    )

    async def store_shipped(demo: bool) -> None:
        async with service.transaction() as tx:
            await seeds.seed(tx.connection, tx.now)

    deps.meaning.precedents = partial(jobs.find_precedents, service)
    deps.meaning.judged = partial(jobs.find_judgements, service)
    service.routers = [api.router, pages.router]
    service.starting = [partial(jobs.refresh_rules, service), partial(jobs.use_version, service)]
    service.seeds = [store_shipped]
    service.jobs = {
        "rules": partial(jobs.follow_rules, service),
        "meaning": partial(jobs.embed_cases, service),
        "learning": partial(jobs.learn_by_itself, service),
    }
    service.stopping = [runtime.embedder.close]
    service.notices = [
        lambda: deps.rules.problems,
        runtime.embedder.notices,
        lambda: deps.meaning.notices,
    ]
    service.embeds = True
    service.extensions = (vectors.EXTENSION,)
    return service
