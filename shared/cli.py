"""The commands every service has: run it, migrate it, replay a parked case, revise its tables."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from alembic import command
from sqlalchemy import Connection

from shared.db.migrate import alembic_config, ensure_database
from shared.messaging.relay import LogLost
from shared.observability import logs
from shared.process import LOG_LOST, Build, Process, house_for, say, servers_for
from shared.service import Service
from shared.settings import Settings, read_settings


def service_commands(name: str, build: Build) -> typer.Typer:
    """The command line of one service; the service adds its own commands to it."""
    cli = typer.Typer(
        help=f"The {name} service of Feedback Express.",
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @cli.callback(invoke_without_command=True)
    def run(context: typer.Context) -> None:
        """Run this service: its HTTP door, consumer, relay and jobs."""
        if context.invoked_subcommand is not None:
            return
        logs.configure()
        settings = read_settings()
        process = Process(settings, lambda: {name: build}, whole=False)
        try:
            status = asyncio.run(
                process.run(on_ready=lambda: say(f"{name} is ready: {settings.url}"))
            )
        except LogLost as lost:
            say(f"{lost}  (python -m services restore-log)")
            status = LOG_LOST
        raise SystemExit(status)

    @cli.command()
    def migrate() -> None:
        """Create and migrate this service's database."""

        async def work(service: Service) -> None:
            await service.migrate()
            say(f"{name}: the database is up to date")

        with_service(build, work)

    @cli.command()
    def redrive(feedback_id: Annotated[str, typer.Argument(help="the case")]) -> None:
        """Take the refused and parked facts of a case in again, oldest first."""

        async def work(service: Service) -> None:
            await service.connect()
            for call in service.starting:
                await call()
            done = refused = 0
            async for one in service.redrive(feedback_id):
                if one.error is None:
                    done += 1
                    say(f"taken in: {one.type} {one.ce_id}")
                else:
                    refused += 1
                    say(f"still refused: {one.type} {one.ce_id}: {one.error}")
            for call in service.stopping:
                await call()
            say(f"{name}: {done} taken in" + (", the rest waits" if refused else ""))
            if refused:
                raise SystemExit(1)

        with_service(build, work)

    @cli.command(hidden=True)
    def revise(message: str) -> None:
        """For developers: write the next migration from the difference to the tables."""

        async def work(service: Service) -> None:
            await ensure_database(service.house.database, name)
            await service.connect()

            def generate(connection: Connection) -> None:
                config = alembic_config(service.migrations, connection, service.metadata)
                command.upgrade(config, "head")
                command.revision(config, message=message, autogenerate=True)

            async with service.engine.begin() as connection:
                await connection.run_sync(generate)

        with_service(build, work)

    return cli


def with_service(build: Build, work: object, settings: Settings | None = None) -> None:
    """Run ``work(service)`` on a service that is built but not started."""
    logs.configure()
    settings = settings or read_settings()

    async def run() -> None:
        async with servers_for(settings, tell=lambda _: None) as (database, kafka, _):
            service = build(house_for(settings, database, kafka))
            try:
                await work(service)  # type: ignore[operator]
            finally:
                await service.engine.dispose()

    asyncio.run(run())
