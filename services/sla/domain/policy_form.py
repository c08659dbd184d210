"""The table of promises as people type it: lengths of time, percentages, whom a row is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from services.sla.domain.policy import DIMENSIONS, Policy, QuietHours, Row, parse_allowance
from services.sla.domain.policy_check import ROW_NAME
from shared.contracts.refusal import Unacceptable
from shared.contracts.vocabulary import Clock, Role
from shared.nfkc import nfkc

CLOCKS = tuple(c for c in Clock if c not in (Clock.FOLLOW_UP, Clock.APPEAL))
"""The columns of the table; the others stand among the defaults."""
DEFAULTS = (Clock.REVIEW, Clock.FOLLOW_UP, Clock.APPEAL)
MOST_ROWS = 40
_COLUMNS = ("name", *CLOCKS, "note", "warn", "escalate", *DIMENSIONS)
_OF_COLUMN = {"progress_note": "note"}

_DURATION = re.compile(
    r"(\d{1,4}(?:\.\d{1,2})?)\s*(?:个\s*)?"
    r"(分钟|分|min|minutes?|m|工作小时|小时|h|hours?|工作日|天|wd|working days?|days?|d)\s*+"
    r"(\(?\s*(?:不分昼夜|全天|24x7|24×7|24/7|day and night|round the clock)\s*\)?)?",
    re.I,
)
_UNITS = {
    "分": "min",
    "m": "min",
    "小": "h",
    "h": "h",
    "工": "wd",
    "天": "wd",
    "w": "wd",
    "d": "wd",
}
_HOURS = re.compile(r"(\d{1,2})[:.点](\d{2})?\s*(?:[-–—~至到]|to)\s*(\d{1,2})[:.点](\d{2})?", re.I)
_NO_NIGHT = {"starts": "00:00", "ends": "00:00"}
_NONE = frozenset(("", "-", "–", "—", "无", "none"))


def read_duration(text: str, *, field: str) -> str | None:
    """`5 个工作日`, `4 小时（不分昼夜）`, `30min` as the policy writes it; None: not promised.

    Raises Unacceptable, which names `field`."""
    plain = nfkc(text).strip()
    if plain.lower() in _NONE:
        return None
    if (match := _DURATION.fullmatch(plain)) is not None:
        unit = "h" if match[2] == "工作小时" else _UNITS[match[2][0].lower()]
        code = f"{match[1]}{unit}{' 24x7' if match[3] else ''}"
        try:
            parse_allowance(code)
        except ValueError:
            pass
        else:
            return code
    raise _wrong(
        field,
        f"“{text}” 不是时长。请写成 30 分钟、4 小时、2 个工作日；"
        "夜里和假期也算的，写 4 小时（不分昼夜）。",
        f"“{text}” is not a length of time. Write 30 min, 4 h or 2 working days; where nights and "
        "holidays count, 4 h (day and night).",
    )


def read_night(text: str, *, field: str) -> dict[str, str] | None:
    """`21:00–7:30`, `21点到7点`; None: left empty. Raises Unacceptable."""
    plain = nfkc(text).strip()
    if plain.lower() in _NONE:
        return None
    match = _HOURS.fullmatch(plain)
    found = [int(n or 0) for n in match.groups()] if match else []
    if match is None or max(found[0], found[2]) > 23 or max(found[1], found[3]) > 59:
        raise _wrong(
            field,
            f"“{text}” 不是一段时间。请写成 21:00–07:30；不要就留空。",
            f"“{text}” is no stretch of time. Write 21:00–07:30, or leave it empty for none.",
        )
    starts, ends = (f"{found[n]:02}:{found[n + 1]:02}" for n in (0, 2))
    return {"starts": starts, "ends": ends}


def night_code(hours: Mapping[str, str] | None) -> str | None:
    """`21:00–07:30`; None: no hours."""
    if not hours or hours["starts"] == hours["ends"]:
        return None
    return f"{hours['starts']}–{hours['ends']}"


def read_percents(text: str, *, field: str) -> list[int]:
    """`50%, 75%`. Raises Unacceptable."""
    return [_percent(part, field) for part in parts(text)]


def read_escalations(text: str, roles: Mapping[str, str], *, field: str) -> list[dict[str, Any]]:
    """`75% 部门负责人, 100% leader`; `roles` are names of roles as people read them → codes.

    Raises Unacceptable."""
    found = []
    for part in parts(text):
        match = re.fullmatch(r"(\d{1,4}\s*%?)\s*(.+)", part)
        name = match[2].strip().casefold() if match else ""
        role = roles.get(name) or (name if name in Role._value2member_map_ else None)
        if match is None or role is None:
            heads = [n for n, code in roles.items() if code == Role.REVIEWER] or ["reviewer"]
            raise _wrong(
                field,
                f"“{part}” 读不懂：请写成“75% {heads[0]}”。",
                f"“{part}” cannot be read: write “75% {heads[-1]}”.",
            )
        found.append({"at": _percent(match[1], field), "to": role})
    return found


def read_table(form: Mapping[str, str], roles: Mapping[str, str]) -> dict[str, Any]:
    """The whole table as its form was filled in: `rows`, `defaults`, `reopened_percent`, `quiet`.

    Raises Unacceptable; whether it is a policy at all says `Policy`."""
    rows: dict[str, Any] = {}
    for number in filled_rows(form):
        at = f"r{number}"
        name = form.get(f"{at}.name", "").strip()
        if form.get(f"{at}.drop"):
            continue
        if not name:
            raise _wrong(f"{at}.name", "请写名称。", "Please give it a name.")
        if name in rows or not ROW_NAME.fullmatch(name):
            raise _wrong(
                f"{at}.name",
                f"“{name}” 不能作行名：用字母、数字、- 和 _，不要重复。",
                f"“{name}” cannot name a row: letters, digits, - and _, each name once.",
            )
        rows[name] = _row(form, at, roles)
    defaults = {
        clock.value: duration
        for clock in DEFAULTS
        if (duration := read_duration(form.get(f"default.{clock}", ""), field=f"default.{clock}"))
    }
    percent = form.get("reopened_percent", "50").strip() or "50"
    table = {
        "rows": rows,
        "defaults": defaults,
        "reopened_percent": _percent(percent, "reopened_percent"),
    }
    if "quiet" in form:
        quiet = read_night(form["quiet"], field="quiet") or _NO_NIGHT
        own = read_night(form.get("quiet_p1", ""), field="quiet_p1")
        table["quiet"] = quiet | {"p1": own}
    return table


def filled_rows(form: Mapping[str, str]) -> list[int]:
    """The numbers of the rows in which something stands."""
    return [
        n
        for n in range(MOST_ROWS)
        if any(form.get(f"r{n}.{column}", "").strip() for column in _COLUMNS)
    ]


def fields_of(form: Mapping[str, str], errors: Mapping[str, str]) -> dict[str, str]:
    """What is wrong by field of the form, where it is by place in the body: `rows.P3.warn` →
    `r2.warn`. A place that is in no field keeps its name."""
    rows = {form[f"r{n}.name"].strip(): f"r{n}" for n in range(MOST_ROWS) if form.get(f"r{n}.name")}
    return {_field(where, rows): said for where, said in errors.items()}


def _field(where: str, rows: Mapping[str, str]) -> str:
    match where.split("."):
        case ["rows", name] if name in rows:
            return f"{rows[name]}.name"
        case ["rows", name, "clocks" | "when", column, *_] if name in rows:
            return f"{rows[name]}.{column}"
        case ["rows", name, column, *_] if name in rows:
            return f"{rows[name]}.{_OF_COLUMN.get(column, column)}"
        case ["defaults", clock, *_]:
            return f"default.{clock}"
        case ["quiet", "p1", *_]:
            return "quiet_p1"
        case ["quiet", *_]:
            return "quiet"
    return where


def differences(before: Policy, after: Policy) -> dict[str, dict[str, tuple[Any, Any]]]:
    """Row → column → what stood there and what does; of whole rows all their columns."""
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    for name in (*before.rows, *(n for n in after.rows if n not in before.rows)):
        old, new = (_cells(p.rows.get(name)) for p in (before, after))
        changed = {
            column: (old.get(column), new.get(column))
            for column in (*old, *(c for c in new if c not in old))
            if old.get(column) != new.get(column)
        }
        if changed:
            found[name] = changed
    defaults = {
        clock.value: (before.defaults.get(clock), after.defaults.get(clock))
        for clock in Clock
        if before.defaults.get(clock) != after.defaults.get(clock)
    }
    if before.reopened_percent != after.reopened_percent:
        defaults["reopened_percent"] = (
            f"{before.reopened_percent}%",
            f"{after.reopened_percent}%",
        )
    old, new = _quiet_cells(before.quiet), _quiet_cells(after.quiet)
    defaults |= {name: (old[name], new[name]) for name in old if old[name] != new[name]}
    return found | ({"": defaults} if defaults else {})


def _quiet_cells(quiet: QuietHours) -> dict[str, str | None]:
    said = quiet.model_dump()
    return {"quiet": night_code(said), "quiet_p1": night_code(said["p1"])}


def _cells(row: Row | None) -> dict[str, Any]:
    """What stands in a row, column by column; durations by their codes."""
    if row is None:
        return {}
    cells: dict[str, Any] = {clock.value: text for clock, text in row.clocks.items()}
    if row.progress_note:
        cells["progress_note"] = row.progress_note
    if row.escalate:
        cells["escalate"] = [(e.at, e.to.value) for e in row.escalate]
    cells["warn"] = list(row.warned_at)
    if row.when is not None:
        cells["when"] = row.when.model_dump(mode="json", exclude_defaults=True)
    return cells


def _row(form: Mapping[str, str], at: str, roles: Mapping[str, str]) -> dict[str, Any]:
    clocks = {
        clock.value: duration
        for clock in CLOCKS
        if (duration := read_duration(form.get(f"{at}.{clock}", ""), field=f"{at}.{clock}"))
    }
    when = {d: values for d in DIMENSIONS if (values := parts(form.get(f"{at}.{d}", "")))}
    warn = form.get(f"{at}.warn", "").strip()
    return {
        "clocks": clocks,
        "progress_note": read_duration(form.get(f"{at}.note", ""), field=f"{at}.note"),
        "escalate": read_escalations(form.get(f"{at}.escalate", ""), roles, field=f"{at}.escalate"),
        "warn": read_percents(warn, field=f"{at}.warn") if warn else None,
        "when": when or None,
    }


def _percent(text: str, field: str) -> int:
    match = re.fullmatch(r"(\d{1,4})\s*%?", text.strip())
    if match is None:
        raise _wrong(field, f"“{text}” 不是百分数。", f"“{text}” is no percentage.")
    return int(match[1])


def parts(text: str) -> list[str]:
    """What stands in a field between commas."""
    plain = nfkc(text)
    return [part for part in (p.strip() for p in re.split(r"[,;、\n]", plain)) if part]


def _wrong(field: str, zh: str, en: str) -> Unacceptable:
    return Unacceptable(zh, en, errors={field: f"{zh} | {en}"})
