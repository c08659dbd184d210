"""What the office sees of the messages of a case, and its decision to send one again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from shared.web.app import web_app
from shared.web.auth import COOKIE
from tests.fakes.smtp import Mode, SmtpSink
from tests.service.notification.support import CANARY, Watch, received_case


@pytest_asyncio.fixture
async def client(watch: Watch) -> AsyncIterator[httpx2.AsyncClient]:
    app = web_app(watch.runtime, {"notification": watch.service}, list)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="https://feedback.library.example"
    ) as client:
        yield client


def signed_in(watch: Watch, role: str) -> dict[str, str]:
    token, _ = watch.runtime.signer.session(
        username=role, display=role, role=role, department=None, now=watch.clock.now()
    )
    return {"Authorization": f"Bearer {token}"}


async def test_the_office_sees_deliveries_without_addresses(
    watch: Watch, client: httpx2.AsyncClient
) -> None:
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    answer = await client.get(
        "/api/notification/deliveries?feedback_id=f1", headers=signed_in(watch, "auditor")
    )
    assert answer.status_code == 200
    (item,) = answer.json()["items"]
    assert (item["kind"], item["channel"], item["state"]) == ("receipt", "email", "sent")
    assert item["finished_at"] == "2026-03-04T10:00:02+08:00"
    assert CANARY.partition("@")[0] not in answer.text


@pytest.mark.parametrize(
    ("role", "status"), [("coordinator", 200), ("leader", 200), ("handler", 403), ("", 401)]
)
async def test_only_who_may_see_deliveries_sees_them(
    watch: Watch, client: httpx2.AsyncClient, role: str, status: int
) -> None:
    await watch.process(*received_case("f1"))
    headers = signed_in(watch, role) if role else {}
    answer = await client.get("/api/notification/deliveries?feedback_id=f1", headers=headers)
    assert answer.status_code == status


async def test_an_unknown_case_is_not_found(watch: Watch, client: httpx2.AsyncClient) -> None:
    headers = signed_in(watch, "coordinator")
    for path in ("deliveries?feedback_id=nobody", "deliveries?feedback_id=%00"):
        answer = await client.get(f"/api/notification/{path}", headers=headers)
        assert answer.status_code in (404, 422)
    answer = await client.post("/api/notification/deliveries/nothing/resend", headers=headers)
    assert answer.status_code == 404


async def test_the_office_decides_what_nobody_can_be_sure_of(
    watch: Watch, sink: SmtpSink, client: httpx2.AsyncClient
) -> None:
    sink.mode = Mode.DROP_AFTER_DATA
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    sink.mode = Mode.ACCEPT
    name = (await watch.ledger("f1"))[0]["id"]
    path = f"/api/notification/deliveries/{name}/resend"
    assert (await client.post(path, headers=signed_in(watch, "auditor"))).status_code == 403
    for _ in range(2):
        answer = await client.post(path, headers=signed_in(watch, "coordinator"))
        assert (answer.status_code, answer.json()["state"]) == (200, "ready")
    await watch.later(seconds=1)
    assert len(sink.received) == 2, "pressed twice it goes out once"
    first, second = (r.message["Message-ID"] for r in sink.received)
    assert first == second
    again = await client.post(path, headers=signed_in(watch, "coordinator"))
    assert again.status_code == 409
    row = (await watch.ledger("f1"))[0]
    assert (row["state"], row["resent_by"]) == ("sent", "coordinator")


async def test_a_browser_that_sends_again_comes_back_to_the_case(
    watch: Watch, sink: SmtpSink, client: httpx2.AsyncClient
) -> None:
    sink.mode = Mode.DROP_AFTER_DATA
    await watch.process(*received_case("f1"))
    await watch.later(seconds=2)
    sink.mode = Mode.ACCEPT
    path = f"/api/notification/deliveries/{(await watch.ledger('f1'))[0]['id']}/resend"
    cookie = signed_in(watch, "coordinator")["Authorization"].partition(" ")[2]
    browser = {
        "accept": "text/html",
        "content-type": "application/x-www-form-urlencoded",
        "origin": "https://feedback.library.example",
        "cookie": f"{COOKIE}={cookie}",
    }
    foreign = await client.post(path, headers=browser | {"origin": "https://else.example"})
    assert foreign.status_code == 403
    answer = await client.post(path, headers=browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/cases/f1?again=1")
    await watch.later(seconds=1)
    assert (await watch.ledger("f1"))[0]["state"] == "sent"
    again = await client.post(path, headers=browser)
    assert again.status_code == 409
    assert "<html" in again.text
