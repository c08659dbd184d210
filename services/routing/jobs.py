"""What routing does by itself: follow the rules as they are stored, embed what was said."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.routing import store
from services.routing.deps import Deps
from services.routing.domain import Judged, Precedent
from services.routing.domain.model import NOT_OURS
from services.routing.learning import TrainingFailed, learn, refresh_model
from services.routing.learning.versions import FEWEST
from services.routing.store import alarms, learned, vectors
from shared.contracts.refusal import Refusal
from shared.db.engine import driver_of
from shared.embeddings import EmbedderAway, Vector, beginning
from shared.moments import here
from shared.service import Service

log = structlog.get_logger()

FOLLOW_EVERY = 5.0
"""Seconds after which an edit made in another process counts here."""


async def refresh_rules(service: Service[Deps]) -> None:
    """Use what is stored."""
    async with service.engine.connect() as connection:
        if await service.deps.rules.refresh(connection):
            log.info("rules in force", version=service.deps.rules.version)


async def use_version(service: Service[Deps]) -> None:
    """Use the version of what was learned that was taken last."""
    if await refresh_model(service):
        log.info("version in use", version=service.deps.meaning.version)


async def follow_rules(service: Service[Deps]) -> None:
    """Use what is stored, for ever: the rules, and the version of what was learned."""
    while True:
        await refresh_rules(service)
        await use_version(service)
        await asyncio.sleep(FOLLOW_EVERY)


LOOK_EVERY = 30.0
"""Seconds after which cases without a vector are looked for, whatever arrived."""
STILL_URGENT = timedelta(hours=12)
"""What came longer ago has been seen by somebody, or is over: no alarm is raised about it."""
ASK_FOR = 1.0
"""Seconds that what people said of the like may take."""
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
            if meaning.embedder.news(away):
                log.warning("no vectors now", reason=str(away))
        if meaning.embedder.available:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await meaning.arrived.wait()
        else:
            await asyncio.sleep(1)


NEW_LABELS = 200
"""So many new labels are reason enough to learn from them at once, fewer ones by night."""
NIGHT = range(2, 5)
"""Hours of the day in which nobody minds."""
_THINK_EVERY = 600.0


async def learn_by_itself(service: Service[Deps]) -> None:
    """Learn when there is something new to learn from, or somebody asks for it, for ever."""
    meaning = service.deps.meaning
    if meaning.embedder.off or meaning.embedder.missing:
        return
    tried: datetime | None = None
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_THINK_EVERY):
                await meaning.wanted.wait()
        asked, now = meaning.wanted.is_set(), service.runtime.clock.now()
        if asked or await _is_time(service, now, tried):
            tried = now
            await learn_once(service, by=meaning.wanted_by if asked else None)
        meaning.wanted.clear()


async def learn_once(service: Service[Deps], *, by: str | None) -> None:
    """Learn, and remember why where nothing was learned."""
    meaning = service.deps.meaning
    meaning.not_learned = None
    try:
        await learn(service, by=by)
    except Refusal as refusal:
        meaning.not_learned = (refusal.zh, refusal.en)
    except TrainingFailed as failed:
        log.warning("nothing learned", reason=str(failed))
        meaning.not_learned = ("这次没有学成，原因在日志里。", "Learning failed; the log says why.")


async def _is_time(service: Service[Deps], now: datetime, tried: datetime | None) -> bool:
    """Whether there is enough that is new, since any version or the last attempt.

    What a person took back is not learned once more from the same letters.
    """
    meaning = service.deps.meaning
    owners = [*service.deps.directory.departments, NOT_OURS]
    async with service.engine.connect() as connection:
        until = await learned.learned_until(connection)
        since = max(filter(None, (meaning.until, until, tried)), default=None)
        known = await learned.counted(driver_of(connection), meaning.embedder.model, owners, since)
    new = known.new_cases
    by_night = new >= FEWEST and here(now).hour in NIGHT
    return new >= NEW_LABELS or by_night


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


async def find_judgements(service: Service[Deps], vector: Vector, feedback_id: str) -> list[Judged]:
    """What people said of the nearest cases; nothing where the database cannot say."""
    model = service.deps.meaning.embedder.model
    try:
        async with service.engine.connect() as connection, asyncio.timeout(ASK_FOR):
            found = await alarms.nearest_judged(connection, model, vector, but=feedback_id)
    except (SQLAlchemyError, TimeoutError) as error:
        log.warning("no judgements", error=type(error).__name__)
        return []
    return [Judged(*one) for one in found]


async def raise_late(service: Service[Deps], words: vectors.Words, vector: Vector) -> bool:
    """Raise the alarm that was not, since the model was away when the case came; whether it was."""
    meaning = service.deps.meaning
    alarm = await meaning.alarm(vector, words.feedback_id, words.title, words.text)
    if alarm is None:
        return False
    async with service.transaction() as tx:
        await tx.lock(words.feedback_id)
        await store.load(tx, [words.feedback_id])
        row = store.decision_of(tx, words.feedback_id)
        if row is None or row.alarm is not None or tx.now - row.at > STILL_URGENT:
            return False
        alarms.raise_alarm(tx, words.feedback_id, alarm)
    return True


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
                pairs = await _vectors_of(service, found)
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


async def _vectors_of(
    service: Service[Deps], found: list[vectors.Words]
) -> list[tuple[str, Vector]]:
    """Vectors of these cases; those that were decided just now have one already."""
    meaning = service.deps.meaning
    pairs = [(w.feedback_id, v) for w in found if (v := meaning.fresh.pop(w.feedback_id, None))]
    known = {feedback_id for feedback_id, _ in pairs}
    rest = [w for w in found if w.feedback_id not in known]
    made = await meaning.embedder.embed([beginning(w.title, w.text) for w in rest])
    for words, vector in zip(rest, made, strict=True):
        # Before the vector is kept: what is interrupted here is looked at again.
        await raise_late(service, words, vector)
    return pairs + [(w.feedback_id, v) for w, v in zip(rest, made, strict=True)]
