"""How well the shipped rules route messages as people write them.

What the rules did with a part they had never seen, before they were widened by it:

============  ========  ============================  ==============================
part          messages  rightly / wrongly / left      emergencies recognised as P1
============  ========  ============================  ==============================
held_out_1    86        45 % /  9 % / 45 %            2 of 9
held_out_2    66        52 % / 12 % / 36 %            2 of 9
held_out_3    49        71 % / 10 % / 18 %            2 of 7
held_out_4    26        emergencies, false alarms     6 of 14, 2 of 12 false alarms
held_out_5    105       emergencies, false alarms     35 of 70, 5 of 35 false alarms
held_out_6    155       33 % / 10 % / 57 %            (has none)
unseen        51        53 % /  8 % / 39 %            8 of 10
unseen_2      130       49 % /  8 % / 42 %            16 of 30, 5 of 15 false alarms
============  ========  ============================  ==============================

All parts but ``unseen`` and ``unseen_2`` have been used since, so their shares flatter the rules
and only guard against losing ground. Those two **must not be used to add phrases**: they are the
estimate of daily use (about half is routed without a person). Since ``held_out_5`` and
``held_out_6`` taught the rules, ``unseen_2`` has 55 % / 8 % / 37 % and 20 of 30; its writer was
asked to avoid the words a list would have. ``everyday`` are words of danger in
everyday use, and emergencies in words that usually mean none. Two expectations were
widened after the first measurement, because either department will do.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.desk.seeds import CATEGORIES, DEPARTMENTS
from services.routing.domain import Decision, RuleSet, Submission, decide
from shared.contracts.vocabulary import Priority

CORPUS = Path(__file__).with_name("corpus.jsonl")
REPORT = Path(__file__).resolve().parents[3] / "build" / "routing-corpus.txt"


@dataclass(frozen=True)
class Outcome:
    sample: dict[str, Any]
    decision: Decision

    @property
    def unseen(self) -> bool:
        """True where nobody may have tuned the rules for it."""
        return self.sample["part"].startswith("unseen")

    @property
    def result(self) -> str:
        got = self.decision.department if self.decision.confident else None
        if got in (self.sample["department"], *self.sample["acceptable"]):
            return "rightly"
        return "left" if got is None else "wrongly"


@pytest.fixture(scope="module")
def samples() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def outcomes(samples: list[dict[str, Any]], shipped: RuleSet) -> list[Outcome]:
    return [Outcome(s, decide(shipped, Submission(text=s["text"]))) for s in samples]


def shares(outcomes: list[Outcome]) -> str:
    count = Counter(o.result for o in outcomes)
    n = max(1, len(outcomes))
    parts = [
        f"{name} {count[name]:3} ({count[name] / n:4.0%})"
        for name in ("rightly", "wrongly", "left")
    ]
    return f"n={len(outcomes):3}  " + "  ".join(parts)


def report(outcomes: list[Outcome]) -> str:
    owned = [o for o in outcomes if o.sample["department"]]
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for each in outcomes:
        groups[f"part {each.sample['part']}"].append(each)
        groups[f"category {each.sample['category'] or '(any)'}"].append(each)
    lines = [
        f"{'all':28} {shares(outcomes)}",
        f"{'with an owner':28} {shares(owned)}",
        f"{'for a person':28} {shares([o for o in outcomes if not o.sample['department']])}",
        f"{'traps':28} {shares([o for o in outcomes if o.sample['trap']])}",
    ]
    lines += [f"{name:28} {shares(group)}" for name, group in sorted(groups.items())]
    alarms = [o for o in outcomes if o.sample["priority"] == "P1"]
    for name, group in (
        ("emergencies seen", [o for o in alarms if not o.unseen]),
        ("emergencies unseen", [o for o in alarms if o.unseen]),
    ):
        found = sum(o.decision.emergency for o in group)
        lines.append(f"{name:28} {found} of {len(group)} at P1")
    for field in ("category", "priority", "type"):
        known = [o for o in outcomes if o.sample[field]]
        same = sum(
            getattr(o.decision, field) in (o.sample[field], *o.sample["also_category"])
            for o in known
        )
        lines.append(f"{field + ' as expected':28} {same}/{len(known)} ({same / len(known):.0%})")
    lines += [
        f"{o.result}: {o.sample['id']} got {o.decision.department}: {o.sample['text']}"
        for o in outcomes
        if o.result == "wrongly" or (o.result == "left" and o.sample["department"])
    ]
    return "\n".join(lines)


def test_the_corpus_covers_every_category_with_a_third_of_traps(
    samples: list[dict[str, Any]],
) -> None:
    count = Counter(s["category"] for s in samples)
    assert len(samples) >= 130
    assert all(count[code] >= 4 for code in CATEGORIES)
    assert sum(s["trap"] for s in samples) >= len(samples) / 3
    assert len({s["id"] for s in samples}) == len({s["text"] for s in samples}) == len(samples)
    known = {None, *DEPARTMENTS}
    assert all({s["department"], *s["acceptable"]} <= known for s in samples)


def test_most_messages_go_to_the_right_department_and_few_to_a_wrong_one(
    outcomes: list[Outcome],
) -> None:
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report(outcomes) + "\n", encoding="utf-8")
    owned = [o for o in outcomes if o.sample["department"]]
    for group in (outcomes, owned):
        count = Counter(o.result for o in group)
        assert count["rightly"] / len(group) >= 0.75
        assert count["wrongly"] / len(group) <= 0.05


def test_no_emergency_is_missed_that_the_rules_were_taught(outcomes: list[Outcome]) -> None:
    emergencies = [o for o in outcomes if o.sample["priority"] == "P1" and not o.unseen]
    assert len(emergencies) >= 30
    missed = [
        o.sample["text"]
        for o in emergencies
        if o.decision.priority is not Priority.P1 or not o.decision.confident
    ]
    assert missed == []


@pytest.mark.parametrize(
    ("part", "rightly", "wrongly", "emergencies", "false_alarms"),
    [("unseen", 0.5, 0.1, 0.8, 0), ("unseen_2", 0.5, 0.1, 0.65, 5)],
)
def test_messages_nobody_tuned_the_rules_for_keep_their_measured_shares(
    outcomes: list[Outcome],
    part: str,
    rightly: float,
    wrongly: float,
    emergencies: float,
    false_alarms: int,
) -> None:
    unseen = [o for o in outcomes if o.sample["part"] == part]
    count = Counter(o.result for o in unseen)
    assert count["rightly"] / len(unseen) >= rightly
    assert count["wrongly"] / len(unseen) <= wrongly
    alarms = [o for o in unseen if o.sample["priority"] == "P1"]
    assert sum(o.decision.priority is Priority.P1 for o in alarms) >= emergencies * len(alarms)
    false = [o for o in unseen if "false-emergency" in o.sample["kinds"]]
    assert sum(o.decision.emergency for o in false) <= false_alarms


def test_false_emergencies_the_rules_were_taught_raise_no_alarm(outcomes: list[Outcome]) -> None:
    false = [o for o in outcomes if "false-emergency" in o.sample["kinds"] and not o.unseen]
    assert len(false) >= 50
    assert [o.sample["text"] for o in false if o.decision.emergency] == []


def test_matters_of_others_are_left_to_a_person(outcomes: list[Outcome]) -> None:
    others = [o for o in outcomes if o.sample["category"] == "not_ours"]
    assert all(not o.decision.confident for o in others)


def test_priorities_and_types_are_mostly_as_expected(outcomes: list[Outcome]) -> None:
    for field, floor in (("priority", 0.9), ("type", 0.75)):
        known = [o for o in outcomes if o.sample[field]]
        same = sum(getattr(o.decision, field) == o.sample[field] for o in known)
        assert same / len(known) >= floor, field
