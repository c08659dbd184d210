"""A date is asked for its reasons: what the API and the page answer, and whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from services.sla import jobs
from shared.contracts.desk import CaseExtensionGranted
from shared.contracts.intake import FeedbackSupplemented
from shared.contracts.vocabulary import Role, State
from shared.security import WHY
from shared.service import Service
from shared.web.app import web_app
from tests.service.sla.support import CASE, asked, ordinary, received, replied
from tests.support import at, process_batch

Client = httpx2.AsyncClient
PATH = f"/api/cases/{CASE}/promises/RESOLUTION"


@pytest_asyncio.fixture
async def client(sla: Service) -> AsyncIterator[Client]:
    app = web_app(sla.runtime, {"sla": sla}, lambda: [])
    async with Client(
        transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1:8080"
    ) as client:
        yield client


def signed_in(
    sla: Service, role: str = Role.COORDINATOR, department: str | None = None, **more: str
) -> dict[str, str]:
    token, _ = sla.runtime.signer.session(
        username=f"some {role} of {department}",
        display="某人",
        role=role,
        department=department,
        now=sla.runtime.clock.now(),
    )
    return {"Authorization": f"Bearer {token}"} | more


async def why(sla: Service, client: Client, path: str = PATH, **more: str) -> dict[str, Any]:
    answer = await client.get(path, headers=signed_in(sla, **more))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def supplemented(when: str) -> FeedbackSupplemented:
    return FeedbackSupplemented(feedback_id=CASE, at=at(when), text="217", words_id="w1")


async def test_a_date_says_what_it_rests_on(sla: Service, client: Client) -> None:
    await process_batch(sla, *ordinary())
    body = await why(sla, client)
    assert (body["due"], body["status"]) == ("2026-03-11T10:00:00+08:00", "running")
    assert body["started"] == {"at": "2026-03-04T10:00:00+08:00", "by": "feedback.received"}
    assert body["policy"]["row"] == "P3"
    assert body["policy"]["because"][0]["value"] == "P3"
    assert body["calendar"]["version"] == 1
    assert [(d["date"], d["minutes"]) for d in body["days"]][:4] == [
        ("2026-03-04", 360),
        ("2026-03-05", 450),
        ("2026-03-06", 450),
        ("2026-03-07", 0),
    ]
    assert body["days"][0]["windows"] == [
        {"from": "10:00", "to": "12:00", "minutes": 120, "stood_still": False},
        {"from": "13:30", "to": "17:30", "minutes": 240, "stood_still": False},
    ]
    assert body["days"][-1]["so_far_minutes"] == body["counted_minutes"] == 2250
    assert body["adds_up"]
    said = "".join(body["words"])
    assert "3月4日（周三）10:00 收到反馈，从这时算起。" in said
    assert "优先级是P3 普通" in said
    assert "5 个工作日" in said
    assert "休息日 2 天" in said


async def test_pauses_extensions_and_a_new_calendar_are_told_and_add_up(
    sla: Service, client: Client
) -> None:
    until = at("2026-03-20 20:00")
    granted = CaseExtensionGranted(
        feedback_id=CASE,
        at=at("2026-03-05 17:00"),
        state=State.IN_PROGRESS,
        until=until,
        reason="等配件到货",
    )
    await process_batch(sla, *ordinary(), asked("2026-03-05 10:00"))
    await process_batch(sla, supplemented("2026-03-05 16:30"))
    edit = {"date": "2026-03-10", "open": [], "reason": "停电检修"}
    done = await client.post("/api/sla/calendar", json=edit, headers=signed_in(sla, Role.ADMIN))
    assert done.status_code == 200
    await jobs.recount_open(sla)
    between = await why(sla, client)
    assert between["adds_up"]
    assert [c["kind"] for c in between["changes"]] == ["resumed", "calendar"]
    assert between["changes"][1]["reason"] == "停电检修"
    assert between["pauses"] == [
        {
            "from": "2026-03-05T10:00:00+08:00",
            "to": "2026-03-05T16:30:00+08:00",
            "minutes": 300,
        }
    ]
    assert between["counted_minutes"] == 2250 + 300
    assert {d["date"]: d["kind"] for d in between["days"]}["2026-03-10"] == "shut"

    await process_batch(sla, granted)
    body = await why(sla, client, **{"accept-language": "en"})
    assert body["named"]
    assert body["due"] == "2026-03-20T20:00:00+08:00"
    assert body["changes"][-1]["reason"] == "等配件到货"
    assert body["first_due"] == "2026-03-11T10:00:00+08:00"
    assert body["words"][0] == "It runs from 10:00 on Wed 4 Mar, when the feedback came in."
    assert not [line for line in body["words"] if "：" in line.replace("等配件到货", "")]


async def test_what_came_in_at_night_begins_to_count_in_the_morning(
    sla: Service, client: Client
) -> None:
    await process_batch(sla, received("2026-03-06 22:00"))
    body = await why(sla, client)
    assert "那时不在工作时间，从 3月9日（周一）08:30 开始走。" in body["words"]
    assert (body["days"][0]["minutes"], body["days"][3]["minutes"]) == (0, 450)
    assert body["adds_up"]


async def test_a_kept_promise_still_says_why(sla: Service, client: Client) -> None:
    await process_batch(sla, *ordinary(), replied("2026-03-06 10:00"))
    body = await why(sla, client)
    assert (body["status"], body["in_time"]) == ("met", True)
    assert body["ended"] == "2026-03-06T10:00:00+08:00"
    follow_up = await why(sla, client, PATH.replace("RESOLUTION", "FOLLOW_UP"))
    assert follow_up["started"]["by"] == "case.replied"


@pytest.mark.parametrize(
    ("role", "department", "status"),
    [
        ("coordinator", None, 200),
        ("leader", None, 200),
        ("auditor", None, 200),
        ("admin", None, 200),
        ("handler", "space", 200),
        ("reviewer", "space", 200),
        ("handler", "it", 404),
        ("clerk", None, 404),
        ("student", "space", 404),
    ],
)
async def test_only_who_has_to_do_with_a_case_is_told(
    sla: Service, client: Client, role: str, department: str | None, status: int
) -> None:
    await process_batch(sla, *ordinary())
    for path in (PATH, PATH.replace("/api", "/sla")):
        answer = await client.get(path, headers=signed_in(sla, role, department))
        assert answer.status_code == status


async def test_what_is_not_there_is_not_found(sla: Service, client: Client) -> None:
    await process_batch(sla, received("2026-03-04 10:00"))
    assert (await client.get(PATH)).status_code == 401
    for path in (
        PATH.replace(CASE, "nothing"),
        PATH.replace("RESOLUTION", "APPEAL"),
        PATH.replace("RESOLUTION", "LUNCH"),
        PATH + "?cycle=7",
    ):
        assert (await client.get(path, headers=signed_in(sla))).status_code == 404


async def test_the_page_shows_the_days_and_works_without_script(
    sla: Service, client: Client
) -> None:
    await process_batch(sla, *ordinary(), asked("2026-03-05 10:00"))
    page = await client.get(
        PATH.replace("/api", "/sla"), headers=signed_in(sla, accept="text/html")
    )
    assert page.status_code == 200
    assert page.text.count('class="why-day wd-') == 8
    assert "到期" in page.text
    assert "停着等读者" in page.text
    assert f'href="/desk/cases/{CASE}"' in page.text


def link(sla: Service, value: Any, purpose: str = WHY, **ago: int) -> str:
    until = sla.runtime.clock.now() + timedelta(days=1) - timedelta(**ago)
    return "/sla/why/" + sla.runtime.signer.signed(purpose, value, until=until)


async def test_the_reporter_reads_why_by_a_signed_link_in_their_words(
    sla: Service, client: Client
) -> None:
    await process_batch(sla, *ordinary(), asked("2026-03-05 10:00"))
    await process_batch(sla, supplemented("2026-03-05 16:30"))
    mine = link(sla, [CASE, "RESOLUTION"])
    page = await client.get(mine, headers={"accept": "text/html"})
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    for said in ("收到您的话", "5 个工作日之内答复您", "休息日 2 天", "16:30 等您补充，不算在内"):
        assert said in page.text
    for staffs in ("P3", "承诺第", "日历第", "等读者", CASE, "<script>"):
        assert staffs not in page.text.split('id="main"')[1]
    english = await client.get(mine, headers={"accept-language": "en"})
    assert english.json()["words"][0].endswith("we received your comment.")


async def test_nothing_but_what_tracking_signed_is_explained_to_a_reporter(
    sla: Service, client: Client
) -> None:
    await process_batch(sla, *ordinary())
    for address in (
        link(sla, [CASE, "RESOLUTION"], hours=25),
        link(sla, [CASE, "RESOLUTION"], purpose="matters"),
        link(sla, [CASE, "TRIAGE"]),
        link(sla, ["nothing", "RESOLUTION"]),
        link(sla, CASE),
        link(sla, [CASE, ["RESOLUTION"]]),
        f"/sla/why/{CASE}",
        "/sla/why/x.y",
    ):
        assert (await client.get(address)).status_code == 404, address
