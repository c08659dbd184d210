"""In WeChat one word about the case spoken of does what its page offers, and opens no case."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.intake import store, wording
from services.intake.domain.wishes import Wish
from services.intake.store.tables import KEEP_CHATS
from shared.contracts.desk import CaseClosed, CaseInfoRequested, CaseReplied, CaseWithdrawn
from tests.fakes.desk import FakeDesk
from tests.service.intake.conftest import Intake
from tests.service.intake.test_chats import AIR, MORE, NEW, TAP, cases, push, sent, types, words


async def happens(intake: Intake, case: str, event: type, **more: object) -> None:
    await intake.process(FakeDesk(case).event(event, intake.clock.now(), **more))


@pytest.mark.parametrize("said", ["催一催", "麻烦帮我催一下！", "Please hurry!"])
async def test_urging(intake: Intake, said: str) -> None:
    receipt = await push(intake, TAP, "1")
    assert "还可以回复“查进展”“催一催”“撤回”" in receipt
    (case,) = await cases(intake)
    intake.clock.later(hours=20)
    answer = await push(intake, said, "2")
    assert f"已经替您催了，转告了办理的人：“{TAP}”" in answer
    assert "/track/" in answer
    # The platform sends it again, and it is answered the same; said anew it is refused in words.
    assert await push(intake, said, "2") == answer
    assert (await types(intake, case)).count("feedback.urged") == 1
    again = await push(intake, said, "3")
    assert "请过一小时再催" in again
    assert f"“{TAP}”" in again
    # What comes next is about the same; a wish is no words of the case.
    assert f"“{TAP}”" in await push(intake, MORE, "4")
    assert await words(intake, case) == [MORE]
    assert await cases(intake) == [case]


@pytest.mark.parametrize(("ask", "yes"), [("撤回", "确认撤回"), ("Withdraw it.", "yes")])
async def test_nothing_is_taken_back_by_one_word(intake: Intake, ask: str, yes: str) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    question = await push(intake, ask, "2")
    assert f"要撤回“{TAP}”吗" in question
    assert "确认撤回" in question
    assert await push(intake, ask, "2") == question
    assert "feedback.withdrawn" not in await types(intake, case)
    done = await push(intake, yes, "3")
    assert f"已经撤回“{TAP}”" in done
    assert await push(intake, yes, "3") == done
    assert (await types(intake, case)).count("feedback.withdrawn") == 1
    await happens(intake, case, CaseWithdrawn)
    assert "您已经撤回了" in await push(intake, ask, "4")
    assert await words(intake, case) == []
    assert await cases(intake) == [case]
    assert NEW in await push(intake, AIR, "5")


async def test_a_yes_counts_at_once_and_for_what_was_named(intake: Intake) -> None:
    await push(intake, TAP, "1")
    (first,) = await cases(intake)
    # Something else was said since, or too long ago: a yes is words like any.
    await push(intake, "撤回", "2")
    await push(intake, MORE, "3")
    await push(intake, "是", "4")
    await push(intake, "撤回", "5")
    intake.clock.later(minutes=11)
    assert "要撤回" in await push(intake, "确认撤回", "6"), "who says to what is asked first"
    intake.clock.later(minutes=11)
    await push(intake, AIR, "7")
    second = (await cases(intake))[-1]
    await push(intake, "撤回", "8")
    # An answer about the other one comes in between.
    await happens(intake, first, CaseReplied, text="修好了", outcome="solved")
    intake.clock.later(seconds=5)
    await intake.process(sent(intake, first))
    assert f"要撤回“{AIR}”吗" in await push(intake, "确认撤回", "9")
    for case in (first, second):
        assert "feedback.withdrawn" not in await types(intake, case)
    assert f"已经撤回“{AIR}”" in await push(intake, "确认", "10")
    assert "feedback.withdrawn" in await types(intake, second)
    assert await words(intake, first) == [MORE, "是"]


async def test_progress_is_told_in_the_chat(intake: Intake) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    intake.clock.later(hours=KEEP_CHATS.total_seconds() / 3600 - 1)
    async with intake.service.transaction() as tx:
        await store.forget_old(tx)
    for number, said in enumerate(("查询", "进展怎么样了？", "any news?"), 2):
        answer = await push(intake, said, str(number))
        assert f"“{TAP}”到了哪一步，马上发到这里" in answer
        assert "/track/" in answer
        assert await push(intake, said, str(number)) == answer
    assert (await types(intake, case)).count("feedback.progress_asked") == 3
    assert await words(intake, case) == []
    assert await cases(intake) == [case]


async def test_what_is_not_possible_is_refused_with_what_is(intake: Intake) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    await happens(intake, case, CaseReplied, text="修好了", outcome="solved")
    await intake.process(sent(intake, case))
    refused = await push(intake, "催一催", "2")
    assert "已经答复了。如果没有解决，可以要求重办。" in refused
    assert "/track/" in refused
    await happens(intake, case, CaseClosed, how="quiet")
    refused = await push(intake, "撤回", "3")
    assert "这件事已经办结。" in refused
    assert "/track/" in refused
    assert "feedback.withdrawn" not in await types(intake, case)


@pytest.mark.parametrize("said", ["撤回", "确认撤回", "催一催", "查询", "新：撤回", "urge"])
async def test_a_wish_about_nothing_opens_no_case_and_says_so(intake: Intake, said: str) -> None:
    answer = await push(intake, said, "1")
    assert "没有记成反馈" in answer
    assert "https://fx.test/track/" in answer
    assert await push(intake, said, "1") == answer
    assert await cases(intake) == []
    # What they say then is a comment.
    assert NEW in await push(intake, TAP, "2")


async def test_after_the_word_for_another_matter_no_wish_becomes_one(intake: Intake) -> None:
    await push(intake, TAP, "1")
    await push(intake, "撤回", "2")
    assert wording.anew("zh") in await push(intake, "新", "3")
    assert "没有记成反馈" in await push(intake, "撤回", "4")
    assert len(await cases(intake)) == 1


@pytest.mark.parametrize(
    "said", ["你好", "人工", "5", "😀", "[发怒]", "帮助", "help", "hi!", "？？"]
)
async def test_a_first_message_that_says_nothing_opens_no_case_and_says_how_to_go_on(
    intake: Intake, said: str
) -> None:
    answer = await push(intake, said, "1")
    assert "直接在这里说" in answer
    assert "查进展" in answer
    assert await push(intake, said, "1") == answer
    assert await cases(intake) == []
    assert NEW in await push(intake, TAP, "2")
    (case,) = await cases(intake)
    if said not in ("帮助", "help"):
        # In the middle of a chat it is kept like all words.
        await push(intake, said, "3")
        assert await words(intake, case) == [said]
        intake.clock.later(minutes=11)
        assert "直接在这里说" in await push(intake, said, "4")
    assert await cases(intake) == [case]


async def test_a_wish_answers_no_question_and_a_yes_may(intake: Intake) -> None:

    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    await happens(intake, case, CaseInfoRequested, question="是三层吗？", department="facilities")
    assert "已经替您催了" in await push(intake, "催一催", "2")
    assert "您的回答已经交给" in await push(intake, "是", "3")
    assert await words(intake, case) == ["是"]


async def test_who_was_forgotten_is_told_nothing(intake: Intake) -> None:
    await push(intake, TAP, "1")
    (case,) = await cases(intake)
    async with intake.service.transaction() as tx:
        await store.erase(tx, case)
    assert "没有记成反馈" in await push(intake, "催一催", "2")


def test_every_answer_is_in_both_languages_and_short_enough() -> None:
    long, url = "很" * 20, "https://feedback.library.example.edu.cn/track/" + "A" * 30
    for locale in ("zh", "en"):
        for said in (
            wording.help_with(locale, url),
            wording.no_case(locale, url),
            wording.nothing_yet(locale),
            wording.take_back(locale, long),
            wording.received(locale, "A" * 30, url),
            *(
                one(locale, long, url)
                for one in (wording.urged, wording.taken_back, wording.looking)
            ),
            wording.not_done(locale, long, "因为" * 60, url),
        ):
            assert len(said.encode()) < 1500
            assert "{" not in said
    assert len(Wish) == 5
    assert timedelta(days=1) < KEEP_CHATS
