"""A chat in WeChat: a message may answer a question of ours, go on about a case, or choose what
was offered.

An answer belongs to the case that was asked about, and so does what is said soon after. A number
after our receipt says "me too": the comment it stands under goes with an incident.
"""

from __future__ import annotations

from dataclasses import replace

from services.intake import store, wording
from services.intake.api.later import add
from services.intake.deps import Deps
from services.intake.domain.alike import alike, chosen
from services.intake.domain.chat import Speaking, answers_nothing, is_remark, is_thanks
from services.intake.domain.language import language_of
from services.intake.domain.submission import Submission
from services.intake.domain.wishes import wish_of
from services.intake.store import Arrival, Receipt, chats, offers, questions, unreached
from shared.contracts import REPORTER
from shared.contracts.inbound import MAX_TEXT
from shared.contracts.intake import (
    FeedbackIncidentNamed,
    FeedbackReachableAgain,
    FeedbackSupplementMoved,
)
from shared.contracts.refusal import Conflict
from shared.contracts.vocabulary import State
from shared.greetings import says_nothing
from shared.messaging.transaction import Transaction
from shared.moments import day_and_hour
from shared.service import Service

FIRST_WORDS = 20
"""Characters by which a comment is called in its reporter's own chat."""


async def send_what_waits(service: Service[Deps], account: str, openid: str) -> None:
    """A follower wrote: words that the platform did not take before can reach them now."""
    async with service.transaction() as tx:
        cases = await unreached.cases_of(tx, account, openid)
        await tx.lock(*cases)
        for feedback_id in cases:
            if await unreached.settle(tx, feedback_id):
                tx.emit(FeedbackReachableAgain(feedback_id=feedback_id, at=tx.now, by=REPORTER))


async def take_answer(service: Service[Deps], comment: Submission) -> str:
    """What to answer to `comment` if it was the answer to a question; empty if it was not.

    Thanks alone (好的, OK), a face or a promise to answer later answer none: they are kept with it,
    and it stays open. Where something else was spoken of since thanks are about that. A copy of a
    message, sent again by the platform, is answered the same and added nowhere.
    """
    who, message, deps = who_of(comment), comment.source_message_id or "", service.deps
    async with service.transaction() as tx:
        asked = await questions.question_for(tx, *who, message)
        if asked is None:
            return ""
        whole = await whole_of(tx, asked.feedback_id)
        if whole is None:
            return ""
        url, none = deps.track_url(whole.tracking_code), answers_nothing(comment.text)
        locale = language_of(comment.text, whole.locale)
        words = wording.answered(locale, url)
        if asked.repeated:
            return words
        if none:
            thanks = is_thanks(comment.text)
            about = await chats.of_a_remark(tx, *who) if thanks else None
            if about not in (None, asked.feedback_id, whole.feedback_id):
                return ""
            question = None if whole.confidential else asked.question
            which = await named(tx, whole, asked.feedback_id)
            words = wording.waiting(locale, which, question, url)
        await tx.lock(asked.feedback_id)
        if await chats.was_added(tx, who[0], message):
            return words
        await store.load(tx, [asked.feedback_id])
        try:
            said = comment.text[:MAX_TEXT]
            words_id = await add(tx, whole, asked.feedback_id, said, unasked=none)
        except Conflict:
            return ""
        if not none:
            await questions.close(tx, asked.feedback_id, message)
        await chats.add(tx, *who, message, asked.feedback_id, words_id)
    return words


_ANSWERED = frozenset({State.REPLIED, State.REJECTED, State.MERGED})
"""Where thanks ask for nothing."""


async def take_next_words(service: Service[Deps], comment: Submission, feedback_id: str) -> str:
    """What to answer to `comment` as the next word about this case; empty if nothing can be added
    to that any more, but a remark about its answer, which is no matter of its own. A copy of it is
    answered the same and added nowhere. Thanks for an answer get a kind word."""
    who, message, deps = who_of(comment), comment.source_message_id or "", service.deps
    whole, which, state = None, "", None
    locale = comment.locale
    try:
        async with service.transaction() as tx:
            whole = await whole_of(tx, feedback_id)
            if whole is None or whole.erased:
                return ""
            locale = language_of(comment.text, whole.locale)
            await tx.lock(feedback_id)
            which = await named(tx, whole, feedback_id, comment.text)
            await store.load(tx, [feedback_id])
            state = store.case_of(tx, feedback_id).state
            if not await chats.was_added(tx, who[0], message):
                waits = state == State.WAITING_USER
                unasked = waits and await questions.is_unread(tx, feedback_id)
                said = comment.text[:MAX_TEXT]
                words_id = await add(tx, whole, feedback_id, said, unasked=unasked)
                await chats.add(tx, *who, message, feedback_id, words_id)
    except Conflict:
        if whole is None or not is_remark(comment.text):
            return ""
        thanks, url = is_thanks(comment.text), deps.track_url(whole.tracking_code)
        return wording.ended(locale, which, url, thanks=thanks)
    if state in _ANSWERED and is_thanks(comment.text):
        return wording.thanked(locale)
    return wording.added(locale, which, deps.track_url(whole.tracking_code))


async def begin_anew(service: Service[Deps], message: Submission) -> str:
    """What to answer to the word that something is another matter.

    What was added last becomes a comment of its own; where nothing was, or only a remark about an
    answer, what comes next does.
    """
    deps, who, source = service.deps, who_of(message), message.source_message_id or ""
    async with service.transaction() as tx:
        added = await chats.last_added(tx, *who, source)
        if added is not None:
            await tx.lock(added.feedback_id)
            # Of copies that overlap the second finds what the first has done.
            added = await chats.last_added(tx, *who, source)
        # Thanks, and whether it helped, are about the answer whatever comes next.
        # And what was kept as words before such a wish was understood is no comment.
        another = added is not None and not (is_remark(added.text) or wish_of(added.text))
        if added is None or not another or added.moved_by not in (None, source):
            await chats.end(tx, *who)
            return wording.anew(message.locale)
        locale = language_of(added.text, message.locale)
        comment = replace(message, text=added.text, locale=locale)
        (receipt,) = await store.accept(tx, [Arrival(comment, speaking=Speaking.ANEW)])
        assert isinstance(receipt, Receipt)
        if await chats.move(tx, who[0], added, source):
            tx.emit(
                FeedbackSupplementMoved(
                    feedback_id=added.feedback_id,
                    at=tx.now,
                    by=REPORTER,
                    words_id=added.words_id,
                    to=receipt.feedback_id,
                )
            )
    code = receipt.tracking_code
    return wording.received(locale, code, deps.track_url(code))


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
    return wording.offered(comment.locale, [one.title for one in found])


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
        locale, url = comment.locale, deps.track_url(comment.tracking_code)
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


def who_of(comment: Submission) -> tuple[str, str]:
    """The account and the follower."""
    return comment.contact.wechat_account or "", comment.contact.wechat_openid or ""


async def named(tx: Transaction, comment: Submission, feedback_id: str, now: str = "") -> str:
    """How its reporter knows which comment is meant: by its first words that say something, or by
    its moment. `now`: what is being added."""
    if comment.confidential:
        return day_and_hour(comment.received_at)
    said = [comment.title, comment.text]
    if says_nothing(*said):
        said = [*(one.text for one in await store.words_of(tx, feedback_id)), now]
    words = next((one for one in said if not says_nothing(one)), None)
    if words is None:
        return day_and_hour(comment.received_at)
    return wording.clipped(words, FIRST_WORDS)


async def whole_of(tx: Transaction, feedback_id: str) -> Submission | None:
    """The comment of a case: its own, or the one it is a part of."""
    found = await store.find_by_id(tx, feedback_id)
    if found is not None:
        return found
    await store.load(tx, [feedback_id])
    parent = store.case_of(tx, feedback_id).parent
    return await store.find_by_id(tx, parent) if parent else None
