"""What learning costs and what it is worth: texts a second, decisions, training, a year.

Letters are those of `history.py`: few sentences put together in many ways. What is right of them
says how ways of learning compare, and not how right it is about what people write.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from services.routing.app import build
from services.routing.domain import Decision, Lesson, Model, Precedent, Submission, decide
from services.routing.domain import weigh_up as weigh
from services.routing.domain.model import NOT_OURS
from services.routing.learning import train_beside
from services.routing.seeds import shipped_model, shipped_rules
from shared.contracts.intake import FeedbackReceived
from shared.contracts.vocabulary import Channel
from shared.embedded import EmbeddedModel, Servers
from shared.embeddings import Embedder, Vector, beginning
from shared.ids import new_id
from shared.process import embedder_of
from shared.service import Runtime, Service
from tests import support
from tests.benchmarks import history
from tests.benchmarks.report import Report, percentile

MANY = 20_000
"""Letters to learn from."""
YEAR, BEFORE, EVERY = 1_800, 600, 200
"""Letters of the year, those imported before it, and labels after which it learns again."""
RATES = ((1, 30), (2, 20), (20, 8))
"""Comments a second, for so many seconds."""


async def run(servers: Servers, runtime: Runtime, report: Report) -> None:
    """All of it, on one embedder."""
    data = Path(runtime.settings.data)
    server = EmbeddedModel(data)
    server.begin()
    embedder = embedder_of(runtime.settings.model_copy(update={"embeddings": "builtin"}))
    try:
        while not await server.answers():
            await asyncio.sleep(0.1)
        past = history.year(BEFORE + YEAR)
        vectors = await _embedded(embedder, past, report)
        await _decisions(runtime, embedder, past, report)
    finally:
        await embedder.close()
        await server.stop()
    await _training(past, vectors, report)
    await _year(past, vectors, report)


async def _embedded(
    embedder: Embedder, past: Sequence[history.Past], report: Report
) -> list[Vector]:
    """A vector of each letter."""
    vectors: list[Vector] = []
    rates = []
    for first in range(0, len(past), 200):
        begun = time.perf_counter()
        some = [beginning("", one.text) for one in past[first : first + 200]]
        vectors += await embedder.embed(some, within=600)
        rates.append(len(some) / (time.perf_counter() - begun))
    report.figure("texts embedded", rates, "/s")
    return vectors


async def _decisions(
    runtime: Runtime, embedder: Embedder, past: Sequence[history.Past], report: Report
) -> None:
    """From a comment that is there to a decision that is stored; what waits is taken together."""
    service = await support.prepared(build, runtime)
    for seed in service.seeds:
        await seed(False)
    service.deps.meaning.embedder = embedder
    await support.process_batch(service, _received(past[0].text))
    for rate, seconds in RATES:
        took = await _at_rate(service, [one.text for one in past[: rate * seconds]], rate)
        async with service.engine.connect() as connection:
            rows = await connection.exec_driver_sql(
                "SELECT count(*) FILTER (WHERE model_version IS NULL AND NOT emergency) "
                "FROM (SELECT * FROM decisions ORDER BY at DESC LIMIT $1) AS last",
                (rate * seconds,),
            )
            by_rules = rows.scalar_one()
        report.figure(f"decision at {rate}/s, p50", [1000 * percentile(took, 0.5)], "ms")
        report.figure(f"decision at {rate}/s, p99", [1000 * percentile(took, 0.99)], "ms")
        report.figure("  of these by the rules alone", [100 * by_rules / len(took)], "%")
        if rate == 2:
            report.limit("decision at 2/s, p99", percentile(took, 0.99), "s", goal=2, fails=10)
    report.figure("memory of the process", [psutil.Process().memory_info().rss / 1e6], "MB")
    await service.engine.dispose()


async def _at_rate(service: Service, texts: Sequence[str], rate: int) -> list[float]:
    """Seconds from when each was due to when its decision was committed."""
    begun = time.perf_counter()
    due = [begun + n / rate for n in range(len(texts))]
    took: list[float] = []
    while len(took) < len(texts):
        now = time.perf_counter()
        waiting = [n for n in range(len(took), len(texts)) if due[n] <= now]
        if not waiting:
            await asyncio.sleep(due[len(took)] - now)
            continue
        await support.process_batch(service, *(_received(texts[n]) for n in waiting))
        took += [time.perf_counter() - due[n] for n in waiting]
    return took


def _received(text: str) -> FeedbackReceived:
    return FeedbackReceived(
        feedback_id=new_id(),
        at=history.BEGIN,
        channel=Channel.WEB,
        code_hash="0" * 64,
        text=text,
    )


async def _training(
    past: Sequence[history.Past], vectors: Sequence[Vector], report: Report
) -> None:
    """20,000 letters: as many texts, each with the vector of a like one that is moved a little."""
    dice = random.Random(5)
    known = dict(zip((one.text for one in past), vectors, strict=True))
    like = list(known.values())
    lessons = []
    for one in history.year(MANY, seed=7):
        vector = known.get(one.text) or [x + dice.gauss(0, 0.01) for x in dice.choice(like)]
        # Four times as long: some hundred characters, as what people write.
        text = "；".join([one.text, *(past[dice.randrange(len(past))].text for _ in range(3))])
        lessons.append(Lesson(_owner(one), vector, text=text, new=True))
    shipped = shipped_model()
    begun = time.perf_counter()
    watched = asyncio.create_task(_most_memory())
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    await train_beside(_in_parts(lessons), shipped, shipped, _owners(), judged=4_000)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    passed = time.perf_counter() - begun
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    watched.cancel()
    most = (await asyncio.gather(watched, return_exceptions=True))[0]
    report.limit(f"training on {MANY:,} letters, CPU", took, "s", goal=60, fails=180)
    report.figure("  that passed", [passed], "s")
    if isinstance(most, _Stopped):
        report.figure("  memory of the process that trains", [most.most / 1e6], "MB")


class _Stopped(Exception):
    def __init__(self, most: int) -> None:
        self.most = most


async def _most_memory() -> None:
    """Watch the child that trains; says with `_Stopped` how much it had at most."""
    most = 0
    try:
        while True:
            for child in psutil.Process(os.getpid()).children():
                try:
                    if "services.routing.learning" in child.cmdline():
                        most = max(most, child.memory_info().rss)
                except psutil.Error:
                    continue
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        raise _Stopped(most) from None


async def _year(past: Sequence[history.Past], vectors: Sequence[Vector], report: Report) -> None:
    """A library imports its history, then a year comes in; one learns on, one stays as it was."""
    owners, shipped = _owners(), shipped_model()
    lessons = [
        Lesson(_owner(one), vector, text=one.text, new=True)
        for one, vector in zip(past, vectors, strict=True)
    ]
    matrix = np.asarray(vectors, np.float32)
    first = await train_beside(
        _in_parts(lessons[:BEFORE]), shipped, shipped, owners, judged=BEFORE // 5
    )
    frozen = running = first.model
    right: dict[str, list[bool]] = {"frozen": [], "learning": []}
    for start, stop in pairwise([*range(BEFORE, len(lessons), EVERY), len(lessons)]):
        for n in range(start, stop):
            for name, model in (("frozen", frozen), ("learning", running)):
                told = _nearest(lessons, matrix, n) if name == "learning" else []
                decision = _decided(model, lessons[n], told)
                guess = NOT_OURS if decision.category == NOT_OURS else decision.department
                right[name].append(guess == lessons[n].owner)
        some = [replace(one, new=n >= start) for n, one in enumerate(lessons[:stop])]
        judged = min(EVERY, stop // 5)
        trained = await train_beside(_in_parts(some), shipped, running, owners, judged=judged)
        running = trained.model if trained.is_no_worse else running
    third = YEAR // 3
    for name in right:
        share = sum(right[name][-third:]) / third
        report.figure(f"first right in the last third, {name}", [100 * share], "%")
    wrong = {name: third - sum(said[-third:]) for name, said in right.items()}
    fewer = 100 * (1 - wrong["learning"] / max(1, wrong["frozen"]))
    report.limit("errors fewer than frozen", fewer, "%", goal=25, fails=0, at_least=True)


_RULES = shipped_rules().ruleset


def _decided(model: Model, one: Lesson, told: list[Precedent]) -> Decision:
    said = Submission(text=one.text)
    shares = model.probabilities(one.vector, "", one.text)
    return weigh(decide(_RULES, said), model, shares, told, said)


def _nearest(lessons: Sequence[Lesson], matrix: Any, n: int) -> list[Precedent]:
    """The nearest of those that came before, as the database finds them."""
    near = matrix[:n] @ matrix[n]
    return [Precedent(str(k), lessons[k].owner, float(near[k])) for k in np.argsort(-near)[:3]]


def _owner(one: history.Past) -> str:
    return NOT_OURS if one.owner == history.NOT_OURS else one.owner


def _owners() -> list[str]:
    return [*history.OURS, NOT_OURS]


async def _in_parts(lessons: Sequence[Lesson]) -> AsyncGenerator[Sequence[Lesson], None]:
    for first in range(0, len(lessons), 500):
        yield lessons[first : first + 500]
