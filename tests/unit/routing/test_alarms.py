"""What is heard as an emergency, of letters that taught nothing: their shares, and the parts of it.

`alarms_unseen.jsonl` was written when the method stood, by hands that taught nothing, and its
emergencies avoid the usual words; `alarms_unseen_vectors.jsonl` holds what the built-in embedder
says of it (signed bytes, in the same order). The README of routing has the shares as measured.
"""

from __future__ import annotations

import base64
import json
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.routing.domain import (
    Alarm,
    AlarmModel,
    Candidate,
    Judged,
    RuleSet,
    Submission,
    alarm_by_meaning,
    alarm_by_rule,
    decide,
    doubtful_rules,
    left_to_a_person,
    open_to_whoever_helps,
)
from services.routing.domain.alarms import CALM_BELOW, CERTAIN, language
from services.routing.domain.model import packed
from services.routing.learning.alarms import read_alarm_letters, train_alarms
from services.routing.seeds import shipped_alarms, shipped_model
from shared.contracts.vocabulary import ALARM_NAMES

HERE = Path(__file__).parent
REPORT = HERE.parents[2] / "build" / "routing-alarms.txt"


@pytest.fixture(scope="module")
def model() -> AlarmModel:
    return shipped_alarms()


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text("utf-8").splitlines()]


def _vector(packed: str) -> list[float]:
    bytes_ = array("b", base64.b64decode(packed))
    length = sum(x * x for x in bytes_) ** 0.5
    return [x / length for x in bytes_]


def _unseen() -> Iterator[tuple[str, str, list[float]]]:
    """(what it is, text, vector)."""
    vectors = _lines("alarms_unseen_vectors.jsonl")
    for one, vector in zip(_lines("alarms_unseen.jsonl"), vectors, strict=True):
        yield "unusual" if one["kind"] else "alike", one["text"], _vector(vector["vector"])
    letters = {one["id"]: one for one in _lines("corpus.jsonl")}
    for one in _lines("unseen_vectors.jsonl"):
        letter = letters[one["id"]]
        urgent, alike = letter["priority"] == "P1", "false-emergency" in letter["kinds"]
        kind = "emergency" if urgent else "alike" if alike else "ordinary"
        yield kind, letter["text"], _vector(one["vector"])


def _duty_officer() -> Iterator[tuple[str, str, list[float]]]:
    """The same of one more hand, which was read by nobody before the model stood as it is."""
    vectors = _lines("duty_officer_vectors.jsonl")
    for one, vector in zip(_lines("duty_officer.jsonl"), vectors, strict=True):
        yield one["said"], one["text"], _vector(vector["vector"])


def _shares(
    shipped: RuleSet, model: AlarmModel, letters: Iterator[tuple[str, str, list[float]]]
) -> tuple[dict[str, int], dict[str, list[float]]]:
    """How many there are of each kind, and which share is heard by meaning, and by either."""
    heard: dict[str, list[tuple[bool, bool]]] = {}
    for kind, text, vector in letters:
        likely = model.look(vector, "", text)[0]
        by_meaning = likely >= model.threshold
        decision = decide(shipped, Submission(text=text))
        calm = likely < CALM_BELOW and doubtful_rules(shipped, decision)
        ruled = decision.emergency and not calm
        heard.setdefault(kind, []).append((by_meaning, by_meaning or ruled))
    share = {
        kind: [sum(column) / len(found) for column in zip(*found, strict=True)]
        for kind, found in heard.items()
    }
    return {kind: len(found) for kind, found in heard.items()}, share


def test_a_hand_nobody_had_read_is_heard_as_was_wished(shipped: RuleSet, model: AlarmModel) -> None:
    number, share = _shares(shipped, model, _duty_officer())
    assert number == {"emergency": 60, "alike": 40, "ordinary": 180}
    assert share["emergency"][1] >= 0.95
    assert share["ordinary"][1] <= 0.02
    assert share["alike"][1] <= 0.05


def test_emergencies_nobody_tuned_for_are_heard_and_few_others(
    shipped: RuleSet, model: AlarmModel
) -> None:
    number, share = _shares(shipped, model, _unseen())
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(
        "".join(
            f"{kind:10} n={number[kind]:3}  by meaning {meant:4.0%}  by either {either:4.0%}\n"
            for kind, (meant, either) in sorted(share.items())
        ),
        encoding="utf-8",
    )
    assert number == {
        "unusual": 100,
        "alike": 157,
        "emergency": 40,
        "ordinary": 123,
    }
    assert share["unusual"][1] >= 0.85
    assert share["emergency"][1] >= 0.9
    assert share["ordinary"][1] <= 0.02
    assert share["alike"][1] <= 0.1


def test_the_shipped_one_is_of_the_same_embedder_and_its_kinds_have_names(
    model: AlarmModel,
) -> None:
    assert model.embedder == shipped_model().embedder
    assert {kind for kind in model.kinds if kind} == ALARM_NAMES.keys()


def test_what_is_called_unseen_teaches_nothing() -> None:
    lines = "".join((HERE / n).read_text("utf-8") for n in ("alarms.jsonl", "corpus.jsonl"))
    letters = read_alarm_letters(lines)
    assert not any(one.group.startswith("unseen") for one in letters)
    assert sum(one.emergency for one in letters) >= 600
    assert sum(one.alike for one in letters) >= 700


@pytest.mark.parametrize(
    ("likely", "judged", "raised"),
    [
        (0.6, [], True),
        (0.4, [], False),
        (0.4, [Judged(True, 0.95)], True),
        (0.6, [Judged(False, 0.95)], False),
        (0.6, [Judged(False, 0.9)], True),
        (CERTAIN, [Judged(False, 0.99)] * 3, True),
    ],
)
def test_what_people_said_of_the_like_counts(
    model: AlarmModel, likely: float, judged: list[Judged], raised: bool
) -> None:
    model = model.model_copy(update={"threshold": 0.5})
    alarm = alarm_by_meaning(model, likely, "fire", judged)
    assert (alarm is not None) == raised
    if alarm is not None:
        assert alarm.reasons[0].text.startswith("意思像“起火")


def test_a_rule_that_says_emergency_is_an_alarm_and_its_decision_stands(shipped: RuleSet) -> None:
    ruled = decide(shipped, Submission(text="三楼有个同学突然晕倒了，脸煞白，快叫人！"))
    alarm = alarm_by_rule(ruled)
    assert alarm is not None
    assert alarm.found_by == "rule"
    assert alarm.reasons
    assert left_to_a_person(ruled, alarm) == ruled
    calm = decide(shipped, Submission(text="三层东区一上午都是一个水杯占着座位，占座到底管不管？"))
    assert alarm_by_rule(calm) is None
    assert calm.confident
    assert not left_to_a_person(calm, Alarm("meaning", 0.8, ())).confident


def test_a_kind_is_said_where_the_nearest_examples_agree() -> None:
    examples, scale = packed([1.0, 0.0, 0.98, 0.2, 0.98, -0.2, 0.0, 1.0])
    weights, weights_scale = packed([1.0] * 4)
    grams, grams_scale = packed([0.0] * 8)

    def said(*kinds: str) -> str | None:
        model = AlarmModel(
            embedder="compass",
            dimensions=2,
            buckets=8,
            means={"zh": [0.0, 0.0], "other": [0.0, 0.0]},
            examples=examples,
            examples_scale=scale,
            weights=weights,
            weights_scale=weights_scale,
            kinds=list(kinds),
            narrowness=1.0,
            grams=grams,
            grams_scale=grams_scale,
            bias=0.0,
            threshold=0.5,
        )
        return model.look([1.0, 0.0], "", "x")[1]

    assert said("suicide", "suicide", "child", "fire") == "suicide"
    assert said("threat", "fire", "fire", "threat") == "fire"
    assert said("bleeding", "collapsed", "suicide", "bleeding") is None
    assert said("fire", "", "fire", "gas") == "fire"


def test_an_alarm_is_not_shut_away_as_conduct_by_what_was_learned_alone(shipped: RuleSet) -> None:
    text = "A man is swinging a broken bottle at the front desk staff"
    ruled = decide(shipped, Submission(text=text))
    assert ruled.category != "conduct"
    mine = Candidate(department="relations", score=0.8, category="conduct")
    learned = ruled.model_copy(
        update={"department": "relations", "category": "conduct", "candidates": (mine,)}
    )
    alarm = Alarm("meaning", 0.99, (), "threat")
    seen = open_to_whoever_helps(learned, ruled, alarm, "security")
    assert (seen.department, seen.category, seen.confident) == ("security", "safety", False)
    assert [one.category for one in seen.candidates] == ["safety", None]
    assert open_to_whoever_helps(learned, ruled, None, "security") == learned
    assert open_to_whoever_helps(learned, learned, alarm, "security") == learned


def test_training_tells_danger_from_calm_and_the_same_letters_make_the_same() -> None:
    lines, vectors = [], []
    for n in range(64):
        danger = n % 2 == 0
        one = {"part": f"hand-{n % 16}", "kind": "fire" if danger else None}
        lines.append(json.dumps(one | {"text": f"{'着火' if danger else '占座'} {n}"}))
        vectors.append([1.0, 0.0] if danger else [0.0, 1.0])
    letters = read_alarm_letters("\n".join(lines))
    model, quality = train_alarms(letters, vectors, "compass")
    assert quality.heard == 1
    assert model.look([1.0, 0.0], "", "着火")[0] > 0.5 > model.look([0.0, 1.0], "", "占座")[0]
    assert model.look([1.0, 0.0], "", "着火")[1] == "fire"
    again, _ = train_alarms(letters, vectors, "compass")
    assert again.model_dump() == model.model_dump()


def test_what_is_mostly_chinese_is_held_against_what_chinese_means() -> None:
    assert language("三楼有人晕倒了") == language("3F 有人 collapsed, help 快来") == "zh"
    assert language("somebody collapsed in 图书馆, third floor") == language("") == "other"


def test_a_model_of_another_size_is_refused(model: AlarmModel) -> None:
    with pytest.raises(ValueError, match="another model"):
        model.look([1.0, 2.0], "", "text")
    for wrong in ({"kinds": []}, {"means": {"zh": model.means["zh"]}}):
        with pytest.raises(ValueError, match="wrong size"):
            AlarmModel(**model.model_dump() | wrong)


@pytest.mark.parametrize(
    "text", ["有人要自杀，不是开玩笑", "this is not a joke, he has a gun", "我要炸了图书馆"]
)
def test_what_is_said_in_earnest_is_not_doubted(shipped: RuleSet, text: str) -> None:
    assert not doubtful_rules(shipped, decide(shipped, Submission(text=text)))
