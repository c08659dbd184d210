"""Sums that a transaction adds to: counted in memory, written once, by differences.

The table has a key of any columns, and one number or more. Adding commutes, so that transactions
need not lock anything first; rows are written in key order, so that two of them cannot deadlock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

from shared.db import table_of
from shared.messaging.statements import Insert, Statement

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


@cache
def _numbers(row_class: type[SQLModel]) -> list[str]:
    table = table_of(row_class)
    return [c.name for c in table.columns if not c.primary_key]


@cache
def _insert(row_class: type[SQLModel]) -> Insert:
    table = table_of(row_class)
    key = [c.name for c in table.primary_key.columns]
    columns = [*key, *_numbers(row_class)]
    added = ", ".join(f'"{c}" = t."{c}" + EXCLUDED."{c}"' for c in _numbers(row_class))
    return Insert(
        f'"{table.name}" AS t',
        {c: table.columns[c].type.compile(_DIALECT) for c in columns},
        f"ON CONFLICT ({', '.join(f'{chr(34)}{c}{chr(34)}' for c in key)}) DO UPDATE SET {added}",
    )


class CounterDeltas:
    """What a transaction adds to the sums of `row_class`, whose key columns make the keys."""

    def __init__(self, row_class: type[SQLModel]) -> None:
        self._class = row_class
        self.table = str(row_class.__tablename__)
        self._sums: list[Counter[tuple[Any, ...]]] = [Counter() for _ in _numbers(row_class)]

    def add(self, counts: Mapping[tuple[Any, ...], int], times: int = 1, *, to: int = 0) -> None:
        """Add `counts`, by key in the order of the key columns, so many `times` (-1: take off).

        `to` says to which of the numbers, in the order of their columns.
        """
        sums = self._sums[to]
        for key, n in counts.items():
            sums[key] += n * times

    def take_writes(self) -> list[Statement]:
        """The differences in one statement; afterwards there are none."""
        keys = sorted({key for sums in self._sums for key, n in sums.items() if n})
        rows = [(*key, *(sums[key] for sums in self._sums)) for key in keys]
        for sums in self._sums:
            sums.clear()
        if not rows:
            return []
        return [Statement(_insert(self._class), [list(c) for c in zip(*rows, strict=True)])]
