"""Types and priorities learn on, too: what people said of this library's cases moves the shipped
weights, and a head is taken only where it is no worse than the running one on the latest cases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

from services.routing.domain.kinds import Head, Kinds
from services.routing.domain.model import packed
from services.routing.learning.kinds import RIGHT
from services.routing.learning.report import KindQuality
from services.routing.learning.scratch import MEANING

FEWEST = 30
"""Cases on which two heads can be compared, and on which one can be sure of something."""
_HELD = 1 / 0.3
"""How much the shipped weights are held: as in `kinds.train_kinds`."""
_STEPS = 40


def move_kinds(
    shipped: Kinds,
    running: Kinds,
    vectors: Any,
    said: Mapping[str, Sequence[str | None]],
    later: Any,
    counts: Any,
) -> tuple[Kinds, dict[str, KindQuality]]:
    """`said`: of each case its ``type`` and ``priority``, None where nobody said it; `later`: the
    rows on which they are compared, which neither has learned from; `counts`: how much of a lesson
    each case is."""
    features = (vectors - np.asarray(shipped.mean, np.float32)) * MEANING
    heads, found = {}, {}
    for name in ("type", "priority"):
        begin, now = getattr(shipped, name), getattr(running, name)
        heads[name], found[name] = _moved(begin, now, features, said[name], later, counts)
    return running.model_copy(update={"mean": shipped.mean, **heads}), found


def _moved(
    shipped: Head,
    running: Head,
    features: Any,
    said: Sequence[str | None],
    later: Any,
    counts: Any,
) -> tuple[Head, KindQuality]:
    # P1, and what this code does not know, teach nothing.
    place = {name: at for at, name in enumerate(shipped.classes)}
    truth = np.array([place.get(one or "", -1) for one in said])
    judged = np.array([row for row in later if truth[row] >= 0], dtype=int)
    known = np.flatnonzero(truth >= 0)
    earlier = np.setdiff1d(known, later)
    if len(judged) < FEWEST or len(earlier) < FEWEST or running.classes != shipped.classes:
        return running, KindQuality(letters=len(judged))
    begin = _weights(shipped)
    new = _fitted(begin, features[earlier], truth[earlier], counts[earlier])
    shares = _shares(new, features[judged])
    right = shares.argmax(axis=1) == truth[judged]
    before = _shares(_weights(running), features[judged]).argmax(axis=1) == truth[judged]
    taken = bool(right.mean() >= before.mean())
    quality = KindQuality(
        letters=len(judged), new=float(right.mean()), running=float(before.mean()), taken=taken
    )
    if not taken:
        return running, quality
    coef, bias = _fitted(begin, features[known], truth[known], counts[known])
    packed_coef, scale = packed((coef * MEANING).ravel().tolist())
    head = Head(
        classes=shipped.classes,
        weights=packed_coef,
        scale=scale,
        bias=[round(float(x), 5) for x in bias],
        sure_at=_sure_at(shares.max(axis=1), right, shipped.sure_at),
    )
    return head, quality


def _weights(head: Head) -> tuple[Any, Any]:
    table = np.frombuffer(head.weights, dtype=np.int8)
    coef = table.reshape(len(head.classes), -1) * (head.scale / MEANING)
    return coef.astype(np.float32), np.asarray(head.bias, np.float32)


def _shares(weights: tuple[Any, Any], features: Any) -> Any:
    logits = features @ weights[0].T + weights[1]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _fitted(begin: tuple[Any, Any], features: Any, truth: Any, counts: Any) -> tuple[Any, Any]:
    """The likeliest weights where `begin` is what one believed before."""
    shape = begin[0].shape
    n, each = begin[0].size, np.arange(len(truth))

    def value(x: Any) -> tuple[float, Any]:
        x = x.astype(np.float32)
        moved = x[:n].reshape(shape)
        shares = _shares((begin[0] + moved, begin[1] + x[n:]), features)
        loss = -counts @ np.log(np.maximum(shares[each, truth], 1e-12))
        shares[each, truth] -= 1
        shares *= counts[:, None]
        gradient = np.concatenate([(shares.T @ features).ravel(), shares.sum(axis=0)])
        return float(loss + 0.5 * _HELD * (x @ x)), (gradient + _HELD * x).astype(np.float64)

    start = np.zeros(n + shape[0])
    options = {"maxiter": _STEPS, "ftol": 1e-5}
    x = minimize(value, start, jac=True, method="L-BFGS-B", options=options).x.astype(np.float32)
    return begin[0] + x[:n].reshape(shape), begin[1] + x[n:]


def _sure_at(likely: Any, right: Any, shipped: float) -> float:
    """From where on it was right in nine of ten; never below what is shipped, which was measured
    on far more letters than the latest of a library."""
    surest = np.argsort(-likely, kind="stable")
    precision = np.cumsum(right[surest]) / np.arange(1, len(surest) + 1)
    enough = [at for at in range(FEWEST - 1, len(surest)) if precision[at] >= RIGHT]
    if not enough:
        return shipped
    return max(shipped, math.floor(1000 * float(likely[surest[enough[-1]]])) / 1000)
