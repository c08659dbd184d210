"""Adapters' tokens."""

from __future__ import annotations

from services.intake import tokens
from tests.service.intake.conftest import Door


async def test_a_token_works_until_it_is_revoked_and_is_kept_nowhere(door: Door) -> None:
    async with door.service.transaction() as tx:
        value = await tokens.issue(tx, door.service.house.signer, "survey")
    headers = {"Authorization": f"Bearer {value}"}
    assert (await door.say(channel="api", source_message_id="1", headers=headers)).is_success
    (row,) = await door.rows("SELECT * FROM tokens")
    assert value not in str(dict(row))
    async with door.service.transaction() as tx:
        assert await tokens.revoke(tx, "survey") == 1
        assert await tokens.revoke(tx, "survey") == 0
    issued, revoked = [f for f in await door.told() if f["type"] == "directory.token.v1"]
    assert "revoked" not in issued["body"] or issued["body"]["revoked"] is False
    assert revoked["body"]["revoked"] is True
    assert value not in str((issued, revoked))
