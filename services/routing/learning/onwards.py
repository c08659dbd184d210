"""Learning on from what is shipped: this library's letters move its weights, and no further
than they give reason to.

The likeliest weights where those that are shipped are what one believed before: a department
of which nothing new is known stays what it was, and one that is new begins at nothing. What nobody
teaches (conduct, above all) would all the same give way to what many letters say; so letters that
the shipped model was learned from are rehearsed: of them is said what that says. What only
few letters have in common is left out, so that no version holds a single person's words.

Letters that say the same are one lesson, however many there are (`alike.py`), and how sure a
version may be is told by letters that say what none before them said (`surety.py`).
"""

from __future__ import annotations

import base64
import json
import time
from array import array
from typing import IO, Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, vstack

from services.routing.domain import Kinds, Model
from services.routing.domain.model import NOT_OURS, PRECISIONS, bar_among, hashed, packed
from services.routing.learning.alike import apart, counts, unlike
from services.routing.learning.kinds_onwards import move_kinds
from services.routing.learning.rehearsal import shipped_rehearsal
from services.routing.learning.report import KindQuality, Quality, Trained, falls_short
from services.routing.learning.scratch import GRAMS, MEANING, bars_of
from services.routing.learning.surety import bars_of_all, categories, floors

FEWEST = 5
"""Letters that must have a run of characters in common before it counts."""
STEPS = 60
REHEARSED = 3.0
"""How much each letter that is rehearsed counts: the shipped model was learned from three times as
many."""
_FEWEST_ALONE = 20
"""Letters that have to be sent for it to be told how often that is right."""
_FEWEST_HEARD = 60
"""Letters that say something new on which it can be told how sure a version may be."""
_TEMPERATURES = [0.4 + n / 20 for n in range(55)]


def learn(source: IO[bytes]) -> Trained:
    """What `beside.train_beside` tells, learned."""
    began = time.process_time()
    head = json.loads(source.readline())
    shipped, running = Model(**head["shipped"]), Model(**head["running"])
    owners: list[str] = []
    said_categories: list[str | None] = []
    vectors: list[Any] = []
    grams: list[array[int]] = []
    new: list[bool] = []
    said: dict[str, list[str | None]] = {"type": [], "priority": []}
    for line in source:
        one = json.loads(line)
        owners.append(one["owner"])
        said_categories.append(one["category"])
        new.append(one["new"])
        for name, values in said.items():
            values.append(one.get(name))
        vectors.append(np.frombuffer(base64.b64decode(one["vector"]), dtype=np.float32))
        found = one.get("grams")
        if found is None:
            found = hashed(one["title"], one["text"], shipped.buckets)
        grams.append(array("i", found))
    table = np.stack(vectors)
    letters = _Letters(table, grams, shipped)
    each = counts(table)
    classes = _classes(owners, shipped, head["departments"])
    truth = np.array([classes.index(owner) for owner in owners])
    begin = _Weights.of(shipped, classes, shipped.buckets)
    fresh = np.flatnonzero(new)
    later = fresh[len(fresh) - head["judged"] :]
    earlier = np.setdiff1d(np.arange(len(owners)), later)
    unheard_of = apart(table, earlier, later)
    enough = len(unheard_of) >= _FEWEST_HEARD
    later = unheard_of if enough else later
    rehearsed = _rehearsed(letters, shipped, classes, table)
    moved = _moved(letters, begin, truth, earlier, each, rehearsed, None)
    there, wanted = letters.logits(begin.plus(moved), later), head["precision"]
    coolest, lowest = floors(classes, shipped)
    temperature, bars = shipped.temperature, bars_of_all(shipped)
    if enough:
        fits = min(_TEMPERATURES, key=lambda t: _loss(there, truth[later], t))
        temperature = max(coolest, fits)
        bars = _bars(_softmax(there, temperature), truth[later], classes)
        bars = {percent: max(bar, lowest.get(percent, 0.0)) for percent, bar in bars.items()}
    shares = _softmax(there, temperature)
    quality = _judge(shares, truth[later], classes, bars, wanted)
    old_shares = _shares_of(running, letters, later, classes)
    old = _judge(old_shares, truth[later], classes, {}, wanted, bar=running.bar(wanted))
    raised: Model | None = None
    with_raised: Quality | None = None
    sent = round(old.alone * old.letters)
    if falls_short(sent, round(old.precision * sent), wanted):
        raised = _raised(running, _bars(old_shares, truth[later], classes))
        bar = raised.bar(wanted)
        with_raised = _judge(old_shares, truth[later], classes, raised.bars, wanted, bar=bar)
    whole = begin.plus(
        _moved(letters, begin, truth, np.arange(len(owners)), each, rehearsed, moved)
    )
    model = whole.model(
        shipped,
        classes,
        temperature=temperature,
        sure_at=bars[95],
        bars=bars,
        letters=len(owners),
        categories=categories(shipped, _commonest(owners, said_categories)),
    )
    kinds: Kinds | None = None
    kind_quality: dict[str, KindQuality] = {}
    if head.get("kinds"):
        first, now = (Kinds(**one) for one in head["kinds"])
        kinds, kind_quality = move_kinds(first, now, table, said, unheard_of, each)
    return Trained(
        model=model,
        new=quality,
        running=old,
        seconds=time.process_time() - began,
        unheard_of=len(unheard_of),
        kinds=kinds,
        kind_quality=kind_quality,
        promised=wanted,
        raised=raised,
        with_raised=with_raised,
    )


def _raised(model: Model, bars: dict[int, float]) -> Model:
    """The same, sending only from `bars` on, and nowhere from less than it did."""
    higher = {percent: max(bars[percent], model.bar(percent / 100)) for percent in PRECISIONS}
    return model.model_copy(update={"bars": higher, "sure_at": higher[95]})


class _Weights:
    """Of meaning, of characters, and the bias; a row for every class."""

    def __init__(self, meaning: Any, grams: Any, bias: Any) -> None:
        self.meaning, self.grams, self.bias = meaning, grams, bias

    @classmethod
    def of(cls, model: Model, classes: list[str], buckets: int) -> _Weights:
        """Those of a model, for these classes and buckets; nothing for what it does not know."""
        n, d = len(model.classes), model.dimensions
        meaning = np.frombuffer(model.meaning, dtype=np.int8).reshape(n, d)
        table = np.frombuffer(model.grams, dtype=np.int8)
        # One of fewer buckets says the same in each of those that its own are the remainders of.
        table = np.tile(table.reshape(model.buckets, n), (buckets // model.buckets, 1))
        found = cls(
            np.zeros((len(classes), d), np.float32),
            np.zeros((len(classes), buckets), np.float32),
            np.full(len(classes), min(model.bias), np.float32),
        )
        for row, name in enumerate(classes):
            if name in model.classes:
                at = model.classes.index(name)
                found.meaning[row] = meaning[at] * (model.meaning_scale / MEANING)
                found.grams[row] = table[:, at] * (model.grams_scale / GRAMS)
                found.bias[row] = model.bias[at]
        return found

    def plus(self, other: _Weights) -> _Weights:
        return _Weights(
            self.meaning + other.meaning, self.grams + other.grams, self.bias + other.bias
        )

    def model(self, shipped: Model, classes: list[str], **more: Any) -> Model:
        meaning, meaning_scale = packed((self.meaning * MEANING).ravel().tolist())
        table, grams_scale = packed((self.grams * GRAMS).T.ravel().tolist())
        return Model(
            embedder=shipped.embedder,
            classes=classes,
            dimensions=shipped.dimensions,
            buckets=shipped.buckets,
            meaning=meaning,
            meaning_scale=meaning_scale,
            mean=shipped.mean,
            grams=table,
            grams_scale=grams_scale,
            bias=[round(float(x), 5) for x in self.bias],
            **more,
        )


class _Letters:
    """The features of all letters, the oldest first."""

    def __init__(
        self, vectors: Any, grams: list[array[int]], shipped: Model, common: Any = None
    ) -> None:
        mean = np.asarray(shipped.mean, np.float32)
        self.meaning = ((vectors - mean) * MEANING).astype(np.float32)
        rows = np.repeat(np.arange(len(grams)), [len(g) for g in grams])
        columns = np.concatenate([np.empty(0, np.int64), *grams]).astype(np.int64)
        weights = np.repeat(
            [GRAMS / np.sqrt(max(1, len(g))) for g in grams], [len(g) for g in grams]
        ).astype(np.float32)
        shape = (len(grams), shipped.buckets)
        # Two runs in one bucket count twice, as they do when the model is asked.
        self.grams = csr_matrix((weights, (rows, columns)), shape=shape, dtype=np.float32)
        if common is None:
            seen = csr_matrix((np.ones_like(weights), (rows, columns)), shape=shape)
            seen.data[:] = 1
            common = np.where(np.asarray(seen.sum(axis=0)).ravel() >= FEWEST)[0]
        self.common = common
        self.learned = self.grams[:, common].tocsr()

    def others(self, vectors: Any, grams: list[array[int]], shipped: Model) -> _Letters:
        """Other letters; of their runs those count that are common in these."""
        return _Letters(vectors, grams, shipped, self.common)

    def logits(self, weights: _Weights, rows: Any) -> Any:
        return (
            self.meaning[rows] @ weights.meaning.T
            + self.grams[rows] @ weights.grams.T
            + weights.bias
        )


def _rehearsed(letters: _Letters, shipped: Model, classes: list[str], table: Any) -> _Letters:
    """The letters to rehearse: whose the shipped model says they are exists here, and this
    library's own letters do not say the same."""
    rehearsal = shipped_rehearsal()
    if rehearsal.embedder != shipped.embedder:
        return letters.others(table[:0], [], shipped)
    vectors, grams = rehearsal.features(shipped.buckets)
    found = letters.others(vectors, grams, shipped)
    rows = np.arange(len(grams))
    said = found.logits(_Weights.of(shipped, shipped.classes, shipped.buckets), rows).argmax(axis=1)
    exists = np.isin(said, [at for at, one in enumerate(shipped.classes) if one in classes])
    kept = np.flatnonzero(exists & unlike(vectors, table))
    return letters.others(vectors[kept], [grams[at] for at in kept], shipped)


def _moved(
    letters: _Letters,
    begin: _Weights,
    truth: Any,
    rows: Any,
    each: Any,
    rehearsed: _Letters,
    last: _Weights | None,
) -> _Weights:
    """How far the letters in `rows` move the weights, of which every one is so much of a lesson as
    `each` says, and those that are `rehearsed` hold them; `last` is where to begin looking."""
    classes, d = begin.meaning.shape
    common = letters.common
    meaning = np.concatenate([letters.meaning[rows], rehearsed.meaning])
    grams = vstack([letters.learned[rows], rehearsed.learned]).tocsr()
    turned = grams.T.tocsr()
    held = rehearsed.logits(begin, np.arange(len(rehearsed.meaning)))
    base = np.concatenate([letters.logits(begin, rows), held])
    wanted = np.concatenate([np.eye(classes, dtype=np.float32)[truth[rows]], _softmax(held, 1.0)])
    counted = np.concatenate([each[rows], np.full(len(held), REHEARSED, np.float32)])
    n, g = classes * d, classes * len(common)

    def value(x: Any) -> tuple[float, Any]:
        x = x.astype(np.float32)
        a, b = x[:n].reshape(classes, d), x[n : n + g].reshape(classes, len(common))
        logits = base + meaning @ a.T + grams @ b.T + x[n + g :]
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        shares = powers / powers.sum(axis=1, keepdims=True)
        # The biases are held too: letters that all belong to one department, as a file may
        # begin with, do not make every other letter belong there.
        told = (wanted * np.log(np.maximum(shares, 1e-12))).sum(axis=1)
        loss = 0.5 * float(x @ x) - counted @ told
        shares = (shares - wanted) * counted[:, None]
        gradient = np.concatenate(
            [
                (shares.T @ meaning).ravel() + x[:n],
                (turned @ shares).T.ravel() + x[n : n + g],
                shares.sum(axis=0) + x[n + g :],
            ]
        )
        return float(loss), gradient.astype(np.float64)

    start = np.zeros(n + g + classes)
    if last is not None:
        start = np.concatenate(
            [last.meaning.ravel(), last.grams[:, common].ravel(), last.bias]
        ).astype(np.float64)
    options = {"maxiter": STEPS if last is None else STEPS // 2, "maxcor": 8, "ftol": 1e-5}
    x = minimize(value, start, jac=True, method="L-BFGS-B", options=options).x
    x = x.astype(np.float32)
    table = np.zeros_like(begin.grams)
    table[:, common] = x[n : n + g].reshape(classes, len(common))
    return _Weights(x[:n].reshape(classes, d), table, x[n + g :])


def _classes(owners: list[str], shipped: Model, departments: list[str]) -> list[str]:
    """Where something can belong: departments that exist, and what is not ours."""
    known = set(departments) | {NOT_OURS}
    return sorted((set(owners) | set(shipped.classes)) & known | set(owners))


def _shares_of(model: Model, letters: _Letters, rows: Any, classes: list[str]) -> Any:
    """What a model says of these letters; nothing for classes that it does not know."""
    own = _Weights.of(model, model.classes, letters.grams.shape[1])
    shares = _softmax(letters.logits(own, rows), model.temperature)
    found = np.zeros((len(shares), len(classes)))
    for at, name in enumerate(model.classes):
        if name in classes:
            found[:, classes.index(name)] = shares[:, at]
    return found


def _softmax(logits: Any, temperature: float) -> Any:
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def _loss(logits: Any, truth: Any, temperature: float) -> float:
    shares = _softmax(logits, temperature)
    return float(-np.log(np.maximum(shares[np.arange(len(truth)), truth], 1e-9)).mean())


def _bars(shares: Any, truth: Any, classes: list[str]) -> dict[int, float]:
    """From which share on it was right so often. What is not ours is never sent by itself."""
    best = shares.argmax(axis=1)
    ours = best != classes.index(NOT_OURS)
    return bars_of(shares.max(axis=1)[ours], (best == truth)[ours], _FEWEST_ALONE)


def _judge(
    shares: Any,
    truth: Any,
    classes: list[str],
    bars: dict[int, float],
    precision: float,
    *,
    bar: float | None = None,
) -> Quality:
    """What it did, sending from `bar` on, or from that of `bars` for `precision`."""
    order = np.argsort(-shares, axis=1)
    first = order[:, 0] == truth
    three = (order[:, :3] == truth[:, None]).any(axis=1)
    top = shares.max(axis=1)
    ours = order[:, 0] != classes.index(NOT_OURS)
    sent = ours & (top >= (bar_among(bars, precision) if bar is None else bar))
    return Quality(
        letters=len(truth),
        first=float(first.mean()),
        three=float(three.mean()),
        alone=float(sent.mean()),
        precision=float(first[sent].mean()) if sent.any() else 0.0,
        offers={at: round(float((ours & (top >= one)).mean()), 3) for at, one in bars.items()},
    )


def _commonest(owners: list[str], categories: list[str | None]) -> dict[str, str]:
    """The commonest category of each department."""
    count: dict[tuple[str, str], int] = {}
    for owner, category in zip(owners, categories, strict=True):
        if category:
            count[owner, category] = count.get((owner, category), 0) + 1
    found: dict[str, str] = {}
    for owner, category in sorted(count, key=lambda key: (-count[key], key)):
        found.setdefault(owner, category)
    return dict(sorted(found.items()))
