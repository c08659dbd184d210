"""Comments that programs publish on the log."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from shared.contracts import INBOUND, INBOUND_REJECTED
from shared.messaging.envelope import Record, record_of
from tests.service.intake.conftest import Intake

GOOD = {"channel": "survey", "source_message_id": "s-1", "text": "新书展阅厅的书单做得真好"}


async def arrives(intake: Intake, body: bytes | dict[str, Any] | None, **headers: str) -> None:
    raw = json.dumps(body).encode() if isinstance(body, dict) else body
    record = Record(INBOUND, 0, 7, b"key", headers, raw, foreign=True)
    async with intake.service.transaction() as tx:
        await intake.service.subscription.hand_over(tx, record)


async def refused(intake: Intake) -> list[dict[str, Any]]:
    rows = await intake.rows(
        "SELECT key, headers, body FROM outbox WHERE topic = :t ORDER BY id", t=INBOUND_REJECTED
    )
    return [dict(row) for row in rows]


def test_headers_of_strangers_can_be_stored() -> None:
    raw = SimpleNamespace(
        topic=INBOUND,
        partition=0,
        offset=1,
        key=None,
        value=b"{}",
        headers=(("ce_id", b"a\0b"), ("ce_subject", None), ("x\0", b"\xff")),
    )
    record = record_of(raw)  # type: ignore[arg-type]
    assert (record.ce_id, record.feedback_id) == ("a\\x00b", None)
    foreign = record_of(raw, foreign=True)  # type: ignore[arg-type]
    assert (foreign.ce_id, foreign.feedback_id) == (None, None)
    assert record.headers == {"ce_id": "a\\x00b", "ce_subject": "", "x\\x00": "\\xff"}


async def test_it_is_a_case_like_any_other(intake: Intake) -> None:
    await arrives(intake, GOOD)
    public, private = await intake.emitted()
    assert public["body"]["account"] == "kafka"
    assert public["body"]["channel"] == "survey"
    assert private["body"]["text"] == GOOD["text"]
    answer = await intake.say(**GOOD | {"account": "kafka"}, words="", headers=intake.adapter())
    assert answer.status_code == 200
    assert answer.json()["feedback_id"] == public["body"]["feedback_id"]


async def test_an_adapter_that_poses_as_the_system_hands_in_and_no_more(intake: Intake) -> None:
    await arrives(intake, GOOD | {"source_message_id": "honest"})
    (known, _) = await intake.emitted()
    case = known["body"]["feedback_id"]
    posing = {
        "ce_id": "1",
        "ce_type": "case.replied.v1",
        "ce_source": "desk",
        "ce_subject": case,
        "ce_sequence": "1",
        "ce_time": "2026-03-04T10:00:00+08:00",
    }
    await arrives(intake, GOOD | {"source_message_id": "posing"}, **posing)
    types = [event["type"] for event in await intake.emitted(case)]
    assert types == ["feedback.received.v1", "private.details.v1"]
    assert len(await intake.emitted()) == 4, "a comment of its own, as from anybody"
    assert await refused(intake) == []


async def test_duplicates_and_tombstones_are_harmless(intake: Intake) -> None:
    await asyncio.gather(*(arrives(intake, GOOD) for _ in range(5)))
    await arrives(intake, None)
    assert await intake.cases() == 1
    assert await refused(intake) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\x00 not json", "body"),
        (b"[]", "body"),
        ({"text": "x"}, "channel"),
        (GOOD | {"text": "\u3000"}, "请写点什么 | please write something"),
        (GOOD | {"text": "a\0b"}, "text"),
        (GOOD | {"source_message_id": ""}, "source_message_id"),
        (GOOD | {"occurred_at": "2030-01-01T00:00:00Z"}, "occurred_at"),
        (GOOD | {"category": "none"}, "category"),
        (GOOD | {"contact": {"email": "canary@"}}, "contact.email"),
        (b'{"text":"' + b"x" * 2_000_000 + b'"}', "1 MB"),
    ],
)
async def test_what_is_refused_goes_back_as_it_came_with_the_reason(
    intake: Intake, body: Any, reason: str
) -> None:
    await arrives(intake, body, origin="survey")
    (back,) = await refused(intake)
    raw = json.dumps(body).encode() if isinstance(body, dict) else body
    assert bytes(back["body"]) == raw[:1_000_000]
    assert back["key"] == "key"
    headers = back["headers"]
    assert reason in headers["reason"]
    assert "canary" not in headers["reason"]
    assert headers["origin"].startswith("survey")
    assert await intake.cases() == 0
