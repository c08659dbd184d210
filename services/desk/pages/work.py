"""Signing in, the queues, and one matter."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.account import account_page
from services.desk.api.bulk import bulk_actions
from services.desk.api.canned import EDITORS, offered
from services.desk.api.cases import case_body, page_body, read_otherwise, view_context
from services.desk.api.forms import Given, forms, needed_now, starting_values, written
from services.desk.api.incidents import READERS
from services.desk.api.mentions import colleagues
from services.desk.api.named import out_of_address
from services.desk.api.preview import Look
from services.desk.api.review_rules import READERS as READ_RULES
from services.desk.api.searching import as_read, question_of
from services.desk.api.session import end_session, local_path
from services.desk.api.themes import EDITORS as GROUPERS
from services.desk.api.viewing import viewer_of
from services.desk.api.views import ViewContext, shows_split
from services.desk.deps import deps_of
from services.desk.domain import SEE_ALL, Action, scopes_of, sees
from services.desk.domain.visibility import OF_A_DEPARTMENT, OWN_ENTRIES
from services.desk.pages.filters import list_of
from services.desk.pages.many import job_context
from services.desk.store import CaseRow, PersonRow, mentions
from services.desk.store.filters import filters_of
from services.desk.store.incidents import incident as incident_of
from services.desk.store.incidents import newest
from services.desk.store.looks import QUEUES, Wanted
from services.desk.store.people import staff_of
from services.desk.store.queues import counts, looking
from services.desk.store.reading import some_cases
from shared.contracts.desk import PersonListed
from shared.contracts.refusal import NotFound, Unacceptable
from shared.contracts.vocabulary import Channel, Role, State
from shared.ids import made_since
from shared.messaging.row_buffer import values_of
from shared.moments import day_and_hour
from shared.service import Service
from shared.web import names
from shared.web.auth import COOKIE, Staff, maybe_staff, runtime_of, service_of, staff, to_sign_in
from shared.web.choices import choice
from shared.web.pages import LIVE_BLOCK, Pages, choose_locale
from shared.web.permissions import Permission

router = APIRouter(include_in_schema=False)

_SHOWN: dict[Role, tuple[str, ...]] = {
    Role.COORDINATOR: (
        *("alarm", "triage", "owed", "mentioned", "to_accept", "due_soon", "overdue"),
        *("reasons", "waiting", "review"),
    ),
    Role.LEADER: (
        *("alarm", "appeals", "escalated", "mentioned", "triage", "to_accept", "due_soon"),
        *("overdue", "reasons", "waiting", "review"),
    ),
    Role.AUDITOR: ("alarm", "triage", "to_accept", "due_soon", "overdue", "waiting", "review"),
} | {
    role: (
        *("mine", "mentioned", "department", "owed", "to_accept", "due_soon", "overdue"),
        *("reasons", "waiting", "review"),
    )
    for role in OF_A_DEPARTMENT
}
_SHOWN[Role.REVIEWER] = (
    "review",
    "extensions",
    "escalated",
    *(q for q in _SHOWN[Role.REVIEWER] if q != "review"),
)
_FIRST = {
    Role.COORDINATOR: ("triage",),
    # Nobody but them decides an appeal.
    Role.LEADER: ("appeals", "overdue", "escalated"),
    Role.LIAISON: ("to_accept",),
    Role.HANDLER: ("mine",),
    Role.REVIEWER: ("department",),
}
"""The queue a person finds when they come to work: of several the first in which something waits,
else that which _CLEARED names."""
_CLEARED = {Role.LEADER: "overdue"}
_ROWS = 30
"""Rows of a page of the list; what comes after them is one press away."""
_FOUND = 10
"""Rows of the first page of a search: who looks for one matter, and finds more, adds a word."""
_MEANT = 5
"""As many more where what means the same comes with what has the words."""
_SURGES = 5
_WRITES = {Action.REPLY, Action.SUBMIT}
_WRITING = ("reply", "submit", "approve")
_ONLY_CHINESE = ("（没有英文）", " (Chinese only)")
"""Of a canned reply, where the reporter reads English."""
_ON_ITS_WAY = timedelta(minutes=1)
_LOOK_AGAIN = (0.1, 0.2, 0.4, 0.8, 1.5)


@router.get("/signin")
async def sign_in_page(request: Request) -> Response:
    wanted = local_path(request.query_params.get("next", "/desk"))
    if maybe_staff(request) is not None:
        return RedirectResponse(wanted, 303)
    return _pages(request).render(request, "signin.html", next=wanted, problem=None, username="")


@router.post("/desk/signout")
async def sign_out(request: Request) -> Response:
    if (person := maybe_staff(request)) is not None:
        await end_session(service_of(request, "desk"), person, request)
    answer = RedirectResponse("/signin", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.get("/desk/account")
async def own_account(request: Request) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    return account_page(request, staff(request))


@router.get("/desk")
async def work(request: Request) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    roles = person.every_role
    asked = request.query_params
    if any(c in value for value in asked.values() for c in "\x00"):
        raise Unacceptable("请去掉特殊控制字符。", "Please remove control characters.")
    queue = choice(request, "queue", QUEUES)
    chosen = bool(queue)
    first = next((r for r in _FIRST if r in roles), None)
    many = _FIRST[first] if first and not chosen else ()
    queue = queue or (_CLEARED.get(first, many[0]) if first else "all")
    state = choice(request, "state", State)
    department, category = asked.get("department") or None, asked.get("category") or None
    runtime_of(request).directory.check_department(department)
    runtime_of(request).directory.check_category(category)
    q = asked.get("q", "")[:200]
    viewer = viewer_of(person)
    wanted = Wanted(
        scopes=scopes_of(viewer),
        accounts=viewer.accounts,
        own_department=person.department,
        now=runtime_of(request).clock.now(),
        queue=queue,
        state=State(state) if state else None,
        department=department,
        category=category,
        channel=choice(request, "channel", Channel),
        q=out_of_address(q),
        cursor=asked.get("cursor") or None,
        limit=_ROWS,
    )
    service = service_of(request, "desk")
    shown = _shown(roles)
    if len(many) > 1:
        async with service.engine.connect() as connection:
            waiting = await counts(connection, wanted, many)
        queue = next((one for one in many if waiting[one] != "0"), queue)
        wanted = replace(wanted, queue=queue)
    read = await as_read(service, wanted)
    question = await question_of(service, read)
    if q.strip() and not wanted.cursor:
        read = replace(read, limit=_FOUND + _MEANT if question else _FOUND)
    context = view_context(request, person)
    async with service.engine.connect() as connection:
        searched = bool(q.strip())
        # A list that is narrowed to few is read through by the database's own plan.
        page = {} if searched else await page_body(connection, wanted, context)
        async with looking(connection, by_meaning=question is not None and question.indexed):
            numbers = await counts(connection, wanted, shown)
            if searched:
                page = await page_body(connection, read, context, question)
                page |= read_otherwise(wanted, read)
        # They stand outside of what is asked for again and again.
        fresh = request.headers.get("hx-target") == LIVE_BLOCK
        filters = [] if fresh else await filters_of(connection, person.username)
    bulk = bulk_actions(viewer)
    rows = deps_of(request).rows.render(
        _pages(request), context.locale, page["items"], now=wanted.now, q=read.q, bulk=bool(bulk)
    )
    return _pages(request).render(
        request,
        "desk.html",
        user=person.user,
        page=page,
        rows=rows,
        counts=numbers,
        queue=queue,
        chosen=chosen,
        q=q,
        only=_narrowed(request, wanted),
        bulk=bulk,
        incidents=bool(READERS & roles),
        surges=_surges(context) if READERS & roles else [],
        replies=bool(EDITORS & roles),
        review_rules=bool(READ_RULES & roles),
        sees_none=not wanted.scopes and Role.ADMIN in roles,
        filters=filters,
        here=list_of(dict(asked) | {"queue": queue}),
    )


def _surges(context: ViewContext) -> list[dict[str, Any]]:
    """What suddenly more is said of, as the directory knows it."""
    english = context.locale == "en"
    found = sorted(context.directory.surges.values(), key=lambda one: one.found_at, reverse=True)
    return [
        {"surge_id": one.surge_id, "name": one.en if english else one.zh, "n": len(one.cases)}
        for one in found[:_SURGES]
    ]


@router.get("/desk/cases/{feedback_id}")
async def one_matter(request: Request, feedback_id: str) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    return await case_page(request, staff(request), feedback_id)


async def case_page(
    request: Request,
    person: Staff,
    feedback_id: str,
    *,
    typed: Mapping[str, str | None] | None = None,
    look: Look | None = None,
) -> Response:
    """The page of a case; `typed` stands in the form of a reply, `look` is how it will look."""
    service = service_of(request, "desk")
    context = view_context(request, person)
    case = await _case_patiently(request, feedback_id, context)
    if case["mentioned"]:
        async with service.transaction() as tx:
            mentions.seen(tx, feedback_id, person.username)
    people: list[tuple[str, str]] = []
    open_incidents: list[tuple[str, str]] = []
    if Action.JOIN in case["may"]:
        async with service.transaction() as tx:
            open_incidents = [(i.incident_id, i.title) for i in await newest(tx) if i.open]
    if Action.ASSIGN in case["may"]:
        async with service.transaction() as tx:
            staff_there = await staff_of(tx, case["department"] or "")
            now = context.now
            people = [(one.username, _present(one, now, context.locale)) for one in staff_there]
    words: list[tuple[str, str]] = []
    if _WRITES & set(case["may"]):
        async with service.transaction() as tx:
            found = await offered(tx, person, case["department"], case["category"])
            missing = case["locale"] == "en"
            only = _ONLY_CHINESE[context.locale == "en"]
            words = [
                (one.reply_id, one.title + (only if missing and not one.en else ""))
                for one in found
            ]
    listed, english = runtime_of(request).directory, context.locale == "en"
    rule = listed.category_rules.get(case["category"] or "")
    broken = [p["clock"] for p in case["promises"] if p["status"] == "breached"]
    late = list(dict.fromkeys((*case["reasons_owed"], *broken)))
    lists: dict[str, Sequence[tuple[str, str]]] = {
        "department": [(code, pair[english]) for code, pair in listed.departments.items()],
        "category": [(code, pair[english]) for code, pair in listed.categories.items()],
        "colleague": people,
        "people": _mentionable(case, context) if "note" in case["may"] else [],
        "incident": open_incidents,
        "canned": words,
        "rule": [(rule, rule)] if rule else [],
        "part": [(p["department"], p["department_name"]) for p in case["co_departments"]],
        "clock": [(clock, names.clock_name(clock, context.locale)) for clock in late],
    }
    start = starting_values(case) | (written(typed, _WRITING) if typed else {})
    return _pages(request).render(
        request,
        "case.html",
        user=person.user,
        case=case,
        forms=forms(context.locale),
        given=Given(start, lists, needed_now(case)),
        look=look,
        related=await _related(service, case, context),
        entered_by=context.person(case["entered_by"]),
        incident=await _incident(service, case, person),
        audits=bool(person.every_role & SEE_ALL),
        groups=bool(viewer_of(person).every_role & GROUPERS),
        sends_again=person.may(Permission.SEND_AGAIN),
        back=f"/desk/cases/{feedback_id}",
        **await _job(request, person),
    )


async def _incident(service: Service, case: dict[str, Any], person: Staff) -> str | None:
    """What the incident of the case is called, for who sees incidents."""
    if case["incident"] is None or not READERS & person.every_role:
        return None
    async with service.transaction() as tx:
        found = await incident_of(tx, case["incident"])
    return found.title if found is not None else None


async def _job(request: Request, person: Staff) -> dict[str, Any]:
    """The job over cases like this one that was begun here, if there is one."""
    if not (job_id := request.query_params.get("job")):
        return {}
    try:
        return await job_context(request, person, job_id)
    except NotFound:
        return {}


def _mentionable(case: dict[str, Any], context: ViewContext) -> list[tuple[str, str]]:
    """Who can be mentioned in a note."""
    about = SimpleNamespace(
        department=case["department"],
        co_departments=[part["department"] for part in case["co_departments"]],
        confidential=case["confidential"],
        anonymous=case["anonymous"],
        entered_by=case["entered_by"],
    )
    found = colleagues(context.directory, about, context.viewer.username)
    return [(one.username, _present(one, context.now, context.locale)) for one in found]


def _present(one: PersonRow | PersonListed, now: datetime, locale: str) -> str:
    """What somebody is called in a list of choices, and whether they are away."""
    name = one.display or one.username
    if not one.is_away(now):
        return name
    until = day_and_hour(one.away_until, locale)
    return f"{name} (away until {until})" if locale == "en" else f"{name}（外出到 {until}）"


_RELATED = ("merged_into", "merged", "parent", "children", "links")


async def _related(
    service: Service, case: dict[str, Any], context: ViewContext
) -> list[dict[str, Any]]:
    """The cases this one hangs together with; what they are about where the viewer sees them."""
    ids = [
        (name, one)
        for name in _RELATED
        for one in ([case[name]] if isinstance(case[name], str) else case[name] or ())
    ]
    if not ids:
        return []
    async with service.engine.connect() as connection:
        found = await some_cases(connection, [one for _, one in ids])
    seen = {row.feedback_id: row for row in found if sees(context.viewer, row)}
    return [
        {"as": name, "feedback_id": one} | (_in_short(seen[one]) if one in seen else {})
        for name, one in ids
    ]


def _in_short(row: CaseRow) -> dict[str, Any]:
    split = shows_split(values_of(row))
    return {"title": row.title or row.feedback_id, "state": row.state, "split": split}


async def _case_patiently(
    request: Request, feedback_id: str, context: ViewContext
) -> dict[str, Any]:
    """The case; one that was entered a moment ago may still be on its way through the log."""
    service, now = service_of(request, "desk"), runtime_of(request).clock.now()
    for pause in (*_LOOK_AGAIN, None):
        try:
            return await case_body(service, feedback_id, context)
        except NotFound:
            if pause is None or not made_since(feedback_id, now - _ON_ITS_WAY):
                raise
        await asyncio.sleep(pause)
    raise AssertionError


def _shown(roles: frozenset[Role]) -> tuple[str, ...]:
    """The queues of all these roles, those of the first ones first."""
    order = (*(r for r in _SHOWN if r not in OF_A_DEPARTMENT), Role.REVIEWER, *OF_A_DEPARTMENT)
    found = [q for role in order if role in roles for q in _SHOWN[role]]
    return tuple(dict.fromkeys(found)) or (("mine",) if roles & OWN_ENTRIES else ())


def _narrowed(request: Request, wanted: Wanted) -> list[tuple[str, str]]:
    """What a link from the board narrowed the list to: parameter and its words."""
    runtime = runtime_of(request)
    locale = choose_locale(request, runtime.settings.locale)
    words = {
        "state": names.state_name(wanted.state, locale),
        "department": runtime.directory.department_name(wanted.department, locale),
        "category": runtime.directory.category_name(wanted.category, locale),
        "channel": names.pick("channel", names.CHANNELS, wanted.channel, locale),
    }
    return [(name, words[name]) for name in words if getattr(wanted, name)]


def _pages(request: Request) -> Pages:
    return deps_of(request).pages
