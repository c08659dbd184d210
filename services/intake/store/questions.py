"""Questions that were asked of people in WeChat, who answer where they were asked."""

from __future__ import annotations

from dataclasses import dataclass

from services.intake.store.tables import KEEP_QUESTIONS
from shared.messaging.transaction import Transaction

_ASK = """
INSERT INTO questions (feedback_id, account, openid, asked_at, question)
SELECT $1, wechat_account, wechat_openid, $3, $4 FROM submissions
WHERE feedback_id = $2 AND wechat_account IS NOT NULL AND wechat_openid IS NOT NULL
ON CONFLICT (feedback_id) DO UPDATE
  SET asked_at = EXCLUDED.asked_at, question = EXCLUDED.question,
    answered_by = NULL, closed_at = NULL
"""
# What was answered by this very message comes first: a copy of it is no new answer.
_FIND = """
SELECT feedback_id, question, answered_by IS NOT DISTINCT FROM $3 AS repeated FROM questions
WHERE account = $1 AND openid = $2 AND (closed_at IS NULL OR answered_by = $3)
ORDER BY answered_by IS NOT DISTINCT FROM $3 DESC, asked_at DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Question:
    """The case somebody was asked about. `repeated`: this very message answered it before."""

    feedback_id: str
    question: str | None
    repeated: bool


async def ask(tx: Transaction, feedback_id: str, parent: str | None, question: str) -> None:
    """Remember whom the case's reporter is in WeChat, if they are; a part has its parent's."""
    await tx.fetch(_ASK, feedback_id, parent or feedback_id, tx.now, question)


async def close(tx: Transaction, feedback_id: str, answered_by: str | None = None) -> None:
    """It was answered, or nobody waits for the answer any more."""
    await tx.fetch(
        "UPDATE questions SET closed_at = $2, answered_by = coalesce(answered_by, $3) "
        "WHERE feedback_id = $1 AND closed_at IS NULL",
        feedback_id,
        tx.now,
        answered_by,
    )


async def ask_again(tx: Transaction, feedback_id: str) -> None:
    """They have read it only now, since it had not reached them before."""
    await tx.fetch(
        "UPDATE questions SET asked_at = $2, closed_at = NULL "
        "WHERE feedback_id = $1 AND closed_at IS NOT NULL AND answered_by IS NULL",
        feedback_id,
        tx.now,
    )


async def is_unread(tx: Transaction, feedback_id: str) -> bool:
    """Whether the case's last question has not reached its reporter, nor been answered."""
    return bool(
        await tx.fetch(
            "SELECT 1 FROM questions "
            "WHERE feedback_id = $1 AND closed_at IS NOT NULL AND answered_by IS NULL",
            feedback_id,
        )
    )


async def any_questions(tx: Transaction) -> bool:
    """Whether anybody in WeChat was asked anything lately, or words wait for them."""
    return bool(
        await tx.fetch(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM questions) OR EXISTS (SELECT 1 FROM unreached)"
        )
    )


async def question_for(tx: Transaction, account: str, openid: str, message: str) -> Question | None:
    """What this person was asked last and has not answered, or has answered by this message."""
    found = await tx.fetch(_FIND, account, openid, message)
    return Question(*found[0]) if found else None


async def forget_questions(tx: Transaction) -> None:
    """Delete those that were answered long ago."""
    await tx.connection.exec_driver_sql(
        "DELETE FROM questions WHERE closed_at <= $1", (tx.now - KEEP_QUESTIONS,)
    )
