"""Who is erased stays erased, and the command says who has not done it yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import pytest
import pytest_asyncio

from services.intake import store
from services.intake.app import build
from services.intake.commands import erasure
from services.intake.commands.erasure import Erasure, follow
from services.intake.commands.outgoing import published
from services.intake.domain.submission import PublicFeedback, from_public
from services.intake.store import Arrival
from shared.contracts import PRIVATE
from shared.contracts.inbound import InboundContact
from shared.contracts.intake import PrivateErased
from shared.messaging.relay import new_producer
from shared.service import Runtime, Service
from tests import support
from tests.patience import PATIENCE
from tests.service.intake.conftest import Intake

PHONE = "13987654321"


async def erase(intake: Intake, feedback_id: str) -> datetime | None:
    async with intake.service.transaction() as tx:
        return await store.erase(tx, feedback_id)


async def private_types(intake: Intake, feedback_id: str) -> list[str]:
    return [f["type"] for f in await intake.emitted(feedback_id) if f["topic"] == PRIVATE]


async def test_what_an_erased_person_says_later_is_kept_masked_only(intake: Intake) -> None:
    receipt = (await intake.say("占座", contact={"phone": PHONE})).json()
    await erase(intake, receipt["feedback_id"])
    before = await private_types(intake, receipt["feedback_id"])
    answer = await intake.later(receipt["tracking_code"], "supplement", text=f"打 {PHONE}")
    assert answer.status_code == 200
    (words,) = await intake.rows("SELECT text FROM words")
    assert words["text"] == "打 〔电话〕"
    assert await private_types(intake, receipt["feedback_id"]) == before


async def test_words_that_wait_for_the_erasure_know_of_it(intake: Intake) -> None:
    receipt = (await intake.say("占座", contact={"phone": PHONE})).json()
    async with intake.service.transaction() as tx:
        await store.erase(tx, receipt["feedback_id"])
        late = asyncio.create_task(
            intake.later(receipt["tracking_code"], "supplement", text=f"打 {PHONE}")
        )
        async with asyncio.timeout(PATIENCE):
            while not await intake.rows("SELECT 1 FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
    assert (await late).status_code == 200
    assert set(await private_types(intake, receipt["feedback_id"])) == {"private.erased.v1"}
    assert PHONE not in str(await intake.rows("SELECT text FROM words"))


async def test_erasing_again_notifies_nobody_twice(intake: Intake) -> None:
    receipt = (await intake.say("占座", contact={"phone": PHONE})).json()
    first = await erase(intake, receipt["feedback_id"])
    emitted = await intake.emitted(receipt["feedback_id"])
    intake.clock.later(days=1)
    assert await erase(intake, receipt["feedback_id"]) == first
    assert await intake.emitted(receipt["feedback_id"]) == emitted
    assert await erase(intake, "unknown") is None


@pytest_asyncio.fixture
async def relayed(make_runtime: Callable[..., Runtime]) -> AsyncIterator[Service]:
    service = await support.prepared(build, make_runtime())
    await service._start_relay()
    yield service
    assert service.relay is not None
    await service.relay.stop()


async def test_the_command_waits_for_every_service_and_names_who_is_missing(
    relayed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    types = {s: f"private.erased_by_{s}.v1" for s in ("desk", "notification")}
    monkeypatch.setattr(erasure, "readers", lambda: types)
    body = PublicFeedback(text="占座", contact=InboundContact(phone=PHONE))
    submission = from_public(body, relayed.deps.ticket(), channel="web", locale="zh")
    case = submission.feedback_id
    async with relayed.transaction() as tx:
        await store.accept(tx, [Arrival(submission)])
    async with relayed.transaction() as tx:
        erased_at = await store.erase(tx, case)
    assert erased_at is not None
    nobody = await follow(relayed, Erasure(case, erased_at), 0)
    assert nobody.missing == ["intake", "desk", "notification"]
    # What is erased in intake is not named as what is not: others have not been told of it yet.
    assert "Not yet done: desk, notification." in nobody.as_text
    assert "还没有看到删除通知发出" in nobody.as_text
    assert "尚未完成：desk, notification。" in nobody.as_text

    producer = new_producer(relayed.runtime.kafka)
    await producer.start()

    async def say_done(
        service: str, source: str, subject: str = case, under: str | None = None
    ) -> None:
        headers = {"ce_type": types[service], "ce_source": source, "ce_subject": subject}
        key = (under or f"{case}/erased/{service}").encode()
        packed = [(name, value.encode()) for name, value in headers.items()]
        await producer.send_and_wait(PRIVATE, value=b"{}", key=key, headers=packed)

    try:
        # Before the tombstone is out nothing counts: what is answered then is an older one.
        async with asyncio.timeout(PATIENCE):
            await published(relayed, PrivateErased, case)
        await say_done("notification", "intake")  # nobody else can say that it is done
        await say_done("notification", "notification", subject="another case")
        # Nor under a key that is another case's.
        await say_done("notification", "notification", under="another case")
        await say_done("desk", "desk")
        some = await follow(relayed, Erasure(case, erased_at), 5)
        assert some.as_json == {
            "feedback_id": case,
            "erased_at": erased_at.isoformat(),
            "acknowledged": ["desk"],
            "missing": ["notification"],
        }
        await say_done("notification", "notification")
        whole = await follow(relayed, Erasure(case, erased_at), 60)
        assert whole.missing == []
        # Both languages say what is gone, and what is not.
        chinese, english = whole.as_text.split(" | ")
        assert "各服务均已删除联系方式、照片和未遮盖的原话" in chinese
        assert "遮盖后的文字保留" in chinese
        assert (
            "contact, pictures and words as they were written are erased in every service"
            in english
        )
        assert "the masked text of the case stays" in english
        monkeypatch.setattr(erasure, "readers", dict)
        assert (await follow(relayed, Erasure(case, erased_at), 60)).missing == []
    finally:
        await producer.stop()
