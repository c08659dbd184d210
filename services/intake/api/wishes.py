"""A chat in WeChat: what is asked for by one word about the case spoken of, as its page offers it.

What was asked for is done once, however often the platform sends the message again. A wish opens no
case and is no supplement; the answer says of which case it was taken, and what became of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from services.intake import store, wording
from services.intake.api.chat import named, who_of, whole_of
from services.intake.api.later import say
from services.intake.deps import Deps
from services.intake.domain.chat import Speaking
from services.intake.domain.language import language_of
from services.intake.domain.later import Action, Nothing, check
from services.intake.domain.submission import Submission
from services.intake.domain.wishes import Wish, names_withdrawal
from services.intake.store import Key, chats
from shared.contracts import REPORTER
from shared.contracts.intake import FeedbackProgressAsked
from shared.contracts.refusal import Conflict
from shared.messaging.transaction import Transaction
from shared.service import Service


@dataclass(frozen=True)
class _Asked:
    """A wish about a case, which is locked and loaded; `which`: how its reporter knows it."""

    deps: Deps
    comment: Submission
    feedback_id: str
    which: str
    who: tuple[str, str]
    key: Key
    locale: str
    """Of the answer."""

    @property
    def url(self) -> str:
        return self.deps.track_url(self.comment.tracking_code)


async def take_wish(
    service: Service[Deps], message: Submission, wish: Wish, *, anew: bool = False
) -> str:
    """What to answer to a wish; empty for a yes that nobody asked for. `anew`: of another case than
    the one spoken of, that is, of none."""
    deps, who, source = service.deps, who_of(message), message.source_message_id or ""
    locale, home = message.locale, deps.runtime.settings.url
    if wish is Wish.HELP:
        return wording.help_with(locale, home)
    key = Key(f"chat:{who[0]}", source, wish)
    async with service.transaction() as tx:
        about = None if anew else await chats.of_a_wish(tx, *who, source)
        done = await store.was_done(tx, key)
        if wish is Wish.YES:
            asked = done or await chats.to_take_back(tx, *who)
            if asked is None and not names_withdrawal(message.text):
                return ""
            if asked is None:
                # They say to what: then they are asked, as if that had been all.
                wish = Wish.WITHDRAW
            about = asked or about
        about = done or about
        comment = await whole_of(tx, about) if about else None
        if about is None or comment is None or comment.erased:
            return wording.no_case(locale, home)
        locale = language_of(message.text, comment.locale)
        await tx.lock(about)
        await store.load(tx, [about])
        # Of copies that overlap the second finds what the first has done.
        done = await store.was_done(tx, key)
        which = await named(tx, comment, about)
        asked_for = _Asked(deps, comment, about, which, who, key, locale)
        try:
            return await _DO[wish](tx, asked_for, done is not None)
        except Conflict as refusal:
            return wording.not_done(locale, which, refusal.detail(locale), asked_for.url)


async def take_nothing_yet(service: Service[Deps], message: Submission, speaking: Speaking) -> str:
    """What to answer to a greeting or a sign alone, where it begins a chat; empty in the middle of
    one, where it is kept with what is spoken of."""
    who = who_of(message)
    async with service.transaction() as tx:
        # A copy of what was taken in by another release is answered as that was.
        known = await chats.was_received(tx, who[0], message.source_message_id or "")
        if known or await chats.is_open(tx, *who, speaking):
            return ""
    return wording.nothing_yet(message.locale)


async def _urge(tx: Transaction, asked: _Asked, done: bool) -> str:
    if not done:
        await _perform(tx, asked, Action.URGE)
        await chats.speak_of(tx, *asked.who)
    return wording.urged(asked.locale, asked.which, asked.url)


async def _ask_whether(tx: Transaction, asked: _Asked, done: bool) -> str:
    """Nothing is taken back by one word: the next one may."""
    check(Action.WITHDRAW, store.case_of(tx, asked.feedback_id).standing, tx.now)
    await chats.speak_of(tx, *asked.who, taken_back=asked.feedback_id)
    return wording.take_back(asked.locale, asked.which)


async def _withdraw(tx: Transaction, asked: _Asked, done: bool) -> str:
    if not done:
        await _perform(tx, asked, Action.WITHDRAW)
        await chats.speak_of(tx, *asked.who)
    return wording.taken_back(asked.locale, asked.which, asked.url)


async def _tell_progress(tx: Transaction, asked: _Asked, done: bool) -> str:
    """Notification knows how far it is, and writes in the chat a moment later."""
    if not done:
        await store.answered_before(tx, asked.key, asked.feedback_id)
        tx.emit(FeedbackProgressAsked(feedback_id=asked.feedback_id, at=tx.now, by=REPORTER))
        await chats.speak_of(tx, *asked.who)
    return wording.looking(asked.locale, asked.which, asked.url)


async def _perform(tx: Transaction, asked: _Asked, action: Action) -> None:
    """The same as by the button on the page."""
    check(action, store.case_of(tx, asked.feedback_id).standing, tx.now)
    await store.answered_before(tx, asked.key, asked.feedback_id)
    await say(tx, asked.comment, asked.feedback_id, action, Nothing())


_DO: Mapping[Wish, Callable[[Transaction, _Asked, bool], Awaitable[str]]] = {
    Wish.URGE: _urge,
    Wish.WITHDRAW: _ask_whether,
    Wish.YES: _withdraw,
    Wish.PROGRESS: _tell_progress,
}
