"""Adapters' tokens."""

from __future__ import annotations

from services.intake import store
from tests.service.intake.conftest import Intake


async def test_a_token_works_until_it_is_revoked_and_is_kept_nowhere(intake: Intake) -> None:
    async with intake.service.transaction() as tx:
        event, value = await store.issue_token(tx, intake.service.runtime.signer, "survey")
    directory = intake.service.runtime.directory
    directory.apply(event)
    headers = {"Authorization": f"Bearer {value}"}
    assert (await intake.say(channel="api", source_message_id="1", headers=headers)).is_success
    (row,) = await intake.rows("SELECT * FROM tokens")
    assert value not in str(dict(row))
    async with intake.service.transaction() as tx:
        assert await store.revoke_tokens(tx, "survey") == 1
        assert await store.revoke_tokens(tx, "survey") == 0
    issued, revoked = [f for f in await intake.emitted() if f["type"] == "directory.token.v1"]
    assert "revoked" not in issued["body"] or issued["body"]["revoked"] is False
    assert revoked["body"]["revoked"] is True
    assert value not in str((issued, revoked))
    directory.loaded = True
    directory.apply(event.model_copy(update={"revoked": True}))
    answer = await intake.say(channel="api", source_message_id="2", headers=headers)
    assert answer.status_code == 401


async def test_an_erased_person_is_gone_from_every_table_and_from_what_could_be_sent_again(
    intake: Intake,
) -> None:
    secrets = ("13987654321", "canary@example.edu", "金丝雀")
    body = {"email": secrets[1], "name": secrets[2], "phone": secrets[0]}
    receipt = (await intake.say(f"打{secrets[0]}", title=f"找{secrets[1]}", contact=body)).json()
    code, feedback_id = receipt["tracking_code"], receipt["feedback_id"]
    other = (await intake.say("另一件", contact={"email": "other@example.edu"})).json()
    await intake.later(code, "supplement", text=f"还是{secrets[0]}")
    async with intake.service.transaction() as tx:
        assert await store.erase(tx, feedback_id)
        assert not await store.erase(tx, "unknown")
    for table in ("submissions", "words", "answers"):
        assert not [s for s in secrets if s in str(await intake.rows(f"SELECT * FROM {table}"))]
    emitted = await intake.emitted(feedback_id)
    assert not [s for s in secrets if s in str(emitted)]
    erased = [f["key"] for f in emitted if f["type"] == "private.erased.v1" and f["body"] is None]
    (words,) = (f["body"]["words_id"] for f in emitted if f["type"] == "feedback.supplemented.v1")
    assert erased[-2:] == [f"{feedback_id}/{words}", feedback_id]
    assert set(erased) == set(erased[-2:])
    assert [f["type"] for f in emitted].count("private.words.v1") == 0
    assert [f["type"] for f in emitted].count("private.details.v1") == 0
    assert "other@example.edu" in str(await intake.emitted(other["feedback_id"]))
    assert (await intake.later(code, "urge")).status_code == 200
