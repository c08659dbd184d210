"""Plugs the doors of intake in."""

from __future__ import annotations

from pathlib import Path

from services.intake import api, pages, store
from services.intake.handlers import HANDLERS, accept_inbound
from services.intake.jobs import forgetting
from services.intake.store import Arrival, IntakeTable, Receipt
from services.intake.tools import Tools
from services.intake.wechat import WechatSettingError, accounts_from_setting
from shared.contracts import INBOUND
from shared.messaging.group_commit import GroupCommit
from shared.messaging.intake import Intake
from shared.service import House, Service
from shared.settings import refuse
from shared.web.pages import templates

HERE = Path(__file__).parent


def build(house: House) -> Service:
    """The intake service; exit status 2 for an ``EXPRESS_WECHAT`` that cannot be used."""
    try:
        accounts = accounts_from_setting(house.settings.wechat)
    except WechatSettingError as error:
        refuse(str(error))
    service = Service(
        "intake",
        house,
        metadata=IntakeTable.metadata,
        migrations=HERE / "migrations",
        intake=Intake(HANDLERS, raw={INBOUND: accept_inbound}, prefetch=store.load),
    )
    group: GroupCommit[Arrival, Receipt | None] = GroupCommit(service.transaction, store.accept)
    service.tools = Tools(
        house=house,
        pages=templates(
            "intake", HERE / "templates", locale=house.settings.locale, clock=house.clock
        ),
        group=group,
        accounts=accounts,
    )
    service.starting.append(group.start)
    service.stopping.append(group.stop)
    service.busy = lambda: group.waiting > 0
    service.hot_routes = api.HOT_ROUTES
    service.routers = [api.router, pages.router]
    service.jobs = {"forgetting": forgetting(service)}
    return service
