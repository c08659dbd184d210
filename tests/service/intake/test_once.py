"""One comment, one case: keys, source ids, and two at the same moment."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx2
import pytest

from tests.service.intake.conftest import Intake


def key(value: str) -> dict[str, str]:
    return {"Idempotency-Key": value}


async def test_the_same_key_and_body_get_the_same_answer(intake: Intake) -> None:
    first = await intake.say("x", headers=key("k1"))
    intake.clock.later(hours=23)
    again = await intake.say("x", headers=key("k1"))
    assert (again.status_code, again.json()) == (201, first.json())
    assert await intake.cases() == 1
    assert len(await intake.emitted()) == 2


async def test_the_same_key_with_another_body_is_a_conflict(intake: Intake) -> None:
    await intake.say("x", headers=key("k1"))
    other = await intake.say("y", headers=key("k1"))
    assert other.status_code == 409
    assert await intake.cases() == 1
    assert (await intake.say("y", headers=key("k2"))).status_code == 201


async def test_a_key_is_kept_for_a_day(intake: Intake) -> None:
    first = await intake.say("x", headers=key("k1"))
    intake.clock.later(hours=24, seconds=1)
    second = await intake.say("y", headers=key("k1"))
    assert second.status_code == 201
    assert second.json()["feedback_id"] != first.json()["feedback_id"]


async def test_keys_of_a_program_and_of_the_public_are_apart(intake: Intake) -> None:
    await intake.say("x", headers=key("k1"))
    program = key("k1") | intake.adapter("a")
    assert (await intake.say("y", channel="api", source_message_id="1", headers=program)).is_success
    other = key("k1") | intake.adapter("b")
    assert (await intake.say("z", channel="api", source_message_id="2", headers=other)).is_success
    assert await intake.cases() == 3


@pytest.mark.parametrize("value", ["", "k" * 256, "a\tb"])
async def test_a_key_has_1_to_255_printable_characters(intake: Intake, value: str) -> None:
    assert (await intake.say(headers=key(value))).status_code == 422
    assert (await intake.say(headers=key("k" * 255))).status_code == 201


async def test_the_same_words_fifty_times_at_once_under_one_key_are_one_case(
    intake: Intake,
) -> None:
    answers = await asyncio.gather(*(intake.say("x", headers=key("k")) for _ in range(50)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["tracking_code"] for a in answers}) == 1
    assert await intake.cases() == 1
    assert len(await intake.emitted()) == 2


async def test_two_bodies_at_once_under_one_key_leave_one_case(intake: Intake) -> None:
    answers = await asyncio.gather(*(intake.say(f"x{n % 2}", headers=key("k")) for n in range(20)))
    assert sorted({a.status_code for a in answers}) == [201, 409]
    assert await intake.cases() == 1


async def test_a_form_sent_twice_is_one_case(intake: Intake) -> None:
    form = {"text": "占座", "idempotency_key": "hidden-1", "contact.email": "", "anonymous": "true"}
    first, second = await asyncio.gather(
        *(
            intake.client.post("/api/feedback", data=form, headers={"Accept": "text/html"})
            for _ in "ab"
        )
    )
    assert first.status_code == second.status_code == 201
    assert first.text.count("/track/") == second.text.count("/track/") > 0
    assert await intake.cases() == 1


async def test_a_form_sent_again_with_other_words_hears_it_in_words(intake: Intake) -> None:
    form = {"text": "占座", "idempotency_key": "hidden-2"}
    page = {"Accept": "text/html"}
    await intake.client.post("/api/feedback", data=form, headers=page)
    changed = form | {"text": "占座，三层"}
    again = await intake.client.post("/api/feedback", data=changed, headers=page)
    assert again.status_code == 409
    assert "刚才那一份已经收到了" in again.text
    assert "Idempotency" not in again.text
    # The page that comes back has a key of its own: pressing again sends it.
    fresh = re.search(r'name="idempotency_key" value="([^"]+)"', again.text)
    assert fresh
    assert fresh[1] != "hidden-2"


def message(source: str = "m1", **more: Any) -> dict[str, Any]:
    return {"channel": "email", "source_message_id": source} | more


async def submit(
    intake: Intake, words: str = "x", name: str = "survey", **more: Any
) -> httpx2.Response:
    headers = intake.adapter(name) | more.pop("headers", {})
    return await intake.say(words, headers=headers, **more)


async def test_an_adapter_has_to_say_which_message_it_is(intake: Intake) -> None:
    for missing in ({"channel": "api"}, {"source_message_id": "1"}, message(""), message("\u200b")):
        answer = await submit(intake, **missing)
        assert answer.status_code == 422
        assert {"channel", "source_message_id"} & set(answer.json()["errors"])


async def test_the_same_message_again_is_200_with_the_first_answer(intake: Intake) -> None:
    first = await submit(intake, **message())
    again = await submit(intake, "other words", **message())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    intake.clock.later(days=400)
    assert (await submit(intake, **message())).json() == first.json()
    assert await intake.cases() == 1


async def test_a_message_is_identified_by_channel_account_and_id(intake: Intake) -> None:
    bodies = [message(), message("m2"), message(account="b"), message(channel="kiosk")]
    for body in bodies:
        assert (await submit(intake, **body)).status_code == 201
    assert (await submit(intake, name="other", **message())).status_code == 201
    assert (await submit(intake, name="other", **message(account="survey"))).status_code == 200
    events = [f["body"] for f in await intake.emitted() if f["type"] == "feedback.received.v1"]
    assert [f["channel"] for f in events] == ["email", "email", "email", "other", "email"]
    assert [f["account"] for f in events] == ["survey", "survey", "b", "survey", "other"]


async def test_the_source_counts_before_the_key(intake: Intake) -> None:
    first = await submit(intake, **message("m1"), headers=key("k1"))
    again = await submit(intake, "other", **message("m1"), headers=key("k1"))
    assert (again.status_code, again.json()) == (200, first.json())
    other = await submit(intake, **message("m2"), headers=key("k1"))
    assert other.status_code == 409
    assert await intake.cases() == 1
    assert (await submit(intake, **message("m2"))).status_code == 201


async def test_overlapping_copies_of_a_message_are_one_case(intake: Intake) -> None:
    answers = await asyncio.gather(*(submit(intake, f"x{n}", **message()) for n in range(30)))
    assert sorted(a.status_code for a in answers) == [200] * 29 + [201]
    assert len({a.json()["feedback_id"] for a in answers}) == 1
    assert len(await intake.emitted()) == 2


async def test_when_it_was_said_may_not_be_in_the_future(intake: Intake) -> None:
    said = {"occurred_at": "2026-03-03T22:00:00+08:00"}
    assert (await submit(intake, **message("m1"), **said)).status_code == 201
    assert (await intake.emitted())[0]["body"]["occurred_at"] == "2026-03-03T14:00:00Z"
    for wrong in (
        "2026-03-04T10:01:00+08:00",
        "2026-03-03T10:00:00",
        "yesterday",
        "0001-01-01T00:00:00+08:00",
    ):
        answer = await submit(intake, **message("m2"), occurred_at=wrong)
        assert answer.status_code == 422, wrong
        assert "occurred_at" in answer.json()["errors"]


async def test_a_program_learns_which_categories_there_are(intake: Intake) -> None:
    answer = await submit(intake, **message(), category="nonsense")
    assert answer.status_code == 422
    assert (await submit(intake, **message(), category="seats")).status_code == 201


async def test_a_forged_or_revoked_token_is_401_and_a_staff_token_is_the_public(
    intake: Intake,
) -> None:
    assert (await intake.say(headers={"Authorization": "Bearer fx.forged"})).status_code == 401
    assert (await intake.say(headers={"Authorization": "Bearer nonsense"})).status_code == 401
    assert (await intake.say(headers=intake.staff(), **message())).status_code == 201
    assert (await intake.emitted())[0]["body"]["channel"] == "web"
    assert (await submit(intake, **message())).status_code == 201
    headers = intake.adapter()
    directory = intake.service.runtime.directory
    directory.tokens.clear()
    directory.loaded = False
    # As long as nobody knows which tokens there are, it is too early to say no.
    early = await intake.say(headers=headers, **message())
    assert (early.status_code, bool(early.headers["Retry-After"])) == (503, True)
    directory.loaded = True
    assert (await intake.say(headers=headers, **message())).status_code == 401


async def test_the_database_settles_two_processes(intake: Intake) -> None:
    from services.intake.domain.submission import from_public
    from services.intake.store import Arrival, Key, accept
    from shared.contracts.inbound import FeedbackBody

    def arrival() -> Arrival:
        body = FeedbackBody(text="x")
        submission = from_public(body, intake.service.deps.ticket(), channel="web", locale="zh")
        return Arrival(submission, Key("public", "k", "hash"))

    async def write() -> Any:
        async with intake.service.transaction() as tx:
            return (await accept(tx, [arrival()]))[0]

    receipts = await asyncio.gather(*(write() for _ in range(6)))
    assert len({r.feedback_id for r in receipts}) == 1
    assert await intake.cases() == 1
