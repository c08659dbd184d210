"""Near-equal cases, while one is read."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from tests.service.desk import examples
from tests.service.desk.conftest import Desk

COLD = "三层阅览室的空调从昨天下午开始就不制冷了，热得没法看书，请尽快修。"
COPY = "老师您好！三层阅览室的空调从昨天下午就不制冷了，热得没法看书，麻烦尽快修。谢谢"
OTHER = "请问寒假期间三层阅览室开放到几点？"


async def similar(desk: Desk, feedback_id: str, role: str = "coordinator") -> list[dict[str, Any]]:
    department = "space" if role in ("handler", "liaison") else None
    answer = await desk.as_(role, department).get(f"/api/cases/{feedback_id}/similar")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_copy_is_shown_and_another_question_about_the_same_room_is_not(
    desk: Desk,
) -> None:
    one = await desk.case(text=COLD, place="三层")
    copy = await desk.case(text=COPY, place="三层")
    equal = await desk.case(text=COLD)
    await desk.case(text=OTHER, place="三层")
    await desk.case(text=examples.SEATS)
    found = await similar(desk, one)
    assert [i["feedback_id"] for i in found] == [equal, copy]
    assert found[0]["likeness"] == 1.0
    assert (found[1]["same_place"], found[1]["text"]) == (True, COPY)


async def test_what_was_joined_linked_or_refused_is_not_offered_again(desk: Desk) -> None:
    office = desk.as_("coordinator")
    one, joined, linked, refused, old = [await desk.case(text=COLD) for _ in range(5)]
    await desk.do(office, joined, "merge", into=one)
    await desk.do(office, linked, "link", to=one)
    await desk.do(office, refused, "reject", reason="x")
    await desk.do(office, old, "reply", text="好了", outcome="solved")
    assert [i["feedback_id"] for i in await similar(desk, one)] == [old]
    desk.clock.later(days=15)
    await desk.do(desk.as_("coordinator"), old, "close")
    assert await similar(desk, one) == []


async def test_nobody_is_pointed_at_what_they_may_not_see(desk: Desk) -> None:
    one, foreign = await desk.case(text=COLD), await desk.case(text=COLD)
    await desk.process(examples.routed(one, "space"), examples.routed(foreign, "it"))
    assert await similar(desk, one, "handler") == []
    assert len(await similar(desk, one)) == 1
    handler = desk.as_("handler", "space")
    for feedback_id in (foreign, "nothing", "018f0000-0000-7000-8000-000000000000"):
        assert (await handler.get(f"/api/cases/{feedback_id}/similar")).status_code == 404


@pytest.mark.parametrize("words", ["？", "!!!", "👍👍", "%", "a"])
async def test_words_that_say_nothing_are_like_no_others(desk: Desk, words: str) -> None:
    one = await desk.case(text=words)
    await desk.case(text=COLD)
    assert await similar(desk, one) == []


async def test_near_equal_words_are_found_through_their_index(desk: Desk) -> None:
    one = await desk.case(text=COLD)
    async with desk.service.engine.begin() as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        rows = await connection.execute(
            text(
                "EXPLAIN SELECT o.feedback_id FROM words w JOIN words o ON o.search % w.search "
                "WHERE w.feedback_id = :one"
            ),
            {"one": one},
        )
        assert "words_search" in "\n".join(row[0] for row in rows)
