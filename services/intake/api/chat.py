"""A chat in WeChat: a message may answer a question of ours, or choose what was offered.

An answer belongs to the case that was asked about. A number after our receipt says "me too": the
comment it stands under goes with an incident.
"""

from __future__ import annotations

from services.intake import store, wording
from services.intake.api.later import say
from services.intake.deps import Deps
from services.intake.domain.alike import alike, chosen
from services.intake.domain.later import Action, Supplement, check
from services.intake.domain.submission import Submission
from services.intake.store import Receipt, offers, questions, unreached
from shared.contracts import REPORTER
from shared.contracts.inbound import MAX_TEXT
from shared.contracts.intake import FeedbackIncidentNamed, FeedbackReachableAgain
from shared.contracts.refusal import Conflict
from shared.messaging.transaction import Transaction
from shared.service import Service


async def send_what_waits(service: Service[Deps], account: str, openid: str) -> None:
    """A follower wrote: words that the platform did not take before can reach them now."""
    async with service.transaction() as tx:
        cases = await unreached.cases_of(tx, account, openid)
        await tx.lock(*cases)
        for feedback_id in cases:
            if await unreached.settle(tx, feedback_id):
                tx.emit(FeedbackReachableAgain(feedback_id=feedback_id, at=tx.now, by=REPORTER))


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


async def offer_incidents(service: Service[Deps], comment: Submission, receipt: Receipt) -> str:
    """What goes after the receipt of a comment that may be one more case of an open incident.

    Nothing is asked of the database where there are none. A copy of the message reads the same.
    """
    deps, contact = service.deps, comment.contact
    known = deps.open_incidents
    found = alike(f"{comment.title} {comment.text}", known) if known else []
    if not found:
        return ""
    async with service.transaction() as tx:
        await offers.make_offer(
            tx,
            contact.wechat_account or "",
            contact.wechat_openid or "",
            receipt.feedback_id,
            [one.incident_id for one in found],
            receipt.received_at,
        )
    return wording.offered(deps.runtime.settings.locale, [one.title for one in found])


async def take_choice(service: Service[Deps], message: Submission) -> str:
    """What to answer to a short word that chooses what was offered; empty if it does not.

    Said again it changes nothing, whether the platform sends it again or the person does.
    """
    number = chosen(message.text)
    if number is None:
        return ""
    deps, contact = service.deps, message.contact
    who = contact.wechat_account or "", contact.wechat_openid or ""
    source = message.source_message_id or ""
    async with service.transaction() as tx:
        offer = await offers.offer_for(tx, *who, source)
        if offer is None or number >= len(offer.incidents):
            return ""
        comment = await store.find_by_id(tx, offer.feedback_id)
        if comment is None or comment.erased:
            return ""
        locale, url = deps.runtime.settings.locale, deps.track_url(comment.tracking_code)
        known = {one.incident_id: one for one in deps.open_incidents}
        wanted = offer.incidents[number] if offer.chosen is None else offer.chosen
        await tx.lock(offer.feedback_id)
        first = await offers.choose(tx, *who, wanted if wanted in known else "", source)
        if first:
            tx.emit(
                FeedbackIncidentNamed(
                    feedback_id=offer.feedback_id, at=tx.now, by=REPORTER, incident=first
                )
            )
    if (incident := known.get(wanted)) is None:
        return wording.over(locale, url)
    return wording.joined(locale, incident.title, incident.answer or incident.text, url)


async def _whole(tx: Transaction, feedback_id: str) -> Submission | None:
    """The comment of a case: its own, or the one it is a part of."""
    found = await store.find_by_id(tx, feedback_id)
    if found is not None:
        return found
    await store.load(tx, [feedback_id])
    parent = store.case_of(tx, feedback_id).parent
    return await store.find_by_id(tx, parent) if parent else None
