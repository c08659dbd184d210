"""Errors as people and programs get them: RFC 9457 for programs, a page for a browser."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from shared.contracts.refusal import Refusal
from shared.messaging.failures import DRIVER_ERRORS, is_transient
from shared.messaging.group_commit import Busy
from shared.validation import error_words, in_language
from shared.web.auth import maybe_staff
from shared.web.bodies import read_body, words_typed
from shared.web.field_words import wrong_lines
from shared.web.pages import Pages, choose_locale, wants_html

log = structlog.get_logger()

_AWAY = (DBAPIError, TimeoutError, OSError, *DRIVER_ERRORS)
"""What a database that is away looks like, by SQLAlchemy and by the driver."""

_WORDS = {
    400: ("无法读取这个请求。", "This request cannot be read."),
    401: ("请先登录。", "Please sign in first."),
    403: ("您的身份不能做这件事。", "Your role may not do this."),
    404: ("没有找到。请检查链接或查询码。", "Nothing found here. Please check the link or code."),
    405: ("这个地址不接受这种请求。", "This address does not take this kind of request."),
    413: ("内容太大了，请缩短后再提交。", "This is too large. Please shorten it and try again."),
    415: ("请用 JSON 或表单提交。", "Please send JSON or a form."),
    422: ("有几处需要改一下。", "Please correct what is marked."),
    429: ("请求太频繁，请稍等再试。", "Too many requests. Please wait a moment."),
    500: ("系统出了点问题，我们已经记下。请稍后再试。", "Something broke, and we have noted it."),
    503: ("系统正忙，请过几秒再试。", "Busy just now. Please try again in a few seconds."),
}
_TITLES = {
    400: ("无法读取", "Bad request"),
    401: ("请先登录", "Sign in first"),
    403: ("不能这样做", "Not allowed"),
    404: ("没有找到", "Not found"),
    405: ("不接受这种请求", "Method not allowed"),
    409: ("现在不能这样做", "Not possible now"),
    413: ("内容太大", "Too large"),
    415: ("格式不支持", "Unsupported media type"),
    422: ("请修改后再提交", "Please correct this"),
    429: ("请求太频繁", "Too many requests"),
    500: ("系统出了问题", "Something broke"),
    503: ("请稍后再试", "Try again in a moment"),
}


def problem(
    request: Request,
    status: int,
    *,
    detail: str | None = None,
    allowed: list[str] | None = None,
    errors: dict[str, str] | None = None,
    retry_after: int | None = None,
    without: str | None = None,
) -> Response:
    """The answer for an error, in the reader's language and form."""
    locale = choose_locale(request, _locale(request))
    english = locale == "en"
    known = 500 if status >= 500 else 400
    title = _TITLES.get(status, _TITLES[known])[english]
    detail = detail or _WORDS.get(status, _WORDS[known])[english]
    headers = {"Cache-Control": "no-store"}
    if status == 503 or retry_after:
        headers["Retry-After"] = str(retry_after or 2)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    pages: Pages | None = getattr(request.app.state, "pages", None)
    if wants_html(request) and pages is not None:
        if status == 503 and request.method == "GET":
            # What passes by itself is looked at again without anybody's hand, with scripts or not.
            headers["Refresh"] = headers["Retry-After"]
        return pages.render(
            request,
            "error.html",
            status=status,
            headers=headers,
            user=_user(request),
            problem={
                "title": title,
                "status": status,
                "detail": detail,
                "allowed": allowed or [],
                "wrong": wrong_lines(errors, detail, locale),
                "retry_after": retry_after,
                "without": without if request.method == "GET" else None,
            },
            typed=words_typed(request),
            came_from=_came_from(request),
        )
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if allowed is not None:
        body["allowed"] = allowed
    if errors is not None:
        body["errors"] = errors
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def _came_from(request: Request) -> str | None:
    """The path of our own page whose form was refused: without script nothing else leads back."""
    if request.method == "GET":
        return None
    try:
        page = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return None
    ours = page.netloc and page.netloc == request.headers.get("host")
    if not ours or not page.path.startswith("/") or page.path.startswith("//"):
        return None
    return page.path + (f"?{page.query}" if page.query else "")


def _user(request: Request) -> dict[str, Any] | None:
    """Who is signed in, so that the page of an error leads back to their work."""
    try:
        person = maybe_staff(request)
    except Refusal:
        return None
    return person.user if person else None


def refusal_answer(request: Request, refusal: Refusal) -> Response:
    """The answer for an expected refusal."""
    locale = choose_locale(request, _locale(request))
    errors = refusal.errors
    return problem(
        request,
        refusal.status,
        detail=refusal.detail(locale),
        allowed=refusal.allowed,
        errors=errors and {name: in_language(said, locale) for name, said in errors.items()},
        retry_after=refusal.retry_after,
        without=refusal.without,
    )


def install(app: FastAPI) -> None:
    """Answer every error of `app` this way."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        if error.status == 401 and request.method == "POST" and wants_html(request):
            # Nobody is signed in, so nobody has read the form: its page gives the words back.
            await read_body(request, late=True, multipart=True)
        return refusal_answer(request, error)

    async def busy(request: Request, error: Exception) -> Response:
        return problem(request, 503, retry_after=Busy.retry_after)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        answer = problem(request, error.status_code)
        answer.headers.update(error.headers or {})
        return answer

    async def gone(request: Request, error: Exception) -> Response:
        return problem(request, 400)  # nobody is there to read it

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return validation_answer(request, error.errors())

    table: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        Refusal: refused,
        Busy: busy,
        HTTPException: http,
        ClientDisconnect: gone,
        RequestValidationError: invalid,
        Exception: broken,
        **dict.fromkeys(_AWAY, broken),
    }
    for kind, answer in table.items():
        app.add_exception_handler(kind, answer)


async def broken(request: Request, error: Exception) -> Response:
    """What nobody expected: 503 where it passes by itself, else 500 and a line in the log."""
    if isinstance(error, _AWAY) and is_transient(error):
        return problem(request, 503, retry_after=2)
    log.error("request failed", error=type(error).__name__, exc_info=error)
    return problem(request, 500)


def validation_answer(request: Request, found: Any) -> Response:
    """422 with the errors by field; JSON that cannot be parsed is 400."""
    if any(e["type"] in ("json_invalid", "value_error.jsondecode") for e in found):
        return problem(request, 400)
    return problem(request, 422, errors=field_errors(request, found))


def field_errors(request: Request, found: Any) -> dict[str, str]:
    """What pydantic found, by field, as sentences in the reader's language."""
    english = choose_locale(request, _locale(request)) == "en"
    errors = {}
    for e in found:
        field = ".".join(str(p) for p in e["loc"] if p not in ("body", "query", "path"))
        errors[field or "body"] = error_words(e, english=english)
    return errors


def _locale(request: Request) -> str:
    runtime = getattr(request.app.state, "runtime", None)
    return runtime.settings.locale if runtime is not None else "zh"
