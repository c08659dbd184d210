"""Rules, model and alarms together on letters that taught none of them: 274 of a third hand, and
270 of a fourth.

They were put aside before anything was learned or chosen, and looked at once, when all of it stood;
the README of routing has what came out. The writer of the third wrote `hands_c` of `letters.jsonl`,
too, that of the fourth its newest seven hands, so they flatter what was learned a little. They
**must not be used to change anything**. `…_vectors.jsonl` hold what the built-in embedder says of
them (signed bytes).
"""

from __future__ import annotations

import base64
import json
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.routing.domain import (
    Decision,
    RuleSet,
    Submission,
    decide,
    doubtful_rules,
    in_doubt,
    weigh_up,
)
from services.routing.domain.alarms import CALM_BELOW
from services.routing.domain.model import NOT_OURS
from services.routing.seeds import shipped_alarms, shipped_model

HERE = Path(__file__).parent
BUILD = HERE.parents[2] / "build"


@dataclass(frozen=True)
class Heard:
    letter: dict[str, Any]
    decision: Decision
    alarm: bool

    def right(self, among: int) -> bool:
        owner = NOT_OURS if self.letter["category"] == NOT_OURS else self.letter["department"]
        fine = {owner, *self.letter.get("acceptable", ())}
        said = [
            NOT_OURS if one.category == NOT_OURS else one.department
            for one in self.decision.candidates
        ]
        return bool(fine & set(said[:among]))


def heard(shipped: RuleSet, hand: str) -> list[Heard]:
    model, alarms = shipped_model(), shipped_alarms()
    found = []
    letters = (HERE / f"{hand}.jsonl").read_text("utf-8").splitlines()
    vectors = (HERE / f"{hand}_vectors.jsonl").read_text("utf-8").splitlines()
    for letter, packed in zip(map(json.loads, letters), map(json.loads, vectors), strict=True):
        assert letter["id"] == packed["id"]
        bytes_ = array("b", base64.b64decode(packed["vector"]))
        length = sum(x * x for x in bytes_) ** 0.5
        vector = [x / length for x in bytes_]
        said = Submission(text=letter["text"])
        ruled = decide(shipped, said)
        likely = alarms.look(vector, "", said.text)[0]
        doubtful = doubtful_rules(shipped, ruled) if likely < CALM_BELOW else frozenset()
        if doubtful:
            ruled = decide(shipped, said, without=doubtful)
        probabilities = model.probabilities(vector, "", said.text)
        decision = weigh_up(ruled, model, probabilities, [], said)
        if doubtful:
            decision = in_doubt(decision)
        found.append(Heard(letter, decision, ruled.emergency or likely >= alarms.threshold))
    return found


@pytest.mark.parametrize(
    ("hand", "sizes", "floors", "strays"),
    [
        ("third_hand", [129, 50, 50, 45], (0.85, 0.98, 0.55, 0.94, 0.88, 0.9), 1),
        ("fourth_hand", [139, 40, 46, 45], (0.87, 0.97, 0.5, 0.95, 0.93, 0.9), 2),
    ],
)
def test_they_are_told_apart_as_measured(
    shipped: RuleSet, hand: str, sizes: list[int], floors: tuple[float, ...], strays: int
) -> None:
    known = heard(shipped, hand)
    # Those of the third hand that only sound like an emergency have no category.
    letters = [one for one in known if one.letter["category"] and not one.letter["alike"]]
    ours = [one for one in letters if one.letter["category"] != NOT_OURS]
    others = [one for one in letters if one.letter["category"] == NOT_OURS]
    sent = [one for one in letters if one.decision.confident]
    emergencies = [one for one in known if one.letter["kind"]]
    alike = [one for one in known if one.letter["alike"]]
    share = {
        "first right": sum(one.right(1) for one in letters) / len(letters),
        "among three": sum(one.right(3) for one in letters) / len(letters),
        "ours: sent alone": sum(one.decision.confident for one in ours) / len(ours),
        "of these rightly": sum(one.right(1) for one in sent) / len(sent),
        "others: recognised": sum(one.right(1) for one in others) / len(others),
        "emergencies: heard": sum(one.alarm for one in emergencies) / len(emergencies),
        "ordinary: false alarms": sum(one.alarm for one in letters) / len(letters),
        "alike: false alarms": sum(one.alarm for one in alike) / len(alike),
    }
    BUILD.mkdir(exist_ok=True)
    lines = (f"{name:24} {value:6.1%}\n" for name, value in share.items())
    (BUILD / f"routing-{hand}.txt").write_text("".join(lines), encoding="utf-8")
    assert [len(ours), len(others), len(emergencies), len(alike)] == sizes
    for floor, (name, value) in zip(floors, share.items(), strict=False):
        assert value >= floor, name
    assert share["ordinary: false alarms"] <= 0.02
    assert share["alike: false alarms"] <= 0.07
    # Letters for other units that were sent to one of ours.
    assert sum(one.decision.confident for one in others) <= strays
