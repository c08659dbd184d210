"""Twenty people, one fault: each hears the answer and keeps a voice of their own."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.journeys.conftest import Town
from tests.journeys.test_stories import SEAT
from tests.patience import PATIENCE
from tests.support import at

COLD = "三层阅览室的空调从昨天下午开始就不制冷了，热得没法看书。"


async def job_of(town: Town, path: str, **body: Any) -> dict[str, Any]:
    """What became of a job over many cases that the office began."""
    async with await town.as_("coordinator") as office:
        begun = await office.post(path, json=body)
        assert begun.status_code == 200, begun.text
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = await office.get(f"/api/jobs/{begun.json()['job']}")
            if (seen := answer.json())["done"] == seen["total"]:
                return dict(seen)
            await asyncio.sleep(0.05)
    raise AssertionError(seen)


async def test_of_three_joined_reporters_one_rates_and_all_read_the_answer(town: Town) -> None:
    town.clock.set(at("2026-03-04 10:00"))
    receipts = [await town.submit(f"{COLD} {n}") for n in ("真热", "很热", "太热")]
    codes = [r["tracking_code"] for r in receipts]
    target, *others = (r["feedback_id"] for r in receipts)
    for code in codes:
        await town.sees_any(code)
    await town.quiet()
    async with await town.as_("coordinator") as office:
        alike = (await office.get(f"/api/cases/{target}/similar")).json()["items"]
    assert {i["feedback_id"] for i in alike} >= set(others)

    job = await job_of(town, "/api/cases/bulk/merge", feedback_ids=others, into=target)
    assert (job["done"], job["failed"]) == (2, [])
    await town.quiet()
    for who, action, body in (
        ("liaison.facilities", "accept", {}),
        ("handler.facilities", "claim", {}),
        ("handler.facilities", "reply", {"text": "空调已经修好。", "outcome": "solved"}),
    ):
        answer = await town.act(who, target, action, **body)
        assert answer.status_code == 200, answer.text
    await town.quiet()
    for code in codes:
        assert [r["text"] for r in (await town.track(code))["replies"]] == ["空调已经修好。"]

    async with town.web() as visitor:
        path = f"/api/track/{codes[1]}"
        rated = await visitor.post(f"{path}/rate", json={"stars": 4, "solved": "yes"})
        assert rated.status_code == 200, rated.text
        again = await visitor.post(f"{path}/rate", json={"stars": 1, "solved": "no"})
        assert again.status_code == 409
        more = await visitor.post(f"{path}/supplement", json={"text": "今天又不冷了"})
        assert more.status_code == 200, more.text
    await town.quiet()
    async with await town.as_("handler.facilities") as handler:
        case = (await handler.get(f"/api/cases/{target}")).json()
    assert (case["state"], case["words_owed"]) == ("REPLIED", True)
    assert [m["text"] for m in case["conversation"] if m["who"] == "another"] == ["今天又不冷了"]
    await town.sound()


async def test_an_incident_of_25_cases_is_answered_once_for_all(town: Town) -> None:
    town.clock.set(at("2026-03-04 11:00"))
    receipts = [await town.submit(f"{COLD} 第{n}次说了") for n in range(25)]
    for receipt in receipts:
        await town.sees_any(receipt["tracking_code"])
    await town.quiet()
    ids = [r["feedback_id"] for r in receipts]
    async with await town.as_("coordinator") as office:
        opened = await office.post(
            "/api/incidents", json={"title": "三层空调停机", "text": "机组故障，正在抢修。"}
        )
    assert opened.status_code == 201, opened.text
    incident = opened.json()["incident_id"]
    joined = await job_of(town, "/api/cases/bulk/join", feedback_ids=ids, incident=incident)
    assert joined["failed"] == []
    answered = await job_of(
        town, f"/api/incidents/{incident}/reply", text="机组修好了。", outcome="solved"
    )
    assert (answered["total"], answered["failed"]) == (25, [])
    for receipt in receipts:
        seen = await town.sees(receipt["tracking_code"], "REPLIED")
        assert [r["text"] for r in seen["replies"]] == ["机组修好了。"]
    await town.sound()


async def test_a_comment_in_two_parts_has_two_answers_under_one_code(town: Town) -> None:
    town.clock.set(at("2026-03-04 14:00"))
    receipt = await town.submit("占座没人管。另外，厕所的灯坏了。", contact={"email": "w@x.edu"})
    code, whole = receipt["tracking_code"], receipt["feedback_id"]
    await town.sees_any(code)
    await town.quiet()
    answer = await town.act(
        "coordinator",
        whole,
        "split",
        parts=[
            {"text": SEAT, "category": "seats"},
            {"text": "二层厕所的灯坏了"},
        ],
    )
    assert answer.status_code == 200, answer.text
    await town.quiet()
    seats, lamp = answer.json()["children"]
    async with await town.as_("coordinator") as office:
        part = (await office.get(f"/api/cases/{seats}")).json()
    assert part["department"] == "space"
    assert part["contact"]["email"] == "w@x.edu"
    for part_id, text in ((seats, "已清理占座。"), (lamp, "灯换好了。")):
        recalled = await town.act("coordinator", part_id, "recall", reason="直接答复")
        assert recalled.status_code == 200, recalled.text
        replied = await town.act("coordinator", part_id, "reply", text=text, outcome="solved")
        assert replied.status_code == 200, replied.text
    await town.quiet()
    assert {r["text"] for r in (await town.track(code))["replies"]} == {
        "已清理占座。",
        "灯换好了。",
    }
    await town.sound()
