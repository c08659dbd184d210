"""The policy and the calendar that come with the software; what `setup` loads the first time."""

from __future__ import annotations

from importlib.resources import files

from services.sla.domain.book import CalendarBook
from services.sla.domain.policy import Policy

_DATA = files("services.sla") / "data"


def load_policy() -> Policy:
    return Policy.model_validate_json((_DATA / "policy.json").read_bytes())


def load_calendar() -> CalendarBook:
    return CalendarBook.model_validate_json((_DATA / "calendar.json").read_bytes())
