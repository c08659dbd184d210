"""Adapters' tokens."""

from __future__ import annotations

from services.intake import store, tokens
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


async def test_an_erased_person_is_gone_from_every_table_and_from_what_could_be_sent_again(
    door: Door,
) -> None:
    secrets = ("13987654321", "canary@example.edu", "金丝雀")
    body = {"email": secrets[1], "name": secrets[2], "phone": secrets[0]}
    receipt = (await door.say(f"打{secrets[0]}", title=f"找{secrets[1]}", contact=body)).json()
    code, feedback_id = receipt["tracking_code"], receipt["feedback_id"]
    other = (await door.say("另一件", contact={"email": "other@example.edu"})).json()
    await door.later(code, "supplement", text=f"还是{secrets[0]}")
    async with door.service.transaction() as tx:
        assert await store.erase(tx, feedback_id)
        assert not await store.erase(tx, "unknown")
    for table in ("submissions", "words", "answers"):
        assert not [s for s in secrets if s in str(await door.rows(f"SELECT * FROM {table}"))]
    told = await door.told(feedback_id)
    assert not [s for s in secrets if s in str(told)]
    assert (told[-1]["type"], told[-1]["body"]) == ("private.erased.v1", None)
    assert [f["type"] for f in told].count("private.details.v1") == 0
    assert "other@example.edu" in str(await door.told(other["feedback_id"]))
    assert (await door.later(code, "urge")).status_code == 200
