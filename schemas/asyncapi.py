"""One AsyncAPI 3 document per service: what it emits and what it takes, by FastStream.

A publisher is declared per event type, since FastStream would put all that goes to one topic into
one channel. What FastStream cannot know is said afterwards: the CloudEvents headers, the name of
each message, and that one subscription takes many types.
"""

from __future__ import annotations

from typing import Any

from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI
from pydantic import BaseModel

from schemas.events import is_tombstone, schema_of
from schemas.readers import DIRECTORY, EVENTS, NAMES, PRIVATE, Reader, emitted_by
from shared.contracts import INBOUND, INBOUND_REJECTED, REGISTER, Event
from shared.contracts.inbound import InboundFeedback

VERSION = "1.0.0"
_COMPONENT = "#/components/schemas/{model}"

_REJECTED: dict[str, Any] = {
    "name": INBOUND_REJECTED,
    "title": "A refused message",
    "summary": "The bytes as they came; the header `reason` says what is wrong.",
    "payload": {},
    "headers": {
        "type": "object",
        "properties": {
            "reason": {
                "type": "string",
                "description": "What is wrong and where; never the value.",
            },
            "source-partition": {"type": "string"},
            "source-offset": {"type": "string"},
            "cut-from-bytes": {"type": "string", "description": "Where only the first MB is here."},
        },
        "required": ["reason", "source-partition", "source-offset"],
    },
}


def document(reader: Reader) -> dict[str, Any]:
    """The AsyncAPI document of a service."""
    broker = KafkaBroker("localhost:9092")
    for event in emitted_by(reader.name):
        broker.publisher(event.topic, title=event.type, schema=event, description=_said(event))
    if INBOUND in reader.subscription.raw:
        broker.publisher(
            INBOUND_REJECTED,
            title=INBOUND_REJECTED,
            schema=InboundFeedback,
            description=_REJECTED["summary"],
        )
    taken = taken_by(reader)
    for topic, models in taken.items():
        subscriber = broker.subscriber(topic, title=f"{reader.name}.{topic}")
        for model in models:
            subscriber(_handler(model))
    generated = AsyncAPI(
        broker,
        title=f"Feedback Express: {reader.name}",
        version=VERSION,
        description="Events travel as CloudEvents 1.0 in binary mode: the body is the event, the "
        "rest are headers. The key is the case, so that a case keeps its order.",
    )
    found: dict[str, Any] = generated.to_specification().to_jsonable()
    return _completed(found, reader.name, taken)


def taken_by(reader: Reader) -> dict[str, list[type[BaseModel]]]:
    """Topic → what the service takes from it. Every process reads the whole directory."""
    taken: dict[str, list[type[BaseModel]]] = {
        topic: list(events) for topic in (EVENTS, PRIVATE) if (events := reader.events(topic))
    }
    taken[DIRECTORY] = [f for _, f in sorted(REGISTER.items()) if f.topic == DIRECTORY]
    if INBOUND in reader.subscription.raw:
        taken[INBOUND] = [InboundFeedback]
    return taken


def _handler(model: type[BaseModel]) -> Any:
    async def take(message: Any) -> None: ...

    take.__annotations__["message"] = model
    take.__doc__ = ""
    return take


def _said(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _completed(
    found: dict[str, Any], service: str, taken: dict[str, list[type[BaseModel]]]
) -> dict[str, Any]:
    found.pop("servers", None)  # where the broker is, is a setting
    channels, messages = found["channels"], found["components"]["messages"]
    for channel in channels.values():
        channel.pop("servers", None)
    for event in emitted_by(service):
        _name_messages(found, event.type, [event])
    for topic, models in taken.items():
        _name_messages(found, f"{service}.{topic}", models)
        channels[f"{service}.{topic}"]["description"] = f"What {service} takes from {topic}."
    if INBOUND in taken:
        messages[f"{INBOUND_REJECTED}:Message"] = _REJECTED
    found["components"]["schemas"] = _payloads(service, taken) | {
        "CloudEventHeaders": cloud_event_headers()
    }
    found["components"]["messages"] = dict(sorted(messages.items()))
    found["channels"] = dict(sorted(channels.items()))
    found["operations"] = dict(sorted(found["operations"].items()))
    return {"asyncapi": found["asyncapi"]} | {k: v for k, v in found.items() if k != "asyncapi"}


def _name_messages(found: dict[str, Any], title: str, models: list[type[BaseModel]]) -> None:
    """One message per event type in the channel and in the operation of this title."""
    channel, operation = found["channels"][title], found["operations"][title]
    messages = found["components"]["messages"]
    for generated in channel["messages"].values():
        messages.pop(generated["$ref"].rpartition("/")[2], None)
    channel["messages"], operation["messages"] = {}, []
    for model in models:
        name = getattr(model, "type", model.__name__)
        messages[name] = _message(model, name)
        channel["messages"][name] = {"$ref": f"#/components/messages/{name}"}
        operation["messages"].append({"$ref": f"#/channels/{title}/messages/{name}"})


def _message(model: type[BaseModel], name: str) -> dict[str, Any]:
    message: dict[str, Any] = {"name": name, "title": model.__name__, "summary": _said(model)}
    message["contentType"] = "application/json"
    empty = issubclass(model, Event) and is_tombstone(model)
    message["payload"] = (
        {"type": "null"} if empty else {"$ref": _COMPONENT.format(model=model.__name__)}
    )
    if issubclass(model, Event):
        message["x-ce-type"] = model.type
        message["headers"] = {"$ref": _COMPONENT.format(model="CloudEventHeaders")}
        message["correlationId"] = {"location": "$message.header#/ce_correlationid"}
        message["bindings"] = {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.4.0"}}
    return message


def _payloads(service: str, taken: dict[str, list[type[BaseModel]]]) -> dict[str, Any]:
    """The schemas of all bodies, the same words as in the files beside this document."""
    models: set[type[BaseModel]] = {m for some in taken.values() for m in some}
    found: dict[str, Any] = {}
    for model in sorted(models | set(emitted_by(service)), key=lambda m: m.__name__):
        if issubclass(model, Event) and is_tombstone(model):
            continue
        schema = _repointed(schema_of(model))
        found |= schema.pop("$defs", {})
        found[model.__name__] = schema
    return dict(sorted(found.items()))


def _repointed(part: Any) -> Any:
    """The same schema with its definitions among the components."""
    if isinstance(part, dict):
        return {
            k: v.replace("#/$defs/", "#/components/schemas/") if k == "$ref" else _repointed(v)
            for k, v in part.items()
        }
    return [_repointed(p) for p in part] if isinstance(part, list) else part


def cloud_event_headers() -> dict[str, Any]:
    """What stands in the headers of every event."""

    def text(description: str, **more: Any) -> dict[str, Any]:
        return {"type": "string", "description": description} | more

    return {
        "title": "CloudEventHeaders",
        "type": "object",
        "properties": {
            "ce_specversion": text("CloudEvents", const="1.0"),
            "ce_id": text("Unique to this event; seen twice only after a crash."),
            "ce_source": text("The service that said it.", enum=list(NAMES)),
            "ce_type": text("The event's type and version."),
            "ce_subject": text("The case; empty on feedback.directory."),
            "ce_time": text("When it happened.", format="date-time"),
            "ce_sequence": text(
                "1, 2, 3 … without a gap per case and source; only on feedback.events.",
                pattern="^[1-9][0-9]*$",
            ),
            "ce_correlationid": text("The first event of the chain that led here."),
            "ce_causationid": text("The event that led here directly."),
            "traceparent": text("W3C trace context, where the cause had one."),
            "content-type": text("Of the body.", const="application/json"),
        },
        "required": [
            "ce_specversion",
            "ce_id",
            "ce_source",
            "ce_type",
            "ce_subject",
            "ce_time",
            "ce_correlationid",
            "content-type",
        ],
    }
