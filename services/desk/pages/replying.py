"""Writing a reply in a browser: what it will look like, and the words that it may begin with."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.canned import FOR_ALL, inserted, listed, own_departments, reader
from services.desk.api.cases import view_context
from services.desk.api.drafts import writable
from services.desk.api.preview import preview_of
from services.desk.deps import deps_of
from services.desk.domain.canned import possible
from services.desk.pages.work import case_page
from services.desk.store import drafts
from shared.web.auth import service_of, staff, to_sign_in
from shared.web.names import OUTCOMES

router = APIRouter(include_in_schema=False)


@router.post("/desk/cases/{feedback_id}/preview")
async def preview(request: Request, feedback_id: str) -> Response:
    """What the reporter will see; alone where a page loads it, else with what was written."""
    person = staff(request)
    look = await preview_of(request, person, feedback_id)
    if request.headers.get("hx-request") == "true":
        return deps_of(request).pages.render(request, "_preview.html", user=person.user, look=look)
    draft = look.draft
    typed = {"text": draft.text, "outcome": draft.outcome, "rule": draft.rule}
    return await case_page(request, person, feedback_id, typed=typed, look=look)


@router.post("/desk/cases/{feedback_id}/canned")
async def insert(request: Request, feedback_id: str) -> Response:
    """The words below what is written so far, kept as the draft; back to the page."""
    person = staff(request)
    given, words = await inserted(request, person, feedback_id)
    text = "\n\n".join(one for one in (given.text, words["text"]) if one)
    async with service_of(request, "desk").transaction() as tx:
        await writable(tx, person, feedback_id)
        drafts.keep(tx, feedback_id, person.username, text, words["outcome"], words["rule"])
    return RedirectResponse(f"/desk/cases/{feedback_id}#write-h", 303)


@router.get("/desk/replies")
async def all_replies(request: Request) -> Response:
    """Those that this person uses or writes, by department."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    reader(person)
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        items = await listed(tx, context)
    names, english = context.directory, context.locale == "en"
    for_all = bool(context.viewer.every_role & FOR_ALL)
    own = list(names.departments) if for_all else own_departments(context.viewer)
    return deps_of(request).pages.render(
        request,
        "replies.html",
        user=person.user,
        items=items,
        for_all=for_all,
        departments=[(code, context.department(code)) for code in own],
        categories=[(code, pair[english]) for code, pair in names.categories.items()],
        outcomes=list(OUTCOMES),
        variables=possible(context.locale),
        done=request.query_params.get("done", ""),
    )
