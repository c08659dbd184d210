"""Who wrote in WeChat is answered there, as long as the platform lets us."""

from __future__ import annotations

from collections.abc import Callable

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
