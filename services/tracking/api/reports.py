"""What to tell the director: a period in sentences, and its cases as a table to take away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.tracking.api.asking import Asked, asked_of
from services.tracking.api.board import answer_to, body_of, wants_anew
from services.tracking.api.context import ViewContext
from services.tracking.deps import NAME, Deps
from services.tracking.domain.board import Question
from services.tracking.domain.measures import MEASURES
from services.tracking.domain.reports import Kind, Period, containing, latest, told
from services.tracking.store.export import cases_received
from services.tracking.wording import table
from shared.contracts.refusal import NoSuchChoice, NotFound
from shared.service import Service
from shared.spreadsheets import MEDIA_TYPES, writer_for
from shared.web.auth import service_of, staff
from shared.web.choices import choice

router = APIRouter()


def period_asked(request: Request, context: ViewContext) -> Period:
    """``kind=week|month|term`` (a week) and ``at``, any day of it; else the last one that is over.

    422 for a day that is none, or one that lies ahead.
    """
    kind = Kind(choice(request, "kind", Kind) or Kind.WEEK)
    at = request.query_params.get("at")
    if not at:
        return latest(kind, context.now)
    try:
        day = date.fromisoformat(at)
    except ValueError:
        raise NoSuchChoice("at") from None
    if not 2000 <= day.year <= 2199 or containing(kind, day).moments[0] > context.now:
        raise NoSuchChoice("at")
    return containing(kind, day)


def asked_in(period: Period, asked: Asked) -> Asked:
    """The filters, with the days of the period as their dates."""
    return replace(asked, period=None, begin=period.first.isoformat(), end=period.last.isoformat())


async def _board_of(
    request: Request, period: Period, asked: Asked, context: ViewContext
) -> tuple[Asked, dict[str, Any]]:
    """What was asked, of this period, and its figures."""
    asked = asked_in(period, asked)
    service: Service[Deps] = service_of(request, NAME)
    answer = await answer_to(service, asked.question(context.now), anew=wants_anew(request))
    return asked, body_of(answer, context)


async def report_body(request: Request) -> tuple[dict[str, Any], Asked, Period]:
    """The body of ``GET /api/reports``, with what was asked. A term that nobody named is the one
    that runs, where nothing came in the last."""
    asked = asked_of(request, staff(request))
    service: Service[Deps] = service_of(request, NAME)
    context = ViewContext.of(service.runtime, asked.locale)
    period = period_asked(request, context)
    asked, board = await _board_of(request, period, asked, context)
    if not (request.query_params.get("at") or board["totals"]["received"]) and (
        period.kind is Kind.TERM and period.after.moments[0] <= context.now
    ):
        # Of the first term nobody waits half a year for a page that says something.
        period = period.after
        asked, board = await _board_of(request, period, asked, context)
    english = asked.locale == "en"
    body = board | {
        "kind": period.kind,
        "over": period.moments[1] <= context.now,
        **told(board, english=english),
        "definitions": [
            {
                "key": key,
                "name": measure.name[english],
                "counts": measure.counts[english],
                "rests_on": measure.rests_on[english],
            }
            for key, measure in MEASURES.items()
        ],
    }
    return body, asked, period


@router.get("/api/reports")
async def report(request: Request) -> dict[str, Any]:
    """All figures of a week, month or term, what moved in it, and what each figure means."""
    body, _, _ = await report_body(request)
    return body


@router.get("/api/reports/cases.{kind}")
async def cases(request: Request, kind: str) -> Response:
    """The cases received in the period, a row each, as ``csv`` or ``xlsx``: sent while it is read.

    Takes the period and filters of the dashboard, or those of a report.
    """
    asked = asked_of(request, staff(request))
    if kind not in MEDIA_TYPES:
        raise NotFound
    service: Service[Deps] = service_of(request, NAME)
    context = ViewContext.of(service.runtime, asked.locale)
    if request.query_params.get("kind") or not (asked.period or asked.begin or asked.end):
        asked = asked_in(period_asked(request, context), asked)
    question = asked.question(context.now)
    last = question.last - timedelta(microseconds=1)
    days = "_".join(f"{at:%Y%m%d}" for at in (context.local(question.first), context.local(last)))
    return StreamingResponse(
        _table(service, question, kind, context),
        media_type=MEDIA_TYPES[kind],
        headers={
            "Content-Disposition": f'attachment; filename="feedback_{days}.{kind}"',
            "Cache-Control": "private, no-store",
        },
    )


async def _table(
    service: Service[Deps], question: Question, kind: str, context: ViewContext
) -> AsyncIterator[bytes]:
    writer = writer_for(kind, table.header(context.locale), sheet="feedback")
    async for portion in cases_received(service.engine, question):
        rows = (table.line(c, context.locale, context.name_of, context.category) for c in portion)
        if made := b"".join([writer.add(row) for row in rows]):
            yield made
    yield writer.end()
