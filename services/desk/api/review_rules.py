"""Which replies somebody else reads before they go out: what is so now, and who changes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.bodies import Body, Line, Words
from services.desk.api.cases import view_context
from services.desk.api.viewing import viewer_of
from services.desk.api.views import ViewContext
from services.desk.deps import deps_of
from services.desk.store import review_rules
from services.desk.store.tables import ReviewRuleRow
from shared.contracts.refusal import Forbidden, Unacceptable
from shared.contracts.vocabulary import Role
from shared.messaging.transaction import Transaction
from shared.moments import local
from shared.privacy import masked
from shared.web import names
from shared.web.auth import Staff, service_of, signed_in
from shared.web.bodies import checked, described, read_body
from shared.web.pages import wants_html

router = APIRouter(tags=["review"])

Person = Annotated[Staff, Depends(signed_in)]
EDITORS = frozenset({Role.COORDINATOR, Role.ADMIN})
READERS = EDITORS | {Role.LEADER, Role.AUDITOR, Role.REVIEWER}
PAGE = "/desk/review-rules"
_NO_STORE = {"Cache-Control": "no-store"}


class ReviewRule(Body):
    kind: Literal["category", "priority", "department"]
    code: Line
    required: bool
    reason: Annotated[Words, Field(max_length=2000)]

    @model_validator(mode="before")
    @classmethod
    def _of_a_form(cls, values: Any) -> Any:
        """A list of choices names both at once: ``what=category:conduct``."""
        if isinstance(values, dict) and isinstance(what := values.get("what"), str):
            kind, _, code = what.partition(":")
            return values | {"kind": kind, "code": code}
        return values


@router.get("/api/review-rules", summary="Which replies are read by somebody else first")
async def list_rules(request: Request, person: Person) -> JSONResponse:
    """``{items: [{kind, code, name, since, by, reason}], others: [{kind, code, name}]}``: what is
    so now, and what it could be said of besides."""
    readers_only(person)
    async with service_of(request, "desk").transaction() as tx:
        body = await rules_body(tx, view_context(request, person))
    return JSONResponse(body, headers=_NO_STORE)


@router.post(
    "/api/review-rules",
    summary="Have replies read first, or no more",
    openapi_extra=described(ReviewRule),
)
async def set_rule(request: Request, person: Person) -> Response:
    """What is so now; of cases that are dispatched or corrected from now on. Said again, it
    changes nothing."""
    viewer = viewer_of(person)
    by = next((actor for actor in viewer.actors if actor.role in EDITORS), None)
    if by is None:
        raise Forbidden("您的身份不能做这一步。", "Your role may not do this.")
    given = checked(ReviewRule, (await read_body(request)).values())
    async with service_of(request, "desk").transaction() as tx:
        if given.code not in (await review_rules.codes_of(tx))[given.kind]:
            # What is not in use any more can still be taken back.
            known = any((r.kind, r.code) == (given.kind, given.code) for r in await _now(tx))
            if given.required or not known:
                raise _unknown(given.kind)
        reason = masked(given.reason, own=deps_of(tx).own_addresses)
        await review_rules.set_rule(
            tx, given.kind, given.code, on=given.required, by=by, reason=reason
        )
        await tx.session.flush()
        body = await rules_body(tx, view_context(request, person))
    if wants_html(request):
        return RedirectResponse(f"{PAGE}?done={'on' if given.required else 'off'}", 303)
    return JSONResponse(body)


async def rules_body(tx: Transaction, context: ViewContext) -> dict[str, Any]:
    """The answer of ``GET /api/review-rules``; the page shows the same."""
    rows = await _now(tx)
    so_now = {(row.kind, row.code) for row in rows}
    others = [
        {"kind": kind, "code": code, "name": _name(kind, code, context)}
        for kind, codes in (await review_rules.codes_of(tx)).items()
        for code in codes
        if (kind, code) not in so_now
    ]
    items = [
        {
            "kind": row.kind,
            "code": row.code,
            "name": _name(row.kind, row.code, context),
            "since": local(row.since),
            "by": context.person(row.by),
            "reason": row.reason,
        }
        for row in rows
    ]
    return {"items": items, "others": others}


def readers_only(person: Staff) -> None:
    """403 for whom it does not concern."""
    if not viewer_of(person).every_role & READERS:
        raise Forbidden("您的身份不能看这一页。", "Your role does not see this page.")


async def _now(tx: Transaction) -> list[ReviewRuleRow]:
    return await review_rules.rules(tx)


def _name(kind: str, code: str, context: ViewContext) -> str:
    listed, locale = context.directory, context.locale
    if kind == "category":
        return listed.category_name(code, locale)
    if kind == "department":
        return listed.department_name(code, locale)
    name = names.pick("priority", names.PRIORITIES, code, locale)
    return f"{code} {name}"


def _unknown(kind: str) -> Unacceptable:
    zh = {"category": "没有这个类别。", "department": "没有这个部门。"}.get(
        kind, "没有这个优先级。"
    )
    en = f"There is no such {kind}."
    return Unacceptable(zh, en, errors={"code": f"{zh} | {en}"})
