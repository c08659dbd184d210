"""Opening a push and answering it: the callback protocol as two pure functions.

A push is *plain* (no ``encrypt_type``, or ``raw``) or *safe* (``aes``). The plain signature does
not cover the body, so the moment must be near and the caller remembers nonces: what it needs for
that is in `Opened`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from services.intake.wechat.accounts import WechatAccount
from services.intake.wechat.crypto import Unsealed, same, seal, signature_of, unseal
from services.intake.wechat.errors import (
    BadCipher,
    BadSignature,
    BodyTooLarge,
    MalformedBody,
    StaleTimestamp,
)
from services.intake.wechat.fields import MAX_BODY, is_json, parse_fields
from services.intake.wechat.messages import WechatMessage, body_hash, message_from, nonce_key
from services.intake.wechat.xml import cdata

OLDEST = timedelta(minutes=5)
SKEW = timedelta(seconds=60)
"""How far the platform's clock may be ahead of ours before its moment counts as the future."""
ACCEPTED = "success"
"""The answer that says "taken, nothing to show"."""
_MAX_REPLY_BYTES = 2048


@dataclass(frozen=True)
class Opened:
    """A push that is genuine, its meaning, and how to answer it."""

    message: WechatMessage
    nonce_key: str
    body_hash: str
    _account: WechatAccount = field(repr=False)
    _json: bool = False
    _unsealed: Unsealed | None = field(repr=False, default=None)

    @property
    def can_be_answered(self) -> bool:
        """Whether the sender sees the words of an answer."""
        return not self._json

    def reply(self, text: str, now: datetime) -> str:
        """The body of a passive text answer, encrypted if the push was.

        A push in JSON gets the plain `ACCEPTED`: an answer in XML would show an error banner.
        """
        if not self.can_be_answered:
            return ACCEPTED
        return text_reply(self.message, text, now, self._account.appid, self._key, self._token)

    @property
    def _key(self) -> str | None:
        return self._unsealed.key if self._unsealed else None

    @property
    def _token(self) -> str:
        return self._account.token.get_secret_value()


def answer_url_check(account: WechatAccount, query: Mapping[str, str], now: datetime) -> str:
    """The ``echostr`` to give back when the platform verifies our address."""
    _check_plain_signature(account, query)
    _check_moment(query, now)
    return query.get("echostr", "")


def open_push(
    account: WechatAccount, query: Mapping[str, str], body: bytes, now: datetime
) -> Opened:
    """Verify and read one push, or raise a `WechatRefusal`."""
    if len(body) > MAX_BODY:
        raise BodyTooLarge
    mode = query.get("encrypt_type", "") or "raw"
    unsealed: Unsealed | None = None
    if mode == "aes":
        encrypted = parse_fields(body).get("Encrypt", "").strip()
        _check_safe_signature(account, query, encrypted)
        _check_moment(query, now)
        unsealed = unseal(encrypted, account.keys, account.appid)
        body = unsealed.message
    elif mode == "raw":
        _check_plain_signature(account, query)
        if account.safe_mode_only:
            raise BadSignature
        _check_moment(query, now)
    else:
        raise MalformedBody
    return Opened(
        message=message_from(parse_fields(body), account.account),
        nonce_key=nonce_key(account.account, query.get("nonce", "")),
        # Of the words inside: a copy of a safe push may be encrypted anew.
        body_hash=body_hash(body),
        _account=account,
        _json=is_json(body),
        _unsealed=unsealed,
    )


def text_reply(
    message: WechatMessage, text: str, now: datetime, appid: str, key: str | None, token: str
) -> str:
    """A passive text answer to `message`; with `key` in its encrypted envelope."""
    moment = str(int(now.timestamp()))
    plain = (
        f"<xml><ToUserName>{cdata(message.openid)}</ToUserName>"
        f"<FromUserName>{cdata(message.platform_id)}</FromUserName>"
        f"<CreateTime>{moment}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content>{cdata(clip(text))}</Content></xml>"
    )
    if key is None:
        return plain
    return envelope(seal(plain.encode(), key, appid), token, moment, token_hex(8))


def envelope(encrypted: str, token: str, timestamp: str, nonce: str) -> str:
    """An encrypted answer with its signature."""
    signed = signature_of(token, timestamp, nonce, encrypted)
    return (
        f"<xml><Encrypt>{cdata(encrypted)}</Encrypt><MsgSignature>{cdata(signed)}</MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
    )


def clip(text: str, limit: int = _MAX_REPLY_BYTES) -> str:
    """`text` cut to what the platform takes, in UTF-8 bytes and between characters."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit:
        return text
    return raw[: limit - 3].decode("utf-8", "ignore") + "…"


def _check_plain_signature(account: WechatAccount, query: Mapping[str, str]) -> None:
    _check(account, query, query.get("signature", ""))


def _check_safe_signature(account: WechatAccount, query: Mapping[str, str], encrypted: str) -> None:
    _check(account, query, query.get("msg_signature", ""), encrypted)
    if not account.keys:
        raise BadCipher


def _check(account: WechatAccount, query: Mapping[str, str], given: str, *more: str) -> None:
    token = account.token.get_secret_value()
    parts = (query.get("timestamp", ""), query.get("nonce", ""), *more)
    try:
        expected = signature_of(token, *parts)
    except UnicodeEncodeError:  # half a character, which nobody can have signed
        raise BadSignature from None
    if not same(expected, given):
        raise BadSignature


def _check_moment(query: Mapping[str, str], now: datetime) -> None:
    text = query.get("timestamp", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise StaleTimestamp
    said = datetime.fromtimestamp(int(text), UTC)
    if said < now - OLDEST or said > now + SKEW:
        raise StaleTimestamp
