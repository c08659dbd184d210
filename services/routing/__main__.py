"""The commands of routing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.routing import store
from services.routing.app import NAME, build
from services.routing.domain import RulesInvalid
from services.routing.editing import replace_rules
from shared.cli import service_commands, with_service
from shared.contracts.refusal import Refusal
from shared.process import say
from shared.service import Service
from shared.settings import refuse

cli = service_commands(NAME, build)


@cli.command("export-rules")
def export_rules(
    file: Annotated[Path | None, typer.Argument(help="written here; else printed")] = None,
) -> None:
    """The rules in force, as a document to edit and import again."""

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.engine.connect() as connection:
            await service.tools.rules.refresh(connection)
        stored = service.tools.rules.stored
        if file is None:
            say(stored.text)
        else:
            file.write_text(stored.text, encoding="utf-8")
            say(f"{file}: rules version {stored.version}")

    with_service(build, work)


@cli.command("import-rules")
def import_rules(
    file: Annotated[Path, typer.Argument(help="a document that export-rules wrote")],
) -> None:
    """Put an edited document in force, as the next version, if nobody edited them meanwhile."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"{file}: {error}")

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.engine.connect() as connection:
            stored = await store.stored_rules(connection)
        if stored is not None:
            # The live directory is not read here; departments that rules name already are known.
            for rule in stored.ruleset.book.rules:
                if rule.department:
                    service.tools.directory.departments.setdefault(rule.department, ("", ""))
        try:
            new = await replace_rules(service, text, by="import-rules")
        except RulesInvalid as invalid:
            refuse("\n".join(f"{file}: {line}" for line in invalid.errors))
        except Refusal as refusal:
            refuse(f"{file}: {refusal}")
        say(f"rules version {new.version} in force")

    with_service(build, work)


if __name__ == "__main__":
    cli()
