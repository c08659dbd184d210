"""JSON Schemas of every event type and of what adapters send, from the classes themselves."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from shared.contracts import REGISTER, Event
from shared.contracts.inbound import InboundFeedback

HERE = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"
INBOUND = "inbound.json"


class _Plain(GenerateJsonSchema):
    """Without a title on every field: the name says it already."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """No."""
        return False


def is_tombstone(event: type[Event]) -> bool:
    """True for an event whose body is empty."""
    return event.tombstone is not Event.tombstone


def event_file(event_type: str) -> str:
    """Where the schema of an event type lies, below ``schemas/``."""
    return f"events/{event_type}.json"


def schemas() -> dict[str, dict[str, Any]]:
    """File name below ``schemas/`` → JSON Schema."""
    found = {event_file(t): event_schema(REGISTER[t]) for t in sorted(REGISTER)}
    found[INBOUND] = {"$schema": DIALECT, "$id": INBOUND} | schema_of(InboundFeedback)
    return found


def event_schema(event: type[Event]) -> dict[str, Any]:
    """The schema of an event's body, with its type, owner and topic."""
    head = {
        "$schema": DIALECT,
        "$id": f"{event.type}.json",
        "x-type": event.type,
        "x-owner": event.owner,
        "x-topic": event.topic,
    }
    if is_tombstone(event):
        body = {"title": event.__name__, "description": _first_line(event), "type": "null"}
        return head | body
    return head | schema_of(event)


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """What a reader takes, each field with the words that stand below it in the source."""
    schema = model.model_json_schema(mode="validation", schema_generator=_Plain)
    _describe(schema, model)
    for name, definition in schema.get("$defs", {}).items():
        nested = _models(model).get(name)
        if nested is not None:
            _describe(definition, nested)
    return schema


def as_json(value: Any) -> str:
    """Pretty, in the order of the classes, Chinese readable."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _first_line(model: type) -> str:
    return (inspect.getdoc(model) or "").partition("\n")[0]


def _describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    for field, words in _field_words(model).items():
        if field in schema.get("properties", {}):
            schema["properties"][field].setdefault("description", words)


def _field_words(model: type[BaseModel]) -> dict[str, str]:
    """Field → the string literal that follows it in the class body, inherited ones too."""
    words: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if not issubclass(cls, BaseModel) or cls is BaseModel:
            continue
        body = _class_body(cls)
        for field, text in pairwise(body):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(said))),
                ):
                    words[name] = " ".join(said.split())
    return words


@cache
def _parsed(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[module]))


def _class_body(cls: type) -> list[ast.stmt]:
    for node in _parsed(cls.__module__).body:
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
            return node.body
    return []


def _models(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """The models that `model` is made of, by name."""
    return {m.__name__: m for m in nested_models(model)}


def nested_models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The models inside the fields of `model`, each before what it holds itself."""
    for field in model.model_fields.values():
        yield from _inside(field.annotation)


def _inside(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        yield from nested_models(annotation)
    for part in getattr(annotation, "__args__", ()):
        yield from _inside(part)
