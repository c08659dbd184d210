"""Words that a reply may begin with (快捷回复): who writes them, and how they come into a reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.bodies import AnOutcome, Body, Draft, Line, Maybe, Words
from services.desk.api.cases import is_id, view_context
from services.desk.api.drafts import writable
from services.desk.api.sent_twice import id_of
from services.desk.api.viewing import viewer_of
from services.desk.api.views import ViewContext
from services.desk.deps import deps_of
from services.desk.domain import Viewer
from services.desk.domain.canned import filled, loose_brace, possible, unknown_variables, variables
from services.desk.domain.promises import running
from services.desk.store import CannedReplyRow, CaseRow, canned, people
from shared.contracts import Actor
from shared.contracts.refusal import Conflict, Forbidden, NotFound, Unacceptable
from shared.contracts.vocabulary import Clock, Role
from shared.messaging.transaction import Transaction
from shared.moments import written_day, written_due
from shared.privacy import mask
from shared.web.auth import Staff, service_of, signed_in
from shared.web.bodies import checked, described, read_body
from shared.web.pages import wants_html

router = APIRouter(tags=["canned replies"])

Person = Annotated[Staff, Depends(signed_in)]
READERS = frozenset({Role.COORDINATOR, Role.CLERK, Role.HANDLER, Role.REVIEWER, Role.ADMIN})
"""Who answers readers, or writes these."""
FOR_ALL = frozenset({Role.COORDINATOR, Role.ADMIN})
"""Who writes them for every department; a head does for their own."""
PAGE = "/desk/replies"
EDITORS = FOR_ALL | {Role.REVIEWER}
_NO_STORE = {"Cache-Control": "no-store"}
_MASKED = (
    "这些话谁都会用，不写个人的电话、证件号和邮箱。",
    "Everybody uses these words: no telephone, identity or e-mail of a person, please.",
)
_CHANGED = (
    "您看的时候，别人改过它。请先看看现在的。",
    "Somebody changed it while you were looking. Please look at it again first.",
)


def _known(locale: str) -> AfterValidator:
    """Nothing but known variables in braces; else all of them, as one writes them in `locale`."""

    def check(text: str) -> str:
        if unknown := unknown_variables(text):
            names = " ".join(f"{{{name}}}" for name in unknown)
            can = " ".join(possible(locale))
            raise ValueError(
                f"不认识 {names}，可以用的有 {can} | {names} is not known; what can be used: {can}"
            )
        return text

    return AfterValidator(check)


Template = Annotated[Words, Field(max_length=5000)]


class CannedReply(Body):
    title: Annotated[Line, Field(max_length=60)]
    zh: Annotated[Template, _known("zh")]
    en: Annotated[Annotated[Template, _known("en")] | None, Maybe] = None
    department: Annotated[Line | None, Maybe] = None
    category: Annotated[Line | None, Maybe] = None
    outcome: Annotated[AnOutcome | None, Maybe] = None
    position: Annotated[Annotated[int, Field(ge=0, le=999)] | None, Maybe] = None
    active: Annotated[bool | None, Maybe] = None
    version: Annotated[Annotated[int, Field(ge=0, le=10**9)] | None, Maybe] = None
    """Which one was shown to whoever changes it."""


class Insert(Draft):
    canned: Line


@router.get("/api/canned-replies", summary="Words that replies may begin with")
async def list_canned(request: Request, person: Person) -> JSONResponse:
    """``{items: [{reply_id, title, zh, en, department, department_name, category, outcome,
    position, active, version, used, changed_at, may_change}], variables}``: those for everybody,
    and of the departments that this person writes or answers for."""
    reader(person)
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        items = await listed(tx, context)
    body = {"items": items, "variables": possible(context.locale)}
    return JSONResponse(body, headers=_NO_STORE)


@router.post("/api/canned-replies", summary="Add one", openapi_extra=described(CannedReply))
async def add(request: Request, person: Person) -> Response:
    """201 with it. A head writes for the own department, the office and administrators for any,
    or (without `department`) for everybody."""
    editor(person)
    given = checked(CannedReply, fields := (await read_body(request)).values())
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        by = _author(context.viewer, given.department)
        await _check(tx, given)
        reply_id = await id_of(request, tx, person, fields)
        if (row := await canned.reply(tx, reply_id)) is None:
            await _room(tx, given.department)
            row = CannedReplyRow(reply_id=reply_id, title="", zh="", changed_at=tx.now)
            _put(row, given)
            canned.list_reply(tx, row, by=by)
        body = shown(row, context)
    if wants_html(request):
        return RedirectResponse(f"{PAGE}?done=add#canned-{body['reply_id']}", 303)
    return JSONResponse(body, status_code=201)


@router.post(
    "/api/canned-replies/{reply_id}", summary="Change one", openapi_extra=described(CannedReply)
)
async def change(request: Request, person: Person, reply_id: str) -> Response:
    """The whole of it anew; `active` false: it is offered no more. `version`: 409 where somebody
    else changed it since."""
    editor(person)
    raw = await read_body(request, late=True)
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        row = await canned.reply(tx, reply_id, lock=True) if is_id(reply_id) else None
        if row is None or not _may_see(row, context.viewer):
            raise NotFound()
        _author(context.viewer, row.department)
        given = checked(CannedReply, raw.values())
        by = _author(context.viewer, given.department)
        await _check(tx, given)
        if given.version is not None and given.version != row.version:
            raise Conflict(*_CHANGED, allowed=["look", "change"])
        anew = given.active is not False
        if anew and (not row.active or row.department != given.department):
            await _room(tx, given.department)
        _put(row, given)
        row.active, row.version = anew, row.version + 1
        canned.list_reply(tx, row, by=by)
        body = shown(row, context)
    if wants_html(request):
        done = "change" if body["active"] else "retire"
        return RedirectResponse(f"{PAGE}?done={done}#canned-{reply_id}", 303)
    return JSONResponse(body)


@router.post(
    "/api/cases/{feedback_id}/canned",
    summary="The words of a canned reply for this case",
    openapi_extra=described(Insert),
)
async def for_case(request: Request, person: Person, feedback_id: str) -> JSONResponse:
    """``{text, outcome, rule}``: filled in for this case and its reporter's language; nothing is
    kept but that it was used once more. `rule` and `outcome` of the body stay where there are
    any."""
    _, draft = await inserted(request, person, feedback_id)
    return JSONResponse(draft, headers=_NO_STORE)


async def inserted(
    request: Request, person: Staff, feedback_id: str
) -> tuple[Insert, dict[str, Any]]:
    """The body of this request, and the canned reply that it names, filled in."""
    raw = await read_body(request, late=True, multipart=True)
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        row = await writable(tx, person, feedback_id, lock=False)
        given = checked(Insert, raw.values())
        found = await canned.reply(tx, given.canned) if is_id(given.canned) else None
        offered = found is not None and found.active and found.department in _theirs(row, person)
        if found is None or not offered:
            raise _wrong("canned", "没有这条快捷回复。", "There is no such canned reply.")
        await canned.count_use(tx, found.reply_id)
    text = found.en if row.locale == "en" and found.en else found.zh
    rule = given.rule
    if rule is None and "rule" in variables(text):
        rule = context.directory.category_rules.get(row.category or "")
    return given, {
        "text": filled(text, values_of(row, rule, context)),
        "outcome": given.outcome or found.outcome,
        "rule": rule,
    }


def values_of(row: CaseRow, rule: str | None, context: ViewContext) -> Mapping[str, str]:
    """What is filled in, by the code of the variable; empty: not known.

    Nothing of it is personal: the title is masked, the reporter is addressed by no name.
    """
    locale, now = row.locale, context.now
    listed, english = context.directory, locale == "en"
    due = running(row.promises).get(Clock.RESOLUTION)
    return {
        "salutation": "Dear reader" if english else "尊敬的读者",
        "title": row.title,
        "category": listed.category_name(row.category, locale),
        "received": written_day(row.received_at, locale),
        "department": listed.department_name(row.department, locale),
        "handler": context.person(context.viewer.username, context.viewer.display) or "",
        "today": written_day(now, locale),
        "due": written_due(due, locale) if due else "",
        "rule": rule or "",
    }


async def offered(
    tx: Transaction, person: Staff, department: str | None, category: str | None
) -> list[CannedReplyRow]:
    """What may be chosen for a case of this department and category, its own category first."""
    found = await canned.replies(tx, {d for d in (department, person.department) if d})
    fitting = [row for row in found if row.category in (None, category)]
    return sorted(fitting, key=lambda row: row.category is None)


async def listed(tx: Transaction, context: ViewContext) -> list[dict[str, Any]]:
    """All that this person may see, also what is offered no more to whoever may change it."""
    viewer = context.viewer
    everywhere = bool(viewer.every_role & FOR_ALL)
    departments = None if everywhere else {w.department for _, w in viewer.places if w.department}
    rows = await canned.replies(tx, departments, active=False)
    items = [shown(row, context) for row in rows]
    return [one for one in items if one["active"] or one["may_change"]]


def shown(row: CannedReplyRow, context: ViewContext) -> dict[str, Any]:
    """One of them as it is shown."""
    body = row.model_dump(exclude={"changed_at", "changed_by"})
    return body | {
        "department_name": context.department(row.department) or None,
        "changed_at": row.changed_at.isoformat(),
        "changed_by": context.person(row.changed_by),
        "may_change": _may_change(context.viewer, row.department),
    }


def reader(person: Staff) -> None:
    """403 for who neither answers nor writes these."""
    if not viewer_of(person).every_role & READERS:
        raise Forbidden("您的身份不写答复。", "Your role writes no replies.")


def editor(person: Staff) -> Viewer:
    """403 for who writes none of these."""
    viewer = viewer_of(person)
    if not viewer.every_role & EDITORS:
        raise Forbidden("您的身份不能做这一步。", "Your role may not do this.")
    return viewer


def own_departments(viewer: Viewer) -> list[str]:
    """The departments whose head this person is, or stands in for."""
    heads = [w.department for role, w in viewer.places if role is Role.REVIEWER and w.department]
    return list(dict.fromkeys(heads))


def _may_change(viewer: Viewer, department: str | None) -> bool:
    return bool(viewer.every_role & FOR_ALL) or department in own_departments(viewer)


def _may_see(row: CannedReplyRow, viewer: Viewer) -> bool:
    return row.department is None or _may_change(viewer, row.department)


def _author(viewer: Viewer, department: str | None) -> Actor:
    """In which role they write for this department (None: for everybody), or 403."""
    for actor in viewer.actors:
        if actor.role in FOR_ALL:
            return actor
        if actor.role == Role.REVIEWER and actor.department == department is not None:
            return actor
    raise Forbidden(
        "只能写本部门的；给所有部门的由用户关系办公室或管理员写。",
        "Yours are those of your own department; the office and administrators write for all.",
    )


def _theirs(row: CaseRow, person: Staff) -> set[str | None]:
    return {None, row.department, person.department}


async def _check(tx: Transaction, given: CannedReply) -> None:
    if given.department and await people.department(tx, given.department) is None:
        raise _wrong("department", "没有这个部门。", "There is no such department.")
    if given.category and await people.category(tx, given.category) is None:
        raise _wrong("category", "没有这个类别。", "There is no such category.")
    own = deps_of(tx).own_addresses
    for field in ("title", "zh", "en"):
        text = getattr(given, field) or ""
        if mask(text, own=own) != text:
            raise _wrong(field, *_MASKED)
        # What was kept before anybody looked at that can still be retired.
        loose = loose_brace(text) if field != "title" and given.active is not False else None
        if loose is not None:
            raise _wrong(
                field,
                f"“{loose}”这里的花括号没有配成对。",
                f"The brace at “{loose}” has no other half.",
            )


async def _room(tx: Transaction, department: str | None) -> None:
    if await canned.number(tx, department) >= canned.AT_MOST:
        raise Conflict(
            f"已有 {canned.AT_MOST} 条，请先停用几条，或者改现有的。",
            f"There are {canned.AT_MOST}; please retire some, or change one.",
            allowed=["change", "retire"],
        )


def _put(row: CannedReplyRow, given: CannedReply) -> None:
    row.title, row.zh, row.en = given.title, given.zh, given.en or ""
    row.department, row.category = given.department, given.category
    row.outcome = given.outcome and given.outcome.value
    row.position = given.position or 0


def _wrong(field: str, zh: str, en: str) -> Unacceptable:
    return Unacceptable(zh, en, errors={field: f"{zh} | {en}"})
