"""In WeChat what is said soon after belongs to what was spoken of, unless they say otherwise."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from services.intake import store, wording
from services.intake.domain.chat import Speaking
from services.intake.domain.submission import Submission
from services.intake.store import Arrival, Belongs, Receipt
from services.intake.store.tables import KEEP_MESSAGES
from shared.contracts.desk import (
    CaseClosed,
    CaseCorrected,
    CaseDispatched,
    CaseInfoRequested,
    CaseMerged,
    CaseRejected,
    CaseReplied,
    CaseSplit,
    CaseWithdrawn,
)
from shared.contracts.intake import Contact
from shared.contracts.notification import NotificationFailed, NotificationSent
from shared.contracts.rights import Rights
from shared.contracts.routing import FeedbackRouted, FeedbackTriageNeeded
from shared.contracts.vocabulary import CaseType, Priority
from tests.fakes.desk import FakeDesk
from tests.service.intake.conftest import Intake

TAP, AIR, MORE = "男厕第二个水龙头关不上", "三层空调太冷", "在三层东边"
NEW, ADDED = "这是一件新的反馈", "放在您的这一件里"


async def push(
    intake: Intake,
    words: str,
    number: str,
    openid: str = "oUser",
    account: str = "main",
    **more: Any,
) -> str:
    """What the follower reads at once."""
    sender = intake.wechat(account, safe=more.get("safe", False))
    message = sender.text(openid, words, msg_id=number, created=1772589600)
    answer = await intake.push(message, account, **more)
    assert answer.status_code == 200
    reply = sender.read_reply(answer.text)["Content"]
    assert len(reply.encode()) <= 2048
    return str(reply)


async def cases(intake: Intake) -> list[str]:
    rows = await intake.rows(
        "SELECT feedback_id FROM submissions ORDER BY received_at, feedback_id"
    )
    return [str(row["feedback_id"]) for row in rows]


async def words(intake: Intake, feedback_id: str) -> list[str]:
    """What was added to a case, as it was written."""
    rows = await intake.rows(
        "SELECT text FROM words WHERE feedback_id = :f ORDER BY words_id", f=feedback_id
    )
    return [str(row["text"]) for row in rows]


async def types(intake: Intake, feedback_id: str) -> list[str]:
    return [e["type"].removesuffix(".v1") for e in await intake.emitted(feedback_id)]


def sent(intake: Intake, feedback_id: str, **more: Any) -> NotificationSent:
    values = {"kind": "reply", "channel": "wechat", "audience": "reporter", "delivery_id": "d"}
    return NotificationSent(feedback_id=feedback_id, at=intake.clock.now(), **(values | more))


async def answered(intake: Intake, feedback_id: str) -> FakeDesk:
    """A reply that reached the reporter in the chat."""
    desk, now = FakeDesk(feedback_id), intake.clock.now()
    reply = desk.event(CaseReplied, now, department="it", text="已修好", outcome="solved")
    await intake.process(reply, sent(intake, feedback_id))
    return desk


@pytest.mark.parametrize(("account", "safe"), [("main", False), ("main", True), ("branch", False)])
async def test_the_next_message_belongs_to_the_same_case(
    intake: Intake, account: str, safe: bool
) -> None:
    assert NEW in await push(intake, TAP, "1", account=account, safe=safe)
    intake.clock.later(minutes=9)
    said = await push(intake, MORE + " 13987654321", "2", account=account, safe=safe)
    assert ADDED in said
    assert f"“{TAP}”" in said
    assert "回复“新”" in said
    (case,) = await cases(intake)
    *_, private, public = await intake.emitted(case)
    assert public["type"] == "feedback.supplemented.v1"
    assert "13987654321" not in public["body"]["text"]
    assert private["body"]["text"] == MORE + " 13987654321"
    # Each word of theirs counts anew.
    intake.clock.later(minutes=9)
    assert ADDED in await push(intake, "还在漏", "3", account=account, safe=safe)
    intake.clock.later(minutes=10)
    assert NEW in await push(intake, AIR, "4", account=account, safe=safe)
    assert len(await cases(intake)) == 2


async def test_who_begins_with_what_says_nothing_is_told_by_what_it_is_called(
    intake: Intake,
) -> None:
    assert NEW in await push(intake, "有人吗", "1")
    assert "“03-04 10:00”" in await push(intake, "在吗", "2")
    assert f"“{AIR}”" in await push(intake, AIR, "3")
    assert f"“{AIR}”" in await push(intake, MORE, "4")
    assert len(await cases(intake)) == 1


async def test_others_and_other_accounts_are_other_chats(intake: Intake) -> None:
    await push(intake, TAP, "1")
    assert NEW in await push(intake, TAP, "2", openid="oOther")
    assert NEW in await push(intake, TAP, "1", account="branch")
    assert len(await cases(intake)) == 3


async def test_after_an_answer_in_the_chat_they_speak_about_that(intake: Intake) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    intake.clock.later(hours=5)
    await answered(intake, case)
    intake.clock.later(minutes=9)
    assert f"“{TAP}”" in await push(intake, "可是昨天还在漏，能再看看吗", "2")
    assert await cases(intake) == [case]


@pytest.mark.parametrize("remark", ["谢谢", "没解决", "still not working"])
async def test_a_remark_is_about_the_answer_as_long_as_that_is_the_last_word(
    intake: Intake, remark: str
) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    await answered(intake, case)
    intake.clock.later(hours=47)
    # They are answered in the language of their last words.
    english = remark.isascii()
    added = "We have put this with" if english else ADDED
    for _ in range(2):
        said = await push(intake, remark, "2")
        assert ("不客气" in said, added in said) == (remark == "谢谢", remark != "谢谢")
    *_, event = await intake.emitted(case)
    assert (event["body"]["text"], event["body"]["thanks"]) == (remark, remark == "谢谢")
    # Their own word is the last one now: that is ten minutes, whatever they say.
    intake.clock.later(minutes=10)
    assert ("as a new comment" if english else NEW) in await push(intake, remark, "3")


async def test_other_words_long_after_an_answer_are_another_matter(intake: Intake) -> None:
    await push(intake, TAP, "1")
    await answered(intake, (await cases(intake))[0])
    intake.clock.later(minutes=10)
    assert NEW in await push(intake, AIR, "2")


async def test_an_answer_by_mail_and_a_receipt_are_no_word_in_the_chat(intake: Intake) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    intake.clock.later(hours=1)
    await intake.process(
        sent(intake, case, channel="email"),
        sent(intake, case, kind="receipt"),
        sent(intake, case, audience="staff", staff="coordinator", kind="news"),
    )
    assert NEW in await push(intake, AIR, "2")


async def test_of_two_open_cases_it_is_the_one_spoken_of_last_and_it_is_said_which(
    intake: Intake,
) -> None:
    await push(intake, TAP, "1")
    intake.clock.later(hours=1)
    await push(intake, AIR, "2")
    tap, air = await cases(intake)
    assert f"“{AIR}”" in await push(intake, "五度", "3")
    intake.clock.later(hours=1)
    await answered(intake, tap)
    assert "不客气" in await push(intake, "谢谢[强][抱拳]", "4")
    assert (await words(intake, tap), await words(intake, air)) == (["谢谢[强][抱拳]"], ["五度"])


async def two_cases(intake: Intake) -> tuple[str, str]:
    """A case, and a minute ago another; now the first is answered in the chat."""
    await push(intake, TAP, "1")
    intake.clock.later(hours=1)
    await push(intake, AIR, "2")
    tap, air = await cases(intake)
    intake.clock.later(minutes=1)
    await answered(intake, tap)
    return tap, air


async def test_an_answer_to_another_case_takes_no_words_that_a_receipt_was_promised_for(
    intake: Intake,
) -> None:
    tap, air = await two_cases(intake)
    intake.clock.later(minutes=8)
    said = await push(intake, "五度", "3")
    assert f"“{AIR}”" in said
    assert await push(intake, "五度", "3") == said
    # So they do after what was added, by the word itself, too.
    await answered(intake, tap)
    intake.clock.later(minutes=9)
    assert f"“{AIR}”" in await push(intake, "四度了", "4")
    assert NEW in await push(intake, "新", "5")
    assert (await words(intake, tap), await words(intake, air)) == ([], ["五度", "四度了"])


@pytest.mark.parametrize(("remark", "minutes"), [("谢谢", 0), ("没解决", 8), ("又漏了一地", 9)])
async def test_remarks_and_what_is_said_after_ten_minutes_are_about_the_answer(
    intake: Intake, remark: str, minutes: int
) -> None:
    tap, air = await two_cases(intake)
    intake.clock.later(minutes=minutes)
    about = "不客气" if remark == "谢谢" else f"“{TAP}”"
    assert about in await push(intake, remark, "3")
    assert (await words(intake, tap), await words(intake, air)) == ([remark], [])


async def test_news_of_an_answer_that_is_late_changes_nothing(intake: Intake) -> None:
    await push(intake, TAP, "1")
    intake.clock.later(hours=1)
    (tap,) = await cases(intake)
    late = sent(intake, tap)
    intake.clock.later(seconds=1)
    await push(intake, AIR, "2")
    await intake.process(late)
    assert f"“{AIR}”" in await push(intake, "五度", "3")


# -- copies, and several at once -----------------------------------------------------------


async def test_copies_of_either_message_are_answered_the_same_and_kept_once(intake: Intake) -> None:
    first = await asyncio.gather(*(push(intake, TAP, "1") for _ in range(3)))
    second = await asyncio.gather(*(push(intake, MORE, "2") for _ in range(3)))
    assert (len({*first}), len({*second})) == (1, 1)
    assert {await push(intake, TAP, "1"), await push(intake, TAP, "1", nonce="n")} == {*first}
    for later in (timedelta(), timedelta(minutes=11), timedelta(hours=3)):
        intake.clock.later(seconds=later.total_seconds())
        assert await push(intake, MORE, "2") in second
        assert await push(intake, TAP, "1") in first
    (case,) = await cases(intake)
    assert await words(intake, case) == [MORE]


async def test_two_messages_at_once_are_one_case(intake: Intake) -> None:
    said = await asyncio.gather(push(intake, TAP, "1"), push(intake, MORE, "2"))
    assert sorted((NEW in one, ADDED in one) for one in said) == [(False, True), (True, False)]
    (case,) = await cases(intake)
    assert len(await words(intake, case)) == 1


async def test_two_messages_at_once_in_two_processes_are_one_case(intake: Intake) -> None:
    def arrival(number: int) -> Arrival:
        ticket = intake.service.deps.ticket()
        submission = Submission(
            feedback_id=ticket.feedback_id,
            tracking_code=ticket.tracking_code,
            code_hash=ticket.code_hash,
            received_at=ticket.received_at,
            channel="wechat",
            text="x",
            account="main",
            source_message_id=str(number),
            contact=Contact(wechat_account="main", wechat_openid="oUser"),
        )
        return Arrival(submission, speaking=Speaking.ON)

    async def write(number: int) -> Any:
        async with intake.service.transaction() as tx:
            return (await store.accept(tx, [arrival(number), arrival(number)]))[1]

    found = await asyncio.gather(*(write(n % 3) for n in range(9)))
    (receipt,) = {r.feedback_id for r in found if isinstance(r, Receipt)}
    assert {r.feedback_id for r in found if isinstance(r, Belongs)} == {receipt}
    assert await cases(intake) == [receipt]


# -- cases to which nothing can be added ---------------------------------------------------


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (CaseClosed, {"how": "staff", "department": "it"}),
        (CaseWithdrawn, {}),
        (CaseSplit, {"children": ("part",)}),
    ],
)
async def test_where_nothing_can_be_added_it_is_a_matter_of_its_own(
    intake: Intake, event: type[Any], fields: dict[str, Any]
) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    ended = FakeDesk(case).event(event, intake.clock.now(), **fields)
    await intake.process(ended.model_copy(update={"rights": Rights(supplement=False)}))
    said = await push(intake, AIR, "2")
    assert NEW in said
    assert await push(intake, AIR, "2") == said
    other = (await cases(intake))[1]
    assert f"“{AIR}”" in await push(intake, "五度", "3")
    assert (await words(intake, case), await words(intake, other)) == ([], ["五度"])


async def test_a_remark_about_a_case_that_was_closed_is_no_case(intake: Intake) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    desk = await answered(intake, case)
    closed = desk.event(CaseClosed, intake.clock.now(), how="rated", department="it")
    await intake.process(closed.model_copy(update={"rights": Rights(supplement=False)}))
    intake.clock.later(hours=1)
    for number, remark, told in (
        ("2", "谢谢", "不客气"),
        ("3", "没解决", f"“{TAP}”不能再补充"),
        ("4", "好的，谢谢", "不客气"),
    ):
        said = await push(intake, remark, number)
        assert told in said
        assert ("https://fx.test/track/" in said) == (remark == "没解决")
        assert await push(intake, remark, number) == said
    assert await cases(intake) == [case]
    assert await words(intake, case) == []
    assert NEW in await push(intake, AIR, "5")


async def test_a_joined_and_a_rejected_case_take_more_words(intake: Intake) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    desk = FakeDesk(case)
    await intake.process(desk.event(CaseMerged, intake.clock.now(), into="other"))
    assert ADDED in await push(intake, MORE, "2")
    await push(intake, AIR, "3", openid="oOther")
    rejected = FakeDesk((await cases(intake))[1])
    await intake.process(rejected.event(CaseRejected, intake.clock.now(), reason="宿舍"))
    assert ADDED in await push(intake, MORE, "4", openid="oOther")


async def test_a_case_that_is_full_takes_no_more(intake: Intake) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    async with intake.service.transaction() as tx:
        await tx.fetch(
            "INSERT INTO words (words_id, feedback_id, action, text, at) "
            "SELECT 'w' || n, $1, 'supplement', 'x', $2 FROM generate_series(1, 50) n",
            case,
            tx.now,
        )
    assert NEW in await push(intake, MORE, "2")


async def test_who_was_forgotten_is_in_no_chat(intake: Intake) -> None:
    await push(intake, TAP, "1")
    await push(intake, MORE, "2")
    (case,) = await cases(intake)
    async with intake.service.transaction() as tx:
        await store.erase(tx, case)
    for table in ("chats", "chat_messages"):
        assert await intake.rows(f"SELECT * FROM {table}") == []
    assert NEW in await push(intake, AIR, "3")
    # An old answer of which the news comes only now finds nobody.
    await intake.process(sent(intake, case))
    assert "oUser" not in str(await intake.rows("SELECT * FROM chats WHERE answered"))


async def test_of_a_confidential_case_no_word_is_repeated(intake: Intake) -> None:
    await push(intake, TAP, "1")
    async with intake.service.transaction() as tx:
        await tx.fetch("UPDATE submissions SET confidential = true")
    said = await push(intake, MORE, "2")
    assert TAP[:4] not in said
    assert "“03-04 10:00”" in said


@pytest.mark.parametrize("how", ["routed", "undecided", "dispatched", "corrected"])
async def test_nor_of_one_that_turned_out_to_be_confidential(intake: Intake, how: str) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    desk, now = FakeDesk(case), intake.clock.now()
    values: dict[str, Any] = {
        "category": "conduct",
        "case_type": CaseType.COMPLAINT,
        "priority": Priority.P2,
    }
    decision = values | {"feedback_id": case, "at": now, "confidence": 0.9}
    dispatched = {"department": "it", "decided": "person"}
    corrected = {"changed": ("category",), "reason": "x"}
    events: dict[str, Any] = {
        "routed": FeedbackRouted(**decision),
        "undecided": FeedbackTriageNeeded(**decision),
        "dispatched": desk.event(CaseDispatched, now, confidential=True, **values, **dispatched),
        "corrected": desk.event(CaseCorrected, now, confidential=True, **values, **corrected),
    }
    await intake.process(events[how])
    said = await push(intake, MORE, "2")
    assert TAP[:4] not in said
    assert "“03-04 10:00”" in said


# -- another matter ------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["新", "“新”", "新的反馈。", "New"])
async def test_by_one_word_what_was_added_becomes_a_comment_of_its_own(
    intake: Intake, word: str
) -> None:
    await push(intake, TAP, "1")
    intake.clock.later(seconds=1)
    added = await push(intake, AIR, "2")
    copies = await asyncio.gather(*(push(intake, word, "3") for _ in range(3)))
    assert {NEW in one for one in copies} == {True}
    assert len({*copies, await push(intake, word, "3")}) == 1
    assert await push(intake, AIR, "2") == added
    tap, air = await cases(intake)
    (row,) = await intake.rows("SELECT text FROM submissions WHERE feedback_id = :f", f=air)
    assert row["text"] == AIR
    (moved,) = [e for e in await intake.emitted(tap) if "moved" in e["type"]]
    (supplement,) = [e for e in await intake.emitted(tap) if "supplemented" in e["type"]]
    assert moved["body"]["to"] == air
    assert moved["body"]["words_id"] == supplement["body"]["words_id"]
    assert f"“{AIR}”" in await push(intake, "五度", "4")


async def test_the_word_works_hours_later_and_once(intake: Intake) -> None:
    await push(intake, TAP, "1")
    await push(intake, AIR, "2")
    intake.clock.later(hours=5)
    assert NEW in await push(intake, "新", "3")
    assert "接下来发的" in await push(intake, "新", "4")
    assert NEW in await push(intake, "占座", "5")
    assert len(await cases(intake)) == 3
    intake.clock.later(seconds=KEEP_MESSAGES.total_seconds() + 1)
    async with intake.service.transaction() as tx:
        await store.forget_old(tx)
    assert await intake.rows("SELECT * FROM chat_messages") == []


@pytest.mark.parametrize("remark", ["谢谢老师", "没解决"])
async def test_a_remark_about_an_answer_never_becomes_a_comment(
    intake: Intake, remark: str
) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    intake.clock.later(hours=1)
    await answered(intake, case)
    assert NEW not in await push(intake, remark, "2")
    assert "接下来发的" in await push(intake, "新", "3")
    assert "接下来发的" in await push(intake, "新", "3")
    assert NEW in await push(intake, AIR, "4")
    assert len(await cases(intake)) == 2
    assert await words(intake, case) == [remark]


async def test_said_first_it_is_about_what_comes_next(intake: Intake) -> None:
    await push(intake, TAP, "1")
    assert "接下来发的" in await push(intake, "新", "2")
    assert NEW in await push(intake, AIR, "3")
    said = await push(intake, "新：占座", "4")
    assert NEW in said
    assert await push(intake, "新：占座", "4") == said
    rows = await intake.rows("SELECT text FROM submissions ORDER BY text")
    assert sorted(row["text"] for row in rows) == sorted([TAP, AIR, "占座"])


async def test_an_answer_to_a_question_can_be_another_matter_too(intake: Intake) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    intake.clock.later(hours=1)
    desk = FakeDesk(case)
    await intake.process(desk.event(CaseInfoRequested, intake.clock.now(), question="哪一层？"))
    copies = await asyncio.gather(*(push(intake, AIR, "2") for _ in range(3)))
    assert "回复“新”" in copies[0]
    assert len({*copies}) == 1
    assert await words(intake, case) == [AIR]
    assert ADDED in await push(intake, "五度", "3")
    # A question that is open is not answered by that word.
    await intake.process(desk.event(CaseInfoRequested, intake.clock.now(), question="哪一间？"))
    assert NEW in await push(intake, "新", "4")
    assert "交给办理的人" in await push(intake, "三层", "5")
    assert await words(intake, case) == [AIR, "五度", "三层"]


# -- words that wait -----------------------------------------------------------------------


async def test_who_wrote_before_the_news_of_the_closed_window_came_is_sent_it(
    intake: Intake,
) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    intake.clock.later(hours=50)
    failed = NotificationFailed(
        feedback_id=case,
        at=intake.clock.now(),
        delivery_id="d",
        kind="reply",
        channel="wechat",
        audience="reporter",
        reason="wechat_window_over",
    )
    intake.clock.later(seconds=1)
    await push(intake, AIR, "2")
    await intake.process(failed)
    assert "feedback.reachable_again" in await types(intake, case)
    assert await intake.rows("SELECT * FROM unreached") == []


def test_both_languages_say_what_was_done_and_how_to_say_otherwise() -> None:
    url = "https://fx.test/track/AAAA"
    english = wording.added("en", "It is cold", url)
    assert "“It is cold”" in english
    for text in (english, wording.received("en", "AAAA", url), wording.answered("en", url)):
        assert "“new”" in text
        assert url in text
    for text in (wording.received("zh", "AAAA", url), wording.answered("zh", url)):
        assert "“新”" in text
    assert url in wording.ended("en", "It is cold", url, thanks=False)
    assert "welcome" in wording.ended("en", "It is cold", url, thanks=True)
    assert wording.anew("en") and wording.anew("zh")


async def test_whose_chat_it_is_stands_in_its_own_tables_alone(intake: Intake) -> None:
    await push(intake, TAP, "1")
    await push(intake, MORE, "2")
    (case,) = await cases(intake)
    await answered(intake, case)
    tables = await intake.rows("SELECT tablename AS t FROM pg_tables WHERE schemaname = 'public'")
    known = {"submissions", "chats", "chat_messages"}
    for table in {row["t"] for row in tables} - known:
        rows = await intake.rows(f'SELECT * FROM "{table}"')
        public = [row for row in rows if row.get("topic") != "feedback.private"]
        assert "oUser" not in str(
            [
                {k: bytes(v) if isinstance(v, memoryview) else v for k, v in row.items()}
                for row in public
            ]
        ), table


@pytest.mark.parametrize("house", ["zh", "en"])
async def test_a_follower_is_answered_in_the_language_they_write(
    intake: Intake, house: str
) -> None:
    runtime = intake.service.runtime
    runtime.settings = runtime.settings.model_copy(update={"locale": house})
    assert NEW in await push(intake, "四楼自助借还机坏了", "1", "oZh")
    assert "Thank you" in await push(intake, "The printer is broken again", "2", "oEn")
    # What says nothing of a language is answered in that of the comment.
    assert ADDED in await push(intake, "A412", "3", "oZh")
    assert "We have put this with" in await push(intake, "A412", "4", "oEn")
    assert "四楼自助" in await push(intake, "催一催", "6", "oZh")
    hurried = await push(intake, "hurry up", "7", "oEn")
    assert "The printer" in hurried
    assert not re.search("[\u4e00-\u9fff]", hurried)
    received = [
        e["body"]["locale"]
        for e in await intake.emitted()
        if e["type"].startswith("feedback.received")
    ]
    assert received == ["zh", "en"]
