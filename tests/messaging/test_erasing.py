"""An erasure waits behind nothing, reaches the dead letters, and is acknowledged."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from shared.contracts import PRIVATE, REGISTER, Event, event
from shared.contracts.desk import PrivateErasedByDesk
from shared.contracts.event import shred_body
from shared.contracts.intake import (
    FeedbackReceived,
    FeedbackUrged,
    PrivateDetails,
    PrivateErased,
    PrivateWords,
)
from shared.contracts.notification import PrivateErasedByNotification
from shared.ids import new_id
from shared.messaging.envelope import Record
from shared.messaging.subscription import Subscription
from shared.service import Service
from tests.messaging import toy
from tests.messaging.conftest import rows
from tests.messaging.test_streams import handled, letters, process, refuse, story
from tests.support import records

CANARY = "canary 8371"
NOW = datetime.now(UTC)


async def keep(event: Event, tx: toy.Transaction) -> None:
    if isinstance(event, PrivateDetails):
        await toy.handle(FeedbackUrged(feedback_id=event.feedback_id, at=tx.now), tx)


async def forget(record: Record, tx: toy.Transaction) -> None:
    row = tx.rows(toy.Handled).get(record.feedback_id) or toy.Handled(
        feedback_id=record.feedback_id
    )
    row.order += "x"
    tx.rows(toy.Handled).upsert(row)


@pytest_asyncio.fixture
async def keeper(reader: Service) -> Service:
    """A service that keeps personal data."""
    reader.subscription = Subscription(
        {Event: toy.handle, PrivateDetails: keep, PrivateWords: keep},
        tombstones={PRIVATE: forget},
        acknowledge=PrivateErasedByDesk,
        loads=(toy.Handled,),
    )
    return reader


def details(case: str) -> PrivateDetails:
    return PrivateDetails(feedback_id=case, at=NOW, tracking_code="x", text=CANARY)


def erased(case: str, words_id: str | None = None) -> PrivateErased:
    return PrivateErased(feedback_id=case, at=NOW, words_id=words_id)


async def kept(service: Service) -> bytes:
    found = await rows(service, "SELECT body FROM dead_letters ORDER BY id")
    return b"\n".join(r.body for r in found)


async def answers(service: Service, case: str) -> list[str]:
    found = await rows(
        service,
        "SELECT key FROM outbox WHERE headers->>'ce_type' = :t AND key LIKE :k ORDER BY id",
        t=PrivateErasedByDesk.type,
        k=f"{case}/%",
    )
    return [r.key for r in found]


async def test_an_erasure_does_not_wait_behind_a_letter_and_reaches_it(keeper: Service) -> None:
    case, other = new_id(), new_id()
    for each in (case, other):
        first, second, _ = story(keeper, each, CANARY)
        await refuse(keeper, first)
        words = PrivateWords(feedback_id=each, at=NOW, words_id="w", text=CANARY)
        await process(keeper, *records(keeper, details(each), words), second)
        assert len(await letters(keeper, each)) == 4
    await process(keeper, *records(keeper, erased(case)))
    assert await handled(keeper, case) == "x"
    assert await answers(keeper, case) == [f"{case}/erased/desk"]
    assert await letters(keeper, case) == [("a bug", None), (None, None)]
    assert (await kept(keeper)).count(CANARY.encode()) == 3  # those of the other case
    assert [r.error async for r in keeper.redrive(case)] == [None, None]
    assert await handled(keeper, case) == "xru"


async def test_a_case_whose_only_letters_are_erased_goes_on(keeper: Service) -> None:
    case = new_id()
    first, second, _ = story(keeper, case)
    await process(keeper, first)
    await refuse(keeper, *records(keeper, details(case)))
    await process(keeper, second)
    assert await handled(keeper, case) == "r"
    await process(keeper, *records(keeper, erased(case)))
    assert await handled(keeper, case) == "rxu"
    assert await letters(keeper, case) == []


async def test_what_other_services_answer_waits_behind_nothing(keeper: Service) -> None:
    case = new_id()
    first, *_ = story(keeper, case)
    await refuse(keeper, first)
    answer = PrivateErasedByNotification(feedback_id=case, at=NOW)
    await process(keeper, *records(keeper, answer))
    assert await letters(keeper, case) == [("a bug", None)]


async def test_one_entry_is_forgotten_alone_and_without_an_answer(keeper: Service) -> None:
    case = new_id()
    first, *_ = story(keeper, case)
    await refuse(keeper, first)
    words = PrivateWords(feedback_id=case, at=NOW, words_id="w", text=CANARY)
    await process(keeper, *records(keeper, details(case), words))
    await process(keeper, *records(keeper, erased(case, "w")))
    assert len(await letters(keeper, case)) == 2
    assert await answers(keeper, case) == []


async def test_only_its_owner_erases(keeper: Service) -> None:
    case = new_id()
    (tombstone,) = records(keeper, erased(case))
    for forged in ({"ce_source": "sla"}, {"ce_type": "private.gone.v1"}, {"ce_type": ""}):
        given = Record(PRIVATE, 0, 0, tombstone.key, tombstone.headers | forged, None)
        await process(keeper, given)
    assert await handled(keeper, case) == ""
    assert await answers(keeper, case) == []


@pytest.mark.parametrize("event_type", sorted(REGISTER))
def test_every_type_says_how_it_is_shredded(event_type: str) -> None:
    event_class = REGISTER[event_type]
    assert set(event_class.shred) <= event_class.model_fields.keys()


def test_a_type_that_does_not_say_it_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match="people's words"):
        type("Sung", (Event,), {}, type="feedback.sung.v1", owner="intake")
    with pytest.raises(TypeError, match="it has not"):
        type("Sung", (Event,), {}, type="feedback.sung.v1", owner="intake", shred=("song",))
    assert "feedback.sung.v1" not in event.REGISTER


def test_a_shredded_event_is_still_one() -> None:
    whole = FeedbackReceived(
        feedback_id="a", at=NOW, channel="web", title="t", text="t", place="p", code_hash="h"
    )
    body = shred_body(whole.type, whole.model_dump_json().encode())
    again = FeedbackReceived.model_validate_json(body)
    assert again == whole.model_copy(update={"title": "", "text": "", "place": ""})
    private = details("a")
    assert CANARY.encode() not in shred_body(private.type, private.model_dump_json().encode())


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'"x"', json.dumps(CANARY).encode()])
def test_what_cannot_be_read_is_emptied(body: bytes) -> None:
    assert shred_body(FeedbackReceived.type, body) == b""
    assert shred_body(FeedbackReceived.type, b'{"text": ' + b"[" * 50_000) == b""
    assert shred_body("feedback.sung.v1", json.dumps({"text": CANARY}).encode()) == b""
