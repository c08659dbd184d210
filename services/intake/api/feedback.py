"""The doors for a comment: anybody's, an adapter's, a clerk's."""

from __future__ import annotations

import time
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
from services.intake.api.body import Sent, read_body
from services.intake.domain.submission import (
    DeskFeedback,
    PublicFeedback,
    fingerprint,
    from_adapter,
    from_public,
    from_staff,
)
from services.intake.store import Arrival, Key, Receipt
from services.intake.tools import Tools, tools_of
from shared.contracts.inbound import FeedbackBody, InboundFeedback
from shared.contracts.refusal import Forbidden, Unacceptable
from shared.contracts.vocabulary import Channel, Role
from shared.observability.metrics import ACCEPT_SECONDS
from shared.security import AdapterToken
from shared.web.auth import Staff, adapter, staff
from shared.web.limits import caller
from shared.web.pages import wants_html

_MOST_KEY = 255


async def submit(request: Request) -> Response:
    """``POST /api/feedback``"""
    started = time.perf_counter()
    tools = tools_of(request)
    sent = Sent({})
    try:
        program = adapter(request)
        wait = None if program else tools.callers.take(caller(request))
        sent = await read_body(request)
        turn_away(wait)
        receipt = await _accept(tools, _arrival(tools, request, sent, program))
    except REFUSALS as error:
        return refused(request, error, lambda told: say_page(request, sent.form, told))
    ACCEPT_SECONDS.observe(time.perf_counter() - started)
    if wants_html(request):
        return tools.pages.render(
            request,
            "sent.html",
            status=201,
            headers={"Cache-Control": "no-store"},
            receipt=receipt_body(tools, receipt),
        )
    return receipt_answer(tools, receipt)


async def submit_at_desk(request: Request) -> Response:
    """``POST /api/desk/feedback``"""
    started = time.perf_counter()
    tools = tools_of(request)
    sent = Sent({})
    person = who_may_enter(request)
    try:
        sent = await read_body(request)
        body = DeskFeedback.model_validate(sent.values)
        submission = from_staff(
            body, tools.ticket(), actor=person.actor, locale=tools.house.settings.locale
        )
        key = _key(request, sent, f"staff:{person.username}", body)
        receipt = await _accept(tools, Arrival(submission, key))
    except REFUSALS as error:
        return refused(request, error, lambda told: desk_page(request, person, sent.form, told))
    ACCEPT_SECONDS.observe(time.perf_counter() - started)
    if wants_html(request):
        return tools.pages.render(
            request,
            "desk_new.html",
            status=201,
            user=person.user,
            receipt=receipt_body(tools, receipt),
            form={name: sent.form[name] for name in ("desk", "place") if name in sent.form},
        )
    return receipt_answer(tools, receipt)


def who_may_enter(request: Request) -> Staff:
    """Staff who write comments down: everybody but the auditor, who changes nothing."""
    person = staff(request)
    if person.role is Role.AUDITOR:
        raise Forbidden("审计只看不改。", "An auditor reads and changes nothing.")
    return person


def say_page(request: Request, form: dict[str, str], told: Problem) -> Response:
    """The page with everything that was typed, and what is wrong."""
    return tools_of(request).pages.render(
        request,
        "say.html",
        status=told.status,
        form=_given_back(form, told),
        errors=told.errors,
        problem=told.detail,
    )


def desk_page(request: Request, person: Staff, form: dict[str, str], told: Problem) -> Response:
    """The counter's page, likewise."""
    return tools_of(request).pages.render(
        request,
        "desk_new.html",
        status=told.status,
        user=person.user,
        form=_given_back(form, told),
        errors=told.errors,
        problem=told.detail,
    )


def _given_back(form: dict[str, str], told: Problem) -> dict[str, str]:
    """What was typed; a key that stands for other words is not offered again."""
    spent = told.status == 409
    return {k: v for k, v in form.items() if not (spent and k == "idempotency_key")}


async def _accept(tools: Tools, arrival: Arrival) -> Receipt:
    receipt = await tools.group.submit(arrival)
    assert receipt is not None
    return receipt


def _arrival(tools: Tools, request: Request, sent: Sent, program: AdapterToken | None) -> Arrival:
    locale = tools.house.settings.locale
    if program is None:
        body: FeedbackBody = PublicFeedback.model_validate(sent.values)
        submission = from_public(body, tools.ticket(), channel=Channel.WEB, locale=locale)
        return Arrival(submission, _key(request, sent, "public", body))
    from_program = InboundFeedback.model_validate(sent.values)
    submission = from_adapter(from_program, tools.ticket(), account=program.name, locale=locale)
    return Arrival(submission, _key(request, sent, f"token:{program.token_id}", from_program))


def _key(request: Request, sent: Sent, scope: str, body: FeedbackBody) -> Key | None:
    """The idempotency key of the header, or the hidden one of a form."""
    given: Any = request.headers.get("idempotency-key")
    if given is None:
        given = sent.form.get("idempotency_key") or None
    if given is None:
        return None
    if not 1 <= len(given) <= _MOST_KEY or not given.isprintable():
        raise Unacceptable(
            "Idempotency-Key 须为 1–255 个可见字符。",
            "An Idempotency-Key has 1 to 255 printable characters.",
            errors={"Idempotency-Key": "1–255 个可见字符 | 1 to 255 printable characters"},
        )
    return Key(scope, given, fingerprint(body))
