"""The switchboard of notification: settings become outlets, doors are plugged in."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path

from services.notification import api, store
from services.notification.handlers import HANDLERS, TOMBSTONES
from services.notification.jobs import Sender, TokenRows
from services.notification.outlets import (
    ConsoleOutlet,
    Outlet,
    Printer,
    SmtpOutlet,
    WechatOutlet,
    apps_from_setting,
    mail_domain,
    server_from_setting,
)
from services.notification.store import NotificationTable
from services.notification.tools import Tools
from shared.messaging.intake import PACE, Intake
from shared.service import House, Service
from shared.settings import refuse

NAME = "notification"
SENDER = "feedback"
"""The mailbox our mail comes from, at the domain of the site."""


def build(house: House) -> Service:
    """The service, not yet started."""
    tools = _tools(house, lambda: service)
    service = Service(
        NAME,
        house,
        metadata=NotificationTable.metadata,
        migrations=Path(__file__).parent / "migrations",
        intake=Intake(handlers=HANDLERS, tombstones=TOMBSTONES, prefetch=store.load, pace=PACE),
        tools=tools,
    )
    service.routers = [api.router]
    service.jobs = {"sender": Sender(service, tools).run}

    async def close() -> None:
        for outlet in (tools.mail, tools.wechat_twin, *tools.wechat.values()):
            await outlet.aclose()

    service.stopping = [close]
    return service


def _tools(house: House, service: Callable[[], Service]) -> Tools:
    settings = house.settings
    domain = mail_domain(settings.url)
    printer = Printer()
    try:
        server = server_from_setting(settings.smtp) if settings.smtp.strip() else None
        apps = apps_from_setting(settings.wechat)
    except ValueError as error:
        refuse(str(error))
    mail: Outlet = ConsoleOutlet(printer, instead_of="email")
    if server is not None:
        mail = SmtpOutlet(server, sender=f"{SENDER}@{domain}", clock=house.clock)
    tokens = TokenRows(service)
    return Tools(
        directory=house.directory,
        base_url=settings.url,
        domain=domain,
        key=hmac.digest(settings.signing_secret().encode(), b"receivers", "sha256"),
        mail=mail,
        wechat={a.account: WechatOutlet(a, tokens, house.clock) for a in apps.values()},
        wechat_twin=ConsoleOutlet(printer, instead_of="wechat"),
        printer=printer,
        worker=house.replica,
        locale=settings.locale,
    )
