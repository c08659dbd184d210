"""A message in WeChat that answers a question of ours belongs to the case that was asked about."""

from __future__ import annotations

from services.intake import store, wording
from services.intake.api.later import say
from services.intake.deps import Deps
from services.intake.domain.later import Action, Supplement, check
from services.intake.domain.submission import Submission
from services.intake.store import questions
from shared.contracts.inbound import MAX_TEXT
from shared.contracts.refusal import Conflict
from shared.messaging.transaction import Transaction
from shared.service import Service


async def take_answer(service: Service[Deps], comment: Submission) -> str:
    """What to answer to `comment` if it was the answer to a question; empty if it is a new matter.

    A copy of it, sent again by the platform, is answered the same and added nowhere.
    """
    deps, contact = service.deps, comment.contact
    message = comment.source_message_id or ""
    async with service.transaction() as tx:
        asked = await questions.question_for(
            tx, contact.wechat_account or "", contact.wechat_openid or "", message
        )
        if asked is None:
            return ""
        whole = await _whole(tx, asked.feedback_id)
        if whole is None:
            return ""
        words = wording.added(deps.runtime.settings.locale, deps.track_url(whole.tracking_code))
        if asked.repeated:
            return words
        await tx.lock(asked.feedback_id)
        await store.load(tx, [asked.feedback_id])
        try:
            check(Action.SUPPLEMENT, store.case_of(tx, asked.feedback_id).standing, tx.now)
        except Conflict:
            return ""
        body = Supplement.model_construct(text=comment.text[:MAX_TEXT])
        await say(tx, whole, asked.feedback_id, Action.SUPPLEMENT, body)
        await questions.close(tx, asked.feedback_id, message)
    return words


async def _whole(tx: Transaction, feedback_id: str) -> Submission | None:
    """The comment of a case: its own, or the one it is a part of."""
    found = await store.find_by_id(tx, feedback_id)
    if found is not None:
        return found
    await store.load(tx, [feedback_id])
    parent = store.case_of(tx, feedback_id).parent
    return await store.find_by_id(tx, parent) if parent else None
