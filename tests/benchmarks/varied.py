"""Words, places and people of their own for copied cases: a search finds few of them, or one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from services.desk.domain.search import findable, findable_private
from shared.security import code_hash

CORPUS = Path(__file__).parents[1] / "unit" / "routing" / "letters.jsonl"
RARE, COMMON, WORD = "龘", "书", "还书"
"""A letter that stands in three cases; one, and a word, that stand in many."""
WORD_OF_FEW = "借书"
"""A word that more than a page of 1,000 cases hold, and no more than sixteen; it names a thing like
the other, by which cases are looked for as well."""
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
_FLOORS = "一二三四五六七"
_SIDES = ("东区", "西区", "南区", "北区")


def phone(n: int) -> str:
    """The telephone of the reporter of case number `n`."""
    return f"1{30 + n * 7 % 70}{n * 104_729 % 100_000_000:08}"


def place(n: int) -> str:
    """Where case number `n` was seen."""
    return f"{_FLOORS[n % 7]}层{_SIDES[n // 7 % 4]}{n}座"


def words(n: int) -> str:
    """What is said in case number `n` alone."""
    return f"我是第{n}位读者"


def code(n: int) -> str:
    """The tracking code of case number `n`."""
    digits = f"{n:020}"
    return "-".join(digits[i : i + 4] for i in range(0, 20, 4))


def _person(n: int) -> str:
    return _SURNAMES[n % 20] + _GIVEN[n // 20 % 20] + _GIVEN[n // 400 % 20]


async def vary(connection: asyncpg.Connection) -> list[str]:
    """Give each case words, a place, a name and a telephone of its own; ids in the order of `n`.

    Quickest where the tables have no indexes, as in `seeding.without_indexes`."""
    lines = CORPUS.read_text("utf-8").splitlines()
    letters = [str(json.loads(line)["text"])[:300] for line in lines]
    found = await connection.fetch("SELECT feedback_id FROM cases ORDER BY feedback_id")
    ids = [str(row["feedback_id"]) for row in found]
    rows = []
    for n, feedback_id in enumerate(ids):
        rare = RARE if n in (len(ids) // 4, len(ids) // 2, len(ids) * 3 // 4) else ""
        text = f"{letters[n % len(letters)]}{words(n)}。{rare}"
        who = _person(n)
        rows.append(
            (
                feedback_id,
                text[:40],
                text,
                findable(text[:40], text),
                place(n),
                findable(place(n)),
                json.dumps({"name": who, "phone": phone(n)}),
                findable_private(who, phone(n)),
                code_hash(code(n)),
            )
        )
    await _put(connection, rows)
    return ids


async def _put(connection: asyncpg.Connection, rows: Sequence[tuple[str, ...]]) -> None:
    names = (
        *("id", "title", "text", "search", "place", "search_place", "contact", "search_person"),
        "code_hash",
    )
    columns = ", ".join(f"{name} text" for name in names)
    await connection.execute(f"CREATE TEMP TABLE given ({columns})")
    await connection.copy_records_to_table("given", records=rows, columns=names)
    await connection.execute("ANALYZE given")
    await connection.execute(
        "UPDATE cases c SET title = g.title, place = g.place, code_hash = g.code_hash FROM given g "
        "WHERE c.feedback_id = g.id"
    )
    await connection.execute(
        "UPDATE words w SET title = g.title, text = g.text, search = g.search,"
        " search_place = g.search_place FROM given g WHERE w.feedback_id = g.id"
    )
    await connection.execute(
        "UPDATE private p SET contact = g.contact::jsonb, search_person = g.search_person"
        " FROM given g WHERE p.feedback_id = g.id"
    )
    await connection.execute(
        "INSERT INTO private (feedback_id, title, text, contact, search_words, search_person) "
        "SELECT id, '', '', contact::jsonb, '', search_person FROM given g"
        " WHERE NOT EXISTS (SELECT FROM private p WHERE p.feedback_id = g.id)"
    )
    await connection.execute("DROP TABLE given")
