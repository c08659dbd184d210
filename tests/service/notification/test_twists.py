"""Who hears of what in a case that does not go the ordinary way."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from shared.contracts import REPORTER
from shared.contracts.desk import (
    CaseAbsorbed,
    CaseAnsweredThrough,
    CaseAppealDismissed,
    CaseAppealUpheld,
    CaseBreachExplained,
    CaseDepartmentAdded,
    CaseDispatched,
    CaseEvent,
    CaseExtensionAsked,
    CaseExtensionRefused,
    CaseMerged,
    CaseNoted,
    CaseProgressed,
    CaseRejected,
    CaseReleased,
    CaseReplySentBack,
    CaseReplySubmitted,
    CaseRestored,
    CaseSplit,
    CaseSplitOff,
    CaseSupervised,
    CaseUnmerged,
)
from shared.contracts.intake import FeedbackMattersAsked
from shared.contracts.rights import CaseStanding, Rights
from shared.contracts.vocabulary import Channel, Clock, Outcome, State
from shared.security import LINK_TO_MATTERS
from shared.service import Runtime
from tests.fakes.promises import Promises
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
    watching,
)
from tests.support import at

NOW = at("2026-03-04 10:00")


@pytest_asyncio.fixture
async def watch(make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink) -> Watch:
    watch = await watching(make_quiet_runtime, smtp=sink.url)
    watch.deps.printer.stream = io.StringIO()
    for name, role, department in (
        ("coordinator", "coordinator", "relations"),
        ("leader", "leader", None),
        ("liaison.it", "liaison", "it"),
        ("handler.it", "handler", "it"),
        ("reviewer.it", "reviewer", "it"),
        ("liaison.space", "liaison", "space"),
    ):
        watch.knows(name, role, department, email=f"{name}@library.example")
    return watch


def of(emitted: type[CaseEvent], **fields: Any) -> Any:
    return emitted(**{"feedback_id": "f1", "at": NOW, "state": State.IN_PROGRESS} | fields)


async def told(watch: Watch, sink: SmtpSink, event: Any) -> list[str]:
    """Local parts of the addresses that get a message because of `event`."""
    await watch.process(*received_case("f1"), dispatched())
    await watch.later(seconds=2)
    sink.received.clear()
    await watch.process(event)
    await watch.later(seconds=2)
    return sorted(r.rcpt_to[0].partition("@")[0] for r in sink.received)


def dispatched(**more: Any) -> CaseDispatched:
    values = {"department": "it", "case_type": "complaint", "priority": "P3", "decided": "rule"}
    return of(CaseDispatched, **values | more)


@pytest.mark.parametrize(
    ("event", "who"),
    [
        (of(CaseDepartmentAdded, department="space", question="空调呢？"), ["liaison.space"]),
        (of(CaseExtensionAsked, until=NOW, reason="等货"), ["reviewer.it"]),
        (of(CaseExtensionRefused, reason="太久"), ["liaison.it"]),
        (of(CaseReplySubmitted, outcome=Outcome.SOLVED), ["reviewer.it"]),
        (of(CaseReplySentBack, to="handler.it"), ["handler.it"]),
        (of(CaseSupervised, text="今天要有说法"), ["liaison.it", "reviewer.it"]),
        (of(CaseNoted, mentions=("handler.it",)), ["handler.it"]),
        (dispatched(binding=True, reason="归你们"), ["leader", "liaison.it"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, CaseEvent) else None,
)
async def test_whom_of_the_staff_it_concerns(
    watch: Watch, sink: SmtpSink, event: Any, who: list[str]
) -> None:
    assert await told(watch, sink, event) == who


async def test_a_public_interim_word_goes_out_word_for_word(watch: Watch, sink: SmtpSink) -> None:
    event = of(CaseProgressed, department="it", text="配件明天到 {yours}。")
    assert await told(watch, sink, event) == ["canary.8371"]
    assert "配件明天到 {yours}。" in text_of(sink)


@pytest.mark.parametrize("through", [{}, {"into": "f2", "kind": "progress"}])
async def test_what_adds_to_an_answer_is_no_word_of_progress(
    watch: Watch, sink: SmtpSink, through: dict[str, str]
) -> None:
    kind = CaseAnsweredThrough if through else CaseProgressed
    event = of(kind, department="it", text="更正：在西区。", amends=True, **through)
    assert await told(watch, sink, event) == ["canary.8371"]
    assert "给您的答复有补充" in sink.received[-1].message["Subject"]
    assert "信息系统部补充了答复：" in text_of(sink)
    assert "我们还会答复您" not in text_of(sink)


async def test_the_reason_of_a_breach_is_told_and_with_a_new_date_only_once(
    watch: Watch, sink: SmtpSink
) -> None:
    said = {"clock": Clock.RESOLUTION, "code": "overload", "text": "开学人手不足。"}
    assert await told(watch, sink, of(CaseBreachExplained, **said)) == ["canary.8371"]
    assert "开学人手不足。" in text_of(sink)
    again = said | {"text": "是我们忘了。", "again": True}
    assert await told(watch, sink, of(CaseBreachExplained, **again)) == ["canary.8371"]
    assert "原因以这一次说的为准" in text_of(sink)
    sink.received.clear()
    await watch.process(of(CaseBreachExplained, **said, until=at("2026-03-20 10:00")))
    await watch.later(seconds=2)
    assert sink.received == []


async def test_an_appeal_is_answered(watch: Watch, sink: SmtpSink) -> None:
    event = of(CaseAppealDismissed, state=State.CLOSED, reason="已经换新。")
    assert await told(watch, sink, event) == ["canary.8371"]
    assert "维持原来的处理" in text_of(sink)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (2, "在3月19日（周四）10:00 前可以再请我们重新办，最多 2 次。"),
        (1, "在3月19日（周四）10:00 前可以再请我们重新办一次，那是最后一次。"),
        (None, "不再复核。有新的情况，请另提一条。"),
    ],
)
async def test_what_a_leader_let_stand_says_what_is_left_and_how_often(
    watch: Watch, sink: SmtpSink, left: int | None, said: str
) -> None:
    rights = Rights(
        standing=CaseStanding.ANSWERED,
        answered=True,
        appeal_dismissed=True,
        reopen_until=at("2026-03-19 10:00") if left else None,
        reopen_left=left,
    )
    dismissed = of(CaseAppealDismissed, state=State.CLOSED, reason="已经换新。", rights=rights)
    assert await told(watch, sink, dismissed) == ["canary.8371"]
    assert said in text_of(sink)


async def test_an_appeal_that_is_upheld_says_by_when_there_will_be_an_answer(
    watch: Watch, sink: SmtpSink
) -> None:
    upheld = of(CaseAppealUpheld, reason="确实没有修好。", cycle=2)
    assert await told(watch, sink, upheld) == ["coordinator"]
    await watch.process(promised("f1", "2026-03-16 10:00", cycle=2), routed("f1"))
    await watch.later(seconds=20)
    assert "确实没有修好。" in text_of(sink)
    assert "这一次会在3月16日（周一）10:00 前答复您。" in text_of(sink)
    # That is the date they have read.
    await watch.process(promised("f1", "2026-03-17 10:00", cycle=2))
    await watch.later(seconds=20)
    assert "原来答应3月16日" in text_of(sink)


@pytest.mark.parametrize(("kept", "said"), [(True, 1), (False, 0)])
async def test_where_to_go_instead_stands_in_the_letter_of_a_refusal_and_of_its_appeal(
    watch: Watch, sink: SmtpSink, kept: bool, said: int
) -> None:
    instead = "学生会权益部：https://su.example.edu"
    rejected = of(CaseRejected, state=State.REJECTED, reason="不归图书馆管。", instead=instead)
    assert await told(watch, sink, rejected) == ["canary.8371"]
    assert text_of(sink).count(f"这类事可以这样办：{instead}") == 1
    sink.received.clear()
    if not kept:
        await watch.process(of(CaseRestored, previous=State.REJECTED, reason="再看", cycle=2))
        await watch.later(seconds=20)
        letters = [r.message.get_content() for r in sink.received]
        assert any("之前说的不能受理，不再算数。" in letter for letter in letters)
        sink.received.clear()
    await watch.process(of(CaseAppealDismissed, state=State.CLOSED, reason="已经换新。"))
    await watch.later(seconds=2)
    assert text_of(sink).count(instead) == said


async def test_what_a_reader_answers_to_a_refusal_is_in_no_mail_to_staff(
    watch: Watch, sink: SmtpSink
) -> None:
    words = {"previous": State.REJECTED, "reason": "但是楼下就是分馆", "cycle": 2}
    assert await told(watch, sink, of(CaseRestored, **words, by=REPORTER)) == ["coordinator"]
    assert words["reason"] not in text_of(sink)
    assert "恢复办理" in text_of(sink)


async def test_whoever_was_joined_hears_that_it_goes_on_by_itself_and_by_when(
    watch: Watch, sink: SmtpSink
) -> None:
    whole = of(CaseUnmerged, previous_into="", children=("f3",), reason="合回去", cycle=2)
    assert await told(watch, sink, whole) == ["coordinator"]
    await watch.later(seconds=20)
    assert [kind for kind, *_ in await watch.states("f1")][1:] == []
    sink.received.clear()
    await watch.process(
        of(CaseUnmerged, previous_into="f2", reason="不是一件事", cycle=3),
        promised("f1", "2026-03-16 10:00", cycle=3),
    )
    await watch.later(seconds=20)
    told_to = {r.rcpt_to[0].partition("@")[0]: r.message.get_content() for r in sink.received}
    assert sorted(told_to) == ["canary.8371", "coordinator"]
    assert "现在单独办理，会在3月16日（周一）10:00 前答复您" in told_to["canary.8371"]
    assert "不是一件事" not in told_to["canary.8371"]


async def test_whoever_was_joined_to_another_case_gets_its_answer(
    watch: Watch, sink: SmtpSink
) -> None:
    assert await told(watch, sink, of(CaseMerged, into="f2", put_back=True)) == []
    assert await told(watch, sink, of(CaseMerged, into="f2")) == ["canary.8371"]
    sink.received.clear()
    await watch.process(
        of(
            CaseAnsweredThrough,
            into="f2",
            kind="reply",
            department="it",
            text="修好了。",
            outcome=Outcome.SOLVED,
        )
    )
    await watch.later(seconds=2)
    assert "修好了。" in text_of(sink)
    # Only the other case can be worked on again; what they add there is answered.
    assert "请我们重新办" not in text_of(sink)
    assert "也可以补充，我们会再回应" in text_of(sink)


async def test_a_department_that_helps_may_open_the_case(watch: Watch, sink: SmtpSink) -> None:
    """Else what was meant for it would be kept back as not theirs."""
    event = of(CaseDepartmentAdded, department="space", question="空调呢？")
    assert await told(watch, sink, event) == ["liaison.space"]
    assert [s for s in await watch.states("f1", "staff") if s[2] == "suppressed"] == []


async def test_a_part_is_reached_through_its_own_contact(watch: Watch, sink: SmtpSink) -> None:
    part = CaseSplitOff(
        feedback_id="part",
        at=NOW,
        parent="f1",
        received_at=NOW,
        channel=Channel.WEB,
        text="插座没电",
        code_hash="0" * 64,
        reachable=("email",),
    )
    await watch.process(part, private("part"))
    await watch.process(of(CaseProgressed, feedback_id="part", text="在修。"))
    await watch.later(seconds=2)
    assert "在修。" in text_of(sink)


async def test_the_link_to_all_matters_goes_to_the_mailbox_alone(
    watch: Watch, sink: SmtpSink
) -> None:
    until = watch.clock.now() + timedelta(hours=2)
    event = FeedbackMattersAsked(feedback_id="f1", at=NOW, request_id="r1", until=until)
    assert await told(watch, sink, event) == ["canary.8371"]
    link = re.search(r"/track/mine/(\S+)", text_of(sink))
    assert link is not None
    signer = watch.runtime.signer
    assert signer.read_signed(LINK_TO_MATTERS, link[1], watch.clock.now()) == "r1"
    # What stands in the ledger opens nothing.
    assert link[1] not in str([dict(row) for row in await watch.ledger("f1")])


async def test_a_link_that_nobody_waits_for_any_more_is_not_sent(
    watch: Watch, sink: SmtpSink
) -> None:
    until = watch.clock.now() + timedelta(hours=2)
    watch.clock.later(hours=1, minutes=1)
    event = FeedbackMattersAsked(feedback_id="f1", at=NOW, request_id="r1", until=until)
    assert await told(watch, sink, event) == []


def extended(story: Promises, due: str, when: str, kind: str = "moved") -> Any:
    return story.change(kind, "RESOLUTION", at(due), at=at(when), reason="等配件")


def to_reporter(sink: SmtpSink) -> list[str]:
    return [
        str(one.message.get_content())
        for one in sink.received
        if one.rcpt_to[0].startswith("canary")
    ]


async def two(watch: Watch, sink: SmtpSink) -> Promises:
    """The reporter of f1 has read 11 March; their case is joined to f2, promised for the same."""
    await watch.process(*received_case("f1"), a_comment("f2", reachable=()))
    await watch.later(seconds=2)
    target = Promises("f2")
    first = target.change("promised", "RESOLUTION", at("2026-03-11 10:00"), at=NOW)
    await watch.process(first, of(CaseAbsorbed, feedback_id="f2", merged="f1"))
    sink.received.clear()
    return target


async def test_who_was_joined_hears_that_the_date_moves(watch: Watch, sink: SmtpSink) -> None:
    target = await two(watch, sink)
    await watch.process(of(CaseMerged, into="f2"))
    await watch.later(seconds=2)
    assert "答复，比原来说的晚" not in text_of(sink)
    await watch.process(extended(target, "2026-03-20 10:00", "2026-03-04 10:01"))
    await watch.later(seconds=2)
    (_, letter) = sink.received
    assert letter.rcpt_to == ["canary.8371@mail.example"]
    assert "原来答应3月11日（周三）10:00 前答复" in text_of(sink)
    assert "现在需要改到3月20日（周五）10:00 前" in text_of(sink)
    assert "等配件" in text_of(sink)
    # Once: the same date again is no news, nor is that it was not kept before that.
    await watch.process(extended(target, "2026-03-20 10:00", "2026-03-04 10:02"))
    watch.clock.later(days=7)
    await watch.process(target.breached(Clock.RESOLUTION, at=watch.clock.now()))
    await watch.later(seconds=2)
    assert len(to_reporter(sink)) == 2
    watch.clock.later(days=10)
    await watch.process(target.breached(Clock.RESOLUTION, at=watch.clock.now()))
    await watch.later(seconds=2)
    assert "原来答应3月20日（周五）10:00 前答复" in to_reporter(sink)[-1]
    assert "没能做到" in to_reporter(sink)[-1]
    why = of(
        CaseBreachExplained,
        feedback_id="f2",
        at=watch.clock.now(),
        clock=Clock.RESOLUTION,
        code="overload",
        text="开学人手不足。",
    )
    await watch.process(why)
    await watch.later(seconds=2)
    assert "开学人手不足。" in to_reporter(sink)[-1]


async def test_the_letter_about_joining_names_a_later_date(watch: Watch, sink: SmtpSink) -> None:
    target = await two(watch, sink)
    await watch.process(extended(target, "2026-03-20 10:00", "2026-03-04 10:01"))
    await watch.process(of(CaseMerged, into="f2"))
    await watch.later(seconds=2)
    assert "会在3月20日（周五）10:00 前答复，比原来说的晚" in text_of(sink)
    # It was read there: only what is later still is news.
    await watch.process(extended(target, "2026-03-19 10:00", "2026-03-04 10:02"))
    await watch.later(seconds=2)
    assert len(sink.received) == 1


async def test_who_is_parted_hears_it_and_nothing_more_of_the_other(
    watch: Watch, sink: SmtpSink
) -> None:
    target = await two(watch, sink)
    await watch.process(of(CaseMerged, into="f2"))
    await watch.later(seconds=2)
    unmerged = of(CaseUnmerged, state=State.TRIAGE, previous_into="f2", reason="x", cycle=2)
    again = Promises("f1").change("promised", "RESOLUTION", at("2026-03-12 10:00"), at=NOW, cycle=2)
    await watch.process(unmerged, again, of(CaseReleased, feedback_id="f2", merged="f1"))
    await watch.process(extended(target, "2026-03-20 10:00", "2026-03-04 10:01"))
    await watch.later(seconds=11)
    (_, parted) = to_reporter(sink)
    assert "现在单独办理，会在3月12日（周四）10:00 前答复您" in parted


@pytest.mark.parametrize(
    ("locale", "subject", "about"),
    [
        ("zh", "（3月4日，第2件）", "关于您3月4日留下的反馈（其中第2件），"),
        ("en", "(4 Mar, matter 2)", "your comment of 4 Mar (matter 2 of it)"),
    ],
)
async def test_a_letter_about_a_part_says_which_of_the_matters_it_is_about(
    watch: Watch, sink: SmtpSink, locale: str, subject: str, about: str
) -> None:
    parts = [
        CaseSplitOff(
            feedback_id=part,
            at=NOW,
            parent="f1",
            received_at=NOW,
            channel=Channel.WEB,
            text="插座没电",
            locale=locale,
            code_hash="0" * 64,
            reachable=("email",),
        )
        for part in ("first", "second")
    ]
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    await watch.process(*parts, private("second"))
    await watch.process(of(CaseSplit, children=("first", "second")))
    await watch.process(of(CaseProgressed, feedback_id="second", text="在修。"))
    await watch.later(seconds=2)
    assert subject in sink.received[-1].message["Subject"]
    assert about in text_of(sink)
    await watch.process(replied("second", "修好了。"))
    await watch.later(seconds=2)
    assert subject in sink.received[-1].message["Subject"]
    assert about in text_of(sink)


async def test_the_date_of_a_part_is_measured_by_what_was_read_of_the_whole(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    part = CaseSplitOff(
        feedback_id="part",
        at=NOW,
        parent="f1",
        received_at=NOW,
        channel=Channel.WEB,
        text="插座没电",
        code_hash="0" * 64,
        reachable=("email",),
    )
    promises = Promises("part")
    first = promises.change("promised", "RESOLUTION", at("2026-03-11 10:00"), at=NOW)
    await watch.process(part, private("part"), first)
    await watch.later(seconds=2)
    assert len(sink.received) == 1
    await watch.process(extended(promises, "2026-03-20 10:00", "2026-03-04 10:01"))
    await watch.later(seconds=2)
    assert "原来答应3月11日（周三）10:00 前答复" in text_of(sink)


async def test_a_date_that_moved_back_in_the_night_is_no_news(watch: Watch, sink: SmtpSink) -> None:
    promises = Promises("f1")
    first = promises.change("promised", "RESOLUTION", at("2026-03-11 10:00"), at=NOW)
    await watch.process(a_comment("f1"), private("f1"), first, routed("f1"))
    await watch.later(seconds=2)
    sink.received.clear()
    watch.clock.later(hours=12)
    for due, minute in (("2026-03-12 10:00", 1), ("2026-03-11 10:00", 2)):
        await watch.process(extended(promises, due, f"2026-03-04 22:0{minute}"))
    await watch.later(hours=10)
    assert sink.received == []
    assert (await watch.states("f1"))[-1] == ("delay", "email", "suppressed")
    # Two moves: one letter, with the date that holds in the morning.
    watch.clock.later(hours=14)
    for due, minute in (("2026-03-13 10:00", 1), ("2026-03-14 10:00", 2), ("2026-03-13 12:00", 3)):
        await watch.process(extended(promises, due, f"2026-03-05 22:0{minute}"))
    await watch.later(hours=10)
    assert len(sink.received) == 1
    assert "原来答应3月11日（周三）10:00 前答复" in text_of(sink)
    assert "现在需要改到3月13日（周五）12:00 前" in text_of(sink)
