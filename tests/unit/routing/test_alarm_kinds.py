"""What kind of emergency an alarm is that a rule raises."""

from __future__ import annotations

import pytest

from services.routing.domain import RuleSet, Submission, alarm_by_rule, decide
from services.routing.domain.alarm_kinds import BY_WORD, OF_RULE, UNTOLD
from shared.contracts.vocabulary import ALARM_NAMES


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("配电箱冒烟", "fire"),
        ("Smoke coming out of the printer", "fire"),
        ("有人晕倒了", "collapsed"),
        ("有人抽搐，口吐白沫", "seizure"),
        ("同学哮喘发作，喘不上气", "breathing"),
        ("地上全是血", "bleeding"),
        ("someone is bleeding heavily", "bleeding"),
        ("小孩被烫伤了", "burning"),
        ("饮水机漏电，碰一下手发麻", "water_electric"),
        ("电梯里困了三个人", "lift"),
        ("我被锁在书库里，出不去了", "locked"),
        ("东侧消防门被一摞椅子堵住，已经三天。", "exit"),
        ("有人拿着刀", "threat"),
        ("我不想活了", "suicide"),
        ("书架倒了", "falling"),
        ("网上能查到学生的手机号，数据泄露了", "leak"),
        ("整个系统瘫痪了", "outage"),
        ("快来人啊", None),
        ("请叫救护车", None),
    ],
)
def test_it_is_said_of_what_kind_it_is(shipped: RuleSet, text: str, kind: str | None) -> None:
    alarm = alarm_by_rule(decide(shipped, Submission(text=text)))
    assert alarm is not None
    assert alarm.kind == kind


def test_of_two_emergencies_the_worst_that_has_a_kind_counts(shipped: RuleSet) -> None:
    alarm = alarm_by_rule(decide(shipped, Submission(text="快来人！水管爆了，有同学触电晕倒了")))
    assert alarm is not None
    assert alarm.kind == "collapsed"


def test_every_emergency_rule_that_is_shipped_has_its_place_in_the_table(shipped: RuleSet) -> None:
    rules = {rule.id for rule in shipped.book.rules if rule.emergency}
    assert rules == OF_RULE.keys() | BY_WORD | UNTOLD
    assert set(OF_RULE.values()) <= ALARM_NAMES.keys()
