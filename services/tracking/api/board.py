"""The dashboard for programs, and what its page shows: one computation for all who ask the same."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

from fastapi import APIRouter
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.tracking.api.asking import Asked, asked_of
from services.tracking.api.context import ViewContext
from services.tracking.deps import NAME, Answer, Deps
from services.tracking.deps.pace import projects_all
from services.tracking.domain import board as measures
from services.tracking.domain.board import Question
from services.tracking.store import board
from services.tracking.wording.board import HIDDEN
from shared.moments import local
from shared.service import Service
from shared.web.auth import service_of, staff
from shared.web.pages import PAGE_LANGUAGE

router = APIRouter()
"""For the description; requests come to `HOT_ROUTES`, which are looked at first."""


@router.get("/api/dashboard", response_model=dict[str, Any])
async def dashboard(request: Request) -> Response:
    """How we are doing: coordinators, leaders and auditors see all, departments their own.

    The tag stays while nothing changes: with it in ``If-None-Match`` the answer is 304.
    """
    asked = asked_of(request, staff(request))
    service = service_of(request, NAME)
    context = ViewContext.of(service.runtime, asked.locale)
    question = asked.question(context.now)
    answer = await answer_to(service, question, anew=wants_anew(request))
    said, tag = said_of(answer, context)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    headers["Vary"] = f"Cookie, Accept-Language, {PAGE_LANGUAGE}"
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    # What differs between two answers that say the same comes first.
    lag = service.consumer.health.lag if service.consumer is not None else 0
    moment = to_json({"as_of": local(context.now), "lag": lag})
    return Response(moment[:-1] + b"," + said[1:], media_type="application/json", headers=headers)


def wants_anew(request: Request) -> bool:
    """``Cache-Control: no-cache``, which browsers send when somebody reloads hard."""
    return "no-cache" in request.headers.get("cache-control", "")


async def answer_to(service: Service[Deps], question: Question, *, anew: bool = False) -> Answer:
    """What the views say: as it was found last, while nothing has moved since."""
    answers, pace = service.deps.answers, service.deps.board
    # Whoever projects the whole log makes every change, and knows of it: nothing need be asked.
    if pace.is_look_due and not projects_all(service):
        async with service.engine.connect() as connection:
            pace.looked(await board.changes(connection))
    # By name before it is read: it is then as new as that, or newer.
    name = pace.name
    kept = answers.get(question, name)
    read = partial(_read, service, question, name)
    if anew:
        return await read()
    return kept if kept is not None else await answers.shared(question, name, read)


async def _read(service: Service[Deps], question: Question, name: str) -> Answer:
    async with service.engine.connect() as connection:
        found = await board.read(connection, question, service.deps.kept_days)
    next_due = found.upcoming[0]["due_at"] if found.upcoming else None
    return service.deps.answers.keep(
        question,
        name,
        Answer(
            measures.body(question, found.sums, found.percentiles, found.unmarked),
            found.upcoming,
            question.now,
            measures.valid_until(question, next_due),
        ),
    )


def said_of(answer: Answer, context: ViewContext) -> tuple[bytes, str]:
    """The body of an answer without its moment, and its tag: made once for each language, as long
    as departments are called the same."""
    return answer.once(
        ("json", context.locale, context.names), lambda: _tagged(body_of(answer, context))
    )


def _tagged(body: dict[str, Any]) -> tuple[bytes, str]:
    said = to_json(body)
    return said, f'W/"{hashlib.sha256(said).hexdigest()[:24]}"'


def body_of(answer: Answer, context: ViewContext) -> dict[str, Any]:
    """An answer with the names of departments and with what breaks next, for this reader."""
    body = dict(answer.body)
    body["department_names"] = {
        code: context.name_of(code)
        for code in sorted(
            {
                *body["open"]["by_department"],
                *(row["department"] for row in body["departments"]["rows"]),
                *(way["from"] for way in body["flow"]),
                *(way["to"] for way in body["flow"]),
            }
        )
        if code
    }
    # Of the whole library: a department asks about its own.
    body["suddenly_more"] = context.surges if body["department"] is None else []
    body["breaking_next"] = [
        {
            "feedback_id": one["feedback_id"],
            "title": HIDDEN[context.locale == "en"] if one["confidential"] else one["title"],
            "state": one["state"],
            "priority": one["priority"],
            "department": one["department"],
            "department_name": context.name_of(one["department"]) or None,
            "due": local(one["due_at"]),
            "due_text": context.say_due(one["due_at"].isoformat()),
        }
        for one in answer.upcoming
    ]
    return body


HOT_ROUTES: list[BaseRoute] = [Route("/api/dashboard", dashboard)]

__all__ = ["HOT_ROUTES", "Asked", "answer_to", "body_of", "router", "said_of"]
