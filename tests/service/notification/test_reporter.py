"""Which messages a reporter gets, once, and where."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from shared.contracts import Actor, Event
from shared.contracts.desk import (
    CaseClosed,
    CaseDispatched,
    CaseInfoRequested,
    CaseRejected,
    CaseReopened,
)
from shared.contracts.sla import SlaBreached
from shared.service import Runtime
from shared.settings import read_settings
from tests.fakes.smtp import Mode, SmtpSink
from tests.service.notification.support import (
    CANARY,
    CODE,
    OWN_WORDS,
    Watch,
    a_comment,
    private,
    promised,
    received_case,
    replied,
    routed,
    text_of,
    watching,
)
from tests.support import at


async def test_a_comment_with_an_address_gets_one_receipt_with_link_and_promise(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    assert [r.rcpt_to for r in sink.received] == [[CANARY]]
    words = text_of(sink)
    assert f"https://feedback.library.example/track/{CODE}" in words
    assert "3月11日（周三）10:00 前" in words
    assert OWN_WORDS not in words
    assert OWN_WORDS[:8] not in words
    assert await watch.emitted("f1") == [("notification.sent", "receipt", "email")]


async def test_an_event_delivered_again_sends_nothing_again(watch: Watch, sink: SmtpSink) -> None:
    events = received_case("f1")
    found = await watch.process(*events)
    await watch.later(seconds=2)
    await watch.is_given(found)
    await watch.later(hours=1)
    assert len(sink.received) == 1


async def test_the_ledger_alone_stops_a_second_sending_when_the_streams_are_lost(
    watch: Watch, sink: SmtpSink
) -> None:
    events = received_case("f1")
    found = await watch.process(*events)
    await watch.later(seconds=2)
    async with watch.service.transaction() as tx:
        await tx.connection.exec_driver_sql("DELETE FROM streams")
    await watch.is_given(found)
    await watch.later(hours=1)
    assert len(sink.received) == 1


async def test_a_message_waits_for_the_contact_that_was_announced(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(a_comment("f1"), promised("f1"), routed("f1"))
    await watch.later(minutes=1)
    assert sink.received == []
    assert await watch.states("f1") == [("receipt", "", "awaiting_contact")]
    await watch.process(private("f1"))
    await watch.later(seconds=1)
    assert len(sink.received) == 1


async def test_a_contact_that_came_first_is_there(watch: Watch, sink: SmtpSink) -> None:
    await watch.process(private("f1"))
    await watch.process(a_comment("f1"), promised("f1"), routed("f1"))
    await watch.later(seconds=2)
    assert len(sink.received) == 1


async def test_a_receipt_does_not_wait_for_ever_for_a_promise(watch: Watch, sink: SmtpSink) -> None:
    await watch.process(a_comment("f1"), private("f1"))
    await watch.later(seconds=5)
    assert sink.received == []
    await watch.later(seconds=6)
    assert "进展会写在下面的页面上" in text_of(sink)


async def test_the_receipt_carries_the_promise_as_routing_left_it(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(a_comment("f1"), private("f1"), promised("f1"), routed("f1"))
    await watch.process(promised("f1", "2026-03-06 10:00", priority="P2", reason="priority"))
    await watch.later(seconds=2)
    assert len(sink.received) == 1
    assert "3月6日（周五）10:00 前" in text_of(sink)


async def test_a_reply_goes_out_word_for_word(watch: Watch, sink: SmtpSink) -> None:
    words = '您好！\n\n已于 3 月 5 日调高两度——谢谢提醒。\n  (1) <b>东区</b>；\n  (2) "西区"。 😀'
    await watch.process(*received_case("f1"), replied("f1", words))
    await watch.later(seconds=2)
    assert len(sink.received) == 2
    assert words in text_of(sink).replace("\r\n", "\n")
    assert "后勤保障" in text_of(sink)
    assert "Auto-Submitted" not in sink.received[-1].message


async def test_an_english_reporter_reads_english(watch: Watch, sink: SmtpSink) -> None:
    await watch.process(*received_case("f1", locale="en"))
    await watch.later(seconds=2)
    assert "by 10:00 on Wed 11 Mar" in text_of(sink)
    assert sink.received[0].message["Subject"] == "We have received your comment (4 Mar)"


async def test_a_question_and_a_refusal_are_told(watch: Watch, sink: SmtpSink) -> None:
    now = at("2026-03-04 11:00")
    await watch.process(
        *received_case("f1"),
        CaseInfoRequested(
            feedback_id="f1", at=now, department="facilities", question="哪个阅览室？"
        ),
        CaseRejected(feedback_id="f1", at=now, reason="宿舍的网络由校网信办负责。"),
    )
    await watch.later(seconds=2)
    assert "哪个阅览室？" in text_of(sink, 1)
    assert "宿舍的网络由校网信办负责。" in text_of(sink, 2)


async def test_a_broken_promise_is_told_before_the_reporter_has_to_ask(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    watch.clock.set(at("2026-03-11 10:00"))
    await watch.process(
        SlaBreached(
            feedback_id="f1",
            at=watch.clock.now(),
            clock="RESOLUTION",
            due=at("2026-03-11 10:00"),
            first_due=at("2026-03-11 10:00"),
        )
    )
    await watch.later(seconds=1)
    assert "没能做到" in text_of(sink)
    assert "3月11日（周三）10:00 前" in text_of(sink)


async def test_a_later_date_is_told_with_its_reason_an_earlier_one_is_not(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    await watch.process(promised("f1", "2026-03-10 10:00", reason="priority"))
    await watch.later(seconds=2)
    assert len(sink.received) == 1
    await watch.process(promised("f1", "2026-03-16 10:00", reason="配件要从厂家调货"))
    await watch.later(seconds=2)
    assert "3月16日（周一）10:00 前" in text_of(sink)
    assert "配件要从厂家调货" in text_of(sink)
    await watch.process(promised("f1", "2026-03-16 10:00", reason="配件要从厂家调货"))
    await watch.later(seconds=2)
    assert len(sink.received) == 2


async def test_a_later_date_that_is_taken_back_in_the_night_is_not_told(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    watch.clock.set(at("2026-03-05 07:04"))
    await watch.process(promised("f1", "2026-03-16 10:00", reason="机房停电"))
    await watch.process(promised("f1", reason="calendar"))
    await watch.process(promised("f1", "2026-03-17 10:00", reason="机房停电"))
    await watch.process(promised("f1", "2026-03-18 10:00", reason="还是停电"))
    watch.clock.set(at("2026-03-05 07:31"))
    await watch.later(seconds=2)
    kinds = [(kind, state) for kind, _, state in await watch.states("f1") if kind == "delay"]
    assert kinds == [("delay", "suppressed"), ("delay", "suppressed"), ("delay", "sent")]
    assert "3月18日（周三）10:00 前" in text_of(sink)


async def test_nobody_is_told_of_a_delay_of_what_is_answered_by_now(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    due = at("2026-03-04 10:01")
    await watch.process(
        SlaBreached(feedback_id="f1", at=due, clock="RESOLUTION", due=due, first_due=due),
        replied("f1", "好了"),
    )
    await watch.later(seconds=2)
    assert [k for k, _, s in await watch.states("f1") if s == "sent"] == ["receipt", "reply"]


async def test_reopening_is_acknowledged_with_the_new_promise_closing_is_not_told(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(*received_case("f1"), replied("f1", "好了"))
    await watch.later(seconds=2)
    now = watch.clock.now()
    await watch.process(CaseClosed(feedback_id="f1", at=now, how="rated"))
    await watch.process(
        CaseReopened(feedback_id="f1", at=now, reason="还是冷", cycle=2),
        promised("f1", "2026-03-09 10:00", cycle=2, reason="reopened"),
    )
    await watch.later(seconds=2)
    assert [k for k, *_ in await watch.states("f1")] == ["receipt", "reply", "reopened"]
    assert "3月9日（周一）10:00 前" in text_of(sink)
    assert "还是冷" not in text_of(sink)


async def test_without_a_contact_the_tracking_page_is_the_receipt(watch: Watch) -> None:
    await watch.process(a_comment("f1", reachable=()))
    assert await watch.emitted("f1") == [("notification.suppressed", "receipt", "page")]
    await watch.process(replied("f1", "好了"))
    assert [s for *_, s in await watch.states("f1")] == ["suppressed", "suppressed"]


async def test_an_address_gets_three_receipts_a_day_and_no_more(
    watch: Watch, sink: SmtpSink
) -> None:
    for n in range(5):
        spelling = CANARY.upper() if n % 2 else f"canary.8371+{n}@mail.example"
        await watch.process(
            a_comment(f"f{n}"), private(f"f{n}", email=spelling), promised(f"f{n}"), routed(f"f{n}")
        )
    await watch.later(seconds=2)
    assert len(sink.received) == 3
    ended = [(await watch.ledger(f"f{n}"))[0]["state"] for n in range(5)]
    assert sorted(ended) == ["sent"] * 3 + ["suppressed"] * 2
    await watch.process(replied(f"f{ended.index('suppressed')}", "答复照样到"))
    await watch.later(seconds=2)
    assert "答复照样到" in text_of(sink)
    await watch.later(hours=25)
    await watch.process(
        a_comment("f9", at=watch.clock.now()), private("f9"), promised("f9"), routed("f9")
    )
    await watch.later(seconds=2)
    assert len(sink.received) == 5


async def test_our_own_address_is_no_contact(watch: Watch, sink: SmtpSink) -> None:
    await watch.process(
        a_comment("f1"),
        private("f1", email="help@feedback.library.example"),
        promised("f1"),
        routed("f1"),
    )
    await watch.later(minutes=1)
    assert sink.received == []
    assert await watch.emitted("f1") == [("notification.suppressed", "receipt", "page")]


async def test_a_sender_of_its_own_and_where_answers_go(
    make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink
) -> None:
    watch = await watching(
        make_quiet_runtime,
        smtp=sink.url,
        mail_from="library@campus.example",
        mail_reply_to="office@campus.example",
    )
    await watch.process(*received_case("f1"))
    for n, address in enumerate(("Library@campus.example", "reader@campus.example")):
        await watch.process(a_comment(f"g{n}"), private(f"g{n}", email=address))
    await watch.later(seconds=11)
    assert sorted(r.rcpt_to[0] for r in sink.received) == [CANARY, "reader@campus.example"]
    assert sink.received[0].message["From"].addresses[0].addr_spec == "library@campus.example"
    assert sink.received[0].message["Reply-To"] == "office@campus.example"


@pytest.mark.parametrize("name", ["mail_from", "mail_reply_to"])
@pytest.mark.parametrize("wrong", ["feedback", "A <a@b.example>", "a@b.cn\r\nBcc: c@d", "a b@c"])
def test_a_wrong_sender_is_one_line_that_names_the_variable(
    name: str, wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"EXPRESS_{name.upper()}", wrong)
    with pytest.raises(SystemExit):
        read_settings()
    said = capsys.readouterr().err
    assert said.startswith(f"EXPRESS_{name.upper()}: must be one address")
    assert said.count("\n") == 1


async def test_messages_of_a_case_leave_in_the_order_of_the_log(
    watch: Watch, sink: SmtpSink
) -> None:
    sink.mode = Mode.LATER
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    await watch.process(replied("f1", "好了"))
    await watch.later(seconds=1)
    sink.mode = Mode.ACCEPT
    assert [s for *_, s in await watch.states("f1")] == ["retry", "ready"]
    await watch.later(seconds=40)
    assert [r.message["Subject"] for r in sink.received] == [
        "我们收到了您的反馈（3月4日）",
        "您的反馈有答复了（3月4日）",
    ]
    # Mail programs show them as one conversation.
    (thread,) = {r.message["References"] for r in sink.received}
    assert thread.startswith("<case.")


async def test_what_is_emitted_names_the_event_it_follows_from(
    watch: Watch, sink: SmtpSink
) -> None:
    given = await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    async with watch.service.engine.connect() as connection:
        found = await connection.exec_driver_sql("SELECT headers->>'ce_causationid' FROM outbox")
        assert found.scalars().all() == [given[0].ce_id]


async def test_without_a_mail_server_the_console_shows_what_would_go_out(
    make_quiet_runtime: Callable[..., Runtime],
) -> None:
    watch = await watching(make_quiet_runtime)
    shown = io.StringIO()
    watch.deps.mail._stream = shown  # type: ignore[attr-defined]
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    assert "将发送 email · receipt" in shown.getvalue()
    assert CANARY not in shown.getvalue()
    assert await watch.emitted("f1") == [("notification.sent", "receipt", "console")]


def dispatched(feedback_id: str, **more: Any) -> Event:
    return CaseDispatched(
        feedback_id=feedback_id,
        at=at("2026-03-04 10:00"),
        department="facilities",
        case_type="complaint",
        priority="P3",
        decided="rule",
        by=Actor(),
        **more,
    )
