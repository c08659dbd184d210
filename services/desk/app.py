"""Plugs the entry points of desk in."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from services.desk import api, handlers, jobs, pages, seeds
from services.desk.deps import NAME, Deps, Meaning
from services.desk.handlers.recollect import OWN
from services.desk.jobs import surges
from services.desk.jobs.meaning import embed_cases
from services.desk.jobs.themes import find_themes
from services.desk.store import CaseRow, DeskTable
from services.desk.store.seal_marks import make_mark
from services.desk.wording import page_words
from shared.contracts import PRIVATE
from shared.contracts.desk import CaseOpened, PrivateErasedByDesk
from shared.db.nearest import EXTENSION
from shared.messaging.subscription import LINGER, Subscription
from shared.service import Runtime, Service
from shared.settings import Settings
from shared.web.pages import Pages
from shared.web.sign_in import SignInLimits

HERE = Path(__file__).parent


def build(runtime: Runtime) -> Service[Deps]:
    """The desk service of `runtime`."""
    service = Service(
        NAME,
        runtime,
        metadata=DeskTable.metadata,
        migrations=HERE / "migrations",
        subscription=Subscription(
            handlers.HANDLERS,
            linger=3 * LINGER,
            urgent=handlers.URGENT,
            loads=(CaseRow,),
            tombstones={PRIVATE: handlers.erase},
            acknowledge=PrivateErasedByDesk,
            own=OWN,
        ),
        deps=Deps(
            directory=runtime.directory,
            pages=Pages.of(runtime, NAME, HERE / "templates", words=page_words),
            sign_in=SignInLimits(),
            own_addresses=own_addresses(runtime.settings),
            meaning=Meaning(runtime.embedder),
        ),
        # It says that the coordinator has the case; as a rule its dispatch follows at once.
        unhurried={CaseOpened},
    )
    # What staff ask all day. "bulk" would be an id to the routes of a case, "look" an action.
    service.hot_routes = [
        route
        for router in (api.bulk, api.drafts, api.preview, api.canned, api.cases)
        for route in router.routes
    ]
    service.routers = [
        api.session,
        api.absence,
        api.reports_wanted,
        api.incidents,
        api.surges,
        api.themes,
        api.themes_found,
        api.theme_measures,
        api.theme_moves,
        api.similar,
        api.answered,
        api.review_rules,
        api.viewers,
        api.record,
        *pages.routers,
        api.described(),
    ]
    service.jobs = {
        "waiting": partial(jobs.run, service),
        "many": partial(jobs.work, service, api.perform),
        "meaning": partial(embed_cases, service),
        "surges": partial(surges.watch, service),
        "themes": partial(find_themes, service),
    }
    service.stopping = [runtime.embedder.close]
    service.notices = [lambda: service.deps.meaning.notices]
    service.embeds = True
    service.extensions = (EXTENSION,)

    async def mark() -> None:
        async with service.transaction() as tx:
            await make_mark(tx)

    async def seed(demo: bool) -> None:
        await mark()
        await seeds.seed_departments(service)
        if demo:
            await seeds.seed_demo_people(service)
            await seeds.seed_demo_replies(service)

    service.seeds = [seed]
    service.starting = [mark]
    return service


def own_addresses(settings: Settings) -> frozenset[str]:
    """The host of the site, the mailboxes of the settings, and their domains that hold the host."""
    host = (urlsplit(settings.url).hostname or "").lower()
    mailboxes = {a.lower() for a in (settings.mail_from, settings.mail_reply_to) if a}
    domains = {mailbox.rpartition("@")[2] for mailbox in mailboxes}
    return frozenset({host, *mailboxes} | {d for d in domains if host.endswith(f".{d}")})
