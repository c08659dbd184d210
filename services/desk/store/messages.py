"""What people write in a case: masked for everybody, as written for those who may read it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.desk.domain import chain
from services.desk.domain.search import findable, findable_private
from services.desk.store import meanings, surges, themes, themes_found
from services.desk.store.pictures import forget_pictures
from services.desk.store.tables import (
    INTERNAL,
    CaseRow,
    DraftRow,
    MessageRow,
    PrivateRow,
    PrivateWordsRow,
    WordsRow,
)
from services.desk.store.trees import ever_joined_with, joined_with
from shared.contracts import Actor
from shared.contracts.desk import PrivateReplyWords, PrivateReplyWordsErased
from shared.contracts.intake import Contact
from shared.ids import new_id
from shared.messaging.row_buffer import set_values
from shared.messaging.transaction import Transaction
from shared.privacy import masked, without

_SAID = """
SELECT 1 FROM messages WHERE feedback_id = ANY($1::text[]) AND kind <> ALL($2::text[]) LIMIT 1
"""
_LAST = """
SELECT kind, text, by, at FROM messages WHERE feedback_id = $1 ORDER BY at DESC, message_id DESC
LIMIT 1
"""
_TAKE_OUT = "DELETE FROM outbox WHERE topic = $1 AND key = $2"
_KNOWN = ("email", "phone", "wechat_openid")
_JUST_NOW = timedelta(minutes=1)
_ASKED = """
SELECT 1 FROM timeline WHERE feedback_id = $1 AND type = 'case.followed_up'
AND at >= $2::timestamptz LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class StaffWords:
    """Words of staff: as they may enter the log, and as they were written."""

    masked: str
    written: str
    words_id: str | None = None
    """None where the two are the same, or the reporter is erased and no more may be kept."""


async def staff_words(
    tx: Transaction, row: CaseRow, written: str, own: Collection[str], *also: str
) -> StaffWords:
    """Mask what staff wrote, with all that is known of the reporter.

    The library's telephones and its `own` addresses stay, unless nothing is known any more. What
    is known of the reporters of joined cases stands not even in what counts as written: it goes to
    somebody else. `also`: as if it were joined to these cases.
    """
    private = tx.rows(PrivateRow)
    others = await joined_with(tx, row, *also)
    await private.load([row.feedback_id, *others])
    reporter = private.get(row.feedback_id)
    for other in filter(None, map(private.get, others)):
        written = _without(written, other, reporter)
    hidden = _masked(written, reporter, None if row.erased else own)
    differs = hidden != written and not row.erased
    return StaffWords(hidden, written, new_id() if differs else None)


def _without(text: str, other: PrivateRow, reporter: PrivateRow | None) -> str:
    """Without what is known of another reporter, unless it is this one's as well: people say the
    same thing twice."""
    theirs = Contact.model_validate(other.contact)
    ours = Contact.model_validate(reporter.contact) if reporter is not None else Contact()
    kept = {n: None for n in _KNOWN if getattr(theirs, n) == getattr(ours, n)}
    names = {other.on_behalf_of, theirs.name} - {ours.name, reporter and reporter.on_behalf_of}
    return without(text, *names, known=theirs.model_copy(update=kept | {"name": None}))


def _masked(text: str, private: PrivateRow | None, own: Collection[str] | None) -> str:
    if private is None:
        return masked(text, own=own)
    contact = Contact.model_validate(private.contact)
    return masked(text, private.on_behalf_of, known=contact, own=own)


def write(
    tx: Transaction,
    feedback_id: str,
    kind: str,
    text: str,
    *,
    by: Actor | None = None,
    outcome: str | None = None,
    rule: str | None = None,
    words_id: str | None = None,
    origin: str | None = None,
    at: datetime | None = None,
) -> str:
    """Keep what somebody wrote in a case; `text` is masked; gives its id. `origin`: see
    `MessageRow`. `at`: the moment that the case keeps of it, too, where the two are compared."""
    message_id = new_id()
    values = {
        "message_id": message_id,
        "kind": kind,
        "at": at or tx.now,
        "by": (by.display or by.name) if by else None,
        "text": text,
        "outcome": outcome,
        "rule": rule,
        "words_id": words_id,
        "origin": origin,
    }
    rows, cases = tx.rows(MessageRow), tx.rows(CaseRow)
    digest = None
    if (case := cases.get(feedback_id)) is not None:
        line = chain.line_of(values, chain.MESSAGES)
        digest = chain.link(case.messages_hash or feedback_id, line)
        set_values(case, messages_hash=digest)
        cases.upsert(case)
    rows.insert(rows.new(feedback_id=feedback_id, hash=digest, search=findable(text), **values))
    return message_id


async def just_said(tx: Transaction, feedback_id: str, kind: str, text: str, by: Actor) -> bool:
    """Whether the last words in this case are these, of the same person, a moment ago: a form that
    was sent twice. `text` is masked."""
    wanted = (kind, text, by.display or by.name)
    return any(
        (row["kind"], row["text"], row["by"]) == wanted and tx.now - row["at"] < _JUST_NOW
        for row in await tx.fetch(_LAST, feedback_id)
    )


async def anything_said(tx: Transaction, feedback_ids: Collection[str]) -> bool:
    """Whether the reporter, or somebody to the reporter, has written in one of these cases."""
    return bool(await tx.fetch(_SAID, list(feedback_ids), sorted(INTERNAL)))


async def asked_before(tx: Transaction, feedback_id: str, since: datetime | None) -> bool:
    """Whether the reporter was asked how it was since the last answer."""
    return since is not None and bool(await tx.fetch(_ASKED, feedback_id, since))


def keep_as_written(tx: Transaction, feedback_id: str, words: StaffWords, *, publish: bool) -> None:
    """Keep staff's unmasked words, and send them (`publish`) to who writes to the reporter.

    To be called before the event that names them is emitted: who reads it finds them there.
    """
    if words.words_id is None:
        return
    rows = tx.rows(PrivateWordsRow)
    rows.upsert(
        rows.new(
            words_id=words.words_id,
            feedback_id=feedback_id,
            text=words.written,
            published=publish,
        )
    )
    if publish:
        tx.emit(
            PrivateReplyWords(
                feedback_id=feedback_id,
                at=tx.now,
                words_id=words.words_id,
                text=words.written,
            )
        )


async def publish_as_written(tx: Transaction, feedback_id: str, words_id: str) -> None:
    """Send staff's unmasked words, kept before, to who writes to the reporter.

    They may be gone: then the reporter was erased meanwhile.
    """
    rows = tx.rows(PrivateWordsRow)
    await rows.load([feedback_id])
    kept = next((row for row in rows.for_case(feedback_id) if row.words_id == words_id), None)
    if kept is not None:
        words = StaffWords("", kept.text, words_id)
        keep_as_written(tx, feedback_id, words, publish=True)


def keep_words(
    tx: Transaction, feedback_id: str, title: str, text: str, *, place: str | None = None
) -> None:
    """The reporter's first words, masked, and where it was, as they are searched."""
    rows = tx.rows(WordsRow)
    rows.upsert(
        rows.new(
            feedback_id=feedback_id,
            title=title,
            text=text,
            search=findable(title, text),
            search_place=findable(place),
        )
    )


async def retitle(tx: Transaction, feedback_id: str, title: StaffWords) -> None:
    """The title as staff corrected it, wherever a title is shown or searched."""
    rows = tx.rows(WordsRow)
    await rows.load([feedback_id])
    if (words := rows.get(feedback_id)) is not None:
        search = findable(title.masked, words.text)
        set_values(words, title=title.masked, search=search)
        rows.upsert(words)
    private = tx.rows(PrivateRow)
    await private.load([feedback_id])
    if (known := private.get(feedback_id)) is not None:
        search = findable_private(title.written, known.text)
        set_values(known, title=title.written, search_words=search)
        private.upsert(known)


async def forget_elsewhere(tx: Transaction, row: CaseRow) -> None:
    """Mask what is known of a reporter in what staff wrote in cases that theirs was joined with,
    where it is kept as written: to be called while it is known still.

    Words that went to `feedback.private` go there once more, in the place of what they were.
    """
    private, drafts, words = tx.rows(PrivateRow), tx.rows(DraftRow), tx.rows(PrivateWordsRow)
    others = await ever_joined_with(tx, row)
    await tx.load([row.feedback_id, *others], PrivateRow, DraftRow, PrivateWordsRow, MessageRow)
    if (erased := private.get(row.feedback_id)) is None:
        return
    for other in others:
        reporter = private.get(other)
        for draft in drafts.for_case(other):
            if (text := _without(draft.text, erased, reporter)) != draft.text:
                set_values(draft, text=text)
                drafts.upsert(draft)
        of_reporters = {
            m.words_id for m in tx.rows(MessageRow).for_case(other) if m.kind == "supplement"
        }
        for kept in list(words.for_case(other)):
            text = _without(kept.text, erased, reporter)
            if text == kept.text or kept.words_id in of_reporters:
                continue
            if kept.published:
                before = PrivateReplyWordsErased(
                    feedback_id=other, at=tx.now, words_id=kept.words_id
                )
                await tx.fetch(_TAKE_OUT, before.topic, before.key)
            hidden = StaffWords("", text, kept.words_id)
            keep_as_written(tx, other, hidden, publish=kept.published)


async def forget(tx: Transaction, feedback_id: str) -> None:
    """Remove who the reporter is from what desk remembers, here and in its own log."""
    tx.rows(PrivateRow).delete(PrivateRow(feedback_id=feedback_id))
    await forget_pictures(tx, feedback_id)
    await tx.fetch("DELETE FROM drafts WHERE feedback_id = $1", feedback_id)
    await meanings.forget(tx, feedback_id)
    await surges.forget(tx, feedback_id)
    await themes_found.forget(tx, feedback_id)
    await themes.forget(tx, feedback_id)
    words = tx.rows(PrivateWordsRow)
    # Besides what stands in the table, what this very batch has kept and not written yet.
    await words.load([feedback_id])
    for row in words.for_case(feedback_id):
        words.delete(row)
    for words_id, published in await tx.fetch(
        "DELETE FROM private_words WHERE feedback_id = $1 RETURNING words_id, published",
        feedback_id,
    ):
        if published:
            erased = PrivateReplyWordsErased(feedback_id=feedback_id, at=tx.now, words_id=words_id)
            await tx.fetch(_TAKE_OUT, erased.topic, erased.key)
            tx.emit(erased)
