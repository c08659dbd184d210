"""``python -m schemas``: writes everything that is generated; ``check`` and ``release``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from schemas import corpus
from schemas.asyncapi import document
from schemas.compatibility import breaks
from schemas.events import HERE, as_json, schemas
from schemas.readers import NAMES, readers
from schemas.table import events_table, put_into
from shared.release import RELEASE

RELEASED = HERE / "released"
NUMBER = HERE.parent / "shared" / "release.py"
PAGE = HERE.parent / "shared" / "contracts" / "README.md"

cli = typer.Typer(
    help="The published language as files.", add_completion=False, pretty_exceptions_enable=False
)


def generated() -> dict[Path, str]:
    """What the generated files have to hold, by path."""
    runtime = list(readers())
    found = {HERE / name: as_json(schema) for name, schema in schemas().items()}
    found |= {HERE / "asyncapi" / f"{r.name}.json": as_json(document(r)) for r in runtime}
    found[PAGE] = put_into(PAGE.read_text("utf-8"), events_table(runtime))
    return found


def drift(wanted: Mapping[Path, str]) -> list[str]:
    """Files that are not what the code says, which is `wanted`, by path."""
    there = {*(HERE / "events").glob("*.json"), *(HERE / "asyncapi").glob("*.json")}
    found = [_name(p) + ": belongs to nothing any more" for p in there - wanted.keys()]
    for path, text in wanted.items():
        if not path.exists():
            found.append(_name(path) + ": is missing")
        elif path.read_text("utf-8") != text:
            found.append(_name(path) + ": is not what the code says")
    return sorted(found)


def released() -> dict[str, dict[str, Any]]:
    """The schemas of the last release, by name below ``schemas/``."""
    return {
        str(path.relative_to(RELEASED)): json.loads(path.read_text("utf-8"))
        for path in sorted(RELEASED.rglob("*.json"))
    }


@cli.callback(invoke_without_command=True)
def write(context: typer.Context) -> None:
    """Write schemas, AsyncAPI documents, new examples and the table of events."""
    if context.invoked_subcommand is not None:
        return
    wanted = generated()
    _write(wanted)
    for path in {*(HERE / "events").glob("*.json"), *(HERE / "asyncapi").glob("*.json")}:
        if path not in wanted:
            path.unlink()
    new = corpus.freeze()
    print(f"{len(wanted)} files written, {new} new examples")
    if missing := [n for n in NAMES if HERE / "asyncapi" / f"{n}.json" not in wanted]:
        print(f"not written yet: {', '.join(missing)}", file=sys.stderr)


@cli.command()
def check() -> None:
    """Say what is stale or incompatible; exit status 1 if anything is."""
    problems = drift(generated()) + breaks(released(), schemas()) + corpus.damage()
    for problem in problems:
        print(problem)
    raise typer.Exit(1 if problems else 0)


@cli.command()
def release() -> None:
    """Today's schemas become what the next changes are compared with, and the next release begins.

    Run it on the last commit of a release: that commit is the release, the next one begins a new.
    """
    today = schemas()
    if problems := breaks(released(), today):
        print("\n".join(problems), file=sys.stderr)
        raise typer.Exit(1)
    _write({RELEASED / name: as_json(schema) for name, schema in today.items()})
    _write({RELEASED / "VERSION": f"{RELEASE}\n"})
    stated = NUMBER.read_text("utf-8")
    _write({NUMBER: stated.replace(f"RELEASE = {RELEASE}\n", f"RELEASE = {RELEASE + 1}\n")})
    print(f"{len(today)} schemas released as {RELEASE}; {RELEASE + 1} begins: commit both together")


def _write(files: Mapping[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def _name(path: Path) -> str:
    return str(path.relative_to(HERE.parent))


if __name__ == "__main__":
    cli(prog_name="python -m schemas")
