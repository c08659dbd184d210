"""Stories of comments, as the people in them would tell them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts import EVENTS, short_type
from tests.journeys.conftest import Town
from tests.support import at


async def topic_of(town: Town, feedback_id: str) -> list[dict[str, str]]:
    """The headers of a case's events as the topic has them."""
    consumer = AIOKafkaConsumer(bootstrap_servers=town.runtime.kafka)
    await consumer.start()
    try:
        partitions = [TopicPartition(EVENTS, n) for n in range(12)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += [
                    {k: v.decode() for k, v in r.headers}
                    for r in batch
                    if r.key == feedback_id.encode()
                ]
        return found
    finally:
        await consumer.stop()


def promise(case: dict[str, Any], clock: str) -> dict[str, Any]:
    found = [p for p in case["promises"] if p["clock"] == clock]
    assert found, f"{clock} is not promised yet: the clocks follow what a state shows first"
    return dict(found[0])


def moment(words: str) -> datetime:
    return datetime.fromisoformat(words)


SEAT = "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？"


async def test_a_comment_is_routed_accepted_answered_rated_and_shown_the_same_everywhere(
    town: Town,
) -> None:
    town.clock.set(at("2026-03-04 10:00"))
    receipt = await town.submit(SEAT, place="三层东区")
    code, case_id = receipt["tracking_code"], receipt["feedback_id"]
    seen = await town.sees(code, "DISPATCHED")
    assert seen["department"] == "space"
    await town.quiet()
    assert moment(promise(await town.track(code), "RESOLUTION")["due"]) == at("2026-03-11 10:00")

    for who, action, body, state in (
        ("liaison.space", "accept", {}, "ACCEPTED"),
        ("liaison.space", "assign", {"to": "handler.space"}, "IN_PROGRESS"),
        ("handler.space", "reply", {"text": "已清理占座。", "outcome": "solved"}, "REPLIED"),
    ):
        answer = await town.act(who, case_id, action, **body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == state
    seen = await town.sees(code, "REPLIED")
    assert [r["text"] for r in seen["replies"]] == ["已清理占座。"]
    await town.quiet()
    assert promise(await town.track(code), "RESOLUTION")["status"] == "met"

    async with town.web() as visitor:
        rated = await visitor.post(f"/api/track/{code}/rate", json={"stars": 5, "solved": "yes"})
        assert rated.status_code == 200, rated.text
        again = await visitor.post(f"/api/track/{code}/rate", json={"stars": 1, "solved": "no"})
        assert again.status_code == 409
    seen = await town.sees(code, "CLOSED")

    await town.quiet()
    log = await topic_of(town, case_id)
    types = [short_type(h["ce_type"]) for h in log]
    order = [
        "feedback.received",
        "feedback.routed",
        "case.dispatched",
        "case.accepted",
        "case.assigned",
        "case.replied",
        "feedback.rated",
        "case.closed",
    ]
    assert [t for t in types if t in order] == order
    for source in {h["ce_source"] for h in log}:
        sequence = [int(h["ce_sequence"]) for h in log if h["ce_source"] == source]
        assert sequence == list(range(1, len(sequence) + 1))
    assert len({h["ce_id"] for h in log}) == len(log)

    async with await town.as_("coordinator") as coordinator:
        case = (await coordinator.get(f"/api/cases/{case_id}")).json()
    # One line for each event, but none for what the clocks do among themselves. What a service
    # emits keeps its order; desk, which does not wait to hear itself, may be ahead of the others.
    lines = [line["type"] for line in case["timeline"]]
    for owner in {h["ce_source"] for h in log} - {"sla"}:
        own = {short_type(h["ce_type"]) for h in log if h["ce_source"] == owner}
        assert [t for t in lines if t in own] == [t for t in types if t in own]
    assert 1 <= lines.count("sla.promises_changed") <= types.count("sla.promises_changed") <= 6
    assert len(types) <= 24
    seen = await town.track(code)
    for line in seen["timeline"]:
        assert types[line["seq"] - 1] == line["type"]


async def test_an_emergency_in_casual_words_is_p1_at_once(town: Town) -> None:
    town.clock.set(at("2026-03-07 22:00"))
    receipt = await town.submit("男厕第二个水龙头关不上，水漫到走廊了，快来人！！")
    seen = await town.sees(receipt["tracking_code"], "DISPATCHED")
    assert seen["department"] == "facilities"
    await town.quiet()
    async with await town.as_("coordinator") as coordinator:
        case = (await coordinator.get(f"/api/cases/{receipt['feedback_id']}")).json()
    assert case["priority"] == "P1"
    assert moment(promise(case, "ACCEPT")["due"]) <= at("2026-03-07 22:16")


async def test_the_clock_warns_then_breaches_once_and_waiting_for_the_user_pauses_it(
    town: Town,
) -> None:
    town.clock.set(at("2026-03-11 09:00"))
    receipt = await town.submit(SEAT, place="三层东区")
    code, case_id = receipt["tracking_code"], receipt["feedback_id"]
    await town.sees(code, "DISPATCHED")
    await town.quiet()
    await town.act("liaison.space", case_id, "accept")
    await town.act("handler.space", case_id, "claim")
    asked = await town.act("handler.space", case_id, "ask", question="是哪一天？")
    assert asked.json()["state"] == "WAITING_USER"
    await town.sees(code, "WAITING_USER")
    await town.quiet()
    before = moment(promise(await town.track(code), "RESOLUTION")["due"])
    await town.later(days=1)
    async with town.web() as visitor:
        more = await visitor.post(f"/api/track/{code}/supplement", json={"text": "今天上午"})
        assert more.status_code == 200, more.text
    await town.sees(code, "IN_PROGRESS")
    await town.quiet()
    after = moment(promise(await town.track(code), "RESOLUTION")["due"])
    assert (after - before).days == 1
    assert promise(await town.track(code), "FIRST_RESPONSE")["status"] == "met"

    await town.later(days=12)
    await town.quiet()
    await town.later(days=1)
    await town.quiet()
    types = [short_type(h["ce_type"]) for h in await topic_of(town, case_id)]
    async with await town.as_("coordinator") as coordinator:
        case = (await coordinator.get(f"/api/cases/{case_id}")).json()
    assert promise(case, "RESOLUTION")["status"] == "breached"
    assert types.count("sla.breached") == sum(
        1 for p in case["promises"] if p["status"] == "breached"
    )
    late = await town.act("handler.space", case_id, "reply", text="抱歉晚了。", outcome="partly")
    assert late.json()["state"] == "REPLIED"
    await town.sees(code, "REPLIED")
    await town.quiet()
    assert promise(await town.track(code), "RESOLUTION")["status"] == "breached"


async def test_a_returned_case_goes_back_and_the_users_promise_stands(town: Town) -> None:
    town.clock.set(at("2026-04-08 09:00"))
    receipt = await town.submit(SEAT, place="三层东区")
    code, case_id = receipt["tracking_code"], receipt["feedback_id"]
    seen = await town.sees(code, "DISPATCHED")
    await town.quiet()
    due = promise(await town.track(code), "RESOLUTION")["due"]
    back = await town.act(
        "liaison.space", case_id, "return", reason="这是设备问题", suggest="facilities"
    )
    assert back.json()["state"] == "TRIAGE", back.text
    hidden = await town.act("liaison.space", case_id, "accept")
    assert hidden.status_code == 404
    sent = await town.act("coordinator", case_id, "dispatch", department="facilities")
    assert sent.json()["department"] == "facilities"
    await town.quiet()
    seen = await town.track(code)
    assert seen["state"] == "DISPATCHED"
    assert promise(seen, "RESOLUTION")["due"] == due
    wrong = await town.act("liaison.facilities", case_id, "reply", text="好", outcome="solved")
    assert wrong.status_code in (403, 409)


async def test_not_solved_comes_back_with_half_the_time(town: Town) -> None:
    town.clock.set(at("2026-04-13 09:00"))
    receipt = await town.submit(SEAT, place="三层东区")
    code, case_id = receipt["tracking_code"], receipt["feedback_id"]
    await town.sees(code, "DISPATCHED")
    await town.act("liaison.space", case_id, "accept")
    await town.act("handler.space", case_id, "claim")
    await town.act("handler.space", case_id, "reply", text="已处理。", outcome="solved")
    await town.sees(code, "REPLIED")
    await town.quiet()  # what the page shows, intake may not know yet
    async with town.web() as visitor:
        answer = await visitor.post(f"/api/track/{code}/reopen", json={"reason": "还是一样"})
        assert answer.status_code == 200, answer.text
    await town.sees(code, "TRIAGE")
    await town.quiet()
    async with await town.as_("coordinator") as coordinator:
        case = (await coordinator.get(f"/api/cases/{case_id}")).json()
    running = [
        p for p in case["promises"] if p["clock"] == "RESOLUTION" and p["status"] == "running"
    ]
    assert [moment(p["due"]) for p in running] == [at("2026-04-15 14:15")]


async def test_the_dashboard_agrees_with_a_recount_of_the_log(town: Town) -> None:
    await town.quiet()
    async with await town.as_("leader") as leader:
        board = (await leader.get("/api/dashboard?from=2026-01-01&to=2026-12-31")).json()
        cases: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = (await leader.get(f"/api/cases?queue=all&limit=200&cursor={cursor}")).json()
            cases += page["items"]
            cursor = page["next"]
            if not cursor:
                break
    ended = {"CLOSED", "REJECTED", "MERGED", "WITHDRAWN", "SPAM", "REPLIED"}
    opened = [c for c in cases if c["state"] not in ended]
    assert board["open"]["total"] == len(opened)
    assert board["replied"] == sum(c["state"] == "REPLIED" for c in cases)
    assert board["overdue"] == sum(bool(c["overdue"]) for c in opened)
    assert sum(hour["n"] for hour in board["received"]) == len(cases)
