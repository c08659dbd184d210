"""What intake takes from the log: how far a case is, and comments that programs publish."""

from __future__ import annotations

import structlog
from pydantic import ValidationError

from services.intake import store
from services.intake.domain.later import Action, Phase
from services.intake.domain.submission import from_adapter
from services.intake.store import Arrival, CaseRow
from services.intake.tools import Tools
from shared.contracts import INBOUND_REJECTED, Event
from shared.contracts.desk import (
    CaseClosed,
    CaseRejected,
    CaseReopened,
    CaseReplied,
    CaseRequestRefused,
    CaseWithdrawn,
)
from shared.contracts.inbound import InboundFeedback
from shared.contracts.refusal import Refusal
from shared.messaging.envelope import Record
from shared.messaging.intake import Handler
from shared.messaging.transaction import Transaction

log = structlog.get_logger()

KAFKA = "kafka"
"""Whose numbers the source ids on the topic are, where the program does not say."""
_LARGEST = 1_000_000
_LARGEST_HEAD = 100_000
_ASKED_BY = {
    "feedback.reopen_requested": Action.REOPEN,
    "feedback.withdrawn": Action.WITHDRAW,
}


async def note_reply(event: CaseReplied, tx: Transaction) -> None:
    """From now on it may be rated and reopened."""
    row = store.case_of(tx, event.feedback_id)
    row.phase, row.replied_at, row.replies = Phase.REPLIED, event.at, row.replies + 1
    tx.shelf(CaseRow).put(row)


async def note_close(event: CaseClosed, tx: Transaction) -> None:
    """It is done; a reply may still be rated or questioned."""
    _enter(tx, event, Phase.CLOSED)


async def note_rejection(event: CaseRejected, tx: Transaction) -> None:
    """It was not accepted."""
    _enter(tx, event, Phase.REJECTED)


async def note_withdrawal(event: CaseWithdrawn, tx: Transaction) -> None:
    """It ended as its reporter wished."""
    _enter(tx, event, Phase.ENDED)


async def note_reopening(event: CaseReopened, tx: Transaction) -> None:
    """It begins anew."""
    row = _enter(tx, event, Phase.OPEN)
    row.reopened = event.cycle - 1
    row.urged_at = None


async def note_refusal(event: CaseRequestRefused, tx: Transaction) -> None:
    """Desk could not do what the reporter wished; something else may be asked again."""
    row = store.case_of(tx, event.feedback_id)
    if row.asked == _ASKED_BY.get(event.request.removesuffix(".v1")):
        row.asked = None
        tx.shelf(CaseRow).put(row)


def _enter(tx: Transaction, event: Event, phase: Phase) -> CaseRow:
    row = store.case_of(tx, event.feedback_id)
    row.phase, row.asked = phase, None
    return tx.shelf(CaseRow).put(row)


async def accept_inbound(record: Record, tx: Transaction) -> None:
    """A comment on ``feedback.inbound``, by the same rules as over HTTP."""
    if record.body is None:
        return
    tools: Tools = tx.tools
    try:
        if len(record.body) > _LARGEST:
            raise ValueError("larger than 1 MB")
        submission = from_adapter(
            InboundFeedback.model_validate_json(record.body),
            tools.ticket(),
            account=KAFKA,
            locale=tools.house.settings.locale,
        )
    except (ValueError, Refusal) as error:
        _reject(tx, record, _reason(error))
        return
    (answer,) = await store.accept(tx, [Arrival(submission)])
    if isinstance(answer, Exception):
        raise answer


def _reason(error: Exception) -> str:
    """What is wrong and where, never the value."""
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_url=False, include_context=False, include_input=False)
        )[:1000]
    return error.en if isinstance(error, Refusal) else str(error)


def _reject(tx: Transaction, record: Record, reason: str) -> None:
    assert record.body is not None
    log.info("inbound message refused", partition=record.partition, offset=record.offset)
    # What came compressed may be larger than any message we could send.
    small = sum(len(k) + len(v) for k, v in record.headers.items()) < _LARGEST_HEAD
    headers = (dict(record.headers) if small else {}) | {
        "reason": reason,
        "source-partition": str(record.partition),
        "source-offset": str(record.offset),
    }
    if len(record.body) > _LARGEST:
        headers["cut-from-bytes"] = str(len(record.body))
    key = (record.key or b"")[:_LARGEST_HEAD].decode("utf-8", "replace")
    tx.publish(
        INBOUND_REJECTED,
        key=None if record.key is None else _storable(key),
        body=record.body[:_LARGEST],
        headers=headers,
    )


def _storable(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


HANDLERS: dict[type[Event], Handler] = {
    CaseReplied: note_reply,
    CaseClosed: note_close,
    CaseRejected: note_rejection,
    CaseWithdrawn: note_withdrawal,
    CaseReopened: note_reopening,
    CaseRequestRefused: note_refusal,
}
