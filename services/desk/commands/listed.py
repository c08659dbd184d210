"""Departments, categories, and whose replies are read first."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Annotated

import typer

from services.desk.app import build
from services.desk.store import CategoryRow, DepartmentRow
from services.desk.store import people as accounts
from services.desk.store.closing import left_in_category, left_with_department
from services.desk.store.posts import check_names, same_name
from services.desk.store.review_rules import codes_of, rules, set_rule
from shared.cli import with_service
from shared.contracts.vocabulary import Priority
from shared.messaging.transaction import Transaction
from shared.privacy import masked
from shared.process import say
from shared.service import Service
from shared.settings import refuse

_Said = tuple[str, str]
"""The same in Chinese and in English."""
_CLOSED: _Said = ("已停用", "closed")
_ALREADY: _Said = ("早已停用，没有改动", "closed before; nothing was changed")
_AS_IT_WAS: _Said = ("没有改动", "as it was; nothing was changed")


def add_department(
    code: Annotated[str, typer.Argument(help="short ASCII code, e.g. archives")],
    zh: Annotated[str, typer.Argument(help="Chinese name; not needed with --close")] = "",
    en: Annotated[str, typer.Argument(help="English name; not needed with --close")] = "",
    close: Annotated[bool, typer.Option("--close", help="it takes no more work")] = False,
) -> None:
    """Add a department; rename one, or open it again; close one (CODE --close).

    What was done is said, and with --close what stays there.
    """
    _check_listed(code, zh, en, names=not close)

    _run(lambda tx: change_department(tx, code, zh, en, close=close))


def add_category(
    code: Annotated[str, typer.Argument(help="short ASCII code, e.g. seats")],
    zh: Annotated[str, typer.Argument(help="Chinese name; not needed with --close")] = "",
    en: Annotated[str, typer.Argument(help="English name; not needed with --close")] = "",
    department: Annotated[
        str, typer.Argument(help="code of the department that owns it; not needed with --close")
    ] = "",
    rule: Annotated[str, typer.Option(help="the rule replies cite; - for none")] = "",
    close: Annotated[bool, typer.Option("--close", help="nothing new is put into it")] = False,
) -> None:
    """Add a category; rename one, open it again, or give it to another department; close one
    (CODE --close).

    What was done is said, and with --close what stays there.
    """
    _check_listed(code, zh, en, names=not close)
    if not close and not department:
        refuse("DEPARTMENT: the code of the department that owns it, please")
    if close and rule:
        refuse("--rule: what is closed is changed in nothing else; one at a time, please")

    _run(lambda tx: change_category(tx, code, zh, en, department, rule.strip(), close=close))


async def change_department(tx: Transaction, code: str, zh: str, en: str, *, close: bool) -> str:
    """Add, rename, open again or close it; what was done, and what stays where it was closed."""
    there = await accounts.all_departments(tx)
    row, done, left = there.get(code), _ALREADY, list[_Said]()
    if close:
        check_known(code, there)
        row = there[code]
        _check_called(code, row, zh=zh, en=en)
        if row.active:
            row.active, done = False, _CLOSED
            accounts.list_department(tx, row)
        left = await left_with_department(tx, code)
    else:
        await check_names(tx, DepartmentRow, code, zh, en)
        new = {"zh": zh.strip(), "en": en.strip(), "active": True}
        done = _difference(row, new)
        row = row or DepartmentRow(code=code, zh="", en="")
        if done != _AS_IT_WAS:
            accounts.list_department(tx, row.sqlmodel_update(new))
    return _with_left(f"{code}: {row.zh} / {row.en}", done, left)


async def change_category(
    tx: Transaction, code: str, zh: str, en: str, department: str, rule: str = "", *, close: bool
) -> str:
    """The same of a category; `rule`: what replies cite from now on, ``-`` for nothing."""
    there = await accounts.all_categories(tx)
    row, done, left = there.get(code), _ALREADY, list[_Said]()
    if close:
        check_known(code, there)
        row = there[code]
        _check_called(code, row, zh=zh, en=en, department=department)
        if row.active:
            row.active, done = False, _CLOSED
            accounts.list_category(tx, row)
        left = await left_in_category(tx, code)
    else:
        await check_department(tx, department, "DEPARTMENT")
        await check_names(tx, CategoryRow, code, zh, en)
        new = {"zh": zh.strip(), "en": en.strip(), "department": department, "active": True}
        if rule:
            new["rule"] = None if rule == "-" else rule
        done = _difference(row, new)
        row = row or CategoryRow(code=code, zh="", en="", department=department)
        if done != _AS_IT_WAS:
            accounts.list_category(tx, row.sqlmodel_update(new))
    return _with_left(f"{code}: {row.zh} / {row.en}, {row.department}", done, left)


def require_review(
    category: Annotated[str, typer.Option(help="code of a category")] = "",
    priority: Annotated[str, typer.Option(help="P1 to P4")] = "",
    department: Annotated[str, typer.Option(help="code of a department")] = "",
    off: Annotated[bool, typer.Option("--off", help="no more")] = False,
    reason: Annotated[str, typer.Option(help="why; kept with it")] = "",
) -> None:
    """Have replies read by somebody else first, for what is dispatched or corrected from now on."""
    given = {"category": category, "priority": priority, "department": department}
    chosen = [(kind, code) for kind, code in given.items() if code]
    if len(chosen) != 1:
        refuse("one of --category, --priority and --department, please")
    kind, code = chosen[0]
    if kind == "priority" and code not in list(Priority):
        refuse(f"--priority: choose from {', '.join(Priority)}")

    async def change(tx: Transaction) -> str:
        codes = (await codes_of(tx))[kind]
        if off:  # also of what was closed since
            codes += [row.code for row in await rules(tx) if row.kind == kind]
        check_known(code, codes, f"--{kind}")
        await set_rule(tx, kind, code, on=not off, reason=masked(reason.strip()) or None)
        return f"{kind} {code}: replies are {'not ' if off else ''}read by somebody else first"

    _run(change)


def _run(change: Callable[[Transaction], Awaitable[str]]) -> None:
    """Make a change in one transaction, and say what it says once that is committed."""

    async def work(service: Service) -> None:
        await service.connect()
        await service.check_database()
        async with service.transaction() as tx:
            done = await change(tx)
        say(done)

    with_service(build, work)


def check_known(code: str, there: Collection[str], argument: str = "CODE") -> None:
    """Refuse a code that is none of these: a slip would change nothing, and say that it had."""
    if code not in there:
        refuse(f"{argument}: there is no {code!r}; choose from {', '.join(sorted({*there}))}")


async def check_department(tx: Transaction, code: str, argument: str) -> None:
    """Refuse what is no department that takes work."""
    there = await accounts.all_departments(tx)
    check_known(code, [each for each, row in there.items() if row.active], argument)


def _check_listed(code: str, zh: str, en: str, *, names: bool) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,31}", code):
        refuse("CODE: 2 to 32 lower-case letters, digits or underscores")
    if names and not (zh.strip() and en.strip()):
        refuse("ZH, EN: both names, please")


def _check_called(code: str, row: DepartmentRow | CategoryRow, **given: str) -> None:
    """Whoever names what is closed means what is called so: closing changes no name."""
    for field, value in given.items():
        if value.strip() and not same_name(value, called := getattr(row, field)):
            refuse(
                f"{field.upper()}: {code} has {called!r} there, not {value!r}; nothing was closed. "
                "With --close the code is enough"
            )


def _difference(row: DepartmentRow | CategoryRow | None, new: Mapping[str, object]) -> _Said:
    """What these values make of it, in words."""
    if row is None:
        return "新增", "added"
    changed: list[_Said] = [] if row.active else [("重新启用", "opened again")]
    before = row.model_dump()
    if (before["zh"], before["en"]) != (new["zh"], new["en"]):
        called = f"{row.zh} / {row.en}"
        changed.append((f"改名，原为 {called}", f"renamed, it was {called}"))
    if (owner := before.get("department")) != new.get("department"):
        changed.append((f"改由该部门负责，原为 {owner}", f"given to it, it was with {owner}"))
    if "rule" in new and before["rule"] != new["rule"]:
        changed.append(("改了引用的规定", "another rule is cited"))
    return _joined("；", "; ", changed) if changed else _AS_IT_WAS


def _with_left(what: str, done: _Said, left: Iterable[_Said]) -> str:
    minds = [f"注意：{zh} | mind: {en}" for zh, en in left]
    return "\n".join([f"{what}: {done[0]} | {done[1]}", *minds])


def _joined(between_zh: str, between_en: str, said: list[_Said]) -> _Said:
    return between_zh.join(zh for zh, _ in said), between_en.join(en for _, en in said)
