"""Remembers: the clocks of every case, the rules they are counted by, and what is due."""

from services.sla.store.cases import (
    LOADED,
    CaseRow,
    ClockRow,
    SlaTable,
    apply,
    clocks_of,
    load,
    load_policies,
    open_cases,
)
from services.sla.store.marks import Look, ReadUntil, claim_due, look
from services.sla.store.rules import CalendarRow, PolicyRow, Rulebook, seed

__all__ = [
    "LOADED",
    "CalendarRow",
    "CaseRow",
    "ClockRow",
    "Look",
    "PolicyRow",
    "ReadUntil",
    "Rulebook",
    "SlaTable",
    "apply",
    "claim_due",
    "clocks_of",
    "load",
    "load_policies",
    "look",
    "open_cases",
    "seed",
]
