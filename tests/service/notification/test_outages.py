"""A server or account that refuses us or is away: all wait, nobody is given up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.observability.metrics import REGISTRY
from shared.service import Runtime
from shared.web.app import readiness, web_app
from tests.fakes.smtp import SmtpSink, smtp_sink
from tests.fakes.wechat import FakeWechat
from tests.service.notification.support import (
    WECHAT_CANARY,
    Watch,
    a_comment,
    by_wechat,
    private,
    promised,
    received_case,
    replied,
    routed,
    watching,
)


async def a_reply_waits(watch: Watch, n: int) -> None:
    await watch.process(
        a_comment(f"f{n}"),
        private(f"f{n}", email=f"reader{n}@mail.example"),
        promised(f"f{n}"),
        routed(f"f{n}"),
    )
    await watch.process(replied(f"f{n}", "好了", "2026-03-04 10:00"))


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("MAIL", "550 5.7.1 not one of ours"),
        ("MAIL", "501 5.1.7 bad sender"),
        ("EHLO", "550 go away"),
        ("RCPT", "553 5.1.8 Sender address rejected: Domain not found"),
    ],
)
async def test_while_the_server_refuses_us_all_wait_and_all_goes_out_once_when_it_is_mended(
    watch: Watch, sink: SmtpSink, command: str, answer: str
) -> None:
    sink.answers[command] = answer
    for n in range(5):
        await a_reply_waits(watch, n)
    for _ in range(30):
        await watch.later(hours=4 if command != "RCPT" else 1)
    assert sink.received == []
    for n in range(5):
        assert {s for *_, s in await watch.states(f"f{n}")} <= {"ready", "retry"}
        assert await watch.emitted(f"f{n}") == []
    sink.answers.clear()
    for _ in range(5):
        await watch.later(hours=2)
    got = [(r.rcpt_to[0], str(r.message["Subject"])) for r in sink.received]
    assert len(got) == len(set(got)) == 10


async def test_an_outage_is_found_out_by_one_delivery_at_a_time(
    watch: Watch, sink: SmtpSink
) -> None:
    sink.answers["MAIL"] = "550 no"
    for n in range(20):
        await a_reply_waits(watch, n)
    await watch.later(seconds=11)
    first = len(sink.senders)
    for _ in range(12):
        await watch.later(minutes=5)
    assert len(sink.senders) - first <= 13
    attempts = [row["attempts"] for n in range(20) for row in await watch.ledger(f"f{n}")]
    assert sum(attempts) == len(sink.senders)


async def test_the_operator_sees_what_refuses_us_until_it_is_mended(
    watch: Watch, sink: SmtpSink
) -> None:
    def complaint() -> str:
        # A balancer takes a process away that is not ready: the site must outlive its mail server.
        assert not any("unavailable" in reason for reason in watch.service.reasons())
        shown = readiness(web_app(watch.service.runtime, {"notification": watch.service}, list))
        return str(shown)

    def metric() -> float | None:
        return REGISTRY.get_sample_value("feedback_transport_unavailable", {"transport": "email"})

    sink.answers["MAIL"] = "553 who are you?"
    await watch.process(*received_case("f1"))
    assert "email" not in complaint()
    await watch.later(seconds=30)
    assert "email: unavailable since 2026-03-04T02:00Z (smtp_553)" in complaint()
    assert metric() == 1
    sink.answers.clear()
    await watch.later(minutes=5)
    assert "email" not in complaint()
    assert metric() == 0
    assert await watch.states("f1") == [("receipt", "email", "sent")]


async def test_a_mail_server_that_is_away_for_days_changes_nothing_but_the_time(
    make_quiet_runtime: Callable[..., Runtime],
) -> None:
    async with smtp_sink() as gone:
        port = gone.port
    watch = await watching(make_quiet_runtime, smtp=f"smtp://127.0.0.1:{port}")
    await watch.process(*received_case("f1"), replied("f1", "好了", "2026-03-04 10:00"))
    for _ in range(80):
        await watch.later(hours=2)
    assert await watch.emitted("f1") == []
    async with smtp_sink(port=port) as back:
        for _ in range(4):
            await watch.later(minutes=5)
        await watch.later(days=2)
        assert [str(r.message["Subject"]) for r in back.received] == [
            "我们收到了您的反馈（3月4日）",
            "您的反馈有答复了（3月4日）",
        ]


async def test_a_refused_account_waits_for_its_operator_and_mail_goes_on(
    make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink, wechat: tuple[FakeWechat, str]
) -> None:
    fake, setting = wechat
    watch = await watching(make_quiet_runtime, wechat=setting, smtp=sink.url)
    fake.did("wx1", WECHAT_CANARY)
    fake.apps["wx1"] = "changed"
    await watch.process(*by_wechat("f1"), replied("f1", "已修好"))
    await watch.process(*received_case("f2"))
    for _ in range(10):
        await watch.later(minutes=5)
    assert len(sink.received) == 1
    assert "wechat:library: unavailable" in " ".join(watch.service.warnings())
    fake.apps["wx1"] = "s1"
    await watch.later(minutes=5)
    assert [d.openid for d in fake.deliveries] == [WECHAT_CANARY]


async def test_a_busy_platform_is_asked_again_within_seconds(
    make_quiet_runtime: Callable[..., Runtime], wechat: tuple[FakeWechat, str]
) -> None:
    fake, setting = wechat
    watch = await watching(make_quiet_runtime, wechat=setting)
    fake.did("wx1", WECHAT_CANARY)
    fake.fail(-1, -1)
    await watch.process(*by_wechat("f1"), replied("f1", "已修好"))
    for _ in range(10):
        await watch.later(seconds=1)
    assert len(fake.deliveries) == 1
