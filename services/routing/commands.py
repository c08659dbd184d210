"""The commands of routing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.routing import learning, store
from services.routing.api.editing import replace_rules
from services.routing.app import NAME, build
from services.routing.deps import Deps
from services.routing.domain import RulesInvalid
from services.routing.seeds import MODEL
from shared.cli import service_commands, with_service
from shared.contracts.refusal import Refusal
from shared.embedded import EmbeddedModel
from shared.embeddings import beginning
from shared.process import embedder_of, say
from shared.service import Service
from shared.settings import read_settings, refuse

cli = service_commands(NAME, build)


@cli.command("export-rules")
def export_rules(
    file: Annotated[Path | None, typer.Argument(help="written here; else printed")] = None,
) -> None:
    """The rules in force, as a document to edit and import again."""

    async def work(service: Service[Deps]) -> None:
        await service.connect()
        await service.check_database()
        async with service.engine.connect() as connection:
            await service.deps.rules.refresh(connection)
        stored = service.deps.rules.stored
        if file is None:
            say(stored.text)
        else:
            file.write_text(stored.text, encoding="utf-8")
            say(f"{file}: rules version {stored.version}")

    with_service(build, work)


@cli.command("make-model", hidden=True)
def make_model(
    letters: Annotated[list[Path], typer.Argument(help="lines of JSON: text, department, part, …")],
    target: Annotated[Path, typer.Option(help="written here")] = MODEL,
) -> None:
    """For developers: learn the shipped model from letters; parts named unseen are left alone."""
    lines = "".join(file.read_text(encoding="utf-8") for file in letters)
    known = learning.read_letters(lines)

    async def work() -> None:
        settings = read_settings()
        embedder = embedder_of(settings)
        server = EmbeddedModel(settings.data)
        server.begin()
        try:
            while not await server.answers():
                await asyncio.sleep(0.1)
            texts = [beginning(one.title, one.text) for one in known]
            vectors = await embedder.embed(texts, within=3600)
        finally:
            await embedder.close()
            await server.stop()
        model, quality = learning.train(known, vectors, embedder.model)
        target.write_text(model.model_dump_json() + "\n", encoding="utf-8")
        say(f"{target}: {quality}")

    asyncio.run(work())


@cli.command("import-rules")
def import_rules(
    file: Annotated[Path, typer.Argument(help="a document that export-rules wrote")],
) -> None:
    """Put an edited document in force, as the next version, if nobody edited them meanwhile."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"{file}: {error}")

    async def work(service: Service[Deps]) -> None:
        await service.connect()
        await service.check_database()
        async with service.engine.connect() as connection:
            stored = await store.stored_rules(connection)
        if stored is not None:
            # The live directory is not read here; departments that rules name already are known.
            for rule in stored.ruleset.book.rules:
                if rule.department:
                    service.deps.directory.departments.setdefault(rule.department, ("", ""))
        try:
            new = await replace_rules(service, text, by="import-rules")
        except RulesInvalid as invalid:
            refuse("\n".join(f"{file}: {line}" for line in invalid.errors))
        except Refusal as refusal:
            refuse(f"{file}: {refusal}")
        say(f"rules version {new.version} in force")

    with_service(build, work)
