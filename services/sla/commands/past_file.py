"""A file of past cases, read twice: what its columns are and how they write dates, then rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from services.sla.domain.departments import DepartmentNames
from services.sla.domain.past_columns import DATES, Column, candidates, first_free, named
from services.sla.domain.past_dates import DateColumn, UnreadableDate, When, read_date
from services.sla.domain.replaying import Odd, PastCase, priority_of
from shared.contracts.vocabulary import Priority
from shared.settings import refuse
from shared.spreadsheets import Table, open_table

EVERY = 50_000
"""Rows between two words of progress."""

_ENDS = (
    "whoever ends on the day that is due is in time, hours are counted to the beginning of the day"
)
_OF_DAYS = {
    Column.RECEIVED: "promises and hours are counted from the beginning of the day",
    Column.RESPONDED: _ENDS,
    Column.CLOSED: _ENDS,
    Column.DUE: "a day that is due lasts until its end",
}
"""What is made of a day, by what it is the day of."""

Tell = Callable[[str], None]


@dataclass(slots=True)
class PastRow:
    """One row, read."""

    line: int
    id: str
    department: str
    """As it is written there; the case has our code, where it is ours."""
    is_ours: bool
    priority: str
    case: PastCase
    odd: list[Odd]
    unreadable: list[str]
    """``column: value`` of what is no date."""


@dataclass(slots=True)
class _Order:
    """What speaks for the month, or the day, standing first where both would be possible."""

    odd: int = 0
    """Rows that would end before they began."""
    span: timedelta = timedelta()

    def take(self, begin: object, end: object, *, month_first: bool) -> None:
        try:
            first = read_date(begin, month_first=month_first)
            last = read_date(end, month_first=month_first)
        except UnreadableDate:
            self.odd += 1
            return
        if first is not None and last is not None:
            self.odd += first.after(last)
            self.span += abs(last.at - first.at)

    @property
    def rank(self) -> tuple[int, timedelta]:
        return self.odd, self.span


@dataclass(slots=True)
class PastFile:
    """Which column is which; `rows` reads them."""

    path: Path
    how: str
    header: tuple[str, ...]
    columns: dict[Column, int]
    dates: dict[int, DateColumn]
    total: int
    departments: DepartmentNames
    notes: list[str] = field(default_factory=list)
    """What was guessed or decided, in words."""

    @classmethod
    def look_through(
        cls,
        path: Path,
        given: Mapping[Column, str],
        departments: DepartmentNames,
        *,
        tell: Tell,
    ) -> PastFile:
        """Read all of it once. Ends the process with a sentence where a column is missing."""
        table = open_table(path)
        wanted = {column: _given(table, column, name) for column, name in given.items() if name}
        taken = set(wanted.values())
        possible = {
            column: [wanted[column]]
            if column in wanted
            else [index for index in candidates(table.header, column) if index not in taken]
            for column in Column
        }
        looked = {index: DateColumn() for column in DATES for index in possible[column]}
        begins = possible[Column.RECEIVED][:1]
        ends = [
            possible[c][0] for c in (Column.CLOSED, Column.RESPONDED, Column.DUE) if possible[c]
        ]
        orders = {True: _Order(), False: _Order()}
        total = 0
        for _, row in _with_progress(table, "looking through", tell):
            total += 1
            for index, column in looked.items():
                if index < len(row):
                    column.look(row[index])
            if begins and ends and _ambiguous(row, (begins[0], ends[0])):
                for month_first, order in orders.items():
                    order.take(row[begins[0]], row[ends[0]], month_first=month_first)
        columns = _decide(table.header, possible, wanted, looked)
        if Column.RECEIVED not in columns:
            refuse(
                f"{path}: no column of the receipt was found; name it with --received. "
                f"There are: {', '.join(name for name in table.header if name)}"
            )
        found = cls(path, table.how, table.header, columns, looked, total, departments)
        found._note(given, possible)
        found._settle_orders(orders)
        return found

    @property
    def named(self) -> dict[str, str]:
        """``{what: name of the column}``."""
        return {column.value: self.header[index] for column, index in self.columns.items()}

    def rows(self, *, tell: Tell) -> Iterator[PastRow]:
        """Every row that is not blank, in the order of the file."""
        columns = self.columns
        separate = Column.RESPONDED in columns and Column.CLOSED in columns
        for line, row in _with_progress(open_table(self.path), "judged", tell, self.total):
            odd: list[Odd] = []
            unreadable: dict[Column, str] = {}
            when = {column: self._date(row, column, unreadable) for column in DATES}
            if unreadable:
                odd.append(Odd.UNREADABLE)
            priority = self._text(row, Column.PRIORITY)
            known = priority_of(priority)
            if known is None:
                odd.append(Odd.PRIORITY)
            department = self._text(row, Column.DEPARTMENT)
            code = self.departments.code_of(department)
            case = PastCase(
                received=when[Column.RECEIVED],
                responded=when[Column.RESPONDED],
                closed=when[Column.CLOSED],
                due=when[Column.DUE],
                department=code or department,
                priority=known or Priority.P3,
                separate=separate,
                unreadable=frozenset(unreadable),
            )
            yield PastRow(
                line=line,
                id=self._text(row, Column.ID),
                department=department,
                is_ours=code is not None,
                priority=priority,
                case=case,
                odd=odd,
                unreadable=list(unreadable.values()),
            )

    def _date(
        self, row: Sequence[object], column: Column, unreadable: dict[Column, str]
    ) -> When | None:
        index = self.columns.get(column)
        if index is None or index >= len(row):
            return None
        try:
            return self.dates[index].read(row[index])
        except UnreadableDate:
            unreadable[column] = f"{self.header[index]}: {str(row[index])[:40]!r}"
            return None

    def _text(self, row: Sequence[object], column: Column) -> str:
        index = self.columns.get(column)
        if index is None or index >= len(row) or row[index] is None:
            return ""
        value = row[index]
        # A workbook keeps the number of a case as 101004113298.0.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str(value).strip()

    def _note(self, given: Mapping[Column, str], possible: Mapping[Column, list[int]]) -> None:
        taken = set(self.columns.values())
        for column, index in self.columns.items():
            name = self.header[index]
            if not given.get(column):
                self.notes.append(f"{column.value}: column {name!r}, by its name")
                others = [i for i in possible[column] if i not in taken and self.header[i] != name]
                if others:
                    more = ", ".join(repr(self.header[i]) for i in others)
                    self.notes.append(f"{column.value}: not read, though its name fits: {more}")
            if (n := self.header.count(name)) > 1 and not given.get(column, "").isdigit():
                self.notes.append(
                    f"{column.value}: {n} columns are called {name!r}; number {index + 1} is read "
                    f"(name another by its number)"
                )
        for column in (Column.RESPONDED, Column.CLOSED, Column.DUE):
            if column not in self.columns:
                self.notes.append(f"{column.value}: no such column")

    def _settle_orders(self, orders: Mapping[bool, _Order]) -> None:
        """Whether the month or the day stands first, column by column."""
        mine = {i: self.dates[i] for c, i in self.columns.items() if c in DATES}
        certain = Counter(c.certain for c in mine.values() if c.certain is not None)
        whats = {index: column for column, index in self.columns.items()}
        for index, column in mine.items():
            both = column.ambiguous or column.first_above_12 or column.second_above_12
            name = self.header[index]
            for kind, n in column.guessed.items():
                self.notes.append(f"{name!r}: {kind}: {n} of {column.readable} values")
            if column.days or (column.all_midnight and column.readable):
                n = column.readable if column.all_midnight else column.days
                some = "" if n == column.readable else f" ({n} of {column.readable} values)"
                self.notes.append(f"{name!r}: days without a time{some}; {_OF_DAYS[whats[index]]}")
            if not both:
                continue
            if column.certain is not None:
                column.month_first, why = column.certain, "other values leave no choice"
            elif certain:
                column.month_first, why = certain.most_common(1)[0][0], "as the other columns"
            elif orders[True].rank != orders[False].rank:
                column.month_first = orders[True].rank < orders[False].rank
                why = "so fewer cases end before they begin, or take unlikely long"
            else:
                column.month_first, why = True, "nothing in the file decides it"
            words = "month/day/year" if column.month_first else "day/month/year"
            self.notes.append(f"{name!r}: read as {words}: {why}")
            if column.first_above_12 and column.second_above_12:
                self.notes.append(f"{name!r}: some values fit only the other order; see odd rows")


def _given(table: Table, column: Column, name: str) -> int:
    index = named(table.header, name)
    if index is None:
        refuse(
            f"--{column.value}: there is no column {name!r}. "
            f"There are: {', '.join(one for one in table.header if one)}"
        )
    return index


def _decide(
    header: Sequence[str],
    possible: Mapping[Column, list[int]],
    wanted: Mapping[Column, int],
    looked: Mapping[int, DateColumn],
) -> dict[Column, int]:
    """For each what it is: given, or the likeliest whose values are what they should be."""
    found: dict[Column, int] = dict(wanted)
    for column in Column:
        if column in found:
            continue
        fitting = [
            index
            for index in possible[column]
            if column not in DATES or looked[index].readable >= looked[index].unreadable
        ]
        index = first_free(fitting, found.values())
        if index is not None:
            found[column] = index
    return {column: found[column] for column in Column if column in found}


def _ambiguous(row: Sequence[object], indices: tuple[int, int]) -> bool:
    return all(index < len(row) and isinstance(row[index], str) and row[index] for index in indices)


def _with_progress(
    table: Table, doing: str, tell: Tell, total: int = 0
) -> Iterator[tuple[int, list[object]]]:
    number = 0
    for number, (line, row) in enumerate(table.rows, 1):
        if not number % EVERY:
            share = number / total if total else table.read()
            tell(f"{doing}: {number:,} rows ({min(share, 1):.0%})")
        yield line, list(row)
    tell(f"{doing}: {number:,} rows")
