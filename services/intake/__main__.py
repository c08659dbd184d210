"""``python -m services.intake``: run it, or look after adapters' tokens."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from services.intake import store, tokens
from services.intake.app import build
from shared.cli import service_commands, with_service
from shared.db import migrate
from shared.db.engine import DatabaseNotReady
from shared.embedded import ServerUnavailable
from shared.service import Service
from shared.settings import refuse

cli = service_commands("intake", build)
Name = Annotated[str, typer.Argument(help="letters, digits, dot, dash, underscore")]


@cli.command()
def token(name: Name) -> None:
    """Print a new token for the adapter NAME, once, alone on standard output."""
    _check(name)

    async def work(service: Service) -> None:
        await _ready(service)
        async with service.transaction() as tx:
            value = await tokens.issue(tx, service.house.signer, name)
        print(value)

    _run(work)


@cli.command(name="revoke-token")
def revoke_token(name: Name) -> None:
    """Revoke every token of the adapter NAME; within a minute nobody takes them any more."""
    _check(name)

    async def work(service: Service) -> None:
        await _ready(service)
        async with service.transaction() as tx:
            count = await tokens.revoke(tx, name)
        if not count:
            refuse(f"there is no token in use named {name!r}")
        print(f"revoked: {count}")

    _run(work)


@cli.command()
def erase(feedback_id: Annotated[str, typer.Argument(help="the case")]) -> None:
    """Remove who the reporter of a case is, for good, in every service."""

    async def work(service: Service) -> None:
        await _ready(service)
        async with service.transaction() as tx:
            known = await store.erase(tx, feedback_id)
        if not known:
            refuse(f"there is no case {feedback_id!r}")
        print("erased")

    _run(work)


def _check(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        refuse("NAME: 1 to 64 letters, digits, dots, dashes, underscores")


async def _ready(service: Service) -> None:
    await service.connect()
    await migrate.check(service.engine, service.name, service.migrations, service.metadata)


def _run(work: object) -> None:
    try:
        with_service(build, work)
    except (ServerUnavailable, DatabaseNotReady) as error:
        refuse(str(error))


if __name__ == "__main__":
    cli()
