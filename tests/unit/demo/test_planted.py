"""What is planted once: the office makes a theme of what comes up again and again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from services.demo.days import Day, days_of
from services.demo.doing import Town
from services.demo.letters import stock
from services.demo.planted import theme
from services.sla.domain.calendars import LIBRARY, Calendars
from services.sla.seeds import load_calendar


class Office:
    """Remembers what it was asked, and when."""

    def __init__(self) -> None:
        self.now: datetime | None = None
        self.asked: list[tuple[date, str, dict[str, Any]]] = []

    async def until(self, at: datetime, *, heard: bool = False) -> None:
        self.now = at

    async def staff(self, who: str, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert self.now is not None
        self.asked.append((self.now.date(), path, body))
        return {"theme_id": "t"}


async def planted(planned: dict[str, Any], by_day: dict[date, int], days: list[Day]) -> Office:
    """The office's course while so many cases of the topic had come by each day."""
    office: Any = Office()
    town = Town(office, office, Calendars(load_calendar()).named(LIBRARY))

    def cases(topic: str) -> list[str]:
        assert topic == planned["topic"]
        return [f"case {n}" for n in range(by_day[office.now.date()])]

    await theme(town, days, planned, cases)
    found: Office = office
    return found


async def test_a_theme_has_its_cases_its_measure_and_what_came_since() -> None:
    days = [day for day in days_of(load_calendar(), 10) if day.working][:3]
    planned = stock()["themes"][0]
    came = dict(zip((day.date for day in days), (6, 6, 8), strict=True))
    office = await planted(planned, came, days)
    assert [(on, path) for on, path, _ in office.asked] == [
        (days[0].date, "/api/themes"),
        (days[0].date, "/api/themes/t/measures"),
        (days[2].date, "/api/themes/t/cases"),
    ]
    opened, measure, more = (body for _, _, body in office.asked)
    assert len(opened["feedback_ids"]) == 6
    assert (opened["title"], measure["on"]) == (planned["title"], days[0].date.isoformat())
    assert more["feedback_ids"] == ["case 6", "case 7"]


async def test_a_few_are_no_theme_and_not_each_has_a_measure() -> None:
    days = [day for day in days_of(load_calendar(), 10) if day.working][:1]
    planned = stock()["themes"][1]
    assert not (await planted(planned, {days[0].date: 4}, days)).asked
    done = (await planted(planned, {days[0].date: 5}, days)).asked
    assert [path for _, path, _ in done] == ["/api/themes"]
