"""What the entry points of sla work with: the rules in force, and the pages that show them."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from services.sla.domain.calendars import CalendarDefinition
from services.sla.domain.policy import Policy
from services.sla.store import Rulebook
from shared.messaging.directory import Directory
from shared.messaging.transaction import Transaction
from shared.web.auth import service_of
from shared.web.pages import Pages

NAME = "sla"

__all__ = ["NAME", "Deps", "deps_of"]


class Deps(Rulebook):
    """The rules in force, and what pages are made with."""

    def __init__(
        self, policy: Policy, calendar: CalendarDefinition, *, pages: Pages, directory: Directory
    ) -> None:
        super().__init__(policy, calendar)
        self.pages = pages
        self.directory = directory


def deps_of(where: Transaction | HTTPConnection) -> Deps:
    """The deps of sla, in a transaction of sla or for a request to it."""
    deps: Deps = where.deps if isinstance(where, Transaction) else service_of(where, NAME).deps
    return deps
