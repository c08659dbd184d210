"""Dates as the library writes them, and the shipped rules."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.sla import shipped
from services.sla.domain.book import LIBRARY, Calendars
from services.sla.domain.facts import Rules
from services.sla.domain.policy import WORKING_DAY

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDARS = Calendars(shipped.load_calendar())
LIBRARY_HOURS = CALENDARS.named(LIBRARY)
POLICY = shipped.load_policy()
RULES = Rules(POLICY, CALENDARS)


def at(text: str) -> datetime:
    """`2026-03-04 10:00` in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def wd(count: float) -> timedelta:
    return count * WORKING_DAY
