"""One change to the calendar, made by a person: the next version of the book."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.sla.domain.book import LIBRARY, CalendarBook, Weekday
from services.sla.domain.calendar import Windows


def edit_day(
    book: CalendarBook,
    day: date,
    *,
    hours: Windows | None = None,
    counts_as: Weekday | None = None,
    department: str = LIBRARY,
) -> CalendarBook:
    """The book in which `day` has these hours (none: closed), or is worked like that weekday.

    With neither, an earlier entry for the day is taken back. Raises ValueError for hours that
    cannot be.
    """
    body: dict[str, Any] = book.model_dump(mode="json")
    key, year = day.isoformat(), str(day.year)
    unit = body["departments"].setdefault(department, {"days": {}}) if department else body
    unit["days"].pop(key, None)
    if not department:
        notice = body["years"].setdefault(year, {"published": False})
        others = [m for m in notice.get("make_up", []) if m["day"] != key]
        if counts_as is not None:
            others.append({"day": key, "counts_as": counts_as.value})
        notice["make_up"] = sorted(others, key=lambda m: str(m["day"]))
    elif counts_as is not None:
        raise ValueError("a make-up day is the whole library's")
    if hours is not None:
        unit["days"][key] = [[str(opens), str(closes)] for opens, closes in hours]
    body["version"] = book.version + 1
    return CalendarBook.model_validate(body)
