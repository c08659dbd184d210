"""Each event has one owner, one name, one topic; only the owner tells it."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

import services
from schemas.readers import NAMES, not_emitted_yet
from shared.clock import ManualClock
from shared.contracts import DIRECTORY, EVENTS, PRIVATE, REGISTER, Event
from shared.messaging.topics import TOPICS
from shared.messaging.transaction import Transaction, WrongOwner

HERE = Path(services.__file__).parent
EVENT_CLASSES = list(REGISTER.values())
BY_NAME = {f.__name__: f for f in EVENT_CLASSES}
NOT_TOLD_YET: set[str] = set()
"""Readers are ready for it; the entry point that would emit it is still to be built."""


def _all(cls: type[Event]) -> list[type[Event]]:
    return [x for c in cls.__subclasses__() for x in (c, *_all(c))]


def _made_in(service: str) -> set[str]:
    """Names of event classes that are called in a service's source."""
    made = set()
    for path in (HERE / service).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                made.add(_name(node.func))
    return made & BY_NAME.keys()


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def test_every_event_that_can_be_emitted_is_in_the_register_once() -> None:
    concrete = [c for c in _all(Event) if "type" in vars(c) and c.__module__.startswith("shared.")]
    assert sorted(c.type for c in concrete) == sorted(REGISTER)
    assert len(BY_NAME) == len(REGISTER)


@pytest.mark.parametrize("event", EVENT_CLASSES, ids=lambda f: f.type)
def test_an_event_has_an_owner_a_topic_and_a_name_of_its_type(event: type[Event]) -> None:
    words, _, version = event.type.rpartition(".")
    assert version[0] == "v"
    assert int(version[1:]) >= 1
    assert event.owner in NAMES
    # The views of tracking may be dropped and rebuilt, and then nobody is told of a case again.
    assert event.owner != "tracking" or event.topic == DIRECTORY
    assert event.__module__.split(".")[:3] == ["shared", "contracts", event.owner]
    assert event.topic in TOPICS
    noun = words.partition(".")[0]
    assert {"directory": DIRECTORY, "private": PRIVATE}.get(noun, EVENTS) == event.topic
    if event.topic != DIRECTORY:
        camel = "".join(w.capitalize() for w in words.replace("_", ".").split("."))
        assert event.__name__ == camel


@pytest.mark.parametrize("service", NAMES)
def test_a_service_cannot_emit_what_another_owns(service: str) -> None:
    clock = ManualClock(datetime(2026, 3, 4, tzinfo=UTC))
    tx = Transaction(service, cast("Any", None), clock)
    tx.begin_case("a")
    for event in EVENT_CLASSES:
        if event.owner != service:
            with pytest.raises(WrongOwner):
                tx.emit(event.model_construct(feedback_id="a", at=clock.now()))
    assert not tx.news


@pytest.mark.parametrize("service", NAMES)
def test_no_service_even_makes_an_event_of_another(service: str) -> None:
    made = _made_in(service)
    assert {name: BY_NAME[name].owner for name in made if BY_NAME[name].owner != service} == {}


def test_what_is_in_the_register_is_emitted_but_for_what_is_known_to_wait() -> None:
    assert not_emitted_yet() == NOT_TOLD_YET


def test_the_readme_names_each_event_and_who_emits_it() -> None:
    page = (HERE.parent / "README.md").read_text("utf-8")
    table = page.partition("## Events")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    assert len(rows) >= 9
    for events, owners in rows:
        emitted_by = {REGISTER[f"{name}.v1"].owner for name in re.findall("`(.+?)`", events)}
        assert emitted_by == {owner.strip() for owner in owners.split(",")}, events
