"""What may be an emergency: on top until somebody acts, told again if nobody does, judged."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from services.desk import jobs
from shared.contracts.routing import FeedbackAlarmRaised, Reason
from shared.contracts.vocabulary import Clock
from tests.fakes.promises import Promises
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_queues import ids


def alarm(desk: Desk, feedback_id: str, **more: Any) -> FeedbackAlarmRaised:
    values = {
        "found_by": "meaning",
        "kind": "collapsed",
        "sure": 0.8,
        "reasons": (Reason(text="意思像有人倒下", text_en="Like a collapse", weight=0.8),),
    }
    return FeedbackAlarmRaised(feedback_id=feedback_id, at=desk.clock.now(), **(values | more))


async def test_an_alarm_is_on_top_of_its_queue_and_of_triage_until_somebody_acts(
    desk: Desk,
) -> None:
    urgent, alarmed = await desk.case(), await desk.case()
    await desk.process(examples.promised(urgent, Clock.TRIAGE, "2026-03-04 10:06"))
    await desk.process(alarm(desk, alarmed))
    assert await ids(desk, "queue=alarm") == [alarmed]
    assert await ids(desk, "queue=triage") == [alarmed, urgent]
    coordinator = desk.as_("coordinator")
    work = await coordinator.get("/desk?queue=alarm")
    assert "可能紧急，请先看" in work.text
    page = await coordinator.get(f"/desk/cases/{alarmed}")
    assert "可能是紧急情况：有人倒下、叫不应" in page.text
    assert "意思像有人倒下" in page.text

    await desk.do(coordinator, alarmed, "note", text="已打校医院电话")
    assert await ids(desk, "queue=alarm") == []
    shown = (await coordinator.get(f"/api/cases/{alarmed}")).json()["alarm"]
    assert shown["answered_at"] is not None
    assert shown["emergency"] is None


async def test_what_two_rules_say_alike_stands_once(desk: Desk) -> None:
    case = await desk.case()
    twice = [Reason(text="有人倒下", text_en="Collapsed", weight=w) for w in (0.7, 0.9)]
    await desk.process(alarm(desk, case, found_by="rule", reasons=tuple(twice)))
    shown = (await desk.as_("coordinator").get(f"/api/cases/{case}")).json()["alarm"]
    assert shown["reasons"] == [{"text": "有人倒下", "weight": 0.9}]


async def test_one_press_says_that_it_is_one_and_makes_it_urgent(desk: Desk) -> None:
    case = await desk.case()
    await desk.process(alarm(desk, case))
    done = await desk.do(desk.as_("coordinator"), case, "confirm_alarm")
    assert (done["priority"], done["alarm"]["emergency"]) == ("P1", True)
    assert (await desk.emitted(case))[-2:] == ["case.alarm_confirmed", "case.corrected"]
    again = await desk.as_("coordinator").post(f"/api/cases/{case}/confirm_alarm")
    assert again.status_code == 409
    # Whoever was wrong says so, and it is ordinary again.
    done = await desk.do(desk.as_("leader"), case, "dismiss_alarm")
    assert (done["priority"], done["alarm"]["emergency"]) == ("P3", False)


async def test_who_may_and_where_there_is_none(desk: Desk) -> None:
    case = await desk.case()
    answer = await desk.as_("coordinator").post(f"/api/cases/{case}/dismiss_alarm")
    assert answer.status_code == 409
    await desk.process(alarm(desk, case), examples.routed(case, "space"))
    answer = await desk.as_("handler", "space").post(f"/api/cases/{case}/dismiss_alarm")
    assert answer.status_code == 403
    await desk.do(desk.as_("liaison", "space"), case, "accept")
    assert await ids(desk, "queue=alarm") == []


async def test_what_nobody_answers_is_told_again_and_higher_up_twice(desk: Desk) -> None:
    case, other = await desk.case(), await desk.case()
    await desk.process(alarm(desk, case), alarm(desk, other))
    await desk.do(desk.as_("coordinator"), other, "dismiss_alarm")
    assert await jobs.repeat_alarms(desk.service) == 0
    for minutes, repeated in ((5, 1), (5, 0), (10, 1), (60, 0)):
        desk.clock.set(desk.clock.now() + timedelta(minutes=minutes))
        assert await jobs.repeat_alarms(desk.service) == repeated
    told = [one for one in await desk.told(case) if one["type"] == "case.alarm_unanswered.v1"]
    assert [one["body"]["level"] for one in told] == [1, 2]
    assert "case.alarm_unanswered" not in await desk.emitted(other)
    # It is on top all the same, and whoever has its page open has missed nothing.
    assert await ids(desk, "queue=alarm") == [case]


async def test_an_alarm_is_overdue_in_its_line_its_queue_and_the_count_alike(desk: Desk) -> None:
    case, unpromised = await desk.case(), await desk.case()
    triage, due = Promises(case), desk.clock.now() + timedelta(minutes=30)
    await desk.process(triage.change("promised", Clock.TRIAGE, due, at=desk.clock.now()))
    await desk.process(alarm(desk, case), alarm(desk, unpromised))

    async def late() -> tuple[list[str], list[str], str]:
        client = desk.as_("coordinator")
        lines = (await client.get("/api/cases?queue=alarm")).json()["items"]
        work = await client.get("/desk?queue=overdue")
        count = re.search(r'queue=overdue".*?class="count[^>]*>(\d*)<', work.text, re.S)
        said = count[1] if count else ""
        return (
            [one["feedback_id"] for one in lines if one["overdue"]],
            await ids(desk, "queue=overdue"),
            said,
        )

    assert await late() == ([], [], "0")
    desk.clock.set(due)
    assert await late() == ([case], [case], "1")
    # What waits for the reporter is not late, and what was kept is over.
    await desk.process(triage.change("paused", Clock.TRIAGE, due, at=desk.clock.now()))
    assert await late() == ([], [], "0")


async def test_an_alarm_is_due_soon_and_today_in_page_queue_and_count_alike(desk: Desk) -> None:
    case, unpromised, other = await desk.case(), await desk.case(), await desk.case()
    start = desk.clock.now()
    due = start + timedelta(hours=3)
    for one in (case, other):
        await desk.process(Promises(one).change("promised", Clock.TRIAGE, due, at=start))
    follow_up = Promises(unpromised).change("promised", Clock.FOLLOW_UP, due, at=start)
    await desk.process(follow_up, alarm(desk, case), alarm(desk, unpromised))

    async def said() -> tuple[list[str], str]:
        page = (await desk.as_("coordinator").get("/desk?queue=due_soon")).text
        count = re.search(r'queue=due_soon".*?class="count[^>]*>(\d*)<', page, re.S)
        shown = [one for one in await ids(desk, "queue=due_soon") if f"/cases/{one}" in page]
        return shown, count[1] if count else ""

    # The alarm stands before what is due at the same moment.
    assert await ids(desk, "queue=today") == [case, other]
    assert await said() == ([], "0")
    desk.clock.set(due - timedelta(hours=1))
    assert await said() == ([case, other], "2")
    await desk.do(desk.as_("coordinator"), case, "note", text="已看")
    assert sorted((await said())[0]) == sorted([case, other])
    desk.clock.set(due)
    assert await said() == ([], "0")
    assert await ids(desk, "queue=today") == []
