"""The entry point for people: where is it, and how are we doing."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.tracking.api.asking import asked_of
from services.tracking.api.behind import drill_down_body
from services.tracking.api.board import answer_to, wants_anew
from services.tracking.api.context import ViewContext, locale_of
from services.tracking.api.mailed import mailed_body
from services.tracking.api.parts import address_behind, parts_of
from services.tracking.api.reports import report_body
from services.tracking.api.themes import themes_body
from services.tracking.api.track import PRIVATE, matters_body, track_body
from services.tracking.deps import NAME, Deps, deps_of
from services.tracking.domain.themes import LEAST_BEFORE, WEEKS
from services.tracking.wording.board import PRESETS, REPORTS, filter_words
from services.tracking.wording.report import said_context
from shared.contracts.refusal import NotFound, Refusal, TooMany, Unacceptable, Unavailable
from shared.moments import local
from shared.security import MATTERS, MATTERS_COOKIE, code_in, plain_code
from shared.service import Service
from shared.web.auth import require_role, runtime_of, service_of, staff, to_sign_in
from shared.web.pages import wants_html
from shared.web.permissions import Permission

router = APIRouter(include_in_schema=False)
FIRST_SHOWN = "month"
"""The period of the page where the address names none: a day says little about effect."""


@router.get("/track")
@router.get("/track/")
async def lookup_page(request: Request) -> Response:
    """``/track/?code=…``: the page of the case, or a sentence beside the field."""
    typed = request.query_params.get("code", "")
    refused: Refusal | None = None
    if code := code_in(typed):
        try:
            return await _page_of(request, code)
        except (TooMany, Unavailable) as error:
            refused = error
        except NotFound:
            refused = _unknown()
    elif typed:
        refused = _unknown()
    return _lookup(request, typed, refused)


def _lookup(request: Request, typed: str, refused: Refusal | None) -> Response:
    headers = dict(PRIVATE)
    if refused is not None and refused.retry_after:
        headers["Retry-After"] = str(refused.retry_after)
    if isinstance(refused, Unavailable):
        headers["Refresh"] = headers["Retry-After"]
    page: Response = deps_of(request).pages.render(
        request,
        "lookup.html",
        status=200 if refused is None else refused.status,
        headers=headers,
        typed=typed,
        problem=refused.detail(locale_of(request)) if refused is not None else None,
    )
    return page


def _unknown() -> NotFound:
    return NotFound(
        "没有这个查询码。请对照收到时的那一个，看看有没有少写或写错。",
        "There is no such code. Please compare it with the one you were given.",
    )


@router.get("/track/mine")
async def matters_page(request: Request) -> Response:
    """``/track/mine``: all that a reporter has with us, for a while after they opened the link."""
    return await _matters(request)


@router.get("/track/mine/{token}")
async def link_page(request: Request, token: str) -> Response:
    """Where the link in the letter leads: a button, so that no program that looks at links uses
    it up."""
    return await _matters(request, token)


async def _matters(request: Request, token: str | None = None) -> Response:
    runtime, cookie = runtime_of(request), request.cookies.get(MATTERS_COOKIE, "")
    codes = runtime.signer.read_signed(MATTERS, cookie, runtime.clock.now())
    shown = codes is not None and token is None
    cases = await matters_body(request, codes) if shown else None
    pages = deps_of(request).pages
    response: Response = pages.render(request, "matters.html", cases=cases, token=token)
    response.headers.update(PRIVATE)
    return response


@router.get("/track/{code}")
async def track_page(request: Request, code: str) -> Response:
    """``/track/{code}``, for the reporter; looks again by itself while the case is on its way.

    A code that is none of ours stands in the field again: whoever mistyped it, or has lost it, goes
    on from there.
    """
    try:
        return await _page_of(request, code)
    except NotFound:
        if not wants_html(request):
            raise
        return _lookup(request, code, _unknown())


async def _page_of(request: Request, code: str) -> Response:
    body = await track_body(request, code)
    pages = deps_of(request).pages
    response: Response = pages.render(request, "track.html", case=body, code=plain_code(code))
    response.headers.update(PRIVATE)
    return response


@router.get("/dashboard")
async def dashboard_page(request: Request) -> Response:
    """``/dashboard``, for managers."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    asked = asked_of(request, person, default=FIRST_SHOWN)
    service: Service[Deps] = service_of(request, NAME)
    context = ViewContext.of(service.runtime, asked.locale)
    directory = service.runtime.directory
    own = person.departments_with(Permission.SEE_OWN_FIGURES)
    departments = [
        (code, directory.department_name(code, asked.locale))
        for code in directory.departments
        if not asked.restricted or code in own
    ]
    render = partial(
        service.deps.pages.render,
        request,
        "dashboard.html",
        user=person.user,
        asked=asked,
        departments=departments,
        presets=PRESETS[asked.locale == "en"],
    )
    try:
        question = asked.question(context.now)
    except Unacceptable as error:
        refused: Response = render(status=error.status, wrong=error.errors, groups=[], parts={})
        return refused
    answer = await answer_to(service, question, anew=wants_anew(request))
    response: Response = render(
        wrong={},
        parts=parts_of(service.deps, asked, answer, context),
        stream=asked.query(lang=asked.locale),
        groups=sorted({*answer.body["reporter_groups"], asked.reporter_group or ""} - {""}),
        chosen=filter_words(asked, asked.locale, context.name_of, context.category),
        period_from=local(question.first),
        # What is still to come is looked at to its end, what has begun until now.
        period_to=local(
            question.last if question.first > context.now else min(question.last, context.now)
        ),
        days=(question.end - question.first_day).days,
        as_of=local(context.now),
    )
    return response


@router.get("/reports")
async def report_page(request: Request) -> Response:
    """``/reports``: what to tell the director."""
    if (away := to_sign_in(request)) is not None:
        return away
    body, asked, period = await report_body(request)
    context = ViewContext.of(service_of(request, NAME).runtime, asked.locale)
    english = asked.locale == "en"
    response: Response = deps_of(request).pages.render(
        request,
        "report.html",
        user=staff(request).user,
        asked=asked,
        period=period,
        kinds=REPORTS[english],
        behind=partial(address_behind, asked),
        department_of=lambda code: body["department_names"].get(code, ""),
        as_of=local(context.now),
        mailed=staff(request).may(Permission.SEE_MAILED_REPORTS),
        **said_context(body, asked.locale, context.category),
    )
    return response


@router.get("/reports/themes")
async def themes_page(request: Request) -> Response:
    """``/reports/themes``: what comes up again and again, and whether what was done helped."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = require_role(request, Permission.SEE_ALL_FIGURES)
    response: Response = deps_of(request).pages.render(
        request,
        "themes.html",
        user=person.user,
        report=await themes_body(request),
        rule={"weeks": WEEKS, "least": LEAST_BEFORE},
    )
    return response


@router.get("/reports/mailed")
async def mailed_page(request: Request) -> Response:
    """``/reports/mailed``: which reports are mailed when, and what became of the last ones."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = require_role(request, Permission.SEE_MAILED_REPORTS)
    response: Response = deps_of(request).pages.render(
        request,
        "mailed.html",
        user=person.user,
        mailed=mailed_body(request),
        reports=person.may(Permission.SEE_ALL_FIGURES)
        or bool(person.departments_with(Permission.SEE_OWN_FIGURES)),
    )
    return response


@router.get("/dashboard/cases")
async def drill_down_page(request: Request) -> Response:
    """``/dashboard/cases``: what a number of the dashboard is made of."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    body = await drill_down_body(request, person)
    pages = deps_of(request).pages
    response: Response = pages.render(request, "drill_down.html", cases=body, user=person.user)
    return response
