"""Working hours as a person types them: ``08:30-12:00, 13:30-17:30``; nothing is closed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time

from services.sla.domain.calendars import WEEKDAYS, Week
from services.sla.domain.working_time import Windows
from shared.contracts.refusal import Unacceptable
from shared.nfkc import nfkc

_WINDOW = re.compile(r"(\d{1,2})[:.](\d{2})\s*(?:-|–|—|~|至|到|to)\s*(\d{1,2})[:.](\d{2})", re.I)
_CLOSED = frozenset(("", "-", "–", "—", "休", "休息", "闭馆", "不上班", "closed", "off"))
MOST_WINDOWS = 8


def read_hours(text: str, *, field: str = "hours") -> Windows:
    """The windows of a day. Raises Unacceptable, which names `field`."""
    plain = nfkc(text).strip()
    if plain.lower() in _CLOSED:
        return ()
    found = []
    for part in re.split(
        r"[,;、，；\n]\s*|(?<![\s,;、，；])\s+(?=\d{1,2}[:.]\d{2}\s*[-–—~至到])", plain
    ):
        match = _WINDOW.fullmatch(part.strip())
        if match is None:
            raise _unreadable(text, field)
        opens, closes = (int(match[1]), int(match[2])), (int(match[3]), int(match[4]))
        try:
            found.append((time(*opens), time(0) if closes == (24, 0) else time(*closes)))
        except ValueError:
            raise _unreadable(text, field) from None
    last = time(0)
    for index, (start, end) in enumerate(found):
        to_midnight = end == time(0) and index == len(found) - 1
        if start < last or not (start < end or to_midnight) or len(found) > MOST_WINDOWS:
            raise _unreadable(text, field)
        last = end
    return tuple(found)


def read_week(texts: Mapping[str, str]) -> Week:
    """A week of `mon` to `sun`; days that are closed are left out. Raises Unacceptable."""
    week = {}
    for day in WEEKDAYS:
        if windows := read_hours(texts.get(day.value, ""), field=day.value):
            week[day] = windows
    return week


def hours_text(windows: Windows) -> str:
    """As `read_hours` takes it."""
    return ", ".join(
        f"{opens:%H:%M}-{'24:00' if closes == time(0) else f'{closes:%H:%M}'}"
        for opens, closes in windows
    )


def _unreadable(text: str, field: str) -> Unacceptable:
    return Unacceptable(
        f"“{text}” 不是上班时间。请写成 08:30-12:00, 13:30-17:30，前后不重叠；不上班就留空。",
        f"“{text}” is not working hours. Write 08:30-12:00, 13:30-17:30, in order; "
        "leave it empty for closed.",
        errors={field: "hours"},
    )
