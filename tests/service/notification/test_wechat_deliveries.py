"""Who wrote in WeChat is answered there, as long as the platform lets us."""

from __future__ import annotations

from collections.abc import Callable

from shared.contracts.desk import CaseAssigned, CaseDispatched, CaseInfoRequested
from shared.contracts.intake import FeedbackProgressAsked
from shared.service import Runtime
from tests.fakes.smtp import SmtpSink
from tests.fakes.wechat import FakeWechat
from tests.service.notification.support import (
    CANARY,
    CODE,
    WECHAT_CANARY,
    a_comment,
    by_wechat,
    private,
    replied,
    watching,
)


async def test_a_wechat_comment_is_answered_in_wechat_and_needs_no_second_receipt(
    make_quiet_runtime: Callable[..., Runtime], wechat: tuple[FakeWechat, str]
) -> None:
    fake, setting = wechat
    watch = await watching(make_quiet_runtime, wechat=setting)
    fake.did("wx1", WECHAT_CANARY)
    await watch.process(*by_wechat("f1"), replied("f1", "已修好 😀"))
    await watch.later(seconds=2)
    assert [d.openid for d in fake.deliveries] == [WECHAT_CANARY]
    assert "已修好 😀" in fake.deliveries[0].text
    assert CODE in fake.deliveries[0].text
    assert await watch.emitted("f1") == [
        ("notification.suppressed", "receipt", "page"),
        ("notification.sent", "reply", "wechat"),
    ]
    assert WECHAT_CANARY not in await watch.everything_emitted() + str(await watch.ledger("f1"))
    async with watch.service.engine.connect() as connection:
        tokens = await connection.exec_driver_sql("SELECT count(*) FROM wechat_tokens")
        assert tokens.scalar_one() == 1


async def test_a_closed_wechat_window_falls_back_to_mail(
    make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink, wechat: tuple[FakeWechat, str]
) -> None:
    fake, setting = wechat
    watch = await watching(make_quiet_runtime, wechat=setting, smtp=sink.url)
    await watch.process(*by_wechat("f1"), replied("f1", "已修好"))
    await watch.later(seconds=2)
    assert fake.deliveries == []
    assert [r.rcpt_to for r in sink.received] == [[CANARY]]
    assert "已修好" in str(sink.received[0].message.get_content())
    assert await watch.emitted("f1") == [
        ("notification.suppressed", "receipt", "page"),
        ("notification.failed", "reply", "wechat"),
        ("notification.sent", "reply", "email"),
    ]


async def test_a_closed_window_without_another_way_ends_at_the_page(
    make_quiet_runtime: Callable[..., Runtime], wechat: tuple[FakeWechat, str]
) -> None:
    _, setting = wechat
    watch = await watching(make_quiet_runtime, wechat=setting)
    await watch.process(
        a_comment("f1", channel="wechat", account="library", reachable=("wechat",)),
        private("f1", wechat_account="library", wechat_openid=WECHAT_CANARY),
        replied("f1", "已修好"),
    )
    await watch.later(hours=1)
    assert (await watch.emitted("f1"))[1:] == [("notification.failed", "reply", "wechat")]


async def test_words_too_long_for_wechat_stand_on_the_page(
    make_quiet_runtime: Callable[..., Runtime], wechat: tuple[FakeWechat, str]
) -> None:
    fake, setting = wechat
    fake.did("wx1", WECHAT_CANARY)
    fake.fail(45002)
    watch = await watching(make_quiet_runtime, wechat=setting)
    await watch.process(*by_wechat("f1"), replied("f1", "长" * 3000))
    await watch.later(seconds=2)
    assert len(fake.deliveries) == 1
    assert "全文在下面的页面上" in fake.deliveries[0].text
    assert "长长" not in fake.deliveries[0].text


async def test_who_asks_how_far_it_is_reads_it_in_the_chat_alone(
    make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink, wechat: tuple[FakeWechat, str]
) -> None:
    fake, setting = wechat
    watch = await watching(make_quiet_runtime, wechat=setting, smtp=sink.url)
    await watch.process(*by_wechat("f1"))
    asked: list[str] = []

    async def ask() -> str:
        fake.did("wx1", WECHAT_CANARY)
        await watch.process(FeedbackProgressAsked(feedback_id="f1", at=watch.clock.now()))
        await watch.later(seconds=2)
        asked.append(fake.deliveries[-1].text)
        return asked[-1]

    assert "在用户关系办公室，接下来由他们确定哪个部门来办。" in await ask()
    assert CODE in asked[0]
    assert "会在3月11日（周三）10:00 前答复您。" in asked[0]
    at_work, now = {"feedback_id": "f1", "department": "facilities"}, watch.clock.now
    await watch.process(
        CaseDispatched(**at_work, at=now(), case_type="complaint", priority="P3", decided="person")
    )
    assert "接下来由他们安排人办理" in await ask()
    await watch.process(CaseAssigned(**at_work, at=now(), to="li"))
    assert "正在办理，办好了就答复您" in await ask()
    await watch.process(CaseInfoRequested(**at_work, at=now(), question="哪一层？"))
    said = await ask()
    assert "等您补充，直接在这里回答就行" in said
    assert "前答复您" not in said
    await watch.process(replied("f1", "已修好"))
    assert "已经答复您" in await ask()
    assert sink.received == []
    assert len(fake.deliveries) == len(asked) + 2, "a question and a reply besides"


async def test_how_far_it_is_says_so_where_it_is_late(
    make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink, wechat: tuple[FakeWechat, str]
) -> None:
    fake, setting = wechat
    watch = await watching(make_quiet_runtime, wechat=setting, smtp=sink.url)
    await watch.process(*by_wechat("f1"))
    watch.clock.later(days=8)
    # Where the chat takes nothing, their page says it: no mail, and nobody is alarmed.
    await watch.process(FeedbackProgressAsked(feedback_id="f1", at=watch.clock.now()))
    await watch.later(seconds=2)
    assert fake.deliveries == []
    assert sink.received == []
    fake.did("wx1", WECHAT_CANARY)
    await watch.process(FeedbackProgressAsked(feedback_id="f1", at=watch.clock.now()))
    await watch.later(seconds=2)
    assert "已经晚了，对不起" in fake.deliveries[-1].text
