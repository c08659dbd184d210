"""What comes up again and again, what was done about it, and whether it helped."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request

from services.tracking.api.context import ViewContext, locale_of
from services.tracking.deps import NAME, Deps
from services.tracking.domain.themes import Around, around, by_day, gathered, judge, week_by_week
from services.tracking.store.themes import cases_in
from services.tracking.wording.board import HIDDEN
from shared.contracts.desk import ThemeListed
from shared.moments import here, local
from shared.service import Service
from shared.web.auth import Staff, runtime_of, service_of, with_role
from shared.web.permissions import Permission

router = APIRouter()
MOST_LINKED = 20
"""Cases of a theme that are linked from the report; its page has them all."""


@router.get("/api/reports/themes")
async def report_themes(
    request: Request, person: Annotated[Staff, Depends(with_role(Permission.SEE_ALL_FIGURES))]
) -> dict[str, Any]:
    """``{themes: [{theme_id, title, about, status, cases, weeks: [{monday, n}], measures: [{what,
    on, responsible, before, after, n_before, n_after, helped, over_on}], since: {on, before, …},
    newest: [{feedback_id, title, received_at}], sentences, places: [[where, n]], outcomes:
    [[outcome, n]]}], until}``. `since` is the same of the day on which
    the theme was taken note of, and null where there are measures."""
    return await themes_body(request)


async def themes_body(request: Request) -> dict[str, Any]:
    """The body of ``GET /api/reports/themes``: until today, without today."""
    service: Service[Deps] = service_of(request, NAME)
    context = ViewContext.of(service.runtime, locale_of(request))
    until = here(context.now).date()
    hidden = HIDDEN[context.locale == "en"]
    found = gathered(runtime_of(request).directory.themes)
    async with service.transaction() as tx:
        cases = await cases_in(tx, [one for _, ids in found for one in ids])
    shown = []
    for theme, ids in found:
        own = sorted((cases[i] for i in ids if i in cases), key=lambda c: c.received_at)
        days = by_day([one.received_at for one in own])
        judged = [judge(measure, days, until) for measure in theme.measures]
        shown.append(
            {
                "theme_id": theme.theme_id,
                "title": theme.title,
                "about": theme.about,
                "status": theme.status,
                "origin": theme.origin,
                "cases": len(own),
                **_said(theme, cases, own),
                "weeks": [
                    {"monday": monday.isoformat(), "n": n}
                    for monday, n in week_by_week(days, until)
                ],
                "measures": [
                    {
                        "what": one.measure.what,
                        "responsible": one.measure.responsible,
                        **_weeks_around(one),
                    }
                    for one in judged
                ],
                "since": None
                if judged
                else _weeks_around(around(here(theme.opened_at).date(), days, until)),
                "newest": [
                    {
                        "feedback_id": case.feedback_id,
                        "title": hidden if case.confidential else case.title,
                        "received_at": local(case.received_at),
                    }
                    for case in reversed(own[-MOST_LINKED:])
                ],
            }
        )
    return {"until": until.isoformat(), "themes": shown}


def _said(theme: ThemeListed, cases: dict[str, Any], own: list[Any]) -> dict[str, Any]:
    """Typical sentences, where it was, and what was answered last: of what is confidential only
    the outcome counts."""
    open_ones = [case for case in own if not case.confidential]
    places = Counter(case.place.strip() for case in open_ones if (case.place or "").strip())
    outcomes = Counter(case.outcome for case in own if case.outcome)
    return {
        "sentences": [
            one.text
            for one in theme.quotes
            if one.case in cases and not cases[one.case].confidential
        ],
        "places": places.most_common(3),
        "outcomes": outcomes.most_common(),
    }


def _weeks_around(one: Around) -> dict[str, Any]:
    return {
        "on": one.on.isoformat(),
        "before": one.before,
        "after": one.after,
        "n_before": sum(one.before),
        "n_after": sum(one.after),
        "helped": one.helped.value,
        "over_on": one.over_on.isoformat(),
    }
