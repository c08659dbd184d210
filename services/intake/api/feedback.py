"""The entry points for a comment: anybody's, an adapter's, a clerk's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.intake.api.answers import (
    REFUSALS,
    Problem,
    receipt_answer,
    receipt_body,
    refused,
    turn_away,
)
from services.intake.api.pictures import read_pictures, room_for
from services.intake.deps import Deps, deps_of
from services.intake.domain.pictures import Picture
from services.intake.domain.submission import (
    DeskFeedback,
    PublicFeedback,
    fingerprint,
    from_adapter,
    from_public,
    from_staff,
)
from services.intake.store import Arrival, Key, Receipt
from shared.contracts.inbound import FeedbackBody, InboundFeedback
from shared.contracts.refusal import Unacceptable
from shared.contracts.vocabulary import Channel
from shared.moments import LOCAL
from shared.observability.metrics import ACCEPT_SECONDS
from shared.security import AdapterToken
from shared.web.auth import Staff, adapter, require_role
from shared.web.bodies import ParsedBody, read_body
from shared.web.limits import caller
from shared.web.pages import choose_locale, qr_svg, wants_html
from shared.web.permissions import Permission

_MOST_KEY = 255


async def submit(request: Request) -> Response:
    """``POST /api/feedback``"""
    started = time.perf_counter()
    deps = deps_of(request)
    parsed = ParsedBody()
    try:
        program = adapter(request)
        wait = None if program else deps.callers.take(caller(request))
        async with room_for(deps, request) as files:
            parsed = await read_body(request, files=files)
            turn_away(wait or (None if program else deps.over_budget(request, parsed.size)))
            pictures = await read_pictures(deps, request, parsed, public=program is None)
        receipt = await _accept(deps, _arrival(deps, request, parsed, program, pictures))
    except REFUSALS as error:
        return refused(request, error, lambda problem: say_page(request, parsed.form, problem))
    ACCEPT_SECONDS.observe(time.perf_counter() - started)
    if wants_html(request):
        body, asked = receipt_body(deps, receipt), parsed.form.get("incident")
        said: dict[str, Any] = {
            "receipt": body,
            "qr_svg": qr_svg(body["track_url"]),
            "asked": asked,
            "incident": deps.runtime.directory.incidents.get(asked or ""),
        }
        locale = choose_locale(request, deps.pages.default_locale)
        other = deps.pages.fragment("zh" if locale == "en" else "en", "_thanks.html", **said)
        headers = {"Cache-Control": "no-store"}
        return deps.pages.render(
            request, "sent.html", status=201, headers=headers, **said, other=other
        )
    return receipt_answer(deps, receipt)


async def submit_at_desk(request: Request) -> Response:
    """``POST /api/desk/feedback``"""
    started = time.perf_counter()
    deps = deps_of(request)
    parsed = ParsedBody()
    person = who_may_enter(request)
    try:
        async with room_for(deps, request) as files:
            parsed = await read_body(request, files=files)
            pictures = await read_pictures(deps, request, parsed, public=False)
        body = DeskFeedback.model_validate(_as_meant(parsed), context=deps.known)
        submission = from_staff(
            body, deps.ticket(), actor=person.actor, locale=deps.runtime.settings.locale
        )
        submission = replace(submission, pictures=pictures)
        key = _key(request, parsed, f"staff:{person.username}", body, pictures)
        receipt = await _accept(deps, Arrival(submission, key))
    except REFUSALS as error:
        return refused(
            request, error, lambda problem: desk_page(request, person, parsed.form, problem)
        )
    ACCEPT_SECONDS.observe(time.perf_counter() - started)
    if wants_html(request):
        return deps.pages.render(
            request,
            "desk_new.html",
            status=201,
            user=person.user,
            receipt=receipt_body(deps, receipt),
            form=begun(request, parsed.form),
            incidents=deps.open_incidents,
            asked=submission.incident,
            incident=deps.runtime.directory.incidents.get(submission.incident or ""),
        )
    return receipt_answer(deps, receipt)


def _as_meant(parsed: ParsedBody) -> dict[str, Any]:
    """The fields; a date and a time typed into a form are those on the wall here."""
    said = parsed.fields.get("occurred_at")
    if not parsed.is_form or not isinstance(said, str):
        return parsed.fields
    try:
        moment = datetime.fromisoformat(said.strip()) if said.strip() else None
    except ValueError:
        return parsed.fields
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=LOCAL)
    return parsed.fields | {"occurred_at": moment and moment.isoformat()}


def who_may_enter(request: Request) -> Staff:
    """Staff who write comments down."""
    return require_role(request, Permission.WRITE_DOWN)


def begun(request: Request, known: Mapping[str, str]) -> dict[str, str]:
    """The counter's form for the next comment: where it is, and the language of the house."""
    where = {name: known[name][:80] for name in ("desk", "place") if name in known}
    return {"locale": deps_of(request).runtime.settings.locale} | where


def say_page(request: Request, form: dict[str, str], problem: Problem) -> Response:
    """The page with everything that was typed, and what is wrong."""
    deps = deps_of(request)
    return deps.pages.render(
        request,
        "say.html",
        status=problem.status,
        incidents=deps.open_incidents,
        form=_given_back(form, problem),
        errors=problem.errors,
        problem=problem.detail,
    )


def desk_page(request: Request, person: Staff, form: dict[str, str], problem: Problem) -> Response:
    """The counter's page, likewise."""
    return deps_of(request).pages.render(
        request,
        "desk_new.html",
        status=problem.status,
        user=person.user,
        incidents=deps_of(request).open_incidents,
        form=_given_back(form, problem),
        errors=problem.errors,
        problem=problem.detail,
    )


def _given_back(form: dict[str, str], problem: Problem) -> dict[str, str]:
    """What was typed; a key that stands for other words is not offered again."""
    spent = problem.status == 409
    return {k: v for k, v in form.items() if not (spent and k == "idempotency_key")}


async def _accept(deps: Deps, arrival: Arrival) -> Receipt:
    receipt = await deps.group.submit(arrival)
    assert receipt is not None
    return receipt


def _arrival(
    deps: Deps,
    request: Request,
    parsed: ParsedBody,
    program: AdapterToken | None,
    pictures: tuple[Picture, ...],
) -> Arrival:
    locale = deps.runtime.settings.locale
    if program is None:
        body = PublicFeedback.model_validate(parsed.fields, context=deps.known)
        submission = from_public(
            body,
            deps.ticket(),
            channel=Channel.WEB,
            locale=locale,
            reporter_group=body.reporter_group,
        )
        submission = replace(submission, pictures=pictures)
        return Arrival(submission, _key(request, parsed, "public", body, pictures))
    from_program = InboundFeedback.model_validate(parsed.fields, context=deps.known)
    submission = from_adapter(from_program, deps.ticket(), account=program.name, locale=locale)
    submission = replace(submission, pictures=pictures)
    key = _key(request, parsed, f"token:{program.token_id}", from_program, pictures)
    return Arrival(submission, key)


def _key(
    request: Request,
    parsed: ParsedBody,
    scope: str,
    body: FeedbackBody,
    pictures: tuple[Picture, ...],
) -> Key | None:
    """The idempotency key of the header, or the hidden one of a form."""
    given: Any = request.headers.get("idempotency-key")
    of_a_form = given is None
    if of_a_form:
        given = parsed.form.get("idempotency_key") or None
    if given is None:
        return None
    if not 1 <= len(given) <= _MOST_KEY or not given.isprintable():
        raise Unacceptable(
            "Idempotency-Key 须为 1–255 个可见字符。",
            "An Idempotency-Key has 1 to 255 printable characters.",
            errors={"Idempotency-Key": "1–255 个可见字符 | 1 to 255 printable characters"},
        )
    return Key(scope, given, fingerprint(body, pictures), of_a_form=of_a_form)
