"""The shipped types and priorities: from letters of many hands, each judged by the others."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from services.routing.domain.kinds import Head, Kinds
from services.routing.domain.model import NEVER, packed
from services.routing.learning.scratch import MEANING

RIGHT = 0.9
_FEWEST = 30


def read_kinds(lines: str) -> list[dict[str, Any]]:
    """Letters with a type and a priority that is none of an emergency; none that is unseen."""
    rows = map(json.loads, lines.splitlines())
    return [
        one
        for one in rows
        if one.get("type")
        and one.get("priority") in ("P2", "P3", "P4")
        and not one["part"].startswith("unseen")
    ]


def train_kinds(
    letters: Sequence[dict[str, Any]], vectors: Sequence[Sequence[float]], embedder: str
) -> tuple[Kinds, dict[str, str]]:
    """What was learned, and what each did with letters of hands it had not learned from."""
    import numpy as np

    meaning = np.asarray(vectors, dtype=np.float64)
    mean = meaning.mean(axis=0)
    features = (meaning - mean) * MEANING
    groups = np.array([one["part"] for one in letters])
    heads, said = {}, {}
    for name in ("type", "priority"):
        heads[name], said[name] = _head(features, np.array([x[name] for x in letters]), groups)
    kinds = Kinds(embedder=embedder, mean=[round(float(x), 6) for x in mean], **heads)
    return kinds, said


def _head(features: Any, truth: Any, groups: Any) -> tuple[Head, str]:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    def fitted(rows: Any) -> Any:
        return LogisticRegression(C=0.3, max_iter=300, tol=1e-3).fit(features[rows], truth[rows])

    likely, right = np.zeros(len(truth)), np.zeros(len(truth), bool)
    for group in sorted(set(groups)):
        rest, here = np.where(groups != group)[0], np.where(groups == group)[0]
        model = fitted(rest)
        shares = model.predict_proba(features[here])
        likely[here] = shares.max(axis=1)
        right[here] = model.classes_[shares.argmax(axis=1)] == truth[here]
    surest = np.argsort(-likely, kind="stable")
    precision = np.cumsum(right[surest]) / np.arange(1, len(surest) + 1)
    enough = [n for n in range(_FEWEST - 1, len(surest)) if precision[n] >= RIGHT]
    sure_at = math.floor(1000 * likely[surest[enough[-1]]]) / 1000 if enough else NEVER
    whole = fitted(np.arange(len(truth)))
    weights, scale = packed((whole.coef_ * MEANING).ravel().tolist())
    head = Head(
        classes=[str(one) for one in whole.classes_],
        weights=weights,
        scale=scale,
        bias=[round(float(x), 5) for x in whole.intercept_],
        sure_at=sure_at,
    )
    sure = likely >= sure_at
    return head, (
        f"{right.mean():.0%} right of {len(truth)}, sure of {sure.mean():.0%}, "
        f"{right[sure].mean() if sure.any() else 0:.0%} of these rightly"
    )
