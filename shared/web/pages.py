"""Server-rendered pages: one `Pages` per service, in Chinese and English.

A route gives a template exactly what the JSON API answers:

    pages = Pages.of(runtime, "tracking", Path(__file__).parent / "templates")
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
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlencode

from jinja2 import (
    BytecodeCache,
    ChainableUndefined,
    Environment,
    FileSystemLoader,
    Template,
    pass_context,
)
from jinja2.bccache import Bucket
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from shared import moments
from shared.clock import Clock, SystemClock
from shared.messaging.directory import Directory
from shared.web import catalogue, names
from shared.web.assets import asset_url
from shared.web.constants import WORD, WRITING, Constants
from shared.web.letter import foundations
from shared.web.pieces import OF_NOW, pieces

if TYPE_CHECKING:
    from shared.service import Runtime

HERE = Path(__file__).parent
PAGE_LANGUAGE = "Page-Language"
"""With what an open page asks for more of itself: its own language, as in its ``<html lang>``."""
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
    import segno  # half a megabyte that a service without a code to show need not hold

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


def chance(rate: object) -> str:
    """How likely something that was judged is, as `percent`; none is certain, nor out of question:
    0.997 → ">99%", 0.004 → "<1%"."""
    if not isinstance(rate, int | float):
        return percent(rate)
    return ">99%" if rate >= 0.995 else "<1%" if rate < 0.005 else percent(rate)


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
    """That of the page which asks, ``?lang=``, then the cookie, then the browser, then `default`.

    A page that stays open keeps its language, whatever another window chose meanwhile.
    """
    own = request.headers.get(PAGE_LANGUAGE, "").partition("-")[0]
    wanted = (own, request.query_params.get("lang"), request.cookies.get("locale"))
    return catalogue.choose(wanted, request.headers.get("accept-language", ""), default)


FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
"""What a form of a page can be sent as."""


def wants_html(request: Request) -> bool:
    """Whether a browser is talking: answer a page or 303 instead of JSON.

    Many libraries claim to accept HTML. A browser sends nothing but forms, and asks
    nothing of ``/api``: whoever does is a program, whatever it accepts.
    """
    headers = request.headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    token = headers.get("authorization", "").lower().startswith("bearer ")
    if kind not in FORMS and (kind or token):
        return False
    if request.method != "POST" and request.url.path.startswith("/api/"):
        return False
    wanted: dict[str, float] = {}
    for part in request.headers.get("accept", "").lower().split(","):
        kind, _, rest = part.partition(";")
        wanted[kind.strip()] = _weight(rest)
    html = wanted.get("text/html", 0.0)
    return html > 0 and html >= wanted.get("application/json", 0.0)


def is_json(content_type: str) -> bool:
    """Whether a body of this ``Content-Type`` is JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _weight(parameters: str) -> float:
    for one in parameters.split(";"):
        name, _, value = one.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


class _CompiledOnce(BytecodeCache):
    """Compiled templates of this process, by what was settled in them: services share them."""

    _known: ClassVar[dict[tuple[object, ...], CodeType]] = {}

    def __init__(self, *settled: object) -> None:
        self._settled = settled

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum, *self._settled))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._known[bucket.key, bucket.checksum, *self._settled] = bucket.code


class _Environment(Environment):
    """Bodies are dictionaries: `item.title` looks there first, not for an attribute."""

    constants: Mapping[str, str]

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def _generate(self, *template: Any, **rest: Any) -> str:
        """Jinja's hook for the source of a compiled template."""
        return super()._generate(*template, **rest) + WRITING


def _asked_anew(words: Callable[..., object]) -> Callable[..., object]:
    """`words` as a filter that is asked on every page, also for a constant.

    Jinja applies any other filter of a constant once, when it compiles.
    """
    return pass_context(lambda _, *values: words(*values))


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
        base_path: str = "",
        words: Callable[[str], Mapping[str, Any]] | None = None,
        listed: Directory | None = None,
        notice: tuple[str, str] | None = None,
    ) -> None:
        self.service = service
        self.default_locale = locale
        self.clock = clock or SystemClock()
        self.base_path = base_path
        self.listed = listed or Directory()
        self.notice = notice
        catalogues = (HERE / "locales", directory.parent / "locales")
        loader = FileSystemLoader([directory, HERE / "templates"])
        self._own_words = words or (lambda _: {})
        self._environments = {
            code: self._environment(code, loader, catalogue.load(catalogues, code), asset)
            for code in catalogue.LOCALES
        }

    @classmethod
    def of(
        cls,
        runtime: Runtime,
        service: str,
        directory: Path,
        *,
        words: Callable[[str], Mapping[str, Any]] | None = None,
    ) -> Self:
        """The pages of a service, whose templates are in `directory`, its catalogue beside it.

        `words` gives what only its own templates call or filter with, by locale.
        """
        settings = runtime.settings
        return cls(
            service,
            directory,
            locale=settings.locale,
            clock=runtime.clock,
            base_path=settings.base_path,
            words=words,
            listed=runtime.directory,
            notice=runtime.notice,
        )

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
        english = locale == "en"
        values = {
            "request": request,
            "path": request.url.path,
            "user": user,
            "departments": [(c, names[english]) for c, names in self.listed.departments.items()],
            "categories": [(c, names[english]) for c, names in self.listed.categories.items()],
            **context,
        }
        response = HTMLResponse(
            self._body(request, page, values), status, {**SECURITY_HEADERS, **(headers or {})}
        )
        response.headers["Cache-Control"] = "no-store" if user else "private, no-cache"
        response.headers["Vary"] = f"Cookie, Accept-Language, HX-Request, {PAGE_LANGUAGE}"
        response.headers["Content-Language"] = "zh-CN" if locale == "zh" else "en"
        # Chosen by who opens a page, not by a page that was opened before and asks for its parts.
        if PAGE_LANGUAGE not in request.headers and request.query_params.get("lang") == locale:
            response.set_cookie("locale", locale, max_age=31_536_000, samesite="lax", path="/")
        return response

    def fragment(self, locale: str, template: str, **context: Any) -> Markup:
        """A template that is a part of pages, rendered without a request: for whoever looks."""
        return Markup(self._environments[locale].get_template(template).render(context))

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
        messages: Mapping[str, str],
        asset: Callable[[str], str],
    ) -> Environment:
        sheet = self.base_path + asset("icons.svg")
        env = _Environment(
            loader=loader,
            autoescape=True,
            # A field that an older body lacks is blank on the page, never an error.
            undefined=ChainableUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", Constants],
            bytecode_cache=_CompiledOnce(locale, sheet, frozenset(messages.items())),
        )
        env.constants = {"base": self.base_path, "locale": locale}
        env.install_gettext_callables(  # type: ignore[attr-defined]
            lambda text: messages.get(text, text),
            lambda one, many, n: messages.get(one if n == 1 else many, one if n == 1 else many),
            newstyle=True,
        )
        self._words(env, locale)
        small = pieces(locale, self.clock.now, sheet)
        env.filters.update(small)
        env.filters.update({name: _asked_anew(small[name]) for name in OF_NOW})
        env.filters[WORD] = lambda text: Markup(messages.get(text, text))
        env.filters["asset_url"] = lambda name: self.base_path + asset(name)
        env.globals.update(
            env.constants,
            asset_url=env.filters["asset_url"],
            now=self.clock.now,
            make_qr=qr_svg,
            notice=self.notice and self.notice[locale == "en"],
            new_key=lambda: secrets.token_urlsafe(18),
            sparkline=sparkline,
            query=query,
            names=names,
            foundations=partial(foundations, locale=locale),
        )
        own = self._own_words(locale)
        env.globals.update(own)
        env.filters.update({name: one for name, one in own.items() if callable(one)})
        # Macros as a global, so that they also exist when only the live block is rendered.
        ui: Any = env.get_template("_ui.html").module
        for name, piece in small.items():
            setattr(ui, name, piece)
        env.globals["ui"] = ui
        return env

    def _words(self, env: Environment, locale: str) -> None:
        now = self.clock.now
        listed = {
            "department_name": partial(self.listed.department_name, locale=locale),
            "category_name": partial(self.listed.category_name, locale=locale),
        }
        env.filters.update({name: _asked_anew(one) for name, one in listed.items()})
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
            next_due=next_due,
            percent=percent,
            chance=chance,
            hours=hours,
            state_name=partial(names.state_name, locale=locale),
            as_shown=names.as_shown,
            clock_name=partial(names.clock_name, locale=locale),
        )
        tables = {
            "outcome": names.OUTCOMES,
            "type": names.TYPES,
            "priority": names.PRIORITIES,
            "channel": names.CHANNELS,
            "group": names.GROUPS,
        }
        for name, table in tables.items():
            env.filters[f"{name}_name"] = partial(names.pick, name, table, locale=locale)


ONCE = frozenset(
    {"absence", "again", "changed", "done", "reports", "saved", "sure", "taken", "unknown"}
)
"""Parameters that say what was done just now: no link leads on with them; see `once` in
``_ui.html``."""


def query(request: Request, **changes: str | None) -> str:
    """``?…`` of the present address with `changes`; None or empty removes a parameter."""
    gone = {"cursor", *ONCE, *changes}
    kept = [pair for pair in request.query_params.multi_items() if pair[0] not in gone]
    kept += [(key, value or "") for key, value in changes.items()]
    return "?" + urlencode([pair for pair in kept if pair[1]])
