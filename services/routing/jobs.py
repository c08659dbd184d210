"""What routing does by itself: follow the rules as they are stored, embed what was said."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.routing.deps import Deps, Meaning
from services.routing.domain import Precedent
from services.routing.store import vectors
from shared.db.engine import driver_of
from shared.embeddings import EmbedderAway, Vector, beginning
from shared.service import Service

log = structlog.get_logger()

FOLLOW_EVERY = 5.0
"""Seconds after which an edit made in another process counts here."""


async def refresh_rules(service: Service[Deps]) -> None:
    """Use what is stored."""
    async with service.engine.connect() as connection:
        if await service.deps.rules.refresh(connection):
            log.info("rules in force", version=service.deps.rules.version)


async def follow_rules(service: Service[Deps]) -> None:
    """Use what is stored, for ever."""
    while True:
        await refresh_rules(service)
        await asyncio.sleep(FOLLOW_EVERY)


LOOK_EVERY = 30.0
"""Seconds after which cases without a vector are looked for, whatever arrived."""
AT_ONCE = 4
"""Texts a request: a decision that needs the model waits for no more than one of them."""
TELL_FROM = 50
"""Cases without a vector that are worth a word in `status`."""
_LOCK = 0x4D_45_41_4E
"""One process embeds; the others would do the same once more."""


async def embed_cases(service: Service[Deps]) -> None:
    """Give every case a vector of the present model, the newest first, for ever.

    A model that is away costs nothing but time: what it has not seen is found again, and so is
    everything when another model takes its place.
    """
    meaning = service.deps.meaning
    if meaning.embedder.off or meaning.embedder.missing:
        return
    while True:
        meaning.arrived.clear()
        try:
            await embed_waiting(service)
        except EmbedderAway as away:
            log.info("no vectors now", reason=str(away))
        if meaning.embedder.available:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await meaning.arrived.wait()
        else:
            await asyncio.sleep(1)


async def find_precedents(
    service: Service[Deps], vector: Vector, feedback_id: str
) -> list[Precedent]:
    """The nearest cases that people dispatched; none where the database cannot say.

    On a connection of its own: what fails here spoils nobody's transaction.
    """
    model = service.deps.meaning.embedder.model
    try:
        async with service.engine.connect() as connection:
            found = await vectors.precedents(connection, model, vector, but=feedback_id)
    except SQLAlchemyError as error:
        log.warning("no precedents", error=type(error).__name__)
        return []
    return [Precedent(*one) for one in found]


async def embed_waiting(service: Service[Deps]) -> int:
    """Embed what has no vector of the present model, unless another process does; how many.

    Raises `EmbedderAway`.
    """
    meaning = service.deps.meaning
    sample = (await meaning.embedder.embed(["图书馆 library"]))[0]
    model, done = meaning.embedder.model, 0
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        driver = driver_of(connection)
        if not await driver.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            meaning.indexed = await vectors.extension_installed(connection)
            return 0
        try:
            total, had = await vectors.progress(connection, model)
            while found := await vectors.waiting(connection, model, AT_ONCE):
                pairs = await _vectors_of(meaning, found)
                await vectors.keep(connection, model, service.runtime.clock.now(), pairs)
                done += len(found)
                left = max(0, total - had - done)
                meaning.notices = [f"embeddings: {left} of {total} cases wait"] * (left > TELL_FROM)
            meaning.notices = []
            meaning.indexed = await vectors.extension_installed(connection)
            if meaning.indexed and await vectors.index(driver, model, len(sample)):
                log.info("vectors are indexed", model=model, cases=total)
        finally:
            await driver.execute("SELECT pg_advisory_unlock($1)", _LOCK)
    if not meaning.indexed:
        meaning.notices = ["embeddings: the database has no extension vector: no nearest cases"]
    return done


async def _vectors_of(meaning: Meaning, found: list[vectors.Words]) -> list[tuple[str, Vector]]:
    """Vectors of these cases; those that were decided just now have one already."""
    pairs = [(w.feedback_id, v) for w in found if (v := meaning.fresh.pop(w.feedback_id, None))]
    known = {feedback_id for feedback_id, _ in pairs}
    rest = [w for w in found if w.feedback_id not in known]
    made = await meaning.embedder.embed([beginning(w.title, w.text) for w in rest])
    return pairs + [(w.feedback_id, v) for w, v in zip(rest, made, strict=True)]
