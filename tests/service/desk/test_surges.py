"""Of one matter suddenly more: the office hears of it at once, reporters when a person says so."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.domain.surges import WINDOWS, Finding
from services.desk.handlers.recollect import recollect_surge
from services.desk.jobs import alike, meaning
from services.desk.jobs import surges as jobs
from services.desk.jobs.alike import ENOUGH
from services.desk.jobs.look import Look, Several
from services.desk.store import surges
from shared.contracts.desk import SurgeListed
from shared.contracts.intake import PrivateErased
from shared.db.engine import driver_of
from tests.fakes.embedder import Compass
from tests.patience import PATIENCE
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_alarms import alarm
from tests.service.desk.test_me_too import open_incident
from tests.support import outbox_of

LIFT = "二楼的电梯坏了，按了没反应"


async def look(desk: Desk) -> None:
    while await jobs.count_cases(desk.service):
        pass
    while await jobs.judge_cases(desk.service):
        pass


async def listed(desk: Desk) -> list[SurgeListed]:
    told = [e for e in await outbox_of(desk.service) if e["type"] == "directory.surge.v1"]
    return [SurgeListed.model_validate(e["body"]) for e in told]


async def a_month_of_other_things(desk: Desk) -> None:
    """Counted as if it had come: some thirty a day, of which the lift is one in two weeks."""
    now = desk.clock.now()
    things = ["seats", "noise", "air", "printer", "wifi", "opening", "borrow", "fine", "lost"]
    old = []
    for day in range(1, 30):
        for n in range(20):
            at = now - timedelta(days=day, minutes=30 * n)
            name = things[n % len(things)] if n or day % 14 else "lift"
            old.append(surges.Counted(f"old-{day}-{n}", at, [name], judged=True))
    async with desk.service.transaction() as tx:
        await surges.count(tx, old)


async def several(desk: Desk, n: int, **more: Any) -> list[str]:
    ids = []
    for _ in range(n):
        desk.clock.later(minutes=2)
        ids.append(await desk.case(at=desk.clock.now(), **more))
    return ids


async def test_five_on_one_lift_are_told_the_office_and_a_person_makes_an_incident(
    desk: Desk,
) -> None:
    await a_month_of_other_things(desk)
    # Something else at the same place makes the place no better a name for it.
    await several(desk, 1, text="占座没人管", place="二楼东侧")
    ids = await several(desk, 4, text=LIFT, place="二楼东侧")
    await look(desk)
    assert await listed(desk) == []
    ids += await several(desk, 1, text=LIFT, place="二楼东侧")
    await look(desk)
    (event,) = await listed(desk)
    assert (event.status, event.n, event.cases) == ("suggested", 5, tuple(ids))
    assert event.zh.startswith("电梯") and event.en.startswith("lift")
    assert "东侧" not in event.model_dump_json()
    # Looked at again, after a kill say: nothing comes twice. More of the same belongs to it.
    async with desk.service.transaction() as tx:
        await tx.fetch("UPDATE case_matters SET judged = false WHERE feedback_id = $1", ids[-1])
    await look(desk)
    ids += await several(desk, 3, text=LIFT)
    await look(desk)
    events = await listed(desk)
    assert [len(e.cases) for e in events] == [5, 8]
    assert {e.surge_id for e in events} == {event.surge_id}
    for one in ids:
        assert "case.joined_incident" not in await desk.emitted(one)
    office = desk.as_("coordinator")
    (shown,) = (await office.get("/api/surges")).json()["items"]
    assert (shown["surge_id"], shown["n"], len(shown["cases"])) == (event.surge_id, 5, 8)
    assert desk.service.runtime.directory.surges.keys() == {event.surge_id}
    page = await office.get("/desk/incidents", headers={"accept": "text/html"})
    assert "电梯" in page.text and event.surge_id in page.text
    where = f"/api/surges/{event.surge_id}/confirm"
    given = {"title": "东侧电梯停运", "text": "正在修。", "feedback_ids": ids[:6]}
    assert (await desk.as_("handler", "it").post(where, json=given)).status_code == 403
    none = await office.post(where, json=given | {"feedback_ids": []})
    assert (none.status_code, list(none.json()["errors"])) == (422, ["feedback_ids"])
    made = await office.post(where, json=given)
    assert made.status_code == 201, made.text
    assert made.json()["job"]
    again = await office.post(where, json=given)
    assert again.json() == made.json() | {"cases": 0}, "sent twice it is the same"
    colleague = desk.as_("coordinator", name="another")
    assert (await colleague.post(where, json=given)).status_code == 409
    dismissed = await office.post(f"/api/surges/{event.surge_id}/dismiss", json={})
    assert dismissed.status_code == 409, "it was judged otherwise"
    (*_, last) = await listed(desk)
    assert (last.status, last.incident_id) == ("confirmed", made.json()["incident_id"])
    assert desk.service.runtime.directory.surges == {}
    # The matter has its incident: nothing is suggested beside it.
    await several(desk, 6, text=LIFT)
    await look(desk)
    assert (await listed(desk))[-1] == last


async def test_a_surge_becomes_an_incident_of_some_cases_and_once(desk: Desk) -> None:
    await a_month_of_other_things(desk)
    ids = await several(desk, 5, text=LIFT)
    await look(desk)
    (event,) = await listed(desk)
    where, office = f"/api/surges/{event.surge_id}/confirm", desk.as_("coordinator")
    given: dict[str, Any] = {"title": "电梯停运", "text": "正在修。"}
    browser = {"accept": "text/html"}
    for none in (given, given | {"feedback_ids": []}):
        refused = await office.post(where, json=none)
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["feedback_ids"])
    page = await office.post(where, data=given, headers=browser)
    assert page.status_code == 422
    assert "请至少选一件" in page.text and "正在修。" in page.text
    assert [e.status for e in await listed(desk)] == ["suggested"]
    made = await office.post(where, json=given | {"feedback_ids": ids[:3]})
    assert made.status_code == 201
    other = {"title": "二楼电梯", "text": "等配件，周五修好。", "feedback_ids": ids[:3]}
    assert (await office.post(where, json=other)).status_code == 409
    for chosen in (ids[:4], ids[:2], ids[3:]):
        refused = await office.post(where, json=given | {"feedback_ids": chosen})
        assert (refused.status_code, "选的没有用上" in refused.text) == (409, True), chosen
    assert (await office.post(where, json=given | {"feedback_ids": ids[2::-1]})).status_code == 201
    page = await office.post(where, data=other, headers=browser)
    assert page.status_code == 409
    assert "已经建成事件" in page.text and "等配件，周五修好。" in page.text
    assert (await office.post(where, json=given | {"feedback_ids": ids[:3]})).status_code == 201


async def test_the_directory_has_as_many_cases_of_a_surge_as_its_page(desk: Desk) -> None:
    """The board and the list of cases say what the directory says, and link to the page."""
    await a_month_of_other_things(desk)
    await several(desk, 5, text=LIFT)
    await look(desk)
    office = desk.as_("coordinator")
    for more in (1, 2, 0):
        await several(desk, more, text=LIFT)
        await look(desk)
        (shown,) = (await office.get("/api/surges")).json()["items"]
        (known,) = desk.service.runtime.directory.surges.values()
        assert list(known.cases) == shown["cases"]
    # Once a look, and nothing where nothing came.
    assert [len(e.cases) for e in await listed(desk)] == [5, 6, 8]


@pytest.mark.parametrize("step", ["count_cases", "judge_cases"])
async def test_broken_off_between_counting_and_telling_a_surge_is_told_once(
    desk: Desk, step: str
) -> None:
    """As kill -9 of the desk, or of its connection, in the middle of the last write."""
    await a_month_of_other_things(desk)
    ids = await several(desk, 5, text=LIFT)
    if step == "judge_cases":
        assert await jobs.count_cases(desk.service) == 5
    written = {"count_cases": "case_matters", "judge_cases": "surges"}[step]
    async with desk.service.engine.begin() as beside:
        await beside.execute(text(f"LOCK TABLE {written} IN SHARE MODE"))
        broken = asyncio.create_task(getattr(jobs, step)(desk.service))
        await _waits_for(beside, written)
        broken.cancel()
        await asyncio.wait({broken})
    assert await listed(desk) == []
    for _ in range(2):
        await look(desk)
    (event,) = await listed(desk)
    assert event.cases == tuple(ids)


async def _waits_for(beside: AsyncConnection, table: str) -> None:
    waiting = text(
        "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = to_regclass(:table) "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    async with asyncio.timeout(PATIENCE):
        while not (await beside.execute(waiting, {"table": table})).all():
            await asyncio.sleep(0.02)


async def test_one_person_who_writes_all_evening_is_no_surge(desk: Desk) -> None:
    await a_month_of_other_things(desk)
    ids = await several(desk, 7, text=LIFT)
    await desk.process(*(examples.private(one) for one in ids[:4]))
    await look(desk)
    assert await listed(desk) == []
    # A fifth who says it makes it one, with all that was said.
    ids += await several(desk, 1, text=LIFT)
    await look(desk)
    (event,) = await listed(desk)
    assert event.cases == tuple(ids)


async def test_what_was_dismissed_is_quiet_and_what_nobody_judges_lapses(desk: Desk) -> None:
    await a_month_of_other_things(desk)
    await several(desk, 5, text=LIFT)
    await look(desk)
    (event,) = await listed(desk)
    office = desk.as_("coordinator")
    assert (await office.post(f"/api/surges/{event.surge_id}/dismiss", json={})).status_code == 200
    await several(desk, 8, text=LIFT)
    await look(desk)
    assert [e.status for e in await listed(desk)] == ["suggested", "dismissed"]
    # Another matter is another surge; of what is confidential nothing is counted.
    await several(desk, 6, text="三楼打印机卡纸", confidential=True)
    await several(desk, 6, text="五楼的灯全都不亮")
    await look(desk)
    *_, light = await listed(desk)
    assert (light.status, light.zh[:2], light.n) == ("suggested", "灯光", 5)
    desk.clock.later(days=4)
    await look(desk)
    assert (await listed(desk))[-1].status == "lapsed"


async def test_what_names_nothing_known_is_one_matter_by_its_words(desk: Desk) -> None:
    await a_month_of_other_things(desk)
    said = "西门外面那只大白鹅又追着人咬，谁来管一管"
    ids = await several(desk, 4, text=said)
    ids.append(await desk.case(at=desk.clock.now(), text=said))
    await look(desk)
    (event,) = await listed(desk)
    assert (event.matter.partition("=")[0], event.zh) == ("like", "说法相近的事")
    assert set(event.cases) <= set(ids) and len(event.cases) >= 5


HEAT = (
    "热得像蒸笼",
    "空调坏了",
    "热死了，没法看书",
    "热得汗滴到书上",
    "空调一点风都没有",
)
"""One fault in words of their own; some name the thing, some do not."""


async def test_one_fault_told_in_words_of_their_own_is_found_whether_or_not_they_name_it(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(alike, "FEW", 2 * ENOUGH)
    desk.service.deps.meaning.embedder = Compass()
    await a_month_of_other_things(desk)
    usual = ["打印机卡纸", "知网打不开", "有人占座", "灯不亮", "太吵了"]
    for n in range(2 * ENOUGH):
        await desk.case(
            at=desk.clock.now() - timedelta(days=2, hours=n), text=f"{usual[n % 5]} {n}"
        )
    ids = [one for said in HEAT for one in await several(desk, 1, text=said)]
    await look(desk)
    # Each may still get a vector.
    assert await listed(desk) == []
    await meaning.embed_waiting(desk.service)
    await look(desk)
    (event,) = await listed(desk)
    assert event.cases == tuple(ids)
    # It is of the air: where that has been judged nothing is suggested beside it.
    office = desk.as_("coordinator")
    assert (await office.post(f"/api/surges/{event.surge_id}/dismiss", json={})).status_code == 200
    ids += await several(desk, 6, text="热，空调不行")
    await meaning.embed_waiting(desk.service)
    await look(desk)
    assert [e.status for e in await listed(desk)] == ["suggested", "dismissed"]


async def test_what_names_another_thing_joins_no_surge_by_likeness(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As letters about a printer joined those about a lift, some of which named nothing."""
    monkeypatch.setattr(alike, "FEW", 2 * ENOUGH)
    desk.service.deps.meaning.embedder = Compass()
    await a_month_of_other_things(desk)
    usual = ["知网打不开", "有人占座", "灯不亮", "太吵了", "漏水了"]
    for n in range(2 * ENOUGH):
        await desk.case(
            at=desk.clock.now() - timedelta(days=2, hours=n), text=f"{usual[n % 5]} {n}"
        )
    ids = [one for said in HEAT for one in await several(desk, 1, text=said)]
    await meaning.embed_waiting(desk.service)
    await look(desk)
    others = [
        await several(desk, 1, text=said)
        for said in ("打印机热得烫手", "插座热得烫手", "食堂的空调也不行，热")
    ]
    ids += await several(desk, 1, text="热得看不进书")
    await meaning.embed_waiting(desk.service)
    await look(desk)
    event = (await listed(desk))[-1]
    assert event.cases == tuple(ids), others
    # What only means the same is offered, and not ticked before somebody has looked.
    office = desk.as_("coordinator")
    (shown,) = (await office.get("/api/surges")).json()["items"]
    surely = {one["feedback_id"] for one in shown["items"] if one["surely"]}
    assert set() < surely < set(ids)
    page = (await office.get("/desk/incidents", headers={"accept": "text/html"})).text
    assert {one for one in ids if f'value="{one}" checked' in page} == surely
    assert all(f'value="{one}"' in page for one in ids)


async def test_who_stands_in_an_incident_or_tells_of_an_emergency_is_of_another_matter(
    desk: Desk,
) -> None:
    """As two who had said "me too" of a power cut, and one who fell beside a copier, stood among
    those whose printers jammed."""
    await a_month_of_other_things(desk)
    incident = await open_incident(desk)
    ids = await several(desk, 4, text=LIFT)
    elsewhere = await several(desk, 1, text=LIFT, incident=incident)
    (hurt,) = await several(desk, 1, text="电梯门口有人倒下去了")
    await desk.process(alarm(desk, hurt))
    await look(desk)
    assert await listed(desk) == []
    ids += await several(desk, 1, text=LIFT)
    await look(desk)
    (event,) = await listed(desk)
    assert event.cases == tuple(ids)
    elsewhere += await several(desk, 1, text=LIFT, incident=incident)
    (also,) = await several(desk, 1, text="电梯门口又有人倒下去了")
    await desk.process(alarm(desk, also))
    await look(desk)
    (event,) = await listed(desk)
    assert event.cases == tuple(ids)
    # Of one that a person said is no emergency it is counted as of any other.
    (said_so,) = await several(desk, 1, text="电梯要停下来了，救命")
    await desk.process(alarm(desk, said_so))
    await desk.do(desk.as_("coordinator"), said_so, "dismiss_alarm")
    await look(desk)
    assert (await listed(desk))[-1].cases == (*ids, said_so)


async def test_one_emergency_that_several_tell_of_is_a_surge(desk: Desk) -> None:
    await a_month_of_other_things(desk)
    ids = await several(desk, 5, text="电梯里在冒烟")
    for one in ids[1:]:
        await desk.process(alarm(desk, one, kind="fire"))
    await look(desk)
    (event,) = await listed(desk)
    assert event.cases == tuple(ids)
    more = await several(desk, 1, text="电梯冒烟了，快来人")
    await desk.process(alarm(desk, more[0], kind="fire"))
    await look(desk)
    assert (await listed(desk))[-1].cases == (*ids, *more)


async def test_of_one_floor_another_floor_joins_when_many_say_so(desk: Desk) -> None:
    await a_month_of_other_things(desk)
    ids = await several(desk, 5, text=LIFT)
    await look(desk)
    (event,) = await listed(desk)
    elsewhere = await several(desk, 4, text="五楼的电梯也停了")
    await look(desk)
    assert (await listed(desk))[-1].cases == tuple(ids)
    elsewhere += await several(desk, 1, text="五楼的电梯也停了")
    await look(desk)
    last = (await listed(desk))[-1]
    assert (last.surge_id, set(last.cases)) == (event.surge_id, {*ids, *elsewhere})


async def test_a_surge_of_a_place_alone_is_joined_only_from_there(desk: Desk) -> None:
    """As on a new system, where nothing is too far from so many different matters."""
    desk.service.deps.meaning.embedder = Compass()
    words = [
        "打印机卡纸",
        "知网打不开",
        "有人占座",
        "灯不亮",
        "太吵了",
        "漏水了",
        "热死了",
        "门锁坏了",
    ]
    for n in range(ENOUGH):
        await desk.case(at=desk.clock.now() - timedelta(hours=3, minutes=n), text=words[n % 8])
    await meaning.embed_waiting(desk.service)
    while await jobs.count_cases(desk.service):
        pass
    async with desk.service.transaction() as tx:
        await tx.fetch("UPDATE case_matters SET judged = true")
    there = []
    for said in words:
        there += await several(desk, 1, text=said, place="二楼")
    await meaning.embed_waiting(desk.service)
    await look(desk)
    (event,) = await listed(desk)
    assert event.cases == tuple(there)
    there += await several(desk, 1, text="太吵了，没法看书", place="二楼")
    for said in ("论文下载不下来，校外访问", "六楼太吵了", "钥匙也拧不动"):
        await several(desk, 1, text=said)
    await meaning.embed_waiting(desk.service)
    await look(desk)
    assert (await listed(desk))[-1].cases == tuple(there)


async def test_another_matter_with_some_of_the_same_cases_is_a_surge_of_its_own(
    desk: Desk,
) -> None:
    """As on a running system, where the first of six matters took in all that came after it."""
    cases = [str(n) for n in range(9)]
    now = desk.clock.now()
    async with desk.service.transaction() as tx:
        one = surges.Surge("s", "like=0", now, now, 30, 5, 0.1, cases[:5])
        look = Look(tx, [one])
        finding = Finding("like=2", WINDOWS[0], 7, 0.1, 1e-9)

        def covering(some: list[str]) -> surges.Surge | None:
            return look._covering(Several(finding, some, frozenset({"like=2"}), ()))

        assert covering(cases[2:9]) is None
        assert covering(cases[1:7]) is one


async def test_without_a_vector_a_case_is_looked_at_half_a_minute_later(desk: Desk) -> None:
    desk.service.deps.meaning.embedder = Compass()
    await a_month_of_other_things(desk)
    await several(desk, 5, text=LIFT)
    desk.clock.later(seconds=31)
    await look(desk)
    assert len(await listed(desk)) == 1


async def test_an_erased_case_is_counted_no_more(desk: Desk) -> None:
    one = await desk.case(text=LIFT)
    await look(desk)
    await desk.process(PrivateErased(feedback_id=one, at=desk.clock.now()))
    await look(desk)
    async with desk.service.transaction() as tx:
        assert await tx.fetch("SELECT 1 FROM case_matters") == []


async def test_a_restored_database_knows_a_surge_again(desk: Desk) -> None:
    await a_month_of_other_things(desk)
    await several(desk, 5, text=LIFT)
    await look(desk)
    (event,) = await listed(desk)
    async with desk.service.transaction() as tx:
        before = await surges.surge(tx, event.surge_id)
        await tx.fetch("DELETE FROM surges")
    for _ in range(2):
        async with desk.service.transaction() as tx:
            await recollect_surge(event, tx)
    async with desk.service.transaction() as tx:
        again = await surges.surge(tx, event.surge_id)
    assert before is not None and again is not None
    assert (again.cases, again.status, again.n) == (before.cases, before.status, before.n)


async def test_what_was_judged_during_a_look_stays_judged(desk: Desk) -> None:
    await a_month_of_other_things(desk)
    await several(desk, 5, text=LIFT)
    await look(desk)
    (event,) = await listed(desk)
    await several(desk, 1, text=LIFT)
    await jobs.count_cases(desk.service)
    async with desk.service.transaction() as tx:
        one = await surges.surge(tx, event.surge_id, lock=True)
        assert one is not None
        looking = asyncio.create_task(jobs.judge_cases(desk.service))
        async with asyncio.timeout(PATIENCE):
            while not await tx.fetch("SELECT 1 FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.02)
        one.status, one.decided_at = "dismissed", tx.now
        await surges.list_surge(tx, one)
    assert await looking == 1
    async with desk.service.transaction() as tx:
        now = await surges.surge(tx, event.surge_id)
    assert now is not None
    assert (now.status, len(now.cases)) == ("dismissed", 5)


async def test_cases_that_arrived_are_counted_without_a_look_at_all(desk: Desk) -> None:
    received = desk.service.deps.received
    ids = await several(desk, 3, text=LIFT)
    assert received.came.is_set()
    assert received.take(2) == ids[:2]
    assert await jobs.count_arrived(desk.service, ids[:2]) == 2
    # Again, and one whose person was erased meanwhile: nothing is counted.
    await desk.process(PrivateErased(feedback_id=ids[2], at=desk.clock.now()))
    assert await jobs.count_arrived(desk.service, ids) == 0
    async with desk.service.transaction() as tx:
        counted = await tx.fetch("SELECT feedback_id FROM case_matters ORDER BY 1")
    assert [row["feedback_id"] for row in counted] == sorted(ids[:2])
    # More than are kept: then all are looked through.
    assert received.take(9) == [ids[2]] and not received.missed
    for n in range(1001):
        received.note(str(n))
    assert received.missed
    assert len(received.take(2000)) == 1000


async def test_many_of_one_matter_take_as_many_statements_as_one(desk: Desk) -> None:
    await a_month_of_other_things(desk)
    await several(desk, 5, text=LIFT)
    await look(desk)
    asked: list[str] = []
    async with desk.service.transaction() as tx:
        # The pool gives the same connection to who comes next.
        driver_of(tx.connection).add_query_logger(lambda query: asked.append(query.query))
    numbers = []
    for n in (3, 20):
        await several(desk, n, text=LIFT)
        asked.clear()
        assert await jobs.count_cases(desk.service) == n
        assert await jobs.judge_cases(desk.service) == n
        numbers.append(len(asked))
    assert numbers[0] == numbers[1] > 0
