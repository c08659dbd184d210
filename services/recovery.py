"""The commands that back the databases up and put them back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from shared.backup.archive import Archive, Manifest, make_folder
from shared.backup.errors import BackupError
from shared.backup.recovering import Choices, check_choices, facts_of, recover
from shared.backup.taking import delete_old, file_for, take_backup
from shared.backup.tools import find_tool
from shared.clock import SystemClock
from shared.db import DatabaseNotReady
from shared.embedded import ServerUnavailable
from shared.messaging.failures import is_transient
from shared.observability import logs
from shared.process import Build, runtime_for, say, servers_for
from shared.service import Service
from shared.settings import Settings, read_settings, refuse

READERS_FIRST = ("tracking", "notification", "sla", "desk", "routing", "intake")
"""In this order snapshots are taken: what somebody has taken in is then in the backup too."""
AsJson = Annotated[bool, typer.Option("--json", help="for programs: one JSON object")]
File = Annotated[Path, typer.Argument(help="a backup", metavar="FILE")]


def register(cli: typer.Typer, builds: Callable[[], dict[str, Build]]) -> None:
    """Add the commands to the command line of the whole system."""

    @cli.command()
    def backup(
        where: Annotated[
            Path | None,
            typer.Argument(
                help="a new file (….backup), or a folder, which is made where there is none in "
                "a folder that exists; backups/ under the data"
            ),
        ] = None,
        keep_days: Annotated[
            int, typer.Option(min=0, help="then delete older ones in that folder; 0: none")
        ] = 0,
        as_json: AsJson = False,
    ) -> None:
        """Back up the databases of all services, while they run.

        Not in it: the secrets (EXPRESS_SECRET, EXPRESS_CODE_SECRET, or the files secret and
        code-key under EXPRESS_DATA). Without the code secret every tracking code is void: keep
        them, apart from the backups.
        """
        settings = read_settings()
        clock = SystemClock()
        target = file_for(where or settings.data / "backups", clock.now())
        tell = _teller(as_json)
        try:
            # Before anything is started or asked; and whoever mistyped the path reads it here.
            new_folder = make_folder(target.parent, anywhere=where is None)
        except BackupError as error:
            refuse(str(error))
        if new_folder:
            tell(f"新建的文件夹 / a new folder: {target.parent.resolve()}")

        async def work(services: list[Service], kafka: str) -> None:
            manifest = await take_backup(services, kafka, target, report=tell)
            old = []
            if keep_days:
                old = delete_old(target.parent, timedelta(days=keep_days), clock.now())
            if as_json:
                print(json.dumps(_facts(target, manifest) | {"deleted": [str(o) for o in old]}))
                return
            for one in old:
                say(f"  deleted: {one}")
            say(f"{target}: {target.stat().st_size} bytes, as of {manifest.made_at:%F %T} UTC")
            say("密钥不在里面，请另外保管。/ The secrets are not in it; keep them apart from it.")

        _run(settings, builds, work)

    @cli.command(name="verify-backup")
    def verify_backup(file: File, as_json: AsJson = False) -> None:
        """Read a whole backup: checksums, and that pg_restore can read every dump."""
        tell = _teller(as_json)

        async def work() -> Archive:
            archive = Archive(file)
            await asyncio.to_thread(archive.verify, tell)
            tool = find_tool("pg_restore", archive.manifest.server)
            for name in archive.manifest.services:
                with archive.dump(name) as dump:
                    await tool.run("--file=/dev/null", source=dump)
            return archive

        try:
            archive = asyncio.run(work())
        except BackupError as error:
            print(error, file=sys.stderr)
            raise SystemExit(1) from None
        if as_json:
            print(json.dumps(_facts(file, archive.manifest)))
        else:
            say(f"{file}: whole, as of {archive.manifest.made_at:%F %T} UTC")

    @cli.command()
    def restore(
        file: File,
        replace: Annotated[
            bool, typer.Option("--replace", help="give up what the databases hold now")
        ] = False,
        send_waiting: Annotated[
            bool,
            typer.Option(
                "--send-waiting",
                help="send what waited, also where it may have been sent since the backup",
            ),
        ] = False,
        whole_log: Annotated[
            bool,
            typer.Option(
                "--whole-log",
                help="read all of the log: the backup is of databases recovered some other way",
            ),
        ] = False,
        other_keys: Annotated[
            bool,
            typer.Option(
                "--other-keys", help="without the code secret of the backup: codes are void"
            ),
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Put a backup back, and bring the databases up to Kafka's log. Stop all services first.

        What the log knows beyond the backup is recollected; where the log is gone, it is sent again
        from the outboxes. What can be had from nowhere is listed. Run `setup` afterwards.
        """
        settings = read_settings()
        tell = _teller(as_json)
        choices = Choices(
            replace=replace, whole_log=whole_log, send_waiting=send_waiting, other_keys=other_keys
        )

        async def work(services: list[Service], kafka: str) -> None:
            archive = Archive(file)
            await check_choices(services, archive, choices)
            for line in facts_of(file, archive):
                tell(line)
            done = await recover(services, kafka, archive, choices, report=tell)
            if as_json:
                print(json.dumps(done.as_json, ensure_ascii=False))
                return
            for line in done.sentences():
                say(line)
            say("restored; next: python -m services setup, and start the services")

        _run(settings, builds, work)


def _facts(file: Path, manifest: Manifest) -> dict[str, Any]:
    return {"file": str(file), **manifest.model_dump(mode="json")}


def _teller(as_json: bool) -> Callable[[str], None]:
    return partial(print, file=sys.stderr, flush=True) if as_json else say


def _run(
    settings: Settings,
    builds: Callable[[], dict[str, Build]],
    work: Callable[[list[Service], str], Awaitable[None]],
) -> None:
    """Run `work` on services that are built and connected; exit status 2 with one sentence."""
    logs.configure()

    async def connected() -> None:
        async with servers_for(settings, report=lambda _: None) as (database, kafka, _):
            runtime = runtime_for(settings, database, kafka)
            known = builds()
            services = [known[name](runtime) for name in READERS_FIRST]
            try:
                for service in services:
                    await service.connect()
                await work(services, kafka)
            finally:
                for service in services:
                    await service.engine.dispose()

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(connected())
    except (ServerUnavailable, DatabaseNotReady, BackupError) as error:
        refuse(str(error))
    except Exception as error:
        if not is_transient(error):
            raise
        print(f"cannot: {type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(1) from None
