"""Statements that are written together: many tables, one round trip."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Fetch = Callable[..., Awaitable[list[Any]]]
"""Runs a statement with its values: `Transaction.fetch`."""
_PARAMETER = re.compile(r"\$(\d+)")


class Insert:
    """An INSERT `into` a table, of the columns that `types` names, and what follows `then`.

    Made once for each table: of several rows a column is an array; one row goes without, in half
    of the time here and in the database.
    """

    def __init__(self, into: str, types: Mapping[str, str], then: str = "") -> None:
        columns = ", ".join(f'"{name}"' for name in types)
        numbered = [f"${n}::{kind}" for n, kind in enumerate(types.values(), 1)]
        row, arrays = ", ".join(numbered), ", ".join(f"{one}[]" for one in numbered)
        self.of_many = (
            f"INSERT INTO {into} ({columns}) SELECT * FROM unnest({arrays}) {then}".rstrip()
        )
        self.of_one = f"INSERT INTO {into} ({columns}) VALUES ({row}) {then}".rstrip()


@dataclass(frozen=True, slots=True)
class Statement:
    """What is inserted: the columns, each of scalars and at least of one.

    It asks no other table of the batch."""

    insert: Insert
    values: Sequence[Sequence[Any]]

    @property
    def is_of_one(self) -> bool:
        """Whether it is a single row."""
        return len(self.values[0]) == 1


class Column:
    """Values of one column, none of them an array, as asyncpg takes an array parameter.

    It goes through a list twice: to ask of each value, by two abstract classes, whether it holds
    others, which costs four times what writing it does; then to write. There is nothing to see the
    first time. A driver that went through it once only would send fewer values than it said, which
    PostgreSQL refuses.
    """

    __slots__ = ("_asked", "_values")

    def __init__(self, values: Sequence[Any]) -> None:
        self._values, self._asked = values, False

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        if self._asked:
            return iter(self._values)
        self._asked = True
        return iter(())


async def write(fetch: Fetch, statements: Sequence[Statement]) -> None:
    """Run all `statements` as one.

    All see the tables as they were before: no two may touch the same row, and what deletes runs
    on its own before.
    """
    if not statements:
        return
    # Not for each table by itself: the driver remembers a hundred texts, and there are many tables.
    single = all(s.is_of_one for s in statements[:-1])
    parts, values = [], []
    for s in statements:
        one = single and s.is_of_one
        parts.append((s.insert.of_one if one else s.insert.of_many, len(s.values)))
        values += [column[0] if one else Column(column) for column in s.values]
    await fetch(_combined(tuple(parts)), *values)


# The same tables are written again and again: the text stays the same, so that the driver finds
# its prepared statement.
@lru_cache(maxsize=512)
def _combined(parts: tuple[tuple[str, int], ...]) -> str:
    *before, (last, _) = parts
    offset, named = 0, []
    for n, (text, parameters) in enumerate(before):
        named.append(f"w{n} AS ({_shifted(text, offset)})")
        offset += parameters
    return (f"WITH {', '.join(named)} " if named else "") + _shifted(last, offset)


def _shifted(text: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", text)
