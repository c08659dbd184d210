"""Rules are data that people edit: a mistake is named, and nothing half-right is used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.desk.seeds import CATEGORIES, DEPARTMENTS
from services.routing.domain import RuleSet, RulesInvalid, check_rules, parse_rules
from services.routing.domain.owners import OWNERS
from services.routing.seeds import SHIPPED, load_rules


def rule(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": "r1",
        "phrases": ["占座"],
        "category": "seats",
        "weight": 0.7,
        "note": "占座",
        "note_en": "Cached seats",
    }
    return {k: v for k, v in (base | changes).items() if v is not None}


def fires(text: str, *, groups: dict[str, list[str]] | None = None, **changes: Any) -> bool:
    book = check_rules({"groups": groups or {}, "rules": [rule(**changes)]})
    return bool(RuleSet(book).fired(text=text, place="", channel=None, chosen=None))


def test_the_shipped_rules_cover_every_category() -> None:
    book = load_rules()
    assert {r.category for r in book.rules} - {None} == set(CATEGORIES)
    assert any(r.emergency for r in book.rules)
    assert all(r.note and r.note_en for r in book.rules)


def test_the_shipped_rules_survive_a_round_trip_through_json() -> None:
    book = load_rules()
    assert parse_rules(book.model_dump_json()) == book


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"category": "bogus"}, "rule r1: category: unknown category 'bogus'"),
        ({"department": "bogus"}, "rule r1: department: unknown department 'bogus'"),
        ({"weight": 1.5}, "rule r1: weight: "),
        ({"weight": 0}, "rule r1: weight: "),
        ({"phrases": [" \u200b"]}, "rule r1: phrases: empty phrase"),
        ({"phrases": ["a|"]}, "rule r1: phrases: empty phrase"),
        ({"phrases": ["水" * 61]}, "rule r1: phrases: phrase longer than 60"),
        ({"phrases": None}, "rule r1: a rule needs phrases"),
        ({"phrases": None, "chosen": ["seats"], "not_phrases": ["x"]}, "guards need phrases"),
        ({"phrases": ["@nobody"]}, "there is no group '@nobody'"),
        ({"category": None}, "may only say the type"),
        ({"priority": "P1"}, "P1 is for emergencies"),
        ({"priority": "P9"}, "rule r1: priority: "),
        ({"suppresses": ["x"]}, "rule r1: suppresses: unknown category 'x'"),
        ({"phrase": ["占座"]}, "rule r1: phrase: Extra inputs"),
        ({"id": "Ä"}, "rule Ä: id: "),
        ({"note_en": None}, "rule r1: note_en: "),
    ],
)
def test_a_mistake_is_named_with_rule_and_field(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(RulesInvalid) as caught:
        check_rules({"rules": [rule(**changes)]}, departments=DEPARTMENTS)
    assert any(complaint in line for line in caught.value.errors), caught.value.errors
    assert caught.value.status == 422


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(RulesInvalid) as caught:
        check_rules({"rules": [rule(weight=2), rule(id="r2", category="x")]})
    assert len(caught.value.errors) == 2


def test_an_id_may_be_used_once() -> None:
    with pytest.raises(RulesInvalid, match="r1: this id is used twice"):
        check_rules({"rules": [rule(), rule()]})


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"rules": 3}', '{"rules": [3]}'])
def test_what_is_no_rule_book_is_refused(text: str) -> None:
    with pytest.raises(RulesInvalid):
        parse_rules(text)


def test_a_department_of_the_live_directory_is_known() -> None:
    text = json.dumps({"rules": [rule(department="archive")]})
    book = parse_rules(text, departments=["archive", "space"])
    assert book.rules[0].owner == "archive"


def test_a_library_has_its_own_categories_and_owners() -> None:
    own = {"owners": {"makerspace": "lab", "seats": "lab"}}
    rules = [rule(category="makerspace"), rule(id="r2"), rule(id="r3", category="printing")]
    book = check_rules({**own, "rules": rules}, departments=["lab", "space"])
    assert [r.owner for r in book.rules] == ["lab", "lab", "space"]
    with pytest.raises(RulesInvalid, match=r"owners.*unknown department 'lab'"):
        check_rules({**own, "rules": rules}, departments=DEPARTMENTS)


def test_the_shipped_rules_name_what_is_shipped() -> None:
    assert {c: owner for c, (_, _, owner) in CATEGORIES.items()} == OWNERS
    assert parse_rules(SHIPPED.read_text(), departments=DEPARTMENTS) == load_rules()


def test_a_disabled_rule_never_fires() -> None:
    assert fires("占座")
    assert not fires("占座", enabled=False)


def test_latin_phrases_match_whole_words_and_stars_open_the_end() -> None:
    assert fires("the tap is dripping", phrases=["tap"])
    assert not fires("on tape", phrases=["tap"])
    assert not fires("a wiretap", phrases=["tap"])
    assert fires("flooding", phrases=["flood*"])
    assert fires("图书馆wifi慢", phrases=["WiFi"])


def test_every_group_must_be_met_within_the_scope() -> None:
    both = {"phrases": ["消防门|安全出口"], "all_phrases": ["堵|锁"]}
    assert fires("消防门被堵了", **both)
    assert fires("安全出口上锁", **both)
    assert not fires("消防门很新。门口堵车", **both)
    assert fires("消防门很新。门口堵车", scope="text", **both)


def test_a_guard_only_silences_its_own_clause() -> None:
    guarded = {"phrases": ["冒烟"], "not_phrases": ["讲座"], "scope": "clause"}
    assert not fires("讲座里说冒烟怎么办", **guarded)
    assert fires("讲座还没散,插座冒烟", **guarded)


def test_a_denial_counts_only_just_before_the_phrase() -> None:
    denied = {"phrases": ["晕倒", "有人晕倒"], "not_before": ["没有|没", "没有人", "差点"]}
    assert not fires("没有人晕倒", **{**denied, "not_before": ["没有", "没", "没有人", "差点"]})
    free = {"phrases": ["晕倒"], "not_before": ["没有人", "差点"]}
    assert not fires("差点就晕倒", **free)
    assert fires("没有人管有人晕倒", **free)
    assert fires("差点迟到,到了看见有人晕倒", **free)


def test_groups_are_shared_words() -> None:
    assert fires("坏了", groups={"broken": ["坏了", "死机"]}, phrases=["@broken|慢"])
    assert fires("慢", groups={"broken": ["坏了", "死机"]}, phrases=["@broken|慢"])


def test_titles_of_books_say_nothing() -> None:
    assert not fires("想借《占座的艺术》")
    assert fires("想借《艺术》可是占座的人")


@pytest.mark.parametrize(
    ("text", "outage"),
    [
        ("Seats in the second floor reading room have no power outlets", False),
        ("There are no power sockets near the windows", False),
        ("There is no power on the whole third floor", True),
        ("We have no power and the outlets are dead", True),
    ],
)
def test_a_seat_without_an_outlet_is_no_outage(text: str, outage: bool) -> None:
    fired = RuleSet(load_rules()).fired(text=text, place="", channel=None, chosen=None)
    assert any(one.rule.emergency for one in fired) is outage
