"""``/routing``: a coordinator tries a sentence, looks through the rules and edits them."""

from __future__ import annotations

import html
import json
import re

import pytest

from tests.service.routing.conftest import SHIPPED, Routing, dispatched

SEATS = "三层东区217一上午都是一个水杯占着，占座到底管不管？"


@pytest.mark.parametrize(("role", "edits"), [("coordinator", True), ("auditor", False)])
async def test_the_page_lists_the_rules(routing: Routing, role: str, edits: bool) -> None:
    page = await routing.as_(role).get("/routing")
    assert page.status_code == 200
    total = len(routing.rules.ruleset.book.rules)
    assert f"{total} 条，共 {total} 条" in page.text
    assert ('href="/routing/edit"' in page.text) is edits


async def test_rules_are_found_by_a_word_in_them(routing: Routing) -> None:
    page = await routing.as_("admin").get("/routing", params={"q": "水漫"})
    shown = page.text.count('<tr id="rule-')
    rules = routing.rules.ruleset.book.rules
    assert shown == sum(any("水漫" in p for p in (*r.phrases, *r.places)) for r in rules) > 0
    none = await routing.as_("admin").get("/routing", params={"q": "没有这种词\0"})
    assert "没有这样的规则" in none.text


async def test_the_list_alone_is_sent_while_searching(routing: Routing) -> None:
    part = await routing.as_("admin", **{"hx-request": "true", "hx-target": "live"}).get(
        "/routing", params={"q": "p1."}
    )
    assert "<html" not in part.text
    assert 'id="rule-p1.' in part.text


async def test_a_tried_sentence_shows_where_it_goes_and_why(routing: Routing) -> None:
    page = await routing.as_("coordinator").post("/routing", data={"text": SEATS})
    assert "直接派给空间与读者服务部" in page.text
    assert SEATS in page.text
    english = await routing.as_("coordinator", **{"accept-language": "en"}).post(
        "/routing", data={"text": "<b>今天</b>"}
    )
    assert "Left to a person" in english.text
    assert "<b>今天" not in english.text


async def test_trying_nothing_says_so_and_keeps_what_was_typed(routing: Routing) -> None:
    page = await routing.as_("admin").post("/routing", data={"text": " ", "place": "二层"})
    assert page.status_code == 422
    assert "请写点什么" in page.text
    assert 'value="二层"' in page.text


async def test_corrections_by_people_are_laid_before_the_rule_keepers(routing: Routing) -> None:
    case = await routing.receive(SEATS)
    await routing.process(dispatched(case, "security"))
    page = await routing.as_("coordinator").get("/routing")
    assert "原以为是空间与读者服务部，人派给了保卫" in page.text
    assert f"/desk/cases/{case}" in page.text


async def test_what_was_said_in_confidence_is_shown_to_nobody_there(routing: Routing) -> None:
    asked = await routing.receive(SEATS, confidential=True)
    conduct = await routing.receive(SEATS)
    await routing.process(
        dispatched(asked, "security", confidential=True),
        dispatched(conduct, "office", category="conduct"),
    )
    page = await routing.as_("coordinator").get("/routing")
    assert "水杯" not in page.text.split('id="live"')[0]


async def test_the_document_is_edited_in_the_browser(routing: Routing) -> None:
    admin = routing.as_("admin")
    assert f"&#34;version&#34;: {SHIPPED}," in (await admin.get("/routing/edit")).text
    text = routing.rules.stored.text.replace('"margin": 0.2', '"margin": 0.3')
    saved = await admin.post("/routing/edit", files={"rules": (None, text.replace("\n", "\r\n"))})
    assert (saved.status_code, saved.headers["location"]) == (303, f"/routing?saved={SHIPPED + 1}")
    assert routing.rules.ruleset.book.margin == 0.3
    assert "\r" not in routing.rules.stored.text
    assert "已保存" in (await admin.get(saved.headers["location"])).text


async def test_mistakes_are_shown_with_their_line_and_every_word_is_given_back(
    routing: Routing,
) -> None:
    text = routing.rules.stored.text.replace('"margin": 0.2', '"margin": 2, "typed": 1')
    page = await routing.as_("admin").post("/routing/edit", files={"rules": (None, text)})
    assert page.status_code == 422
    assert "第 4 行：margin：不能大于 1" in page.text
    assert "第 4 行：typed：没有这个字段" in page.text
    assert "&#34;margin&#34;: 2, &#34;typed&#34;: 1" in page.text


async def test_a_stale_document_overwrites_nothing(routing: Routing) -> None:
    admin, text = routing.as_("admin"), routing.rules.stored.text
    await admin.put("/api/routing/rules", content=text.encode())
    page = await admin.post("/routing/edit", files={"rules": (None, text)})
    assert page.status_code == 409
    assert "别人先存了一版" in page.text
    assert routing.rules.version == SHIPPED + 1


async def test_only_rule_keepers_get_to_the_document(routing: Routing) -> None:
    for role in ("leader", "auditor", "handler"):
        assert (await routing.as_(role).get("/routing/edit")).status_code == 403
        assert (await routing.as_(role).post("/routing/edit", data={})).status_code == 403
    assert (await routing.as_("handler").get("/routing")).status_code == 403
    away = await routing.visitor().get("/routing")
    assert (away.status_code, away.headers["location"]) == (303, "/signin?next=/routing")


async def test_rules_are_tried_on_past_cases_before_they_count(routing: Routing) -> None:
    case = await routing.receive("天上的云很白")
    secret = await routing.receive("天上的云很白", confidential=True)
    await routing.process(dispatched(case, "space"))
    office = routing.as_("coordinator")
    raw = json.loads(routing.rules.stored.text)
    raw["rules"].append(
        {"id": "own.clouds", "category": "seats", "weight": 0.9, "phrases": ["云"]}
        | {"note": "云", "note_en": "Clouds"}
    )
    body = {"rules": json.dumps(raw, ensure_ascii=False), "do": "try"}
    page = await office.post("/routing/edit", data=body)
    assert page.status_code == 200
    assert "在最近 1 件上，1 件会不一样" in page.text
    assert "1 件都按规则试；其中 0 件有语义" in page.text
    assert "1 件由猜错变成猜对" in page.text
    assert f"/desk/cases/{case}" in page.text
    changes = page.text.split('id="trial"')[1]
    assert "天上的云很白</a>" in changes, "a case is called by its words, not by its id"
    assert "座位与空间 · " in changes, "and what differs is said"
    assert secret not in page.text
    assert routing.rules.version == SHIPPED
    wrong = await office.post("/routing/edit", data={"rules": "{", "do": "try"})
    assert wrong.status_code == 422
    leader = await routing.as_("leader").post("/routing/edit", data=body)
    assert leader.status_code == 403


async def test_a_rule_is_a_form_that_says_what_it_did_and_suggests_phrases(
    routing: Routing,
) -> None:
    right, wrong, _ = [await routing.receive(f"三层东区占座没人管 {n}") for n in range(3)]
    await routing.process(dispatched(right, "space", category="seats"))
    await routing.process(dispatched(wrong, "it", category="systems"))
    for n in range(6):
        said = await routing.receive(f"{n} 楼的书包又摆了一天")
        await routing.process(dispatched(said, "space", category="seats"))
        said = await routing.receive(f"{n} 楼的屏幕又灰了一天")
        await routing.process(dispatched(said, "it", category="systems"))
    office = routing.as_("coordinator")
    listed = (await office.get("/routing?q=seats.hog")).text
    assert "15 件里自动派出 20%，其中派对 50%；人改过 13 件。" in listed
    assert "说中 3" in listed
    assert "派对 1 · 改派 1" in listed
    page = (await office.get("/routing/edit?rule=seats.hog")).text
    assert "近四周：说中 3 件，其中派对 1 件，人改派 1 件" in page
    assert 'value="书包"' in page
    assert 'value="屏幕"' not in page
    assert (await office.get("/routing/edit?rule=none")).status_code == 404
    new = (await office.get("/routing/edit?rule=new")).text
    assert 'value="praise"' in new
    assert 'value="other"' not in new, "it has no name, and says nothing"
    # What is tried is no page of its own that a browser would have to send for again.
    assert 'id="rule"' in new and 'data-send="main"' in new
    refused = await office.get("/routing/edit?rule=new&category=none")
    assert (refused.status_code, "没有这个类别" in refused.text) == (422, True)
    assert (await routing.as_("leader").get("/routing/edit?rule=new")).status_code == 403

    before = next(
        one for one in json.loads(routing.rules.stored.text)["rules"] if one["id"] == "seats.hog"
    )
    form = {
        "rule": "seats.hog",
        "version": str(SHIPPED),
        "note": "占座",
        "note_en": "Held seats",
        "category": "seats",
        "weight": "0.7",
        "phrases": "占座\r\n水杯占",
        "add.1": "书包",
        "enabled": "1",
    }
    tried = await office.post("/routing/edit", data=form | {"do": "try"})
    assert "试算：什么都还没有变" in tried.text
    assert routing.rules.version == SHIPPED
    saved = await office.post("/routing/edit", data=form)
    assert saved.headers["location"] == f"/routing?saved={SHIPPED + 1}#rule-seats.hog"
    rule = next(one for one in routing.rules.ruleset.book.rules if one.id == "seats.hog")
    assert rule.phrases == ("占座", "水杯占", "书包")
    after = next(
        one for one in json.loads(routing.rules.stored.text)["rules"] if one["id"] == "seats.hog"
    )
    hidden = {"scope", "rank", "places", "suppresses"} & set(before)
    assert {name: after[name] for name in hidden} == {name: before[name] for name in hidden}
    stale = await office.post("/routing/edit", data=form)
    assert stale.status_code == 409
    wrong_one = await office.post(
        "/routing/edit", data=form | {"version": str(SHIPPED + 1), "phrases": "", "add.1": ""}
    )
    assert wrong_one.status_code == 422
    new = form | {"rule": "new", "id": "own.bags", "version": str(SHIPPED + 1)}
    new |= {"emergency": "1", "doubtful": "1"}
    assert (await office.post("/routing/edit", data=new)).status_code == 303
    kept = routing.rules.ruleset.book.rules[-1]
    assert (kept.id, kept.emergency, kept.doubtful) == ("own.bags", True, True)
    shown = (await office.get("/routing/edit?rule=own.bags")).text
    assert re.search(r'name="doubtful" value="1" checked', shown)


def _mats(version: int, **fields: str) -> dict[str, str]:
    """A rule of a library's own, as the form sends it."""
    form = {"rule": "new", "id": "own.mats", "version": str(version), "note": "垫子"}
    form |= {"note_en": "Mats", "category": "seats", "weight": "0.5", "phrases": "坐垫"}
    return form | {"enabled": "1"} | fields


async def test_a_new_rule_takes_the_place_of_none(routing: Routing) -> None:
    office, before = routing.as_("coordinator"), routing.rules.stored.text
    page = await office.post("/routing/edit", data=_mats(SHIPPED, id="p1.aed"))
    assert page.status_code == 422
    assert "这个编号已经有一条规则" in page.text.split('id="error-id"')[1]
    assert ">坐垫</textarea>" in page.text, "every word typed is there"
    assert routing.rules.stored.text == before
    english = routing.as_("coordinator", **{"accept-language": "en"})
    tried = await english.post("/routing/edit", data=_mats(SHIPPED, id="p1.aed", do="try"))
    assert (tried.status_code, "There is a rule of this id" in tried.text) == (422, True)
    assert "更早的一版" in (await office.get("/routing/edit?rule=p1.aed")).text


async def test_what_is_wrong_with_a_rule_stands_beside_its_field(routing: Routing) -> None:
    office = routing.as_("coordinator")
    for fields, field, said in [
        ({"phrases": ""}, "phrases", "请至少写一个词"),
        ({"phrases": "", "not_before": "没有"}, "phrases", "请至少写一个词"),
        ({"phrases": "坐|"}, "phrases", "空的词"),
        ({"weight": "7"}, "weight", "不能大于 1"),
        ({"id": "Ü"}, "id", "小写字母"),
        ({"note_en": ""}, "note_en", "必填"),
        ({"category": "", "type": "request", "emergency": "1"}, "category", "请选一个类别"),
        ({"priority": "P1"}, "priority", "请勾上紧急"),
    ]:
        page = await office.post("/routing/edit", data=_mats(SHIPPED, **fields))
        assert page.status_code == 422
        assert said in page.text.split(f'id="error-{field}"')[1].split("</p>")[0]
        assert "第" not in page.text.split('class="problem"')[1].split("</div>")[0]
    assert routing.rules.version == SHIPPED


async def test_an_earlier_version_of_the_rules_is_the_way_back(routing: Routing) -> None:
    office = routing.as_("coordinator")
    assert 'id="earlier"' not in (await office.get("/routing/edit")).text
    await office.post("/routing/edit", data=_mats(SHIPPED))
    page = (await office.get("/routing/edit")).text
    assert f"/routing/edit?from={SHIPPED}" in page
    earlier = await office.get(f"/routing/edit?from={SHIPPED}")
    assert f"这是第 {SHIPPED} 版的规则，还没有生效" in earlier.text
    typed = html.unescape(earlier.text.split('wrap="off">\n')[1].split("</textarea>")[0])
    saved = await office.post("/routing/edit", files={"rules": (None, typed)})
    assert saved.headers["location"] == f"/routing?saved={SHIPPED + 2}"
    assert "own.mats" not in routing.rules.stored.text
    for none in ("99", "x", str(SHIPPED + 9)):
        assert (await office.get(f"/routing/edit?from={none}")).status_code == 404
    assert (await routing.as_("leader").get(f"/routing/edit?from={SHIPPED}")).status_code == 403


async def test_other_units_are_a_form_with_mistakes_beside_their_fields(routing: Routing) -> None:
    office = routing.as_("coordinator")
    shipped = len(routing.rules.ruleset.book.units)
    assert 'href="/routing/edit?unit=canteen"' in (await office.get("/routing")).text
    page = (await office.get("/routing/edit?unit=canteen")).text
    assert 'value="饮食服务部门"' in page
    assert "\n食堂\n" in page or ">食堂\n" in page
    english = routing.as_("coordinator", **{"accept-language": "en"})
    assert "Whom the reader is told to ask" in (await english.get("/routing/edit?unit=new")).text
    assert (await office.get("/routing/edit?unit=none")).status_code == 404
    assert (await routing.as_("leader").get("/routing/edit?unit=new")).status_code == 403

    form = {
        "unit_id": "canteen",
        "version": str(SHIPPED),
        "unit": "膳食中心",
        "unit_en": "Meals",
        "phrases": "食堂\r\n \r\n麻辣烫",
        "instead": "请打 8001。",
        "instead_en": "Please call 8001.",
    }
    wrong = await office.post("/routing/edit", data=form | {"unit": " ", "phrases": "\r\n"})
    assert wrong.status_code == 422
    for name in ("unit", "phrases"):
        assert f'id="error-{name}"' in wrong.text
    assert "请打 8001。" in wrong.text
    assert routing.rules.version == SHIPPED
    saved = await office.post("/routing/edit", data=form)
    assert saved.headers["location"] == f"/routing?saved={SHIPPED + 1}#elsewhere"
    units = {one.id: one for one in routing.rules.ruleset.book.units}
    assert (units["canteen"].unit, units["canteen"].phrases) == ("膳食中心", ("食堂", "麻辣烫"))
    assert len(units) == shipped
    case = await routing.last(await routing.receive("食堂的麻辣烫吃坏肚子，饭卡也刷不了"))
    assert {one.get("unit") for one in case["candidates"]} <= {"膳食中心", None}

    assert (await office.post("/routing/edit", data=form)).status_code == 409
    taken = form | {"unit_id": "new", "id": "canteen", "version": str(SHIPPED + 1)}
    refused = await office.post("/routing/edit", data=taken)
    assert refused.status_code == 422
    assert 'id="error-id"' in refused.text
    gone = form | {"version": str(SHIPPED + 1), "do": "remove"}
    assert (await office.post("/routing/edit", data=gone)).status_code == 303
    assert "canteen" not in {one.id for one in routing.rules.ruleset.book.units}
