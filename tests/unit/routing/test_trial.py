"""Other rules and other versions, tried on past cases; phrases that tell a category."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

from services.desk.seeds import DEPARTMENTS
from services.routing.domain import AlarmModel, Precedent, RuleSet, Submission, check_rules
from services.routing.domain.phrases import suggested
from services.routing.domain.trial import Deciders, PastCase, tried
from services.routing.seeds import SHIPPED
from tests.unit.routing.test_weigh_up import tiny

HELD = PastCase("f-1", Submission(text="三层东区占座没人管"), (1.0, 0.0), "it")
CLOUDS = PastCase("f-2", Submission(text="天上的云很白"), (0.0, 1.0), "space")
NEITHER = PastCase("f-3", Submission(text="今天星期三"), None)


def _with(**rule: object) -> RuleSet:
    raw = json.loads(SHIPPED.read_text("utf-8"))
    new = {"id": "own.clouds", "note": "云", "note_en": "Clouds", "weight": 0.9} | rule
    return RuleSet(check_rules(raw | {"rules": [*raw["rules"], new]}))


def test_other_rules_say_what_they_would_change_and_whether_it_is_right(shipped: RuleSet) -> None:
    now = Deciders(shipped, None, DEPARTMENTS)
    clouds = Deciders(_with(phrases=["云"], category="seats"), None, DEPARTMENTS)
    trial = tried([HELD, CLOUDS, NEITHER], now, clouds)
    assert trial.cases == 3
    (change,) = trial.changes
    assert (change.feedback_id, change.kinds) == ("f-2", ("sent", "elsewhere"))
    assert (change.before.guess, change.after.guess, change.better) == (None, "space", True)
    assert (trial.better, trial.worse, trial.counts["sent"]) == (1, 0, 1)
    back = tried([CLOUDS], clouds, now)
    assert (back.worse, back.counts["left"]) == (1, 1)
    alarm = Deciders(_with(phrases=["云"], category="safety", emergency=True), None, DEPARTMENTS)
    assert tried([CLOUDS], now, alarm).counts["emergency"] == 1
    assert tried([CLOUDS], alarm, now).counts["calmed"] == 1


def test_another_version_counts_where_there_is_a_vector(shipped: RuleSet) -> None:
    now = Deciders(shipped, None, DEPARTMENTS)
    learned = Deciders(shipped, tiny(), DEPARTMENTS)
    trial = tried([CLOUDS, NEITHER], now, learned)
    (change,) = trial.changes
    assert (change.feedback_id, change.after.guess, change.better) == ("f-2", "it", None)


def test_precedents_and_doubtful_rules_count_as_they_do_in_a_decision(shipped: RuleSet) -> None:
    near = tuple(Precedent(f"e-{n}", "it", 0.95) for n in range(3))
    torn = replace(CLOUDS, vector=(0.55, 0.45), precedents=near)
    learned = Deciders(shipped, tiny(), DEPARTMENTS)
    assert learned.decide(torn).guess == "it"
    assert learned.decide(replace(torn, precedents=())).guess == "space"
    assert tried([torn], learned, learned).with_precedents == 1

    rules = _with(phrases=["云"], category="safety", emergency=True, doubtful=True)
    calm = cast("AlarmModel", SimpleNamespace(dimensions=2, look=lambda *_: (0.001, None)))
    asked = Deciders(rules, tiny(), DEPARTMENTS)
    doubted = replace(asked, alarms=calm)
    assert asked.decide(CLOUDS).emergency
    decision = doubted.decide(CLOUDS)
    assert (decision.emergency, decision.confident, decision.guess) == (False, False, "it")
    trial = tried([CLOUDS, NEITHER], asked, doubted)
    assert (trial.counts["calmed"], trial.doubted, trial.by_meaning) == (1, 1, 1)


def test_phrases_are_those_that_tell_a_category_and_nobody_says_alone() -> None:
    seats = [(f"三层的水杯又占着位子，第{n}次了", "seats") for n in range(6)]
    others = [(f"三层的打印机又卡纸了，第{n}次了", "printing") for n in range(6)]
    rare = [("我叫王小明，水杯", "seats")]
    found = suggested([*seats, *others, *rare], "seats", [])
    said = [one.text for one in found]
    assert any("水杯" in one for one in said)
    assert not any("三层" in one and "水杯" not in one for one in said)
    assert not any("王小明" in one for one in said)
    assert all(one.inside >= 5 and one.outside == 0 for one in found)
    known = suggested([*seats, *others], "seats", ["水杯", "位子"])
    assert not any("水杯" in one.text for one in known)
