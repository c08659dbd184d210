"""Customer-service messages of one WeChat official account."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from datetime import datetime, timedelta
from typing import Any, NoReturn

import httpx2

from services.notification.transports.base import (
    MessageTooLong,
    OutgoingMessage,
    PermanentFailure,
    Sent,
    TemporaryFailure,
    TransportUnavailable,
    Undelivered,
    UnknownOutcome,
)
from services.notification.transports.tokens import AccessToken, TokenStore
from services.notification.transports.wechat_apps import WechatApp
from shared.clock import Clock
from shared.messaging.failures import is_transient
from shared.moments import LOCAL

TIMEOUT = httpx2.Timeout(8.0, connect=4.0)
_TOKEN_PATH = "/cgi-bin/stable_token"
_SEND_PATH = "/cgi-bin/message/custom/send"

_STALE_TOKEN = frozenset({40001, 40014, 42001})
"""The token is not, or no longer, good: a new one is fetched once and the call repeated."""
_ABOUT_US = frozenset({40013, 40125, 40164, 41001, 41002, 41004, 50002})
"""Application, secret, address or account refused: ours to mend, not this follower's."""
_BUSY = -1
_MINUTE_QUOTA, _DAILY_QUOTA = 45011, 45009
_TOO_LONG = 45002
FINAL = {
    45015: "wechat_window_over",
    45047: "wechat_quota_used",
    43101: "wechat_refused",
    48001: "wechat_not_granted",
    48004: "wechat_banned",
    40003: "wechat_bad_openid",
    43004: "wechat_not_a_follower",
}
"""Codes after which only another channel helps, and what we call them."""


class WechatTransport:
    """Sends text to followers who wrote within the platform's window. `to` is the openid."""

    channel = "wechat"

    def __init__(
        self,
        app: WechatApp,
        tokens: TokenStore,
        clock: Clock,
        *,
        client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._clock = clock
        self._own_client = client is None
        self._client = client or httpx2.AsyncClient(timeout=TIMEOUT)
        self._renewing = asyncio.Lock()
        _hide_tokens_in_log()

    async def send(self, message: OutgoingMessage) -> Sent:
        """Send the text word for word; a stale token is renewed once, and the call repeated."""
        token = await self._token()
        answer = await self._hand_over(token, message)
        if answer.get("errcode") in _STALE_TOKEN:
            answer = await self._hand_over(await self._token(refused=token), message)
        code = answer.get("errcode")
        if code == 0:
            return Sent(self.channel, str(answer.get("msgid", ""))[:200])
        self._refused(code)

    async def aclose(self) -> None:
        """Close the client if it is ours."""
        if self._own_client:
            await self._client.aclose()

    def _refused(self, code: object) -> NoReturn:
        if not isinstance(code, int):
            raise UnknownOutcome("wechat_strange_answer")
        reason = f"wechat_{code}"
        if code in FINAL:
            raise PermanentFailure(FINAL[code])
        if code == _TOO_LONG:
            raise MessageTooLong(reason)
        if code == _BUSY:
            raise TemporaryFailure(reason)
        if code == _MINUTE_QUOTA:
            raise TemporaryFailure(reason, timedelta(minutes=1))
        if code == _DAILY_QUOTA:
            raise TemporaryFailure(reason, _until_tomorrow(self._clock.now()))
        if code in _STALE_TOKEN or code in _ABOUT_US:
            raise TransportUnavailable(reason)
        # An undocumented code is a refusal of this very request: repeating it is no use.
        raise PermanentFailure(reason)

    async def _hand_over(self, token: str, message: OutgoingMessage) -> dict[str, Any]:
        body = {"touser": message.to, "msgtype": "text", "text": {"content": message.text}}
        try:
            response = await self._post(_SEND_PATH, body, {"access_token": token})
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise TransportUnavailable("wechat_unreachable") from error
        except (httpx2.TransportError, TimeoutError) as error:
            raise UnknownOutcome("wechat_no_answer") from error
        if response.status_code in (429, 503) or 300 <= response.status_code < 500:
            raise TransportUnavailable(
                f"wechat_http_{response.status_code}", _retry_after(response)
            )
        if response.status_code != 200:
            raise UnknownOutcome(f"wechat_http_{response.status_code}")
        answer = _json(response)
        if answer is None:
            raise UnknownOutcome("wechat_strange_answer")
        return answer

    async def _token(self, refused: str | None = None) -> str:
        """A token that should work, and is not `refused`."""
        try:
            return await self._kept_or_new(refused)
        except Exception as error:
            # Nothing is handed over yet: where tokens are kept may be away for a while.
            if isinstance(error, Undelivered) or not is_transient(error):
                raise
            raise TemporaryFailure("wechat_token_not_kept") from error

    async def _kept_or_new(self, refused: str | None) -> str:
        async with self._renewing:
            kept = await self._tokens.get(self._app.appid)
            if kept and kept.value != refused and kept.usable(self._clock.now()):
                return kept.value
            token = await self._new_token(force=False)
            if token.value == refused:
                # The platform still hands out what it refuses: only force ends that.
                token = await self._new_token(force=True)
            await self._tokens.put(self._app.appid, token)
            return token.value

    async def _new_token(self, *, force: bool) -> AccessToken:
        body = {
            "grant_type": "client_credential",
            "appid": self._app.appid,
            "secret": self._app.secret.get_secret_value(),
            "force_refresh": force,
        }
        asked = self._clock.now()
        try:
            response = await self._post(_TOKEN_PATH, body, {})
        except (httpx2.TransportError, TimeoutError) as error:
            raise TransportUnavailable("wechat_token_unreachable") from error
        answer = _json(response) or {}
        value, lasts = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(value, str) or not value or not isinstance(lasts, int):
            # Wrong secret, address not on the platform's list …: not this receiver's fault.
            raise TransportUnavailable(f"wechat_token_{answer.get('errcode', 'strange')}")
        return AccessToken(value, asked + timedelta(seconds=min(lasts, 7200)))

    async def _post(
        self, path: str, body: dict[str, Any], query: dict[str, str]
    ) -> httpx2.Response:
        # Real characters: the platform shows \u escapes to the reader as they stand.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        # httpx limits each step; this limits a server that drips byte by byte.
        async with asyncio.timeout(10):
            return await self._client.post(
                self._app.api_base.rstrip("/") + path,
                content=content,
                params=query,
                headers={"Content-Type": "application/json; charset=utf-8"},
            )


def _json(response: httpx2.Response) -> dict[str, Any] | None:
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _retry_after(response: httpx2.Response) -> timedelta | None:
    text = response.headers.get("retry-after", "")
    return timedelta(seconds=min(int(text), 3600)) if re.fullmatch(r"\d{1,6}", text) else None


def _until_tomorrow(now: datetime) -> timedelta:
    """Until a little after midnight in Beijing, when the platform counts anew."""
    local = now.astimezone(LOCAL)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return midnight - local + timedelta(minutes=5)


class _NoTokens(logging.Filter):
    """The client logs whole URLs, and the platform wants its token in the URL."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "access_token=" in message:
            record.msg = re.sub(r"access_token=[^&\s\"]+", "access_token=…", message)
            record.args = ()
        return True


def _hide_tokens_in_log() -> None:
    logger = logging.getLogger("httpx2")
    if not any(isinstance(known, _NoTokens) for known in logger.filters):
        logger.addFilter(_NoTokens())
