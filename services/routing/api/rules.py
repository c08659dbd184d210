"""For programs: the rules, a sentence to try, and why a case went where it went."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

from services.routing import store
from services.routing.api.editing import refusal_of, replace_rules
from services.routing.deps import OFF, deps_of
from services.routing.domain import Alarm, Decision, RulesInvalid, Submission, without_model
from shared.contracts.inbound import Flag, Place, Text
from shared.contracts.refusal import Malformed, NotFound
from shared.contracts.vocabulary import Channel
from shared.web.auth import Staff, require_role, runtime_of, service_of
from shared.web.bodies import body_as, described
from shared.web.pages import choose_locale
from shared.web.permissions import Permission

router = APIRouter(prefix="/api/routing", tags=["routing"])

_DOCUMENT = {"content": {"application/json": {"schema": {"type": "object"}}}}


def _category(code: str | None, info: ValidationInfo) -> str | None:
    known = (info.context or {}).get("categories", ())
    if code and code not in known:
        raise ValueError(f"没有这个类别 | must be one of {', '.join(known)}")
    return code or None


class Attempt(BaseModel):
    """A comment that nobody sent: what would become of it?"""

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
        await service.deps.rules.refresh(connection)
    return _document(service.deps.rules.stored.text)


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
    """What would be decided, by rules, model and precedents, and why; ``alarm`` is null or what
    the office would be called for. Nothing is kept."""
    reader(request)
    attempt = await body_as(request, Attempt, context=known(request))
    decision, alarm = await attempted(request, attempt)
    return {"rules_version": deps_of(request).rules.version, **as_body(decision, alarm)}


@router.get("/cases/{feedback_id}")
async def show_case(request: Request, feedback_id: str) -> dict[str, Any]:
    """What was decided about a case by which rules, and what people made of it. The reasons quote
    its words: of a confidential one only for who reads every case at the desk, else 404."""
    reads_all = reader(request).may(Permission.READ_EVERY_CASE)
    named = feedback_id.replace("\0", "")
    async with service_of(request, "routing").engine.connect() as connection:
        found = await store.case_history(connection, named)
        kept_back = not reads_all and await store.in_confidence(connection, named)
    if found is None or kept_back:
        raise NotFound
    decision, example = found
    return {**decision, "dispatched_by_person": example}


async def attempted(request: Request, attempt: Attempt) -> tuple[Decision, Alarm | None]:
    """The decision about a comment that nobody sent, as about any other, and its alarm."""
    said = Submission(
        text=attempt.text,
        title=attempt.title or "",
        place=attempt.place or "",
        category=attempt.category,
        channel=attempt.channel.value if attempt.channel else None,
        confidential=attempt.confidential,
    )
    deps = deps_of(request)
    decision, alarm = await deps.decided(said, "", waiting=request, keep=False)
    # Of a comment nobody is told so; who tries one is to know what was left out.
    return without_model(decision, OFF) if deps.meaning.embedder.off else decision, alarm


def as_body(decision: Decision, alarm: Alarm | None) -> dict[str, Any]:
    """A decision as JSON: ``department`` is null where nothing spoke for any."""
    called = None
    if alarm is not None:
        reasons = [reason.model_dump(mode="json") for reason in alarm.reasons]
        called = {
            "found_by": alarm.found_by,
            "sure": alarm.sure,
            "kind": alarm.kind,
            "reasons": reasons,
        }
    return {**decision.model_dump(mode="json"), "department": decision.guess, "alarm": called}


def known(request: Request) -> dict[str, Any]:
    """What an attempt may name."""
    return {"categories": runtime_of(request).directory.categories}


def reader(request: Request) -> Staff:
    """Who asks, if they may look at the rules."""
    return require_role(request, Permission.READ_RULES)


def editor(request: Request) -> Staff:
    """Who asks, if they may change the rules."""
    return require_role(request, Permission.EDIT_RULES)


def locale_of(request: Request) -> str:
    return choose_locale(request, runtime_of(request).settings.locale)


def _document(text: str) -> Response:
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})
