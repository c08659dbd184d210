"""What intake takes from the log: how far a case is, and comments that programs publish."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from pydantic import ValidationError

from services.intake import store
from services.intake.deps import deps_of
from services.intake.domain.submission import from_adapter
from services.intake.store import Arrival, CaseRow, chats, questions, unreached
from shared.contracts import INBOUND_REJECTED, REPORTER, Event, short_type
from shared.contracts.desk import (
    CaseAnsweredThrough,
    CaseAppealDismissed,
    CaseAppealed,
    CaseAppealUpheld,
    CaseClosed,
    CaseCorrected,
    CaseDispatched,
    CaseEvent,
    CaseFollowedUp,
    CaseInfoRequested,
    CaseMarkedAsSpam,
    CaseMerged,
    CaseRejected,
    CaseReopened,
    CaseReplied,
    CaseRequestRefused,
    CaseRestored,
    CaseResumed,
    CaseSplit,
    CaseSplitOff,
    CaseUnmerged,
    CaseWithdrawn,
)
from shared.contracts.inbound import InboundFeedback
from shared.contracts.intake import FeedbackReachableAgain, PrivateDetails
from shared.contracts.notification import WORDS, NotificationFailed, NotificationSent
from shared.contracts.refusal import Refusal
from shared.contracts.routing import FeedbackRouted, FeedbackTriageNeeded, RoutingDecision
from shared.contracts.vocabulary import CONFIDENTIAL_CATEGORY, State
from shared.messaging.envelope import Record
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction
from shared.validation import in_language

log = structlog.get_logger()

KAFKA = "kafka"
"""Whose numbers the source ids on the topic are, where the program does not say."""
_LARGEST = 1_000_000
_LARGEST_HEAD = 100_000


async def keep_rights(event: CaseEvent, tx: Transaction) -> None:
    """What the reporter may do from now on, and whether this answers what they asked for."""
    row = store.case_of(tx, event.feedback_id)
    request = event.request if isinstance(event, CaseRequestRefused) else ""
    asked = row.standing.asked.after(short_type(event.type), event.at, short_type(request))
    row.state = event.state
    row.rights = event.rights.model_dump(mode="json", exclude_defaults=True)
    row.asked = asked.model_dump(mode="json", exclude_defaults=True)
    tx.rows(CaseRow).upsert(row)


async def await_answer(event: CaseInfoRequested, tx: Transaction) -> None:
    """Who was asked in WeChat answers there: their next message belongs to this case."""
    await keep_rights(event, tx)
    row = store.case_of(tx, event.feedback_id)
    row.questioned_at = event.at
    tx.rows(CaseRow).upsert(row)
    parent = row.parent
    await questions.ask(tx, event.feedback_id, parent, event.question)
    tx.after_commit(deps_of(tx).asked_lately.somebody)


async def await_no_answer(event: CaseEvent, tx: Transaction) -> None:
    """The case moved on; what they send next is a matter of its own."""
    await keep_rights(event, tx)
    await questions.close(tx, event.feedback_id)


async def await_a_word(event: NotificationFailed, tx: Transaction) -> None:
    """WeChat takes nothing for this reporter before they write there again.

    A question that they have not read is answered by nothing they say.
    """
    if not _waits(event):
        return
    row = store.case_of(tx, event.feedback_id)
    if event.kind == "question":
        await questions.close(tx, event.feedback_id)
    if await chats.wrote_since(tx, event.feedback_id, row.parent, event.at):
        # They were faster than the news of it.
        tx.emit(FeedbackReachableAgain(feedback_id=event.feedback_id, at=tx.now, by=REPORTER))
        return
    await unreached.wait(tx, event.feedback_id, row.parent, event.at)
    tx.after_commit(deps_of(tx).asked_lately.somebody)


async def await_nothing(event: NotificationSent, tx: Transaction) -> None:
    """They have read from us: nothing waits; what they were asked last can be answered now, and
    what they write next in the chat is about what they have read there."""
    if not _arrived(event):
        return
    waited = await unreached.settle(tx, event.feedback_id)
    row = store.case_of(tx, event.feedback_id)
    if event.channel == "wechat":
        await chats.answered(tx, event.feedback_id, row.parent, event.at)
    if event.kind == "question" and row.state == State.WAITING_USER:
        await questions.ask_again(tx, event.feedback_id)
    if waited:
        tx.after_commit(deps_of(tx).asked_lately.somebody)


def _waits(event: NotificationFailed) -> bool:
    return event.until_they_write


def _arrived(event: NotificationSent) -> bool:
    return event.audience == "reporter" and event.kind in WORDS


async def keep_confidential(
    event: CaseDispatched | CaseCorrected | RoutingDecision, tx: Transaction
) -> None:
    """What is confidential, and what was, is never named by its words; with a part, its whole."""
    parent = store.case_of(tx, event.feedback_id).parent
    await store.make_confidential(tx, parent or event.feedback_id)


def _is_confidential(event: CaseDispatched | CaseCorrected) -> bool:
    return event.confidential


def _becomes_confidential(event: RoutingDecision) -> bool:
    return event.category == CONFIDENTIAL_CATEGORY


async def begin_part(event: CaseSplitOff, tx: Transaction) -> None:
    """A part is spoken for by whoever has the parent's code, and reached where they are."""
    row = store.case_of(tx, event.feedback_id)
    row.parent = event.parent
    tx.rows(CaseRow).upsert(row)
    await keep_rights(event, tx)
    whole = await store.find_by_id(tx, event.parent)
    if whole is None or whole.erased:
        return
    tx.emit(
        PrivateDetails(
            feedback_id=event.feedback_id,
            at=tx.now,
            tracking_code=whole.tracking_code,
            title=event.title,
            text=event.text,
            contact=whole.contact,
            anonymous=whole.anonymous,
            confidential=whole.confidential,
            on_behalf_of=whole.on_behalf_of,
            locale=whole.locale,
        )
    )


async def accept_inbound(record: Record, tx: Transaction) -> None:
    """A comment on ``feedback.inbound``, by the same rules as over HTTP."""
    if record.body is None:
        return
    deps = deps_of(tx)
    try:
        if len(record.body) > _LARGEST:
            raise ValueError("larger than 1 MB")
        submission = from_adapter(
            InboundFeedback.model_validate_json(record.body, context=deps.known),
            deps.ticket(),
            account=KAFKA,
            locale=deps.runtime.settings.locale,
        )
    except (ValueError, Refusal) as error:
        _reject(tx, record, _reason(error))
        return
    (answer,) = await store.accept(tx, [Arrival(submission)])
    if isinstance(answer, Exception):
        raise answer


async def reject_unreadable(record: Record, tx: Transaction) -> None:
    """A batch on ``feedback.inbound`` that nobody can decode goes back as it came."""
    _reject(tx, record, record.headers["reason"])


def _reason(error: Exception) -> str:
    """What is wrong and where, never the value."""
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_url=False, include_context=False, include_input=False)
        )[:1000]
    if isinstance(error, Refusal):
        wrong = (error.errors or {}).items()
        return "; ".join(f"{name}: {in_language(words, 'en')}" for name, words in wrong) or error.en
    return str(error)


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
    **dict.fromkeys((CaseRejected, CaseReopened, CaseRequestRefused, CaseRestored), keep_rights),
    **dict.fromkeys((CaseAppealed, CaseAppealDismissed, CaseAppealUpheld), keep_rights),
    **dict.fromkeys(
        (CaseMarkedAsSpam, CaseUnmerged, CaseAnsweredThrough, CaseFollowedUp), keep_rights
    ),
    CaseInfoRequested: await_answer,
    **dict.fromkeys((CaseResumed, CaseReplied, CaseClosed), await_no_answer),
    **dict.fromkeys((CaseWithdrawn, CaseMerged, CaseSplit), await_no_answer),
    CaseSplitOff: begin_part,
    **dict.fromkeys(
        (CaseDispatched, CaseCorrected, FeedbackRouted, FeedbackTriageNeeded), keep_confidential
    ),
    NotificationFailed: await_a_word,
    NotificationSent: await_nothing,
}
"""The events of desk after which rights differ, or a request is answered; by which a case turns out
to be confidential; what became of words that went to WeChat."""
CONCERNS: dict[type[Event], Callable[[Any], bool]] = {
    NotificationFailed: _waits,
    NotificationSent: _arrived,
    CaseDispatched: _is_confidential,
    CaseCorrected: _is_confidential,
    FeedbackRouted: _becomes_confidential,
    FeedbackTriageNeeded: _becomes_confidential,
}
"""Most messages go to staff, or are receipts, and most cases are not confidential: nothing here
depends on them."""
