"""Gives every case its meaning, shortly after it came, and never in anybody's way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.deps import Deps, Meaning
from services.desk.store import meanings
from shared.db.engine import driver_of
from shared.db.nearest import extension_installed, index
from shared.embeddings import EmbedderAway, Vector, beginning
from shared.service import Service

log = structlog.get_logger()

LOOK_EVERY = 60.0
"""Seconds after which all cases are looked at, whatever arrived."""
GIVE_WAY = 0.2
"""Seconds for which a new case is left to whoever decides where it goes: they ask the model for the
same vector, which it then still knows."""
AT_ONCE = 4
"""Texts a request: a decision that needs the model waits for no more than one of them."""
TELL_FROM = 50
"""Cases without a vector that are worth a word in `status`."""
_LOCK = 0x44_45_53_4B


async def embed_cases(service: Service[Deps]) -> None:
    """For ever: what arrived here at once, and now and then whatever has no vector.

    A model that is away costs nothing but time: what it has not seen is found again, and so is
    everything when another model takes its place. Without one what cases name is kept.
    """
    meaning = service.deps.meaning
    look_at = 0.0
    while True:
        meaning.arrived.came.clear()
        try:
            if time.monotonic() >= look_at:
                await embed_waiting(service)
                look_at = time.monotonic() + LOOK_EVERY
            await embed_arrived(service)
        except EmbedderAway as away:
            if meaning.embedder.news(away):
                log.warning("no vectors now", reason=str(away))
            look_at = 0.0
        if not (meaning.without_model or meaning.embedder.available):
            await asyncio.sleep(1)
        elif not meaning.arrived:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY if look_at else 1):
                    await meaning.arrived.came.wait()
            await asyncio.sleep(GIVE_WAY)


async def embed_arrived(service: Service[Deps]) -> int:
    """Embed what arrived in this process; how many. Raises `EmbedderAway`."""
    meaning, done = service.deps.meaning, 0
    while meaning.arrived and (meaning.without_model or meaning.model):
        ids, model = meaning.arrived.take(AT_ONCE), meaning.model
        async with service.engine.connect() as connection:
            found = await meanings.arrived(connection, model, ids)
        done += await _embed(service, found)
    return done


async def embed_waiting(service: Service[Deps]) -> int:
    """Embed what has no vector of the present model, unless another process does; how many.

    Raises `EmbedderAway`.
    """
    meaning = service.deps.meaning
    (sample,) = await _vectors(meaning, ["图书馆 library"])
    model, done = meaning.model, 0
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        meaning.indexed = bool(sample) and await extension_installed(connection)
        driver = driver_of(connection)
        if not await driver.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            return 0
        try:
            done = await _embed_all(service, connection, model)
            if meaning.indexed:
                stamp = meanings.stamp(model)
                if await index(driver, meanings.TABLE, stamp, len(sample)):
                    log.info("meanings are indexed", model=model)
        finally:
            await driver.execute("SELECT pg_advisory_unlock($1)", _LOCK)
    return done


async def _embed_all(service: Service[Deps], connection: AsyncConnection, model: str) -> int:
    meaning, done = service.deps.meaning, 0
    total, had = await meanings.progress(connection, model)
    while found := await meanings.waiting(connection, model, 50 * AT_ONCE):
        before = done
        for first in range(0, len(found), AT_ONCE):
            done += await _embed(service, found[first : first + AT_ONCE])
            await embed_arrived(service)
            left = max(0, total - had - done)
            _tell(meaning, left, total)
        if done == before:
            break
    meaning.notices = []
    return done


def _tell(meaning: Meaning, left: int, total: int) -> None:
    said = f"embeddings: {left} of {total} cases wait for search and similar cases"
    meaning.notices = [said] * (left > TELL_FROM)


async def _embed(service: Service[Deps], found: list[meanings.Words]) -> int:
    meaning = service.deps.meaning
    if not found:
        return 0
    made = await _vectors(meaning, [beginning(w.title, w.text) for w in found])
    async with service.transaction() as tx:
        await tx.lock(*(w.feedback_id for w in found))
        await meanings.keep(tx, meaning.model, list(zip(found, made, strict=True)))
    return len(found)


async def _vectors(meaning: Meaning, texts: list[str]) -> Sequence[Vector]:
    """Empty ones where there is no model."""
    return [()] * len(texts) if meaning.without_model else await meaning.embedder.embed(texts)
