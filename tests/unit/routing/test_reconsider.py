"""Second thoughts: who else it could be, and departments that are gone."""

from __future__ import annotations

import pytest

from services.desk.seeds import DEPARTMENTS
from services.routing.domain import (
    Candidate,
    Precedent,
    RuleSet,
    Submission,
    decide,
    offer_by_model,
    offer_others,
    only_existing,
)
from shared.contracts.vocabulary import Priority

SEATS = Submission(text="三层东区占座，打印机也卡纸了，还有人大声外放")
NOTHING = Submission(text="今天天气真好")
FLOOD = Submission(text="水漫到走廊了，快来人！！")


@pytest.mark.parametrize("department", DEPARTMENTS)
@pytest.mark.parametrize("said", [SEATS, NOTHING, FLOOD], ids=["seats", "nothing", "flood"])
def test_whoever_returned_it_is_not_offered_and_there_are_still_three(
    shipped: RuleSet, said: Submission, department: str
) -> None:
    others = offer_others(
        shipped, said, returned=["relations", department], suggest=None, departments=DEPARTMENTS
    )
    offered = [c.department for c in others.candidates]
    assert len(offered) == len(set(offered)) == 3
    assert not {"relations", department} & set(offered)
    assert not others.confident


@pytest.mark.parametrize("suggest", [None, "space", "nowhere", "it"])
def test_a_suggestion_counts_only_if_work_can_go_there(
    shipped: RuleSet, suggest: str | None
) -> None:
    others = offer_others(
        shipped, NOTHING, returned=["space"], suggest=suggest, departments=DEPARTMENTS
    )
    first = others.candidates[0]
    assert (first.department == "it") is (suggest == "it")
    assert others.guess == ("it" if suggest == "it" else None)
    assert ("建议" in others.reasons[0].text) is (suggest == "it")


def test_a_suggestion_takes_the_category_the_rules_saw_there(shipped: RuleSet) -> None:
    said = Submission(text="下载论文报错", category="systems")
    others = offer_others(
        shipped, said, returned=["eresources"], suggest="it", departments=DEPARTMENTS
    )
    assert others.candidates[0] == Candidate(
        department="it", score=others.candidates[0].score, category="systems"
    )


def test_what_was_learned_weighs_those_who_are_left(shipped: RuleSet) -> None:
    ruled = decide(shipped, NOTHING)
    shares = {"space": 0.6, "it": 0.2, "relations": 0.1, "not_ours": 0.1}

    def offered(
        *returned: str, suggest: str | None = None, alike: str = "", cosine: float = 0.91
    ) -> list[str]:
        others = offer_others(
            shipped, NOTHING, returned=returned, suggest=suggest, departments=DEPARTMENTS
        )
        like = [Precedent("f-1", alike, cosine)] if alike else []
        again = offer_by_model(
            others,
            ruled,
            shares,
            like,
            returned=returned,
            suggest=suggest,
            departments=DEPARTMENTS,
        )
        assert not again.confident
        assert again.reasons[0] == others.reasons[0]
        assert any("f-1" in one.text for one in again.reasons) is bool(alike)
        names = [one.department for one in again.candidates]
        assert len(set(names)) == len(names) == 3
        return names

    assert offered("space")[0] == "it"
    assert offered("it")[0] == "space"
    assert "relations" not in offered("relations", "space")
    # Whoever returned it knows its neighbours, also one that nothing was learned of.
    assert offered("space", suggest="special")[0] == "special"
    assert offered("it", suggest="it")[0] == "space"
    assert offered("space", alike="relations")[:2] == ["it", "relations"]
    assert offered("space", alike="relations", cosine=0.97)[:2] == ["relations", "it"]


def test_an_emergency_whose_owner_is_gone_goes_to_the_office_at_p1(shipped: RuleSet) -> None:
    decision = decide(shipped, FLOOD)
    left = {d: n for d, n in DEPARTMENTS.items() if d != decision.department}
    moved = only_existing(decision, left)
    assert (moved.department, moved.confident, moved.priority) == ("relations", True, Priority.P1)
    assert decision.department not in [c.department for c in moved.candidates]
    assert only_existing(decision, DEPARTMENTS) == decision


def test_without_any_department_nothing_is_guessed(shipped: RuleSet) -> None:
    decision = only_existing(decide(shipped, FLOOD), {})
    assert not decision.confident
    assert decision.guess is None
