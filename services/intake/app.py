"""Puts intake together."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from services.intake import api, pages, store
from services.intake.deps import NAME, Deps, Meaning
from services.intake.handlers import CONCERNS, HANDLERS, accept_inbound, reject_unreadable
from services.intake.handlers.recollect import OWN, OWN_TOMBSTONES, forget_without_details
from services.intake.jobs import forgetting, learn_incidents
from services.intake.store import Arrival, IntakeTable, Receipt
from services.intake.wechat import WechatSettingError, accounts_from_setting
from services.intake.wording import page_words
from shared.contracts import INBOUND
from shared.messaging.group_commit import GroupCommit
from shared.messaging.subscription import LINGER, Subscription
from shared.service import Runtime, Service
from shared.settings import refuse
from shared.web.pages import Pages

HERE = Path(__file__).parent


def build(runtime: Runtime) -> Service[Deps]:
    """The intake service; exit status 2 for an ``EXPRESS_WECHAT`` that cannot be used."""
    try:
        accounts = accounts_from_setting(runtime.settings.wechat)
    except WechatSettingError as error:
        refuse(str(error))
    service: Service[Deps] = Service(
        NAME,
        runtime,
        metadata=IntakeTable.metadata,
        migrations=HERE / "migrations",
        subscription=Subscription(
            HANDLERS,
            concerns=CONCERNS,
            raw={INBOUND: accept_inbound},
            unreadable={INBOUND: reject_unreadable},
            own=OWN,
            own_tombstones=OWN_TOMBSTONES,
            loads=(store.CaseRow,),
            linger=2 * LINGER,
            linger_at_broker=True,
        ),
    )
    group: GroupCommit[Arrival, Receipt | None] = GroupCommit(
        service.transaction, store.accept, foreground=runtime.foreground
    )
    service.deps = Deps(
        runtime=runtime,
        pages=Pages.of(
            runtime,
            NAME,
            HERE / "templates",
            words=partial(page_words, runtime.directory),
        ),
        group=group,
        accounts=accounts,
        meaning=Meaning(runtime.embedder),
    )
    service.starting.append(group.start)
    service.restored = [partial(forget_without_details, service)]
    service.checks.append(lambda: group.error)
    service.stopping.append(group.stop)
    service.busy = lambda: group.waiting > 0
    service.hot_routes = api.HOT_ROUTES
    service.larger_bodies = dict(api.LARGER_BODIES)
    service.routers = [api.router, pages.router]
    service.jobs = {
        "forgetting": forgetting(service),
        "incidents": partial(learn_incidents, service),
    }
    return service
