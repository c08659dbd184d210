"""Readers of today live with the writers of tomorrow: unknown fields, unknown codes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from schemas import corpus
from schemas.events import event_schema, nested_models
from shared.contracts import REGISTER
from shared.messaging.envelope import InvalidMessage, Record

BODIES = [e for e in corpus.examples() if e.record.type in REGISTER and e.body is not None]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x, max_size=2)
)
STRICT = {"Priority", "Clock", "Solved", "State"}
"""Codes without an ``other``: a new one is a new event type, and the comparison says so."""


def _read(example: corpus.Example, body: dict[str, Any]) -> Any:
    record = example.record
    return Record(record.topic, 0, 0, record.key, record.headers, json.dumps(body).encode()).event()


def _open_fields(event_type: str) -> list[str]:
    """The fields that take codes from tomorrow."""
    schema = event_schema(REGISTER[event_type])
    return [
        name
        for name, field in schema.get("properties", {}).items()
        if any("$ref" in part for part in field.get("anyOf", ()))
        and {"type": "string"} in field["anyOf"]
    ]


OPEN = [(e, f) for e in BODIES for f in _open_fields(e.record.type)]


@given(st.sampled_from(BODIES), st.dictionaries(st.text(min_size=1), ANY_JSON, max_size=4))
def test_unknown_fields_are_ignored_in_every_event(
    example: corpus.Example, junk: dict[str, Any]
) -> None:
    assert example.body is not None
    known = type(_read(example, example.body)).model_fields
    junk = {k: v for k, v in junk.items() if k not in known}
    assert _read(example, example.body | junk) == _read(example, example.body)


@given(st.sampled_from(BODIES), ANY_JSON)
def test_unknown_fields_are_ignored_inside_an_event(example: corpus.Example, junk: Any) -> None:
    assert example.body is not None

    def strewn(part: Any) -> Any:
        if isinstance(part, dict):
            return {k: v if k == "words" else strewn(v) for k, v in part.items()} | {"明天": junk}
        return [strewn(p) for p in part] if isinstance(part, list) else part

    assert _read(example, strewn(example.body)) == _read(example, example.body)


@given(st.sampled_from(OPEN), st.text())
def test_a_code_from_tomorrow_is_taken_for_other(
    place: tuple[corpus.Example, str], code: str
) -> None:
    example, field = place
    assert example.body is not None
    taken = getattr(_read(example, example.body | {field: code}), field)
    known = {str(each) for each in type(taken)}
    assert taken == (code if code in known else "other")


@pytest.mark.parametrize("value", [[], {}, {"code": "solved"}])
def test_what_is_no_code_at_all_is_an_invalid_message(value: Any) -> None:
    for example, field in OPEN:
        assert example.body is not None
        with pytest.raises(InvalidMessage):
            _read(example, example.body | {field: value})


def test_which_codes_are_open_and_which_are_not_is_known() -> None:
    closed: set[str] = set()
    opened: set[str] = set()
    for event_type in REGISTER:
        schema = event_schema(REGISTER[event_type])
        names = set(_open_fields(event_type))
        for name, field in schema.get("properties", {}).items():
            for ref in (p["$ref"] for p in [field, *field.get("anyOf", ())] if "$ref" in p):
                model = ref.rpartition("/")[2]
                if "enum" in schema["$defs"][model]:
                    (opened if name in names else closed).add(model)
    assert opened == {"Channel", "Outcome", "CaseType", "RefusalReason"}
    assert closed == STRICT


@pytest.mark.parametrize("event_type", REGISTER)
def test_an_event_and_all_inside_it_is_frozen_and_ignores_what_it_does_not_know(
    event_type: str,
) -> None:
    one = REGISTER[event_type]
    for model in (one, *nested_models(one)):
        assert issubclass(model, BaseModel)
        assert model.model_config.get("frozen") is True, model
        assert model.model_config.get("extra") == "ignore", model


def test_a_read_event_cannot_be_changed() -> None:
    example = BODIES[0]
    assert example.body is not None
    with pytest.raises(ValidationError):
        _read(example, example.body).feedback_id = "another"
