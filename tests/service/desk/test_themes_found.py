"""Themes found by meaning: offered, kept under a name of one's own, or dismissed."""

from __future__ import annotations

from datetime import timedelta

from services.desk.handlers.recollect import OWN
from services.desk.jobs import surges, themes
from services.desk.store.themes_found import suggestions
from shared.contracts.desk import ThemeDismissed
from shared.contracts.intake import PrivateErased
from tests.service.desk.conftest import Desk
from tests.service.desk.test_themes import HTML, listed

LIFT = "二楼的电梯又坏了，按了没反应。留的 [电话] 没人接。"


async def a_term(desk: Desk) -> list[str]:
    now, ids = desk.clock.now(), []
    for week in range(4):
        for n in range(3):
            at = now - timedelta(days=7 * week + n)
            ids.append(await desk.case(at=at, text=LIFT, place="二楼东侧"))
    await desk.case(text="食堂的饭太咸")
    while await surges.count_cases(desk.service):
        pass
    return ids


async def test_what_comes_up_again_and_again_is_offered_and_kept(desk: Desk) -> None:
    ids = await a_term(desk)
    assert await themes.group_anew(desk.service) == 1
    # Once a day, in one process.
    assert await themes.group_anew(desk.service) == 0
    office, auditor = desk.as_("coordinator"), desk.as_("auditor")
    (found,) = (await auditor.get("/api/theme-suggestions")).json()["items"]
    assert set(found["feedback_ids"]) == set(ids)
    assert (found["name"], found["recurs"], found["places"]) == (
        "电梯 · 坏了",
        4,
        [["二楼东侧", 12]],
    )
    assert found["sentences"] == ["二楼的电梯又坏了，按了没反应。"]
    page = await office.get("/desk/themes", headers=HTML)
    assert "反复出现：4 周里都有" in page.text and "二楼的电梯又坏了" in page.text
    where = f"/api/theme-suggestions/{found['suggestion_id']}/keep"
    given = {"title": "东侧电梯", "about": "常坏", "what": "换主板", "responsible": "后勤"}
    assert (await auditor.post(where, json=given)).status_code == 403
    assert (await office.post(where, json=given | {"responsible": ""})).status_code == 422
    made = await office.post(where, json=given)
    assert made.status_code == 201, made.text
    event = await listed(desk)
    assert (event.title, event.origin, event.measures[0].what) == ("东侧电梯", "found", "换主板")
    assert {(c.case, c.origin) for c in event.cases} == {(one, "found") for one in ids}
    assert (await office.post(where, json=given)).status_code == 409
    # Kept, it says what it said before, and so do the reports.
    kept = (await auditor.get(f"/api/themes/{event.theme_id}")).json()
    assert {n: kept[n] for n in ("sentences", "places", "outcomes")} == {
        n: found[n] for n in ("sentences", "places", "outcomes")
    }
    page = await auditor.get(f"/desk/themes/{event.theme_id}", headers=HTML)
    assert "二楼的电梯又坏了，按了没反应。" in page.text and "二楼东侧" in page.text
    assert [one.text for one in event.quotes] == found["sentences"]
    # A theme knows them now.
    assert await themes.group_anew(desk.service, at_once=True) == 0


async def test_what_comes_after_a_theme_was_kept_goes_into_it(desk: Desk) -> None:
    ids = await a_term(desk)
    await themes.group_anew(desk.service)
    office = desk.as_("coordinator")
    (found,) = (await office.get("/api/theme-suggestions")).json()["items"]
    where = f"/api/theme-suggestions/{found['suggestion_id']}/keep"
    theme_id = (await office.post(where, json={"title": "东侧电梯"})).json()["theme_id"]
    body = {"feedback_ids": [ids[0]], "out": True}
    taken = await office.post(f"/api/themes/{theme_id}/cases", json=body)
    assert taken.status_code == 200, taken.text
    desk.clock.later(days=2)
    new = [await desk.case(at=desk.clock.now(), text=LIFT) for _ in range(2)]
    while await surges.count_cases(desk.service):
        pass
    office = desk.as_("coordinator")
    # What a person took out stays out.
    for _ in range(2):
        assert await themes.group_anew(desk.service, at_once=True) == 0
        event = await listed(desk)
        assert {c.case for c in event.cases} == {*ids[1:], *new}


async def test_what_was_dismissed_is_offered_again_only_when_it_has_doubled(desk: Desk) -> None:
    await a_term(desk)
    await themes.group_anew(desk.service)
    office = desk.as_("coordinator")
    (found,) = (await office.get("/api/theme-suggestions")).json()["items"]
    where = f"/api/theme-suggestions/{found['suggestion_id']}/dismiss"
    assert (await office.post(where, json={})).status_code == 200
    assert await themes.group_anew(desk.service, at_once=True) == 0
    # A desk that has lost it is told.
    (told,) = [t for t in await desk.told() if t["type"] == ThemeDismissed.type]
    async with desk.service.transaction() as tx:
        await tx.fetch("DELETE FROM theme_suggestions")
        await OWN[ThemeDismissed](ThemeDismissed.model_validate(told["body"]), tx)
    assert await themes.group_anew(desk.service, at_once=True) == 0
    for _ in range(12):
        await desk.case(text=LIFT)
    while await surges.count_cases(desk.service):
        pass
    assert await themes.group_anew(desk.service, at_once=True) == 1


async def test_of_an_erased_person_nothing_is_quoted(desk: Desk) -> None:
    ids = await a_term(desk)
    await themes.group_anew(desk.service)
    await desk.process(PrivateErased(feedback_id=ids[0], at=desk.clock.now()))
    async with desk.service.transaction() as tx:
        (one,) = await suggestions(tx)
    assert ids[0] not in one.cases and one.said["sentences"] == []


async def test_of_an_erased_person_a_kept_theme_quotes_nothing(desk: Desk) -> None:
    one, two = await desk.case(text=LIFT), await desk.case(text="三楼的门关不上。")
    office = desk.as_("coordinator")
    given = {"title": "坏了", "feedback_ids": [one, two]}
    theme_id = (await office.post("/api/themes", json=given)).json()["theme_id"]
    assert len((await listed(desk)).quotes) == 2
    await desk.process(PrivateErased(feedback_id=one, at=desk.clock.now()))
    event = await listed(desk)
    assert ({c.case for c in event.cases}, {q.case for q in event.quotes}) == ({one, two}, {two})
    shown = (await desk.as_("coordinator").get(f"/api/themes/{theme_id}")).json()
    assert shown["sentences"] == ["三楼的门关不上。"]
