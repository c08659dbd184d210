"""What a version learned of few matters, said again and again, makes of everything else: nothing.

`repeated.jsonl` has letters of five matters, as a library gets them through one outage, and short
remarks about something else (without a department), with what the built-in embedder says of them
(signed bytes). None of it is about conduct: what is confidential teaches nothing.
"""

from __future__ import annotations

import base64
import io
import json
from array import array
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from services.routing.domain import Decision, Lesson, Model, RuleSet, Submission, decide, weigh_up
from services.routing.domain.model import NOT_OURS, PRECISIONS
from services.routing.learning import REHEARSAL, no_surer, read_letters
from services.routing.learning.alike import apart, counts, unlike
from services.routing.learning.beside import packed_lesson
from services.routing.learning.onwards import learn
from services.routing.learning.rehearsal import shipped_rehearsal
from services.routing.learning.report import Trained
from services.routing.seeds import shipped_model

HERE = Path(__file__).parent
TAUGHT_BY = ("corpus.jsonl", "letters.jsonl", "at_length.jsonl")


@cache
def told() -> list[tuple[Lesson, bool]]:
    """The letters, and whether it is known whose they are."""
    found = []
    for line in (HERE / "repeated.jsonl").read_text("utf-8").splitlines():
        one = json.loads(line)
        bytes_ = array("b", base64.b64decode(one["vector"]))
        length = sum(x * x for x in bytes_) ** 0.5
        vector, owner = [x / length for x in bytes_], one.get("department")
        lesson = Lesson(owner or "", vector, one.get("category"), text=one["text"], new=True)
        found.append((lesson, owner is not None))
    return found


def repeated() -> list[Lesson]:
    """Some 250 letters: those of five matters, five times over."""
    return [one for one, known in told() if known] * 5


def remarks() -> list[Lesson]:
    return [one for one, known in told() if not known]


@cache
def trained() -> Trained:
    shipped = shipped_model()
    head = {
        "shipped": shipped.model_dump(),
        "running": shipped.model_dump(),
        "departments": [name for name in shipped.classes if name != NOT_OURS],
        "judged": 50,
        "precision": 0.95,
    }
    lines = [json.dumps(head), *map(packed_lesson, repeated())]
    return learn(io.BytesIO("\n".join(lines).encode()))


def decided(rules: RuleSet, model: Model, one: Lesson) -> Decision:
    said = Submission(text=one.text)
    shares = model.probabilities(one.vector, "", one.text)
    return weigh_up(decide(rules, said), model, shares, [], said)


def test_what_was_not_learned_is_sent_nowhere_it_was_not_and_is_no_praise(shipped: RuleSet) -> None:
    before, after = shipped_model(), trained().model
    assert Counter(one.owner for one in repeated())["relations"] >= 50
    for one in remarks():
        was, now = decided(shipped, before, one), decided(shipped, after, one)
        assert was.confident or not now.confident, (one.text, now.department, now.confidence)
        assert was.category == "praise" or now.category != "praise", (one.text, now.confidence)
        # What was about conduct, for sure, still is.
        assert not was.confident or was.category == now.category, one.text
    staff = next(one for one in remarks() if one.text == "很不满意你们的服务")
    assert decided(shipped, after, staff).category == "conduct"


def test_how_sure_it_is_was_not_measured_on_letters_like_those_it_learned_from() -> None:
    """Of these 50 none says anything new: what is shipped holds, and what one chooses counts."""
    before, after = shipped_model(), trained()
    assert after.is_no_worse
    assert after.model.temperature == before.temperature
    assert [after.model.bar(one / 100) for one in PRECISIONS] == [
        before.bar(one / 100) for one in PRECISIONS
    ]
    assert after.new.offers[99] < after.new.offers[95] < after.new.offers[80]
    # What it did learn it knows.
    right = [
        max(shares, key=shares.__getitem__) == one.owner
        for one in repeated()[:50]
        for shares in [after.model.probabilities(one.vector, "", one.text)]
    ]
    assert sum(right) >= 49


def test_letters_that_say_the_same_are_one_lesson() -> None:
    table = np.array([[1, 0, 0], [0.99, 0.02, 0], [0, 1, 0], [2, 0, 0], [0, 0, 1.0], [0, 0.1, 2.0]])
    assert counts(table).tolist() == pytest.approx([1 / 3, 1 / 3, 1, 1 / 3, 1 / 2, 1 / 2])
    assert apart(table, np.arange(2), np.arange(2, 6)).tolist() == [2, 4]
    assert apart(table, np.arange(0), np.arange(6)).tolist() == [0, 2, 4]
    assert unlike(table, table[:3]).tolist() == [False, False, False, False, True, True]


def test_a_version_that_was_learned_before_is_read_no_surer_than_what_is_shipped() -> None:
    shipped = shipped_model()
    sure = shipped.model_copy(
        update={
            "temperature": 0.4,
            "sure_at": 0.7,
            "bars": dict.fromkeys(PRECISIONS, 0.7),
            "categories": shipped.categories | {"relations": "praise", "it": "offcampus"},
        }
    )
    held = no_surer(sure, shipped)
    assert (held.temperature, held.sure_at) == (shipped.temperature, shipped.sure_at)
    assert held.bars[80] == 0.7
    assert held.bars[99] == shipped.bars[99]
    assert (held.categories["relations"], held.categories["it"]) == ("conduct", "offcampus")
    raised = shipped.model_copy(update={"bars": dict.fromkeys(PRECISIONS, 1.01), "sure_at": 1.01})
    assert no_surer(raised, shipped).bars == raised.bars
    # Of departments that are not the shipped ones it says nothing.
    names = [one if one == NOT_OURS else f"our_{one}" for one in shipped.classes]
    own = sure.model_copy(update={"classes": names})
    assert (no_surer(own, shipped).temperature, no_surer(own, shipped).sure_at) == (0.4, 0.7)


def test_what_is_rehearsed_is_short_ours_of_every_department_and_was_not_put_aside() -> None:
    rehearsal, shipped = shipped_rehearsal(), shipped_model()
    assert rehearsal.embedder == shipped.embedder
    assert REHEARSAL.stat().st_size < 1_500_000
    lines = "".join((HERE / name).read_text("utf-8") for name in TAUGHT_BY)
    ours = {(one.title, one.text): one for one in read_letters(lines)}
    letters = [ours[one] for one in rehearsal.letters]
    owners = Counter(one.owner for one in letters)
    assert set(owners) == set(shipped.classes)
    assert min(owners.values()) >= 40
    assert sum(one.category == "conduct" for one in letters) >= 100
    vectors, grams = rehearsal.features(shipped.buckets)
    assert vectors.shape == (len(letters), shipped.dimensions)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=0.02)
    assert all(grams)
