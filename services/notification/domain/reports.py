"""Who gets which report by mail."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Protocol, Self

from services.notification.domain.notice import STAFF, Notice
from shared.contracts.tracking import ReportMade
from shared.contracts.vocabulary import Role

REPORT = "report"
"""The kind of a delivery that brings one."""
READ_ALL = frozenset({Role.COORDINATOR, Role.LEADER})
"""Who gets that of the whole library; heads get that of their department."""


class Readers(Protocol):
    """Who works where, and who wants no mail."""

    def staff(
        self, *, role: str | None = None, department: str | None = None, present: bool = False
    ) -> list[str]: ...

    def wants_report(self, name: str, kind: str) -> bool:
        """Whether this account has not said otherwise."""
        ...

    def locale(self, name: str) -> str:
        """The language of this account."""
        ...


@dataclass(frozen=True)
class About:
    """What the name of a report says: ``report/week/2026-11-23/*``."""

    kind: str
    first: date
    department: str | None

    @classmethod
    def of(cls, report_id: str) -> Self:
        """Read it; ValueError for the name of anything else."""
        _, kind, first, department = report_id.split("/", 3)
        return cls(kind, date.fromisoformat(first), None if department == "*" else department)


def report_notices(event: ReportMade, people: Readers) -> list[Notice]:
    """A mail for each who is to have it, in their language; who reads all gets nothing else."""
    everything = {name for role in READ_ALL for name in people.staff(role=role)}
    department = event.department
    heads = people.staff(role=Role.REVIEWER, department=department) if department else []
    names = sorted(everything if department is None else set(heads) - everything)
    return [
        Notice(REPORT, f"{STAFF}{name}", _params(event, people.locale(name)))
        for name in names
        if people.wants_report(name, event.kind)
    ]


def _params(event: ReportMade, locale: str) -> dict[str, object]:
    words = event.en if locale == "en" else event.zh
    return {
        "kind": event.kind,
        "first": event.first.isoformat(),
        "last": event.last.isoformat(),
        "department": event.department,
        "at": event.at.isoformat(),
        "words": words.model_dump(mode="json"),
    }


def reads_report(roles: Collection[str], department: str | None, about: About) -> bool:
    """Whether somebody of these roles and department is still to have it."""
    if about.department is None:
        return any(role in READ_ALL for role in roles)
    return Role.REVIEWER in roles and department == about.department
