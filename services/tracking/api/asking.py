"""What somebody asks the dashboard: as it stands in the address, checked against who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from starlette.requests import Request

from services.tracking.api.context import locale_of
from services.tracking.domain import periods
from services.tracking.domain.board import Question
from shared.contracts.refusal import NoSuchChoice, NotFound, Unacceptable
from shared.contracts.vocabulary import Channel, Priority
from shared.web.auth import Staff, acting, runtime_of
from shared.web.choices import choice
from shared.web.permissions import Permission

LONGEST_GROUP = 40
CUSTOM = "custom"
NOBODY = "-"
"""Stands for a department where no department has it."""


@dataclass(frozen=True)
class Asked:
    """The filters of an address; what period they mean depends on when it is read."""

    period: str | None = None
    begin: str | None = None
    end: str | None = None
    department: str | None = None
    category: str | None = None
    channel: str | None = None
    priority: str | None = None
    reporter_group: str | None = None
    restricted: bool = False
    locale: str = "zh"

    def question(self, now: datetime) -> Question:
        """What is asked at `now`; Unacceptable for a period that is none."""
        try:
            if self.period:
                first, last = periods.preset(self.period, now)
            else:
                first, last = periods.period(self.begin, self.end, now)
        except ValueError as error:
            field, words = error.args
            zh, _, en = words.partition(" | ")
            said = en if self.locale == "en" else zh
            raise Unacceptable(zh, en, errors={field: said}) from None
        return Question(
            first,
            last,
            now,
            "" if self.department == NOBODY else self.department,
            self.category,
            self.channel,
            self.priority,
            self.reporter_group,
            self.restricted,
        )

    def query(self, **changes: str | None) -> str:
        """``?…`` with these filters and `changes`; what is None is left out."""
        values: Mapping[str, str | None] = {
            "period": self.period,
            "from": self.begin,
            "to": self.end,
            "department": self.department,
            "category": self.category,
            "channel": self.channel,
            "priority": self.priority,
            "reporter_group": self.reporter_group,
        }
        given = {name: value for name, value in {**values, **changes}.items() if value}
        return "?" + urlencode(given) if given else ""


def asked_of(request: Request, person: Staff, *, default: str | None = None) -> Asked:
    """The filters; 404 for a department that is unknown or not theirs, 403 for other roles.

    A named period goes before dates; `default` is the one that is meant where there are neither.
    """
    asked = request.query_params
    runtime = runtime_of(request)
    department = asked.get("department") or None
    listed = runtime.directory
    known = {*listed.departments, *listed.closed_departments, NOBODY}
    if department is not None and department not in known:
        raise NotFound
    own = person.departments_with(Permission.SEE_OWN_FIGURES)
    restricted = bool(own) and not person.may(Permission.SEE_ALL_FIGURES)
    if restricted:
        if department not in (None, *own):
            raise NotFound
        department = department or own[0]
    else:
        acting(person, Permission.SEE_ALL_FIGURES)
    begin, end = asked.get("from") or None, asked.get("to") or None
    period = choice(request, "period", (*periods.PRESETS, CUSTOM))
    if period == CUSTOM:
        period = None
    elif period is None and not (begin or end):
        period = default
    group = asked.get("reporter_group") or None
    if group and not (len(group) <= LONGEST_GROUP and group.isprintable()):
        raise NoSuchChoice("reporter_group")
    category = asked.get("category") or None
    listed.check_category(category)
    return Asked(
        period,
        None if period else begin,
        None if period else end,
        department,
        category,
        choice(request, "channel", Channel),
        choice(request, "priority", Priority),
        group,
        restricted,
        locale_of(request),
    )
