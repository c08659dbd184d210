"""What intake remembers: comments whole, first answers, what was said later, used nonces."""

from services.intake.store.accepting import (
    Arrival,
    Key,
    Nonce,
    Receipt,
    ReplayedNonce,
    accept,
)
from services.intake.store.cases import (
    answered_before,
    case_of,
    erase,
    find,
    forget_old,
    load,
    recent_desks,
    words_of,
)
from services.intake.store.tables import CaseRow, IntakeTable, SubmissionRow, TokenRow, WordsRow

__all__ = [
    "Arrival",
    "CaseRow",
    "IntakeTable",
    "Key",
    "Nonce",
    "Receipt",
    "ReplayedNonce",
    "SubmissionRow",
    "TokenRow",
    "WordsRow",
    "accept",
    "answered_before",
    "case_of",
    "erase",
    "find",
    "forget_old",
    "load",
    "recent_desks",
    "words_of",
]
