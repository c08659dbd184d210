"""Search for what names a case or a person: found by those who may see it, and nobody else."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl

import pytest
from sqlmodel import select

from services.desk.domain import Viewer, sees, sees_contact, sees_words
from services.desk.domain.promises import rank_not_open
from services.desk.domain.search import pattern, pattern_private
from services.desk.store import case_of, finding, searching
from services.desk.store.tables import CaseRow
from shared.contracts.vocabulary import Role
from shared.security import code_hash
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import id_at

CODE = "7K3M-9QXA-0BCD-EFGH-2345"
PHONE = "13800001234"
PERSON = ("王小明", "13911112222", "w@example.edu")


async def find(who: Any, q: str, **more: Any) -> list[str]:
    answer = await who.get("/api/cases", params={"q": q} | more)
    assert answer.status_code == 200, answer.text
    return [item["feedback_id"] for item in answer.json()["items"]]


async def make(desk: Desk, **flags: Any) -> str:
    feedback_id = await desk.case(
        text="我的电话 〔电话〕，占座没人管", code_hash=code_hash(CODE), **flags
    )
    name, phone, email = PERSON
    await desk.process(
        examples.private(
            feedback_id,
            text="我的电话 138-0000 1234，占座没人管",
            contact={"name": name, "phone": phone, "email": email},
        ),
        examples.routed(feedback_id),
    )
    return feedback_id


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        CODE.replace("-", ""),
        CODE.replace("-", " "),
        CODE.replace("-", "\u2011"),
        "\u200b" + CODE.replace("-", "\u2212") + "\ufeff",
        "７Ｋ３Ｍ－９ＱＸＡ－０ＢＣＤ－ＥＦＧＨ－２３４５",
        "\u3000" + CODE + "\u3000",
        "7k3m-9qxa-Obcd-efgh-2345",
        f"https://lib.example.edu/track/{CODE}",
        f"Tracking code: {CODE}",
        f"Tracking code: {CODE.replace('-', '')}",
    ],
)
async def test_a_code_is_found_however_it_is_typed(desk: Desk, typed: str) -> None:
    feedback_id = await make(desk)
    assert await find(desk.as_("coordinator"), typed) == [feedback_id]
    assert await find(desk.as_("handler", "space"), typed, queue="mine") == [feedback_id]
    assert await find(desk.as_("handler", "it"), typed) == []
    assert await find(desk.as_("coordinator"), CODE[:-1]) == []


async def test_an_id_is_found_by_who_sees_the_case(desk: Desk) -> None:
    feedback_id = await make(desk)
    for typed in (feedback_id, feedback_id.upper(), f" {feedback_id} "):
        assert await find(desk.as_("auditor"), typed) == [feedback_id]
        assert await find(desk.as_("liaison", "it"), typed) == []


WORDS = ("coordinator", "leader", "handler.space")
PEOPLE = {
    "coordinator": ("coordinator", None),
    "leader": ("leader", None),
    "auditor": ("auditor", None),
    "admin": ("admin", None),
    "handler.space": ("handler", "space"),
    "handler.it": ("handler", "it"),
    "clerk": ("clerk", None),
    "student": ("student", None),
}


@pytest.mark.parametrize(
    ("flags", "by_words", "by_person"),
    [
        ({}, {*WORDS, "clerk"}, set(WORDS)),
        ({"anonymous": True}, {"coordinator", "leader", "clerk"}, set()),
        ({"confidential": True}, {"coordinator", "leader"}, {"coordinator", "leader"}),
    ],
)
async def test_a_number_and_a_name_are_found_by_those_who_are_shown_them(
    desk: Desk, flags: dict[str, bool], by_words: set[str], by_person: set[str]
) -> None:
    feedback_id = await make(desk, entered_by="clerk", **flags)
    for person, (role, department) in PEOPLE.items():
        who = desk.as_(role, department)
        for q in (
            PHONE,
            "138 0000 1234",
            "138-0000-1234",
            "１３８００００１２３４",
            "+86 138-0000-1234",
        ):
            found = await find(who, q)
            assert found == ([feedback_id] if person in by_words else []), (person, q)
        for q in (*PERSON, "小明", "139 1111 2222"):
            found = await find(who, q)
            assert found == ([feedback_id] if person in by_person else []), (person, q)


async def test_what_is_found_twice_is_listed_once_and_pages_go_on(desk: Desk) -> None:
    made = []
    for n in range(5):
        feedback_id = await desk.case(text=f"占座 {n}")
        await desk.process(
            examples.private(feedback_id, text=f"占座 {n} 电话 {PHONE}", contact={"name": "占座"})
        )
        made.append(feedback_id)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await desk.as_("coordinator").get(
            "/api/cases", params={"q": "占座", "limit": 2, "cursor": cursor}
        )
        seen += [item["feedback_id"] for item in answer.json()["items"]]
        cursor = answer.json()["next"]
    assert seen == sorted(made)


async def test_who_was_erased_is_not_found_any_more(desk: Desk) -> None:
    from shared.contracts.intake import PrivateErased

    feedback_id = await make(desk)
    await desk.process(PrivateErased(feedback_id=feedback_id, at=examples.RECEIVED))
    office = desk.as_("coordinator")
    assert await find(office, PHONE) == await find(office, "王小明") == []
    assert await find(office, CODE) == [feedback_id]


async def found(who: Any, q: str, **more: Any) -> dict[str, Any]:
    answer = await who.get("/api/cases", params={"q": q} | more)
    return {item["feedback_id"]: item["found"] for item in answer.json()["items"]}


async def test_what_was_said_later_and_the_place_are_found(desk: Desk) -> None:
    one = await desk.in_progress(text="很吵", place="三层东区长桌")
    handler, office = desk.as_("handler", "space"), desk.as_("coordinator")
    await desk.do(handler, one, "note", text="先问保安 <b>老赵</b>，他负责巡楼")
    await desk.do(handler, one, "ask", question="大概几点钟？")
    await desk.process(examples.supplemented(one, "晚上八点左右"))
    await desk.do(handler, one, "reply", text="夜班保安每小时巡视一次。", outcome="solved")
    for q, where, hit in (
        ("长桌", "place", "长桌"),
        ("老赵", "note", "老赵"),
        ("几点钟", "question", "几点钟"),
        ("八点左右", "supplement", "八点左右"),
        ("每小时", "reply", "每小时"),
        ("很吵", "title", None),
    ):
        for who in (office, handler, desk.as_("auditor")):
            seen = await found(who, q)
            assert list(seen) == [one], q
            assert seen[one]["in"] == where
            snippet = seen[one]["snippet"]
            assert (snippet and snippet[1]) == hit
        assert await found(desk.as_("handler", "it"), q) == {}
    page = (await office.get("/desk?queue=all&q=老赵")).text
    assert "先问保安 &lt;b&gt;<mark>老赵</mark>&lt;/b&gt;" in page


@pytest.mark.parametrize("few", [searching.FEW, 0], ids=["in few rows", "in many"])
async def test_what_stands_anywhere_is_found_down_to_one_letter(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Words in few rows are looked up, those in many are met in the order of the list."""
    monkeypatch.setattr("services.desk.store.searching.FEW", few)
    one = await make(desk, place="负一层 B7 座 217")
    other = await desk.case(text="灯不亮")
    office = desk.as_("coordinator")
    await desk.do(office, one, "note", text="先问保安老赵 100%，888 号")
    for q in (
        "占",
        "占座",
        "没人管",
        "负",
        "B7",
        "ｂ",
        "赵",
        "老赵",
        "%",
        "00%",
        "100%",
        "217",
        "B7 座 217",
        "8 号",
        "８\u200b88",
        "888 号",
        "8",
        "217 座",
        "没人管 217",
        "888 b7",
        "负 赵",
        "小明 占座 老赵",
        "占座 1391-1112222",
    ):
        assert await find(office, q) == [one], q
    for q in ("王", "小明", *PERSON, "1391-1112222", "2222", "138 0000 1234", "@"):
        assert await find(office, q) == [one], q
    assert await find(office, "灯") == [other]
    for q in (
        "龘",
        "座，占",
        "_",
        "王明",
        "13911112223",
        "座 218",
        "B8 座 217",
        "7 217",
        "灯 占座",
    ):
        assert await find(office, q) == [], q
    # What one may not see is found by none of it.
    assert await find(desk.as_("handler", "it"), "占") == []


@pytest.mark.parametrize("few", [searching.FEW, 0], ids=["looked up", "met in order"])
async def test_of_many_hits_the_newest_are_read_and_all_of_them_are_found(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Page by page the same as where all hits are read to be put in order."""
    office = desk.as_("coordinator")
    made = []
    for n in range(24):
        at = desk.clock.now() - timedelta(days=n)
        made.append(await desk.case(feedback_id=id_at(at), at=at, text=f"水杯占座 {n}"))
    for one in made[::2]:
        await desk.do(office, one, "reject", reason="不归图书馆")
    for one in made[1::4]:
        await desk.process(examples.routed(one, "it"))
    monkeypatch.setattr("services.desk.store.searching.FEW", few)

    async def pages(**more: Any) -> list[str]:
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            asked = {"q": "水杯", "limit": 3, "cursor": cursor} | more
            body = (await office.get("/api/cases", params=asked)).json()
            seen += [item["feedback_id"] for item in body["items"]]
            cursor = body["next"]
        return seen

    lists: tuple[dict[str, Any], ...] = (
        {},
        {"queue": "triage"},
        {"state": "REJECTED"},
        {"department": "it"},
        {"state": "REJECTED", "limit": 11},
    )
    whole = [await pages(**one) for one in lists]
    assert [len(found) for found in whole] == [24, 6, 12, 6, 12]
    # A letter fills its first page from the head of the list.
    assert [await pages(q="杯", **one) for one in lists] == whole
    for spare in (1, 3):
        monkeypatch.setattr(searching, "MANY", 2)
        monkeypatch.setattr(searching, "SPARE", spare)
        assert [await pages(**one) for one in lists] == whole


@pytest.mark.parametrize("many", [searching.MANY, 3], ids=["all read", "the newest read"])
@pytest.mark.parametrize("seed", range(3))
async def test_digits_are_found_where_comparing_each_case_finds_them_and_in_that_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, seed: int, many: int
) -> None:
    """Whoever looks, and wherever they stand; a case need not be as old as its id says."""
    chance = random.Random(seed)

    def digits() -> str:
        # Few and in runs, so that one number is in another, and what stands twice in much.
        return "".join(chance.choice("1122-3 ") for _ in range(chance.randint(3, 9)))

    made = []
    for n in range(24):
        at = desk.clock.now() - timedelta(minutes=chance.randint(1, 90))
        one = await desk.case(
            feedback_id=id_at(at + timedelta(minutes=chance.choice((0, 0, 50)))),
            at=at,
            text=f"占座{digits()}没人管",
            place=digits() if n % 3 else None,
            anonymous=n % 5 == 0,
            confidential=n % 7 == 0,
            entered_by="clerk" if n % 4 == 0 else None,
        )
        contact = {"name": "王小明", "phone": digits()}
        await desk.process(examples.private(one, text=f"电话{digits()}", contact=contact))
        made.append(one)
    for one in made[::4]:
        await desk.process(examples.routed(one, "space"))
    for one in made[1::2]:
        await desk.do(desk.as_("coordinator"), one, "reject", reason="不归图书馆")
    monkeypatch.setattr(searching, "MANY", many)
    monkeypatch.setattr(searching, "SPARE", 1)
    async with desk.service.transaction() as tx:
        known = await tx.fetch(
            "SELECT feedback_id, search || chr(10) || search_place AS public, search_words,"
            " search_person FROM words JOIN private USING (feedback_id)"
        )
        rows = {row.feedback_id: row for row in (await tx.session.exec(select(CaseRow))).all()}
    found_by = dict.fromkeys(("coordinator", "auditor", "handler", "clerk"), 0)
    for role, department in (*((one, None) for one in found_by), ("handler", "space")):
        name = "clerk" if role == "clerk" else f"{role}.{department}"
        viewer = Viewer(name, frozenset({Role(role)}), department)
        who = desk.as_(role, department, name)
        for q in ("11", "111", "112", "121", "2112", "1 2", "1-12", "1122", "311", "33", "223"):
            words, dialled = pattern(q)[1:-1], pattern_private(q)[1:-1]
            holding = [
                rows[one["feedback_id"]]
                for one in known
                if sees(viewer, case := case_of(rows[one["feedback_id"]]))
                and (
                    words in one["public"]
                    or (dialled in one["search_words"] and sees_words(viewer, case))
                    or (dialled in one["search_person"] and sees_contact(viewer, case))
                )
            ]
            found_by[role] += len(holding)
            holding.sort(key=lambda row: (row.next_due_at, row.received_at, row.feedback_id))
            for limit in (2, 5, 40):
                seen: list[str] = []
                cursor: str | None = ""
                while cursor is not None:
                    asked = {"q": q, "queue": "all", "limit": limit, "cursor": cursor}
                    body = (await who.get("/api/cases", params=asked)).json()
                    seen += [item["feedback_id"] for item in body["items"]]
                    cursor = body["next"]
                assert seen == [row.feedback_id for row in holding], (role, department, q, limit)
    assert (
        found_by["coordinator"] > found_by["auditor"] > found_by["handler"] > 0 < found_by["clerk"]
    )


def test_how_far_hits_are_looked_for_depends_on_how_many_are_shown() -> None:
    now = datetime(2026, 3, 4, tzinfo=UTC)
    ids = [id_at(now - timedelta(hours=n)) for n in range(200)]
    until = searching.enough({"words": ids[::-1], "messages": ids[:5]}, 11)
    assert until == rank_not_open(now - timedelta(hours=33))
    assert searching.enough({"words": ids[:100]}, 11) is None
    assert searching.enough({"words": ids}, 67) is None
    assert searching.enough({"words": [f"F-{n}" for n in range(200)]}, 11) is None


async def test_the_database_ranks_an_id_as_we_do(desk: Desk) -> None:
    at = datetime(2026, 3, 4, 10, 5, 7, 250_000, tzinfo=UTC)
    asked = f"SELECT {searching._RANK} AS rank FROM (SELECT $1::text AS one) AS newest"
    async with desk.service.transaction() as tx:
        for one, rank in (
            (id_at(at), rank_not_open(at)),
            ("F-1", None),
            ("no time at all", None),
            ("ffffffff-ffff-7fff-8fff-ffffffffffff", None),
        ):
            assert [row["rank"] for row in await tx.fetch(asked, one)] == [rank]


async def test_where_words_stand_is_looked_for_by_the_keys_of_a_page_alone(desk: Desk) -> None:
    """A plan for all words shall not take the index of letters, where a common one has thousands
    of rows."""
    async with desk.service.transaction() as tx:
        for setting, value in (
            ("enable_seqscan", "off"),
            ("plan_cache_mode", "force_generic_plan"),
        ):
            await tx.fetch("SELECT set_config($1, $2, true)", setting, value)
        await tx.fetch(f"PREPARE where_words_stand (text[], text[]) AS {finding._SOURCES}")
        shown = await tx.fetch("EXPLAIN EXECUTE where_words_stand ('{{}}', '{{%占%}}')")
        await tx.fetch("DEALLOCATE where_words_stand")
    plan = [row["QUERY PLAN"] for row in shown]
    assert any("words_pkey" in line for line in plan)
    assert not any("_search" in line for line in plan), plan


async def test_each_word_has_to_stand_somewhere_in_a_case_digits_too(desk: Desk) -> None:
    office = desk.as_("coordinator")
    jams = sorted([await desk.case(text=f"打印机1006卡纸，第{n}次") for n in "一二三"])
    lamp = await desk.case(text="灯坏了", place="zz1 教室")
    await desk.do(office, lamp, "note", text="报修单 8000")
    await desk.case(text="打印机没墨")
    await desk.case(text="卡纸，在 1007", place="zz2")
    for q in ("打印机1006", "打印机 1006", "1006 卡纸", "１００６　打印机", "卡纸 打印机 1006"):
        assert sorted(await find(office, q)) == jams, q
        assert (await find(office, q, limit=1))[0] in jams, q
    for q in ("zz1 灯", "灯 zz1", "8000 zz1", "8000 灯", "单 坏"):
        assert await find(office, q) == [lamp], q
    for q in ("zz2 灯", "8001 zz1", "打印机 1008", "1 6"):
        assert await find(office, q) == [], q
    page = (await office.get("/desk", params={"queue": "all", "q": "8000 坏"})).text
    assert "灯<mark>坏</mark>了" in page
    assert "报修单 <mark>8000</mark>" in page


async def test_digits_beside_words_find_nobody_for_whom_contact_is_not_shown(desk: Desk) -> None:
    feedback_id = await make(desk)
    for q in ("占座 2222", "1391 占座", "没人管 小明", "占座 13911112222"):
        assert await find(desk.as_("coordinator"), q) == [feedback_id], q
        for role, department in (("auditor", None), ("clerk", None), ("handler", "it")):
            assert await find(desk.as_(role, department), q) == [], (role, q)


@pytest.mark.parametrize("few", [searching.FEW, 0], ids=["looked up", "met in order"])
async def test_pages_of_several_words_go_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("services.desk.store.searching.FEW", few)
    made = [await desk.case(text=f"水杯 {n % 2} 占座") for n in range(12)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"q": "占座 1 杯", "limit": 2, "cursor": cursor}
        body = (await desk.as_("coordinator").get("/api/cases", params=asked)).json()
        seen += [item["feedback_id"] for item in body["items"]]
        cursor = body["next"]
    assert seen == sorted(made[1::2])


@pytest.mark.parametrize(
    ("locale", "only", "all_of_them"),
    [
        ("zh", "只在“待整理”里找了。", "在“全部”里找"),
        ("en", "only.", "Search all cases"),
    ],
)
async def test_a_search_in_a_queue_says_so_and_leads_to_all(
    desk: Desk, locale: str, only: str, all_of_them: str
) -> None:
    office = desk.as_("coordinator")
    await desk.case(text="水杯占座")
    await desk.process(examples.routed(await desk.case(text="水杯还在占座"), "it"))
    headers = {"accept-language": locale}
    for asked in ({"q": "水杯"}, {"q": "水杯", "queue": "triage"}, {"q": "茶壶"}):
        page = await office.get("/desk", params=asked | {"category": "seats"}, headers=headers)
        assert only in page.text
        link = re.search(rf'href="([^"]*)">{all_of_them}<', page.text)
        assert link is not None
        kept = dict(parse_qsl(unescape(link[1]).partition("?")[2]))
        assert kept == {"q": asked["q"], "queue": "all", "category": "seats"}
    for asked in ({"q": "水杯", "queue": "all"}, {"queue": "triage"}):
        page = await office.get("/desk", params=asked, headers=headers)
        assert all_of_them not in page.text


async def test_a_hit_in_the_title_is_marked_there(desk: Desk) -> None:
    await desk.case(title="<i>ＷＩＦＩ 慢</i>", text="x")
    page = (await desk.as_("coordinator").get("/desk?queue=all&q=wifi 慢")).text
    assert "&lt;i&gt;<mark>ＷＩＦＩ 慢</mark>&lt;/i&gt;" in page


async def test_where_a_name_or_a_number_stands_is_said_and_not_shown(desk: Desk) -> None:
    """The list is no look at who the reporter is."""
    feedback_id = await make(desk)
    office = desk.as_("coordinator")
    for q in (PERSON[0], "138-0000 1234", feedback_id, CODE):
        assert (await found(office, q))[feedback_id] == {"in": "private", "snippet": None}
    assert "case.personal_data_read" not in await desk.emitted(feedback_id)


async def test_words_from_before_there_was_an_index_are_in_it_after_the_migration(
    desk: Desk,
) -> None:
    """What the migration writes is what the code would have."""
    one = await desk.in_progress(place="Ｂ１ 自习室")
    text = "Ｗi-Fi 已重启，\n明早再看 ＡＢＣ"
    await desk.do(desk.as_("handler", "space"), one, "note", text=text)
    migration = import_module("services.desk.migrations.versions.0008_finding")
    async with desk.service.transaction() as tx:
        for table, column, source in (
            ("messages", "search", "text"),
            ("words", "search_place", "'Ｂ１ 自习室'"),
        ):
            said = migration._FINDABLE.format(source)
            (row,) = await tx.fetch(f"SELECT {column} AS known, {said} AS made FROM {table}")
            assert row["known"] == row["made"]
