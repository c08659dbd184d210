"""Server-rendered pages: one `Pages` per service, in Chinese and English.

A route gives a template exactly what the JSON API answers:

    pages = templates("tracking", Path(__file__).parent / "templates")
    return pages.render(request, "track.html", case=body, code=code)
"""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any
from urllib.parse import urlencode

import segno
from jinja2 import (
    BytecodeCache,
    ChainableUndefined,
    Environment,
    FileSystemLoader,
    Template,
)
from jinja2.bccache import Bucket
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from shared.clock import Clock, SystemClock
from shared.contracts.vocabulary import CATEGORIES, DEPARTMENTS
from shared.web import catalogue, journey, moments, names
from shared.web.assets import asset_url

HERE = Path(__file__).parent
LIVE_BLOCK = "live"
"""The part of a page that htmx asks for again; the element in it has the same id."""
CSP = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]")
MARKS = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u20d0-\u20f0]{4})[\u0300-\u036f\u0483-\u0489\u20d0-\u20f0]+"
)


def qr_svg(url: str) -> Markup:
    """The QR code of `url` as an inline ``<svg>`` (a strict CSP forbids ``data:`` pictures)."""
    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2, svgclass="qr", nl=False
    )
    return Markup(out.getvalue().decode())


def safe_words(text: object) -> str:
    """`text` for display: nothing that turns the line around, hides, or piles up on one letter."""
    return MARKS.sub(r"\1", INVISIBLE.sub("", str(text or "")))


def percent(rate: object) -> str:
    """0.934 → "93%"; nothing measured → "–"."""
    return f"{100 * rate:.0f}%" if isinstance(rate, int | float) else "–"


def hours(value: object) -> str:
    """Working hours with one decimal; nothing measured → "–"."""
    return f"{value:.1f}" if isinstance(value, int | float) else "–"


def sparkline(values: list[float] | None, width: int = 96, height: int = 24) -> str:
    """Points of a small trend line for ``<polyline points=…>``; empty below two values."""
    if not values or len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = width / (len(values) - 1)
    return " ".join(
        f"{i * step:.1f},{height - 2 - (value - low) / span * (height - 4):.1f}"
        for i, value in enumerate(values)
    )


def next_due(item: Mapping[str, Any]) -> dict[str, str] | None:
    """The nearest deadline of a list row: ``{clock, due}``."""
    parsed = ((moments.moment(at), clock) for clock, at in (item.get("due") or {}).items())
    due = [(at, clock) for at, clock in parsed if at]
    if not due:
        return None
    at, clock = min(due)
    return {"clock": clock, "due": at.isoformat()}


def choose_locale(request: Request, default: str = "zh") -> str:
    """``?lang=``, then the cookie, then the browser, then `default`."""
    wanted = (request.query_params.get("lang"), request.cookies.get("locale"))
    return catalogue.choose(wanted, request.headers.get("accept-language", ""), default)


def wants_html(request: Request) -> bool:
    """Whether a browser form is talking to an API path: answer a page or 303 instead of JSON."""
    return "text/html" in request.headers.get("accept", "")


class _CompiledOnce(BytecodeCache):
    """Compiled templates of this process: every service and both languages share them."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._known[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _CompiledOnce()


class Pages:
    """Renders the templates of one service over the shared ones."""

    def __init__(
        self,
        service: str,
        directory: Path,
        *,
        locale: str = "zh",
        clock: Clock | None = None,
        asset: Callable[[str], str] = asset_url,
    ) -> None:
        self.service = service
        self.default_locale = locale
        self.clock = clock or SystemClock()
        catalogues = (HERE / "locales", directory.parent / "locales")
        loader = FileSystemLoader([directory, HERE / "templates"])
        self._environments = {
            code: self._environment(code, loader, catalogue.load(catalogues, code), asset)
            for code in catalogue.LOCALES
        }

    def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        user: Mapping[str, Any] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """The page, or only its live part when htmx asks for that."""
        locale = choose_locale(request, self.default_locale)
        page = self._environments[locale].get_template(template)
        values = {"request": request, "path": request.url.path, "user": user, **context}
        response = HTMLResponse(
            self._body(request, page, values), status, {**SECURITY_HEADERS, **(headers or {})}
        )
        response.headers["Cache-Control"] = "no-store" if user else "private, no-cache"
        response.headers["Vary"] = "Cookie, Accept-Language, HX-Request"
        response.headers["Content-Language"] = "zh-CN" if locale == "zh" else "en"
        if request.query_params.get("lang") == locale:
            response.set_cookie("locale", locale, max_age=31_536_000, samesite="lax", path="/")
        return response

    def _body(self, request: Request, page: Template, values: dict[str, Any]) -> str:
        live = page.blocks.get(LIVE_BLOCK)
        partial_wanted = (
            request.headers.get("hx-request") == "true"
            and request.headers.get("hx-target") == LIVE_BLOCK
        )
        if live and partial_wanted:
            return "".join(live(page.new_context(values)))
        return page.render(values)

    def _environment(
        self,
        locale: str,
        loader: FileSystemLoader,
        messages: dict[str, str],
        asset: Callable[[str], str],
    ) -> Environment:
        env = Environment(
            loader=loader,
            autoescape=True,
            # A field that an older body lacks is blank on the page, never an error.
            undefined=ChainableUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
            bytecode_cache=_COMPILED,
        )
        env.install_gettext_callables(  # type: ignore[attr-defined]
            lambda text: messages.get(text, text),
            lambda one, many, n: messages.get(one if n == 1 else many, one if n == 1 else many),
            newstyle=True,
        )
        self._words(env, locale)
        env.globals.update(
            locale=locale,
            asset_url=asset,
            now=self.clock.now,
            make_qr=qr_svg,
            new_key=lambda: secrets.token_urlsafe(18),
            next_due=next_due,
            sparkline=sparkline,
            query=query,
            sentence=partial(journey.sentence, locale=locale),
            steps=partial(journey.steps, locale=locale),
            promised=journey.promise,
            names=names,
            departments=[(code, pair[locale != "zh"]) for code, pair in DEPARTMENTS.items()],
            categories=[(code, entry[locale != "zh"]) for code, entry in CATEGORIES.items()],
        )
        # Macros as a global, so that they also exist when only the live block is rendered.
        env.globals["ui"] = env.get_template("_ui.html").module
        return env

    def _words(self, env: Environment, locale: str) -> None:
        now = self.clock.now
        env.filters.update(
            ago=lambda at: moments.ago_words(at, now(), locale),
            due=lambda at: moments.due_words(at, now(), locale),
            left=lambda at: moments.left_words(at, now(), locale),
            hour=moments.hour_words,
            at=lambda at: moments.moment_words(at, now(), locale),
            exact=lambda at: moments.exact_words(at, locale),
            used=lambda at, start: moments.used_share(start, at, now()),
            urgency=lambda at, start=None: moments.urgency(start, at, now()),
            words=safe_words,
            percent=percent,
            hours=hours,
            state_words=partial(journey.state_words, locale=locale),
            state_name=partial(names.state_name, locale=locale),
            department_name=partial(names.department_name, locale=locale),
            category_name=partial(names.category_name, locale=locale),
        )
        tables: dict[str, dict[str, Any]] = {
            "outcome": names.OUTCOMES,
            "type": names.TYPES,
            "priority": names.PRIORITIES,
            "clock": names.CLOCKS,
            "promise": names.PROMISES,
            "clock_status": names.CLOCK_STATUS,
            "queue": names.QUEUES,
            "channel": names.CHANNELS,
            "role": names.ROLES,
            "decider": names.DECIDERS,
            "action": names.ACTIONS,
        }
        for name, table in tables.items():
            env.filters[f"{name}_name"] = partial(names.pick, table, locale=locale)


def query(request: Request, **changes: str | None) -> str:
    """``?…`` of the present address with `changes`; None or empty removes a parameter."""
    kept = {key: value for key, value in request.query_params.items() if key != "cursor"}
    kept.update({key: value or "" for key, value in changes.items()})
    return "?" + urlencode({key: value for key, value in kept.items() if value})


def templates(
    service: str, directory: Path, *, locale: str = "zh", clock: Clock | None = None
) -> Pages:
    """The pages of `service`, whose own templates are in `directory` and catalogue beside it."""
    return Pages(service, directory, locale=locale, clock=clock)
