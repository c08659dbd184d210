"""An event is parsed once for all services of a process; what is private is not remembered."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.contracts import Event
from shared.contracts.intake import FeedbackUrged, PrivateDetails
from shared.messaging.envelope import Record

CASE = "01JZ0000000000000000000001"
AT = datetime(2026, 3, 4, tzinfo=UTC)


def read(event: Event, offset: int) -> Event:
    """The event as a service of its own reads it from the log."""
    headers = {"ce_type": event.type, "ce_source": event.owner, "ce_subject": CASE}
    body = event.model_dump_json().encode()
    return Record(event.topic, 0, offset, CASE.encode(), headers, body).event()


def test_the_same_body_is_parsed_once() -> None:
    event = FeedbackUrged(feedback_id=CASE, at=AT)
    assert read(event, 1) is read(event, 1)
    other = FeedbackUrged(feedback_id=CASE, at=AT.replace(hour=1))
    assert read(other, 2) == other


def test_private_words_are_not_remembered() -> None:
    event = PrivateDetails(feedback_id=CASE, at=AT, tracking_code="c", text="the lamp is broken")
    assert read(event, 1) == read(event, 1) == event
    assert read(event, 1) is not read(event, 1)
