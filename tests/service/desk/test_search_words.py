"""Search by words: wherever they stand in a case, and what the page says of it."""

from __future__ import annotations

import re
from html import unescape
from importlib import import_module
from urllib.parse import parse_qsl

import pytest

from services.desk.store import searching
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.finding import PERSON, find, found, make


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


async def test_marks_around_words_and_what_stands_beside_a_number_keep_nothing_from_being_found(
    desk: Desk,
) -> None:
    one = await desk.case(text="三层西区 217 座一上午都是一个水杯占着，推荐书单里没有")
    office = desk.as_("coordinator")
    for q in (
        "“水杯”",
        '"水杯"',
        "「水杯」",
        "水杯？",
        "书单！",
        "217座",
        "三层217",
        "２１７座",
        "“水杯” 217座",
    ):
        assert list(await found(office, q)) == [one], q
    assert await found(office, "218座") == {}
    page = (await office.get("/desk", params={"queue": "all", "q": "“水杯”"})).text
    assert "<mark>水杯</mark>" in page


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
