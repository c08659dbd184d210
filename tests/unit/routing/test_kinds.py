"""Type and priority by meaning, where no rule says any."""

from __future__ import annotations

import random

import numpy as np

from services.routing.domain import Kinds, RuleSet, Submission, decide, suggest_kind
from services.routing.learning.kinds import train_kinds
from services.routing.learning.kinds_onwards import move_kinds
from shared.contracts.vocabulary import CaseType, Priority

MEANT = {"complaint": (1.0, 0.0), "inquiry": (0.0, 1.0), "suggestion": (-1.0, 0.0)}
UNSAID = Submission(text="风很大，雨也很大")


def taught(silent: int = 0) -> Kinds:
    """With so many dimensions more that say nothing."""
    dice = random.Random(3)
    letters, vectors = [], []
    for n in range(240):
        kind = list(MEANT)[n % 3]
        urgent = {"complaint": "P2", "inquiry": "P3", "suggestion": "P4"}[kind]
        letters.append({"type": kind, "priority": urgent, "part": f"hand {n // 3 % 2}"})
        vectors.append([x + dice.gauss(0, 0.1) for x in MEANT[kind]] + [0.0] * silent)
    kinds, _ = train_kinds(letters, vectors, "compass")
    return kinds


def test_where_no_rule_says_any_they_are_by_meaning_and_said_so(shipped: RuleSet) -> None:
    kinds = taught()
    ruled = decide(shipped, UNSAID)
    assert (ruled.type_known, ruled.priority_known) == (False, False)
    asked = suggest_kind(ruled, kinds, MEANT["inquiry"])
    assert (asked.type, asked.priority) == (CaseType.INQUIRY, Priority.P3)
    assert asked.reasons[-1].text.startswith("没有规则说明类型；按意思像是咨询")
    urgent = suggest_kind(ruled, kinds, MEANT["complaint"])
    assert (urgent.type, urgent.priority) == (CaseType.COMPLAINT, Priority.P2)
    proposed = suggest_kind(ruled, kinds, MEANT["suggestion"])
    assert (proposed.type, proposed.priority) == (CaseType.SUGGESTION, Priority.P4)
    # Nothing is guessed where it is not sure, or where the vector is that of another model.
    assert suggest_kind(ruled, kinds, (0.3, 0.3)).type == ruled.type
    assert suggest_kind(ruled, kinds, (1.0,)) == ruled


def test_they_learn_on_from_what_people_said_and_only_where_that_is_no_worse() -> None:
    shipped, dice = taught(), random.Random(5)
    # Here what sounds like a question is mostly a request in disguise: people call it a complaint.
    vectors, said = [], {"type": [], "priority": []}
    for n in range(200):
        kind = list(MEANT)[n % 3]
        vectors.append([x + dice.gauss(0, 0.1) for x in MEANT[kind]])
        said["type"].append("complaint" if kind == "inquiry" else kind)
        said["priority"].append("P1" if n % 2 else None)
    table = np.asarray(vectors, np.float32)
    later = np.arange(140, 200)
    kinds, found = move_kinds(shipped, shipped, table, said, later, np.ones(200))
    assert found["type"].taken
    assert found["type"].running < 0.7 < 0.95 < found["type"].new
    assert kinds.type.best(centred(kinds, MEANT["inquiry"]))[0] == "complaint"
    # P1 teaches nothing, and of too little nothing is learned.
    assert (found["priority"].letters, kinds.priority) == (0, shipped.priority)
    # Noise is no reason to leave what is running.
    dice.shuffle(said["type"])
    same, found = move_kinds(shipped, kinds, table, said, later, np.ones(200))
    assert found["type"].taken or same.type == kinds.type


def centred(kinds: Kinds, vector: tuple[float, float]) -> list[float]:
    return [x - m for x, m in zip(vector, kinds.mean, strict=True)]


def test_what_rules_say_stands_and_p1_is_never_learned(shipped: RuleSet) -> None:
    kinds = taught()
    flood = decide(shipped, Submission(text="水漫到走廊了，快来人！！"))
    assert suggest_kind(flood, kinds, MEANT["inquiry"]) == flood
    praised = decide(shipped, Submission(text="台口的老师非常耐心，感谢！"))
    assert praised.type_known
    assert suggest_kind(praised, kinds, MEANT["inquiry"]).type == CaseType.PRAISE
    assert "P1" not in kinds.priority.classes
