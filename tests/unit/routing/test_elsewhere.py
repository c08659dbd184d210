"""What is not the library's has an owner."""

from __future__ import annotations

import json

import pytest

from services.routing.domain import (
    Candidate,
    RuleSet,
    RulesInvalid,
    Submission,
    check_rules,
    decide,
    name_unit,
)
from services.routing.domain.rules import RuleBook
from services.routing.domain.units import SHIPPED, unit_for
from services.routing.seeds import SHIPPED as RULES


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("宿舍的热水又停了", "dormitory"),
        ("食堂二楼的菜里有头发", "canteen"),
        ("校园网一到晚上就断", "network"),
        ("选课系统进不去", "courses"),
        ("学费交了没有到账", "fees"),
        ("The gym is closed again", "sports"),
        ("gymnastics", None),
        ("宿舍断网两天了，校园网客服不接电话", "network"),
        ("空调太冷", None),
    ],
)
def test_the_unit_is_the_one_of_which_most_is_said(text: str, unit: str | None) -> None:
    found = unit_for(text, SHIPPED)
    assert (found and found.id) == unit


def test_the_candidate_that_is_not_ours_says_whose_it_is_and_what_to_tell(shipped: RuleSet) -> None:
    said = Submission(text="宿舍的洗衣机坏了")
    decision = name_unit(decide(shipped, said), shipped.book.units, said)
    first, *others = decision.candidates
    assert (first.category, first.unit) == ("not_ours", "学生宿舍管理部门")
    assert first.instead
    assert first.instead_en
    assert not decision.confident
    assert all(one.unit is None for one in others)
    assert decision.reasons[-1].text == "像是学生宿舍管理部门的事"
    ours = Submission(text="三层东区占座没人管，我从宿舍走过来的")
    assert name_unit(decide(shipped, ours), (), ours) == decide(shipped, ours)


def test_where_it_is_not_the_first_thought_it_is_only_an_if(shipped: RuleSet) -> None:
    said = Submission(text="食堂")
    unsure = decide(shipped, said).model_copy(
        update={
            "candidates": (
                Candidate(department="space", score=0.5),
                Candidate(department="relations", score=0.4, category="not_ours"),
            )
        }
    )
    reason = name_unit(unsure, SHIPPED, said).reasons[-1]
    assert reason.text_en == "If not the library's, a matter of Catering"


def test_a_library_names_its_own_units_with_the_rules() -> None:
    raw = json.loads(RULES.read_text("utf-8"))
    assert RuleBook.model_validate(raw).units == SHIPPED
    own = SHIPPED[0].model_dump() | {"unit": "生活园区中心"}
    assert check_rules(raw | {"elsewhere": [own]}).units[0].unit == "生活园区中心"
    with pytest.raises(RulesInvalid, match="elsewhere"):
        check_rules(raw | {"elsewhere": [own | {"phrases": [" "]}]})
