"""What a reporter sees under their code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest

from shared.contracts.desk import (
    CaseClosed,
    CaseInfoRequested,
    CaseNoted,
    CaseProgressed,
    CaseReopened,
    CaseReplied,
    CaseReplySubmitted,
    CaseReturned,
    CaseWithdrawn,
)
from shared.contracts.intake import (
    FeedbackReopenRequested,
    FeedbackSupplemented,
    FeedbackSupplementMoved,
    FeedbackUrged,
    FeedbackWithdrawn,
)
from shared.contracts.notification import NotificationSent
from shared.contracts.sla import SlaWarned
from shared.contracts.vocabulary import Clock
from shared.security import code_hash
from tests.patience import PATIENCE
from tests.service.tracking.conftest import Web
from tests.support import at, process_batch
from tests.unit.tracking.examples import Story


async def test_a_code_shows_where_it_is_who_has_it_and_by_when(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.worked("it"))
    answer = await web.get(f"/api/track/{code}")
    assert answer.status_code == 200
    body = answer.json()
    assert body["feedback_id"] == story.id
    assert (body["state"], body["state_text"]) == ("IN_PROGRESS", "办理中")
    assert (body["department"], body["department_name"]) == ("it", "信息系统部")
    assert body["next_step"] == "接下来：信息系统部给您答复。"
    assert {p["clock"]: p["status"] for p in body["promises"]} == {
        "FIRST_RESPONSE": "running",
        "RESOLUTION": "running",
    }
    assert body["promises"][0]["due"] == "2026-03-05T10:00:00+08:00"
    assert body["promises"][0]["due_text"] == "明天 10:00 前"
    assert body["may"] == ["supplement", "urge", "withdraw"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("department", [None, "it"])
async def test_what_the_office_answered_by_itself_was_answered_by_the_office(
    web: Web, code: str, department: str | None
) -> None:
    story = Story(code=code)
    # The cases of an incident are answered at once, wherever they lie.
    begun = story.worked(department) if department else story.begun()
    words = {"text": "已经修好了。", "outcome": "solved", "direct": True}
    await process_batch(web.service, *begun, story.of(CaseReplied, department=department, **words))
    for language, office, sentence in (
        ("zh", "用户关系办公室", "用户关系办公室已经答复您。"),
        ("en", "The User Relations Office", "The User Relations Office has answered you."),
    ):
        body = (await web.get(f"/api/track/{code}?lang={language}")).json()
        assert body["conversation"][-1]["department_name"] == office
        line = body["timeline"][-1]["text"]
        assert line in ("用户关系办公室答复了您。", "The User Relations Office answered you.")
        page = (await web.get(f"/track/{code}?lang={language}")).text
        assert f">{sentence}</h1>" in page
        assert f'<p class="bubble-who">{office} ·' in page
    more = story.later(hours=1).of(FeedbackSupplemented, text="又坏了", words_id="w")
    told = story.of(CaseProgressed, department=department, text="明天再来看。")
    await process_batch(web.service, more, told)
    body = (await web.get(f"/api/track/{code}?lang=zh")).json()
    whose = "信息系统部" if department else "用户关系办公室"
    assert body["timeline"][-1]["text"] == f"{whose}告诉您进展。"


async def test_words_after_the_reply_are_owed_an_answer_and_the_page_says_whose(
    web: Web, code: str
) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.answered("it"))

    async def next_step(language: str = "zh") -> str:
        return str((await web.get(f"/api/track/{code}?lang={language}")).json()["next_step"])

    rate = await next_step()
    assert "告诉我们解决了没有" in rate
    story.later(hours=1)
    said: dict[str, Any] = {"text": "谢谢", "words_id": "t", "thanks": True}
    await process_batch(web.service, story.of(FeedbackSupplemented, **said))
    assert await next_step() == rate
    told = (await web.get(f"/api/track/{code}")).json()["timeline"]
    assert told[-1]["text"] == "您回了话。"
    more = story.of(FeedbackSupplemented, text="又坏了", words_id="w")
    await process_batch(web.service, more)
    assert await next_step() == "接下来：信息系统部回应您后来补充的话。"
    # Thanks settle nothing either.
    await process_batch(web.service, story.of(FeedbackSupplemented, **said))
    assert await next_step() == "接下来：信息系统部回应您后来补充的话。"
    due = at("2026-03-05 10:00")
    await process_batch(web.service, story.promised(Clock.NEXT_RESPONSE, due))
    assert await next_step() == "接下来：信息系统部在明天 10:00 前回应您后来补充的话。"
    assert await next_step("en") == (
        "Next: Information Systems answers what you added by 10:00 tomorrow."
    )
    await process_batch(web.service, story.breached(Clock.NEXT_RESPONSE))
    assert "比答应您的时间晚了" in await next_step()
    await process_batch(
        web.service,
        story.of(CaseProgressed, department="it", text="明天再来看。"),
        story.met(Clock.NEXT_RESPONSE, in_time=False),
    )
    assert await next_step() == rate


async def test_english_readers_are_told_in_english(web: Web, code: str) -> None:
    await process_batch(web.service, *Story(code=code).worked("it"))
    body = (await web.get(f"/api/track/{code}?lang=en")).json()
    assert body["state_text"] == "In progress"
    assert body["department_name"] == "Information Systems"
    assert all(line["text"].isascii() for line in body["timeline"])


async def test_the_code_may_be_typed_by_anybody(web: Web, code: str) -> None:
    await process_batch(web.service, *Story(code=code).begun())
    typed = code.lower().replace("-", "").replace("0", "o").replace("1", "l")
    assert (await web.get(f"/api/track/{typed}")).status_code == 200


async def test_numbers_count_all_events_and_internal_ones_have_no_line(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        story.received(),
        story.opened(),
        story.of(CaseNoted),
        story.dispatched("it"),
        story.of(CaseReturned, department="it", reason="不归我们管", suggest="space"),
        story.promised(Clock.TRIAGE, story.now + timedelta(hours=4)),
    )
    await process_batch(
        web.service,
        story.of(
            SlaWarned,
            clock="TRIAGE",
            due=story.now,
            first_due=story.now,
            level=75,
        ),
        story.dispatched("space"),
        story.of(
            NotificationSent,
            delivery_id="1",
            kind="new_work",
            channel="email",
            audience="staff",
            staff="liaison.space",
        ),
    )
    body = (await web.get(f"/api/track/{code}")).json()
    assert [(line["seq"], line["type"]) for line in body["timeline"]] == [
        (1, "feedback.received"),
        (2, "case.opened"),
        (4, "case.dispatched"),
        (5, "case.returned"),
        (8, "case.dispatched"),
    ]
    assert "不归我们管" not in str(body)
    assert body["timeline"][3]["text"] == "由用户关系办公室重新安排部门。答应您的时间不变。"


async def test_a_question_an_answer_and_a_reply_are_the_conversation(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        *story.worked("it"),
        story.of(CaseInfoRequested, department="it", question="哪一台？"),
        story.of(FeedbackSupplemented, text="第二台", words_id="w"),
        story.replied("it", "换好了。"),
    )
    body = (await web.get(f"/api/track/{code}")).json()
    assert [(s["who"], s["text"]) for s in body["conversation"]][1:] == [
        ("library", "哪一台？"),
        ("me", "第二台"),
        ("library", "换好了。"),
    ]
    assert [(r["text"], r["outcome"]) for r in body["replies"]] == [("换好了。", "solved")]


async def test_rating_comes_with_the_reply_and_goes_with_the_rating(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.answered())
    assert "rate" in (await web.get(f"/api/track/{code}")).json()["may"]
    await process_batch(
        web.service, story.later(minutes=1).rated(), story.of(CaseClosed, how="rated")
    )
    body = (await web.get(f"/api/track/{code}")).json()
    assert body["state"] == "CLOSED"
    assert body["may"] == ["reopen"]


async def test_reopening_ends_with_the_window_and_after_two_times(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.answered())
    web.clock.set(story.now + timedelta(days=15))
    assert "reopen" in (await web.get(f"/api/track/{code}")).json()["may"]
    web.clock.later(seconds=1)
    assert "reopen" not in (await web.get(f"/api/track/{code}")).json()["may"]
    web.clock.set(story.now)
    for cycle in (2, 3):
        await process_batch(
            web.service, story.of(CaseReopened, reason="还是坏的", cycle=cycle), story.replied()
        )
    assert "reopen" not in (await web.get(f"/api/track/{code}")).json()["may"]


async def test_nothing_can_be_done_with_what_was_withdrawn(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.begun(), story.of(CaseWithdrawn))
    body = (await web.get(f"/api/track/{code}")).json()
    assert (body["state"], body["may"]) == ("WITHDRAWN", [])
    assert body["next_step"] == "不会再有人办这件事。还想提的话，请另写一条。"
    english = (await web.get(f"/api/track/{code}?lang=en")).json()["next_step"]
    assert english.startswith("Nobody will work on it.")


async def test_closed_with_not_solved_reads_so_and_says_until_when_it_is_taken_up_again(
    web: Web, code: str
) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.answered())
    rated = story.later(minutes=1).rated(stars=1, solved="no")
    await process_batch(web.service, rated, story.of(CaseClosed, how="rated"))
    body = (await web.get(f"/api/track/{code}")).json()
    assert (body["state"], body["solved"]) == ("CLOSED", "no")
    assert body["state_text"] == "已办结，您说没有解决"
    assert body["next_step"] == ("接下来：说说哪里还没有解决，在3月19日 10:00 前可以请我们重新办。")
    page = (await web.get(f"/track/{code}")).text
    assert "您说没有解决。这件事先办结了，现在没有人在办。" in page
    assert "办完" not in page
    english = (await web.get(f"/track/{code}?lang=en")).text
    assert "You said that it is not solved." in english
    assert "inished" not in english
    web.clock.later(days=16)
    later = (await web.get(f"/api/track/{code}?lang=zh")).json()["next_step"]
    assert later == "接下来：可以请馆领导复核。"


async def test_a_promise_that_moves_keeps_its_first_date_and_says_why(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        *story.worked("it"),
        story.promised(Clock.RESOLUTION, at("2026-03-20 17:00"), reason="配件要等"),
    )
    body = (await web.get(f"/api/track/{code}")).json()
    moved = next(p for p in body["promises"] if p["clock"] == "RESOLUTION")
    assert moved["first_due"] == "2026-03-11T10:00:00+08:00"
    assert moved["due"] == "2026-03-20T17:00:00+08:00"
    assert moved["reason"] == "配件要等"
    assert body["timeline"][-1]["text"] == "答复的时间改为3月20日（周五）17:00 前。原因：配件要等"


async def test_a_late_answer_does_not_undo_the_breach(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(
        web.service,
        *story.worked("it"),
        story.breached(Clock.RESOLUTION),
        story.replied("it"),
        story.met(Clock.RESOLUTION, 60, in_time=False),
    )
    body = (await web.get(f"/api/track/{code}")).json()
    status = {p["clock"]: p["status"] for p in body["promises"]}
    assert status["RESOLUTION"] == "breached"
    assert "sla.breached" in {line["type"] for line in body["timeline"]}


async def test_unknown_codes_are_alike_and_limited_by_address(web: Web, code: str) -> None:
    known = Story(code=code)
    await process_batch(web.service, *known.begun())
    answers = [await web.get(f"/api/track/ABCD-{n:04}") for n in range(60)]
    assert {a.status_code for a in answers} == {404}
    assert len({a.text for a in answers}) == 1
    limited = await web.get("/api/track/ABCD-9999")
    assert limited.status_code == 429
    assert int(limited.headers["retry-after"]) > 0
    assert (await web.get(f"/api/track/{code}")).status_code == 200


async def test_a_genuine_code_waits_for_its_case(
    web: Web, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.tracking.api.track.WAIT_FOR_CASE", PATIENCE)
    asking = asyncio.create_task(web.get(f"/api/track/{code}"))
    await asyncio.sleep(0.05)
    await process_batch(web.service, *Story(code=code).begun())
    assert (await asking).status_code == 200


async def test_a_genuine_code_without_a_case_is_asked_to_come_back(web: Web, code: str) -> None:
    answer = await web.get(f"/api/track/{code}")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert "正在登记" in answer.json()["detail"]


async def test_a_page_that_is_a_moment_too_early_looks_again_by_itself(
    web: Web, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.tracking.api.track.WAIT_FOR_CASE", 0.01)
    for path in (f"/track/{code}", f"/track/?code={code}"):
        early = await web.get(path, headers=BROWSER)
        assert (early.status_code, early.headers["refresh"]) == (503, "2")
        assert "正在登记" in early.text
    await process_batch(web.service, *Story(code=code).begun())
    page = await web.get(f"/track/{code}", headers=BROWSER)
    assert page.status_code == 200
    assert "refresh" not in page.headers
    unknown = await web.get("/track/ABCD-EFGH-JKMN-PQRS-TVWX", headers=BROWSER)
    assert (unknown.status_code, unknown.headers.get("refresh")) == (404, None)


async def test_the_page_says_it_in_both_languages(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.answered("it"))
    browser = {"Accept": "text/html"}
    page = await web.get(f"/track/{code}", headers=browser)
    assert page.status_code == 200
    assert "信息系统部已经答复您" in page.text
    assert "noindex" in page.headers["x-robots-tag"]
    english = await web.get(f"/track/{code}?lang=en", headers=browser)
    assert "has answered you" in english.text
    missing = await web.get("/track/NO-SUCH-CODE", headers=browser)
    assert missing.status_code == 404
    assert "text/html" in missing.headers["content-type"]


JUST = {
    "supplement": ("已经补充上了", lambda s: [s.of(FeedbackSupplemented, text="x", words_id="w")]),
    "urge": ("已经替您催了", lambda s: [s.of(FeedbackUrged)]),
    "rate": ("谢谢您的评价。", lambda s: [s.rated(), s.of(CaseClosed, how="rated")]),
    "withdraw": ("已经撤回。</p>", lambda s: [s.of(FeedbackWithdrawn), s.of(CaseWithdrawn)]),
}


@pytest.mark.parametrize("action", JUST)
async def test_what_was_done_just_now_is_said_until_it_is_no_news(
    web: Web, code: str, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, does = JUST[action]
    monkeypatch.setattr("services.tracking.api.track.WAIT_FOR_CASE", 0.01)
    story = Story(code=code)
    await process_batch(web.service, *story.worked("it"))
    now = story.later(minutes=5).now
    page = f"/track/{code}?done={action}&at={now.astimezone(UTC).isoformat()[:-6]}Z"
    web.clock.set(now)
    assert words in (await web.get(page)).text  # before it is projected, too
    await process_batch(web.service, *does(story))
    assert words in (await web.get(page)).text
    assert words not in (await web.get(f"/track/{code}?done={action}")).text
    web.clock.later(minutes=11)
    assert words not in (await web.get(page)).text


async def test_the_page_after_reopening_waits_until_it_is_worked_on_again(
    web: Web, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.tracking.api.track.WAIT_FOR_CASE", PATIENCE)
    story = Story(code=code)
    await process_batch(web.service, *story.answered("it"), story.of(CaseClosed, how="quiet"))
    now = story.later(minutes=5).now
    web.clock.set(now)
    page = f"/track/{code}?done=reopen&at={now.astimezone(UTC).isoformat()[:-6]}Z"
    asked = asyncio.create_task(web.get(page))
    await process_batch(web.service, story.of(FeedbackReopenRequested, reason="没有好"))
    await asyncio.sleep(0.3)
    assert not asked.done()
    await process_batch(web.service, story.of(CaseReopened, cycle=2, reason="没有好"))
    text = (await asked).text
    assert "由用户关系办公室确定谁来办" in text
    assert "现在没有人在办" not in text


async def test_what_was_added_is_no_news_once_it_is_answered(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.worked("it"))
    now = story.later(minutes=5).now
    added = story.of(FeedbackSupplemented, text="第二台", words_id="w")
    await process_batch(web.service, added)
    page = f"/track/{code}?done=supplement&at={now.astimezone(UTC).isoformat()[:-6]}Z"
    web.clock.set(now)
    assert "已经补充上了" in (await web.get(page)).text
    assert "Added. Those who work" in (await web.get(f"{page}&lang=en")).text
    await process_batch(web.service, story.later(minutes=1).replied("it"))
    assert "已经补充上了" not in (await web.get(f"{page}&lang=zh")).text


async def test_what_became_a_comment_of_its_own_is_said(web: Web, code: str) -> None:
    story = Story(code=code)
    await process_batch(web.service, *story.worked("it"))
    added = story.later(minutes=5).of(FeedbackSupplemented, text="食堂太挤", words_id="w")
    moved = story.later(minutes=1).of(FeedbackSupplementMoved, words_id="w", to="another")
    await process_batch(web.service, added, moved)
    web.clock.set(story.now)
    assert "是另一件事，已经另立一条" in (await web.get(f"/track/{code}?lang=zh")).text
    assert "a comment of its own now" in (await web.get(f"/track/{code}?lang=en")).text


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: code,
        lambda code: f"  {code.lower()} ",
        lambda code: code.replace("-", ""),
        lambda code: (
            f"https://feedback.library.example/track/{code}?done=urge&at=2026-03-04T02:00:00Z"
        ),
        lambda code: f"http://127.0.0.1:8080/track/{code}/",
    ],
)
@pytest.mark.parametrize("path", ["/track/", "/track"])
async def test_a_code_is_found_without_script(
    web: Web, code: str, path: str, typed: Callable[[str], str]
) -> None:
    await process_batch(web.service, *Story(code=code).begun())
    page = await web.get(path, params={"code": typed(code)}, headers=BROWSER)
    assert page.status_code == 200
    assert "/stream?lang=zh" in page.text
    assert "no-store" in page.headers["cache-control"]


@pytest.mark.parametrize("typed", ["NO-SUCH-CODE", "查询码", "/", "🙂", "%00"])
async def test_an_unknown_code_gets_a_sentence_beside_the_field(web: Web, typed: str) -> None:
    page = await web.get("/track/", params={"code": typed}, headers=BROWSER)
    assert page.status_code == 404
    assert "没有这个查询码" in page.text
    assert 'aria-describedby="error-code"' in page.text
    assert f'value="{typed}"' in page.text
    english = await web.get("/track/", params={"code": typed, "lang": "en"}, headers=BROWSER)
    assert "There is no such code" in english.text


async def test_who_has_lost_the_code_reads_what_is_left(web: Web) -> None:
    """Also behind a link that is none: with the field, for another one."""
    for path in ("/track/", "/track/NO-SUCH-CODE"):
        page = await web.get(path, params={"lang": "zh"}, headers=BROWSER)
        assert page.status_code == (404 if "NO" in path else 200)
        for words in ("查询码找不到了", "我们收到了您的反馈", "微信", "用户关系办公室"):
            assert words in page.text
        assert 'name="code"' in page.text
        english = await web.get(path, params={"lang": "en"}, headers=BROWSER)
        assert "Lost the code?" in english.text
        assert "查询码" not in english.text
    assert 'value="NO-SUCH-CODE"' in page.text
    program = await web.get("/track/NO-SUCH-CODE", headers={"Accept": "application/json"})
    assert (program.status_code, program.json()["status"]) == (404, 404)
    elsewhere = await web.get("/track/a/b/c", headers=BROWSER)
    assert elsewhere.status_code == 404
    assert 'href="/track/"' in elsewhere.text


async def test_no_code_is_the_empty_field_and_guesses_are_counted(web: Web, code: str) -> None:
    page = await web.get("/track/", headers=BROWSER)
    assert page.status_code == 200
    assert "error-code" not in page.text
    for n in range(60):
        await web.get(f"/track/?code=ABCD-{n:04}", headers=BROWSER)
    limited = await web.get("/track/?code=ABCD-9999", headers=BROWSER)
    assert limited.status_code == 429
    assert int(limited.headers["retry-after"]) > 0
    assert "aria-describedby" in limited.text
    waiting = await web.get(f"/track/?code={code}", headers=BROWSER)
    assert waiting.status_code == 503
    assert "正在登记" in waiting.text


async def test_case_and_lines_are_of_one_moment(web: Web, code: str) -> None:
    from services.tracking.api import track
    from services.tracking.store.reading import case_by_code

    story = Story(code=code)
    await process_batch(web.service, *story.worked("it"))
    async with web.service.transaction() as tx:
        before = await case_by_code(tx, code_hash(code))
    assert before is not None
    await process_batch(web.service, story.replied("it"))
    async with web.service.transaction() as tx:
        seen = await track._seen(tx, before)
    assert [line.type for line in seen.lines][-1] == "case.assigned"


async def test_what_was_said_and_holds_still_is_said_once(web: Web, code: str) -> None:
    story = Story(code=code)
    written = {"department": "it", "outcome": "solved"}

    async def said() -> list[str]:
        body = (await web.get(f"/api/track/{code}")).json()
        steps = ("已经写好答复", "已安排专人", "已转给", "想问您")
        lines = [one["text"] for one in body["timeline"]]
        return [step for line in lines for step in steps if step in line]

    await process_batch(web.service, *story.worked("it"))
    for _ in range(3):
        story.later(minutes=30)
        # Sent back by the reviewer, which is no line; whoever has it takes it up again.
        await process_batch(
            web.service, story.of(CaseReplySubmitted, **written), story.assigned("it")
        )
    assert await said() == ["已转给", "已安排专人", "已经写好答复"]
    # Something else happened: then it is news again.
    asked = story.of(CaseInfoRequested, department="it", question="哪一层？")
    await process_batch(web.service, asked, story.of(CaseReplySubmitted, **written))
    again = [story.dispatched("space"), story.assigned("space"), story.assigned("space")]
    await process_batch(web.service, *again)
    assert (await said())[3:] == ["想问您", "已经写好答复", "已转给", "已安排专人"]
