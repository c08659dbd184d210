"""The commands of desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from services.desk.api.described import table
from services.desk.app import build
from services.desk.commands import accounts, listed
from services.desk.domain import diagram as draw
from services.desk.store.record import read_record
from shared.cli import service_commands, with_service
from shared.db.engine import driver_of
from shared.ids import id_as_typed
from shared.process import say
from shared.service import Service
from shared.settings import refuse


def diagram() -> None:
    """Print the life of a case as a Mermaid diagram."""
    print(draw())


def actions() -> None:
    """Print what staff can do to a case as a table."""
    print(table())


def verify(
    feedback_id: Annotated[str, typer.Argument(help="the case")],
) -> None:
    """Compute the chains of a case's record again; exit status 1 where something was changed."""

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.engine.connect() as connection:
            record = await read_record(
                driver_of(connection).fetch, id_as_typed(feedback_id), service.runtime.sealer
            )
        if record is None:
            refuse(f"FEEDBACK_ID: there is no case {feedback_id!r}")
        differences = list(record.differences())
        for zh, en in differences:
            say(f"{zh} | {en}")
        if differences:
            raise SystemExit(1)
        zh, en = record.summary()
        say(f"{record.feedback_id}: 未见改动，{zh} | nothing was changed; {en}")

    with_service(build, work)


_COMMANDS: Mapping[str, Callable[..., None]] = {
    "diagram": diagram,
    "actions": actions,
    "verify": verify,
    "create-user": accounts.create_user,
    "set-roles": accounts.set_roles,
    "away": accounts.away,
    "back": accounts.back,
    "deactivate-user": accounts.deactivate_user,
    "set-password": accounts.set_password,
    "end-sessions": accounts.end_sessions,
    "add-department": listed.add_department,
    "add-category": listed.add_category,
    "require-review": listed.require_review,
}
cli = service_commands("desk", build)
for name, command in _COMMANDS.items():
    cli.command(name=name)(command)
