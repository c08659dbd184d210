"""How are we doing: the measures, for whom, and that sums kept equal sums counted."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from sqlalchemy import text

from services.desk.seeds import DEPARTMENTS
from services.tracking.domain import board as measures
from services.tracking.domain.measures import COUNTS, MEASURES
from services.tracking.store import board as store
from shared.contracts import EVENTS
from shared.contracts.desk import (
    CaseBreachExplained,
    CaseClosed,
    CaseReopened,
    CaseReturned,
    CaseWithdrawn,
    DepartmentListed,
)
from shared.contracts.vocabulary import OPEN, Clock
from shared.messaging.partitions import PARTITIONS
from tests.service.tracking.conftest import Web
from tests.service.tracking.recount import SCOPES, recount
from tests.support import at, process_batch
from tests.unit.tracking.examples import Story


async def board(web: Web, query: str = "", as_: str = "coordinator") -> dict[str, Any]:
    answer = await web.get(f"/api/dashboard{query}", as_=as_)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_empty_system_has_an_empty_board(web: Web) -> None:
    body = await board(web)
    assert body["as_of"] == "2026-03-04T10:00:00+08:00"
    assert body["open"] == {
        "total": 0,
        "by_state": {},
        "by_department": {},
        "by_department_state": {},
    }
    assert (body["replied"], body["due_today"], body["overdue"]) == (0, 0, 0)
    assert [one["n"] for one in body["received"]] == [0] * 11
    assert body["on_time"] == {"rate": None, "n": 0}
    assert body["first_response_hours"] == {"p50": None, "p90": None, "n": 0}


async def test_open_is_every_state_before_the_reply(web: Web) -> None:
    await process_batch(web.service, *Story().begun())
    await process_batch(web.service, *Story().worked("it"))
    await process_batch(web.service, *Story().worked("space"))
    await process_batch(web.service, *Story().answered("it"))
    gone = Story()
    await process_batch(web.service, *gone.begun(), gone.of(CaseWithdrawn))
    body = await board(web)
    assert body["open"]["total"] == 3
    assert body["open"]["by_state"] == {"TRIAGE": 1, "IN_PROGRESS": 2}
    assert body["open"]["by_department"] == {"": 1, "it": 1, "space": 1}
    assert body["replied"] == 1
    assert sum(one["n"] for one in body["received"]) == 5
    assert body["received"][-1] == {"hour": "2026-03-04T10:00:00+08:00", "n": 5}


async def test_due_today_becomes_overdue_when_the_moment_passes(web: Web) -> None:
    story = Story()
    await process_batch(
        web.service,
        story.received(),
        story.opened(),
        story.promised(Clock.RESOLUTION, at("2026-03-04 17:00")),
    )
    body = await board(web)
    assert (body["due_today"], body["overdue"]) == (1, 0)
    assert body["breaking_next"][0]["due_text"] == "今天 17:00 前"
    web.clock.set(at("2026-03-04 17:00"))
    body = await board(web)
    assert (body["due_today"], body["overdue"], body["breaking_next"]) == (0, 1, [])
    await process_batch(web.service, story.breached(Clock.RESOLUTION))
    body = await board(web)
    assert (body["due_today"], body["overdue"]) == (0, 1)
    assert body["overdue_by_department"] == {"": 1}


async def test_a_broken_promise_with_a_new_date_is_overdue_when_that_has_passed(web: Web) -> None:
    story = Story()
    due, renewed = at("2026-03-04 11:00"), at("2026-03-06 10:00")
    events = [*story.worked("it"), story.met(Clock.FIRST_RESPONSE)]
    events.append(story.promised(Clock.RESOLUTION, due))
    story.now = due
    await process_batch(web.service, *events, story.breached(Clock.RESOLUTION))

    async def says() -> tuple[int, int, int, int, list[float]]:
        body = await board(web)
        (row,) = body["departments"]["rows"]
        listed = (await web.get("/api/dashboard/cases?measure=overdue", as_="leader")).json()
        counted = (body["overdue"], row["overdue"], len(listed["items"]), body["due_today"])
        return *counted, body["trend"]["overdue"][-3:]

    web.clock.set(due)
    assert await says() == (1, 1, 1, 0, [0, 0, 1])
    why = story.of(CaseBreachExplained, clock=Clock.RESOLUTION, code="overload", text="缺料")
    await process_batch(web.service, why, story.promised(Clock.RESOLUTION, renewed))
    assert await says() == (0, 0, 0, 0, [0, 0, 0])
    body = await board(web)
    assert [one["feedback_id"] for one in body["breaking_next"]] == [story.id]
    assert body["breaches_by_clock"] == {"RESOLUTION": 1}
    assert body["on_time"] == {"rate": 0.0, "n": 1}, "broken it stays, and cannot hide"
    web.clock.set(at("2026-03-06 09:00"))
    assert await says() == (0, 0, 0, 1, [0, 0, 0])
    # Nobody marks the same promise twice: the date has passed all the same.
    web.clock.set(at("2026-03-07 09:00"))
    assert await says() == (1, 1, 1, 0, [0, 1, 1])
    story.now = at("2026-03-07 08:00")
    await process_batch(web.service, story.assigned("it"))
    assert (await says())[:4] == (1, 1, 1, 0)


async def test_departments_beside_the_one_that_is_asked_for_have_what_has_passed(web: Web) -> None:
    for department in ("it", "space"):
        story = Story()
        soon = story.promised(Clock.RESOLUTION, at("2026-03-04 11:00"))
        await process_batch(web.service, *story.worked(department), soon)
    web.clock.set(at("2026-03-04 11:00"))
    answer = await web.get("/api/dashboard?department=it", as_="leader")
    body = answer.json()
    assert body["overdue"] == 1
    rows = {row["department"]: row["overdue"] for row in body["departments"]["rows"]}
    assert rows == {"it": 1, "space": 1}


async def test_an_open_overdue_case_cannot_hide_from_the_on_time_rate(web: Web) -> None:
    await process_batch(web.service, *Story().answered("it"))
    late = Story()
    await process_batch(
        web.service,
        *late.worked("it"),
        late.breached(Clock.RESOLUTION),
        late.replied("it"),
        late.met(Clock.RESOLUTION, 99, in_time=False),
    )
    assert (await board(web))["on_time"] == {"rate": 0.5, "n": 2}
    hidden = Story()
    await process_batch(web.service, *hidden.worked("it"), hidden.breached(Clock.RESOLUTION))
    assert (await board(web))["on_time"] == {"rate": 0.3333, "n": 3}


async def test_a_reopening_does_not_take_the_first_figure_back(web: Web) -> None:
    story = Story()
    await process_batch(
        web.service,
        *story.answered("it", hours=3),
        story.of(CaseReopened, reason="还是坏的", cycle=2),
        story.promised(Clock.RESOLUTION, story.now + timedelta(days=3), cycle=2),
    )
    body = await board(web)
    assert body["on_time"] == {"rate": 1.0, "n": 1}
    assert body["first_response_hours"] == {"p50": 3.0, "p90": 3.0, "n": 1}
    assert body["reopened"] == {"rate": 1.0, "n": 1}
    assert body["open"]["total"] == 1


async def test_rates_rest_on_their_number(web: Web) -> None:
    for stars, solved in ((5, "yes"), (4, "partly"), (2, "no")):
        story = Story()
        await process_batch(
            web.service,
            *story.answered("it", hours=stars),
            story.rated(stars, solved),
            story.of(CaseClosed, how="rated"),
        )
    returned = Story()
    await process_batch(
        web.service,
        *returned.begun(),
        returned.dispatched("it"),
        returned.of(CaseReturned, department="it", reason="不归我们"),
        returned.dispatched("space"),
    )
    body = await board(web)
    assert body["satisfaction"] == {"rate": 0.6667, "n": 3}
    assert body["resolution_rate"] == {"rate": 0.5, "n": 3}
    assert body["first_dispatch"] == {"rate": 0.75, "n": 4}
    assert body["returned"] == {"rate": 0.25, "n": 4}
    assert body["response_rate"] == {"rate": None, "n": 0}, "they are due tomorrow"
    assert (await board(web, "?to=2026-03-05&from=2026-03-05"))["response_rate"]["n"] == 3
    assert body["first_response_hours"] == {"p50": 4.0, "p90": 4.8, "n": 3}


async def test_a_first_response_that_nobody_gave_counts_once_it_is_late(web: Web) -> None:
    story = Story()
    await process_batch(web.service, *story.begun())
    ahead = "?from=2026-03-04&to=2026-03-06"
    assert (await board(web, ahead))["response_rate"] == {"rate": None, "n": 0}
    await process_batch(web.service, story.breached(Clock.FIRST_RESPONSE))
    assert (await board(web, ahead))["response_rate"] == {"rate": 0.0, "n": 1}


async def test_a_period_counts_what_happened_in_it(web: Web) -> None:
    await process_batch(web.service, *Story(now=at("2026-03-02 09:30")).answered("it"))
    await process_batch(web.service, *Story(now=at("2026-03-03 23:59")).answered("it"))
    await process_batch(web.service, *Story(now=at("2026-03-04 00:00")).answered("it"))

    async def n(query: str) -> tuple[int, int]:
        body = await board(web, query)
        return sum(one["n"] for one in body["received"]), body["on_time"]["n"]

    assert await n("") == (1, 1)
    assert await n("?from=2026-03-03&to=2026-03-03") == (1, 1)
    assert await n("?from=2026-03-02") == (3, 3)
    assert await n("?to=2026-03-02") == (1, 1)
    assert await n("?from=2026-01-01&to=2026-03-31") == (3, 3)
    assert await n("?from=2026-03-02T09:00:00%2B08:00&to=2026-03-02T10:00:00%2B08:00") == (1, 1)


@pytest.mark.parametrize("query", ["?from=x", "?from=2026-03-05&to=2026-03-01", "?from=1999-01-01"])
async def test_a_period_that_is_none_is_refused_by_field(web: Web, query: str) -> None:
    answer = await web.get(f"/api/dashboard{query}", as_="leader")
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) <= {"from", "to"}


@pytest.mark.parametrize(
    ("query", "field", "zh", "en"),
    [
        (
            "from=2026-03-04&to=2026-03-01",
            "to",
            "结束早于开始。",
            "The end is before the beginning.",
        ),
        ("from=2026-03-09", "from", "开始的日子还没有到", "The beginning is still to come"),
        ("from=1900-01-01&to=2100-01-01", "from", "2000 年到 2200 年之间", "between 2000 and 2200"),
    ],
)
async def test_the_page_says_at_the_field_what_is_wrong_with_a_period(
    web: Web, query: str, field: str, zh: str, en: str
) -> None:
    for locale, said in (("zh", zh), ("en", en)):
        page = await web.get(f"/dashboard?period=custom&{query}&lang={locale}", as_="leader")
        assert page.status_code == 422
        lines = dict(
            re.findall(r'<p class="field-error" id="error-(\w+)"[^>]*>([^<]*)<', page.text)
        )
        assert said in lines.pop(field)
        assert set(lines.values()) == {""}
        assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', page.text)
        # What was typed stands in the field, and what comes alone has it for the field.
        assert f'name="from" type="date" value="{query[5:15]}"' in page.text
        assert re.search(rf'data-put="error-{field}" value="[^"]*{said}', page.text)
        assert "data-parts" not in page.text
    behind = await web.get(
        f"/dashboard/cases?measure=open&{query}&lang=zh",
        as_="leader",
        headers={"accept": "text/html"},
    )
    assert (behind.status_code, zh in behind.text) == (422, True)
    assert "<strong>" not in behind.text.partition("problem-list")[2], "said once"


async def test_a_period_that_is_all_to_come_is_shown_to_its_end(web: Web) -> None:
    page = await web.get("/dashboard?period=custom&from=2026-03-09&to=2026-03-10", as_="leader")
    said = re.search(r'<p class="period hint">(.*?) · ', page.text)
    assert said is not None
    assert said[1] == "时段：下周一 00:00 – 下周三 00:00"


@pytest.mark.parametrize(
    ("who", "department", "status"),
    [
        (None, "", 401),
        ("coordinator", "", 200),
        ("coordinator", "it", 200),
        ("coordinator", "nowhere", 404),
        ("leader", "", 200),
        ("auditor", "", 200),
        ("admin", "", 403),
        ("clerk", "", 403),
        ("student", "", 403),
        ("liaison.it", "", 200),
        ("liaison.it", "it", 200),
        ("liaison.it", "space", 404),
        ("handler.it", "space", 404),
        ("reviewer.it", "nowhere", 404),
    ],
)
async def test_who_may_look_at_what(
    web: Web, who: str | None, department: str, status: int
) -> None:
    for path in ("/api/dashboard", "/dashboard"):
        answer = await web.get(f"{path}?department={department}", as_=who)
        assert answer.status_code == status, path


async def test_a_department_sees_its_own_numbers_only(web: Web) -> None:
    await process_batch(web.service, *Story().worked("it"))
    await process_batch(web.service, *Story().worked("space"))
    body = await board(web, as_="liaison.it")
    assert body["department"] == "it"
    assert body["open"]["by_department"] == {"it": 1}
    assert {one["department"] for one in body["breaking_next"]} == {"it"}
    assert sum(one["n"] for one in body["received"]) == 1


async def test_filters_by_channel_and_category_count_from_the_cases(web: Web) -> None:
    one, other = Story(), Story()
    await process_batch(web.service, one.received(channel="desk"), one.opened())
    await process_batch(web.service, other.received(category="seats"), other.opened())
    body = await board(web, "?channel=desk")
    assert (body["open"]["total"], body["channels"]) == (1, {"desk": 1})
    body = await board(web, "?category=seats&channel=web")
    assert (body["open"]["total"], body["categories"]) == (1, {"seats": 1})
    assert (await web.get("/api/dashboard?channel=smoke", as_="leader")).status_code == 422


async def test_a_confidential_title_is_not_on_the_board(web: Web) -> None:
    story = Story()
    await process_batch(
        web.service,
        story.received(title="某老师当众说我", confidential=True),
        story.promised(Clock.RESOLUTION, story.now + timedelta(days=1)),
    )
    assert (await board(web))["breaking_next"][0]["title"] == "（保密）"


async def test_the_trend_of_open_cases_ends_at_the_present_number(web: Web) -> None:
    old = Story(now=at("2026-03-01 09:00"))
    await process_batch(web.service, *old.worked("it"))
    await process_batch(web.service, *Story(now=at("2026-03-03 09:00")).worked("it"))
    old.later(days=3)
    await process_batch(web.service, old.replied("it"))
    trend = (await board(web))["trend"]["open"]
    assert len(trend) == 14
    assert trend[-5:] == [0, 1, 1, 2, 1]


async def test_the_page_shows_the_board(web: Web) -> None:
    story = Story()
    await process_batch(web.service, *story.worked("it"))
    page = await web.get("/dashboard", as_="coordinator", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "信息系统部" in page.text
    assert story.id in page.text


async def test_kept_sums_equal_a_recount_after_any_history(web: Web) -> None:
    chance = random.Random(20260304)
    for _ in range(40):
        story = Story(now=at("2026-02-20 08:00") + timedelta(hours=chance.randrange(300)))
        department = chance.choice(list(DEPARTMENTS))
        events = [
            story.received(channel=chance.choice(["web", "desk", "wechat"])),
            story.opened(),
            story.promised(Clock.FIRST_RESPONSE, story.now + timedelta(hours=8)),
            story.promised(Clock.RESOLUTION, story.now + timedelta(days=2)),
        ]
        for _ in range(chance.randrange(12)):
            story.later(hours=chance.randrange(20))
            events.append(
                chance.choice(
                    [
                        lambda s=story, d=department: s.dispatched(d, category="seats"),
                        lambda s=story, d=department: s.of(CaseReturned, department=d, reason="x"),
                        lambda s=story, d=department: s.accepted(d),
                        lambda s=story, d=department: s.replied(d),
                        lambda s=story: s.breached(Clock.RESOLUTION),
                        lambda s=story: s.breached(Clock.FIRST_RESPONSE),
                        lambda s=story: s.rated(4, "partly"),
                        lambda s=story: s.of(CaseReopened, reason="x", cycle=2),
                        lambda s=story: s.of(CaseClosed, how="quiet"),
                        lambda s=story: s.changed("cancelled", "FIRST_RESPONSE"),
                    ]
                )()
            )
        events += [story.met(Clock.RESOLUTION, 5), story.met(Clock.FIRST_RESPONSE, 2)]
        cut = chance.randrange(len(events))
        await process_batch(web.service, *events[:cut])
        await process_batch(web.service, *events[cut:])

    async with web.service.engine.connect() as connection:
        kept = await connection.execute(
            text(
                "SELECT measure, scope, bucket, department, detail, n FROM counters "
                "WHERE n <> 0 AND measure NOT LIKE '%flow'"
            )
        )
        counted = [
            row for scope in SCOPES for row in await connection.execute(text(recount(scope)))
        ]
        assert {tuple(r)[:5]: int(r.n) for r in kept} == {tuple(r)[:5]: int(r.n) for r in counted}
        flows = await connection.execute(
            text(
                "SELECT department, sum(n) AS n FROM counters "
                "WHERE measure = 'flow' AND scope = '' GROUP BY 1"
            )
        )
        states = await connection.execute(
            text(
                "SELECT coalesce(department, '') AS department, count(*) AS n "
                "FROM cases WHERE state = ANY(:open) GROUP BY 1"
            ),
            {"open": list(OPEN)},
        )
        assert {r.department: r.n for r in flows if r.n} == {r.department: r.n for r in states}
        by_scope = await connection.execute(
            text(
                "SELECT measure, bucket, department, detail, split_part(scope, ':', 1) AS kind, "
                "sum(n) AS n FROM counters GROUP BY 1, 2, 3, 4, 5"
            )
        )
        totals: dict[tuple[Any, ...], dict[str, int]] = {}
        for r in by_scope:
            totals.setdefault(tuple(r)[:4], {})[r.kind] = int(r.n)
        assert all(len(t) == 6 and len(set(t.values())) == 1 for t in totals.values())


async def behind(web: Web, query: str, as_: str = "coordinator") -> list[dict[str, Any]]:
    answer = await web.get(f"/api/dashboard/cases?{query}", as_=as_)
    assert answer.status_code == 200, answer.text
    page = await web.get(f"/dashboard/cases?{query}", as_=as_)
    assert page.status_code == 200
    assert page.text.count("data-row") == len(answer.json()["items"])
    return answer.json()["items"]


async def test_how_long_it_took_stays_with_the_category_and_channel_it_was_answered_under(
    web: Web,
) -> None:
    story = Story()
    begun = [story.received(channel="desk", category="seats"), story.opened()]
    await process_batch(web.service, *begun, *story.answered("space")[2:])
    await process_batch(web.service, story.dispatched("it", category="network"))
    for query, n in (("category=seats&channel=desk", 1), ("category=facilities", 0)):
        body = await board(web, f"?{query}")
        assert body["first_response_hours"]["n"] == n
        assert len(await behind(web, f"measure=first_response&{query}")) == n


async def test_the_cases_behind_a_number_are_as_many_as_it_says(web: Web) -> None:
    await process_batch(web.service, *Story().answered("it"))
    await process_batch(web.service, *Story().answered("space"))
    await process_batch(web.service, *Story().begun())
    body = await board(web)
    for measure, n in (
        ("on_time", body["on_time"]["n"]),
        ("first_response", body["first_response_hours"]["n"]),
        ("received", sum(one["n"] for one in body["received"])),
    ):
        assert n
        assert len(await behind(web, f"measure={measure}")) == n
    assert len(await behind(web, "measure=received&department=it")) == 1
    own = await behind(web, "measure=first_response", as_="handler.space")
    assert [one["department"] for one in own] == ["space"]
    assert await behind(web, "measure=on_time&from=2026-03-02&to=2026-03-02") == []


@pytest.mark.parametrize(
    ("as_", "query", "status"),
    [("student", "", 403), ("leader", "measure=x", 422), ("leader", "department=x", 404)],
)
async def test_who_may_look_behind_a_number(web: Web, as_: str, query: str, status: int) -> None:
    assert (await web.get(f"/api/dashboard/cases?{query}", as_=as_)).status_code == status


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("measure=state&detail=nope", "detail"),
        ("measure=breaches&detail=nope", "detail"),
        ("measure=outcome&detail=", "detail"),
        ("measure=arrived&detail=8-01", "detail"),
        ("measure=open&detail=nope", "detail"),
        ("measure=on_time&detail=nope", "detail"),
        ("skip=-1", "skip"),
        ("skip=x", "skip"),
        ("skip=99999999", "skip"),
        ("category=nope", "category"),
        ("channel=nope", "channel"),
        ("priority=P9", "priority"),
        ("period=nope", "period"),
    ],
)
async def test_behind_a_number_that_cannot_be_nobody_looks(web: Web, query: str, name: str) -> None:
    answer = await web.get(f"/api/dashboard/cases?{query}", as_="leader")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [name]
    english = await web.get(f"/api/dashboard/cases?{query}&lang=en", as_="leader")
    assert english.json()["detail"].startswith("There is no such")
    page = await web.get(f"/dashboard/cases?{query}&lang=zh", as_="leader")
    assert page.status_code == 422


async def test_the_numbers_of_a_department_that_was_closed_are_still_there(web: Web) -> None:
    await process_batch(web.service, *Story().answered("it"))
    directory = web.service.runtime.directory
    zh, en = directory.departments["it"]
    closed = DepartmentListed(at=web.clock.now(), code="it", zh=zh, en=en, active=False)
    directory.apply(closed)
    assert "it" in directory.closed_departments
    assert len(await behind(web, "measure=received&department=it")) == 1
    assert zh in (await web.get("/dashboard/cases?measure=received", as_="leader")).text


@pytest.mark.parametrize("alone", [False, True], ids=["a replica", "the only one"])
async def test_an_answer_is_computed_once_and_anew_after_every_change(
    web: Web, monkeypatch: pytest.MonkeyPatch, *, alone: bool
) -> None:
    given = [TopicPartition(EVENTS, n) for n in range(PARTITIONS if alone else 5)]
    consumer = SimpleNamespace(positions=lambda: given, health=SimpleNamespace(lag=0))
    monkeypatch.setattr(web.service, "consumer", consumer)
    asked, ask = [], store.changes
    monkeypatch.setattr(store, "changes", lambda c: asked.append(1) or ask(c))
    computed = []
    compute = measures.body
    monkeypatch.setattr(measures, "body", lambda *a: computed.append(1) or compute(*a))
    await process_batch(web.service, *Story().worked("it"))
    first = await board(web)
    web.clock.later(minutes=1)
    second = await board(web)
    assert len(computed) == 1
    assert second == first | {"as_of": "2026-03-04T10:01:00+08:00"}
    await process_batch(web.service, *Story().worked("it"))
    assert (await board(web))["open"]["total"] == 2
    assert len(computed) == 2
    anew = await web.get("/api/dashboard", as_="coordinator", headers={"Cache-Control": "no-cache"})
    assert (anew.json()["open"]["total"], len(computed)) == (2, 3)
    # Whoever makes all changes knows of them without asking the database.
    assert bool(asked) is not alone


async def test_who_has_the_answer_hears_that_nothing_changed(web: Web) -> None:
    answer = await web.get("/api/dashboard", as_="leader")
    tag = {"If-None-Match": answer.headers["etag"]}
    web.clock.later(minutes=1)
    again = await web.get("/api/dashboard", as_="leader", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    await process_batch(web.service, *Story().begun())
    changed = await web.get("/api/dashboard", as_="leader", headers=tag)
    assert (changed.status_code, changed.json()["open"]["total"]) == (200, 1)


async def test_a_department_renamed_is_called_so_at_once(web: Web) -> None:
    await process_batch(web.service, *Story().worked("it"))
    await board(web)
    web.service.runtime.directory.departments["it"] = ("系统部", "Systems")
    assert (await board(web))["department_names"] == {"it": "系统部"}


@pytest.mark.parametrize("measure", ["open", "overdue", "at_risk", "due", "state", "open_since"])
async def test_a_list_of_now_says_so_and_each_column_is_one_thing(web: Web, measure: str) -> None:
    waiting, overdue = Story(now=at("2026-03-02 09:00")), Story(now=at("2026-03-02 10:00"))
    await process_batch(web.service, *waiting.begun(), waiting.changed("paused", "RESOLUTION"))
    await process_batch(web.service, waiting.changed("paused", "FIRST_RESPONSE"))
    due = overdue.promised(Clock.FIRST_RESPONSE, at("2026-03-03 10:00"))
    await process_batch(web.service, *overdue.begun(), due)
    path = f"/dashboard/cases?period=month&measure={measure}"
    body = (await web.get(f"/api{path}", as_="leader")).json()
    assert (body["at_present"], body["at_name"]) == (True, "下一个期限")
    if measure == "open":
        moments = {one["feedback_id"]: (one["at"], one["received_at"]) for one in body["items"]}
        assert moments == {
            waiting.id: (None, "2026-03-02T09:00:00+08:00"),
            overdue.id: ("2026-03-03T10:00:00+08:00", "2026-03-02T10:00:00+08:00"),
        }
    page = (await web.get(path, as_="leader")).text
    heading = re.search(r'<p class="hint mb-3">(.*?)</p>', page, re.S)
    assert heading is not None
    assert re.sub("<[^>]+>", "", heading[1]).startswith("现在 今天 10:00 · ")
    if body["items"]:
        assert re.findall(r'<th scope="col">([^<]+)</th>', page)[:2] == ["下一个期限", "收到"]
    english = (await web.get(f"{path}&lang=en", as_="leader")).text
    assert "Now <time" in english


async def test_a_list_of_a_period_names_its_moments(web: Web) -> None:
    for key in {*COUNTS, *MEASURES} - {"open", "overdue", "at_risk", "due", "state", "open_since"}:
        body = (await web.get(f"/api/dashboard/cases?measure={key}", as_="leader")).json()
        assert not body["at_present"], key
        assert body["at_name"], key
    said = {
        key: (await web.get(f"/api/dashboard/cases?measure={key}", as_="leader")).json()["at_name"]
        for key in ("received", "closed", "on_time", "answered", "outcome", "dispatched", "returns")
    }
    assert said == {
        "received": "收到",
        "closed": "办结",
        "on_time": "办结",
        "answered": "首次答复",
        "outcome": "最近一次答复",
        "dispatched": "首次派出",
        "returns": "退回",
    }


async def test_the_list_of_a_return_rate_says_which_were_returned_by_names(web: Web) -> None:
    returned, kept = Story(), Story()
    await process_batch(
        web.service,
        *returned.begun(),
        returned.dispatched("space"),
        returned.of(CaseReturned, department="space", reason="不归我们"),
        returned.dispatched("it", previous_department="space"),
        returned.of(CaseReturned, department="it", reason="不归我们"),
        returned.dispatched("it", previous_department="it"),
        *kept.begun(),
        kept.dispatched("it"),
    )
    path = "/dashboard/cases?measure=return_rate&department=it"
    items = (await web.get(f"/api{path}", as_="leader")).json()["items"]
    said = sorted((one["adds"], one["said"], one["detail"] or "") for one in items)
    assert said == [(0.0, "没有退回", ""), (0.0, "没有退回", "it"), (1.0, "退回了", "space")]
    row = (await board(web, "?department=it"))["departments"]["rows"][0]
    assert (row["return_rate"]["n"], row["return_rate"]["rate"]) == (3, 0.3333)
    names = {one["detail"]: one["detail_name"] for one in items}
    assert names[None] is None
    assert names["space"].startswith("从")
    group = "/api/dashboard/cases?measure=group&detail=students"
    assert (await web.get(group, as_="leader")).json()["detail_name"] == "学生"
    dwell = (await web.get("/api/dashboard/cases?measure=dwell_hours", as_="leader")).json()
    assert {one["detail_name"] for one in dwell["items"]} <= {"已收到", "待整理", "待签收"}
    assert dwell["items"]


async def test_what_is_now_in_the_report_of_a_past_week_is_called_so(web: Web) -> None:
    await process_batch(web.service, *Story().worked("it"))
    for path in ("/reports?kind=week&at=2026-02-24", "/dashboard"):
        page = (await web.get(path, as_="leader")).text
        table = page[page.index('id="table-departments"') :]
        for name in ("未办结", "已超期"):
            assert f'<th scope="col">{name} <small>现在</small></th>' in table
