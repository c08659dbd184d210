"""In every situation the page says where it is, who has it, what is next and by when.

The page is the one without script: what it says stands in it as it comes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.desk import (
    CaseAbsorbed,
    CaseAnsweredThrough,
    CaseAppealDismissed,
    CaseAppealed,
    CaseAppealUpheld,
    CaseExtensionGranted,
    CaseInfoRequested,
    CaseMerged,
    CaseRecalled,
    CaseRejected,
    CaseReopened,
    CaseReplySubmitted,
    CaseResumed,
    CaseReturned,
    CaseWaitingExternal,
    CaseWordsOwed,
)
from shared.contracts.intake import (
    FeedbackAppealed,
    FeedbackRated,
    FeedbackReopenRequested,
    FeedbackSupplemented,
)
from shared.contracts.rights import CaseStanding, Rights
from shared.contracts.vocabulary import Clock, State
from tests.service.tracking.conftest import Web
from tests.support import at, process_batch
from tests.unit.tracking.examples import Story

Events = list[Any]
LATER = at("2026-03-20 10:00")


def waiting(s: Story) -> Events:
    until = at("2026-03-06 10:00")
    more = {"waiting_for": "空调厂家", "until": until, "reason": "等配件。"}
    return [*s.worked(), s.of(CaseWaitingExternal, department="it", **more)]


def asked(s: Story) -> Events:
    until = at("2026-03-11 10:00")
    question = {"department": "it", "question": "哪一台？", "until": until}
    return [
        *s.worked(),
        s.of(CaseInfoRequested, **question),
        s.changed("paused", Clock.RESOLUTION),
    ]


def extended(s: Story) -> Events:
    return [
        *s.worked(),
        s.of(CaseExtensionGranted, department="it", until=LATER, reason="等配件"),
        s.changed("moved", Clock.RESOLUTION, LATER, reason="等配件"),
    ]


def rejected(s: Story) -> Events:
    return [*s.begun(), s.of(CaseRejected, reason="不属于图书馆。")]


def appealed(s: Story) -> Events:
    return [
        *s.answered(),
        s.of(FeedbackAppealed, reason="不对"),
        s.of(CaseAppealed, previous="REPLIED", reason="不对"),
        s.promised(Clock.APPEAL, at("2026-03-18 10:00")),
    ]


def upheld(s: Story) -> Events:
    return [*appealed(s), s.of(CaseAppealUpheld, reason="再看看。", cycle=2)]


def returned(s: Story) -> Events:
    return [*s.begun(), s.dispatched("it"), s.of(CaseReturned, department="it", reason="不归我们")]


def recalled(s: Story) -> Events:
    return [*s.worked(), s.of(CaseRecalled, department="it", reason="派错了")]


def reopened(s: Story) -> Events:
    return [
        *s.answered(),
        s.of(CaseReopened, reason="还是一样", cycle=2),
        s.promised(Clock.RESOLUTION, LATER, cycle=2),
    ]


def reopened_at_once(s: Story) -> Events:
    """Answered on the day of receipt after it was extended: half the time ends before the first."""
    sooner = {"first_due": LATER, "cycle": 2, "reason": "reopened"}
    return [
        *extended(s),
        *s.answered(),
        s.of(CaseReopened, reason="还是一样", cycle=2),
        s.promised(Clock.RESOLUTION, at("2026-03-09 10:00"), **sooner),
    ]


def brought_forward(s: Story) -> Events:
    sooner = at("2026-03-06 10:00")
    return [*s.worked(), s.changed("moved", Clock.RESOLUTION, sooner, reason="priority")]


def answered(s: Story) -> Events:
    return [*s.answered(), s.promised(Clock.FOLLOW_UP, at("2026-03-09 10:00"))]


SITUATIONS: dict[str, tuple[Callable[[Story], Events], tuple[str, ...]]] = {
    "with the office": (lambda s: s.begun(), ("用户关系办公室", "接下来：", "预计", "答复您")),
    "sent to a department": (
        lambda s: [*s.begun(), s.dispatched("it")],
        ("已转给信息系统部", "接下来：信息系统部接手", "预计"),
    ),
    "accepted": (
        lambda s: [*s.begun(), s.dispatched("it"), s.accepted("it")],
        ("信息系统部已经接手", "接下来：信息系统部安排专人", "预计"),
    ),
    "worked on": (
        lambda s: s.worked("it"),
        ("信息系统部正在办理", "接下来：信息系统部给您答复", "预计"),
    ),
    "waiting for a vendor": (
        waiting,
        ("信息系统部正在办理，在等空调厂家", "再看一次", "10:00", "预计"),
    ),
    "waiting for the reporter": (
        asked,
        ("信息系统部想向您了解", "请您补充", "10:00", "以前回答", "等您的时间不算在内", "回答"),
    ),
    "extended": (
        extended,
        ("信息系统部正在办理", "时间延长了", "原因：等配件", "<del>", "预计"),
    ),
    "sent back to the office": (returned, ("由他们重新安排部门", "接下来：", "预计")),
    "fetched back by the office": (recalled, ("由他们重新安排部门", "接下来：", "预计")),
    "in review": (
        lambda s: [*s.worked(), s.of(CaseReplySubmitted, department="it", outcome="solved")],
        ("信息系统部已经写好答复", "接下来：核对", "预计"),
    ),
    "answered": (answered, ("信息系统部已经答复您", "接下来：请告诉我们", "就算办完了")),
    "rejected": (rejected, ("没能受理", "不属于图书馆", "接下来：您觉得不对")),
    "appealed": (appealed, ("等他们复核", "接下来：馆领导告诉您", "预计", "复核的结果")),
    "appealed and upheld": (upheld, ("我们重新来办这件事", "接下来：")),
    "brought forward": (brought_forward, ("信息系统部正在办理", "<del>", "提前了")),
    "reopened": (reopened, ("我们重新来办这件事", "接下来：", "预计")),
}


def plain(page: str) -> str:
    """The part that is about now, without the line of the timeline."""
    main = page.split('<section class="story"')[0]
    return re.sub(r"(?!</?del>)<[^>]+>", "", main)


@pytest.mark.parametrize("name", SITUATIONS)
async def test_the_page_says_where_who_next_and_by_when(web: Web, code: str, name: str) -> None:
    events, said = SITUATIONS[name]
    web.service.runtime.directory.departments["it"] = ("信息系统部", "IT")
    await process_batch(web.service, *events(Story(code=code)))
    page = plain((await web.get(f"/track/{code}")).text)
    for words in said:
        assert words in page, f"{words!r} is not in {page}"
    english = plain((await web.get(f"/track/{code}?lang=en")).text)
    assert "{" not in english
    assert "Next: " in english


@pytest.mark.parametrize("events", [reopened_at_once, brought_forward])
async def test_what_is_due_earlier_is_not_said_to_take_longer(
    web: Web, code: str, events: Callable[[Story], Events]
) -> None:
    await process_batch(web.service, *events(Story(code=code)))
    page = plain((await web.get(f"/track/{code}")).text)
    assert "延长" not in page
    # What begins anew has a date of its own.
    assert ("<del>" in page) is (events is brought_forward)


async def test_a_date_that_reads_the_same_has_not_moved(web: Web, code: str) -> None:
    story = Story(code=code)
    due = at("2026-03-10 10:49") + timedelta(seconds=5)
    begun = [*story.worked(), story.promised(Clock.RESOLUTION, due)]
    await process_batch(
        web.service,
        *begun,
        story.changed("resumed", Clock.RESOLUTION, due + timedelta(seconds=10)),
        story.changed("moved", Clock.RESOLUTION, due + timedelta(seconds=50)),
    )
    body = (await web.get(f"/api/track/{code}")).json()
    kinds = [line["type"] for line in body["timeline"]]
    assert kinds.count("sla.promises_changed") == 3, "twice promised, and moved once before"
    assert "顺延" not in (await web.get(f"/track/{code}")).text


async def test_what_was_promised_to_the_same_minute_is_not_struck_out(web: Web, code: str) -> None:
    story = Story(code=code)
    begun = story.worked()
    later = story.due[Clock.RESOLUTION] + timedelta(seconds=10)
    await process_batch(web.service, *begun, story.changed("resumed", Clock.RESOLUTION, later))
    (promise,) = [
        one
        for one in (await web.get(f"/api/track/{code}")).json()["promises"]
        if one["clock"] == "RESOLUTION"
    ]
    assert "moved" not in promise
    assert "<del>" not in plain((await web.get(f"/track/{code}")).text)


async def test_whoever_was_joined_is_not_asked_what_another_was_asked(web: Web, code: str) -> None:
    story, other = Story(code=code), Story()
    await process_batch(
        web.service,
        *story.worked("it"),
        *asked(other),
        story.of(CaseMerged, into=other.id),
        other.of(CaseAbsorbed, merged=story.id),
    )
    body = (await web.get(f"/api/track/{code}")).json()
    assert (body["state"], body["state_text"]) == ("WAITING_USER", "等另一位读者补充")
    whole = (await web.get(f"/track/{code}?lang=en")).text
    assert "Waiting for another reader" in whole
    assert "Waiting for you" not in whole
    whole = (await web.get(f"/track/{code}?lang=zh")).text
    assert "等您补充" not in whole
    assert "hero-in_progress" in whole
    page = plain(whole)
    assert "并在一起办理" in page
    assert "在等另一位读者补充情况" in page
    assert "等他补充以后" in page
    assert "以前回答" not in page
    assert "哪一台" not in page
    assert "您的回答" not in page


async def test_words_of_who_was_joined_are_answered_by_a_date_on_both_pages(
    web: Web, code: str
) -> None:
    mine = web.service.runtime.signer.tracking_code()
    story, other = Story(code=code), Story(code=mine)
    await process_batch(
        web.service,
        *story.begun(),
        story.of(CaseMerged, into=other.id),
        *other.answered(),
        story.of(
            CaseAnsweredThrough,
            into=other.id,
            kind="reply",
            department="it",
            text="好了",
            outcome="solved",
        ),
        story.later(minutes=5).of(FeedbackSupplemented, text="还是坏的", words_id="w"),
    )
    said = (await web.get(f"/api/track/{code}")).json()["next_step"]
    assert said == "接下来：信息系统部回应您后来补充的话。"
    await process_batch(
        web.service,
        other.of(CaseWordsOwed, state=State.REPLIED, origin=story.id),
        other.promised(Clock.NEXT_RESPONSE, at("2026-03-09 10:00")),
    )
    said = (await web.get(f"/api/track/{code}")).json()["next_step"]
    assert "回应您后来补充的话" in said
    assert "10:00" in said
    theirs = (await web.get(f"/api/track/{mine}")).json()["next_step"]
    assert "回应别的读者后来补充的话，您也看得到" in theirs
    assert "10:00" in theirs
    assert "还是坏的" not in (await web.get(f"/track/{mine}")).text
    await process_batch(
        web.service,
        story.of(CaseAnsweredThrough, into=other.id, kind="progress", department="it", text="再修"),
        other.met(Clock.NEXT_RESPONSE),
    )
    for one in (code, mine):
        assert "后来补充的话" not in (await web.get(f"/api/track/{one}")).json()["next_step"]


@pytest.mark.parametrize(
    "said",
    [
        lambda s: s.of(FeedbackRated, stars=1, solved="no", comment="根本没修"),
        lambda s: s.of(FeedbackReopenRequested, reason="根本没修"),
    ],
)
async def test_who_was_joined_reads_on_their_page_that_it_is_not_solved_and_is_owed_an_answer(
    web: Web, code: str, said: Callable[[Story], Any]
) -> None:
    mine = web.service.runtime.signer.tracking_code()
    story, other = Story(code=code), Story(code=mine)
    rights = Rights(
        supplement=True,
        urge=False,
        rate=True,
        reopen_until=story.now + timedelta(days=15),
        standing=CaseStanding.JOINED,
        answered=True,
    )
    through = {"kind": "reply", "department": "it", "text": "好了", "outcome": "solved"}
    await process_batch(
        web.service,
        *story.begun(),
        story.of(CaseMerged, into=other.id),
        *other.answered(),
        story.of(CaseAnsweredThrough, into=other.id, rights=rights, **through),
    )
    page = (await web.get(f"/track/{code}")).text
    assert "哪里还没有解决？办理的人看得到。" in page
    await process_batch(web.service, said(story.later(minutes=5)))
    body = (await web.get(f"/api/track/{code}")).json()
    assert body["next_step"] == "接下来：信息系统部回应您后来补充的话。"
    assert [line["text"] for line in body["conversation"] if line["who"] == "me"][-1] == "根本没修"
    assert "根本没修" in (await web.get(f"/track/{code}")).text
    assert "urge" not in body["may"]


async def test_what_is_over_is_not_said_any_more(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        *asked(story),
        story.of(CaseResumed, department="it", reason="supplied"),
        *[story.later(hours=1).of(CaseRecalled, department="it", reason="派错了")],
        story.dispatched("it"),
    )
    body = (await web.get(f"/api/track/{code}")).json()
    assert (body["answer_by"], body["waiting_for"], body["back"]) == (None, None, None)


async def test_an_appeal_that_is_late_says_so(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, *appealed(story), story.breached(Clock.APPEAL))
    web.clock.later(days=30)
    assert "比答应您的时间晚了" in plain((await web.get(f"/track/{code}")).text)
    await process_batch(web.service, story.of(CaseAppealDismissed, reason="维持。"))
    assert "比答应您的时间晚了" not in plain((await web.get(f"/track/{code}")).text)
