"""A search finds what means the same, beside what has the words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from services.desk.api import searching
from services.desk.jobs import meaning as jobs
from shared.security import code_hash
from tests.fakes.embedder import Compass
from tests.patience import PATIENCE
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.finding import found

CUP = "三层东区217一上午都是一个水杯占着"
SNATCH = "有人代人抢座，管不管"
HOGGING = "People keep seat hogging with bags on level 3"
COLD = "三层空调不制冷，热"


@pytest.fixture
def compass(desk: Desk) -> Compass:
    compass = desk.service.deps.meaning.embedder = Compass()
    return compass


async def town(desk: Desk) -> dict[str, str]:
    made = {t: await desk.case(text=t) for t in (CUP, SNATCH, HOGGING, COLD)}
    await jobs.embed_waiting(desk.service)
    return made


async def where(who: Any, q: str, **more: Any) -> dict[str, str]:
    return {one: hit["in"] for one, hit in (await found(who, q, **more)).items()}


async def test_words_find_what_is_said_in_other_words_and_languages(
    desk: Desk, compass: Compass
) -> None:
    made = await town(desk)
    office = desk.as_("coordinator")
    seats = {made[CUP]: "meaning", made[SNATCH]: "meaning", made[HOGGING]: "meaning"}
    assert await where(office, "占座") == seats
    assert await where(office, "抢座") == seats | {made[SNATCH]: "title"}
    assert await where(office, "too hot") == {made[COLD]: "meaning"}
    page = await office.get("/desk", params={"queue": "all", "q": "占座"})
    assert "意思相近" in page.text


@pytest.mark.parametrize("q", ["zhanzuo", "站座", "zhan zuo", "hoging seats"])
async def test_pinyin_and_slips_are_read_as_they_were_meant_and_it_is_said(
    desk: Desk, compass: Compass, q: str
) -> None:
    made = await town(desk)
    office = desk.as_("coordinator")
    answer = (await office.get("/api/cases", params={"q": q})).json()
    assert {one["feedback_id"] for one in answer["items"]} == set(made.values()) - {made[COLD]}
    read = answer["read_as"]
    page = await office.get("/desk", params={"queue": "all", "q": q})
    assert f"也按“{read}”找了" in page.text
    # What holds the very word it was read as is found by that, and marked.
    very = await desk.case(text="占座的人太多，hogging seats 也不管")
    by_word = await where(office, "占座")
    assert await where(office, q) == by_word | dict.fromkeys(by_word.keys() & {very}, "title")
    page = await office.get("/desk", params={"queue": "all", "q": q})
    assert "<mark>" in page.text
    assert "read_as" not in (await office.get("/api/cases", params={"q": "占座"})).json()


@pytest.mark.parametrize(
    ("q", "written", "other"),
    [
        ("洗手液", "一楼没有洗手液", "首页打不开"),
        ("取消", "怎么取消预约", "有人取笑我"),
        ("zhanzuo", "zhanzuo de ren tai duo", "有人占座"),
    ],
)
async def test_what_stands_somewhere_as_it_is_written_is_not_read_otherwise(
    desk: Desk, compass: Compass, q: str, written: str, other: str
) -> None:
    one, unlike = await desk.case(text=written), await desk.case(text=other)
    await jobs.embed_waiting(desk.service)
    office = desk.as_("coordinator")
    for queue in ("all", "alarm"):
        body = (await office.get("/api/cases", params={"q": q, "queue": queue})).json()
        assert "read_as" not in body
        ids = [item["feedback_id"] for item in body["items"]]
        assert unlike not in ids
        assert (one in ids) == (queue == "all")
    page = await office.get("/desk", params={"queue": "all", "q": q})
    assert "也按“" not in page.text


async def test_what_is_read_otherwise_goes_on_with_the_word_on_the_next_page(
    desk: Desk, compass: Compass
) -> None:
    ids = {await desk.case(text=f"占座第{n}回，管不管") for n in "一二三四五六"}
    office, shown, cursor = desk.as_("coordinator"), set(), ""
    for _ in range(4):
        more = {"cursor": cursor} if cursor else {}
        body = (await office.get("/api/cases", params={"q": "zhanzuo", "limit": 3} | more)).json()
        assert body["read_as"] == "占座"
        shown |= {one["feedback_id"] for one in body["items"]}
        if not (cursor := body["next"]):
            break
    assert shown == ids


@pytest.mark.parametrize(
    "text", ["😀😀😀😀", "=cmd|' /C calc'!A0", "﷽﷽﷽", "\ue000\ue001", "!!! ???"]
)
async def test_what_has_no_words_is_near_to_nothing(
    desk: Desk, compass: Compass, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(compass, "direction", lambda _: (1.0,) + (0.0,) * 7)
    one, two = await desk.case(text=text), await desk.case(text="讲座的报名页打不开")
    await jobs.embed_waiting(desk.service)
    office = desk.as_("coordinator")
    found = await where(office, "怎么参加讲座报名")
    assert (one in found, two in found) == (False, True)
    like = (await office.get(f"/api/cases/{two}/similar")).json()["items"]
    assert one not in [item["feedback_id"] for item in like]


async def test_without_a_model_words_are_read_and_other_words_known_and_it_is_said(
    desk: Desk,
) -> None:
    made = {t: await desk.case(text=t) for t in (CUP, SNATCH, HOGGING, COLD)}
    await jobs.embed_waiting(desk.service)
    office = desk.as_("coordinator")
    for q in ("抢座", "zhanzuo"):
        body = (await office.get("/api/cases", params={"q": q})).json()
        assert {one["feedback_id"] for one in body["items"]} == set(made.values()) - {made[COLD]}
        assert (body["by_words"], body.get("read_as")) == (True, "占座" if q == "zhanzuo" else None)
    page = await office.get("/desk", params={"queue": "all", "q": "抢座"})
    assert "意思相近的现在查不了，这次只按字和事物找" in page.text


async def test_only_what_one_may_see_and_asked_for_is_found(desk: Desk, compass: Compass) -> None:
    made = await town(desk)
    await desk.process(
        *(examples.routed(one, "it") for t, one in made.items() if t != HOGGING),
        examples.routed(made[HOGGING], "space"),
    )
    assert list(await where(desk.as_("handler", "space"), "占座")) == [made[HOGGING]]
    office = desk.as_("coordinator")
    assert list(await where(office, "占座", department="space")) == [made[HOGGING]]
    assert await where(office, "占座", queue="mine") == {}
    assert await where(desk.as_("clerk"), "占座") == {}


async def test_a_page_holds_no_more_than_asked_for_and_the_next_goes_on_with_the_words(
    desk: Desk, compass: Compass
) -> None:
    words = [await desk.case(text=f"占座第{n}回，管不管") for n in "一二三四五六"]
    made = await town(desk)
    office = desk.as_("coordinator")
    first = (await office.get("/api/cases", params={"q": "占座", "limit": 6})).json()
    assert len(first["items"]) <= 6
    ids = [one["feedback_id"] for one in first["items"]]
    rest = await office.get("/api/cases", params={"q": "占座", "limit": 6, "cursor": first["next"]})
    ids += [one["feedback_id"] for one in rest.json()["items"]]
    assert len(ids) == len(set(ids))
    assert set(words) <= set(ids)
    assert made[COLD] not in ids


@pytest.mark.parametrize(
    "q", ["13800001234", "11010519491231002X", "?", "王小明", "7K3M-9QXA-0BCD-EFGH-2345"]
)
async def test_what_names_a_person_or_case_is_not_asked_of_the_model(
    desk: Desk, compass: Compass, q: str
) -> None:
    await desk.case(text="证件忘在阅览室了")
    await jobs.embed_waiting(desk.service)
    compass.asked.clear()
    assert await found(desk.as_("coordinator"), q) == {}
    assert compass.asked == []


async def test_a_whole_code_or_id_finds_its_case_and_nothing_near(
    desk: Desk, compass: Compass
) -> None:
    await town(desk)
    # All of it may be letters, which nothing but its last ones tells from words.
    for code in ("EFNZ-RDDX-CFPC-0PTX-DP5B", desk.service.runtime.signer.tracking_code()):
        one = await desk.case(text="有人占座", code_hash=code_hash(code))
        for typed in (
            code,
            code.replace("-", ""),
            code.replace("-", "").lower(),
            "".join(chr(ord(c) + 0xFEE0) for c in code),
            code.replace("-", "\u2011"),
        ):
            compass.asked.clear()
            assert await found(desk.as_("coordinator"), typed) == {
                one: {"in": "private", "snippet": None}
            }, typed
            assert compass.asked == []
    one = await desk.case(feedback_id="0199abcd-efab-7cde-8fab-cdefabcdefab", text="占座")
    for typed in (one, one.replace("-", ""), one.replace("-", " "), one.upper()):
        assert list(await found(desk.as_("coordinator"), typed)) == [one], typed
        assert compass.asked == []


@pytest.mark.parametrize(
    "typed",
    [
        "7K3M 9QXA 0BCD EFGH 23AB",
        "7k3m9 qxa0b cdefg h23ab",
        "７Ｋ３Ｍ　９ＱＸＡ　０ＢＣＤ　ＥＦＧＨ　２３ＡＢ",
        "0199a bcdef ab7cd e8fab cdefa bcdef ab",
    ],
)
async def test_a_code_with_a_slip_in_it_finds_nothing_near_and_is_said_to_be_nobody_s(
    desk: Desk, compass: Compass, typed: str
) -> None:
    await town(desk)
    compass.asked.clear()
    office = desk.as_("coordinator")
    body = (await office.get("/api/cases", params={"q": typed})).json()
    assert (body["items"], body["no_such_code"]) == ([], True)
    assert compass.asked == []
    asked = {"queue": "all", "q": typed}
    assert "没有哪一件的查询码或编号是这个" in (await office.get("/desk", params=asked)).text
    english = await office.get("/desk", params=asked | {"lang": "en"})
    assert "No case has this code or number." in english.text


async def test_a_question_asked_again_is_not_asked_of_the_model(
    desk: Desk, compass: Compass
) -> None:
    made = await town(desk)
    compass.asked.clear()
    for _ in range(3):
        assert await where(desk.as_("coordinator"), "抢座")
    assert compass.asked == ["抢座"]
    compass.away = True
    assert set(await where(desk.as_("coordinator"), "抢座")) == set(made.values()) - {made[COLD]}


async def test_a_vector_that_is_late_is_there_the_next_time(desk: Desk, compass: Compass) -> None:
    await town(desk)
    slow, meaning = asyncio.Event(), desk.service.deps.meaning
    compass.waits_for = slow
    assert await meaning.of("占座", within=0.01) is None
    assert await meaning.of("占座", within=0.01) is None
    slow.set()
    assert await meaning.of("占座", within=PATIENCE) == compass.direction("占座")
    assert compass.asked.count("占座") == 1
    assert not meaning.embedder.notices()


async def test_where_a_thing_is_named_a_list_does_not_wait_long_for_its_vector(
    desk: Desk, compass: Compass, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, slow = await town(desk), asyncio.Event()
    monkeypatch.setattr(searching, "WITHIN", PATIENCE)
    compass.waits_for = slow
    office = desk.as_("coordinator")
    late = (await office.get("/api/cases", params={"q": "占座"})).json()
    assert late["by_words"] is True
    named = {made[CUP], made[SNATCH], made[HOGGING]}
    assert {one["feedback_id"] for one in late["items"]} == named
    # Where none is named it is waited for: nothing else finds them.
    asked = asyncio.create_task(office.get("/api/cases", params={"q": "导盲犬进馆"}))
    await asyncio.sleep(0)
    slow.set()
    assert "by_words" not in (await asked).json()


async def test_without_model_or_extension_words_are_found_as_before(
    desk: Desk, compass: Compass
) -> None:
    made = await town(desk)
    compass.away = True
    office = desk.as_("coordinator")
    # What they name is known without a model; what it means is not, and the page says so.
    seats = {made[CUP]: "meaning", made[HOGGING]: "meaning"}
    assert await where(office, "抢座") == seats | {made[SNATCH]: "title"}
    assert await where(office, "上午都是") == {made[CUP]: "title"}
    answer = await office.get("/api/cases", params={"q": "抢座"})
    assert answer.json()["by_words"] is True
    page = await office.get("/desk", params={"queue": "all", "q": "抢座"})
    assert "这次只按字和事物找" in page.text
    assert "by_words" not in (await office.get("/api/cases")).json()
    compass.away, desk.service.deps.meaning.indexed = False, False
    assert set(await where(desk.as_("coordinator"), "占座")) == {
        made[CUP],
        made[SNATCH],
        made[HOGGING],
    }


async def test_the_nearest_are_found_through_their_index(desk: Desk, compass: Compass) -> None:
    await town(desk)
    async with desk.service.engine.begin() as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        await connection.execute(text("SET LOCAL enable_sort = off"))
        rows = await connection.execute(
            text(
                "EXPLAIN SELECT c.* FROM cases c JOIN meanings USING (feedback_id) WHERE "
                f"meanings.model = '{await _stamp(desk)}' ORDER BY meanings.vector::halfvec(8) "
                "<=> CAST(:v AS real[])::halfvec(8) LIMIT 3"
            ),
            {"v": [1.0] * 8},
        )
        assert "meanings_nearest_" in "\n".join(row[0] for row in rows)


async def _stamp(desk: Desk) -> str:
    async with desk.service.engine.connect() as connection:
        return (await connection.execute(text("SELECT model FROM meanings LIMIT 1"))).scalar_one()
