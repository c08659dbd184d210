"""What happens once or twice in the months, so that its pages have something to show."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.demo.days import EXAMS, Day, end_of
from services.demo.doing import OFFICE, Town
from services.demo.entrances import Said
from services.demo.letters import letter
from services.demo.lives import Life

_ADMIN = "admin"
_HOURS = "09:00-12:30, 14:00-18:00"
"""In those weeks: later, and as many."""
_LOOKS = 8
_THEME_FROM = 5
"""So many cases of one topic make the office call it a theme."""


async def two_matters(town: Town, at: datetime, stock: dict[str, Any], number: int) -> None:
    """One letter about two things: the office splits it, and each goes its own way."""
    rng = random.Random(f"split {number}")
    await town.schedule.outside(at)
    both = letter(rng, stock["parts"][0]["topic"], stock["text"])
    written = await town.asking.ask(
        "POST", "/api/feedback", {"text": both.text}, address=town.asking.address()
    )
    feedback_id = str(written.json()["feedback_id"])
    town.counts["submitted"] += 1
    await town.schedule.until(town.schedule.clock.now(), heard=True)
    parts = [{"text": part["text"]} for part in stock["parts"]]
    whole = await town.asking.act(OFFICE, feedback_id, "split", parts=parts)
    if whole is None:
        return
    town.counts["split"] += 1
    lives = []
    # The code leads to both, and each is spoken of on its page alone: these reporters only read.
    for part, child in zip(stock["parts"], whole["children"], strict=True):
        own = random.Random(f"split {number} {part['topic']}")
        about = letter(own, part["topic"], part["text"])
        lives.append(Life(town, Said(child, ""), about, own).live())
    for life in lives:
        town.schedule.begin(life)


async def exam_weeks(town: Town, days: list[Day]) -> None:
    """The administrator enters the weeks of exams: looks at what would move, then publishes."""
    asking, schedule = town.asking, town.schedule
    await schedule.until(days[0].at(9, 40))
    edit = {
        "action": "period",
        "kind": "exam",
        "name": "考试周",
        "name_en": "Examination weeks",
        "first": EXAMS.isoformat(),
        "last": end_of(days).date().isoformat(),
        "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), _HOURS),
        "reason": "考试周作息",
    }
    begun = await asking.staff(_ADMIN, "POST", "/api/sla/calendar/preview", edit)
    if begun is None:
        return
    path = f"/api/sla/trials/{begun['trial']}"
    for _ in range(_LOOKS):
        await schedule.until(schedule.clock.now(), heard=True)
        shown = await asking.staff(_ADMIN, "GET", path)
        if shown is None or shown["finished"]:
            break
    done = await asking.staff(_ADMIN, "POST", f"{path}/publish")
    town.counts["exam weeks"] += done is not None


async def theme(
    town: Town, days: list[Day], planned: dict[str, Any], cases: Callable[[str], list[str]]
) -> None:
    """What comes up again and again: the office puts the cases together, and does something about
    it. `days` are when it looks at them, on the first it decides; `cases` of a topic so far."""
    first, *later = days
    asking, schedule = town.asking, town.schedule
    await schedule.until(first.at(16, 20), heard=True)
    known = cases(planned["topic"])
    if len(known) < _THEME_FROM:
        return
    words = {name: planned[name] for name in ("title", "about")}
    begun = await asking.staff(OFFICE, "POST", "/api/themes", words | {"feedback_ids": known})
    if begun is None:
        return
    path = f"/api/themes/{begun['theme_id']}"
    town.counts["themes"] += 1
    if planned["measure"]:
        measure = planned["measure"] | {"on": first.date.isoformat()}
        await asking.staff(OFFICE, "POST", f"{path}/measures", measure)
    for day in later:
        await schedule.until(day.at(16, 20), heard=True)
        found = cases(planned["topic"])
        new, known = found[len(known) :], found
        if new:
            await asking.staff(OFFICE, "POST", f"{path}/cases", {"feedback_ids": new})
