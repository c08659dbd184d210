"""Before a promise breaks the handler is asked; afterwards a reason is owed until it is given."""

from __future__ import annotations

import re
from typing import Any

from shared.contracts import sla
from shared.contracts.vocabulary import Clock
from tests.fakes.promises import Promises
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_bulk_pages import send
from tests.support import at, outbox_of

DUE = "2026-03-11 10:00"
REASON = {"clock": "RESOLUTION", "code": "waiting_external", "text": "等厂家的配件"}


def warned(feedback_id: str, clock: Clock = Clock.RESOLUTION, **more: Any) -> sla.SlaWarned:
    values = {"at": at("2026-03-09 17:00"), "due": at(DUE), "first_due": at(DUE), "level": 75}
    return sla.SlaWarned(feedback_id=feedback_id, clock=clock, department="space", **values | more)


def broken(
    feedback_id: str, clock: Clock = Clock.RESOLUTION, department: str | None = "space"
) -> sla.SlaBreached:
    return sla.SlaBreached(
        feedback_id=feedback_id,
        at=at(DUE),
        clock=clock,
        due=at(DUE),
        first_due=at(DUE),
        department=department,
    )


async def ids(desk: Desk, role: str, department: str | None = None) -> list[str]:
    answer = await desk.as_(role, department).get("/api/cases?queue=reasons")
    return [item["feedback_id"] for item in answer.json()["items"]]


async def overdue(desk: Desk) -> str:
    feedback_id = await desk.in_progress()
    await desk.process(examples.promised(feedback_id, Clock.RESOLUTION, DUE))
    desk.clock.set(at("2026-03-11 10:01"))
    await desk.process(broken(feedback_id))
    return feedback_id


async def test_a_broken_promise_stands_in_the_queue_until_somebody_says_why(desk: Desk) -> None:
    feedback_id = await overdue(desk)
    for who in (
        ("handler", "space"),
        ("liaison", "space"),
        ("reviewer", "space"),
        ("leader", None),
    ):
        assert await ids(desk, *who) == [feedback_id]
    assert await ids(desk, "handler", "it") == []
    handler = desk.as_("handler", "space")
    page = await handler.get(f"/desk/cases/{feedback_id}")
    assert "还欠一个原因" in page.text
    assert page.text.count('action="/api/cases/' + feedback_id + '/explain_breach"') == 1
    work = await handler.get("/desk?queue=reasons")
    assert "欠超期原因" in work.text
    assert "还欠一个原因" in work.text

    done = await desk.do(handler, feedback_id, "explain_breach", **REASON)
    assert done["reasons_owed"] == []
    assert await ids(desk, "leader") == []
    assert "还欠一个原因" not in (await handler.get(f"/desk/cases/{feedback_id}")).text


async def test_a_broken_promise_with_a_new_date_is_not_overdue_now_and_was_late_once(
    desk: Desk,
) -> None:
    feedback_id = await desk.in_progress()
    promises = Promises(feedback_id)
    due, renewed = at(DUE), at("2026-03-18 10:00")

    async def says() -> tuple[bool, str]:
        handler = desk.as_("handler", "space")
        case = (await handler.get(f"/api/cases/{feedback_id}")).json()
        page = (await handler.get(f"/desk/cases/{feedback_id}")).text
        (row,) = re.findall(r'<tr class="promise-(?:(?!<tr).)*?</tr>', page, re.S)
        return case["overdue"], re.sub(r"<[^>]+>", "", row.rpartition("<td>")[2])

    await desk.process(
        promises.change("promised", Clock.RESOLUTION, due, at=examples.RECEIVED),
        promises.breached(Clock.RESOLUTION, at=due),
    )
    desk.clock.set(at("2026-03-11 10:01"))
    assert await says() == (True, "已超期")
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, "explain_breach", **REASON, until=renewed.isoformat())
    await desk.process(promises.change("moved", Clock.RESOLUTION, renewed, at=desk.clock.now()))
    assert await says() == (False, "还有 6 天 曾超期")
    english = await handler.get(f"/desk/cases/{feedback_id}?lang=en")
    assert "was late once" in english.text
    desk.clock.set(renewed)
    assert await says() == (True, "已超期")
    await desk.process(promises.change("met", Clock.RESOLUTION, at=renewed, in_time=False))
    assert await says() == (False, "曾超期")


async def test_it_is_owed_still_when_the_answer_is_out_and_another_promise_runs(
    desk: Desk,
) -> None:
    feedback_id = await overdue(desk)
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, "reply", text="已经修好了", outcome="solved")
    await desk.process(examples.met(feedback_id, Clock.RESOLUTION, "2026-03-11 10:02"))
    await desk.process(
        examples.promised(feedback_id, Clock.RESOLUTION, "2026-03-20 10:00", cycle=2)
    )
    assert await ids(desk, "handler", "space") == [feedback_id]
    await desk.do(handler, feedback_id, "explain_breach", **REASON)
    assert await ids(desk, "handler", "space") == []


async def told(desk: Desk, feedback_id: str) -> list[tuple[str, bool]]:
    """Of each explanation its code, and whether it takes the place of one before."""
    events = [
        e
        for e in await outbox_of(desk.service, feedback_id)
        if e["type"] == "case.breach_explained.v1"
    ]
    return [(one["body"]["code"], one["body"].get("again", False)) for one in events]


async def test_a_breach_explained_again_is_corrected_and_a_new_one_is_explained_anew(
    desk: Desk,
) -> None:
    feedback_id = await overdue(desk)
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, "explain_breach", **REASON)
    done = await desk.do(handler, feedback_id, "explain_breach", **REASON | {"code": "oversight"})
    assert "再次说明，以这一次为准" in done["timeline"][-1]["text"]
    await desk.process(broken(feedback_id))
    await desk.do(handler, feedback_id, "explain_breach", **REASON)
    expected = [("waiting_external", False), ("oversight", True), ("waiting_external", False)]
    assert await told(desk, feedback_id) == expected


async def test_only_what_the_reporter_was_promised_by_a_department_is_owed(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    await desk.process(
        broken(feedback_id, Clock.ACCEPT), broken(feedback_id, Clock.FIRST_RESPONSE, None)
    )
    assert await ids(desk, "leader") == []


async def test_who_withdraws_takes_the_debt_along(desk: Desk) -> None:
    feedback_id = await overdue(desk)
    await desk.process(examples.withdrawn(feedback_id))
    assert await ids(desk, "leader") == []


async def test_before_the_day_passes_the_handler_is_asked_for_another_one(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    await desk.process(examples.promised(feedback_id, Clock.RESOLUTION, DUE))
    handler = desk.as_("handler", "space")

    async def asked() -> bool:
        case = (await handler.get(f"/api/cases/{feedback_id}")).json()
        page = (await handler.get(f"/desk/cases/{feedback_id}")).text
        assert ("办结期限快到了" in page) is (case["date_asked"] and "extend" in case["may"])
        assert page.count(f'/api/cases/{feedback_id}/extend"') == ("extend" in case["may"])
        return bool(case["date_asked"])

    assert not await asked()
    await desk.process(warned(feedback_id, Clock.FIRST_RESPONSE))
    assert not await asked()
    await desk.process(warned(feedback_id))
    assert await asked()
    # What happens to another clock takes nothing away.
    await desk.process(examples.promised(feedback_id, Clock.REVIEW, "2026-03-10 10:00"))
    await desk.do(
        handler, feedback_id, "extend", until="2026-03-13T17:30:00+08:00", reason="等配件"
    )
    assert "extend" not in (await handler.get(f"/api/cases/{feedback_id}")).json()["may"]


async def test_two_hours_before_it_is_asked_for_unwarned_and_no_more_when_it_is_over(
    desk: Desk,
) -> None:
    feedback_id = await desk.in_progress()
    await desk.process(examples.promised(feedback_id, Clock.RESOLUTION, DUE))
    for when, expected in (
        ("2026-03-11 07:59", False),
        ("2026-03-11 08:01", True),
        ("2026-03-11 10:01", False),
    ):
        desk.clock.set(at(when))
        case = (await desk.as_("handler", "space").get(f"/api/cases/{feedback_id}")).json()
        assert case["date_asked"] is expected


async def test_one_reason_is_given_for_many_at_once(desk: Desk) -> None:
    """A fault that sixty people reported breaks sixty promises for one reason."""
    ids_of = [await overdue(desk) for _ in range(2)]
    untouched = await desk.in_progress()
    handler = desk.as_("handler", "space")
    chosen = "&".join(f"feedback_ids={one}" for one in (*ids_of, untouched))
    page = await handler.get(f"/desk/selected?action=explain_breach&{chosen}")
    assert '<option value="RESOLUTION" selected>' in page.text
    job = await send(desk, handler, "explain_breach", *ids_of, untouched, **REASON)
    seen = (await handler.get(f"/api/jobs/{job}")).json()
    assert (seen["done"], seen["total"], seen["undoable"]) == (3, 3, 0)
    assert [one["feedback_id"] for one in seen["failed"]] == [untouched]
    assert await ids(desk, "handler", "space") == []
    for one in ids_of:
        assert await told(desk, one) == [("waiting_external", False)]
