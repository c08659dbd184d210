"""``/sla/policy``: what we promise, its versions side by side, and the table to edit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.sla.api.rules import known_values
from services.sla.api.trials import TERM, PolicyTrial, begin_policy
from services.sla.deps import deps_of
from services.sla.domain.policy import DIMENSIONS, Policy, conditions_of
from services.sla.domain.policy_check import BY_THEMSELVES, Known
from services.sla.domain.policy_form import (
    CLOCKS,
    DEFAULTS,
    differences,
    fields_of,
    filled_rows,
    night_code,
    parts,
    read_table,
)
from services.sla.pages.common import locale_of, may_edit, reader, render, up_to_date
from services.sla.store.rules import policy_version, policy_versions
from services.sla.wording.pages import duration_words, role_name
from shared.contracts.refusal import NoSuchChoice, Refusal
from shared.contracts.vocabulary import Role
from shared.moments import LOCAL
from shared.validation import in_language
from shared.web import names
from shared.web.auth import Staff, require_role, runtime_of, service_of, to_sign_in
from shared.web.bodies import checked, read_body
from shared.web.permissions import Permission
from shared.web.problems import field_errors

router = APIRouter(include_in_schema=False)

FIELDS = 3000
"""Of the form: a table of 40 rows, and what each is for."""
SPARE = 2
"""Empty rows below the table, for new ones."""


@router.get("/sla/policy")
async def policy_page(request: Request) -> Response:
    """The promises in force; with ``?from=&to=`` two versions compared."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = reader(request)
    policy = (await up_to_date(request)).policy
    async with service_of(request, "sla").engine.connect() as connection:
        versions = await policy_versions(connection)
        pair = [
            await _version(connection, name, number)
            for name in ("from", "to")
            if (number := request.query_params.get(name))
        ]
    compared = pair if len(pair) == 2 else []
    return render(
        request,
        "policy.html",
        person,
        may_edit=may_edit(person),
        policy=policy,
        versions=versions,
        compared=compared,
        quiet=night_code(policy.quiet.model_dump()),
        quiet_p1=policy.quiet.p1 and night_code(policy.quiet.p1.model_dump()),
        differences=differences(*compared) if compared else {},
        **_columns(),
    )


async def _version(connection: AsyncConnection, name: str, number: str) -> Policy:
    """The version that a parameter of the address asks for; raises `NoSuchChoice`."""
    readable = number.isascii() and number.isdigit() and len(number) < 9
    found = await policy_version(connection, int(number)) if readable else None
    if found is None:
        raise NoSuchChoice(name)
    return found


@router.get("/sla/policy/edit")
async def edit_page(request: Request) -> Response:
    """The table, to be edited."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = require_role(request, Permission.EDIT_PROMISES)
    policy = (await up_to_date(request)).policy
    return await _edit_page(request, person, policy, _typed(policy, locale_of(request)))


@router.post("/sla/policy/edit")
async def try_page(request: Request) -> Response:
    """On to what the table would have done to past cases; or this page with what is wrong."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = require_role(request, Permission.EDIT_PROMISES)
    body = await read_body(request, may_be_empty=True, multipart=True, most_fields=FIELDS)
    # Of a list several may be chosen.
    form: dict[str, str] = {}
    for name, value in body.pairs:
        form[name] = f"{form[name]}, {value}" if form.get(name) else value
    roles = {role_name(r, at).casefold(): r.value for r in Role for at in ("zh", "en")}
    try:
        table = read_table(form, roles)
        period = {name: form[name] for name in ("first", "last") if form.get(name)}
        edit = checked(PolicyTrial, table | period)
        async with service_of(request, "sla").transaction() as tx:
            trial = await begin_policy(tx, edit, person.username)
    except (Refusal, RequestValidationError) as error:
        locale, status = locale_of(request), 422
        if isinstance(error, Refusal):
            status = error.status
            errors = {w: in_language(said, locale) for w, said in (error.errors or {}).items()}
            errors = errors or {"": error.detail(locale)}
        else:
            errors = field_errors(request, error.errors())
        return await _edit_page(
            request,
            person,
            (await up_to_date(request)).policy,
            form,
            status=status,
            errors=fields_of(form, errors),
        )
    return RedirectResponse(f"/sla/trials/{trial}", 303)


async def _edit_page(
    request: Request, person: Staff, policy: Policy, form: Mapping[str, str], **context: Any
) -> Response:
    async with service_of(request, "sla").engine.connect() as connection:
        known = await known_values(connection, deps_of(request))
    today = runtime_of(request).clock.now().astimezone(LOCAL).date()
    numbers = filled_rows(form)
    more = max(numbers, default=-1) + 1
    return render(
        request,
        "policy_edit.html",
        person,
        policy=policy,
        form=form,
        numbers=[*numbers, *range(more, more + SPARE)],
        term=(today - TERM, today),
        choices=_choices(request, known),
        picked=lambda field: parts(form.get(field, "")),
        opened=lambda at: any(
            f"{at}.{d}" in context.get("errors", ()) for d in ("when", *DIMENSIONS)
        ),
        **({"errors": {}} | _columns() | context),
    )


def _choices(request: Request, known: Known) -> dict[str, list[str]]:
    """Dimension → the codes to choose from, as the directory orders them."""
    listed = deps_of(request).directory
    return {
        "department": list(listed.departments),
        "group": [*names.GROUPS, *sorted(set(known["group"]) - names.GROUPS.keys())],
        "category": list(listed.categories),
        "channel": list(names.CHANNELS),
        "type": list(names.TYPES),
        "priority": list(names.PRIORITIES),
    }


def _columns() -> dict[str, Any]:
    return {
        "clocks": [clock.value for clock in CLOCKS],
        "defaults": [clock.value for clock in DEFAULTS],
        "dimensions": DIMENSIONS,
        "conditions_of": conditions_of,
        "by_themselves": BY_THEMSELVES,
    }


def _typed(policy: Policy, locale: str) -> dict[str, str]:
    """The table in force as its form is filled in."""
    quiet = policy.quiet.model_dump()
    typed = {
        "reopened_percent": str(policy.reopened_percent),
        "quiet": night_code(quiet) or "",
        "quiet_p1": night_code(quiet["p1"]) or "",
    }
    for number, (name, row) in enumerate(policy.rows.items()):
        at = f"r{number}"
        typed[f"{at}.name"] = name
        for clock in CLOCKS:
            if code := row.clocks.get(clock):
                typed[f"{at}.{clock}"] = duration_words(code, locale)
        if row.progress_note:
            typed[f"{at}.note"] = duration_words(row.progress_note, locale)
        if row.warn is not None:
            typed[f"{at}.warn"] = ", ".join(f"{percent}%" for percent in row.warn)
        typed[f"{at}.escalate"] = ", ".join(
            f"{e.at}% {role_name(e.to, locale)}" for e in row.escalate
        )
        if row.when is not None:
            for dimension in DIMENSIONS:
                typed[f"{at}.{dimension}"] = ", ".join(getattr(row.when, dimension))
    for other in DEFAULTS:
        if code := policy.defaults.get(other):
            typed[f"default.{other}"] = duration_words(code, locale)
    return typed
