"""An emergency, and a joke or a test, in one breath: a person looks, nobody is sent."""

from __future__ import annotations

import time

import pytest

from services.routing.domain import (
    RuleSet,
    Submission,
    alarm_by_rule,
    decide,
    doubtful_rules,
    only_existing,
    weigh_up,
)
from services.routing.domain.decide import TAKEN_BACK
from services.routing.domain.taken_back import taken_back
from services.routing.domain.text import fold
from services.routing.seeds import shipped_model
from shared.contracts.vocabulary import Priority


@pytest.mark.parametrize(
    "text",
    [
        "失火了！开玩笑的",
        "着火了开玩笑的",
        "着火了 just kidding",
        "测试一下：着火了",
        "【测试】电梯困人",
        "我是来测试系统的，有人晕倒",
        "有人晕倒！骗你们的",
        "测试下你们的反应速度，着火了",
        "this is a test. Someone collapsed!",
        "Smoke is coming out of the lift!!! haha just kidding",
        "There is a bomb in the hall (joke)",
        "someone collapsed in the hall jk",
        "Test message, please ignore: smoke in the hall",
        "期末复习到想从楼上跳下去（开玩笑的，别报警）",
    ],
)
def test_the_alarm_goes_out_and_nobody_is_sent(shipped: RuleSet, text: str) -> None:
    said = Submission(text=text)
    decision = decide(shipped, said)
    assert (decision.emergency, decision.confident) == (True, False)
    assert decision.priority is Priority.P1
    # Neither what was learned nor doubt makes anything else of it.
    assert not doubtful_rules(shipped, decision)
    assert weigh_up(decision, shipped_model(), {"space": 1.0}, [], said) == decision
    there = only_existing(decision, {one.department for one in decision.candidates})
    assert (there.emergency, there.confident) == (True, False)
    alarm = alarm_by_rule(decision)
    assert alarm is not None
    assert TAKEN_BACK in alarm.reasons


def test_a_title_may_take_it_back(shipped: RuleSet) -> None:
    decision = decide(shipped, Submission(title="测试", text="三楼着火了"))
    assert (decision.emergency, decision.confident) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "着火了，不是开玩笑",
        "着火了，没开玩笑",
        "有人晕倒，我不是跟你开玩笑的",
        "no kidding, smoke is coming out of the lift",
        "this is not a test, someone collapsed",
        "着火了，这可不是演习",
        "有人拿着刀威胁我，他说是开玩笑的样子",
        "someone collapsed during the test",
        "测试中心着火了",
        "测试机冒烟了",
        "四级考试的时候有人晕倒",
    ],
)
def test_what_is_told_in_earnest_is_sent_at_once(shipped: RuleSet, text: str) -> None:
    decision = decide(shipped, Submission(text=text))
    assert (decision.emergency, decision.confident) == (True, True)


def test_a_long_text_costs_little() -> None:
    for hostile in (
        "我" * 50_000,
        "just " * 10_000,
        "这是" * 20 + "x",
        "a, " * 16_000,
        "不" * 50_000,
    ):
        began = time.process_time()
        assert not taken_back(fold(hostile))
        assert time.process_time() - began < 1
