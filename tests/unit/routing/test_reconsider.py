"""Second thoughts: who else it could be, and what is closed."""

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
    only_open,
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


def test_nothing_is_put_into_a_category_that_is_closed(shipped: RuleSet) -> None:
    decision = decide(shipped, Submission(text="三层东区有人占座，水杯占了一天"))
    assert (decision.category, decision.confident) == ("seats", True)
    left = only_open(decision, {"seats": ("座位", "Seats", "space")})
    assert (left.category, left.confident, left.department) == (None, False, "space")
    assert "seats" not in [one.category for one in left.candidates]
    assert (left.reasons[0].text, left.reasons[0].text_en) == (
        "看来所属的类别（座位）已停用",
        "The category it seems to be about (Seats) is closed",
    )
    assert only_open(decision, {"systems": ("系统", "Systems", "it")}) == decision

    alarm = decide(shipped, FLOOD)
    saved = only_open(alarm, {alarm.category or "": ("安全", "Safety", "security")})
    assert (saved.confident, saved.department, saved.category) == (True, alarm.department, None)
    # Who is complained of does not read it because the category is closed.
    hushed = decide(shipped, Submission(text="前台老师态度恶劣，骂人", category="conduct"))
    waits = only_open(hushed, {"conduct": ("服务态度", "Conduct", "relations")})
    assert (waits.category, waits.confident) == ("conduct", False)
