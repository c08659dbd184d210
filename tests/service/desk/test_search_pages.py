"""The order of what a search finds: page by page, and as comparing each case has it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from services.desk.domain import Viewer, sees, sees_contact, sees_words
from services.desk.domain.promises import rank_not_open
from services.desk.domain.search import pattern, pattern_private
from services.desk.store import case_of, finding, searching
from services.desk.store.tables import CaseRow
from shared.contracts.vocabulary import Role
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.finding import PHONE
from tests.support import id_at


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
