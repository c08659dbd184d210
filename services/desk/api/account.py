"""The page of one's own account."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.desk.deps import deps_of
from services.desk.domain.visibility import OF_A_DEPARTMENT
from services.desk.store import PersonRow
from services.desk.store.people import (
    NEVER_SUBSTITUTES,
    READS_REPORTS,
    REPORT_KINDS,
    SHORTEST_PASSWORD,
)
from shared.contracts import Actor
from shared.contracts.desk import PersonListed
from shared.contracts.refusal import Refusal
from shared.contracts.vocabulary import Role
from shared.service import Runtime
from shared.web.auth import Staff, runtime_of
from shared.web.pages import choose_locale


def account_page(
    request: Request,
    who: Staff,
    *,
    problem: Refusal | None = None,
    absence_problem: Refusal | None = None,
) -> Response:
    """The page of one's own account."""
    locale = choose_locale(request, runtime_of(request).settings.locale)
    wrong = problem or absence_problem
    answer: Response = deps_of(request).pages.render(
        request,
        "account.html",
        status=wrong.status if wrong else 200,
        user=who.user,
        problem=problem.detail(locale) if problem else None,
        absence=absences(runtime_of(request), who),
        absence_problem=absence_problem.detail(locale) if absence_problem else None,
        changed="changed" in request.query_params,
        reports=reports_wanted(runtime_of(request), who),
        shortest=SHORTEST_PASSWORD,
    )
    if wrong is not None and wrong.retry_after:
        answer.headers["Retry-After"] = str(wrong.retry_after)
    return answer


def reports_wanted(runtime: Runtime, who: Staff) -> list[tuple[str, bool]] | None:
    """``[(kind, wanted)]`` of the reports that come by mail; None for who gets none."""
    me = runtime.directory.people.get(who.username)
    if me is None or not set(who.roles) & READS_REPORTS:
        return None
    return [(kind, kind not in me.no_reports) for kind in REPORT_KINDS]


def absences(runtime: Runtime, who: Staff) -> dict[str, Any]:
    """What the page says about being away: `me`, whom one stands in for, those whose absence one
    may enter, and who may stand in, colleagues of the department first."""
    directory, now = runtime.directory, runtime.clock.now()

    def shown(one: PersonListed) -> dict[str, Any]:
        away = one.is_away(now)
        substitute = directory.people.get(one.substitute or "") if away else None
        return {
            "name": one.username,
            "display": one.display,
            "department": one.department,
            "until": one.away_until if away else None,
            "substitute": substitute and substitute.display,
            "by": one.by.display or one.by.name if away and one.by.name != one.username else None,
        }

    me = directory.people.get(who.username)
    active = sorted(
        (one for one in directory.people.values() if one.active and one.username != who.username),
        key=lambda one: (one.department != who.department, one.department or "", one.username),
    )
    return {
        "me": me and shown(me),
        "for": [shown(one) for one in directory.absent(who.username, now)],
        "people": [shown(one) for one in active if any(is_head(a, one) for a in who.actors)],
        "substitutes": [
            shown(one)
            for one in active
            if not one.is_away(now) and not set(one.all_roles) <= NEVER_SUBSTITUTES
        ],
    }


def is_head(actor: Actor, one: PersonListed | PersonRow) -> bool:
    """Whether this is the head of somebody, all of whose rights are the department's.

    Otherwise a head could lend themselves the rights of the office; and who stands in for a head
    could go on standing in for the whole department.
    """
    if actor.role != Role.REVIEWER or actor.department is None or actor.substitute_for:
        return False
    return one.department == actor.department and set(one.all_roles) <= OF_A_DEPARTMENT
