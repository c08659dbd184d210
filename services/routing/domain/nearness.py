"""How near something is to examples, in numbers: knows no letters.

It brings numpy along, some 12 MB: whoever has not looked at what anything means does without.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

import numpy as np

FEW = 3
"""Examples that are asked what kind it is."""


class Examples:
    """Examples of length 1 as signed bytes, each with its weight."""

    def __init__(
        self,
        rows: array[int],
        scale: float,
        *,
        weights: Sequence[float],
        named: Sequence[bool],
        means: Mapping[str, Sequence[float]],
        narrowness: float,
    ) -> None:
        # Not a copy: as real numbers they would take four times as much.
        self._rows = np.frombuffer(rows, dtype=np.int8).reshape(len(weights), -1)
        self._scale, self._narrowness = np.float32(scale), narrowness
        self._weights = np.array(weights, dtype=np.float32)
        self._unnamed = np.where(named, np.float32(0), np.float32(-9))
        self._means = {name: np.array(mean, dtype=np.float32) for name, mean in means.items()}

    def near(self, vector: Sequence[float], language: str) -> tuple[float, list[int]]:
        """What the examples say together, each less with its distance from the vector without the
        mean of its language; and which of those that are named are the nearest few."""
        apart = np.asarray(vector, dtype=np.float32) - self._means[language]
        apart *= self._scale / max(float(np.sqrt((apart * apart).sum())), 1e-9)
        # No product of matrices: that would wake threads of its own for so little.
        near = np.einsum("nd,d->n", self._rows, apart)
        said = float((self._weights * np.exp(2 * self._narrowness * (near - 1))).sum())
        named = near + self._unnamed
        return said, np.argsort(-named, kind="stable")[:FEW].tolist()
