"""The entry points for people and programs.

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

from services.intake.api.alike import similar
from services.intake.api.callback import callback
from services.intake.api.feedback import submit, submit_at_desk
from services.intake.api.later import act
from services.intake.api.matters import ask_for_matters, open_matters
from services.intake.api.pictures import WHERE, show_picture
from services.intake.domain.pictures import FIELD, LARGEST, MOST_OF_A_MESSAGE
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


class ActionBody(BaseModel):
    """What was done is on its way."""

    feedback_id: str
    action: str
    at: str


class AskBody(BaseModel):
    """What somebody has typed so far."""

    text: str
    place: str | None = None


class KnownIncident(BaseModel):
    """One fault that many report, in the library's words."""

    incident: str
    title: str
    text: str
    opened_at: str
    answer: str | None = None
    """What those were answered last who reported it."""
    answered_at: str | None = None


class SimilarBody(BaseModel):
    """What it may be about, the likeliest first."""

    items: list[KnownIncident]


class TokenBody(BaseModel):
    """What stands at the end of the link in the letter."""

    token: str


class MatterBody(BaseModel):
    """A comment of theirs."""

    feedback_id: str
    tracking_code: str
    track_url: str
    received_at: str
    title: str


class MattersBody(BaseModel):
    """All of them, the newest first."""

    items: list[MatterBody]


class LaterBody(BaseModel):
    """The words of an action: of these the fields it needs."""

    text: str | None = Field(None, max_length=MAX_TEXT)
    stars: int | None = Field(None, ge=1, le=5)
    solved: Solved | None = None
    comment: str | None = Field(None, max_length=MAX_REASON)
    reason: str | None = Field(None, max_length=MAX_REASON)


def _body(model: type[BaseModel], *required: str, pictures: bool = False) -> dict[str, Any]:
    schema = inlined(model.model_json_schema())
    schema["required"] = list(required)
    content = {"application/json": {"schema": schema}}
    if pictures:
        fields = schema["properties"] | {FIELD: _PICTURES}
        content["multipart/form-data"] = {"schema": schema | {"properties": fields}}
    return {"requestBody": {"content": content}}


_PICTURES = {
    "type": "array",
    "maxItems": MOST_OF_A_MESSAGE,
    "items": {"type": "string", "format": "binary"},
    "description": f"JPEG, PNG or WebP, at most {LARGEST // 1_000_000} MB each",
}


_PROBLEM = "application/problem+json"


def _answers(model: type[BaseModel], good: tuple[int, ...], *bad: int) -> Any:
    return {s: {"model": model} for s in good} | {s: {"content": {_PROBLEM: {}}} for s in bad}


router = APIRouter(route_class=_Described, tags=["intake"])
router.add_api_route(
    "/api/feedback",
    submit,
    methods=["POST"],
    status_code=201,
    summary="Say something; an adapter with its token",
    responses=_answers(ReceiptBody, (201, 200), 400, 401, 409, 413, 415, 422, 429, 503),
    openapi_extra=_body(InboundFeedback, "text", pictures=True),
)
router.add_api_route(
    "/api/feedback/similar",
    similar,
    methods=["POST"],
    summary="Open incidents that a comment may be about, before it is sent",
    responses=_answers(SimilarBody, (200,), 400, 413, 415, 422, 429),
    openapi_extra=_body(AskBody, "text"),
)
router.add_api_route(
    "/api/desk/feedback",
    submit_at_desk,
    methods=["POST"],
    status_code=201,
    summary="Staff write down what somebody said",
    responses=_answers(ReceiptBody, (201,), 400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=_body(DeskFeedback, "text", pictures=True),
)
router.add_api_route(
    "/api/track/{code}/matters",
    ask_for_matters,
    methods=["POST"],
    summary="A link to all that this reporter has with us, to their address on record",
    responses=_answers(ActionBody, (200,), 404, 429, 503),
)
router.add_api_route(
    "/api/track/mine",
    open_matters,
    methods=["POST"],
    summary="All that this reporter has with us, by the token of the letter, once",
    responses=_answers(MattersBody, (200,), 400, 404, 413, 415, 429, 503),
    openapi_extra=_body(TokenBody, "token"),
)
router.add_api_route(
    "/api/track/{code}/{action}",
    act,
    methods=["POST"],
    summary="Say more with a tracking code: supplement, urge, rate, reopen, withdraw, appeal",
    responses=_answers(ActionBody, (200,), 400, 404, 409, 413, 415, 422, 429, 503),
    openapi_extra=_body(LaterBody, pictures=True),
)
router.add_api_route(
    "/pictures/{picture_id}",
    show_picture,
    methods=["GET"],
    summary="A picture, at the address that a case or its tracking page has for it",
    responses={200: {"content": {"image/jpeg": {}}}, 404: {"content": {_PROBLEM: {}}}},
)

LARGER_BODIES = WHERE
HOT_ROUTES: list[BaseRoute] = [
    Route("/api/feedback", submit, methods=["POST"]),
    Route("/wechat/{account}", callback, methods=["GET", "POST"]),
]
