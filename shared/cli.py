"""The commands every service has: run it, migrate it, replay a parked case, revise its tables."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from datetime import datetime
from typing import Annotated, Any

import typer

from shared.contracts.refusal import Refusal
from shared.db import DatabaseNotReady
from shared.embedded import ServerUnavailable
from shared.ids import id_as_typed
from shared.messaging import dead_letters, passed_over
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
            bool,
            typer.Option(
                "--past-gaps",
                help="go on without events that are missing and will never come, for good",
            ),
        ] = False,
        pass_over: Annotated[
            str,
            typer.Option(
                metavar="EVENT",
                help="go on without this one if it is refused again, for good: what it says "
                "never shows in this service",
            ),
        ] = "",
    ) -> None:
        """Take the refused and parked events of a case in again, oldest first.

        Exit status 1 where one is still refused, or there is none.
        """

        async def work(service: Service) -> None:
            await service.connect()
            await service.check_database()
            for call in service.starting:
                await call()
            well = await take_in_again(
                service, id_as_typed(feedback_id), past_gaps=past_gaps, passing_over=pass_over
            )
            for call in service.stopping:
                await call()
            if not well:
                raise SystemExit(1)

        with_service(build, work)

    @cli.command(name="dead-letters")
    def letters(
        feedback_id: Annotated[str, typer.Argument(help="only of this case")] = "",
        as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    ) -> None:
        """Which events were refused or miss others, why, and where they stand in the log; and which
        were passed over.
        """

        async def work(service: Service) -> None:
            await service.connect()
            await service.check_database()
            await show_letters(service, id_as_typed(feedback_id), as_json=as_json)

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


async def take_in_again(
    service: Service, feedback_id: str, *, past_gaps: bool = False, passing_over: str = ""
) -> bool:
    """Redrive a case and say how it went; False where something is refused still, or was not."""
    letters = await dead_letters.listed(service.engine, feedback_id)
    if not letters:
        say(f"{service.name}: no event is refused or parked under {feedback_id}")
        return False
    names = {name for letter in letters for name in (letter["event"], _place(letter))}
    if passing_over and passing_over not in names:
        say(
            f"{service.name}: no event {passing_over} is refused or parked under {feedback_id}; "
            f"python -m services.{service.name} dead-letters {feedback_id} names those that are"
        )
        return False
    done = passed = refused = 0
    redriving = service.redrive(feedback_id, past_gaps=past_gaps, passing_over=passing_over or None)
    async for one in redriving:
        if one.error is None:
            done += 1
            say(f"processed: {one.type} {one.ce_id}")
        elif one.passed_over:
            passed += 1
            say(f"passed over for good: {one.type} {one.ce_id}: {one.error}")
        else:
            refused += 1
            say(f"still refused: {one.type} {one.ce_id}: {one.error}")
    say(
        f"{service.name}: {done} processed"
        + (f", {passed} passed over" if passed else "")
        + (", the rest waits" if refused else "")
    )
    return not refused


async def show_letters(service: Service, feedback_id: str = "", *, as_json: bool = False) -> None:
    """Say what stands still and what was passed over, of all cases or of one."""
    letters = await dead_letters.listed(service.engine, feedback_id or None)
    passed = await passed_over.listed(service.engine, feedback_id or None)
    if as_json:
        body = {"letters": letters, "passed_over": passed}
        print(json.dumps(body, ensure_ascii=False, indent=2, default=datetime.isoformat))
        return
    parked = Counter(x["feedback_id"] for x in letters if not x["error"] and not x["missing"])
    standing = [x for x in letters if x["error"] or x["missing"]]
    say(
        f"{service.name}: {len(standing)} refused or missing others, "
        f"{parked.total()} parked behind them"
    )
    for one in standing:
        case = one["feedback_id"]
        say(f"{case or 'no case'}: {one['type']} {one['event']} at {_place(one)}, {_day(one)}")
        missing = one["missing"] and f"{one['missing']} is missing"
        why = ", ".join(filter(None, [missing, one["error"]]))
        say(f"  {why}; {parked[case]} parked behind it")
    if passed:
        say(f"{service.name}: passed over for good")
    for one in passed:
        what = f"{one['type']} {one['event']} at {_place(one)}"
        if one["event"] is None:
            what = f"{one['source']} {one['first']} to {one['last']}"
        say(f"{one['feedback_id']}: {what}, {_day(one)}: {one['reason']}")


def _place(one: dict[str, Any]) -> str:
    return f"{one['topic']}/{one['partition']}/{one['offset']}"


def _day(one: dict[str, Any]) -> str:
    return f"{one['at']:%Y-%m-%d %H:%M}Z"


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
