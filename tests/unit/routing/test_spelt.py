"""Emergencies in pinyin are heard, and a person looks; other pinyin, names and English are not."""

from __future__ import annotations

import time

import pytest

from services.routing.domain import RuleSet, Submission, alarm_by_rule, decide, doubtful_rules
from services.routing.domain.spelt import _BY_ITSELF, _EMERGENCIES, from_pinyin, is_pinyin
from services.routing.domain.text import fold


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("zhao huo le", "fire"),
        ("ZHAOHUOLE!!!", "fire"),
        ("tushuguan san lou zhao huo", "fire"),
        ("tushuguan zháo huǒ le", "fire"),
        ("zhao2 huo3 le5", "fire"),
        ("you ren yun dao le", "collapsed"),
        ("San ceng xi ce, tongxue yundao le", "collapsed"),
        ("yourenyundaole", "collapsed"),
        ("dianti kun ren", "lift"),
        ("louqi louqi", "gas"),
        ("kuai lai ren a, you ren liu le hen duo xue", "bleeding"),
        ("三楼 zhaohuo le", "fire"),
        ("I don't write Chinese well. you ren yun dao le", "collapsed"),
    ],
)
def test_it_is_an_alarm_that_a_person_looks_at_first(
    shipped: RuleSet, text: str, kind: str
) -> None:
    decision = decide(shipped, Submission(text=text))
    assert (decision.emergency, decision.confident) == (True, False)
    # Of pinyin the meaning says nothing, so that no rule is doubted by it.
    assert not doubtful_rules(shipped, decision)
    alarm = alarm_by_rule(decision)
    assert alarm is not None
    assert alarm.kind == kind
    assert "拼音" in alarm.reasons[0].text


@pytest.mark.parametrize(
    "text",
    [
        "wo de zuo wei bei zhan le",
        "shu yun dao le ma",
        "wo yao zhao qi huo de shu",
        "qing wen liu xue de shu zai na li",
        "zhao huo jia zai na",
        "kan maoyan dian ying",
        "dian ti tai man le",
        "da jia zai zi xi",
        "jiao wei de tong zhi",
        "ru guo zhao huo le zen me ban",
        "mei you ren yun dao le",
        "xiao fang yan xi zhao huo le ma",
        "yaoshi suo zai li mian le",
        "Please thank librarian Lou Qi for her help",
        "So he came to see me",
        "Can I use the gate at noon? He can, she can.",
    ],
)
def test_other_pinyin_and_english_are_none(shipped: RuleSet, text: str) -> None:
    assert not decide(shipped, Submission(text=text)).emergency


def test_each_word_of_the_table_is_heard_by_a_rule(shipped: RuleSet) -> None:
    said = [" ".join(syllables) for syllables in (*_EMERGENCIES, *_BY_ITSELF)]
    heard = [one for one in said if decide(shipped, Submission(text=one)).emergency]
    assert heard == said


def test_what_is_read_keeps_its_clauses_and_long_texts_cost_nothing() -> None:
    read = from_pinyin(fold("san lou zhao huo le, hello! wo zai si lou"))
    assert read == "san lou 着火了, hello! wo zai si lou"
    for hostile in ("zhaohuole" * 6_000, "zhao huo " * 5_000, "a" * 50_000 + "zhaohuole"):
        began = time.process_time()
        from_pinyin(hostile)
        assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("text", "pinyin"),
    [
        ("zhao ling shi wu zai na li", True),
        ("erlou kongtiao tai leng le", True),
        ("can we open the window", False),
        ("hao de", False),
        ("二楼 kong tiao tai leng le", False),
    ],
)
def test_what_is_pinyin_throughout(text: str, pinyin: bool) -> None:
    assert is_pinyin(fold(text)) is pinyin
