"""A library's own history in a table: which column is which, and whose each letter was."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

from services.routing.domain.model import NOT_OURS
from shared.nfkc import nfkc


class Column(StrEnum):
    """What a column can be; the values are the options of the command."""

    TEXT = "text"
    DEPARTMENT = "department"
    TITLE = "title"
    CATEGORY = "category"
    TIME = "time"


# The likeliest first; compared without case, blanks and signs.
_NAMES = {
    Column.TEXT: """
        text content body message description comment letter question feedback details 内容 正文
        来信内容 信件内容 反馈内容 留言内容 诉求内容 问题内容 咨询内容 问题描述 描述 留言 诉求
        意见 问题
    """,
    Column.DEPARTMENT: """
        department department_name dept dept_name owner unit team handled_by responsible_department
        部门 承办单位 承办部门 办理单位 办理部门 责任部门 责任单位 处理部门 处理单位 主办单位
        主办部门 受理部门 受理单位 答复部门 答复单位 回复部门 回复单位 所属部门 归属部门 单位
    """,
    Column.TITLE: """
        title subject headline summary 标题 主题 题目 信件标题 来信标题 名称
    """,
    Column.CATEGORY: """
        category topic class subcategory 类别 分类 类型 问题类别 问题类型 诉求类型 业务类别
    """,
    Column.TIME: """
        received_at received time date created_at created submitted_at submitted open_dt
        来信时间 来信日期 受理时间 受理日期 提交时间 提交日期 创建时间 收到时间 收到日期 留言时间
        写信时间 登记时间 时间 日期
    """,
}
_KNOWN = {column: names.split() for column, names in _NAMES.items()}
_NOT_OURS = """
    not_ours notours not_the_library elsewhere other_unit others 非本馆 不属于本馆 非图书馆 非馆内
    馆外 校内其他单位 其他单位 外单位 不归图书馆
"""
_ENDINGS = re.compile(r"(部|部门|中心|室|办公室|科|组|department|dept|office|team|unit|division)$")
LONGEST = 4_000
FEWEST = 4
"""Characters of a letter that say anything."""


def plainly(name: str) -> str:
    """Without case, blanks and signs."""
    return re.sub(r"[\W_]+", "", nfkc(name).casefold())


def columns_of(header: Sequence[str], given: Mapping[Column, str]) -> dict[Column, int]:
    """Which column is which, those that are `given` by name or number (from 1) first.

    KeyError for one that is given and not there.
    """
    plain = [plainly(name) for name in header]
    found: dict[Column, int] = {}
    for column, name in given.items():
        if not name:
            continue
        if plainly(name) in plain:
            found[column] = plain.index(plainly(name))
        elif name.isdigit() and 1 <= int(name) <= len(header):
            found[column] = int(name) - 1
        else:
            raise KeyError(name)
    for column in Column:
        wanted = [plainly(name) for name in _KNOWN[column]]
        exact = [plain.index(name) for name in wanted if name in plain]
        within = [at for name in wanted if len(name) > 1 for at, p in enumerate(plain) if name in p]
        free = [at for at in (*exact, *within) if at not in found.values()]
        if column not in found and free:
            found[column] = free[0]
    return found


class Owners:
    """Departments by whatever they are called: code, name in Chinese or English, or as told."""

    def __init__(
        self,
        departments: Mapping[str, tuple[str, ...]],
        told: Mapping[str, str],
        categories: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._exact: dict[str, str] = {plainly(name): NOT_OURS for name in _NOT_OURS.split()}
        full: dict[str, set[str]] = {}
        short: dict[str, set[str]] = {}
        for code, names in departments.items():
            for name in (code, *names[:2]):
                full.setdefault(plainly(name), set()).add(code)
                short.setdefault(_ENDINGS.sub("", plainly(name)), set()).add(code)
        own = {plainly(code): code for code in departments}
        said = {plainly(name): code for name, code in told.items()}
        self._short = {name: of.copy().pop() for name, of in short.items() if len(of) == 1}
        self._exact |= {name: of.copy().pop() for name, of in full.items() if len(of) == 1}
        self._exact |= own | said
        self._several = {
            name: tuple(sorted(of))
            for name, of in full.items()
            if len(of) > 1 and name not in own | said
        }
        self._categories = {
            plainly(name): code
            for code, names in categories.items()
            for name in (code, *names[:2])
            if name
        }

    def owner(self, name: str) -> str | None:
        """The department of that name, ``not_ours``, or None: of none, or of `several`."""
        plain = plainly(name)
        if self.several(name):
            return None
        found = self._exact.get(plain) or self._exact.get(plain.removeprefix("图书馆"))
        return found or self._short.get(_ENDINGS.sub("", plain.removeprefix("图书馆")))

    def several(self, name: str) -> tuple[str, ...]:
        """The departments, where more than one is called exactly so: none of them is guessed."""
        plain = plainly(name)
        return self._several.get(plain) or self._several.get(plain.removeprefix("图书馆"), ())

    def category(self, name: str) -> str | None:
        """The category of that name, or None."""
        return self._categories.get(plainly(name))


@dataclass(frozen=True, slots=True)
class Past:
    """A letter of the past, not yet masked."""

    line: int
    title: str
    text: str
    owner: str
    category: str | None
    at: datetime | None


@dataclass(slots=True)
class Understood:
    """What was made of a file."""

    letters: list[Past] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    """Names that are no department here → rows."""
    ambiguous: Counter[tuple[str, tuple[str, ...]]] = field(default_factory=Counter)
    """Names that several departments here have, with their codes → rows."""
    odd: dict[str, list[int]] = field(default_factory=dict)
    """What is wrong → the lines; these rows are left out."""
    doubtful: dict[str, list[int]] = field(default_factory=dict)
    """What is unusual → the lines; these rows count."""
    again: list[int] = field(default_factory=list)
    """Lines whose words a later letter of the file says again: that one counts."""
    how: str = ""
    """How the file was read: encoding and separator, or the name of the sheet."""
    unreadable: int = 0
    """Places of the file that are no text in that encoding."""
    _orders: set[str] = field(default_factory=set)
    _undated: list[tuple[int, object]] = field(default_factory=list)

    @property
    def owners(self) -> Counter[str]:
        """Department → letters."""
        return Counter(one.owner for one in self.letters)

    def take(
        self,
        line: int,
        row: Sequence[object],
        columns: Mapping[Column, int],
        owners: Owners,
        *,
        now: datetime,
    ) -> None:
        """Take a row into account; what is later than `now` is odd."""
        cells = {column: _cell(row, at) for column, at in columns.items()}
        text = str(cells.get(Column.TEXT) or "").strip()
        name = str(cells.get(Column.DEPARTMENT) or "").strip()
        if len(text) < FEWEST:
            self.odd.setdefault("no text", []).append(line)
            return
        if not name:
            self.odd.setdefault("no department", []).append(line)
            return
        owner = owners.owner(name)
        if owner is None and (codes := owners.several(name)):
            self.ambiguous[name[:60], codes] += 1
            self.odd.setdefault("a name of several departments", []).append(line)
            return
        if owner is None:
            self.unknown[name[:60]] += 1
            self.odd.setdefault("no such department", []).append(line)
            return
        if len(text) > LONGEST:
            self._doubt(f"longer than {LONGEST} characters: the beginning counts", line)
        cell = cells.get(Column.TIME)
        at = moment_of(cell)
        if order := day_first(cell):
            self._orders.add(order)
        if at is None and Column.TIME in columns:
            self._undated.append((len(self.letters), cell))
        elif at is not None and at > now + timedelta(days=1):
            self._doubt("a date that is still to come: taken as it is", line)
        self.letters.append(
            Past(
                line=line,
                title=str(cells.get(Column.TITLE) or "").strip()[:200],
                text=text[:LONGEST],
                owner=owner,
                category=owners.category(str(cells.get(Column.CATEGORY) or "")),
                at=at,
            )
        )

    def in_order(self) -> list[Past]:
        """The oldest first. What has no date goes with the row above it, or the first that has."""
        moments = [one.at for one in self.letters if one.at is not None]
        if not moments:
            return self.letters
        known, dated = moments[0], []
        for one in self.letters:
            known = one.at or known
            dated.append(replace(one, at=known))
        return sorted(dated, key=lambda one: (one.at, one.line))

    def settle(self) -> None:
        """Once all rows are known: dates that others of the file say how to read; and the same
        words count once, as the later letter says it; in `again` are the others."""
        order = next(iter(self._orders)) if len(self._orders) == 1 else None
        for index, cell in self._undated:
            one = self.letters[index]
            at = moment_of(cell, order)
            self.letters[index] = replace(one, at=at)
            if at is None:
                self._doubt("no date that can be read: taken with the row above", one.line)
        latest = {_words(one): one.line for one in self.in_order()}
        kept = set(latest.values())
        self.again = sorted(one.line for one in self.letters if one.line not in kept)
        self.letters = [one for one in self.letters if one.line in kept]

    def _doubt(self, what: str, line: int) -> None:
        self.doubtful.setdefault(what, []).append(line)


_CLOCK = r"(?:\D{1,2}(\d{1,2}):(\d{2}))?"
_WRITTEN = re.compile(r"(\d{4})\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})" + _CLOCK)
_TOGETHER = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?:\D?(\d{2}):?(\d{2}))?(?!\d)")
_YEAR_LAST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})" + _CLOCK)
_LOCAL = timezone(timedelta(hours=8))
_SERIALS = range(30_000, 80_000)
"""Days since 1900, as a workbook has them where a cell is not said to be a date."""


def moment_of(cell: object, order: str | None = None) -> datetime | None:
    """When that is, with the year first as it is written nearly everywhere, also ``20250303``; or
    last where day and month cannot be taken for each other, or other rows said their `order`
    (`day_first`); None otherwise.

    Only the order of letters depends on it.
    """
    if isinstance(cell, datetime):
        return cell if cell.tzinfo else cell.replace(tzinfo=_LOCAL)
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day, tzinfo=_LOCAL)
    if isinstance(cell, int | float) and not isinstance(cell, bool) and cell in _SERIALS:
        return datetime(1899, 12, 30, tzinfo=_LOCAL) + timedelta(days=int(cell))
    written = str(cell or "").strip()
    if match := _YEAR_LAST.match(written):
        one, other, year, *clock = match.groups()
        order = day_first(written) or order
        # 02/03/2025 is March in one country and February in another.
        if order == "day" or one == other:
            return _moment(year, other, one, *clock)
        if order == "month":
            return _moment(year, one, other, *clock)
        return None
    if match := _TOGETHER.match(written) or _WRITTEN.search(written):
        return _moment(*match.groups())
    return None


def day_first(cell: object) -> str | None:
    """Of a date with the year last which comes first, ``day`` or ``month``; None where both may."""
    match = _YEAR_LAST.match(str(cell or "").strip())
    if match is None or max(int(match[1]), int(match[2])) <= 12:
        return None
    return "day" if int(match[1]) > 12 else "month"


def _moment(*parts: str | None) -> datetime | None:
    try:
        return datetime(*(int(part or 0) for part in parts), tzinfo=_LOCAL)  # type: ignore[misc, arg-type]
    except ValueError:
        return None


def _words(one: Past) -> tuple[str, str]:
    return plainly(one.title) or one.title, plainly(one.text) or one.text


def _cell(row: Sequence[object], at: int) -> object:
    return row[at] if at < len(row) else None
