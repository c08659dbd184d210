"""Every example ever written is read by the classes of today, and none is ever changed."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas import corpus
from schemas.asyncapi import cloud_event_headers
from schemas.corpus import Example
from schemas.events import INBOUND as INBOUND_FILE
from schemas.events import event_file, is_tombstone, schemas
from shared.contracts import DIRECTORY, EVENTS, INBOUND, REGISTER
from shared.contracts.inbound import InboundFeedback

ALL = list(corpus.examples())
OF_EVENTS = [e for e in ALL if e.topic != INBOUND]
SENT = [e for e in ALL if e.topic == INBOUND]
SCHEMAS = schemas()


def name(example: Example) -> str:
    return f"{example.path.parent.name}/{example.path.stem}"


def _errors(schema: dict[str, Any], value: Any) -> list[str]:
    Draft202012Validator.check_schema(schema)
    return [e.message for e in Draft202012Validator(schema).iter_errors(value)]


def test_every_type_has_an_example() -> None:
    assert {e.path.parent.name for e in ALL} == {*REGISTER, INBOUND}


def test_no_example_was_changed_or_removed() -> None:
    assert corpus.damage() == []


@pytest.mark.parametrize("example", OF_EVENTS, ids=name)
def test_an_old_event_is_read_without_loss(example: Example) -> None:
    one = REGISTER[example.path.parent.name]
    assert (example.record.type, example.topic) == (one.type, one.topic)
    if example.body is None:
        assert is_tombstone(one)
        return
    event = example.record.event()
    assert type(event) is one
    assert event.key == example.key
    again = event.model_dump(mode="json", exclude_none=True)
    assert {k: again.get(k) for k in example.body} == example.body


@pytest.mark.parametrize("example", OF_EVENTS, ids=name)
def test_an_old_event_is_as_its_schema_says(example: Example) -> None:
    assert _errors(SCHEMAS[event_file(example.record.type)], example.body) == []


@pytest.mark.parametrize("example", OF_EVENTS, ids=name)
def test_the_envelope_says_who_when_and_why(example: Example) -> None:
    headers = example.headers
    assert _errors(cloud_event_headers(), headers) == []
    assert headers["ce_source"] == REGISTER[headers["ce_type"]].owner
    assert ("ce_sequence" in headers) == (example.topic == EVENTS)
    assert (headers["ce_subject"] == "") == (example.topic == DIRECTORY)
    if example.topic != DIRECTORY:
        assert headers["ce_subject"] == (example.key or "").partition("/")[0]
    if example.body is not None:
        event = example.record.event()
        assert headers["ce_time"] == event.at.isoformat()


@pytest.mark.parametrize("example", SENT, ids=name)
def test_what_adapters_once_sent_is_still_taken(example: Example) -> None:
    assert example.record.body is not None
    InboundFeedback.model_validate_json(example.record.body)
    assert _errors(SCHEMAS[INBOUND_FILE], example.body) == []


def test_a_schema_refuses_what_the_class_refuses() -> None:
    schema = SCHEMAS[event_file("feedback.rated.v1")]
    (example, *_) = [e for e in OF_EVENTS if e.record.type == "feedback.rated.v1"]
    assert example.body is not None
    assert _errors(schema, example.body | {"solved": "maybe"})
    assert _errors(schema, {k: v for k, v in example.body.items() if k != "stars"})
