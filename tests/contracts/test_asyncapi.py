"""The AsyncAPI documents say what the services do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

import schemas
from schemas.events import is_tombstone
from schemas.readers import NAMES, Reader, emitted_by, readers
from shared.contracts import DIRECTORY, EVENTS, INBOUND, INBOUND_REJECTED, REGISTER

FOLDER = Path(schemas.__file__).parent / "asyncapi"


@pytest.fixture(scope="module")
def runtime() -> dict[str, Reader]:
    return {r.name: r for r in readers()}


@pytest.fixture(params=NAMES)
def reader(request: pytest.FixtureRequest, runtime: dict[str, Reader]) -> Reader:
    return runtime[request.param]


def _document(reader: Reader) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{reader.name}.json").read_text("utf-8"))
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for one in part:
            yield from _references(one)


def _operations(document: dict[str, Any], action: str) -> dict[str, tuple[str, set[str]]]:
    """Operation → the topic and the names of its messages."""
    found = {}
    for title, operation in document["operations"].items():
        if operation["action"] == action:
            channel = document["channels"][operation["channel"]["$ref"].rpartition("/")[2]]
            names = {m["$ref"].rpartition("/")[2] for m in operation["messages"]}
            found[title] = (channel["address"], names)
    return found


def test_every_reference_leads_somewhere(reader: Reader) -> None:
    document = _document(reader)
    assert document["asyncapi"] == "3.0.0"
    for reference in _references(document):
        part: Any = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
    for schema in document["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_every_event_a_service_owns_has_a_publisher_of_its_own(reader: Reader) -> None:
    sent = _operations(_document(reader), "send")
    if INBOUND in reader.subscription.raw:
        assert sent.pop(INBOUND_REJECTED)[0] == INBOUND_REJECTED
    assert sent == {f.type: (f.topic, {f.type}) for f in emitted_by(reader.name)}


def test_a_subscriber_names_what_is_handled(reader: Reader) -> None:
    taken = {t: names for t, names in _operations(_document(reader), "receive").values()}
    handled = {f.type for f in reader.subscription.handlers if hasattr(f, "type")}
    # The directory is received whole, by every process.
    handled -= {t for t, f in REGISTER.items() if f.topic == DIRECTORY}
    if reader.takes_all:
        handled |= {t for t, f in REGISTER.items() if f.topic == EVENTS}
    assert set(taken) == {*reader.subscription.topics, DIRECTORY}
    assert taken.pop(DIRECTORY) == {t for t, f in REGISTER.items() if f.topic == DIRECTORY}
    assert taken.pop(INBOUND, set()) == ({"InboundFeedback"} if reader.subscription.raw else set())
    erased = {t for t in set().union(*taken.values()) if is_tombstone(REGISTER[t])}
    assert bool(erased) == bool(reader.subscription.tombstones)
    assert set().union(*taken.values()) - erased == handled
