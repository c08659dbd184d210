"""Followers in WeChat for whom words wait until they write again."""

from __future__ import annotations

from datetime import datetime

from services.intake.store.tables import KEEP_UNREACHED
from shared.messaging.transaction import Transaction

_WAIT = """
INSERT INTO unreached (feedback_id, account, openid, since)
SELECT $1, wechat_account, wechat_openid, $3 FROM submissions
WHERE feedback_id = $2 AND wechat_account IS NOT NULL AND wechat_openid IS NOT NULL
ON CONFLICT (feedback_id) DO UPDATE SET since = EXCLUDED.since
"""


async def wait(tx: Transaction, feedback_id: str, parent: str | None, since: datetime) -> None:
    """Remember whose word it waits for, if they are in WeChat; a part has its parent's."""
    await tx.fetch(_WAIT, feedback_id, parent or feedback_id, since)


async def cases_of(tx: Transaction, account: str, openid: str) -> list[str]:
    """The cases of which words wait for this follower."""
    found = await tx.fetch(
        "SELECT feedback_id FROM unreached WHERE account = $1 AND openid = $2 ORDER BY feedback_id",
        account,
        openid,
    )
    return [feedback_id for (feedback_id,) in found]


async def settle(tx: Transaction, feedback_id: str) -> bool:
    """Nothing waits any more; False where nothing did. Of copies that overlap one is first."""
    return bool(
        await tx.fetch("DELETE FROM unreached WHERE feedback_id = $1 RETURNING 1", feedback_id)
    )


async def forget_unreached(tx: Transaction) -> None:
    """Delete those for whom nobody waits any more."""
    await tx.connection.exec_driver_sql(
        "DELETE FROM unreached WHERE since <= $1", (tx.now - KEEP_UNREACHED,)
    )
