"""WeChat's access tokens where every process finds them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from sqlalchemy import text

from services.notification.store.tables import WechatTokenRow
from services.notification.transports.tokens import AccessToken
from shared.messaging.transaction import Transaction


class TokenRows:
    """WeChat's access tokens where every process finds them."""

    def __init__(
        self, open_transaction: Callable[[], AbstractAsyncContextManager[Transaction]]
    ) -> None:
        self._open = open_transaction

    async def get(self, appid: str) -> AccessToken | None:
        """The token last put."""
        async with self._open() as tx:
            row = await tx.session.get(WechatTokenRow, appid)
            return None if row is None else AccessToken(row.value, row.expires_at)

    async def put(self, appid: str, token: AccessToken) -> None:
        """Replace it."""
        async with self._open() as tx:
            await _keep(tx, appid, token.value, token.expires_at)


async def _keep(tx: Transaction, appid: str, value: str, expires_at: datetime) -> None:
    """Replace the token of an account; the newest wins."""
    await tx.connection.execute(
        text(
            "INSERT INTO wechat_tokens (appid, value, expires_at) VALUES (:a, :v, :e) "
            "ON CONFLICT (appid) DO UPDATE SET value = EXCLUDED.value, "
            "expires_at = EXCLUDED.expires_at"
        ),
        {"a": appid, "v": value, "e": expires_at},
    )
