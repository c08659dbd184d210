"""What intake remembers: comments whole, first answers, what was said later, used nonces."""

from services.intake.store.accepting import (
    Arrival,
    Belongs,
    Key,
    Nonce,
    Receipt,
    ReplayedNonce,
    accept,
)
from services.intake.store.cases import (
    answered_before,
    case_of,
    find,
    find_by_id,
    forget_old,
    last_supplement,
    load,
    make_confidential,
    parts_of,
    recent_desks,
    was_done,
    words_of,
)
from services.intake.store.erasing import erase, whose
from services.intake.store.pictures import (
    WithPictures,
    digests_of,
    keep_pictures,
    pictures_of,
)
from services.intake.store.tables import CaseRow, IntakeTable, SubmissionRow, TokenRow, WordsRow
from services.intake.store.tokens import issue_token, revoke_tokens

__all__ = [
    "Arrival",
    "Belongs",
    "CaseRow",
    "IntakeTable",
    "Key",
    "Nonce",
    "Receipt",
    "ReplayedNonce",
    "SubmissionRow",
    "TokenRow",
    "WithPictures",
    "WordsRow",
    "accept",
    "answered_before",
    "case_of",
    "digests_of",
    "erase",
    "find",
    "find_by_id",
    "forget_old",
    "issue_token",
    "keep_pictures",
    "last_supplement",
    "load",
    "make_confidential",
    "parts_of",
    "pictures_of",
    "recent_desks",
    "revoke_tokens",
    "was_done",
    "whose",
    "words_of",
]
