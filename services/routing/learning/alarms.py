"""From letters that tell of an emergency, and those that do not, to an `AlarmModel`."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.routing.domain.alarms import LANGUAGES, AlarmModel, language
from services.routing.domain.model import packed
from services.routing.learning.scratch import hashed_grams, rareness

BUCKETS = 1 << 17
"""Few runs of characters share one: with a sixteenth of them a tenth fewer emergencies were heard
by characters alone."""
NARROWNESS, GRAMS = 1.0, 16.0
"""How near an example has to be to count, and how much characters do; the best of a few, on parts
that were left out."""
EMERGENCIES_WEIGH = 2.0
"""A missed one is worse than a false alarm."""
FALSE_ALARMS = 0.02
"""In ordinary letters, of hands that taught nothing: what the threshold may let through."""
FALSE_ALIKE = 0.30
"""The same in letters that were written to sound like an emergency."""
FOLDS = 8
"""Hands are left out in so many turns."""


@dataclass(frozen=True, slots=True)
class AlarmLetter:
    """A letter, masked, and whether it tells of an emergency."""

    text: str
    title: str
    group: str
    """Letters of one hand: what is learned is judged on hands it has not seen."""
    emergency: bool
    kind: str | None = None
    alike: bool = False
    """It is none, and was written to sound like one."""


def read_alarm_letters(lines: str) -> list[AlarmLetter]:
    """Letters of alarm files (``kind``; without one they sound alike, unless ``alike`` says no) and
    of the corpus; what is called unseen is left alone.

    Of the corpus every P1 is an emergency; P2 about safety, conduct or a platform (somebody follows
    women, a pane is loose, every self-check is blue) is in between, and teaches nothing.
    """
    found = []
    for line in lines.splitlines():
        one = json.loads(line)
        if one["part"].startswith("unseen"):
            continue
        own = "kind" in one
        urgent = one["kind"] is not None if own else one["priority"] == "P1"
        if not own and (one["priority"], one["category"]) in _IN_BETWEEN:
            continue
        found.append(
            AlarmLetter(
                text=one["text"],
                title=one.get("title", ""),
                group=one["part"],
                emergency=urgent,
                kind=one.get("kind"),
                alike=not urgent
                and one.get("alike", own or "false-emergency" in one.get("kinds", ())),
            )
        )
    return found


_IN_BETWEEN = {("P2", "safety"), ("P2", "conduct"), ("P2", "systems")}


@dataclass(frozen=True, slots=True)
class AlarmQuality:
    """What a model of the same kind did with hands it had not seen; shares of 1."""

    letters: int
    emergencies: int
    heard: float
    false_alarms: float
    """Of ordinary letters."""
    false_alike: float
    """Of those that were written to sound like an emergency."""


def train_alarms(
    letters: Sequence[AlarmLetter], vectors: Sequence[Sequence[float]], embedder: str
) -> tuple[AlarmModel, AlarmQuality]:
    """A model of all letters; its probabilities and threshold are those of hands left out."""
    import numpy as np

    given = np.asarray(vectors, dtype=np.float64)
    spoken = np.array([language(one.text) for one in letters])
    grams = hashed_grams([(one.title, one.text) for one in letters], BUCKETS) * GRAMS
    truth = np.array([one.emergency for one in letters])
    alike = np.array([one.alike for one in letters])
    folds = np.array([zlib.crc32(one.group.encode()) % FOLDS for one in letters])
    scores = np.zeros((len(letters), 2))
    for fold in sorted(set(folds)):
        here = folds == fold
        meaning = _apart(given, spoken, _means(given[~here], spoken[~here]))
        scores[here, 0] = _near(meaning[~here], truth[~here]).decision_function(meaning[here])
        said, bias = _said(grams[~here], truth[~here])
        scores[here, 1] = grams[here] @ said + bias
    (near, told), shift, shares = _together(scores, truth)
    threshold = _threshold(shares[~truth & ~alike], shares[alike])
    loud = shares >= threshold
    quality = AlarmQuality(
        letters=len(letters),
        emergencies=int(truth.sum()),
        heard=_share(loud[truth]),
        false_alarms=_share(loud[~truth & ~alike]),
        false_alike=_share(loud[alike]),
    )
    means = _means(given, spoken)
    meaning = _apart(given, spoken, means)
    by_meaning, (said, said_bias) = _near(meaning, truth), _said(grams, truth)
    kept = by_meaning.support_
    examples, examples_scale = packed(meaning[kept].ravel().tolist())
    weights, weights_scale = packed((by_meaning.dual_coef_[0] * near).tolist())
    table, table_scale = packed((said * GRAMS * told).tolist())
    bias = near * by_meaning.intercept_[0] + told * said_bias + shift
    model = AlarmModel(
        embedder=embedder,
        dimensions=meaning.shape[1],
        buckets=BUCKETS,
        means={name: [round(float(x), 6) for x in mean] for name, mean in means.items()},
        examples=examples,
        examples_scale=examples_scale,
        weights=weights,
        weights_scale=weights_scale,
        kinds=[letters[index].kind or "" for index in kept],
        narrowness=NARROWNESS,
        grams=table,
        grams_scale=table_scale,
        bias=round(float(bias), 5),
        threshold=round(threshold, 4),
        letters=len(letters),
    )
    return model, quality


def _share(loud: Any) -> float:
    return float(loud.mean()) if len(loud) else 0.0


def _means(vectors: Any, spoken: Any) -> dict[str, Any]:
    """The mean of the vectors of each language; of all where there are none."""
    return {
        name: (vectors[spoken == name] if (spoken == name).any() else vectors).mean(axis=0)
        for name in LANGUAGES
    }


def _apart(vectors: Any, spoken: Any, means: dict[str, Any]) -> Any:
    """The vectors without the mean of their language, of length 1."""
    import numpy as np

    apart = vectors - np.stack([means[name] for name in spoken])
    return apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-9)


def _near(meaning: Any, truth: Any) -> Any:
    """What the examples nearest to it were."""
    from sklearn.svm import SVC

    weights = {True: EMERGENCIES_WEIGH, False: 1.0}
    return SVC(C=3.0, gamma=NARROWNESS, class_weight=weights).fit(meaning, truth)


def _said(grams: Any, truth: Any) -> tuple[Any, float]:
    """What each run of characters says, and what is said by none of them."""
    from sklearn.linear_model import LogisticRegression

    weights = {True: EMERGENCIES_WEIGH, False: 1.0}
    fitting = LogisticRegression(C=1.0, max_iter=300, tol=1e-3, class_weight=weights)
    rare = rareness(grams)
    fitted = fitting.fit(grams.multiply(rare).tocsr(), truth)
    return fitted.coef_[0] * rare, float(fitted.intercept_[0])


def _together(scores: Any, truth: Any) -> tuple[tuple[float, float], float, Any]:
    """How much each of the two counts, what is added, and the probabilities that come of it."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(scores, truth)
    near, said = (float(one) for one in fitted.coef_[0])
    return (near, said), float(fitted.intercept_[0]), fitted.predict_proba(scores)[:, 1]


def _threshold(ordinary: Any, alike: Any) -> float:
    """The lowest probability that keeps both shares of false alarms; it is none of theirs."""
    import numpy as np

    bars = []
    for shares, allowed in ((ordinary, FALSE_ALARMS), (alike, FALSE_ALIKE)):
        falling = np.sort(shares)[::-1]
        bars.append(float(falling[int(allowed * len(falling))]) if len(falling) else 0.0)
    return float(min(max(*bars, 0.01) + 1e-4, 0.99))
