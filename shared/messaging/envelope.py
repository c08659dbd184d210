"""CloudEvents 1.0, binary mode: the event is the body, everything about it is a header."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from aiokafka import ConsumerRecord

from shared.contracts import (
    DIRECTORY,
    EVENTS,
    PRIVATE,
    REGISTER,
    SYSTEM,
    Event,
    UnknownEvent,
)

_LARGE = 8 * 1024
"""Bytes of a body that is not worth remembering."""
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class InvalidMessage(Exception):
    """A message that can never be taken in. Trying again would not help."""


@dataclass(frozen=True, slots=True)
class Record:
    """A message as it stood in the log."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: dict[str, str]
    body: bytes | None
    foreign: bool = False
    """Sent by nobody of the system: its envelope is not believed, neither id nor case."""

    @property
    def ce_id(self) -> str | None:
        """The identifier of this event."""
        return None if self.foreign else self.headers.get("ce_id")

    @property
    def type(self) -> str:
        """The event's type, empty where the message carries none."""
        return self.headers.get("ce_type", "")

    @property
    def source(self) -> str:
        """The service that said it."""
        return self.headers.get("ce_source", "")

    @property
    def sequence(self) -> int | None:
        """Its number among the events of its case and source: 1, 2, 3 …

        None outside ``feedback.events``: private events and the directory are states, of which the
        newest wins, so that a second delivery changes nothing.
        """
        number = self.headers.get("ce_sequence", "")
        if self.topic != EVENTS or self.feedback_id is None or not _NUMBER.fullmatch(number):
            return None
        return int(number)

    @property
    def identity(self) -> tuple[str, int] | str | None:
        """What two deliveries of one message have in common, within their case."""
        sequence = self.sequence
        return self.ce_id if sequence is None else (self.source, sequence)

    @property
    def feedback_id(self) -> str | None:
        """The case it belongs to."""
        return None if self.foreign else self.headers.get("ce_subject") or None

    @property
    def refused(self) -> str | None:
        """Why nobody of the system can have sent this, in one word; None when it is believed.

        ``source`` is not the owner of the type, the type lives on another ``topic``, the ``key`` is
        that of another case or entry, or an event has no ``sequence`` or ``time``. Whoever reaches
        the broker can write all of it: this finds mistakes and clumsy forgeries, not clever ones.
        """
        if self.foreign:
            return None
        known = REGISTER.get(self.type)
        if not self.source or (known is not None and known.owner != self.source):
            return "source"
        if known is not None and known.topic != self.topic:
            return "topic"
        if self.topic == DIRECTORY:
            # A tombstone says by its key alone which entry it removes.
            keyed = self.body is None or self.key == self._entry()
            return None if known is None or keyed else "key"
        subject = (self.feedback_id or "").encode()
        entry = self.topic == PRIVATE and (self.key or b"").startswith(subject + b"/")
        if not subject or not (self.key == subject or entry):
            return "key"
        if self.topic == EVENTS and self.sequence is None:
            return "sequence"
        return "time" if known is None and self.time is None else None

    def event(self) -> Event:
        """The event itself; `InvalidMessage` where it cannot be read.

        Of a type that this code does not know only the envelope is asked.
        """
        event_class = REGISTER.get(self.type)
        if event_class is None:
            return self._unknown()
        if self.body is None:
            raise InvalidMessage("an event without a body")
        try:
            event = _parse(event_class, self.body)
        except ValueError as error:
            raise InvalidMessage(_without_values(error)) from None
        if event.feedback_id != (self.feedback_id or ""):
            # Another case than the one that is locked.
            raise InvalidMessage("the body is about another case than the envelope")
        return event

    def _unknown(self) -> UnknownEvent:
        at = self.time
        if at is None:
            raise InvalidMessage("an unknown type, and no time")
        try:
            body = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            body = {}
        if not isinstance(body, dict):
            body = {}
        values = {"feedback_id": self.feedback_id or "", "at": at, "body": body}
        values |= {"type": self.type, "owner": self.source}
        try:
            return UnknownEvent.model_validate(values | {"by": body.get("by", SYSTEM)})
        except ValueError:
            return UnknownEvent.model_validate(values)

    @property
    def time(self) -> datetime | None:
        """When it happened, by the envelope; None where that says nothing with an offset."""
        try:
            at = datetime.fromisoformat(self.headers.get("ce_time", ""))
        except ValueError:
            return None
        return None if at.tzinfo is None else at

    def _entry(self) -> bytes | None:
        try:
            return self.event().key.encode()
        except InvalidMessage:
            return None


@lru_cache(maxsize=512)
def _parse_once(event_class: type[Event], body: bytes) -> Event:
    return event_class.model_validate_json(body)


def _parse(event_class: type[Event], body: bytes) -> Event:
    """All services of a process read the same events within a moment; events never change.

    What is private is not kept a moment longer than it is needed, nor what is large.
    """
    if event_class.topic == PRIVATE or len(body) > _LARGE:
        return event_class.model_validate_json(body)
    return _parse_once(event_class, body)


def _without_values(error: ValueError) -> str:
    """What is wrong and where, but never the value: it may be personal."""
    details = getattr(error, "errors", None)
    if details is None:
        return type(error).__name__
    return "; ".join(
        f"{'.'.join(map(str, d['loc']))}: {d['type']}"
        for d in details(include_url=False, include_context=False, include_input=False)
    )


def headers_for(
    event: Event,
    *,
    ce_id: str,
    source: str,
    sequence: int | None,
    cause: Record | None,
) -> dict[str, str]:
    """The headers of an event that `source` emits because of `cause`."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": ce_id,
        "ce_source": source,
        "ce_type": event.type,
        "ce_subject": event.feedback_id,
        "ce_time": event.at.isoformat(),
        "content-type": "application/json",
    }
    if sequence is not None:
        headers["ce_sequence"] = str(sequence)
    if cause is not None and cause.ce_id:
        headers["ce_causationid"] = cause.ce_id
        headers["ce_correlationid"] = cause.headers.get("ce_correlationid", cause.ce_id)
        if parent := cause.headers.get("traceparent"):
            headers["traceparent"] = parent
    else:
        headers["ce_correlationid"] = ce_id
    return headers


def type_and_source_of(record: ConsumerRecord) -> tuple[str, str]:
    """The type a message of Kafka names and who sent it, read without looking at anything else."""
    event_type = source = b""
    for name, value in record.headers:
        if name == "ce_type":
            event_type = value or b""
        elif name == "ce_source":
            source = value or b""
    return str(event_type, "utf-8", "replace"), str(source, "utf-8", "replace")


def record_of(raw: ConsumerRecord, *, foreign: bool = False) -> Record:
    """The record as the system knows it; headers that nobody could store are kept readable."""
    return Record(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        key=raw.key,
        headers={_storable(k.encode()): _storable(v) for k, v in raw.headers},
        body=raw.value,
        foreign=foreign,
    )


def _storable(raw: bytes | None) -> str:
    """PostgreSQL takes no NUL; a header without a value is an empty one."""
    return (raw or b"").decode("utf-8", "backslashreplace").replace("\0", "\\x00")
