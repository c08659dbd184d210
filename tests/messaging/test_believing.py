"""Who is believed, what is unknown, what is one's own; on PostgreSQL, without a broker."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.contracts import EVENTS, PRIVATE, Event, UnknownEvent
from shared.contracts.desk import CaseNoted
from shared.contracts.vocabulary import State
from shared.ids import new_id
from shared.messaging.envelope import Record
from shared.messaging.subscription import Subscription
from shared.observability.metrics import REGISTRY
from shared.service import Service
from tests.messaging import toy
from tests.messaging.test_streams import emitted, handled, letters, process, story
from tests.support import records


def refusals(service: str, reason: str) -> float:
    name = "feedback_refused_records_total"
    return REGISTRY.get_sample_value(name, {"service": service, "reason": reason}) or 0.0


def with_headers(record: Record, **headers: str) -> Record:
    return replace(record, headers=record.headers | {f"ce_{k}": v for k, v in headers.items()})


FORGERIES: list[tuple[str, Any]] = [
    ("source", lambda r, _: with_headers(r, source="sla")),
    ("source", lambda r, _: with_headers(r, source="")),
    ("source", lambda r, _: replace(r, headers={})),
    ("topic", lambda r, _: replace(r, topic=PRIVATE)),
    ("key", lambda r, other: replace(r, key=other.encode())),
    ("key", lambda r, other: replace(r, key=f"{r.feedback_id}/{other}".encode())),
    ("key", lambda r, _: replace(r, key=None)),
    ("key", lambda r, _: replace(r, key=b"\xff\x00")),
    ("key", lambda r, other: with_headers(r, subject=other)),
    ("key", lambda r, _: replace(with_headers(r, subject=""), key=b"")),
    ("sequence", lambda r, _: with_headers(r, sequence="0")),
    ("sequence", lambda r, _: with_headers(r, sequence="١")),
    ("sequence", lambda r, _: with_headers(r, sequence="9" * 40)),
    ("time", lambda r, _: with_headers(r, type="feedback.sung.v1", time="tomorrow")),
]


@pytest.mark.parametrize(("reason", "forge"), FORGERIES)
async def test_what_nobody_can_have_sent_is_counted_and_passed_over(
    seer: Service, reason: str, forge: Any
) -> None:
    case, other = new_id(), new_id()
    first, second, _ = story(seer, case)
    before = refusals("desk", reason)
    await process(seer, forge(first, other))
    assert refusals("desk", reason) == before + 1
    for each in (case, other):
        assert await handled(seer, each) == ""
        assert await letters(seer, each) == []
    await process(seer, first, second)
    assert await handled(seer, case) == "ru"


async def test_a_body_about_another_case_changes_neither(reader: Service) -> None:
    case, other = new_id(), new_id()
    (first, *_), (foreign, *_) = story(reader, case), story(reader, other)
    with pytest.raises(Exception, match="another case"):
        await process(reader, replace(first, body=foreign.body))
    assert await handled(reader, case) == await handled(reader, other) == ""


async def test_an_unknown_type_is_an_event_like_others_for_who_takes_all(
    seer: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[UnknownEvent] = []

    async def keep(event: UnknownEvent, tx: toy.Transaction) -> None:
        seen.append(event)

    case = new_id()
    first, second, third = story(seer, case)
    second = with_headers(second, type="feedback.sung.v1")
    seer.subscription = Subscription({Event: toy.handle, UnknownEvent: keep}, loads=(toy.Handled,))
    await process(seer, first, second, replace(third, body=third.body))
    assert await handled(seer, case) == "ru"
    assert await letters(seer, case) == []
    (unknown,) = seen
    assert (unknown.type, unknown.owner, unknown.feedback_id) == (
        "feedback.sung.v1",
        "intake",
        case,
    )
    assert unknown.body["feedback_id"] == case


@pytest.mark.parametrize("body", [None, b"", b"\xff", b"[]", b'{"by": 7}', b"[" * 99_999])
def test_an_unknown_type_never_fails_whatever_its_body_is(body: bytes | None) -> None:
    headers = {
        "ce_type": "case.painted.v3",
        "ce_source": "atelier",
        "ce_subject": "a",
        "ce_sequence": "1",
        "ce_time": "2026-03-04T10:00:00+08:00",
    }
    record = Record(EVENTS, 0, 0, b"a", headers, body)
    assert record.refused is None
    event = record.event()
    assert (event.type, event.owner, event.at) == (
        "case.painted.v3",
        "atelier",
        datetime(2026, 3, 4, 2, tzinfo=UTC),
    )


async def test_a_service_never_handles_what_it_emitted(seer: Service) -> None:
    case = new_id()
    now = datetime.now(UTC)
    noted = CaseNoted(feedback_id=case, at=now, state=State.TRIAGE)
    assert not seer.subscription.wants(EVENTS, CaseNoted.type, own=True)
    await process(seer, *records(seer, noted), *story(seer, case))
    assert await handled(seer, case) == "ruu"
    assert await emitted(seer, case) == [1, 2, 3]
    # Not even a hole in them is of interest.
    await process(seer, records(seer, noted, noted)[1])
    assert await letters(seer, case) == []
