"""The commands every service has: run it, migrate it, replay a parked case, revise its tables."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from shared.contracts.refusal import Refusal
from shared.db import DatabaseNotReady
from shared.embedded import ServerUnavailable
from shared.ids import id_as_typed
from shared.messaging.failures import cannot_start, is_transient
from shared.messaging.refusals import send_again
from shared.observability import logs
from shared.process import Build, runtime_for, say, serve, servers_for
from shared.service import Service
from shared.settings import Settings, read_settings, refuse


def service_commands(name: str, build: Build) -> typer.Typer:
    """The command line of one service; the service adds its own commands to it."""
    cli = typer.Typer(
        help=f"The {name} service of Feedback Express.",
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @cli.callback(invoke_without_command=True)
    def run(context: typer.Context) -> None:
        """Run this service: HTTP, consumer, relay and jobs."""
        if context.invoked_subcommand is not None:
            return
        serve(name, build)

    @cli.command()
    def migrate() -> None:
        """Create and migrate this service's database."""

        async def work(service: Service) -> None:
            newer = await service.migrate()
            say(f"{newer}; nothing to do" if newer else f"{name}: the database is up to date")

        with_service(build, work)

    @cli.command()
    def redrive(
        feedback_id: Annotated[str, typer.Argument(help="the case")],
        past_gaps: Annotated[
            bool, typer.Option(help="also where events are missing that will never come")
        ] = False,
    ) -> None:
        """Take the refused and parked events of a case in again, oldest first.

        Exit status 1 where one is still refused, or there is none.
        """

        async def work(service: Service) -> None:
            await service.connect()
            for call in service.starting:
                await call()
            well = await take_in_again(service, id_as_typed(feedback_id), past_gaps=past_gaps)
            for call in service.stopping:
                await call()
            if not well:
                raise SystemExit(1)

        with_service(build, work)

    @cli.command(name="send-again")
    def resend() -> None:
        """Try the events once more that the broker refused, and those that wait behind them."""

        async def work(service: Service) -> None:
            await service.connect()
            count = await send_again(service.engine)
            say(f"{name}: {count} rows are waiting to be sent again")

        with_service(build, work)

    @cli.command(hidden=True)
    def revise(message: str) -> None:
        """For developers: write the next migration from the difference to the tables."""
        from shared.db.migrate import write_next

        async def work(service: Service) -> None:
            await service.migrate()
            async with service.engine.connect() as connection:
                await connection.run_sync(write_next, service.migrations, service.metadata, message)

        with_service(build, work)

    return cli


async def take_in_again(service: Service, feedback_id: str, *, past_gaps: bool = False) -> bool:
    """Redrive a case and say how it went; False where something is refused still, or was not."""
    done = refused = 0
    async for one in service.redrive(feedback_id, past_gaps=past_gaps):
        if one.error is None:
            done += 1
            say(f"processed: {one.type} {one.ce_id}")
        else:
            refused += 1
            say(f"still refused: {one.type} {one.ce_id}: {one.error}")
    if not done + refused:
        say(f"{service.name}: no event is refused or parked under {feedback_id}")
        return False
    say(f"{service.name}: {done} processed" + (", the rest waits" if refused else ""))
    return not refused


def with_service(build: Build, work: object, settings: Settings | None = None) -> None:
    """Run ``work(service)`` on a service that is built but not started; what it refuses is said in
    one line."""
    logs.configure()
    settings = settings or read_settings()

    async def run() -> None:
        async with servers_for(settings, report=lambda _: None) as (database, kafka, _):
            service = build(runtime_for(settings, database, kafka))
            try:
                await work(service)  # type: ignore[operator]
            finally:
                await service.engine.dispose()

    try:
        asyncio.run(run())
    except (ServerUnavailable, DatabaseNotReady) as error:
        refuse(str(error))
    except Refusal as refusal:
        refuse(f"{refusal.zh} | {refusal.en}")
    except Exception as error:
        if not is_transient(error):
            raise
        print(cannot_start(error), file=sys.stderr)
        raise SystemExit(1) from None
