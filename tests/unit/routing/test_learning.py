"""Learning on from what is shipped, on letters that are made up."""

from __future__ import annotations

import io
import json
import random
from array import array
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest

from services.routing.domain import Lesson, Model
from services.routing.domain.model import NOT_OURS
from services.routing.learning import TrainingFailed, train_beside
from services.routing.learning.beside import packed_lesson
from services.routing.learning.onwards import FEWEST, learn
from services.routing.learning.report import Quality, Trained, falls_short
from tests.unit.routing.test_weigh_up import tiny

OWNERS = ("it", NOT_OURS, "press")
"""`press` is a department that the shipped model has never heard of."""
DEPARTMENTS = ["it", "press", "space"]


SILENT = 14
"""Dimensions that say nothing of where a letter belongs; by these no two are the same."""


def meant(x: float, y: float) -> list[float]:
    return [x, y, *[0.0] * SILENT]


def letters(count: int, *, rare: str = "") -> list[Lesson]:
    """Letters of which one says where they belong; a quarter is only to be told by its words."""
    dice = random.Random(7)
    found = []
    for n in range(count):
        owner = OWNERS[n % 3]
        blurred = n % 4 == 0
        vector = [dice.gauss(0, 0.05), dice.gauss(0, 0.05)]
        if not blurred:
            vector[0] += {"it": -0.4, "press": 0.4}.get(owner, 0)
            vector[1] += {"it": 0.4, "press": 0.4}.get(owner, -0.6)
        vector += [dice.gauss(0, 0.15) for _ in range(SILENT)]
        text = f"{owner} {dice.randrange(1000)} {rare if n == 3 else ''}"
        found.append(Lesson(owner, vector, f"about-{owner}", text=text, new=True))
    return found


def wide() -> Model:
    """The tiny model with room for characters."""
    return _tiny([0.0] * (3 * 512))


def _tiny(characters: Sequence[float]) -> Model:
    from services.routing.domain.model import packed

    given, zeros = tiny().model_dump(), [0] * SILENT
    pairs = tiny().meaning
    rows = [x for at in range(0, len(pairs), 2) for x in (*pairs[at : at + 2], *zeros)]
    grams, scale = packed(characters)
    given |= {"dimensions": 2 + SILENT, "mean": [0.0] * (2 + SILENT), "meaning": array("b", rows)}
    given |= {"buckets": len(characters) // 3, "grams": grams, "grams_scale": scale}
    return Model(**given)


def narrow() -> Model:
    """With fewer buckets: some words speak for `space`, some for `it`."""
    return _tiny([1.0, 0.0, -1.0] * 32 + [-1.0, 1.0, 0.0] * 32)


def narrow_as_wide() -> Model:
    return _tiny(([1.0, 0.0, -1.0] * 32 + [-1.0, 1.0, 0.0] * 32) * 8)


def learned(some: Sequence[Lesson], *, judged: int = 60, running: Model | None = None) -> Trained:
    head = {
        "shipped": wide().model_dump(),
        "running": (running or wide()).model_dump(),
        "departments": DEPARTMENTS,
        "judged": judged,
        "precision": 0.95,
    }
    lines = [json.dumps(head), *map(packed_lesson, some)]
    return learn(io.BytesIO("\n".join(lines).encode()))


def test_what_people_did_teaches_new_departments_and_better_ones() -> None:
    trained = learned(letters(300))
    assert trained.is_no_worse
    assert trained.running.first < 0.7 < 0.9 < trained.new.first
    assert trained.new.letters == 60
    assert trained.new.alone > 0.5
    assert trained.new.precision >= 0.95
    model = trained.model
    assert model.classes == ["it", NOT_OURS, "press", "space"]
    assert model.letters == 300
    assert (model.categories["press"], model.categories["space"]) == ("about-press", "seats")
    shares = model.probabilities(meant(0.4, 0.4), "", "press 12")
    assert max(shares, key=shares.__getitem__) == "press"


def test_what_nothing_new_is_known_of_stays_what_it_was() -> None:
    before = wide().probabilities(meant(1.0, 0.0), "", "")
    after = learned(letters(300)).model.probabilities(meant(1.0, -0.6), "", "")
    assert max(before, key=before.__getitem__) == "space"
    assert after["space"] > after["it"]


def test_the_same_letters_give_the_same_version() -> None:
    assert learned(letters(150)).model == learned(letters(150)).model


def test_the_running_version_is_judged_on_the_same_letters() -> None:
    first = learned(letters(300)).model
    again = learned(letters(300), running=first)
    assert again.running.first > 0.9


def test_a_running_version_of_fewer_buckets_says_what_it_said() -> None:
    first = learned(letters(300), running=narrow()).running
    assert first == learned(letters(300), running=narrow_as_wide()).running


def test_what_only_few_letters_have_in_common_is_not_in_a_version() -> None:
    assert FEWEST == 5
    with_it, without = learned(letters(150, rare="张三丰")), learned(letters(150))
    from services.routing.domain.model import hashed

    only = set(hashed("", "张三丰", 512)) - {
        bucket for one in letters(150) for bucket in hashed("", one.text, 512)
    }
    assert only
    table = with_it.model.grams
    assert all(not any(table[at * 4 : at * 4 + 4]) for at in only)
    assert without.model.letters == with_it.model.letters


@pytest.mark.parametrize(
    ("new", "old", "no_worse"),
    [
        ((0.80, 0.95), (0.80, 0.95), True),
        ((0.80, 0.946), (0.80, 0.95), True),
        ((0.79, 0.99), (0.80, 0.95), False),
        ((0.90, 0.90), (0.80, 0.95), False),
    ],
)
def test_only_what_is_no_worse_takes_the_place(
    new: tuple[float, float], old: tuple[float, float], no_worse: bool
) -> None:
    def quality(first: float, three: float) -> Quality:
        return Quality(letters=100, first=first, three=three, alone=0.5, precision=0.95)

    trained = Trained(model=tiny(), new=quality(*new), running=quality(*old), seconds=1)
    assert trained.is_no_worse is no_worse


@pytest.mark.parametrize(
    ("new", "old", "no_worse"),
    [
        ((0.5, 0.95), (0.5, 0.97), True),
        ((0.5, 0.80), (0.5, 0.70), True),
        ((0.5, 0.80), (0.5, 0.90), False),
        ((0.0, 0.0), (0.5, 0.90), True),
    ],
)
def test_what_is_sent_less_rightly_is_worse(
    new: tuple[float, float], old: tuple[float, float], no_worse: bool
) -> None:
    def quality(alone: float, precision: float) -> Quality:
        return Quality(letters=100, first=0.8, three=0.9, alone=alone, precision=precision)

    trained = Trained(model=tiny(), new=quality(*new), running=quality(*old), seconds=1)
    assert trained.is_no_worse is no_worse


def test_a_running_version_that_sends_far_less_rightly_than_is_promised_gets_a_higher_bar() -> None:
    right = learned(letters(300)).model
    assert learned(letters(300), running=right).raised is None
    contrary = [replace(one, owner=OWNERS[(n + 1) % 3]) for n, one in enumerate(letters(300))]
    wrong = learned(contrary).model
    trained = learned(letters(300), running=wrong)
    assert trained.running.alone > 0.3
    assert trained.running.precision < 0.5
    assert trained.raised is not None
    assert trained.with_raised is not None
    assert trained.with_raised.alone == 0
    shares = [trained.raised.probabilities(one.vector, "", one.text) for one in letters(300)]
    assert all(max(one.values()) < trained.raised.bar(0.95) for one in shares)
    assert trained.raised.bar(0.8) >= wrong.bar(0.8)


@pytest.mark.parametrize(
    ("sent", "right", "short"),
    [(13, 6, True), (12, 6, True), (20, 19, False), (20, 18, False), (4, 0, False)],
)
def test_far_below_what_is_promised_is_more_than_chance(sent: int, right: int, short: bool) -> None:
    assert falls_short(sent, right, 0.95) is short


async def some(*lessons: Lesson) -> AsyncGenerator[Sequence[Lesson], None]:
    yield lessons


async def test_a_process_of_its_own_learns_the_same() -> None:
    known = letters(150)
    shipped = wide()
    trained = await train_beside(some(*known), shipped, shipped, DEPARTMENTS, judged=30)
    assert trained.model == learned(known, judged=30).model


async def test_training_that_takes_too_long_or_fails_is_stopped_and_says_so() -> None:
    known, shipped = letters(150), wide()
    with pytest.raises(TrainingFailed, match="not done within 0 s"):
        await train_beside(some(*known), shipped, shipped, DEPARTMENTS, judged=30, within=0.01)
    with pytest.raises(TrainingFailed, match="need at least one array"):
        await train_beside(some(), shipped, shipped, DEPARTMENTS, judged=0)
