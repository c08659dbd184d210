"""Letters that say the same, of another date or place, and so teach and prove no more than one."""

from __future__ import annotations

from typing import Any

import numpy as np

ALIKE = 0.95
"""The cosine from which on two letters say the same."""
_AT_ONCE = 500


def counts(vectors: Any) -> Any:
    """How much of a lesson each letter is: one in so many as say the same."""
    meant = _unit(vectors)
    alike = np.zeros(len(meant), np.float32)
    for first in range(0, len(meant), _AT_ONCE):
        after = first + _AT_ONCE
        same = meant[first:after] @ meant[first:].T >= ALIKE
        alike[first:after] += same.sum(axis=1)
        alike[after:] += same[:, _AT_ONCE:].sum(axis=0)
    return 1 / np.maximum(alike, 1)


def apart(vectors: Any, earlier: Any, later: Any) -> Any:
    """Those rows of `later` that say what no row of `earlier`, nor one of `later` before, says."""
    meant = _unit(vectors)
    before = np.concatenate([earlier, later])
    found: list[int] = []
    for first in range(0, len(later), _AT_ONCE):
        some = later[first : first + _AT_ONCE]
        at = len(earlier) + first + np.arange(len(some))
        known = np.arange(len(earlier) + first + len(some))
        same = (meant[some] @ meant[before[known]].T >= ALIKE) & (known < at[:, None])
        found += some[~same.any(axis=1)].tolist()
    return np.array(found, dtype=int)


def unlike(vectors: Any, known: Any) -> Any:
    """For each of `vectors` whether none of `known` says the same."""
    meant, before = _unit(vectors), _unit(known)
    return np.concatenate(
        [
            (meant[first : first + _AT_ONCE] @ before.T < ALIKE).all(axis=1)
            for first in range(0, len(meant), _AT_ONCE)
        ]
    )


def _unit(vectors: Any) -> Any:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
