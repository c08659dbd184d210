"""The rows of one table that a transaction holds: read once, changed in memory, written once.

A batch of a hundred events costs one SELECT and one INSERT per table, however the handlers
are written; they see plain row objects and never a statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Generic, TypeVar

from pydantic_core import to_json
from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import configure_mappers
from sqlalchemy.orm.attributes import instance_dict
from sqlmodel import SQLModel

from shared.db import table_of
from shared.messaging.seals import DERIVED, NO_KEY, SEAL, Sealer
from shared.messaging.statements import Fetch, Insert, Statement

Row = TypeVar("Row", bound=SQLModel)
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


Values = dict[str, Any]
"""What a row holds, by column: past the attributes of its class, which cost five times as much.

Rows of a buffer belong to no session, so that nobody asks what was changed in them."""


def values_of(row: SQLModel) -> Values:
    """The columns of a row of a buffer, as a copy that is plain and quick to read."""
    values = dict(instance_dict(row))
    values.pop("_sa_instance_state", None)
    return values


def set_values(row: SQLModel, **values: Any) -> None:
    """Change columns of a row of a buffer, without the bookkeeping of a session it has not got."""
    instance_dict(row).update(values)


class NotLoaded(LookupError):
    """A row was asked for whose case this transaction has not loaded: a bug in the caller."""


class _Plan:
    """The statements of one table, made once."""

    def __init__(self, row_class: type[SQLModel]) -> None:
        self.table = table_of(row_class)
        configure_mappers()
        self.new_instance = inspect(row_class).class_manager.new_instance
        self.key = tuple(c.name for c in self.table.primary_key.columns)
        identity = [c for c in self.table.columns if c.identity is not None]
        self.columns = tuple(c.name for c in self.table.columns if c not in identity)
        fields = row_class.model_fields
        self.defaults = {
            c: fields[c].get_default(call_default_factory=True)
            for c in self.columns
            if not fields[c].is_required() and fields[c].default_factory is None
        }
        self.factories = {
            c: fields[c].default_factory
            for c in self.columns
            if fields[c].default_factory is not None
        }
        self.sealed = SEAL in self.columns
        of = self.table.columns
        self._documents = [n for n, c in enumerate(self.columns) if isinstance(of[c].type, JSONB)]
        # Of one name it would give no tuple; that the first stands there twice harms nobody.
        self._in_order = itemgetter(*self.columns, self.columns[0])
        types = {c.name: c.type.compile(_DIALECT) for c in self.table.columns}
        name = f'"{self.table.name}"'
        columns = ", ".join(f'"{c}"' for c in self.columns)
        written = {c: types[c] for c in self.columns}
        self.insert = Insert(name, written)
        rest = [c for c in self.columns if c not in self.key]
        update = ", ".join(f'"{c}" = EXCLUDED."{c}"' for c in rest)
        key = ", ".join(f'"{c}"' for c in self.key)
        replacing = f"DO UPDATE SET {update}" if rest else "DO NOTHING"
        self.upsert = Insert(name, written, f"ON CONFLICT ({key}) {replacing}")
        of_cases = f"FROM {name} WHERE feedback_id = ANY($1::text[])"
        self.select = f"SELECT {columns} {of_cases}"
        self.as_array = f"ARRAY(SELECT ROW({columns}) {of_cases})"
        self.said = tuple(c for c in self.columns if not c.startswith(DERIVED))
        said = ", ".join(f'"{c}"' for c in self.said)
        self.said_as_array = f"ARRAY(SELECT ROW({said}) {of_cases})"
        pairs = ", ".join(f"${n}::{types[c]}[]" for n, c in enumerate(self.key, 1))
        self.delete = f"DELETE FROM {name} WHERE ({key}) IN (SELECT * FROM unnest({pairs}))"

    def arrays(self, values: Sequence[Values], sealer: Sealer) -> list[tuple[Any, ...]]:
        """The rows as one array per column, the way ``unnest`` takes them."""
        if self.sealed:
            for row in values:
                row[SEAL] = sealer.seal(self.table.name, {c: row.get(c) for c in self.columns})
        try:
            columns = list(zip(*map(self._in_order, values), strict=True))[:-1]
        except KeyError:
            columns = [tuple(v.get(c) for v in values) for c in self.columns]
        for n in self._documents:
            columns[n] = tuple(map(_dump, columns[n]))
        return columns


@cache
def _plan(row_class: type[SQLModel]) -> _Plan:
    return _Plan(row_class)


def _dump(value: Any) -> str | None:
    return None if value is None else to_json(value, fallback=str).decode()


class RowBuffer(Generic[Row]):
    """The rows of `row_class` in one transaction. Rows of a case are found by ``feedback_id``."""

    def __init__(self, row_class: type[Row], fetch: Fetch, sealer: Sealer = NO_KEY) -> None:
        self._plan = _plan(row_class)
        self._class = row_class
        self.table = self._plan.table.name
        self._fetch = fetch
        self._sealer = sealer
        self._rows: dict[tuple[Any, ...], Row] = {}
        self._of: dict[str, dict[tuple[Any, ...], Row]] = {}
        self._dirty: dict[tuple[Any, ...], Values] = {}
        self._deleted: set[tuple[Any, ...]] = set()
        self._added: list[Values] = []

    async def load(self, feedback_ids: Iterable[str]) -> None:
        """Read the rows of these cases, once, in one statement."""
        wanted = self._not_loaded(feedback_ids)
        if wanted:
            self._fill(wanted, await self._fetch(self._plan.select, wanted))

    def _not_loaded(self, feedback_ids: Iterable[str]) -> list[str]:
        return [i for i in dict.fromkeys(feedback_ids) if i not in self._of]

    def _fill(self, feedback_ids: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        for i in feedback_ids:
            self._of.setdefault(i, {})
        columns = self._plan.columns
        new_instance = self._plan.new_instance
        for values in rows:
            row = new_instance()
            # What comes from the table needs neither validation nor the bookkeeping of changes.
            instance_dict(row).update(zip(columns, values, strict=True))
            self._keep(row)

    def get(self, *key: Any) -> Row | None:
        """The row with this primary key, if the case has it."""
        return self._rows.get(key)

    def for_case(self, feedback_id: str) -> list[Row]:
        """All rows of a case; `NotLoaded` when the case was never loaded."""
        if feedback_id not in self._of:
            raise NotLoaded(f"{self._plan.table.name} of {feedback_id}")
        return list(self._of[feedback_id].values())

    def new(self, **values: Any) -> Row:
        """A new row of values that need no validation: a tenth of the price of the class."""
        row = self._plan.new_instance()
        held = instance_dict(row)
        held.update(self._plan.defaults)
        for column, factory in self._plan.factories.items():
            held[column] = factory()  # type: ignore[call-arg, misc]
        held.update(values)
        return row  # type: ignore[no-any-return]

    def upsert(self, row: Row) -> Row:
        """Insert or replace `row` when the transaction commits."""
        self._dirty[self._keep(row)] = instance_dict(row)
        return row

    def upsert_values(self, **values: Any) -> None:
        """Insert or replace this row when the transaction commits, without holding it as one.

        Every column is named. For those who never look at the row again: `new` costs the rest."""
        key = tuple([values[c] for c in self._plan.key])
        self._deleted.discard(key)
        self._dirty[key] = values

    def insert(self, row: Row) -> Row:
        """Insert `row`, which is new, when the transaction commits."""
        self._added.append(instance_dict(row))
        return row

    def delete(self, row: Row) -> None:
        """Delete `row` when the transaction commits."""
        key = self._key(row)
        self._rows.pop(key, None)
        self._of.get(getattr(row, "feedback_id", ""), {}).pop(key, None)
        self._dirty.pop(key, None)
        self._deleted.add(key)

    async def delete_rows(self) -> None:
        """Delete now what is to be deleted: before anything is written in its place."""
        if self._deleted:
            keys = [list(values) for values in zip(*self._deleted, strict=True)]
            await self._fetch(self._plan.delete, *keys)
            self._deleted.clear()

    def take_writes(self) -> list[Statement]:
        """One statement for what is new, one for what may exist; afterwards there is nothing."""
        writes = []
        if self._added:
            writes.append(
                Statement(self._plan.insert, self._plan.arrays(self._added, self._sealer))
            )
            self._added.clear()
        if self._dirty:
            rows = list(self._dirty.values())
            writes.append(Statement(self._plan.upsert, self._plan.arrays(rows, self._sealer)))
            self._dirty.clear()
        return writes

    def _case_of(self, values: Sequence[Any]) -> Any:
        return values[self._plan.columns.index("feedback_id")]

    def _key(self, row: Row) -> tuple[Any, ...]:
        values = instance_dict(row)
        return tuple([values[c] for c in self._plan.key])

    def _keep(self, row: Row) -> tuple[Any, ...]:
        key = self._key(row)
        self._deleted.discard(key)
        self._rows[key] = row
        self._of.setdefault(instance_dict(row).get("feedback_id", ""), {})[key] = row
        return key


async def load_together(
    fetch: Fetch, buffers: Sequence[RowBuffer[Any]], feedback_ids: Iterable[str]
) -> None:
    """Read the rows of these cases from several tables in one round trip."""
    ids = list(feedback_ids)
    wanted = list(dict.fromkeys(i for b in buffers for i in b._not_loaded(ids)))
    if wanted:
        (found,) = await fetch(f"SELECT {', '.join(arrays_of(buffers))}", wanted)
        fill_together(buffers, wanted, found)


async def read_values(
    fetch: Fetch, row_classes: Sequence[type[SQLModel]], feedback_id: str, also: str, *values: Any
) -> tuple[list[list[Values]], Any]:
    """The rows of a case in several tables, without what is derived for the search, and what
    `also` gives (``$1`` is the case in an array, ``$2`` the first of `values`): one round trip.

    For who only reads: no row is made of the values, and no transaction holds them.
    """
    plans = [_plan(c) for c in row_classes]
    arrays = ", ".join(plan.said_as_array for plan in plans)
    ((*found, more),) = await fetch(f"SELECT {arrays}, {also}", [feedback_id], *values)
    tables = [
        [dict(zip(plan.said, row, strict=True)) for row in rows]
        for plan, rows in zip(plans, found, strict=True)
    ]
    return tables, more


def arrays_of(buffers: Sequence[RowBuffer[Any]]) -> tuple[str, ...]:
    """What to SELECT, a column for each buffer, to have its rows of the cases ``$1``."""
    return tuple(b._plan.as_array for b in buffers)


def fill_together(
    buffers: Sequence[RowBuffer[Any]], feedback_ids: Iterable[str], found: Iterable[Any]
) -> None:
    """Take what was `found` of these cases, a column for each buffer; what is held stays."""
    ids = list(feedback_ids)
    for buffer, rows in zip(buffers, found, strict=True):
        missing = set(buffer._not_loaded(ids))
        buffer._fill(missing, (row for row in rows if buffer._case_of(row) in missing))
