"""Versions: learned beside the one in use, kept, taken where they are no worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from services.routing.deps import Deps
from services.routing.domain.model import NOT_OURS
from services.routing.learning.beside import TrainingFailed, train_beside
from services.routing.learning.report import Trained
from services.routing.learning.surety import no_surer
from services.routing.store import learned
from shared.contracts.refusal import Conflict, NotFound
from shared.db.engine import driver_of
from shared.service import Service

log = structlog.get_logger()

FEWEST = 30
"""Letters the running version has not learned from, on which two versions can be compared."""
LATEST = 5
"""Every fifth letter, the latest, is for comparing."""
LOCK = 0x4C_45_41_52
"""One process learns; another would learn the same."""


class NothingToLearn(Conflict):
    """Too little is known that the running version has not learned from."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A version that was kept; `taken` says whether it is in use now."""

    version: int
    taken: bool
    compared_with: int
    trained: Trained
    raised: int | None = None
    """The version that is the running one with a higher bar, where that was taken instead."""


async def learn(service: Service[Deps], *, by: str | None, source: str = "cases") -> Learned:
    """Learn from all that is known, beside whatever runs; the new version is in use if it is no
    worse than the running one on the latest letters that neither has seen. Where it is, and the
    running one sends far less rightly than is promised, that one goes on with a higher bar, as a
    version of its own.

    Raises `NothingToLearn`, `TrainingFailed`, and `Conflict` while another process learns.
    """
    meaning = service.deps.meaning
    owners = [*sorted(service.deps.directory.departments), NOT_OURS]
    running, shipped = meaning.model, meaning.shipped
    embedder = meaning.embedder.model
    if running is None or shipped is None or embedder not in ("", shipped.embedder):
        raise TrainingFailed(f"nothing is shipped for the vectors of {embedder}")
    embedder, since = shipped.embedder, meaning.until
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        driver = driver_of(connection)
        if not await driver.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
            raise Conflict("正在学习，请稍后再试。", "Learning is under way; try again later.")
        try:
            seen = await learned.batches_of(driver, meaning.version)
            known = await learned.counted(driver, embedder, owners, since, seen)
            judged = min(known.new, known.letters // LATEST)
            if judged < FEWEST:
                raise _too_few(known.new, known.letters)
            lessons = learned.lessons(driver, embedder, owners, since=since, learned=seen)
            precision = service.deps.rules.ruleset.book.precision
            trained = await train_beside(
                lessons,
                shipped,
                running,
                owners,
                judged=judged,
                precision=precision,
                kinds=meaning.known_kinds(),
            )
        finally:
            await driver.execute("SELECT pg_advisory_unlock($1)", LOCK)
    measured: dict[str, Any] = {
        "new": trained.new.model_dump(),
        "running": trained.running.model_dump(),
        "compared_with": meaning.version,
        "precision": precision,
        "no_worse": trained.is_no_worse,
        "seconds": round(trained.seconds, 1),
        "unheard_of": trained.unheard_of,
        "batches": known.batches,
        "kinds": {name: one.model_dump() for name, one in trained.kind_quality.items()},
    }
    async with service.transaction() as tx:
        version = await learned.keep_version(
            tx.connection,
            trained.model,
            at=tx.now,
            by=by,
            source=source,
            until=known.until,
            measured=measured,
            kinds=trained.kinds,
        )
        if trained.is_no_worse:
            await learned.take_version(tx.connection, version, at=tx.now, by=by)
        raised: int | None = None
        if not trained.is_no_worse and trained.raised and trained.with_raised:
            raised = await learned.keep_version(
                tx.connection,
                trained.raised,
                at=tx.now,
                by=by,
                source=f"version {meaning.version}, higher bar",
                # It has learned nothing: what is new stays new.
                until=since,
                measured=measured
                | {
                    "new": trained.with_raised.model_dump(),
                    "no_worse": True,
                    "raised": meaning.version,
                    "batches": seen,
                    "kinds": {},
                },
                kinds=meaning.kinds if meaning.version else None,
            )
            await learned.take_version(tx.connection, raised, at=tx.now, by=by)
    before = meaning.version
    await refresh_model(service)
    log.info("learned", version=version, taken=trained.is_no_worse, letters=trained.model.letters)
    return Learned(version, trained.is_no_worse, before, trained, raised)


def _too_few(new: int, letters: int) -> NothingToLearn:
    return NothingToLearn(
        f"可以学的还太少：一共 {letters} 件，其中 {new} 件是新的；"
        f"至少要有 {FEWEST} 件新的，而且不少于 {FEWEST * LATEST} 件。",
        f"Too little to learn from: {letters} cases, {new} of them new; "
        f"it takes {FEWEST} new ones, and {FEWEST * LATEST} in all.",
    )


async def take(service: Service[Deps], version: int, *, by: str) -> None:
    """Take a version into use, 0 being what is shipped; raises `NotFound`."""
    async with service.transaction() as tx:
        if not await learned.take_version(tx.connection, version, at=tx.now, by=by):
            raise NotFound
    await refresh_model(service)
    log.info("version taken", version=version, by=by)


async def refresh_model(service: Service[Deps]) -> bool:
    """Decide by the version that was taken last; True where that is another one.

    One that this code cannot read leaves the old one in force.
    """
    meaning = service.deps.meaning
    async with service.engine.connect() as connection:
        version = await learned.chosen_version(connection)
        if version == meaning.version:
            return False
        try:
            found = await learned.version_of(connection, version) if version else None
        except ValueError:
            log.error("a version of what was learned cannot be used", version=version)
            return False
    if found is None:
        meaning.use(meaning.shipped, 0)
    else:
        model = no_surer(found.model, meaning.shipped)
        meaning.use(model, found.version, found.until, found.kinds)
    return True
