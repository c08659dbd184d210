"""Dates as the library writes them, and the shipped rules."""

from datetime import datetime, timedelta

from services.sla import seeds
from services.sla.domain import cases
from services.sla.domain.calendars import LIBRARY, Calendars
from services.sla.domain.case_clocks import CaseClocks, Rules
from services.sla.domain.policy import WORKING_DAY
from shared.contracts.vocabulary import CaseType
from shared.moments import LOCAL

CALENDARS = Calendars(seeds.load_calendar())
LIBRARY_HOURS = CALENDARS.named(LIBRARY)
POLICY = seeds.load_policy()
RULES = Rules(POLICY, CALENDARS)


def at(text: str) -> datetime:
    """`2026-03-04 10:00` in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL)


def wd(count: float) -> timedelta:
    return count * WORKING_DAY


WEDNESDAY = at("2026-03-04 10:00")


def received(**more: object) -> CaseClocks:
    case = cases.receive(RULES, at=WEDNESDAY, type=CaseType.COMPLAINT, **more).case  # type: ignore[arg-type]
    return cases.announce(case)


def accepted() -> CaseClocks:
    case = cases.dispatch(received(), RULES, at=at("2026-03-04 11:00"), department="it").case
    return cases.accept(case, RULES, at=at("2026-03-04 14:00")).case
