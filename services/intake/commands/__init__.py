"""The commands of intake: adapters' tokens, and forgetting a person."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from services.intake import store
from services.intake.app import build
from services.intake.commands.erasure import Erasure, follow
from services.intake.commands.outgoing import published
from shared.cli import service_commands, with_service
from shared.contracts.intake import TokenIssued
from shared.db import DatabaseNotReady
from shared.embedded import ServerUnavailable
from shared.messaging.outbox import is_relayed
from shared.service import Service
from shared.settings import refuse

PUBLISHED_WITHIN = 10.0
"""Seconds."""
cli = service_commands("intake", build)
Name = Annotated[str, typer.Argument(help="letters, digits, dot, dash, underscore")]


@cli.command()
def token(name: Name) -> None:
    """Print a new token for the adapter NAME, once, alone on standard output."""
    _check(name)

    async def work(service: Service) -> None:
        async with service.transaction() as tx:
            issued, value = await store.issue_token(tx, service.runtime.signer, name)
        if await is_relayed(service.engine):
            # Where intake runs, the token can be used as soon as it is read here.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PUBLISHED_WITHIN):
                    await published(service, TokenIssued, issued.key)
        print(value)

    _run(work)


@cli.command(name="revoke-token")
def revoke_token(name: Name) -> None:
    """Revoke every token of the adapter NAME; within a minute nobody takes them any more."""
    _check(name)

    async def work(service: Service) -> None:
        async with service.transaction() as tx:
            count = await store.revoke_tokens(tx, name)
        if not count:
            refuse(f"there is no token in use named {name!r}")
        print(f"revoked: {count}")

    _run(work)


@cli.command()
def erase(
    named: Annotated[
        str, typer.Argument(metavar="FEEDBACK_ID", help="the case, a part of it, or its code")
    ],
    wait: Annotated[float, typer.Option(min=0, help="seconds to wait for the services")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Erase contact, pictures and words as written, for good, and wait until every service has.

    The masked text of the case stays, and so does a name in it that was not recognised.
    What was split goes as a whole, and is named by its own id.
    Exit status 1 while some have not; run it again to look again.
    """

    async def work(service: Service) -> None:
        async with service.transaction() as tx:
            case = await store.whose(tx, named)
            erased_at = await store.erase(tx, case) if case is not None else None
        if case is None or erased_at is None:
            refuse("there is no such case: give its id, that of a part of it, or its code")
        found = await follow(service, Erasure(case, erased_at), wait)
        print(json.dumps(found.as_json) if as_json else found.as_text)
        if found.missing:
            raise SystemExit(1)

    _run(work)


def _check(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        refuse("NAME: 1 to 64 letters, digits, dots, dashes, underscores")


def _run(work: Callable[[Service], Awaitable[None]]) -> None:
    async def checked(service: Service) -> None:
        await service.connect()
        await service.check_database()
        await work(service)

    try:
        with_service(build, checked)
    except (ServerUnavailable, DatabaseNotReady) as error:
        refuse(str(error))
