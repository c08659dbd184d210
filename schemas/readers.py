"""The services as the generators see them: built, but never started or connected."""

from __future__ import annotations

import ast
import importlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.__main__ import NAMES
from shared.contracts import DIRECTORY, EVENTS, PRIVATE, REGISTER, Event
from shared.messaging.subscription import Subscription
from shared.security import Signer
from shared.service import Runtime
from shared.settings import Settings

SERVICES = Path(__file__).parent.parent / "services"


@dataclass(frozen=True)
class Reader:
    """A service and what it takes from the log."""

    name: str
    subscription: Subscription

    @property
    def takes_all(self) -> bool:
        """True where every event of ``feedback.events`` is handled."""
        return Event in self.subscription.handlers

    def handler_of(self, event: type[Event]) -> str | None:
        """The name of the handler for this very event."""
        handler: Any = self.subscription.handlers.get(event)
        if handler is None and event.tombstone is not Event.tombstone:
            handler = self.subscription.tombstones.get(event.topic)
        return None if handler is None else handler.__name__

    def events(self, topic: str) -> list[type[Event]]:
        """The events on `topic` that it handles, by type."""
        return [
            event
            for _, event in sorted(REGISTER.items())
            if event.topic == topic
            and (self.handler_of(event) is not None or (self.takes_all and topic == EVENTS))
        ]


def written() -> list[str]:
    """The services that have handlers."""
    return [name for name in NAMES if (SERVICES / name / "app.py").exists()]


def readers() -> Iterator[Reader]:
    """Every service that is written, as its own `build` makes it."""
    with tempfile.TemporaryDirectory() as data:
        settings = Settings(
            data=Path(data), secret="a secret that signs nothing", kafka="", smtp="", wechat=""
        )
        runtime = Runtime(
            settings=settings,
            kafka="127.0.0.1:1",
            database="postgresql://127.0.0.1:1/",
            signer=Signer(settings.secret),
        )
        for name in written():
            build = importlib.import_module(f"services.{name}.app").build
            yield Reader(name, build(runtime).subscription)


def emitted_by(service: str) -> list[type[Event]]:
    """The events that a service owns, by type."""
    return [event for _, event in sorted(REGISTER.items()) if event.owner == service]


def mentioned_in(service: str) -> set[str]:
    """Names of event classes that the service's source uses, beyond importing them."""
    names = {event.__name__ for event in REGISTER.values()}
    said: set[str] = set()
    for path in (SERVICES / service).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Name):
                said.add(node.id)
            elif isinstance(node, ast.Attribute):
                said.add(node.attr)
    return said & names


def not_emitted_yet() -> set[str]:
    """Types in the register that their owner's source does not make."""
    silent: set[str] = set()
    for name in NAMES:
        said = mentioned_in(name)
        silent |= {event.type for event in emitted_by(name) if event.__name__ not in said}
    return silent


__all__ = [
    "DIRECTORY",
    "EVENTS",
    "NAMES",
    "PRIVATE",
    "Reader",
    "emitted_by",
    "mentioned_in",
    "not_emitted_yet",
    "readers",
    "written",
]
