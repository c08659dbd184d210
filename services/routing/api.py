"""Door for programs: the rules, a sentence to try, and why a case went where it went."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, ConfigDict

from services.routing import store
from services.routing.domain import (
    Decision,
    RulesInvalid,
    Submission,
    decide,
    only_existing,
)
from services.routing.editing import refusal_of, replace_rules
from services.routing.tools import Tools
from shared.contracts.inbound import Flag, Place, Text
from shared.contracts.refusal import Forbidden, Malformed, NotFound
from shared.contracts.vocabulary import CATEGORIES, Channel, Role
from shared.web.auth import Staff, house_of, service_of, staff
from shared.web.bodies import body_as, described
from shared.web.pages import choose_locale

router = APIRouter(prefix="/api/routing", tags=["routing"])

MAY_READ = frozenset({Role.COORDINATOR, Role.ADMIN, Role.LEADER, Role.AUDITOR})
MAY_EDIT = frozenset({Role.COORDINATOR, Role.ADMIN})
_DOCUMENT = {"content": {"application/json": {"schema": {"type": "object"}}}}


def _category(code: str | None) -> str | None:
    if code and code not in CATEGORIES:
        raise ValueError(f"没有这个类别 | must be one of {', '.join(CATEGORIES)}")
    return code or None


class Attempt(BaseModel):
    """A comment that nobody sent: what would the rules say?"""

    model_config = ConfigDict(extra="ignore")

    text: Text
    title: Place = None
    place: Place = None
    category: Annotated[str | None, AfterValidator(_category)] = None
    channel: Channel | None = None
    confidential: Flag = False


@router.get("/rules", responses={200: _DOCUMENT})
async def show_rules(request: Request) -> Response:
    """The rules in force, as they were typed."""
    reader(request)
    service = service_of(request, "routing")
    async with service.engine.connect() as connection:
        await service.tools.rules.refresh(connection)
    return _document(service.tools.rules.stored.text)


@router.put("/rules", openapi_extra={"requestBody": {"required": True, **_DOCUMENT}})
async def put_rules(request: Request) -> Response:
    """The next version of all rules; ``version`` names the one that was edited (409 if stale)."""
    person = editor(request)
    try:
        text = (await request.body()).decode()
    except UnicodeDecodeError:
        raise Malformed("请用 UTF-8 提交。", "Please send UTF-8.") from None
    try:
        stored = await replace_rules(service_of(request, "routing"), text, by=person.username)
    except RulesInvalid as invalid:
        raise refusal_of(invalid, locale_of(request)) from None
    return _document(stored.text)


@router.post("/try", openapi_extra=described(Attempt))
async def try_rules(request: Request) -> dict[str, Any]:
    """What the rules would decide, and why. Nothing is kept."""
    reader(request)
    attempt = await body_as(request, Attempt)
    tools: Tools = service_of(request, "routing").tools
    return {"rules_version": tools.rules.version, **as_body(attempted(tools, attempt))}


@router.get("/cases/{feedback_id}")
async def show_case(request: Request, feedback_id: str) -> dict[str, Any]:
    """What was decided about a case by which rules, and what people made of it."""
    reader(request)
    async with service_of(request, "routing").engine.connect() as connection:
        found = await store.case_history(connection, feedback_id.replace("\0", ""))
    if found is None:
        raise NotFound
    decision, example = found
    return {**decision, "dispatched_by_person": example}


def attempted(tools: Tools, attempt: Attempt) -> Decision:
    """The decision about a comment that nobody sent."""
    said = Submission(
        text=attempt.text,
        title=attempt.title or "",
        place=attempt.place or "",
        category=attempt.category,
        channel=attempt.channel.value if attempt.channel else None,
        confidential=attempt.confidential,
    )
    return only_existing(decide(tools.rules.ruleset, said), tools.directory.departments)


def as_body(decision: Decision) -> dict[str, Any]:
    """A decision as JSON: ``department`` is null where nothing spoke for any."""
    return {**decision.model_dump(mode="json"), "department": decision.guess}


def reader(request: Request) -> Staff:
    """Who asks, if they may look at the rules."""
    return _one_of(request, MAY_READ)


def editor(request: Request) -> Staff:
    """Who asks, if they may change the rules."""
    return _one_of(request, MAY_EDIT)


def locale_of(request: Request) -> str:
    return choose_locale(request, house_of(request).settings.locale)


def _one_of(request: Request, roles: frozenset[Role]) -> Staff:
    person = staff(request)
    if person.role not in roles:
        raise Forbidden(
            "规则由用户关系办公室和系统管理员维护。",
            "The User Relations Office and administrators look after the rules.",
        )
    return person


def _document(text: str) -> Response:
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})
