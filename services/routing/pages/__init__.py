"""Pages: try a sentence and see why, look through the rules, edit them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.routing import store
from services.routing.api.editing import MOST, compile_rules, replace_rules
from services.routing.api.rules import (
    Attempt,
    as_body,
    attempted,
    editor,
    known,
    locale_of,
    reader,
)
from services.routing.deps import Deps, deps_of
from services.routing.domain import Rule, RulesInvalid, fold, with_version
from services.routing.pages import learned, rule_form, trials, unit_form
from shared.contracts.refusal import Conflict, NotFound, Refusal
from shared.web.auth import Staff, maybe_staff, runtime_of, service_of
from shared.web.bodies import read_body
from shared.web.permissions import Permission
from shared.web.problems import field_errors

router = APIRouter(include_in_schema=False)
router.include_router(learned.router)

LOOK_BACK = timedelta(days=30)
CORRECTED = 12
EARLIER = 20
"""Versions of the rules to go back to that are listed."""
_TRIED = ("text", "place", "category")


@router.get("/routing")
async def rules_page(request: Request) -> Response:
    """``/routing``: try a sentence, and the rules."""
    if (away := _sign_in(request)) is not None:
        return away
    return await _rules_page(request, reader(request))


@router.post("/routing")
async def try_page(request: Request) -> Response:
    """The same page with what would become of a sentence. Nothing is kept."""
    if (away := _sign_in(request)) is not None:
        return away
    person = reader(request)
    form = (await read_body(request, may_be_empty=True, multipart=True)).form
    typed = {name: form.get(name, "").replace("\r\n", "\n") for name in _TRIED}
    try:
        attempt = Attempt.model_validate(typed, context=known(request))
    except ValidationError as error:
        errors = field_errors(request, error.errors(include_url=False))
        return await _rules_page(request, person, status=422, form=typed, errors=errors)
    decision = as_body(*await attempted(request, attempt))
    return await _rules_page(request, person, form=typed, tried=_shown(request, decision))


@router.get("/routing/edit")
async def edit_page(request: Request) -> Response:
    """``/routing/edit``: the whole document; with ``rule`` or ``unit`` that one as a form, with
    ``from`` as it was in an earlier version, to be saved as the next."""
    if (away := _sign_in(request)) is not None:
        return away
    person = editor(request)
    await _follow(request)
    if rule_id := request.query_params.get("rule", ""):
        return await rule_form.form_page(request, person, rule_id)
    if unit_id := request.query_params.get("unit", ""):
        return await unit_form.form_page(request, person, unit_id)
    stored = deps_of(request).rules.stored
    async with service_of(request, "routing").engine.connect() as connection:
        before = await store.earlier_rules(connection, EARLIER)
        if asked := request.query_params.get("from", ""):
            earlier = learned.version_of(asked)
            text = await store.rules_text(connection, earlier)
            if text is None:
                raise NotFound
            return _edit_page(
                request,
                person,
                with_version(text, stored.version),
                earlier=earlier,
                before=before,
            )
    return _edit_page(request, person, stored.text, before=before)


@router.post("/routing/edit")
async def save_page(request: Request) -> Response:
    """Put the document in force, or give it back with what is wrong."""
    if (away := _sign_in(request)) is not None:
        return away
    person = editor(request)
    form = (await read_body(request, may_be_empty=True, multipart=True)).form
    if form.get("rule"):
        await _follow(request)
        return await rule_form.save_form(request, person, form)
    if form.get("unit_id"):
        await _follow(request)
        return await unit_form.save_form(request, person, form)
    text = form.get("rules", "").replace("\r\n", "\n")
    if form.get("do") == "try":
        return await _try_rules(request, person, text)
    try:
        stored = await replace_rules(service_of(request, "routing"), text, by=person.username)
    except RulesInvalid as invalid:
        lines = [m.sentence(locale_of(request)) for m in invalid.mistakes[:MOST]]
        return _edit_page(request, person, text, status=422, mistakes=lines)
    except Refusal as refusal:
        lines = [refusal.detail(locale_of(request))]
        stale = isinstance(refusal, Conflict)
        return _edit_page(request, person, text, status=refusal.status, mistakes=lines, stale=stale)
    return RedirectResponse(f"/routing?saved={stored.version}", 303)


async def _try_rules(request: Request, person: Staff, text: str) -> Response:
    """The same page with what these rules would change. Nothing is kept."""
    service, locale = service_of(request, "routing"), locale_of(request)
    try:
        async with service.deps.compiling:
            rules = await asyncio.to_thread(
                compile_rules, text, list(service.deps.directory.departments)
            )
    except RulesInvalid as invalid:
        lines = [m.sentence(locale) for m in invalid.mistakes[:MOST]]
        return _edit_page(request, person, text, status=422, mistakes=lines)
    trial = await trials.of_rules(service, rules, locale)
    return _edit_page(request, person, text, trial=trial)


async def _rules_page(
    request: Request, person: Staff, *, status: int = 200, **context: Any
) -> Response:
    await _follow(request)
    deps, locale = deps_of(request), locale_of(request)
    q = request.query_params.get("q", "").replace("\0", "")[:100]
    stored = deps.rules.stored
    listed = [_listed(rule, deps, locale) for rule in stored.ruleset.book.rules]
    found = [one for one in listed if all(word in one["find"] for word in fold(q).split())]
    since = runtime_of(request).clock.now() - LOOK_BACK
    async with service_of(request, "routing").engine.connect() as connection:
        results = await store.results(connection, since)
        corrected = await store.corrected(connection, CORRECTED)
    figures: dict[str, Any] = {"whole": {"cases": 0}}
    if request.headers.get("hx-request") != "true":
        figures = await learned.figures_since(request, since)
    did = await rule_form.did(service_of(request, "routing"))
    for one in found:
        one["did"] = did.get(one["id"])
    values: dict[str, Any] = {"form": {}, "errors": {}, "tried": None} | context
    return _render(
        request,
        "routing.html",
        person,
        status=status,
        q=q,
        rules=found,
        total=len(listed),
        stored=stored,
        results=results,
        corrected=[_corrected(one, deps, locale) for one in corrected],
        may_edit=person.may(Permission.EDIT_RULES),
        units=[
            {
                "id": one.id,
                "unit": one.unit_en if locale == "en" else one.unit,
                "instead": one.instead_en if locale == "en" else one.instead,
                "phrases": len(one.phrases),
            }
            for one in stored.ruleset.book.units
        ],
        **figures,
        **values,
    )


def _edit_page(
    request: Request, person: Staff, text: str, *, status: int = 200, **context: Any
) -> Response:
    values: dict[str, Any] = {"mistakes": [], "stale": False, "trial": None, "before": []}
    values |= {"earlier": None} | context
    stored = deps_of(request).rules.stored
    return _render(request, "edit.html", person, status=status, text=text, stored=stored, **values)


def _render(request: Request, template: str, person: Staff, **context: Any) -> Response:
    answer: Response = deps_of(request).pages.render(request, template, user=person.user, **context)
    return answer


def _listed(rule: Rule, deps: Deps, locale: str) -> dict[str, Any]:
    """A rule as the list shows it, with all its words to search in."""
    english = locale == "en"
    words = [*rule.phrases, *rule.places]
    category = deps.directory.categories.get(rule.category or "", ("", "", ""))
    department = deps.directory.department_name(rule.owner or None, locale)
    return {
        "id": rule.id,
        "note": rule.note_en if english else rule.note,
        "category": category[english],
        "department": department,
        "type": rule.type,
        "priority": "P1" if rule.emergency else rule.priority,
        "weight": rule.weight,
        "enabled": rule.enabled,
        "words": words,
        "also": rule.all_phrases,
        "never": (*rule.not_phrases, *rule.not_before),
        "find": fold(
            "\n".join((rule.id, rule.note, rule.note_en, *category[:2], department, *words))
        ),
    }


def _shown(request: Request, decision: dict[str, Any]) -> dict[str, Any]:
    """A decision in the reader's language."""
    locale, directory = locale_of(request), deps_of(request).directory
    field = "text_en" if locale == "en" else "text"
    alarm = decision["alarm"]
    return decision | {
        "alarm": alarm and " · ".join(dict.fromkeys(r[field] for r in alarm["reasons"])),
        "department_name": directory.department_name(decision["department"], locale),
        "reasons": [{"text": t, "weight": w} for t, w in _once(decision["reasons"], field)],
        "candidates": [
            c | {"department_name": directory.department_name(c["department"], locale)}
            for c in decision["candidates"]
        ],
    }


def _once(reasons: list[dict[str, Any]], field: str) -> list[tuple[str, float]]:
    """What two rules say alike stands once, with the greater weight."""
    found: dict[str, float] = {}
    for one in reasons:
        found[one[field]] = max(one["weight"], found.get(one[field], one["weight"]))
    return list(found.items())


def _corrected(one: dict[str, Any], deps: Deps, locale: str) -> dict[str, Any]:
    name = deps.directory.department_name
    return one | {
        "text": trials.excerpt(one["text"]),
        "department": name(one["department"], locale),
        "guessed": name(one["guessed"], locale),
    }


async def _follow(request: Request) -> None:
    """An edit made in another process a moment ago is seen."""
    async with service_of(request, "routing").engine.connect() as connection:
        await deps_of(request).rules.refresh(connection)


def _sign_in(request: Request) -> Response | None:
    if maybe_staff(request) is not None or request.headers.get("hx-request") == "true":
        return None
    return RedirectResponse(f"/signin?next={quote('/routing')}", 303)
