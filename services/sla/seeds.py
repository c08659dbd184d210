"""The policy and the calendar that come with the software; what `setup` loads the first time."""

from __future__ import annotations

import json
from datetime import datetime
from importlib.resources import files

from sqlalchemy.ext.asyncio import AsyncConnection

from services.sla import store
from services.sla.domain.calendars import CalendarDefinition
from services.sla.domain.policy import Policy
from services.sla.store import Rulebook

_DATA = files("services.sla") / "data"


def load_policy() -> Policy:
    return Policy.model_validate_json((_DATA / "policy.json").read_bytes())


def load_departments() -> dict[str, tuple[str, str]]:
    """The departments that are shipped: code → (Chinese, English)."""
    found = json.loads((_DATA / "departments.json").read_bytes())
    return {code: (zh, en) for code, (zh, en) in found.items()}


def load_calendar() -> CalendarDefinition:
    return CalendarDefinition.model_validate_json((_DATA / "calendar.json").read_bytes())


def shipped_rules() -> Rulebook:
    """The rules in force until the database was asked."""
    return Rulebook(load_policy(), load_calendar())


async def seed(connection: AsyncConnection, now: datetime) -> None:
    """Store what is shipped where there is nothing."""
    await store.seed(connection, now, load_policy(), load_calendar())
