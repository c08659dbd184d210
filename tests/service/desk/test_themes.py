"""What comes up again and again: cases put together by hand, and what was done."""

from __future__ import annotations

from services.desk.handlers.recollect import recollect_theme
from services.desk.store import themes
from shared.contracts.desk import ThemeListed
from tests.service.desk.conftest import Desk
from tests.support import outbox_of

HTML = {"accept": "text/html"}


async def listed(desk: Desk) -> ThemeListed:
    told = [e for e in await outbox_of(desk.service) if e["type"] == "directory.theme.v1"]
    return ThemeListed.model_validate(told[-1]["body"])


async def test_the_office_puts_cases_together_and_notes_what_was_done(desk: Desk) -> None:
    one, two, three = [await desk.case() for _ in range(3)]
    office, auditor = desk.as_("coordinator"), desk.as_("auditor")
    answer = await office.post(
        "/api/themes",
        json={"title": "占座", "about": "水杯占座，电话 13800138000", "feedback_ids": [one]},
    )
    assert answer.status_code == 201, answer.text
    theme_id = answer.json()["theme_id"]
    assert "13800138000" not in (await listed(desk)).about
    where = f"/api/themes/{theme_id}"
    # By number, as people paste them: many at once, with whatever stands between.
    typed = f" {two.upper()}，\n{three} F-nobody"
    put = (await office.post(f"{where}/cases", json={"typed": typed})).json()
    assert (put["cases"], put["changed"], put["unknown"]) == (3, 2, ["F-nobody"])
    out = (await office.post(f"{where}/cases", json={"feedback_ids": [two], "out": True})).json()
    assert (out["cases"], out["changed"]) == (2, 1)
    nobody = await office.post(f"{where}/cases", json={"typed": "F-nobody"})
    assert nobody.status_code == 422
    measure = {"what": "每小时清一次", "on": "2026-03-09", "responsible": "空间部"}
    for _ in range(2):
        added = await office.post(f"{where}/measures", json=measure)
        assert added.json()["measures"] == [measure], "sent twice it is one"
    far = await office.post(f"{where}/measures", json=measure | {"on": "2099-01-01"})
    assert far.status_code == 422
    renamed = await office.post(where, json={"title": "占座与清座", "status": "kept"})
    assert renamed.json()["title"] == "占座与清座"
    event = await listed(desk)
    assert {c.case for c in event.cases} == {one, three}
    assert (event.status, event.origin, event.measures[0].responsible) == ("kept", "hand", "空间部")
    body = (await auditor.get(where)).json()
    assert {item["feedback_id"] for item in body["items"]} == {one, three}
    for path in ("/desk/themes", f"/desk/themes/{theme_id}"):
        page = await auditor.get(path, headers=HTML)
        assert page.status_code == 200
        assert "占座与清座" in page.text
    assert (await auditor.post(where, json={"title": "x"})).status_code == 403
    assert (await desk.as_("handler", "it").get(where)).status_code == 403


async def test_a_measure_is_of_a_day_that_can_be_meant_and_is_corrected_or_taken_back(
    desk: Desk,
) -> None:
    office = desk.as_("coordinator")
    given = {"title": "占座", "feedback_ids": [await desk.case()]}
    where = f"/api/themes/{(await office.post('/api/themes', json=given)).json()['theme_id']}"
    measure = {"what": "加座位", "on": "2026-03-01", "responsible": "空间部"}
    for slip in ("2025-03-01", "2027-03-01", "2020-01-01"):
        refused = await office.post(f"{where}/measures", json=measure | {"on": slip})
        assert refused.status_code == 422, slip
        assert "年份写对了吗" in refused.text
    await office.post(f"{where}/measures", json=measure)
    theme = (await office.get(where)).json()
    assert theme["measure_days"] == {"from": "2025-09-02", "to": "2026-04-29"}
    (mark,) = theme["measure_marks"]
    page = (await office.get("/desk" + where.removeprefix("/api"), headers=HTML)).text
    assert "拿掉这条措施" in page
    better = {"what": "加了二十个座位", "on": "2026-03-02", "responsible": "空间部"}
    for _ in range(2):
        changed = await office.post(f"{where}/measures", json=better | {"instead_of": mark})
        assert changed.json()["measures"] == [better]
    late = await office.post(f"{where}/measures", json=measure | {"instead_of": mark})
    assert late.status_code == 409
    (mark,) = (await office.get(where)).json()["measure_marks"]
    back = {"instead_of": mark, "gone": "true", "why": ""}
    refused = await office.post(f"{where}/measures", json=back)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["why"])
    for _ in range(2):
        form = back | {"why": "写错了主题，读者电话 13800001234"}
        gone = await office.post(f"{where}/measures", data=form, headers=HTML)
        assert gone.status_code == 303, gone.text
    event = await listed(desk)
    (trace,) = event.taken_back
    assert (event.measures, trace.what, trace.by) == ((), "加了二十个座位", "coordinator")
    assert (trace.at, trace.why) == (desk.clock.now(), "写错了主题，读者电话 〔电话〕")
    page = (await office.get("/desk" + where.removeprefix("/api"), headers=HTML)).text
    assert "写错了主题" in page and "拿掉的措施" in page


async def test_what_was_taken_back_or_corrected_by_another_is_not_taken_back_again(
    desk: Desk,
) -> None:
    office, leader = desk.as_("coordinator"), desk.as_("leader")
    theme_id = (await office.post("/api/themes", json={"title": "占座"})).json()["theme_id"]
    where = f"/api/themes/{theme_id}"
    measure = {"what": "加座位", "on": "2026-03-01", "responsible": "空间部"}
    await office.post(f"{where}/measures", json=measure)
    (mark,) = (await office.get(where)).json()["measure_marks"]
    back = {"gone": True, "instead_of": mark, "why": "没有做"}
    await office.post(f"{where}/measures", json=measure | {"on": "2026-03-02", "instead_of": mark})
    for stale in (mark, "", "nobody"):
        late = await leader.post(f"{where}/measures", json=back | {"instead_of": stale})
        assert late.status_code == 409, stale
    (mark,) = (await office.get(where)).json()["measure_marks"]
    assert (await leader.post(f"{where}/measures", json=back | {"instead_of": mark})).is_success
    late = await office.post(f"{where}/measures", json=back | {"instead_of": mark})
    assert late.status_code == 409, "whose reason would not be kept hears of it"
    theme = (await office.get(where)).json()
    assert [(m["on"], m["by"], m["why"]) for m in theme["taken_back"]] == [
        ("2026-03-02", "leader", "没有做")
    ]


async def test_a_theme_is_split_and_two_become_one(desk: Desk) -> None:
    one, two, three = [await desk.case() for _ in range(3)]
    office = desk.as_("coordinator")
    given = {"title": "占座与空调", "feedback_ids": [one, two]}
    first = (await office.post("/api/themes", json=given)).json()["theme_id"]
    measure = {"what": "每小时清一次", "on": "2026-03-09", "responsible": "空间部"}
    for one_measure in (measure | {"what": "贴通知"}, measure):
        await office.post(f"/api/themes/{first}/measures", json=one_measure)
    (mark, _) = (await office.get(f"/api/themes/{first}")).json()["measure_marks"]
    back = {"gone": True, "instead_of": mark, "why": "没有贴"}
    await office.post(f"/api/themes/{first}/measures", json=back)
    # As the page sends it.
    typed = {"out": "true", "title": "空调", "feedback_ids": two}
    page = await office.post(f"/api/themes/{first}/split", data=typed, headers=HTML)
    assert page.status_code == 303, page.text
    second = page.headers["location"].rpartition("/")[2]
    assert [c.case for c in (await listed(desk)).cases] == [two]
    shown = (await office.get(f"/api/themes/{second}")).json()
    assert ([i["feedback_id"] for i in shown["items"]], shown["measures"]) == ([two], [measure])
    assert (await office.get(f"/api/themes/{first}")).json()["cases"] == 1
    gone = {"title": "x", "feedback_ids": [two]}
    assert (await office.post(f"/api/themes/{first}/split", json=gone)).status_code == 422

    given = {"title": "占座", "feedback_ids": [one, three]}
    third = (await office.post("/api/themes", json=given)).json()["theme_id"]
    for _ in range(2):
        merged = await office.post(f"/api/themes/{first}/merge", json={"into": third})
        assert (merged.json()["theme_id"], merged.json()["cases"]) == (third, 2)
        assert merged.json()["measures"] == [measure]
    event = await listed(desk)
    assert ({c.case for c in event.cases}, event.theme_id) == ({one, three}, third)
    assert [m.what for m in event.taken_back] == ["贴通知"]
    items = (await office.get("/api/themes")).json()["items"]
    assert {item["theme_id"] for item in items} == {second, third}
    away = await office.get(f"/desk/themes/{first}", headers=HTML)
    assert away.headers["location"] == f"/desk/themes/{third}"
    for theme_id, into in ((third, third), (third, first), (first, second)):
        refused = await office.post(f"/api/themes/{theme_id}/merge", json={"into": into})
        assert refused.status_code == 409, (theme_id, into)
    # What is part of another one is changed no more: nobody would see it there.
    for path, body in (
        ("", {"title": "x", "status": "open"}),
        ("/cases", {"feedback_ids": [two]}),
        ("/cases", {"feedback_ids": [two], "out": True}),
        ("/measures", measure | {"what": "x"}),
        ("/split", {"title": "x", "feedback_ids": [two]}),
    ):
        refused = await office.post(f"/api/themes/{first}{path}", json=body)
        assert refused.status_code == 409, (path, refused.text)
        assert "已经并入别的主题" in refused.text
    assert (await office.get(f"/api/themes/{first}")).json()["cases"] == 0
    assert (
        f"/desk/themes?feedback_ids={one}"
        in (await office.get(f"/desk/cases/{one}", headers=HTML)).text
    )


async def test_a_restored_database_knows_a_theme_again(desk: Desk) -> None:
    one = await desk.case()
    office = desk.as_("coordinator")
    made = await office.post("/api/themes", json={"title": "空调", "feedback_ids": [one]})
    theme_id = made.json()["theme_id"]
    measure = {"what": "修", "on": "2026-03-04", "responsible": "后勤"}
    await office.post(f"/api/themes/{theme_id}/measures", json=measure)
    await office.post(f"/api/themes/{theme_id}/measures", json=measure | {"what": "换"})
    marks = (await office.get(f"/api/themes/{theme_id}")).json()["measure_marks"]
    back = {"gone": True, "instead_of": marks[1], "why": "没有换"}
    await office.post(f"/api/themes/{theme_id}/measures", json=back)
    event = await listed(desk)
    async with desk.service.transaction() as tx:
        await tx.fetch("DELETE FROM theme_cases")
        await tx.fetch("DELETE FROM themes")
    for _ in range(2):
        async with desk.service.transaction() as tx:
            await recollect_theme(event, tx)
    async with desk.service.transaction() as tx:
        again = await themes.theme(tx, theme_id)
        assert again is not None
        assert (again.title, again.measures) == ("空调", [measure])
        assert [(m["what"], m["why"]) for m in again.taken_back] == [("换", "没有换")]
        assert await themes.case_ids(tx, theme_id) == [one]
