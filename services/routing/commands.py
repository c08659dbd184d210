"""The commands of routing."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from services.routing import learning
from services.routing.api.editing import replace_rules
from services.routing.app import build
from services.routing.deps import NAME, Deps
from services.routing.domain import RuleSet, RulesInvalid, Submission, decide, with_owners
from services.routing.domain.history import Column, Owners, Understood
from services.routing.domain.model import NOT_OURS
from services.routing.learning import alarms, history, kinds
from services.routing.seeds import ALARMS, KINDS, MODEL, load_rules
from shared.cli import service_commands, with_service
from shared.contracts.refusal import Refusal
from shared.embedded import EmbeddedModel
from shared.embeddings import EmbedderAway, Vector, beginning
from shared.messaging.directory import Directory, DirectoryReader
from shared.process import embedder_of, say
from shared.service import Service
from shared.settings import read_settings, refuse, refusing_file
from shared.spreadsheets import UnreadableTable

cli = service_commands(NAME, build)

_SECONDS = 10.0
"""For what is listed in the directory to be read."""


@cli.command("export-rules")
def export_rules(
    file: Annotated[Path | None, typer.Argument(help="written here; else printed")] = None,
) -> None:
    """The rules in force, as a document to edit and import again.

    Its `owners` give a category to a department: {"makerspace": "archives"}.
    """

    async def work(service: Service[Deps]) -> None:
        await service.connect()
        await service.check_database()
        async with service.engine.connect() as connection:
            await service.deps.rules.refresh(connection)
        stored = service.deps.rules.stored
        text = with_owners(stored.text)
        if file is None:
            say(text)
        else:
            with refusing_file(file):
                file.write_text(text, encoding="utf-8")
            say(f"{file}: rules version {stored.version}")

    with_service(build, work)


@cli.command("make-model", hidden=True)
def make_model(
    letters: Annotated[list[Path], typer.Argument(help="lines of JSON: text, department, part, …")],
    target: Annotated[Path, typer.Option(help="written here")] = MODEL,
) -> None:
    """For developers: learn the shipped model from letters; parts named unseen are left alone."""
    known = learning.read_letters(_lines(letters))
    vectors, embedder = _vectors([beginning(one.title, one.text) for one in known])
    rules = RuleSet(load_rules())
    ruled = [decide(rules, Submission(text=one.text, title=one.title)) for one in known]
    model, quality = learning.train(known, vectors, embedder, ruled)
    _write(target, model, quality)
    rehearsal = learning.chosen(known, vectors, embedder)
    _write(target.with_name(learning.REHEARSAL.name), rehearsal, len(rehearsal.letters))


@cli.command("make-alarms", hidden=True)
def make_alarms(
    letters: Annotated[list[Path], typer.Argument(help="lines of JSON: text, part, kind, …")],
    target: Annotated[Path, typer.Option(help="written here")] = ALARMS,
) -> None:
    """For developers: learn what an emergency is; parts named unseen are left alone."""
    known = alarms.read_alarm_letters(_lines(letters))
    vectors, embedder = _vectors([beginning(one.title, one.text) for one in known])
    model, quality = alarms.train_alarms(known, vectors, embedder)
    _write(target, model, quality)


@cli.command("make-kinds", hidden=True)
def make_kinds(
    letters: Annotated[list[Path], typer.Argument(help="lines of JSON: text, type, priority, …")],
    target: Annotated[Path, typer.Option(help="written here")] = KINDS,
) -> None:
    """For developers: learn types and priorities; parts named unseen are left alone."""
    known = kinds.read_kinds(_lines(letters))
    vectors, embedder = _vectors([beginning(x.get("title", ""), x["text"]) for x in known])
    model, quality = kinds.train_kinds(known, vectors, embedder)
    _write(target, model, quality)


def _lines(files: list[Path]) -> str:
    found = []
    for file in files:
        with refusing_file(file):
            found.append(file.read_text(encoding="utf-8"))
    return "".join(found)


def _write(target: Path, model: BaseModel, quality: object) -> None:
    with refusing_file(target):
        target.write_text(model.model_dump_json() + "\n", encoding="utf-8")
    say(f"{target}: {quality}")


def _vectors(texts: list[str]) -> tuple[list[Vector], str]:
    """Their vectors, of a server of our own, and the name of its model."""

    async def work() -> tuple[list[Vector], str]:
        settings = read_settings()
        embedder = embedder_of(settings)
        server = EmbeddedModel(settings.data)
        server.begin()
        try:
            while not await server.answers():
                await asyncio.sleep(0.1)
            return await embedder.embed(texts, within=3600), embedder.model
        finally:
            await embedder.close()
            await server.stop()

    return asyncio.run(work())


@cli.command("train")
def train_now() -> None:
    """Learn from what this library's people did; the new version is used if it is no worse."""

    async def work(service: Service[Deps]) -> None:
        embedder = service.deps.meaning.embedder
        if embedder.off or embedder.missing:
            why = "EXPRESS_EMBEDDINGS is off" if embedder.off else embedder.missing
            refuse(f"without a model of meaning nothing is learned, and rules decide: {why}")
        async with ready_to_learn(service):
            await learn_and_say(service)

    with_service(build, work)


_Name = Annotated[str, typer.Option(help="name of the column, or its number")]


@cli.command("learn")
def learn_file(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX, a letter a row")],
    text: _Name = "",
    department: _Name = "",
    title: _Name = "",
    category: _Name = "",
    time: _Name = "",
    same: Annotated[
        list[str] | None, typer.Option("--map", help="NAME=CODE: a department by another name")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="go on after the preview, unasked")] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="only say what was understood")
    ] = False,
) -> None:
    """Learn from a library's own history: letters, and the department that each belonged to.

    Columns that are not named are found by their usual names. Nothing is kept of the words.
    """
    given = dict(zip(Column, (text, department, title, category, time), strict=True))
    if wrong := [pair for pair in same or [] if not all(pair.partition("="))]:
        refuse(f"--map: say NAME=CODE, not {wrong[0]!r}")
    told = dict(pair.rsplit("=", 1) for pair in same or [])

    async def work(service: Service[Deps]) -> None:
        async with ready_to_learn(service):
            directory = service.deps.directory
            if unknown := sorted(set(told.values()) - {*directory.departments, NOT_OURS}):
                refuse(f"--map: there is no department {', '.join(unknown)}")
            owners = Owners(directory.departments, told, directory.categories)
            try:
                with refusing_file(file):
                    columns, found = await asyncio.to_thread(
                        partial(history.look_through, now=service.runtime.clock.now()),
                        file,
                        given,
                        owners,
                    )
            except UnreadableTable as unreadable:
                refuse(f"{file}: {unreadable.en}")
            except history.ColumnMissing as missing:
                refuse(
                    f"{file}: no column {missing.args[0]!r} was found among "
                    f"{', '.join(map(repr, missing.header))}; name it with --text, … "
                    f"It was read as {missing.how}: if these names look wrong, that is none of its "
                    "encoding; save it as UTF-8"
                )
            except KeyError as missing:
                refuse(f"{file}: no column {missing.args[0]!r} was found; name it with --text, …")
            for line in understood(columns, found, directory):
                say(line)
            if not found.letters:
                refuse(f"{file}: there is nothing to learn from")
            if preview:
                return
            if not yes and not typer.confirm("Learn from these letters?"):
                return
            letters = found.in_order()
            model = service.deps.meaning.shipped
            assert model is not None
            try:
                async with an_embedder(service):
                    await history.keep_lessons(service, file, letters, model.buckets, say)
            except EmbedderAway as away:
                refuse(f"the embedder is away ({away}); what was embedded is kept, run this again")
            await learn_and_say(service, source=file.name)

    with_service(build, work)


def understood(
    columns: Mapping[Column, str], found: Understood, directory: Directory
) -> Iterator[str]:
    """What was made of a file, in lines."""
    if found.unreadable:
        yield (
            f"the encoding is not clear: read as {found.how}, in which {found.unreadable} places "
            "cannot be read; they are left out of the words"
        )
    yield "columns: " + ", ".join(f"{column} = {name!r}" for column, name in columns.items())
    for code, count in found.owners.most_common():
        name = directory.department_name(code, "zh")
        yield f"  {count:6} {code} {'(belongs elsewhere)' if code == NOT_OURS else name}"
    if found.unknown:
        yield "no such department here; left out, or name them with --map NAME=CODE:"
        for unknown, count in found.unknown.most_common():
            yield f"  {count:6} {unknown!r}"
    for (name, codes), count in found.ambiguous.most_common():
        yield (
            f"  {count:6} {name!r}: {'、'.join(codes)} 都叫这个，没学；用 --map NAME=CODE 说是哪个"
            f" | {', '.join(codes)} are all called so; left out, say which with --map NAME=CODE"
        )
    for what, rows in (("left out", found.odd), ("taken, but odd", found.doubtful)):
        for why, lines in rows.items():
            yield f"{what}: {why}: {len(lines)} rows: {spans(lines)}"
    if found.again:
        yield (
            f"said again word for word in the same file: {len(found.again)} rows: "
            f"{spans(found.again)}; each counts once, as the later row says it"
        )
    if found.letters and all(one.at is None for one in found.letters):
        yield "there are no dates: the order of the file counts, the oldest first"
    yield f"{len(found.letters)} letters to learn from"


def spans(lines: list[int]) -> str:
    """``3, 7-9, 12``: every one of them."""
    found: list[list[int]] = []
    for line in lines:
        if found and line == found[-1][1] + 1:
            found[-1][1] = line
        else:
            found.append([line, line])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in found)


@contextlib.asynccontextmanager
async def ready_to_learn(service: Service[Deps]) -> AsyncIterator[None]:
    """Know the database, the departments and the version in use."""
    await service.connect()
    await service.check_database()
    await learning.refresh_model(service)
    async with service.engine.connect() as connection:
        await service.deps.rules.refresh(connection)
    reader = DirectoryReader(service.runtime.directory, service.runtime.kafka)
    await reader.start()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while not reader.directory.loaded:
                    await asyncio.sleep(0.1)
        if not reader.directory.departments:
            refuse("no departments are listed: is the system set up, and the broker there?")
        yield
    finally:
        await reader.stop()


@contextlib.asynccontextmanager
async def an_embedder(service: Service[Deps]) -> AsyncIterator[None]:
    """Whoever embeds: that of the running system, or the built-in one, begun for now."""
    embedder = service.deps.meaning.embedder
    server: EmbeddedModel | None = None
    try:
        await embedder.embed(["图书馆 library"])
    except EmbedderAway:
        if embedder.source.kind != "builtin" or embedder.missing:
            raise
        server = EmbeddedModel(service.runtime.settings.data)
        server.begin()
    try:
        yield
    finally:
        await embedder.close()
        if server is not None:
            await server.stop()


async def learn_and_say(service: Service[Deps], **more: Any) -> None:
    """Train, and say how the new version compares."""
    try:
        said = await learning.learn(service, by=getpass.getuser(), **more)
    except (Refusal, learning.TrainingFailed) as why:
        refuse(str(why))
    say(comparison(said))


def comparison(said: learning.Learned) -> str:
    """A new version beside the one that ran, in words."""
    new, old, model = said.trained.new, said.trained.running, said.trained.model
    what = "taken into use" if said.taken else f"kept, but version {said.compared_with} stays"
    return (
        f"version {said.version}, learned from {model.letters} letters, is {what}.\n"
        f"On the latest {new.letters} letters, which neither had seen "
        f"(version {said.compared_with} → {said.version}):\n"
        f"  first right {old.first:.0%} → {new.first:.0%}, "
        f"among three {old.three:.0%} → {new.three:.0%},\n"
        f"  sent without a person {old.alone:.0%} → {new.alone:.0%}, "
        f"of these rightly {old.precision:.0%} → {new.precision:.0%}"
        + (
            ""
            if said.raised is None
            else f"\nVersion {said.compared_with} sent far less rightly than the "
            f"{said.trained.promised:.0%} that are promised: it goes on as version {said.raised}, "
            "with a higher bar."
        )
    )


@cli.command("import-rules")
def import_rules(
    file: Annotated[Path, typer.Argument(help="a document that export-rules wrote")],
) -> None:
    """Put an edited document in force, as the next version, if nobody edited them meanwhile."""
    with refusing_file(file):
        text = file.read_text(encoding="utf-8")

    async def work(service: Service[Deps]) -> None:
        await service.connect()
        await service.check_database()
        async with service.engine.connect() as connection:
            await service.deps.rules.refresh(connection)
        directory = service.deps.directory
        if not await DirectoryReader(directory, service.runtime.kafka).read_once(_SECONDS):
            print("no broker says which departments were added lately", file=sys.stderr)
        # What rules name already was there when they were put in force.
        for code in service.deps.rules.ruleset.book.departments:
            directory.departments.setdefault(code, ("", ""))
        try:
            new = await replace_rules(service, text, by="import-rules")
        except RulesInvalid as invalid:
            refuse("\n".join(f"{file}: {line}" for line in invalid.errors))
        except Refusal as refusal:
            refuse(f"{file}: {refusal}")
        say(f"rules version {new.version} in force")

    with_service(build, work)
