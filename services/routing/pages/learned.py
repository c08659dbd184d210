"""``/routing/learned``: how often it was right, and the versions of what was learned."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.routing import learning
from services.routing.api.editing import choose_precision
from services.routing.api.rules import editor, locale_of, reader
from services.routing.deps import deps_of
from services.routing.domain.model import PRECISIONS
from services.routing.pages import trials
from services.routing.store import learned
from shared.contracts.refusal import NotFound
from shared.web.auth import maybe_staff, runtime_of, service_of
from shared.web.bodies import read_body
from shared.web.permissions import Permission

router = APIRouter(include_in_schema=False)

LOOK_BACK = timedelta(weeks=12)
_HERE = "/routing/learned"


@router.get(_HERE)
async def learned_page(request: Request) -> Response:
    """How sure, how often right, by week, department and category; the versions."""
    if maybe_staff(request) is None and request.headers.get("hx-request") != "true":
        return RedirectResponse(f"/signin?next={_HERE}", 303)
    person = reader(request)
    service, deps, locale = service_of(request, "routing"), deps_of(request), locale_of(request)
    await learning.refresh_model(service)
    since = runtime_of(request).clock.now() - LOOK_BACK
    figures = await figures_since(request, since)
    async with service.engine.connect() as connection:
        versions = await learned.versions(connection)
    trial = tried = None
    if asked := request.query_params.get("try"):
        tried = version_of(asked)
        trial = await trials.of_version(service, tried, locale)
    meaning = deps.meaning
    answer: Response = deps.pages.render(
        request,
        "learned.html",
        user=person.user,
        **figures,
        versions=versions,
        in_use=meaning.version,
        trial=trial,
        tried=tried,
        offers=_offers(versions, meaning.version, deps.rules.ruleset.book.precision),
        falls_short=learning.falls_short(
            figures["whole"]["sent_known"],
            figures["whole"]["sent_right"],
            deps.rules.ruleset.book.precision,
        ),
        precision=round(100 * deps.rules.ruleset.book.precision),
        learning=meaning.wanted.is_set(),
        not_learned=meaning.not_learned and meaning.not_learned[locale == "en"],
        off=meaning.embedder.off or bool(meaning.embedder.missing),
        may_edit=person.may(Permission.EDIT_RULES),
    )
    return answer


@router.post(_HERE)
async def change(request: Request) -> Response:
    """Take ``version`` into use, or send by itself at ``precision``; without either learn now."""
    person = editor(request)
    form = (await read_body(request, may_be_empty=True, multipart=True)).form
    wanted = form.get("version", "")
    if wanted:
        version = version_of(wanted)
        await learning.take(service_of(request, "routing"), version, by=person.username)
        return RedirectResponse(f"{_HERE}?taken={version}", 303)
    if wanted := form.get("precision", ""):
        if wanted not in map(str, PRECISIONS):
            raise NotFound
        stored = await choose_precision(
            service_of(request, "routing"), int(wanted) / 100, by=person.username
        )
        return RedirectResponse(f"{_HERE}?sure={stored.version}", 303)
    meaning = deps_of(request).meaning
    if not meaning.wanted.is_set():
        meaning.wanted_by = person.username
        meaning.wanted.set()
    return RedirectResponse(_HERE, 303)


async def figures_since(request: Request, since: datetime) -> dict[str, Any]:
    """How often decisions were right since then, by week, department and category, and whole."""
    name, locale = deps_of(request).directory.department_name, locale_of(request)
    async with service_of(request, "routing").engine.connect() as connection:
        weeks = await learned.judged(connection, "week", since)
        departments = await learned.judged(connection, "department", since)
        categories = await learned.judged(connection, "category", since)
    for row in departments:
        row["name"] = name(row["key"], locale) if row["key"] else ""
    return {
        "weeks": weeks,
        "by_department": departments,
        "by_category": categories,
        "whole": _sum(weeks),
    }


def version_of(typed: str) -> int:
    """The number of a version; NotFound for what is none."""
    if not (typed.isascii() and typed.isdigit() and len(typed) < 7):
        raise NotFound
    return int(typed)


def _offers(
    versions: list[dict[str, Any]], in_use: int, chosen: float
) -> list[tuple[int, float | None]]:
    """What can be chosen, in percent, and what the version in use would have sent then."""
    now = next((one for one in versions if one["version"] == in_use), None)
    # Older versions said this of letters like those they had learned from, and are held since.
    known = now is not None and "unheard_of" in now["measured"]
    offers = now["measured"]["new"].get("offers", {}) if now and known else {}
    percents = sorted({*PRECISIONS, round(100 * chosen)})
    return [(percent, offers.get(str(percent))) for percent in percents]


def _sum(weeks: list[dict[str, Any]]) -> dict[str, int]:
    names = ("cases", "sent", "sent_known", "sent_right", "known", "first_right", "corrected")
    return {name: sum(week[name] for week in weeks) for name in names}
