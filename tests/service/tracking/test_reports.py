"""What to tell the director: periods, sentences, and the table of cases."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from typing import Any

import pytest

from services.tracking.domain.reports import Kind, containing, latest
from services.tracking.store import export
from services.tracking.store.reading import cases_of
from services.tracking.store.themes import cases_in
from shared.contracts.desk import CaseBreachExplained, CaseCorrected
from shared.contracts.notification import NotificationFailed
from shared.contracts.vocabulary import Clock
from shared.spreadsheets import open_table
from tests.service.tracking.conftest import Web
from tests.support import at, process_batch
from tests.unit.tracking.examples import Story

WEEK = "kind=week&at=2026-03-04"


@pytest.mark.parametrize(
    ("kind", "day", "first", "end"),
    [
        (Kind.WEEK, "2026-03-04", "2026-03-02", "2026-03-09"),
        (Kind.WEEK, "2026-03-02", "2026-03-02", "2026-03-09"),
        (Kind.MONTH, "2026-12-31", "2026-12-01", "2027-01-01"),
        (Kind.MONTH, "2028-02-29", "2028-02-01", "2028-03-01"),
        (Kind.TERM, "2026-01-10", "2025-09-01", "2026-02-15"),
        (Kind.TERM, "2026-02-15", "2026-02-15", "2026-09-01"),
    ],
)
def test_a_period_is_found_by_any_of_its_days(kind: Kind, day: str, first: str, end: str) -> None:
    period = containing(kind, date.fromisoformat(day))
    assert (period.first.isoformat(), period.end.isoformat()) == (first, end)
    assert period.before.end == period.first
    assert period.after.first == period.end


def test_what_is_reported_is_over() -> None:
    # Sunday night in the library is still Sunday afternoon elsewhere.
    assert latest(Kind.WEEK, at("2026-03-08 23:59")).first == date(2026, 2, 23)
    assert latest(Kind.WEEK, at("2026-03-09 00:00")).first == date(2026, 3, 2)


async def test_the_term_that_is_shown_is_one_in_which_something_came(web: Web) -> None:
    none = (await web.get("/api/reports?kind=term", as_="leader")).json()
    assert none["from"].startswith("2026-02-15"), "nothing came at all: the one that runs"
    await process_batch(web.service, *Story().answered("it"))
    now = (await web.get("/api/reports?kind=term", as_="leader")).json()
    assert (now["from"][:10], now["over"], now["totals"]["received"]) == ("2026-02-15", False, 1)
    named = (await web.get("/api/reports?kind=term&at=2026-01-10", as_="leader")).json()
    assert named["from"].startswith("2025-09-01")


async def happened(web: Web) -> None:
    await process_batch(web.service, *Story().answered("it"))
    story = Story()
    explained = story.of(
        CaseBreachExplained,
        department="space",
        clock=Clock.RESOLUTION,
        code="overload",
        text="人手不够",
    )
    worked = story.worked("space")
    await process_batch(web.service, *worked, story.breached(Clock.RESOLUTION), explained)


async def test_a_report_says_what_came_what_broke_and_why(web: Web) -> None:
    await happened(web)
    body = (await web.get(f"/api/reports?{WEEK}", as_="leader")).json()
    assert (body["kind"], body["over"]) == ("week", False)
    assert body["totals"]["received"] == 2
    assert body["breach_reasons"] == {"overload": 1}
    assert {one["key"] for one in body["definitions"]} > {"on_time", "satisfaction"}
    listed = (
        await web.get(
            "/api/dashboard/cases?measure=reasons&detail=overload&from=2026-03-02", as_="leader"
        )
    ).json()
    assert [one["detail_name"] for one in listed["items"]] == ["人手不足"]


async def test_of_what_is_said_about_one_breach_the_last_counts(web: Web) -> None:
    story = Story()

    def explained(code: str, clock: Clock = Clock.RESOLUTION, where: str = "space") -> Any:
        return story.later(hours=1).of(
            CaseBreachExplained, department=where, clock=clock, code=code, text="缺料"
        )

    async def reasons(of: str = "") -> dict[str, int]:
        answer = await web.get(f"/api/dashboard?from=2026-03-02{of}", as_="leader")
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["breach_reasons"])

    await process_batch(
        web.service,
        *story.worked("space"),
        story.breached(Clock.RESOLUTION),
        explained("overload"),
        explained("other"),
        explained("overload", Clock.FIRST_RESPONSE),
    )
    assert await reasons() == {"other": 1, "overload": 1}
    moved = story.of(
        CaseCorrected,
        changed=("category",),
        category="facilities",
        case_type="complaint",
        priority="P3",
        reason="看错了",
    )
    await process_batch(web.service, moved)
    # In another batch, by another department, under another category.
    await process_batch(web.service, explained("oversight", where="it"))
    assert await reasons() == {"oversight": 1, "overload": 1}
    assert await reasons("&department=it") == {"oversight": 1}
    assert await reasons("&category=facilities") == {"oversight": 1}
    await process_batch(web.service, story.breached(Clock.RESOLUTION), explained("overload"))
    assert await reasons() == {"oversight": 1, "overload": 2}
    listed = (
        await web.get("/api/dashboard/cases?measure=reasons&from=2026-03-02", as_="leader")
    ).json()
    assert sorted(one["detail"] for one in listed["items"]) == ["overload", "overload", "oversight"]


@pytest.mark.parametrize(("locale", "said"), [("zh", "收到"), ("en", "received")])
async def test_the_page_says_it_in_sentences(web: Web, locale: str, said: str) -> None:
    await happened(web)
    page = (await web.get(f"/reports?{WEEK}&lang={locale}", as_="leader")).text
    assert ("各算一件" if locale == "zh" else "each of its parts once") in page
    assert 'id="said-received"' in page
    assert said in page
    assert 'id="said-breaches"' in page
    empty = await web.get(f"/reports?kind=month&at=2024-05-05&lang={locale}", as_="leader")
    assert empty.status_code == 200


async def test_a_day_that_is_none_or_lies_ahead_is_no_choice(web: Web) -> None:
    for wrong in ("kind=year", "at=yesterday", "at=2026-03-09", "at=9999-01-01", "at=1999-01-01"):
        answer = await web.get(f"/api/reports?{wrong}", as_="leader")
        assert answer.status_code == 422, wrong


async def test_who_sees_no_figures_gets_no_report(web: Web) -> None:
    assert (await web.get("/api/reports", as_="clerk")).status_code == 403
    for path in ("/api/reports?department=space", "/api/reports/cases.csv?department=space"):
        assert (await web.get(path, as_="liaison.it")).status_code == 404


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_the_table_has_a_row_for_each_case(
    web: Web, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(export, "AT_A_TIME", 2)
    export._compiled.cache_clear()
    stories = [Story() for _ in range(5)]
    for number, story in enumerate(stories):
        formula = {"title": f"=座+{number}"} if number else {"title": "秘密", "confidential": True}
        await process_batch(web.service, story.received(**formula), story.opened())
    answer = await web.get(f"/api/reports/cases.{kind}?{WEEK}", as_="leader")
    assert answer.status_code == 200
    assert f'filename="feedback_20260302_20260308.{kind}"' in answer.headers["content-disposition"]
    assert "秘密" not in answer.text
    path = tmp_path / f"table.{kind}"
    path.write_bytes(answer.content)
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))[1:]
        assert sorted(row[4] for row in rows)[0].startswith("'=")
    else:
        rows = [list(map(str, row)) for _, row in open_table(path).rows]
    assert sorted(row[0] for row in rows) == sorted(story.id for story in stories)
    own = await web.get(f"/api/reports/cases.{kind}?{WEEK}", as_="liaison.it")
    assert own.status_code == 200


async def test_the_corrected_title_is_the_title_in_every_list(web: Web) -> None:
    story = Story()
    await process_batch(
        web.service,
        *story.worked("it"),
        story.of(
            CaseCorrected,
            changed=("title",),
            title="三层东区占座",
            case_type="complaint",
            priority="P3",
            reason="说清楚",
        ),
        story.of(
            CaseCorrected,
            changed=("priority",),
            title="三层东区占座",
            case_type="complaint",
            priority="P2",
            reason="急",
        ),
    )
    answer = await web.get(f"/api/reports/cases.csv?{WEEK}", as_="leader")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    listed = await web.get("/api/dashboard/cases?measure=open", as_="leader")
    board = await web.get("/api/dashboard", as_="leader")
    (one,), (coming,) = listed.json()["items"], board.json()["breaking_next"]
    titles = {row["标题"], one["title"], coming["title"]}
    assert titles == {"三层东区占座"}
    async with web.service.transaction() as tx:
        in_themes = (await cases_in(tx, [story.id]))[story.id]
        reporters = (await cases_of(tx, [story.id]))[0]
    assert in_themes.title == "三层东区占座"
    assert reporters.title.startswith("三层东区217"), "who wrote it reads their own words"


@pytest.mark.parametrize(
    ("locale", "lost", "unsure"),
    [
        ("zh", "没有送达的消息：", "不知道有没有送达的消息："),
        (
            "en",
            "Messages that did not arrive: ",
            "Messages of which nobody knows whether they arrived: ",
        ),
    ],
)
async def test_of_what_nobody_knows_board_and_report_do_not_say_that_it_did_not_arrive(
    web: Web, locale: str, lost: str, unsure: str
) -> None:
    story = Story()
    tried = {"kind": "reply", "channel": "email", "audience": "reporter", "reason": "no answer"}
    await process_batch(
        web.service,
        *story.answered("it"),
        story.of(NotificationFailed, delivery_id="a", **tried),
        story.of(NotificationFailed, delivery_id="b", uncertain=True, **tried),
        story.of(NotificationFailed, delivery_id="c", uncertain=True, **tried),
    )
    week = "period=custom&from=2026-03-02&to=2026-03-09"
    for page in (f"/reports?{WEEK}", f"/dashboard?{week}"):
        seen = (await web.get(f"{page}&lang={locale}", as_="leader")).text
        seen = re.sub("<[^>]*>", "", seen)
        assert [f"{lost}1" in seen, f"{unsure}2" in seen] == [True, True], page
    for measure, n in (("undelivered", 1), ("uncertain", 2)):
        listed = await web.get(f"/api/dashboard/cases?{week}&measure={measure}", as_="leader")
        assert len(listed.json()["items"]) == n
