"""Cases over HTTP: the queues, one case, and everything that can be done to it."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, BeforeValidator, Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api import views
from services.desk.api.actions import do
from services.desk.api.bodies import clean
from services.desk.api.named import out_of_address
from services.desk.api.searching import as_read, find, question_of
from services.desk.api.viewing import viewer_of
from services.desk.deps import deps_of
from services.desk.domain import OFFERED, Action, reader_of, scopes_of, sees
from services.desk.domain.search import Snippet, is_like_a_code
from services.desk.store.finding import find_in
from services.desk.store.looks import QUEUES, Wanted
from services.desk.store.queues import Question, looking
from services.desk.store.reading import CaseDetail, read_detail
from services.desk.store.readings import record
from shared.contracts.refusal import NotFound
from shared.contracts.vocabulary import Channel, State
from shared.service import Service
from shared.web.answers import QuickJSONResponse
from shared.web.auth import Staff, runtime_of, service_of, signed_in, staff
from shared.web.bodies import read_body
from shared.web.pages import choose_locale, wants_html

router = APIRouter(tags=["cases"])

Person = Annotated[Staff, Depends(signed_in)]
Short = Annotated[str, Field(max_length=100), AfterValidator(clean)]
Words = Annotated[str, Field(max_length=500), AfterValidator(clean)]
Long = Annotated[str, Field(max_length=1000), AfterValidator(clean)]
Blank = BeforeValidator(lambda value: None if value == "" else value)
"""A field of a search form that was left empty asks for nothing."""
_NO_STORE = {"Cache-Control": "no-store"}
_CONTACT = ("contact",)
"""What a look at a case shows of who is behind it."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@router.get("/api/cases", summary="A queue, what breaks first on top")
async def list_cases(
    request: Request,
    person: Person,
    state: Annotated[State | None, Blank, Query()] = None,
    department: Annotated[Short | None, Blank, Query()] = None,
    category: Annotated[Short | None, Blank, Query()] = None,
    channel: Annotated[Channel | None, Blank, Query()] = None,
    queue: Annotated[Literal[QUEUES] | None, Blank, Query()] = None,  # type: ignore[valid-type]
    q: Annotated[Words, Query()] = "",
    cursor: Annotated[Long | None, Query()] = None,
    limit: Annotated[Annotated[int, Field(ge=1, le=200)] | None, Blank, Query()] = None,
) -> QuickJSONResponse:
    """``{items, next}``; of what this person may see. For `q` each says where it was `found`:
    ``{in, snippet: [before, hit, after]}``; `by_words` is true while nobody can say what `q` means;
    `read_as` is how it was read, where it is pinyin or misspelt; `no_such_code` is true where `q`
    is written as a code or an id and no case of the list has it.
    """
    viewer = viewer_of(person)
    runtime_of(request).directory.check_department(department)
    runtime_of(request).directory.check_category(category)
    wanted = Wanted(
        scopes=scopes_of(viewer),
        accounts=viewer.accounts,
        own_department=person.department,
        now=runtime_of(request).clock.now(),
        queue=queue or "all",
        state=state,
        department=department,
        category=category,
        channel=channel,
        q=out_of_address(q),
        cursor=cursor,
        limit=limit or 50,
    )
    body = await list_body(service_of(request, "desk"), wanted, view_context(request, person))
    return QuickJSONResponse(body, headers=_NO_STORE)


@router.get("/api/cases/{feedback_id}", summary="One case")
async def show_case(request: Request, person: Person, feedback_id: str) -> QuickJSONResponse:
    """The case with its words, promises, timeline, and what this person may do now."""
    body = await case_body(service_of(request, "desk"), feedback_id, view_context(request, person))
    return QuickJSONResponse(body, headers=_NO_STORE)


async def act(request: Request) -> Response:
    """The case as it is afterwards; a browser's form is sent back to the page."""
    person = staff(request)
    feedback_id, action = request.scope["path"].rsplit("/", 2)[-2:]
    if action not in OFFERED or not is_id(feedback_id):
        raise NotFound()
    raw = await read_body(request, may_be_empty=True, multipart=True, late=True)
    wanted = Action(action)
    service = service_of(request, "desk")
    await do(service, person, feedback_id, wanted, raw, request.headers.get("if-match"))
    context = view_context(request, person)
    found = await _read(service, feedback_id, context)
    if wants_html(request):
        # Who gave the case away may not see it any more: back to the work, then.
        still = sees(context.viewer, found.case)
        return RedirectResponse(
            f"/desk/cases/{feedback_id}?done={action}" if still else f"/desk?done={action}", 303
        )
    return QuickJSONResponse(await _shown(service, found, context), headers=_NO_STORE)


# What is done most, without what FastAPI does for a route: `described` tells of it.
router.add_route("/api/cases/{feedback_id}/{action}", act, methods=["POST"])


def is_id(feedback_id: str) -> bool:
    """Whether it can be the id of a case at all."""
    return _ID.fullmatch(feedback_id) is not None


async def list_body(service: Service, wanted: Wanted, context: views.ViewContext) -> dict[str, Any]:
    """The answer of ``GET /api/cases``; pages show the same."""
    read = await as_read(service, wanted)
    question = await question_of(service, read)
    async with service.engine.connect() as connection:
        if not wanted.q.strip():
            return await page_body(connection, wanted, context)
        async with looking(connection, by_meaning=question is not None and question.indexed):
            body = await page_body(connection, read, context, question)
    return body | read_otherwise(wanted, read)


def read_otherwise(wanted: Wanted, read: Wanted) -> dict[str, str]:
    """``{read_as}`` where the words were not read as they are written."""
    return {"read_as": read.q} if read.q != wanted.q else {}


async def page_body(
    connection: AsyncConnection,
    wanted: Wanted,
    context: views.ViewContext,
    question: Question | None = None,
) -> dict[str, Any]:
    """The same, on a connection that is asked for more; for a search while it is `looking`, with
    `question` as `question_of` gave it."""
    rows, cursor, in_words = await find(connection, wanted, question)
    items = [views.item(row, context) for row in rows]
    if words := wanted.q.strip():
        found = await find_in(connection, [r for r in rows if r["feedback_id"] in in_words], words)
        meant = ("meaning", None)
        items = [one | {"found": _found(*found.get(one["feedback_id"], meant))} for one in items]
    more: dict[str, Any] = {}
    if question is not None and question.late:
        more["by_words"] = True
    if not items and not wanted.cursor and is_like_a_code(wanted.q):
        more["no_such_code"] = True
    return {"items": items, "next": cursor} | more


def _found(where: str, hit: Snippet | None) -> dict[str, Any]:
    """Where a search found it: `in` what, and the `snippet` as before, hit, after."""
    return {"in": where, "snippet": list(hit) if hit else None}


async def case_body(
    service: Service,
    feedback_id: str,
    context: views.ViewContext,
    *,
    what: tuple[str, ...] = _CONTACT,
) -> dict[str, Any]:
    """The answer of ``GET /api/cases/{id}``; `NotFound` also for what is not theirs to see."""
    found = await _read(service, feedback_id, context, what)
    if not sees(context.viewer, found.case):
        raise NotFound()
    return await _shown(service, found, context, what)


def view_context(request: Request, person: Staff) -> views.ViewContext:
    """Who looks, when, in which language."""
    runtime = runtime_of(request)
    now = runtime.clock.now()
    return views.ViewContext(
        viewer_of(person),
        now,
        choose_locale(request, runtime.settings.locale),
        runtime.directory,
        deps_of(request).own_addresses,
        partial(runtime.signer.picture_path, now=now),
    )


async def _shown(
    service: Service,
    found: CaseDetail,
    context: views.ViewContext,
    what: tuple[str, ...] = _CONTACT,
) -> dict[str, Any]:
    """The whole case; a look at who is behind it goes on record, as `what`, before it is shown."""
    body = views.detail(found, context)
    if views.shows_person(body) and not found.on_record:
        async with service.transaction() as tx:
            await record(tx, body["feedback_id"], reader_of(context.viewer, found.case), what)
    return body


async def _read(
    service: Service,
    feedback_id: str,
    context: views.ViewContext,
    what: tuple[str, ...] = _CONTACT,
) -> CaseDetail:
    if not is_id(feedback_id):
        raise NotFound()
    async with service.engine.connect() as connection:
        found = await read_detail(
            connection, feedback_id, context.viewer.username, what, context.now
        )
    if found is None:
        raise NotFound()
    return found
