"""Remembers: the clocks of every case, the rules they are counted by, and what is due."""

from services.sla.store.cases import (
    CaseRow,
    ClockRow,
    SlaTable,
    clocks_of,
    keep,
    load,
    open_cases,
)
from services.sla.store.marks import Marked, claim_due, look, mark_claimed
from services.sla.store.rules import CalendarRow, PolicyRow, Rulebook, seed

__all__ = [
    "CalendarRow",
    "CaseRow",
    "ClockRow",
    "Marked",
    "PolicyRow",
    "Rulebook",
    "SlaTable",
    "claim_due",
    "clocks_of",
    "keep",
    "load",
    "look",
    "mark_claimed",
    "open_cases",
    "seed",
]
