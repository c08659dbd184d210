"""Cases that an action on one case touches too: found before the lock, checked behind it."""

from __future__ import annotations

from typing import Any

from services.desk.domain import Case, answer_through
from services.desk.store.cases import case_from, case_of, keep
from services.desk.store.messages import staff_words, write
from services.desk.store.tables import CaseRow, MessageRow, PrivateWordsRow
from shared.contracts import Actor
from shared.contracts.vocabulary import Outcome, State
from shared.messaging.row_buffer import NotLoaded
from shared.messaging.transaction import Transaction

_ADDED = """
SELECT at FROM timeline
WHERE feedback_id = $1 AND at >= $2 AND type = 'case.progressed' AND data @> '{"amends": true}'
"""
_DOWN = """
WITH RECURSIVE joined AS (
    SELECT feedback_id, merged FROM cases WHERE feedback_id = $1
    UNION
    SELECT c.feedback_id, c.merged FROM joined
    CROSS JOIN LATERAL jsonb_array_elements_text(joined.merged) AS m (id)
    JOIN cases AS c ON c.feedback_id = m.id
) SELECT feedback_id FROM joined
"""
_UP = """
WITH RECURSIVE target AS (
    SELECT feedback_id, merged_into FROM cases WHERE feedback_id = $1
    UNION
    SELECT c.feedback_id, c.merged_into FROM target
    JOIN cases AS c ON c.feedback_id = target.merged_into
) SELECT feedback_id FROM target
"""


_PARTS = """
SELECT jsonb_array_elements_text(children) AS id FROM cases WHERE feedback_id = $1
"""


_OWED = """
SELECT DISTINCT origin FROM messages
WHERE feedback_id = $1 AND kind = 'supplement' AND at >= $2::timestamptz
"""


_CALLED = """
SELECT * FROM cases WHERE feedback_id BETWEEN $1 AND $2 OR code_hash = $3 LIMIT 20
"""


class GroupChanged(Exception):
    """Cases were joined or parted between the look and the lock: look again."""


# What came in stands in the timeline; a part of a part asks the whole.
_GROUP = """
WITH RECURSIVE up AS (
    SELECT feedback_id, parent FROM cases WHERE feedback_id = $1
    UNION SELECT c.feedback_id, c.parent FROM cases AS c JOIN up ON c.feedback_id = up.parent
)
SELECT t.data->>'reporter_group' AS name FROM up JOIN timeline AS t USING (feedback_id)
WHERE t.type = 'feedback.received' LIMIT 1
"""


async def reporter_group(tx: Transaction, feedback_id: str) -> str | None:
    """Of whom its reporter is one, where that was said."""
    rows = await tx.fetch(_GROUP, feedback_id)
    return rows[0]["name"] if rows else None


async def ids_below(tx: Transaction, feedback_id: str) -> list[str]:
    """The case and all that are joined to it, by however many steps."""
    return [row["feedback_id"] for row in await tx.fetch(_DOWN, feedback_id)]


async def cases_called(tx: Transaction, first: str, last: str, code: str) -> list[Case]:
    """Cases whose id is within these two, or that have this code: looked at, neither locked nor
    loaded."""
    return [case_from(row) for row in await tx.fetch(_CALLED, first, last, code)]


async def parts_of(tx: Transaction, feedback_id: str) -> list[str]:
    """What a case was split into."""
    return [row["id"] for row in await tx.fetch(_PARTS, feedback_id)]


async def ids_above(tx: Transaction, feedback_id: str) -> list[str]:
    """The case, what it is joined to, and so on."""
    return [row["feedback_id"] for row in await tx.fetch(_UP, feedback_id)]


async def owed_only_to(tx: Transaction, row: CaseRow, joined: str) -> bool:
    """Whether all words after the reply that are owed an answer in this case were said in `joined`
    or what is joined to that."""
    if row.words_owed_since is None:
        return False
    branch = await ids_below(tx, joined)
    said = await tx.fetch(_OWED, row.feedback_id, row.words_owed_since)
    return bool(said) and all(one["origin"] in branch for one in said)


def joined_to(tx: Transaction, row: CaseRow) -> list[CaseRow]:
    """All that are joined to a locked case; `GroupChanged` where one of them is not locked."""
    found: dict[str, CaseRow] = {}
    left = list(row.merged)
    while left:
        one = locked(tx, left.pop())
        if one is not None and one.state == State.MERGED and one.feedback_id not in found:
            found[one.feedback_id] = one
            left += one.merged
    return list(found.values())


def final_target(tx: Transaction, feedback_id: str) -> CaseRow | None:
    """Where a case that is joined to others leads in the end; itself where it is joined to none."""
    row = locked(tx, feedback_id)
    while row is not None and row.merged_into is not None:
        row = locked(tx, row.merged_into)
    return row


def locked(tx: Transaction, feedback_id: str) -> CaseRow | None:
    """The row of a case; `GroupChanged` where this transaction has not locked it."""
    try:
        return next(iter(tx.rows(CaseRow).for_case(feedback_id)), None)
    except NotLoaded:
        raise GroupChanged from None


async def pass_on(
    tx: Transaction,
    into: Case,
    joined: list[CaseRow],
    *,
    kind: str,
    written: str,
    outcome: Outcome | None,
    rule: str | None,
    by: Actor,
    own: frozenset[str],
    amends: bool | None = None,
) -> None:
    """The reporters of `joined` get the words that answer the case they were joined to.

    They were written to somebody else: all that is known of anybody is masked, in letters too.
    """
    texts: dict[bool, str] = {}
    for row in joined:
        if row.erased not in texts:
            texts[row.erased] = (await staff_words(tx, row, written, own)).masked
        text = texts[row.erased]
        write(
            tx,
            row.feedback_id,
            kind,
            text,
            by=by,
            outcome=outcome and str(outcome),
            rule=rule,
        )
        change = answer_through(
            case_of(row),
            into=into,
            kind=kind,
            text=text,
            outcome=outcome,
            rule=rule,
            words_id=None,
            amends=amends,
            by=by,
            at=tx.now,
        )
        keep(tx, row, change)


async def last_answer(tx: Transaction, feedback_id: str) -> list[dict[str, Any]]:
    """The words of a case's newest reply as they were written, and what was added to it since, each
    as `pass_on` takes them; nothing where it has no reply."""
    await tx.load([feedback_id], MessageRow, PrivateWordsRow)
    messages = sorted(tx.rows(MessageRow).for_case(feedback_id), key=lambda m: m.message_id)
    reply = max((m for m in messages if m.kind == "reply"), key=lambda m: m.at, default=None)
    if reply is None:
        return []
    added = {row["at"] for row in await tx.fetch(_ADDED, feedback_id, reply.at)}
    later = [m for m in messages if m.kind == "progress" and m.at in added]
    return [
        {
            "kind": m.kind,
            "written": as_written(tx, m.text, m.words_id),
            "outcome": Outcome(m.outcome or Outcome.OTHER) if m is reply else None,
            "rule": m.rule,
            "amends": True if m is not reply else None,
        }
        for m in (reply, *later)
    ]


def as_written(tx: Transaction, text: str, words_id: str | None) -> str:
    """The words behind `words_id`, where this transaction holds them; else `text`."""
    kept = tx.rows(PrivateWordsRow).get(words_id) if words_id else None
    return kept.text if kept is not None else text
