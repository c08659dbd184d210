"""Groups many cases by what they mean: arrays in, groups out; knows no database.

All complaints are near each other, and those of one language nearer, so vectors are taken from the
mean of their language first. A case that names a thing is near another by the things both name and
by the vectors, one that names nothing by its vector alone. Groups are made around the case that has
most near it, then around the one that has most of what is left, and so on: nothing has to be known
of how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEAR = 0.35
LEAST = 8
"""Cases of a group."""
_BLOCK = 512
_MEANING, _THINGS = 0.65, 0.35
"""Of how near two are, what their vectors say and what the things say that they name."""
_ALONE = 0.7
"""What vectors say where no thing is named: they have to be nearer then."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Group:
    """Cases by their index, those in the middle of it first."""

    members: tuple[int, ...]


def grouped(
    things: Sequence[Sequence[str]],
    vectors: Sequence[Sequence[float]],
    languages: Sequence[object] = (),
) -> list[Group]:
    """The groups of at least `LEAST`, the largest first.

    `things`: what each names, with its weight given by how rare it is; `vectors`: empty where there
    is none; `languages`: which each is in, all in one where nothing is said.
    """
    if len(things) < LEAST:
        return []
    features = _features(things, vectors, languages or [None] * len(things))
    count = len(features)
    near: list[NDArray[np.intp]] = []
    for first in range(0, count, _BLOCK):
        alike = features[first : first + _BLOCK] @ features.T >= NEAR
        near += [np.flatnonzero(row) for row in alike]
    left = np.ones(count, dtype=bool)
    sizes = np.array([len(one) for one in near])
    found: list[Group] = []
    while True:
        middle = int(sizes.argmax())
        members = near[middle][left[near[middle]]]
        if len(members) < sizes[middle]:
            # Some of them went into another group meanwhile.
            sizes[middle] = len(members)
            continue
        if len(members) < LEAST:
            return sorted(found, key=lambda one: -len(one.members))
        centre = features[members].mean(axis=0)
        order = np.argsort(-(features[members] @ centre), kind="stable")
        found.append(Group(tuple(int(one) for one in members[order])))
        left[members] = False
        sizes[members] = 0


def _features(
    things: Sequence[Sequence[str]],
    vectors: Sequence[Sequence[float]],
    languages: Sequence[object],
) -> Vectors:
    """One row each, of length 1 at most: the product of two is how near they are."""
    names = {name: n for n, name in enumerate(sorted({t for one in things for t in one}))}
    said = np.zeros((len(things), max(1, len(names))), dtype=np.float32)
    for row, one in enumerate(things):
        for name in one:
            said[row, names[name]] = 1.0
    said *= np.log1p(len(things) / (1.0 + said.sum(axis=0)))
    meant = from_mean(vectors, languages)
    has_things = np.linalg.norm(said, axis=1) > 0
    has_meaning = np.linalg.norm(meant, axis=1) > 0
    weight = np.where(has_things & has_meaning, _THINGS, 1.0).astype(np.float32)
    rest = np.where(has_things, 1.0 - weight, _ALONE).astype(np.float32)
    both = [_unit(said) * np.sqrt(weight)[:, None], meant * np.sqrt(rest)[:, None]]
    return np.concatenate(both, axis=1).astype(np.float32)


def from_mean(
    vectors: Sequence[Sequence[float]],
    languages: Sequence[object],
    fewest: int = 1,
) -> Vectors:
    """The vectors taken from the mean of their language, of length 1: one row each.

    Zeros where there is no vector, or fewer than `fewest` of that language.
    """
    size = max((len(one) for one in vectors), default=0)
    made = np.zeros((len(vectors), max(1, size)), dtype=np.float32)
    by_language: dict[object, list[int]] = {}
    for n, one in enumerate(vectors):
        if size and len(one) == size:
            by_language.setdefault(languages[n], []).append(n)
    for there in by_language.values():
        if len(there) >= fewest:
            known = np.array([vectors[n] for n in there], dtype=np.float32)
            made[there] = _unit(known - known.mean(axis=0))
    return made


def _unit(rows: Vectors) -> Vectors:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Vectors = rows / np.maximum(length, 1e-9)
    return unit
