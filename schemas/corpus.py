"""The examples: messages as they stand in the log, written once and frozen.

`freeze` adds what `stories` knows and the folder does not have yet; it never touches a file that
is there. The list of checksums makes every change to an old example show.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.events import HERE, as_json
from schemas.stories import INBOUND_EXAMPLES, stories
from shared.messaging.envelope import Record

FOLDER = HERE / "examples"
FROZEN = FOLDER / "frozen.sha256"


@dataclass(frozen=True)
class Example:
    """One message of the corpus."""

    path: Path
    topic: str
    key: str | None
    headers: dict[str, str]
    body: dict[str, Any] | None

    @property
    def record(self) -> Record:
        """The message as a service meets it."""
        return Record(
            topic=self.topic,
            partition=0,
            offset=0,
            key=None if self.key is None else self.key.encode(),
            headers=self.headers,
            body=None if self.body is None else json.dumps(self.body).encode(),
        )


def examples() -> Iterator[Example]:
    """Everything ever written down, by type."""
    for path in sorted(FOLDER.glob("*/*.json")):
        yield Example(path, **json.loads(path.read_text("utf-8")))


def freeze() -> int:
    """Write the examples that are new; gives their number."""
    new = 0
    for folder, name, content in _plausible():
        path = FOLDER / folder / f"{name}.json"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        text = as_json(content)
        path.write_text(text, "utf-8")
        with FROZEN.open("a", encoding="utf-8") as frozen:
            frozen.write(f"{_sum(text)}  {path.relative_to(FOLDER)}\n")
        new += 1
    return new


def damage() -> list[str]:
    """Examples that were changed, removed, or never frozen."""
    lines = FROZEN.read_text("utf-8").splitlines()
    known = {name: checksum for checksum, name in (line.split("  ", 1) for line in lines)}
    found = []
    for name, checksum in known.items():
        path = FOLDER / name
        if not path.exists():
            found.append(f"examples/{name}: was removed")
        elif _sum(path.read_text("utf-8")) != checksum:
            found.append(f"examples/{name}: was changed")
    there = {str(p.relative_to(FOLDER)) for p in FOLDER.glob("*/*.json")}
    return found + [f"examples/{name}: is not frozen" for name in sorted(there - known.keys())]


def _plausible() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, headers, event in stories():
        body = None if event.tombstone else event.model_dump(mode="json", exclude_none=True)
        message = {"topic": event.topic, "key": event.key, "headers": headers, "body": body}
        yield event.type, name, message
    for name, message in INBOUND_EXAMPLES.items():
        yield "feedback.inbound", name, message


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
