"""The shipped model: from letters of many hands, each judged by a model of the others."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.routing.domain.decide import Decision
from services.routing.domain.model import NEVER, NOT_OURS, PRECISIONS, Model, hashed, packed
from services.routing.domain.weigh_up import with_rules
from services.routing.learning.report import Quality

# Before numpy is imported: threads of its own would wait for each other on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BUCKETS = 1 << 15
"""Of runs of characters. With a quarter of them too many share one."""
MEANING, GRAMS = 16.0, 16.0
"""How much the two kinds of features count; the best of a few, on parts that were left out."""
_TEMPERATURES = [0.5 + n / 20 for n in range(51)]
NOT_OURS_IN_MAIL = 0.1
"""What share of a library's mail is for others; the letters here have far more of it. Probabilities
from which on a letter is sent alone are those of letters in this proportion."""
_FEWEST = 20
"""Letters above the bar on which a precision can be measured."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, masked, and where it belongs: a department, or ``not_ours``."""

    text: str
    title: str
    owner: str
    group: str
    """Letters of one hand or time: a model is judged on groups that it has not seen."""
    category: str | None = None
    acceptable: tuple[str, ...] = ()
    alike: bool = False
    """Written to sound like an emergency: teaches, but says little of how sure one may be."""


def read_letters(lines: str) -> list[Letter]:
    """Letters to learn from, one JSON object a line; what is called unseen is for judging alone."""
    found = []
    for line in lines.splitlines():
        one = json.loads(line)
        owner = NOT_OURS if one.get("category") == NOT_OURS else one.get("department")
        if owner and not one.get("part", "").startswith("unseen"):
            found.append(
                Letter(
                    text=one["text"],
                    title=one.get("title", ""),
                    owner=owner,
                    group=one.get("part", ""),
                    category=one.get("category"),
                    acceptable=tuple(one.get("acceptable", ())),
                    alike="false-emergency" in one.get("kinds", ()),
                )
            )
    return found


def train(
    letters: Sequence[Letter],
    vectors: Sequence[Sequence[float]],
    embedder: str,
    ruled: Sequence[Decision] = (),
) -> tuple[Model, Quality]:
    """A model of all letters, calibrated on each group by a model of the others.

    `ruled`: what the rules say of each letter; how sure one may be is then that of both together.
    """
    import numpy as np
    from scipy.sparse import csr_matrix, hstack

    meaning = np.asarray(vectors, dtype=np.float64)
    mean = meaning.mean(axis=0)
    grams = hashed_grams([(one.title, one.text) for one in letters], BUCKETS)
    rare = rareness(grams)
    parts = [csr_matrix((meaning - mean) * MEANING), grams.multiply(rare * GRAMS)]
    features = csr_matrix(hstack(parts))
    owners = np.array([one.owner for one in letters])
    groups = np.array([one.group for one in letters])
    classes = sorted(set(owners))
    logits = np.full((len(letters), len(classes)), -30.0)
    for group in sorted(set(groups)):
        rest = np.where(groups != group)[0]
        if len(rest) == 0 or len(set(owners[rest])) < 2:
            continue
        fitted = _fit(features[rest], owners[rest])
        here = np.where(groups == group)[0]
        at = np.array([classes.index(name) for name in fitted.classes_])
        logits[np.ix_(here, at)] = fitted.decision_function(features[here])
    temperature = min(_TEMPERATURES, key=lambda t: _loss(logits, t, letters, classes))
    shares = _softmax(logits, temperature)
    if ruled:
        shares = _with_rules(shares, ruled, classes)
    quality, bars = _judge(shares, letters, classes, _in_mail(letters, ruled))
    whole = _fit(features, owners)
    dimensions = meaning.shape[1]
    weights, scale = packed((whole.coef_[:, :dimensions] * MEANING).ravel().tolist())
    table, table_scale = packed((whole.coef_[:, dimensions:] * (rare * GRAMS)).T.ravel().tolist())
    model = Model(
        embedder=embedder,
        classes=[str(name) for name in whole.classes_],
        dimensions=dimensions,
        buckets=BUCKETS,
        meaning=weights,
        meaning_scale=scale,
        mean=[round(float(x), 6) for x in mean],
        grams=table,
        grams_scale=table_scale,
        bias=[round(float(x), 5) for x in whole.intercept_],
        temperature=temperature,
        sure_at=bars[95],
        bars=bars,
        categories=_categories(letters),
        letters=len(letters),
    )
    return model, quality


def _categories(letters: Sequence[Letter]) -> dict[str, str]:
    """The commonest category of each department."""
    count = Counter((one.owner, one.category) for one in letters if one.category)
    found: dict[str, str] = {}
    for (owner, category), _ in sorted(count.items(), key=lambda item: (-item[1], item[0])):
        found.setdefault(owner, category or "")
    return dict(sorted(found.items()))


def hashed_grams(texts: Sequence[tuple[str, str]], buckets: int) -> Any:
    """A row for every title and text: which runs of characters it has, of length 1 or less."""
    import numpy as np
    from scipy.sparse import csr_matrix

    rows, columns, values = [], [], []
    for row, (title, text) in enumerate(texts):
        found = hashed(title, text, buckets)
        rows += [row] * len(found)
        columns += found
        values += [1 / np.sqrt(len(found))] * len(found)
    return csr_matrix((values, (rows, columns)), shape=(len(texts), buckets))


def rareness(grams: Any) -> Any:
    """How much each run may say: as much as the logarithm of how rare it is.

    A weight learned for what was multiplied by it gives way to others the sooner the commoner the
    run is; multiplied into the weight in the end, it costs nothing when the model is asked.
    """
    import numpy as np

    seen = np.asarray((grams > 0).sum(axis=0)).ravel()
    return np.log((grams.shape[0] + 1) / (seen + 1)) / 4


def _fit(features: Any, owners: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=300, tol=1e-3).fit(features, owners)


def _softmax(logits: Any, temperature: float) -> Any:
    import numpy as np

    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def _loss(
    logits: Any, temperature: float, letters: Sequence[Letter], classes: Sequence[str]
) -> float:
    import numpy as np

    shares = _softmax(logits, temperature)
    rows = np.arange(len(letters))
    right = shares[rows, [classes.index(one.owner) for one in letters]]
    return float(-np.log(np.maximum(right, 1e-9)).mean())


def _with_rules(shares: Any, ruled: Sequence[Decision], classes: Sequence[str]) -> Any:
    """What is decided by: the model and the rules."""
    import numpy as np

    both = [
        list(with_rules(dict(zip(classes, row, strict=True)), decision).values())
        for row, decision in zip(shares.tolist(), ruled, strict=True)
    ]
    return np.array(both) / np.sum(both, axis=1, keepdims=True)


def _in_mail(letters: Sequence[Letter], ruled: Sequence[Decision]) -> Any:
    """How much each letter counts where letters come as they come by mail."""
    import numpy as np

    forced = [one.emergency or one.category == "conduct" for one in ruled] or [False] * len(letters)
    weights = np.array(
        [float(not (one.alike or by_rule)) for one, by_rule in zip(letters, forced, strict=True)]
    )
    others = np.array([one.owner == NOT_OURS for one in letters])
    ours, theirs = weights[~others].sum(), weights[others].sum()
    if ours and theirs:
        weights[others] *= ours / theirs * NOT_OURS_IN_MAIL / (1 - NOT_OURS_IN_MAIL)
    return weights


def _judge(
    shares: Any, letters: Sequence[Letter], classes: Sequence[str], weights: Any
) -> tuple[Quality, dict[int, float]]:
    """What it did, and from which probability on it was right so often."""
    import numpy as np

    order = np.argsort(-shares, axis=1)
    fine = [{one.owner, *one.acceptable} for one in letters]
    first = np.array([classes[row[0]] in ok for row, ok in zip(order, fine, strict=True)])
    three = np.array(
        [bool({classes[k] for k in row[:3]} & ok) for row, ok in zip(order, fine, strict=True)]
    )
    top = shares.max(axis=1)
    ours = np.array([classes[row[0]] != NOT_OURS for row in order]) & (weights > 0)
    bars = bars_of(top[ours], first[ours], _FEWEST, weights[ours])
    sent = ours & (top >= bars[95])
    total = max(weights.sum(), 1e-9)
    return Quality(
        letters=len(letters),
        first=float((weights * first).sum() / total),
        three=float((weights * three).sum() / total),
        alone=float(weights[sent].sum() / total),
        precision=float((weights * first)[sent].sum() / weights[sent].sum()) if sent.any() else 0.0,
    ), bars


def bars_of(top: Any, right: Any, fewest: int, weights: Any = None) -> dict[int, float]:
    """For each of `PRECISIONS` from which probability in `top` on so many in 100 were `right`.

    `weights`: how much each of them counts.
    """
    import numpy as np

    surest = np.argsort(-top, kind="stable")
    each = np.ones(len(top)) if weights is None else weights[surest]
    counted = np.cumsum(each)
    precision = np.cumsum(each * right[surest]) / counted
    bars = {}
    for percent in PRECISIONS:
        enough = np.flatnonzero(precision[fewest - 1 :] >= percent / 100)
        bars[percent] = float(top[surest[enough[-1] + fewest - 1]]) if len(enough) else NEVER
    # Downwards, so that nothing that was counted falls below its own bar.
    return {percent: math.floor(1000 * bar) / 1000 for percent, bar in bars.items()}
