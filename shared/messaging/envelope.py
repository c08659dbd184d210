"""CloudEvents 1.0, binary mode: the fact is the body, everything about it is a header."""

from __future__ import annotations

from dataclasses import dataclass

from aiokafka import ConsumerRecord

from shared.contracts import REGISTER, Event


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
    """Said by nobody of the house: its envelope is not believed, neither id nor case."""

    @property
    def ce_id(self) -> str | None:
        """What tells this fact from every other."""
        return None if self.foreign else self.headers.get("ce_id")

    @property
    def type(self) -> str:
        """The fact's type, empty where the message carries none."""
        return self.headers.get("ce_type", "")

    @property
    def source(self) -> str:
        """The service that said it."""
        return self.headers.get("ce_source", "")

    @property
    def feedback_id(self) -> str | None:
        """The case it belongs to."""
        return None if self.foreign else self.headers.get("ce_subject") or None

    def event(self) -> Event:
        """The fact itself; `InvalidMessage` where it cannot be read."""
        event_class = REGISTER.get(self.type)
        if event_class is None:
            raise InvalidMessage(f"unknown fact type {self.type!r}")
        if self.body is None:
            raise InvalidMessage("a fact without a body")
        try:
            return event_class.model_validate_json(self.body)
        except ValueError as error:
            raise InvalidMessage(_without_values(error)) from None


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
    """The headers of a fact that `source` tells because of `cause`."""
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


def type_of(record: ConsumerRecord) -> str:
    """The type a message of Kafka names, read without looking at anything else."""
    for name, value in record.headers:
        if name == "ce_type":
            return str(value or b"", "utf-8", "replace")
    return ""


def record_of(raw: ConsumerRecord, *, foreign: bool = False) -> Record:
    """The record as the house knows it; headers that nobody could store are kept readable."""
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
