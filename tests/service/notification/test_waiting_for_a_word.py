"""Words that WeChat did not take go out by themselves, once, when their reader writes again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import pytest_asyncio

from services.notification import ledger, store
from services.notification.jobs.recall import remember
from services.notification.store import DeliveryRow
from shared.contracts.desk import CaseInfoRequested
from shared.contracts.intake import FeedbackReachableAgain, PrivateErased
from shared.contracts.notification import NotificationFailed, NotificationSent
from shared.service import Runtime
from tests.fakes.smtp import SmtpSink
from tests.fakes.wechat import FakeWechat
from tests.service.notification.support import (
    WECHAT_CANARY,
    Watch,
    a_comment,
    by_wechat,
    private,
    replied,
    watching,
)
from tests.support import records

FAILED, SENT = ("reply", "wechat", "failed"), ("reply", "wechat", "sent")


@pytest_asyncio.fixture
async def watch(
    make_quiet_runtime: Callable[..., Runtime], wechat: tuple[FakeWechat, str]
) -> Watch:
    """A reader of whom only the chat is known, and a reply that it did not take."""
    watch = await watching(make_quiet_runtime, wechat=wechat[1])
    await watch.process(
        a_comment("f1", channel="wechat", account="library", reachable=("wechat",)),
        private("f1", wechat_account="library", wechat_openid=WECHAT_CANARY),
        replied("f1", "已修好"),
    )
    await watch.later(seconds=2)
    assert (await watch.states("f1"))[-1] == FAILED
    return watch


def wrote(watch: Watch, feedback_id: str = "f1") -> FeedbackReachableAgain:
    return FeedbackReachableAgain(feedback_id=feedback_id, at=watch.clock.now())


async def replies(watch: Watch, feedback_id: str = "f1") -> list[tuple[str, ...]]:
    return [s for s in await watch.states(feedback_id) if s[0] == "reply"]


async def test_a_reply_goes_out_once_they_have_written_again(
    watch: Watch, wechat: tuple[FakeWechat, str]
) -> None:
    fake, _ = wechat
    fake.did("wx1", WECHAT_CANARY)
    found = await watch.process(wrote(watch))
    await watch.later(seconds=2)
    await watch.is_given(found)
    await watch.process(wrote(watch))
    await watch.later(hours=3)
    assert ["已修好" in d.text for d in fake.deliveries] == [True]
    assert (await watch.emitted("f1"))[-2:] == [
        ("notification.failed", "reply", "wechat"),
        ("notification.sent", "reply", "wechat"),
    ]
    (row,) = [r for r in await watch.ledger("f1") if r["kind"] == "reply"]
    assert (row["state"], row["resent_by"], row["params"]) == ("sent", "reporter", {})


async def test_a_window_that_is_over_again_waits_for_the_next_word(
    watch: Watch, wechat: tuple[FakeWechat, str]
) -> None:
    fake, _ = wechat
    await watch.process(wrote(watch))
    await watch.later(seconds=2)
    assert await replies(watch) == [FAILED]
    old = wrote(watch)
    watch.clock.later(hours=49)
    fake.did("wx1", WECHAT_CANARY)
    await watch.process(old)  # of a log that is read late
    await watch.later(seconds=2)
    assert fake.deliveries == []
    await watch.process(wrote(watch))
    await watch.later(seconds=2)
    assert await replies(watch) == [SENT]


async def test_several_that_wait_go_out_in_their_order(
    watch: Watch, wechat: tuple[FakeWechat, str]
) -> None:
    fake, _ = wechat
    await watch.process(replied("f1", "还换了阀门"))
    await watch.later(seconds=2)
    fake.did("wx1", WECHAT_CANARY)
    await watch.process(wrote(watch))
    await watch.later(seconds=2)
    assert [("已修好" in d.text, "还换了阀门" in d.text) for d in fake.deliveries] == [
        (True, False),
        (False, True),
    ]


async def test_what_arrived_since_leads_to_the_page_where_all_stand(
    watch: Watch, wechat: tuple[FakeWechat, str]
) -> None:
    fake, _ = wechat
    fake.did("wx1", WECHAT_CANARY)
    await watch.process(replied("f1", "还换了阀门"))
    await watch.later(seconds=2)
    await watch.process(wrote(watch))
    await watch.later(seconds=2)
    assert ["还换了阀门" in d.text for d in fake.deliveries] == [True]


async def test_what_went_by_mail_is_not_sent_again(
    make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink, wechat: tuple[FakeWechat, str]
) -> None:
    fake, setting = wechat
    watch = await watching(make_quiet_runtime, wechat=setting, smtp=sink.url)
    await watch.process(*by_wechat("f1"), replied("f1", "已修好"))
    await watch.later(seconds=2)
    fake.did("wx1", WECHAT_CANARY)
    await watch.process(wrote(watch))
    await watch.later(seconds=2)
    assert (len(fake.deliveries), len(sink.received)) == (0, 1)


async def test_a_question_is_left_where_the_case_is_answered_by_now(
    watch: Watch, wechat: tuple[FakeWechat, str]
) -> None:
    fake, _ = wechat
    asked = CaseInfoRequested(
        feedback_id="f1",
        at=watch.clock.now(),
        state="WAITING_USER",
        department="facilities",
        question="哪一层？",
    )
    await watch.process(asked)
    await watch.later(seconds=2)
    fake.did("wx1", WECHAT_CANARY)
    await watch.process(wrote(watch))
    await watch.later(seconds=2)
    assert ["已修好" in d.text for d in fake.deliveries] == [True]


async def test_nothing_goes_to_who_was_forgotten(
    watch: Watch, wechat: tuple[FakeWechat, str]
) -> None:
    fake, _ = wechat
    fake.did("wx1", WECHAT_CANARY)
    await watch.process(PrivateErased(feedback_id="f1", at=watch.clock.now()), wrote(watch))
    await watch.later(seconds=2)
    assert fake.deliveries == []


async def test_a_person_who_is_faster_sends_it_and_nothing_follows(
    watch: Watch, wechat: tuple[FakeWechat, str]
) -> None:
    fake, _ = wechat
    fake.did("wx1", WECHAT_CANARY)
    async with watch.service.transaction() as tx:
        await tx.lock("f1")
        await store.load(tx, ["f1"])
        (row,) = (r for r in tx.rows(DeliveryRow).for_case("f1") if r.kind == "reply")
        ledger.send_again(tx, row, "coordinator")
    await watch.process(wrote(watch))
    await watch.later(seconds=2)
    assert len(fake.deliveries) == 1
    (row,) = [r for r in await watch.ledger("f1") if r["kind"] == "reply"]
    assert row["resent_by"] == "coordinator"


async def test_what_was_interrupted_while_it_went_out_is_left_to_a_person(
    watch: Watch, wechat: tuple[FakeWechat, str]
) -> None:
    fake, _ = wechat
    fake.did("wx1", WECHAT_CANARY)
    fake.misbehave("deliver_then_drop")
    await watch.process(wrote(watch))
    await watch.later(seconds=2)
    await watch.process(wrote(watch))
    await watch.later(seconds=2)
    assert len(fake.deliveries) == 1
    assert await replies(watch) == [("reply", "wechat", "uncertain")]


@pytest.mark.parametrize("read_again_first", [False, True])
@pytest.mark.parametrize(
    ("outcome", "state"), [(NotificationSent, "sent"), (NotificationFailed, "uncertain")]
)
async def test_a_restored_ledger_believes_the_log_and_sends_nothing_a_second_time(
    watch: Watch,
    wechat: tuple[FakeWechat, str],
    read_again_first: bool,
    outcome: type[NotificationSent | NotificationFailed],
    state: str,
) -> None:
    """The backup is of the time when it had failed; it went out, or may have, since."""
    fake, _ = wechat
    fake.did("wx1", WECHAT_CANARY)
    (row,) = [r for r in await watch.ledger("f1") if r["kind"] == "reply"]
    watch.clock.later(hours=1)
    said = wrote(watch)
    watch.clock.later(seconds=1)
    more = {"reason": "wechat_no_answer", "uncertain": True} if state == "uncertain" else {}
    known = outcome(
        feedback_id="f1",
        at=watch.clock.now(),
        delivery_id=row["id"],
        kind="reply",
        channel="wechat",
        audience="reporter",
        **more,
    )
    watch.clock.later(hours=1)
    if read_again_first:
        await watch.process(said)
    assert await remember(watch.service, records(watch.service, known)) == 1
    if not read_again_first:
        await watch.process(said)
    await watch.later(seconds=2)
    assert fake.deliveries == []
    assert await replies(watch) == [("reply", "wechat", state)]
