"""On which mornings reports are mailed, by a calendar on the wall."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.tracking.domain.reports import Kind, containing, due_at, next_due, to_make
from services.tracking.wording.report import sections_of
from tests.support import at

LONG_AGO = at("2020-01-01 08:00")
BEIJING = ZoneInfo("Asia/Shanghai")


def periods(now: str, made: tuple[tuple[Kind, str], ...] = (), since: datetime = LONG_AGO) -> list:
    known = {(kind, date.fromisoformat(first)) for kind, first in made}
    return [(one.kind.value, one.first.isoformat()) for one in to_make(at(now), known, since)]


@pytest.mark.parametrize(
    ("kind", "day", "morning"),
    [
        # A week: from Monday to Sunday, mailed on Monday; over the end of a year and of February.
        (Kind.WEEK, "2026-03-04", "2026-03-09 07:30"),
        (Kind.WEEK, "2026-12-31", "2027-01-04 07:30"),
        (Kind.WEEK, "2028-02-29", "2028-03-06 07:30"),
        # A month: mailed on the first, whatever day that is.
        (Kind.MONTH, "2026-02-28", "2026-03-01 07:30"),
        (Kind.MONTH, "2028-02-29", "2028-03-01 07:30"),
        (Kind.MONTH, "2026-12-31", "2027-01-01 07:30"),
        (Kind.MONTH, "2026-04-30", "2026-05-01 07:30"),
        # A term: until the next one begins.
        (Kind.TERM, "2026-02-15", "2026-09-01 07:30"),
        (Kind.TERM, "2026-08-31", "2026-09-01 07:30"),
        (Kind.TERM, "2026-12-31", "2027-02-15 07:30"),
        (Kind.TERM, "2027-02-14", "2027-02-15 07:30"),
    ],
)
def test_a_report_is_mailed_on_the_morning_after(kind: Kind, day: str, morning: str) -> None:
    due = due_at(containing(kind, date.fromisoformat(day))).astimezone(BEIJING)
    assert f"{due:%Y-%m-%d %H:%M}" == morning


def test_it_is_due_from_its_morning_on_and_not_before() -> None:
    made = ((Kind.MONTH, "2026-02-01"), (Kind.TERM, "2025-09-01"))
    assert periods("2026-03-09 07:29", made) == []
    assert periods("2026-03-09 07:30", made) == [("week", "2026-03-02")]
    assert periods("2026-03-09 07:30", (*made, (Kind.WEEK, "2026-03-02"))) == []


def test_who_was_away_for_long_tells_the_latest_of_each_kind_once() -> None:
    made = ((Kind.WEEK, "2025-10-06"), (Kind.MONTH, "2025-09-01"), (Kind.TERM, "2025-02-15"))
    # Ten weeks and three months were missed, and a term ended yesterday.
    assert periods("2026-02-16 09:00", made) == [
        ("week", "2026-02-09"),
        ("month", "2026-01-01"),
        ("term", "2025-09-01"),
    ]
    # A term that ended two months ago is no news.
    assert ("term", "2025-09-01") not in periods("2026-04-20 09:00", made)


def test_what_was_over_before_anything_came_is_nothing_to_tell() -> None:
    assert periods("2026-03-09 09:00", since=at("2026-03-09 08:00")) == []
    assert periods("2026-03-09 09:00", since=at("2026-03-08 23:59")) == [("week", "2026-03-02")]
    assert to_make(at("2026-03-09 09:00"), (), None) == []


def test_the_next_morning_is_said() -> None:
    early, late = at("2026-03-09 07:00"), at("2026-03-09 08:00")
    assert next_due(Kind.WEEK, early).first == date(2026, 3, 2)
    assert next_due(Kind.WEEK, late).first == date(2026, 3, 9)


def test_sentences_are_read_off_the_page() -> None:
    html = (
        "<h2>来了</h2><p>收到 <a href=''>3</a>&#32;件。</p><ul>\n<li>A &lt;b&gt;</li></ul><p></p>"
    )
    (section,) = sections_of(html)
    assert (section.heading, section.sentences) == ("来了", ("收到 3 件。", "A <b>"))
