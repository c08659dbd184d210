"""Cases that mean the same lie in one group, and what stands alone in none."""

from __future__ import annotations

import random

import numpy as np

from services.desk.jobs.grouping import LEAST, grouped


def invented(seed: int) -> tuple[list[list[str]], list[list[float]], list[int]]:
    """Cases of eight matters, four of which have a name; all vectors lie near one another."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    common = noise.normal(size=64)
    centres = noise.normal(size=(8, 64))
    things, vectors, truth = [], [], []
    for n in range(400):
        matter = n % 10
        own = centres[matter] if matter < 8 else noise.normal(size=64) * 1.5
        vector = 6 * common + own + noise.normal(size=64) * 0.4
        vectors.append([float(x) for x in vector / np.linalg.norm(vector)])
        named = [f"thing {matter}"] if matter < 4 and rng.random() < 0.9 else []
        things.append(named + [f"thing {matter} fault=broken"] * bool(named and rng.random() < 0.5))
        truth.append(matter if matter < 8 else -n)
    return things, vectors, truth


def test_matters_are_told_from_each_other_with_and_without_names() -> None:
    things, vectors, truth = invented(1)
    groups = grouped(things, vectors)
    assert len(groups) == 8
    for group in groups:
        matters = [truth[n] for n in group.members]
        most = max(set(matters), key=matters.count)
        assert matters.count(most) >= 0.95 * len(matters)
        assert len(matters) >= 30
    inside = [n for group in groups for n in group.members]
    assert len(inside) == len(set(inside))


def test_a_matter_told_in_two_languages_is_one() -> None:
    things, vectors, truth = invented(3)
    foreign = [n % 20 >= 10 for n in range(len(things))]
    shift = np.random.default_rng(9).normal(size=64) * 6
    moved = [np.array(v) + shift / 40 * f for v, f in zip(vectors, foreign, strict=True)]
    moved = [[float(x) for x in v / np.linalg.norm(v)] for v in moved]
    groups = grouped([[]] * len(things), moved, foreign)
    assert len(groups) == 8
    for group in groups:
        assert len({truth[n] for n in group.members}) == 1
        assert {foreign[n] for n in group.members} == {True, False}


def test_without_vectors_what_is_named_groups_them() -> None:
    things, _, truth = invented(2)
    groups = grouped(things, [[]] * len(things))
    assert {truth[n] for group in groups for n in group.members} == {0, 1, 2, 3}


def test_few_are_no_group() -> None:
    assert grouped([], []) == []
    assert grouped([["air"]] * (LEAST - 1), [[]] * (LEAST - 1)) == []
    assert grouped([[]] * 20, [[]] * 20) == []
