"""A period is over: its report is told once, and notification mails it.

Tracking tells nothing else, and of this only what is in no view: a rebuild tells nothing again.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog
from sqlalchemy import text

from services.tracking.deps import Deps
from services.tracking.domain import board as measures
from services.tracking.domain.board import Question
from services.tracking.domain.reports import Kind, Period, to_make, told
from services.tracking.store import board
from services.tracking.wording.report import report_words
from shared.contracts import EVENTS
from shared.contracts.tracking import ReportMade
from shared.contracts.vocabulary import Role
from shared.messaging.offsets import committed_by, ends_of
from shared.service import Service

log = structlog.get_logger()

EVERY = 20.0
"""Seconds."""
READ_WITHIN = 20.0
"""Seconds in which the log has to be read to where it ended when a report was due."""


async def tell_reports(service: Service[Deps]) -> None:
    """Tell what is due, for ever."""
    while True:
        await tell_due(service)
        await asyncio.sleep(EVERY)


async def tell_due(service: Service[Deps]) -> list[Period]:
    """Tell the reports whose morning has come; says which. Of several replicas one tells each."""
    directory, now = service.runtime.directory, service.runtime.clock.now()
    if not (directory.loaded and directory.departments):
        return []
    async with service.engine.connect() as connection:
        since = (await connection.execute(text("SELECT min(received_at) FROM cases"))).scalar()
        rows = (await connection.execute(text("SELECT kind, first FROM reports_told"))).all()
    known = {kind.value for kind in Kind}
    made = {(Kind(kind), first) for kind, first in rows if kind in known}
    due = to_make(now, made, since)
    if not due or not await is_read(service):
        return []
    done = []
    for period in due:
        if await _tell(service, period):
            log.info("a report was told", kind=period.kind.value, first=str(period.first))
            done.append(period)
    return done


async def is_read(service: Service[Deps]) -> bool:
    """Whether the views hold all that the log held a moment ago, whichever replica reads it."""
    if service.consumer is None:
        return True
    kafka = service.runtime.kafka
    ends = await ends_of(kafka, [EVENTS])
    try:
        async with asyncio.timeout(READ_WITHIN):
            while True:
                read = (await committed_by(kafka, [service.group]))[service.group]
                if all(read.get(tp, 0) >= end for tp, end in ends.items()):
                    return True
                await asyncio.sleep(0.5)
    except TimeoutError:
        log.warning("a report waits until the log is read", service=service.name)
        return False


async def _tell(service: Service[Deps], period: Period) -> bool:
    directory = service.runtime.directory
    # A department that nobody heads has nobody to read it.
    headed = [d for d in directory.departments if directory.staff(role=Role.REVIEWER, department=d)]
    made = [await report_on(service, period, department) for department in (None, *headed)]
    async with service.transaction() as tx:
        fresh = await tx.fetch(
            "INSERT INTO reports_told (kind, first, told_at) VALUES ($1, $2, $3) "
            "ON CONFLICT DO NOTHING RETURNING 1",
            period.kind.value,
            period.first,
            tx.now,
        )
        for event in made if fresh else ():
            tx.emit(event)
    return bool(fresh)


async def report_on(service: Service[Deps], period: Period, department: str | None) -> ReportMade:
    """The report as it is told: the figures of the page, in its sentences."""
    directory, now = service.runtime.directory, service.runtime.clock.now()
    first, last = period.moments
    question = Question(first, last, now, department, restricted=department is not None)
    async with service.engine.connect() as connection:
        found = await board.read(connection, question, service.deps.kept_days)
    body = measures.body(question, found.sums, found.percentiles, found.unmarked)
    words = {
        locale: report_words(
            service.deps.pages.fragment,
            body | told(body, english=locale == "en"),
            locale=locale,
            category=partial(directory.category_name, locale=locale),
            department=department,
        )
        for locale in ("zh", "en")
    }
    return ReportMade(
        at=now,
        kind=period.kind.value,
        first=period.first,
        last=period.last,
        department=department,
        zh=words["zh"],
        en=words["en"],
    )
