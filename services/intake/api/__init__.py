"""The doors for people and programs.

The two that everybody uses at once (a comment, the official account's callback) are plain
Starlette routes; all of them are described in OpenAPI.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.intake.api.callback import callback
from services.intake.api.feedback import submit, submit_at_desk
from services.intake.api.later import say_more
from services.intake.domain.submission import DeskFeedback
from shared.contracts.inbound import MAX_REASON, MAX_TEXT, InboundFeedback
from shared.contracts.vocabulary import Solved
from shared.web.bodies import inlined


class _Described(APIRoute):
    """Described by FastAPI, answered by the plain coroutine itself."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


class ReceiptBody(BaseModel):
    """What the sender of a comment keeps."""

    feedback_id: str
    tracking_code: str
    track_url: str
    received_at: str


class SaidBody(BaseModel):
    """What was said is on its way."""

    feedback_id: str
    action: str
    at: str


class LaterBody(BaseModel):
    """The words of an action: of these the fields it needs."""

    text: str | None = Field(None, max_length=MAX_TEXT)
    stars: int | None = Field(None, ge=1, le=5)
    solved: Solved | None = None
    comment: str | None = Field(None, max_length=MAX_REASON)
    reason: str | None = Field(None, max_length=MAX_REASON)


def _body(model: type[BaseModel], *required: str) -> dict[str, Any]:
    schema = inlined(model.model_json_schema())
    schema["required"] = list(required)
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


def _answers(model: type[BaseModel], good: tuple[int, ...], *bad: int) -> Any:
    return {s: {"model": model} for s in good} | {
        s: {"content": {"application/problem+json": {}}} for s in bad
    }


router = APIRouter(route_class=_Described, tags=["intake"])
router.add_api_route(
    "/api/feedback",
    submit,
    methods=["POST"],
    status_code=201,
    summary="Say something; an adapter with its token",
    responses=_answers(ReceiptBody, (201, 200), 400, 401, 409, 413, 415, 422, 429, 503),
    openapi_extra=_body(InboundFeedback, "text"),
)
router.add_api_route(
    "/api/desk/feedback",
    submit_at_desk,
    methods=["POST"],
    status_code=201,
    summary="Staff write down what somebody said",
    responses=_answers(ReceiptBody, (201,), 400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=_body(DeskFeedback, "text"),
)
router.add_api_route(
    "/api/track/{code}/{action}",
    say_more,
    methods=["POST"],
    summary="Say more with a tracking code: supplement, urge, rate, reopen, withdraw, appeal",
    responses=_answers(SaidBody, (200,), 400, 404, 409, 413, 415, 422, 429, 503),
    openapi_extra=_body(LaterBody),
)

HOT_ROUTES: list[BaseRoute] = [
    Route("/api/feedback", submit, methods=["POST"]),
    Route("/wechat/{account}", callback, methods=["GET", "POST"]),
]
