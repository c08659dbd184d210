"""Six processes behind the gateway: one system, whichever of them are up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from services.__main__ import NAMES
from shared.release import RELEASE
from tests.integration.people import REPLY, Town
from tests.integration.system import Child, free_ports, until
from tests.patience import ANSWER, PATIENCE, plain


async def test_each_process_is_ready_and_answers_for_itself_alone(town: Town) -> None:
    for name in NAMES:
        await town.system.ready(name)
        body = await town.system.readiness(name)
        assert body is not None
        assert list(body["services"]) == [name]
        assert body["services"][name]["pid"] == town.system.children[name].pid


async def status(town: Town, returncode: int) -> dict[str, Any]:
    """What the command says, once it ends like this: a process on a busy machine may be not ready
    for a moment."""

    async def said() -> dict[str, Any] | None:
        done = await town.system.run("services", "status", "--json")
        return json.loads(done.stdout) if done.returncode == returncode else None

    return dict(await until(said, within=PATIENCE, what=f"status ends with {returncode}"))


async def test_status_names_all_six(town: Town) -> None:
    body = await status(town, 0)
    assert body["web"] == town.system.gateway.url
    pids = {name: one["pid"] for name, one in body["services"].items()}
    assert pids == {name: child.pid for name, child in town.system.children.items()}
    assert all(one["ready"] and one["dead_letters"] == 0 for one in body["services"].values())
    assert body["versions"]["python"]
    assert body["versions"]["feedback-express"] == str(RELEASE)


async def test_each_process_shows_its_series_to_prometheus(town: Town) -> None:
    async with plain(timeout=ANSWER) as prometheus:
        for name, port in town.system.ports.items():

            async def shown(name: str = name, port: int = port) -> bool:
                answer = await prometheus.get(f"http://127.0.0.1:{port}/metrics")
                return f'feedback_service_ready{{service="{name}"}} 1.0' in answer.text

            await until(shown, within=PATIENCE, what=f"{name} shows that it is ready")


async def test_a_comment_through_any_entry_point_goes_the_whole_way_to_its_rating(
    town: Town,
) -> None:
    token = await town.adapter("kiosk")
    entry_points: dict[str, Callable[[], Awaitable[tuple[str, str]]]] = {
        "web": lambda: town.by_web(contact={"email": "reader@example.edu"}),
        "desk": town.by_desk,
        "adapter": lambda: town.by_adapter(token, "adapter-1"),
        "kafka": lambda: town.by_kafka(token, "kafka-1"),
        "wechat": lambda: town.by_wechat("o-reader-1"),
    }

    async def whole_way(entry_point: str) -> None:
        case, code = await entry_points[entry_point]()
        seen = await town.answered_and_rated(case, code)
        assert seen["feedback_id"] == case, entry_point
        assert [r["text"] for r in seen["replies"]] == [REPLY], entry_point
        types = [line["type"] for line in seen["timeline"]]
        assert types[0] == "feedback.received", entry_point
        assert {"case.accepted", "case.replied", "feedback.rated"} <= set(types), entry_point

    await asyncio.gather(*(whole_way(entry_point) for entry_point in entry_points))

    async def answered_outside() -> bool:
        mails = [m.message.get_content() for m in town.mail.received]
        chats = [d.text for d in town.wechat.deliveries]
        return any(REPLY in mail for mail in mails) and any(REPLY in chat for chat in chats)

    await until(answered_outside, within=PATIENCE, what="the reply arrives by mail and in WeChat")


async def test_a_session_that_is_ended_is_over_in_every_process(town: Town) -> None:
    name = "reviewer.ill"
    doors = (("GET", "/api/cases"), ("POST", "/api/desk/feedback"), ("GET", "/api/dashboard"))

    async def let_in(client: httpx2.AsyncClient) -> set[bool]:
        return {(await client.request(*door)).status_code != 401 for door in doors}

    for command in ("end-sessions", "deactivate-user"):
        town._tokens.pop(name, None)
        async with await town.as_(name) as person:
            assert await let_in(person) == {True}
            done = await town.system.run("services.desk", command, name)
            assert done.returncode == 0, done.stderr

            async def out() -> bool:
                return await let_in(person) == {False}

            await until(out, within=PATIENCE, what=f"{command} is known in all processes")


async def test_pages_of_several_owners_carry_one_visit(town: Town) -> None:
    _, code = await town.by_web()
    await town.sees(code)
    async with town.anybody() as visitor:
        visitor.headers["Accept"] = "text/html"
        for path in ("/", f"/track/{code}", "/signin"):
            page = await visitor.get(path)
            assert page.status_code == 200, path
            assert "用户反馈直通车" in page.text
        for address in set(
            word for word in page.text.replace("'", '"').split('"') if word.startswith("/static/")
        ):
            assert (await visitor.get(address)).status_code == 200, address
        assert (await visitor.get("/desk")).status_code in (303, 401)
    async with await town.as_("coordinator") as coordinator:
        coordinator.headers["Accept"] = "text/html"
        for path in ("/desk", "/desk/new", "/dashboard"):
            assert (await coordinator.get(path)).status_code == 200, path


async def test_lines_of_the_timeline_stream_through_the_gateway(town: Town) -> None:
    _, code = await town.by_web()
    await town.sees(code, "TRIAGE", "DISPATCHED")
    seen: list[str] = []
    async with (
        town.anybody() as visitor,
        visitor.stream("GET", f"/api/track/{code}/stream") as answer,
        asyncio.timeout(PATIENCE),
    ):
        async for line in answer.aiter_lines():
            if not line.startswith("data:"):
                continue
            seen.append(json.loads(line[5:])["type"])
            if len(seen) == 1:
                async with town.anybody() as same:
                    await same.post(f"/api/track/{code}/urge", json={})
            if "feedback.urged" in seen:
                break
    assert seen[0] == "feedback.received"


async def test_an_address_cannot_be_made_up_to_begin_a_new_count(town: Town) -> None:
    async def tries(address: str, count: int) -> list[int]:
        async with town.system.visitor(address) as visitor:
            return [
                (
                    await visitor.get(
                        f"/api/track/no-such-code-{n}",
                        headers={"X-Forwarded-For": f"203.0.113.{n}", "Forwarded": "for=192.0.2.1"},
                    )
                ).status_code
                for n in range(count)
            ]

    codes = await tries("127.9.9.9", 70)
    assert 429 in codes
    assert codes.index(429) <= 60
    # The gateway's own word about another address is believed: that one is not held back.
    assert await tries("127.9.9.8", 1) == [404]


@pytest.mark.parametrize("name", ["tracking", "desk", "intake"])
async def test_a_killed_process_costs_its_own_addresses_only_and_comes_back_with_everything(
    town: Town, name: str
) -> None:
    case, code = await town.by_web(f"自习区的灯坏了 {name}")
    await town.sees(code, "TRIAGE", "DISPATCHED")
    town.system.children[name].kill()
    entry_points = {
        "tracking": ("GET", f"/api/track/{code}"),
        "desk": ("GET", f"/api/cases/{case}"),
        "intake": ("POST", f"/api/track/{code}/urge"),
    }
    async with await town.as_("coordinator") as visitor:
        codes = {
            owner: (await visitor.request(method, path, json={})).status_code
            for owner, (method, path) in entry_points.items()
        }
        assert codes.pop(name) == 503
        assert all(code < 500 for code in codes.values()), codes
        meanwhile = None
        if name != "intake":
            meanwhile = await town.by_web(f"打印机缺纸 {name}")
        if name == "tracking":
            assert f"not running: {name}" in (await status(town, 1))["reasons"]

        town.system.start(name)
        await town.system.ready(name)
        _, code = meanwhile or await town.by_web(f"打印机缺纸 {name}")
        seen = await town.sees(code, "TRIAGE", "DISPATCHED")
        assert (await visitor.get(f"/api/cases/{seen['feedback_id']}")).status_code == 200
    body = await town.system.readiness(name)
    assert body is not None
    assert body["services"][name]["dead_letters"] == body["services"][name]["parked"] == 0


async def test_people_are_served_also_when_the_broker_is_away_at_the_start(town: Town) -> None:
    nobody, own = free_ports(2)
    env = town.system.env | {"EXPRESS_KAFKA": f"127.0.0.1:{nobody}", "EXPRESS_PORT": str(own)}
    log = town.system.directory / "logs" / "alone.log"
    alone = Child.start([sys.executable, "-m", "services.intake"], log, env)
    try:
        async with plain(base_url=f"http://127.0.0.1:{own}", timeout=ANSWER) as visitor:

            async def accepted() -> httpx2.Response | None:
                assert alone.alive, alone.tail()
                with contextlib.suppress(httpx2.TransportError):
                    answer = await visitor.post("/api/feedback", json={"text": "饮水机坏了"})
                    return answer if answer.status_code == 201 else None
                return None

            answer = await until(accepted, within=PATIENCE, what="a comment is accepted")
            ready = await visitor.get("/health/ready")
        assert ready.status_code == 503
        assert any("kafka" in reason for reason in ready.json()["reasons"])
    finally:
        alone.ask_to_end()
        assert await alone.ended() == 0, alone.tail()
    # What it accepted is in the database; another process of the service tells the log.
    await town.sees(answer.json()["tracking_code"], "TRIAGE", "DISPATCHED")


async def test_a_rolling_restart_ends_each_cleanly_and_loses_no_comment(town: Town) -> None:
    receipts: list[tuple[str, str]] = []
    refused: list[int] = []
    over = asyncio.Event()

    async def go_on_writing() -> None:
        n = 0
        while not over.is_set():
            n += 1
            async with town.anybody() as visitor:
                answer = await visitor.post(
                    "/api/feedback",
                    json={"text": f"空调太冷 {n}"},
                    headers={"Idempotency-Key": f"rolling-{n}"},
                )
            if answer.status_code == 201:
                receipts.append((answer.json()["feedback_id"], answer.json()["tracking_code"]))
            else:
                refused.append(answer.status_code)
            await asyncio.sleep(0.1)

    writing = asyncio.create_task(go_on_writing())
    try:
        for name in NAMES:
            child = town.system.children[name]
            child.ask_to_end()
            assert await child.ended() == 0, child.tail()
            note = town.system.directory / "data" / "run" / f"{child.pid}.json"
            assert not note.exists()
            town.system.start(name)
        await town.system.ready()
    finally:
        over.set()
        await writing
    assert set(refused) <= {503}
    assert receipts
    for case, code in receipts:
        seen = await town.sees(code, "TRIAGE", "DISPATCHED")
        assert seen["feedback_id"] == case
    await status(town, 0)
