"""The whole system in one process, and the commands that concern all of it."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import httpx2
import typer
import uvloop

from services import recovery
from services.demo import command as demonstration
from shared.db import DatabaseNotReady
from shared.embedded import ServerUnavailable
from shared.messaging.connecting import BrokerRefused
from shared.messaging.log_state import LogLost
from shared.messaging.restore import RelayRunning, restore_log
from shared.observability import logs
from shared.process import LOG_LOST, Build, Process, runtime_for, say, servers_for, set_up
from shared.running import running
from shared.settings import Settings, read_settings, refuse

NAMES = ("intake", "routing", "desk", "sla", "notification", "tracking")

cli = typer.Typer(
    help="Feedback Express: all services in one process.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


def builds(names: tuple[str, ...] = NAMES) -> dict[str, Build]:
    """The services by name, each made by its own ``app.build``."""
    return {name: importlib.import_module(f"services.{name}.app").build for name in names}


@cli.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    only: Annotated[str, typer.Option(help="run only these, e.g. intake,routing")] = "",
    demo: Annotated[bool, typer.Option("--demo", help="set up with demo accounts first")] = False,
) -> None:
    """Run all (or some) services in this process, on one origin."""
    if context.invoked_subcommand is not None:
        return
    names = tuple(n.strip() for n in only.split(",") if n.strip()) or NAMES
    if unknown := [n for n in names if n not in NAMES]:
        refuse(f"--only: there is no service {unknown[0]!r}; choose from {', '.join(NAMES)}")
    settings = read_settings(_check_channels)
    logs.configure()
    process = Process(settings, partial(builds, names), whole=set(names) == set(NAMES))
    try:
        status = _loop(
            process.run(setup=demo, demo=demo, on_ready=lambda: _welcome(settings, demo=demo))
        )
    except LogLost as lost:
        print(lost, file=sys.stderr)
        status = LOG_LOST
    if status == LOG_LOST and process.restores:
        # Everything that lived through the loss has to go, producers above all: begin anew.
        say("starting again …")
        os.execv(sys.executable, [sys.executable, "-m", "services", *sys.argv[1:]])
    raise SystemExit(status)


@cli.command()
def setup(
    demo: Annotated[bool, typer.Option("--demo", help="also create demo accounts")] = False,
) -> None:
    """Migrate all databases, create the topics, load what is shipped. Safe to repeat."""
    settings = read_settings(_check_channels)
    logs.configure()

    async def work() -> None:
        async with servers_for(settings) as (database, kafka, _):
            runtime = runtime_for(settings, database, kafka)
            services = [build(runtime) for build in builds().values()]
            await set_up(services, kafka, demo=demo)
            for service in services:
                await service.engine.dispose()
        say("set up: six databases, five topics, departments, rules, calendar, policies")
        if demo:
            _accounts(settings)

    _guarded(work)


@cli.command(name="restore-log")
def restore() -> None:
    """Send the log again from the outboxes, in order. Stop all services first."""
    settings = read_settings(_check_channels)
    logs.configure()

    async def work() -> None:
        async with servers_for(settings) as (database, kafka, _):
            runtime = runtime_for(settings, database, kafka)
            services = [build(runtime) for build in builds().values()]
            for service in services:
                await service.connect()
            await restore_log(services, kafka, report=say)
            for service in services:
                await service.engine.dispose()

    _guarded(work)


@cli.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """How the running system is; exit status 1 when something is not ready."""
    settings = read_settings(_check_channels)
    body = _status(settings)
    if as_json:
        print(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        _print_status(body)
    raise SystemExit(0 if body["ready"] else 1)


recovery.register(cli, builds)


def _check_channels(settings: Settings) -> None:
    """What services would refuse once they are built, before servers are started for them."""
    for place in ("intake.wechat.accounts", "notification.transports.setting"):
        importlib.import_module(f"services.{place}").check_settings(settings)


def _status(settings: Settings) -> dict[str, Any]:
    """What every process of the system on this machine says of itself and its services.

    Where none has left a note (another machine, a container), the settings' address is asked.
    """
    urls = [note["url"] for note in running(settings.data)] or [settings.url]
    services: dict[str, dict[str, Any]] = {}
    reasons: list[str] = []
    about: dict[str, Any] = {}
    for url in urls:
        try:
            answer = httpx2.get(f"{url}/health/ready", timeout=5, trust_env=False).json()
            found = {name: _shown(one) for name, one in answer["services"].items()}
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            reasons.append(f"no answer from {url}: {type(error).__name__}")
            continue
        about = about or answer
        reasons += [reason for reason in answer["reasons"] if reason not in reasons]
        for name, one in found.items():
            services[name] = _together(services[name], one) if name in services else one
    if missing := [name for name in NAMES if name not in services]:
        reasons.append(f"not running: {', '.join(missing)}")
    return {
        "ready": not reasons and all(one["ready"] for one in services.values()),
        "reasons": reasons,
        "web": settings.url,
        "kafka": about.get("kafka", settings.kafka or "embedded"),
        "database": about.get("database", "given" if settings.database else "embedded"),
        "embeddings": about.get("embeddings", {"source": settings.embeddings.partition("?")[0]}),
        "versions": about.get("versions", {}),
        "services": {name: services[name] for name in NAMES if name in services},
    }


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    """A service's part of a readiness answer, as the command shows it."""
    kept = ("pid", "ready", "lag", "outbox", "dead_letters", "parked")
    return {key: one[key] for key in kept} | {
        "reason": "; ".join([*one["reasons"], *one.get("warnings", [])])
    }


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two processes of one service: they share the database, and each has its own partitions."""
    worse = other if one["ready"] and not other["ready"] else one
    return worse | {"lag": one["lag"] + other["lag"]}


def _print_status(body: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"web {body['web']}   kafka {body['kafka']}   database {body['database']}")
    if problem := body["embeddings"].get("problem"):
        console.print(f"embeddings: {problem}")
    for reason in body["reasons"]:
        console.print(f"not ready: {reason}")
    table = Table("service", "ready", "lag", "outbox", "refused", "parked")
    for name, one in body["services"].items():
        table.add_row(
            name,
            "yes" if one["ready"] else "no",
            str(one["lag"]),
            str(one["outbox"]["waiting"]),
            str(one["dead_letters"]),
            str(one["parked"]),
        )
    console.print(table)
    for name, one in body["services"].items():
        if one["reason"]:
            # Not in a cell, which would break the commands in it.
            print(f"{name}: {one['reason']}")


def _welcome(settings: Settings, *, demo: bool) -> None:
    say(f"\n用户反馈直通车 · Feedback Express   {settings.url}\n")
    if demo:
        _accounts(settings)
        say(
            "\n试三件事 / three things to try\n"
            f"  1. 提一条意见 / say something       {settings.url}/?place=三层东区\n"
            f"  2. 登录并答复 / sign in and answer   {settings.url}/signin  (coordinator)\n"
            f"  3. 看看整体 / see how we are doing   {settings.url}/dashboard  (leader)\n"
        )
    say("Ctrl-C 结束 / stops everything")


def _accounts(settings: Settings) -> None:
    """The accounts of a system with demo people, and their password."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("账号 account", "身份 role", ""):
        table.add_column(column)
    for name, zh, en in (
        ("coordinator", "用户关系办公室", "triage, dispatch, answer"),
        ("liaison.it", "部门联络员", "accepts and assigns; liaison.<dept>"),
        ("handler.it", "经办人", "works and replies; handler.<dept>"),
        ("reviewer.it", "部门负责人", "reviewer.<dept>"),
        ("leader", "馆领导", "dashboard, escalations"),
        ("clerk", "台口馆员", "enters what is said at the desk"),
        ("student", "学生助理", "enters, sees no personal data"),
        ("auditor", "审计", "reads, changes nothing"),
        ("admin", "系统管理员", "accounts, departments"),
    ):
        table.add_row(name, zh, en)
    Console().print(table)
    say(f"密码 / password of all of them: {settings.demo_secret()}")


def _guarded(work: Callable[[], Any]) -> None:
    try:
        _loop(work())
    except (ServerUnavailable, DatabaseNotReady, RelayRunning, BrokerRefused) as error:
        refuse(str(error))


demonstration.register(cli, builds, _accounts)


def _loop(work: Any) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


if __name__ == "__main__":
    cli()
