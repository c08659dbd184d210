"""``GET|POST /wechat/{account}``: the official account's callback.

The platform waits 5 s and sends again, copies may overlap; every copy gets the same answer and
there is one comment. A busy moment is a 503: the platform then sends again.
"""

from __future__ import annotations

import hashlib
import time
from datetime import datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from services.intake import texts
from services.intake.api.answers import refused
from services.intake.domain.submission import SKEW, Submission, Ticket
from services.intake.store import Arrival, Nonce, Receipt, ReplayedNonce
from services.intake.tools import Tools, tools_of
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
from shared.web.problems import problem

_SPOKEN = ("text", "voice")
"""Kinds of messages whose words are a comment; a voice has them when it was recognised."""


async def callback(request: Request) -> Response:
    """``GET|POST /wechat/{account}``"""
    started = time.perf_counter()
    tools = tools_of(request)
    account = tools.accounts.get(request.path_params["account"])
    if account is None:
        return refused(request, NotFound())
    try:
        if request.method != "POST":
            return PlainTextResponse(answer_url_check(account, request.query_params, _now(tools)))
        opened = open_push(account, request.query_params, await request.body(), _now(tools))
        answer = await _take(tools, account, opened)
    except WechatRefusal as refusal:
        return problem(request, refusal.status, detail=refusal.title)
    except ReplayedNonce:
        return problem(request, 401, detail="nonce")
    except Busy as busy:
        return refused(request, busy)
    ACCEPT_SECONDS.observe(time.perf_counter() - started)
    is_xml = answer.startswith("<xml>")
    return Response(answer, media_type="text/xml" if is_xml else "text/plain")


def _now(tools: Tools) -> datetime:
    return tools.house.clock.now()


async def _take(tools: Tools, account: WechatAccount, opened: Opened) -> str:
    message = opened.message
    comment = _comment(tools, message)
    receipt = await tools.group.submit(
        Arrival(comment, nonce=Nonce(opened.nonce_key, opened.body_hash))
    )
    words = _answer(tools, message, receipt)
    # Whoever writes this often is heard, but not answered every time.
    if not words or tools.chats.take(f"{account.account}\0{message.openid}") is not None:
        return ACCEPTED
    return opened.reply(words, _now(tools))


def _answer(tools: Tools, message: WechatMessage, receipt: Receipt | None) -> str:
    settings = tools.house.settings
    if receipt is not None:
        code = receipt.tracking_code
        return texts.received(settings.locale, code, tools.track_url(code))
    if message.is_event:
        followed = message.event.lower() == "subscribe"
        return texts.welcome(settings.locale, settings.url) if followed else ""
    if message.msg_type == "text":
        return texts.something(settings.locale)
    return texts.in_words(settings.locale, settings.url)


def _comment(tools: Tools, message: WechatMessage) -> Submission | None:
    if message.msg_type not in _SPOKEN:
        return None
    # Never refused for its length: the platform would show the sender an error.
    words = as_typed(message.text)[:MAX_TEXT]
    if is_blank(words):
        return None
    return from_wechat(message, words, tools.ticket(), locale=tools.house.settings.locale)


def from_wechat(message: WechatMessage, words: str, ticket: Ticket, *, locale: str) -> Submission:
    """A message of a follower as a comment."""
    source = message.dedupe_key
    if message.openid in source:
        # Without a number of its own it is told apart by who sent it; the log must not know who.
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
