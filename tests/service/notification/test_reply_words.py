"""Words that are masked in the log reach the reporter as staff wrote them."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from services.notification.jobs.lost import LostDeliveries
from shared.contracts.desk import (
    PrivateReplyWords,
)
from shared.contracts.intake import PrivateErased
from tests.fakes.smtp import SmtpSink
from tests.service.notification.support import (
    Watch,
    a_comment,
    private,
    promised,
    received_case,
    replied,
    routed,
    text_of,
)
from tests.support import at

MASKED = "我们打 〔电话〕 没人接。"
WRITTEN = "我们打 13800001234 没人接。"


def reply_words(feedback_id: str = "f1") -> PrivateReplyWords:
    return PrivateReplyWords(
        feedback_id=feedback_id, at=at("2026-03-05 09:00"), words_id="w1", text=WRITTEN
    )


@pytest.mark.parametrize("first", ["words", "event"])
async def test_a_reply_that_was_masked_in_the_log_goes_out_as_it_was_written(
    watch: Watch, sink: SmtpSink, first: str
) -> None:
    answer = replied("f1", MASKED).model_copy(update={"words_id": "w1"})
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    await watch.process(*((reply_words(), answer) if first == "words" else (answer,)))
    await watch.later(seconds=2)
    if first == "event":
        assert len(sink.received) == 1
        assert ("reply", "", "awaiting_contact") in await watch.states("f1")
        await watch.process(reply_words())
        await watch.later(seconds=2)
    assert len(sink.received) == 2
    assert WRITTEN in text_of(sink)
    assert "13800001234" not in await watch.everything_emitted()
    assert await everything_kept(watch) == ""


async def test_words_and_contact_may_come_in_any_order(watch: Watch, sink: SmtpSink) -> None:
    answer = replied("f1", MASKED).model_copy(update={"words_id": "w1"})
    await watch.process(a_comment("f1"), promised("f1"), routed("f1"), answer)
    await watch.process(private("f1"))
    await watch.later(seconds=2)
    assert len(sink.received) == 1
    await watch.process(reply_words())
    await watch.later(seconds=2)
    assert WRITTEN in text_of(sink)


async def test_masked_words_are_better_than_none(watch: Watch, sink: SmtpSink) -> None:
    answer = replied("f1", MASKED).model_copy(update={"words_id": "w1"})
    await watch.process(*received_case("f1"), answer)
    await watch.later(days=2)
    await LostDeliveries(watch.service, watch.deps).give_up_contacts()
    await watch.later(seconds=1)
    assert MASKED in text_of(sink)


async def test_the_words_of_a_reply_are_forgotten_with_the_person(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(*received_case("f1"), reply_words())
    await watch.process(PrivateErased(feedback_id="f1", at=at("2026-03-05 10:00")), reply_words())
    assert await everything_kept(watch) == ""


async def everything_kept(watch: Watch) -> str:
    """What is left of the words of replies."""
    async with watch.service.engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT text FROM reply_words UNION ALL "
                "SELECT params::text FROM deliveries WHERE params::text LIKE '%1380000%'"
            )
        )
        return "".join(found.scalars())
