"""What meaning costs at many cases: a search, near-equal cases, texts a second, the index.

The words are those of the corpus, each case with some of its own; the vectors are invented around a
hundred matters, since embedding so many would take hours. Questions and new cases are embedded by
the model.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import psutil

from services.desk.api.cases import page_body
from services.desk.api.searching import question_of
from services.desk.api.similar import similar_items
from services.desk.api.views import ViewContext
from services.desk.app import build
from services.desk.domain import Viewer, scopes_of
from services.desk.domain.matters import matter_of
from services.desk.jobs import meaning as jobs
from services.desk.seeds import seed_departments
from services.desk.store import meanings
from services.desk.store.looks import Wanted
from services.desk.store.queues import looking
from shared.contracts.vocabulary import Role
from shared.db.engine import driver_of
from shared.db.nearest import index
from shared.embedded import EmbeddedModel, Servers
from shared.embeddings import Embedder
from shared.process import embedder_of
from shared.service import Runtime, Service
from tests import support
from tests.benchmarks.report import Report, percentile
from tests.benchmarks.seeding import Copies, multiply
from tests.benchmarks.varied import vary
from tests.service.desk import examples

MANY = int(os.environ.get("BENCH_CASES", "100000"))
QUESTIONS = ("占座没人管", "空调太冷", "wifi keeps dropping", "还书显示未还", "打印机卡纸怎么办")
ROUNDS, BLOCK = 8, 5_000
SIZE, MATTERS = 384, 100


async def run(servers: Servers, runtime: Runtime, report: Report) -> None:
    """Fill, index, then ask."""
    server = EmbeddedModel(Path(runtime.settings.data))
    server.begin()
    embedder = embedder_of(runtime.settings.model_copy(update={"embeddings": "builtin"}))
    service = await support.prepared(build, runtime)
    try:
        while not await server.answers():
            await asyncio.sleep(0.1)
        begun = time.perf_counter()
        texts = [f"{n} {text}" for n, text in enumerate(QUESTIONS * 8)]
        for one in texts:
            await embedder.embed([one])
        spent = time.perf_counter() - begun
        report.figure("texts embedded, one by one", [len(texts) / spent], "/s")
        await seed_departments(service)
        service.deps.meaning.embedder = embedder
        await _fill(service, embedder, report)
        await _ask(service, report)
        await _candidates(service, report)
    finally:
        await service.engine.dispose()
        await embedder.close()
        await server.stop()


async def _fill(service: Service[Any], embedder: Embedder, report: Report) -> None:
    events = [examples.received(text=f"占座 {n}") for n in range(50)]
    await support.process_batch(service, *events)
    ids = [event.feedback_id for event in events]

    async def then(connection: asyncpg.Connection) -> None:
        ids[:] = await vary(connection)

    await multiply(service.database, Copies(ids, MANY // 50 - 1, timedelta(minutes=2)), then=then)
    stamp = meanings.stamp(embedder.model)
    rng = np.random.default_rng(1)
    centres, common = rng.normal(size=(MATTERS, SIZE)), 6 * rng.normal(size=SIZE)
    connection = await service.database.connect(name="bench", command_timeout=3600)
    try:
        words = await connection.fetch("SELECT feedback_id, title FROM words")
        titles = {row["feedback_id"]: row["title"] for row in words}
        await connection.execute("TRUNCATE meanings")
        now = service.runtime.clock.now()
        for first in range(0, len(ids), BLOCK):
            some = ids[first : first + BLOCK]
            made = common + centres[rng.integers(MATTERS, size=len(some))]
            made = made + 0.7 * rng.normal(size=made.shape)
            made /= np.linalg.norm(made, axis=1, keepdims=True)
            rows = [
                (one, stamp, now, sorted(matter_of(titles[one]).things), [float(x) for x in vector])
                for one, vector in zip(some, made, strict=True)
            ]
            await connection.copy_records_to_table(
                "meanings", records=rows, columns=["feedback_id", "model", "at", "things", "vector"]
            )
        begun = time.perf_counter()
        await index(connection, meanings.TABLE, stamp, SIZE)
        report.figure(f"index of {len(ids):,} vectors", [time.perf_counter() - begun], "s")
        await connection.execute("VACUUM ANALYZE meanings")
        size = await connection.fetchval(
            "SELECT sum(pg_relation_size(indexrelid)) FROM pg_stat_user_indexes "
            "WHERE indexrelname LIKE 'meanings_nearest_%'"
        )
        report.figure("  on disk", [float(size) / 1e6], "MB")
        found = await connection.fetch(
            f"EXPLAIN SELECT feedback_id FROM meanings WHERE model = '{stamp}' "
            f"ORDER BY vector::halfvec({SIZE}) <=> $1::real[]::halfvec({SIZE}) LIMIT 10",
            [float(x) for x in centres[0]],
        )
        plan = "\n".join(row[0] for row in found)
        assert "Index Scan using meanings_nearest_" in plan, plan
    finally:
        await connection.close()
    service.deps.meaning.indexed = True


async def _took(ask: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await ask()
    return 1000 * (time.perf_counter() - begun)


async def _ask(service: Service[Any], report: Report) -> None:
    viewer = Viewer("bench", frozenset({Role.COORDINATOR}))
    now = service.runtime.clock.now()
    context = ViewContext(viewer, now, "zh", service.runtime.directory)
    wanted = Wanted(
        scopes=scopes_of(viewer), accounts=("bench",), own_department=None, now=now, limit=30
    )
    async with service.engine.connect() as connection:
        rows = await driver_of(connection).fetch(
            "SELECT feedback_id FROM meanings ORDER BY md5(feedback_id) LIMIT 40"
        )
    anew: list[float] = []
    again: list[float] = []
    words: list[float] = []
    for floor in range(1, ROUNDS + 1):
        for text in QUESTIONS:
            # Nobody has asked this yet: its vector is made first, and kept for the next time.
            asked = replace(wanted, q=f"{text} {floor}层")

            async def search(asked: Wanted = asked, *, meant: bool = True) -> None:
                question = await question_of(service, asked) if meant else None
                by_meaning = question is not None and question.indexed
                async with (
                    service.engine.connect() as connection,
                    looking(connection, by_meaning=by_meaning),
                ):
                    await page_body(connection, asked, context, question)

            anew.append(await _took(search))
            again.append(await _took(search))
            asked = replace(wanted, q=text)
            words.append(await _took(lambda ask=search, q=asked: ask(q, meant=False)))
    report.figure(f"search at {MANY:,}, words alone", words, "ms")
    for name, took in (("asked for the first time", anew), ("asked again", again)):
        report.figure(f"  words and meaning, {name}", took, "ms")
        for share, fails in ((0.5, 2000), (0.95, 5000)):
            said = f"search by meaning, {name}, p{100 * share:.0f}"
            report.limit(said, percentile(took, share), "ms", goal=100, fails=fails)
    near = [
        await _took(lambda one=row["feedback_id"]: similar_items(service, one, context))
        for row in rows
    ]
    report.figure(f"near-equal cases at {MANY:,}", near, "ms")
    report.limit("near-equal cases, p50", percentile(near, 0.5), "ms", goal=100, fails=2000)


async def _candidates(service: Service[Any], report: Report) -> None:
    """From when a case is there until near-equal ones can be asked for by its meaning."""
    took = []
    for n in range(10):
        event = examples.received(text=f"三层自习区第{n}排一直有人用水杯占着座位")
        await support.process_batch(service, event)
        begun = time.perf_counter()
        await jobs.embed_arrived(service)
        took.append(jobs.GIVE_WAY + time.perf_counter() - begun)
    report.figure("receipt → candidates by meaning", took, "s")
    report.limit("receipt → candidates, worst", max(took), "s", goal=1, fails=30)
    model = [
        p
        for p in psutil.Process().children(recursive=True)
        if "model_server" in " ".join(p.cmdline())
    ]
    if model:
        report.figure("memory of the model", [p.memory_info().rss / 1e6 for p in model], "MB")
    report.figure("memory of desk", [psutil.Process().memory_info().rss / 1e6], "MB")
