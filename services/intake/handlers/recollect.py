"""What intake makes of its own events when its database has lost them.

The log has every comment masked, and whole beside it until its reporter is erased.
"""

from __future__ import annotations

from services.intake import store
from services.intake.deps import deps_of
from services.intake.domain.later import Action
from services.intake.store import CaseRow, SubmissionRow, TokenRow, WordsRow, unreached
from services.intake.store.pictures import forget_pictures
from services.intake.store.tokens import token_row
from shared.contracts import PRIVATE, Event, short_type
from shared.contracts.intake import (
    FeedbackAppealed,
    FeedbackIncidentNamed,
    FeedbackMattersAsked,
    FeedbackPicturesErased,
    FeedbackProgressAsked,
    FeedbackRated,
    FeedbackReachableAgain,
    FeedbackReceived,
    FeedbackReopenRequested,
    FeedbackSupplemented,
    FeedbackSupplementMoved,
    FeedbackUrged,
    FeedbackWithdrawn,
    PrivateDetails,
    PrivateWords,
    TokenIssued,
)
from shared.ids import new_id
from shared.messaging.envelope import Record
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction
from shared.service import Restored, Service

ONLY_MASKED = "comments of which the log has no unmasked words any more, as after an erasure"
PICTURES = "pictures sent after the backup: the log has only that they came"
MASKED = "words of ratings and reopenings: only masked, as the log has them"


async def recollect_comment(event: FeedbackReceived, tx: Transaction) -> None:
    """A comment, masked until `recollect_details` has the whole of it."""
    _miss_pictures(event, tx)
    rows = tx.rows(SubmissionRow)
    known = set(SubmissionRow.model_fields) & set(FeedbackReceived.model_fields)
    values = event.model_dump(include=known) | {"channel": str(event.channel)}
    rows.upsert(rows.new(**values, received_at=event.at, tracking_code=""))


async def recollect_details(event: PrivateDetails, tx: Transaction) -> None:
    """The words and the contact as they were left, and the code."""
    rows = tx.rows(SubmissionRow)
    await rows.load([event.feedback_id])
    row = rows.get(event.feedback_id)
    if row is None or row.erased_at is not None:
        return
    row.tracking_code, row.title, row.text = event.tracking_code, event.title, event.text
    row.on_behalf_of = event.on_behalf_of
    for name, value in event.contact.model_dump().items():
        setattr(row, name, value)
    rows.upsert(row)


async def recollect_request(event: Event, tx: Transaction) -> None:
    """What a reporter said later, and that desk has not answered it yet."""
    if isinstance(event, FeedbackSupplemented):
        _miss_pictures(event, tx)
        _keep(tx, event, event.words_id, Action.SUPPLEMENT, event.text)
    elif isinstance(event, FeedbackRated):
        _keep_masked(tx, event, Action.RATE, event.comment)
    elif isinstance(event, FeedbackReopenRequested):
        _keep_masked(tx, event, Action.REOPEN, event.reason)
    row = store.case_of(tx, event.feedback_id)
    asked = row.standing.asked.after(short_type(event.type), event.at)
    row.asked = asked.model_dump(mode="json", exclude_defaults=True)
    tx.rows(CaseRow).upsert(row)


def _miss_pictures(event: FeedbackReceived | FeedbackSupplemented, tx: Transaction) -> None:
    if event.pictures:
        assert tx.replay is not None
        tx.replay.miss(PICTURES, event.feedback_id)


async def recollect_pictures_erased(event: FeedbackPicturesErased, tx: Transaction) -> None:
    """What a restored backup has brought back is gone again."""
    await forget_pictures(tx, event.feedback_id)


def _keep(tx: Transaction, event: Event, words_id: str, action: Action, text: str) -> None:
    rows = tx.rows(WordsRow)
    rows.upsert(
        rows.new(
            words_id=words_id,
            feedback_id=event.feedback_id,
            action=action,
            text=text,
            at=event.at,
        )
    )


def _keep_masked(tx: Transaction, event: Event, action: Action, text: str | None) -> None:
    if text:
        assert tx.replay is not None
        tx.replay.miss(MASKED, event.feedback_id)
        _keep(tx, event, new_id(), action, text)


async def recollect_words(event: PrivateWords, tx: Transaction) -> None:
    """A supplement as it was written."""
    rows = tx.rows(WordsRow)
    await rows.load([event.feedback_id])
    row = rows.get(event.words_id)
    if row is not None:
        row.text = event.text
        rows.upsert(row)


async def recollect_erasure(record: Record, tx: Transaction) -> None:
    """Forget the person again: whoever has them back by a restored backup hears it once more."""
    feedback_id = record.feedback_id
    if feedback_id is None or record.key != feedback_id.encode():
        return
    # The statement that forgets finds what stands in the table, not what this batch holds.
    await tx.flush()
    erased_at = await store.erase(tx, feedback_id)
    if (row := tx.rows(SubmissionRow).get(feedback_id)) is not None:
        row.erased_at = erased_at


async def recollect_token(event: TokenIssued, tx: Transaction) -> None:
    """An adapter's token, so that it can be revoked by its name."""
    row = await tx.session.get(TokenRow, event.token_id)
    if row is None:
        signer = deps_of(tx).runtime.signer
        row = token_row(signer.adapter_token(event.token_id, event.name), event)
    if event.revoked:
        row.revoked_at = event.at
    tx.session.add(row)


async def forget_without_details(service: Service, restored: Restored) -> None:
    """A comment whose whole words are nowhere any more is that of somebody who was erased."""
    async with service.transaction() as tx:
        found = await tx.fetch(
            "UPDATE submissions SET erased_at = $1 WHERE tracking_code = '' AND erased_at IS NULL "
            "RETURNING feedback_id",
            tx.now,
        )
    for (feedback_id,) in found:
        restored.missing.setdefault(ONLY_MASKED, set()).add(feedback_id)


async def recollect_me_too(event: FeedbackIncidentNamed, tx: Transaction) -> None:
    """The case it is about is desk's; what was offered in the chat is over by now."""


async def recollect_another_matter(event: FeedbackSupplementMoved, tx: Transaction) -> None:
    """The comment has events of its own; the chat is over by now."""


async def recollect_their_word(event: FeedbackReachableAgain, tx: Transaction) -> None:
    """What waited for it was sent, or waits anew by an event of its own."""
    await unreached.settle(tx, event.feedback_id)


async def leave_question(event: FeedbackProgressAsked, tx: Transaction) -> None:
    """It was answered in the chat, or is by notification."""


async def leave_links(event: FeedbackMattersAsked, tx: Transaction) -> None:
    """Links in letters from before the loss open nothing: another is asked for."""


OWN: dict[type[Event], Handler] = {
    FeedbackReceived: recollect_comment,
    PrivateDetails: recollect_details,
    PrivateWords: recollect_words,
    TokenIssued: recollect_token,
    FeedbackMattersAsked: leave_links,
    FeedbackProgressAsked: leave_question,
    FeedbackIncidentNamed: recollect_me_too,
    FeedbackReachableAgain: recollect_their_word,
    FeedbackSupplementMoved: recollect_another_matter,
    FeedbackPicturesErased: recollect_pictures_erased,
    **dict.fromkeys(
        (
            FeedbackSupplemented,
            FeedbackUrged,
            FeedbackRated,
            FeedbackReopenRequested,
            FeedbackAppealed,
            FeedbackWithdrawn,
        ),
        recollect_request,
    ),
}
OWN_TOMBSTONES = {PRIVATE: recollect_erasure}
