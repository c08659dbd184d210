"""Remembers: cases, contacts, the ledger of deliveries."""

from services.notification.store.cases import LOADED, case_of, in_state, keep_case, load
from services.notification.store.queue import (
    emitted_up_to,
    find,
    interrupted,
    lock_free_cases,
    next_due,
    next_due_at,
    receipts_since,
    waiting_for_reporters,
    without_contact,
)
from services.notification.store.tables import (
    CaseRow,
    DeliveryRow,
    NotificationTable,
    PrivateRow,
    ReplyWordsRow,
    WechatTokenRow,
)
from services.notification.store.tokens import TokenRows

__all__ = [
    "LOADED",
    "CaseRow",
    "DeliveryRow",
    "NotificationTable",
    "PrivateRow",
    "ReplyWordsRow",
    "TokenRows",
    "WechatTokenRow",
    "case_of",
    "emitted_up_to",
    "find",
    "in_state",
    "interrupted",
    "keep_case",
    "load",
    "lock_free_cases",
    "next_due",
    "next_due_at",
    "receipts_since",
    "waiting_for_reporters",
    "without_contact",
]
