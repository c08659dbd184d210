"""``GET|POST /wechat/{account}``: the official account's callback.

The platform waits 5 s and sends again, copies may overlap; every copy gets the same answer and
there is one comment. A busy moment is a 503: the platform then sends again.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from services.intake import wording
from services.intake.api.answers import refused
from services.intake.api.chat import (
    begin_anew,
    offer_incidents,
    send_what_waits,
    take_answer,
    take_choice,
    take_next_words,
)
from services.intake.api.wishes import take_nothing_yet, take_wish
from services.intake.deps import NAME, Deps, deps_of
from services.intake.domain.alike import chosen
from services.intake.domain.chat import Speaking, asks_anew, said_anew, speaking
from services.intake.domain.language import language_of
from services.intake.domain.submission import SKEW, Submission, Ticket
from services.intake.domain.wishes import Wish, says_nothing_yet, wish_of
from services.intake.store import Arrival, Belongs, Nonce, Receipt, ReplayedNonce
from services.intake.wechat import (
    ACCEPTED,
    Opened,
    WechatAccount,
    WechatMessage,
    WechatRefusal,
    answer_url_check,
    open_push,
)
from shared.contracts.inbound import MAX_TEXT, as_typed, is_blank
from shared.contracts.intake import Contact
from shared.contracts.refusal import NotFound
from shared.contracts.vocabulary import Channel
from shared.messaging.group_commit import Busy
from shared.observability.metrics import ACCEPT_SECONDS
from shared.service import Service
from shared.web.auth import service_of
from shared.web.problems import problem

_SPOKEN = ("text", "voice")
"""Kinds of messages whose words are a comment; a voice has them when it was recognised."""


async def callback(request: Request) -> Response:
    """``GET|POST /wechat/{account}``"""
    started = time.perf_counter()
    deps = deps_of(request)
    account = deps.accounts.get(request.path_params["account"])
    if account is None:
        return refused(request, NotFound())
    try:
        if request.method != "POST":
            return PlainTextResponse(answer_url_check(account, request.query_params, _now(deps)))
        opened = open_push(account, request.query_params, await request.body(), _now(deps))
        answer = await _take(service_of(request, NAME), deps, account, opened)
    except WechatRefusal as refusal:
        return problem(request, refusal.status, detail=refusal.title)
    except ReplayedNonce:
        return problem(request, 401, detail="nonce")
    except Busy as busy:
        return refused(request, busy)
    ACCEPT_SECONDS.observe(time.perf_counter() - started)
    is_xml = answer.startswith("<xml>")
    return Response(answer, media_type="text/xml" if is_xml else "text/plain")


def _now(deps: Deps) -> datetime:
    return deps.runtime.clock.now()


async def _take(service: Service[Deps], deps: Deps, account: WechatAccount, opened: Opened) -> str:
    message = opened.message
    comment = _comment(deps, message)
    nonce = Nonce(opened.nonce_key, opened.body_hash)
    words, how = "", Speaking.ON
    followers, follower = deps.followers, f"{account.account}\0{message.openid}"
    if comment is not None:
        comment, how = _as_meant(comment)
    anew = comment is not None and asks_anew(comment.text)
    wish = wish_of(comment.text) if comment is not None else None
    nothing = comment is not None and says_nothing_yet(comment.text)
    short = comment is not None and chosen(comment.text) is not None
    asked = message.opens_window and await deps.asked_lately(service)
    if short or asked or anew or wish or nothing:
        # The nonce is settled first: what is replayed answers nothing.
        await deps.group.submit(Arrival(None, nonce=nonce))
    if asked:
        await send_what_waits(service, message.account, message.openid)
    if comment is not None and anew:
        words = await begin_anew(service, comment)
    elif comment is not None and wish is not None:
        if wish is Wish.PROGRESS and followers.take(follower) is not None:
            # Each of these is answered twice; whoever asks this often has the answer.
            return ACCEPTED
        words = await take_wish(service, comment, wish, anew=how is Speaking.ANEW)
    if not words and comment is not None and (short or asked) and how is not Speaking.ANEW:
        words = await take_choice(service, comment) or await take_answer(service, comment)
    if not words and comment is not None and nothing and how is not Speaking.ANEW:
        words = await take_nothing_yet(service, comment, how)
    receipt = None
    if not words:
        try:
            receipt = await deps.group.submit(Arrival(comment, nonce=nonce, speaking=how))
        except Belongs as belongs:
            assert comment is not None
            words = await take_next_words(service, comment, belongs.feedback_id)
            if not words:
                # Closed, taken back, full, forgotten: then it is a matter of its own.
                alone = Arrival(comment, nonce=nonce, speaking=Speaking.ANEW)
                receipt = await deps.group.submit(alone)
        words = words or _answer(deps, message, comment, receipt)
    # Whoever writes this often is taken in, but not answered every time.
    if not words or followers.take(follower) is not None:
        return ACCEPTED
    if comment is not None and receipt is not None and opened.can_be_answered:
        words += await offer_incidents(service, comment, receipt)
    return opened.reply(words, _now(deps))


def _answer(
    deps: Deps, message: WechatMessage, comment: Submission | None, receipt: Receipt | None
) -> str:
    settings = deps.runtime.settings
    if receipt is not None and comment is not None:
        code = receipt.tracking_code
        return wording.received(comment.locale, code, deps.track_url(code))
    if message.is_event:
        followed = message.event.lower() == "subscribe"
        return wording.welcome(settings.locale, settings.url) if followed else ""
    if message.msg_type == "text" and not message.is_placeholder:
        return wording.something(settings.locale)
    if message.msg_type == "image":
        return wording.picture(settings.locale, settings.url)
    return wording.in_words(settings.locale, settings.url)


def _as_meant(comment: Submission) -> tuple[Submission, Speaking]:
    """The words that are meant, and how they stand to what was said before."""
    rest = said_anew(comment.text)
    if rest is not None:
        return replace(comment, text=rest), Speaking.ANEW
    return comment, speaking(comment.text)


def _comment(deps: Deps, message: WechatMessage) -> Submission | None:
    if message.msg_type not in _SPOKEN or message.is_placeholder:
        return None
    # Never refused for its length: the platform would show the sender an error.
    words = as_typed(message.text)[:MAX_TEXT]
    if is_blank(words):
        return None
    locale = language_of(words, deps.runtime.settings.locale)
    return from_wechat(message, words, deps.ticket(), locale=locale)


def from_wechat(message: WechatMessage, words: str, ticket: Ticket, *, locale: str) -> Submission:
    """A message of a follower as a comment."""
    source = message.dedupe_key
    if message.openid in source:
        # Without a number of its own it is identified by who sent it; the log must not know who.
        source = "sha256:" + hashlib.sha256(source.encode()).hexdigest()
    said = message.created_at
    if said is not None and not (said.year >= 1971 and said <= ticket.received_at + SKEW):
        said = None
    return Submission(
        feedback_id=ticket.feedback_id,
        tracking_code=ticket.tracking_code,
        code_hash=ticket.code_hash,
        received_at=ticket.received_at,
        channel=Channel.WECHAT,
        text=words,
        locale=locale,
        account=message.account,
        source_message_id=source,
        occurred_at=said,
        contact=Contact(wechat_account=message.account, wechat_openid=message.openid),
    )
