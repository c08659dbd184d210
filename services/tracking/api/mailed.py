"""Which reports are mailed when, and what became of the last ones."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request

from services.tracking.api.context import locale_of
from services.tracking.domain.reports import Kind, due_at, next_due
from services.tracking.wording.board import REPORTS
from shared.moments import local
from shared.web.auth import Staff, runtime_of, with_role
from shared.web.permissions import Permission

router = APIRouter()


@router.get("/api/reports/mailed")
async def mailed(
    request: Request, person: Annotated[Staff, Depends(with_role(Permission.SEE_MAILED_REPORTS))]
) -> dict[str, Any]:
    """``{on, kinds: [{kind, name, next, about, last}], mails: [{kind, name, first, department,
    staff, display, outcome, reason, channel, at}]}``; what failed first."""
    return mailed_body(request)


def mailed_body(request: Request) -> dict[str, Any]:
    """The body of ``GET /api/reports/mailed``."""
    runtime, locale = runtime_of(request), locale_of(request)
    directory, now = runtime.directory, runtime.clock.now()
    names = dict(REPORTS[locale == "en"])
    kinds = []
    for kind in Kind:
        ahead, last = next_due(kind, now), directory.reports.get((kind.value, None))
        kinds.append(
            {
                "kind": kind.value,
                "name": names[kind.value],
                "next": local(due_at(ahead)),
                "about": [ahead.first.isoformat(), ahead.last.isoformat()],
                "last": last
                and {
                    "first": last.first.isoformat(),
                    "last": last.last.isoformat(),
                    "at": local(last.at),
                },
            }
        )
    mails = [
        {
            "kind": one.kind,
            "name": names.get(one.kind, one.kind),
            "first": one.first.isoformat(),
            "department": one.department,
            "department_name": directory.department_name(one.department, locale) or None,
            "staff": one.staff,
            "display": person.display if (person := directory.people.get(one.staff)) else None,
            "outcome": one.outcome,
            "reason": one.reason,
            "channel": one.channel,
            "delivery_id": one.delivery_id,
            "at": local(one.at),
        }
        for one in directory.reports_mailed.values()
    ]
    order = {"failed": 0, "uncertain": 0}
    mails.sort(key=lambda one: str(one["staff"]))
    mails.sort(key=lambda one: str(one["at"]), reverse=True)
    mails.sort(key=lambda one: order.get(str(one["outcome"]), 1))
    return {"on": runtime.settings.reports == "on", "kinds": kinds, "mails": mails}
