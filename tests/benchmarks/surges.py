"""Surges in a whole invented term: which planted ones are found and when, and what else is.

Letters of the corpora and of `faults.txt` with the vectors of the real model; each hour is counted
and judged as it is by the running desk, by the things that are named and by meaning at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import numpy as np
from numpy.typing import NDArray

from services.desk.app import build
from services.desk.domain.matters import matter_of
from services.desk.jobs import surges as jobs
from services.desk.seeds import seed_departments
from services.desk.store import meanings, surges
from shared.clock import ManualClock
from shared.contracts.desk import SurgeListed
from shared.embedded import EmbeddedModel, Servers
from shared.embeddings import beginning
from shared.process import embedder_of
from shared.service import Runtime, Service
from tests import support
from tests.benchmarks.report import Report
from tests.service.desk import examples
from tests.unit.desk import told
from tests.unit.desk.told import KINDS, Half, Letter, Planted, Told

SEEDS = (11, 12)
HALF: Half = "chosen" if os.environ.get("SURGES_HALF") == "chosen" else "judged"
"""What the parameters were chosen by are other letters, and other faults."""
SOON = timedelta(minutes=10)
MONTH = timedelta(days=30)
JUDGED_FROM = timedelta(days=14)
"""Before, cases are counted and nothing is asked."""
_HALF = 0.5
Vectors: TypeAlias = Mapping[str, NDArray[np.float32]]

_COPY = """
WITH n AS (SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[])
    AS n(feedback_id, at, place, text)),
c AS (INSERT INTO cases SELECT (jsonb_populate_record(t, jsonb_build_object(
    'feedback_id', n.feedback_id, 'received_at', n.at, 'place', n.place))).*
    FROM cases AS t, n WHERE t.feedback_id = $5)
INSERT INTO words SELECT (jsonb_populate_record(t, jsonb_build_object(
    'feedback_id', n.feedback_id, 'text', n.text, 'search', n.text))).*
    FROM words AS t, n WHERE t.feedback_id = $5
"""


@dataclass
class Seen:
    """What came of a term."""

    planted: dict[int, Planted]
    months: float
    found: dict[int, datetime] = field(default_factory=dict)
    """When the case came with which at least half of a suggested incident told of a planted fault,
    of which some did when it was suggested."""
    pure: dict[int, float] = field(default_factory=dict)
    """Which share of its cases that was."""
    again: int = 0
    """Suggested once more, beside itself."""
    false: list[tuple[datetime, str, int, int, list[str]]] = field(default_factory=list)
    """When, of which matter, how many in how many minutes, and what they said."""

    def of(self, kind: str) -> tuple[int, int, int]:
        """Found with the fifth, within ten minutes of it, of so many."""
        own = [
            (one.fifth, self.found.get(n)) for n, one in self.planted.items() if one.kind == kind
        ]
        took = [found - fifth for fifth, found in own if found is not None]
        return sum(t <= timedelta(0) for t in took), sum(t <= SOON for t in took), len(own)


async def run(servers: Servers, runtime: Runtime, report: Report) -> None:
    """Play the terms, each in an empty desk."""
    known = await vectors_of(runtime, told.texts("chosen", "judged"))
    everything: list[Seen] = []
    for seed in SEEDS:
        seen = await play(runtime, told.term(seed, HALF), known)
        everything.append(seen)
        _tell(f"term {seed}, {HALF}", seen)
    for kind in KINDS:
        counts = [seen.of(kind) for seen in everything]
        fifth, soon, of = (sum(one) for one in zip(*counts, strict=True))
        print(f"  {kind}: {fifth} with the fifth, {soon} within ten minutes, of {of}")
        report.limit(
            f"surges, {kind}: in time", soon / max(1, of), "", goal=1, fails=0, at_least=True
        )
    months = sum(seen.months for seen in everything)
    false = sum(len(seen.false) for seen in everything)
    report.limit("false surges a month", false / months, "", goal=1, fails=3)


def _tell(name: str, seen: Seen) -> None:
    said = ", ".join(f"{kind} {'/'.join(map(str, seen.of(kind)))}" for kind in KINDS)
    share = f"{100 * np.mean(list(seen.pure.values())):.0f} %" if seen.pure else "-"
    print(
        f"  {name}: {said}; {share} of one fault, {seen.again} again; "
        f"{len(seen.false)} false in {seen.months:.1f} months"
    )
    for at, matter, n, minutes, texts in seen.false:
        print(
            f"    {at:%m-%d %H:%M} {matter}, {n} in {minutes}: {' | '.join(t[:28] for t in texts)}"
        )
    missed = [f"{one.name} ({one.kind})" for n, one in seen.planted.items() if n not in seen.found]
    print(f"    not found: {', '.join(missed) or 'none'}", flush=True)


async def vectors_of(runtime: Runtime, texts: Sequence[str]) -> Vectors:
    """Of each text what the model says; made once, and kept where the cache is."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "feedback-express"
    digest = hashlib.blake2b("\0".join(texts).encode(), digest_size=8).hexdigest()
    kept = cache / f"surge-vectors-{digest}.npy"
    if not kept.exists():
        server = EmbeddedModel(Path(runtime.settings.data))
        server.begin()
        embedder = embedder_of(runtime.settings.model_copy(update={"embeddings": "builtin"}))
        try:
            while not await server.answers():
                await asyncio.sleep(0.05)
            made = await embedder.embed([beginning("", one) for one in texts], within=3600)
        finally:
            await embedder.close()
            await server.stop()
        cache.mkdir(parents=True, exist_ok=True)
        np.save(kept, np.array(made, dtype=np.float32))
    return dict(zip(texts, np.load(kept), strict=True))


async def play(runtime: Runtime, term: Told, vectors: Vectors) -> Seen:
    """A term in a desk of its own, hour by hour."""
    clock = ManualClock(term.first)
    runtime.clock = clock
    service = await support.prepared(build, runtime)
    try:
        await seed_departments(service)
        return await _Term(service, clock, term, vectors).play()
    finally:
        await service.engine.dispose()


class _Term:
    def __init__(
        self, service: Service[Any], clock: ManualClock, term: Told, vectors: Vectors
    ) -> None:
        self._service, self._clock, self._term, self._vectors = service, clock, term, vectors
        self._letters: dict[str, Letter] = {}
        begun, *_, ended = (one.at for one in term.letters)
        months = (ended - begun - JUDGED_FROM) / MONTH
        self._seen = Seen(term.faults, months)

    async def play(self) -> Seen:
        by_hour: dict[datetime, list[Letter]] = {}
        for one in self._term.letters:
            by_hour.setdefault(one.at.replace(minute=0, second=0, microsecond=0), []).append(one)
        event = examples.received(text="-", at=self._term.first - timedelta(days=400))
        await support.process_batch(self._service, event)
        connection = await self._service.database.connect(name="term")
        try:
            for n, (hour, letters) in enumerate(by_hour.items()):
                await self._come(connection, event.feedback_id, letters)
                self._clock.set(hour + timedelta(hours=1))
                if hour < self._term.first + JUDGED_FROM:
                    await connection.execute("UPDATE case_matters SET judged = true")
                while await jobs.judge_cases(self._service):
                    pass
                if n % 200 == 50:
                    await connection.execute("VACUUM ANALYZE")
        finally:
            await connection.close()
        await self._look_back()
        return self._seen

    async def _come(
        self, connection: asyncpg.Connection, like: str, letters: Sequence[Letter]
    ) -> None:
        by_id = {support.id_at(one.at): one for one in letters}
        self._letters |= by_id
        ids, now = list(by_id), self._clock.now()
        places = [one.place for one in letters]
        texts = [one.text for one in letters]
        await connection.execute(_COPY, ids, [one.at for one in letters], places, texts, like)
        rows = [
            (i, "term", now, sorted(matter_of(f"\n{text}").things), self._vectors[text].tolist())
            for i, text in zip(ids, texts, strict=True)
        ]
        await connection.copy_records_to_table(
            meanings.TABLE, records=rows, columns=["feedback_id", "model", "at", "things", "vector"]
        )
        for first in range(0, len(ids), jobs.AT_ONCE):
            await jobs.count_arrived(self._service, ids[first : first + jobs.AT_ONCE])

    async def _look_back(self) -> None:
        first: dict[str, SurgeListed] = {}
        for one in await support.outbox_of(self._service):
            if one["type"] == "directory.surge.v1":
                event = SurgeListed.model_validate(one["body"])
                first.setdefault(event.surge_id, event)
        async with self._service.transaction() as tx:
            for surge_id, event in first.items():
                if (surge := await surges.surge(tx, surge_id)) is not None:
                    self._look_at(event, [self._letters[case] for case in surge.cases])

    def _look_at(self, event: SurgeListed, letters: Sequence[Letter]) -> None:
        """A surge as it was suggested, and all letters that came to it since, at the end."""
        seen, begun = self._seen, len(event.cases)
        for end in range(begun, len(letters) + 1):
            told = Counter(one.planted for one in letters[:end] if one.planted is not None)
            for planted, n in told.most_common(1):
                at_first = any(one.planted == planted for one in letters[:begun])
                if at_first and n >= _HALF * end:
                    at = max(one.at for one in letters[:end])
                    seen.again += planted in seen.found
                    if at < seen.found.get(planted, at + SOON):
                        seen.found[planted] = at
                        seen.pure[planted] = n / end
                    return
        at, texts = max(one.at for one in letters[:begun]), [one.text for one in letters[:begun]]
        seen.false.append((at, event.matter, event.n, event.minutes, texts))
