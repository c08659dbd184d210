"""How entry points answer: receipts and refusals, for programs and for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from services.intake.deps import Deps, deps_of
from services.intake.store import Receipt
from shared.contracts.refusal import Refusal, TooMany
from shared.messaging.group_commit import Busy
from shared.moments import LOCAL
from shared.observability.metrics import TURNED_AWAY
from shared.validation import in_language
from shared.web.field_words import name_of_field
from shared.web.pages import choose_locale, wants_html
from shared.web.problems import field_errors, problem

REFUSALS = (Refusal, Busy, ValidationError)
"""What an entry point answers itself, so that a page can give every word back."""

_BUSY = (
    "系统正忙，您写的还在，请过几秒再按一次。",
    "Busy just now. Your words are here: try again.",
)

_OURS = ("value_error", "assertion_error")
_SAY_IT_ALL = ("请写点什么", "please write something")


@dataclass(frozen=True)
class Problem:
    """A refusal in the reader's language."""

    status: int
    detail: str
    errors: dict[str, str] = field(default_factory=dict)
    allowed: list[str] | None = None
    retry_after: int | None = None


def problem_of(request: Request, error: Exception) -> Problem:
    """`error`, one of `REFUSALS`, as it is described."""
    english = choose_locale(request, deps_of(request).runtime.settings.locale) == "en"
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_input=False)
        errors = field_errors(request, found)
        return Problem(422, _what_is_wrong(found, errors, english=english), errors=errors)
    if isinstance(error, Busy):
        TURNED_AWAY.labels("busy").inc()
        return Problem(503, _BUSY[english], retry_after=Busy.retry_after)
    assert isinstance(error, Refusal)
    return Problem(
        error.status,
        error.detail("en" if english else "zh"),
        {
            name: in_language(words, "en" if english else "zh")
            for name, words in (error.errors or {}).items()
        },
        error.allowed,
        error.retry_after,
    )


def _what_is_wrong(
    found: Sequence[Mapping[str, Any]], errors: Mapping[str, str], *, english: bool
) -> str:
    """In a sentence: 必填 alone would not say what of. Sentences of ours say it themselves."""
    sentences = list(dict.fromkeys(errors.values()))
    if len(sentences) != 1:
        return "Please correct what is marked." if english else "有几处需要改一下。"
    if sentences[0] in _SAY_IT_ALL or all(e["type"] in _OURS for e in found):
        return sentences[0]
    locale = "en" if english else "zh"
    called = [name_of_field(field, locale) or field for field in errors]
    listed, colon = (", ".join(called), ": ") if english else ("、".join(called), "：")
    return f"{listed}{colon}{sentences[0]}"


def refused(
    request: Request, error: Exception, page: Callable[[Problem], Response] | None = None
) -> Response:
    """The answer: `page` for a browser, problem+json for a program."""
    described = problem_of(request, error)
    if page is not None and wants_html(request):
        answer = page(described)
        if described.retry_after:
            answer.headers["Retry-After"] = str(described.retry_after)
        answer.headers["Cache-Control"] = "no-store"
        return answer
    return problem(
        request,
        described.status,
        detail=described.detail,
        errors=described.errors or None,
        allowed=described.allowed,
        retry_after=described.retry_after,
    )


def turn_away(wait: int | None) -> None:
    """`TooMany` when somebody has to wait that many seconds.

    Asked after the body is read: whoever is turned away gets every word back.
    """
    if wait is not None:
        TURNED_AWAY.labels("limit").inc()
        raise TooMany(
            "这里刚才来的请求太多了，请稍等再试。",
            "Too many requests from here just now. Please wait a moment.",
            retry_after=wait,
        )


def receipt_body(deps: Deps, receipt: Receipt) -> dict[str, str]:
    """What the sender of a comment keeps."""
    return {
        "feedback_id": receipt.feedback_id,
        "tracking_code": receipt.tracking_code,
        "track_url": deps.track_url(receipt.tracking_code),
        "received_at": receipt.received_at.astimezone(LOCAL).isoformat(),
    }


def receipt_answer(deps: Deps, receipt: Receipt) -> Response:
    """201 with the receipt; 200 for a message that was here before."""
    return Response(
        to_json(receipt_body(deps, receipt)),
        200 if receipt.repeated else 201,
        headers={"Cache-Control": "no-store"},
        media_type="application/json",
    )
