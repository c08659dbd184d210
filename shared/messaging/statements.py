"""Statements that are written together: many tables, one round trip."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Fetch = Callable[..., Awaitable[list[Any]]]
"""Runs a statement with its values: `Transaction.fetch`."""
_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """An INSERT with ``$1``, ``$2`` …, and the columns that these are, each of scalars.

    It asks no other table of the batch."""

    text: str
    values: Sequence[Sequence[Any]]


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
    if statements:
        text = _combined(tuple((s.text, len(s.values)) for s in statements))
        await fetch(text, *[Column(values) for s in statements for values in s.values])


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
