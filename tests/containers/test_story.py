"""The ordinary story on the shape of production; containers are added, killed, replaced."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator

import pytest

from services.__main__ import NAMES
from tests.containers.images import make_product
from tests.containers.project import Project
from tests.integration.people import REPLY, SEAT, Town, receipt_of
from tests.integration.system import until

READERS_FIRST = ("tracking", "notification", "sla", "routing", "desk", "intake")
"""The order of deploy/README.md."""


async def tells_the_story(town: Town) -> str:
    """From a comment to its rating; the tracking code."""
    case, code = await town.by_web()
    seen = await town.answered_and_rated(case, code)
    assert [reply["text"] for reply in seen["replies"]] == [REPLY]
    return code


async def test_a_comment_goes_the_whole_way_and_its_page_sees_it_live(town: Town) -> None:
    case, code = await town.by_web()
    await town.sees(code, "DISPATCHED")
    seen: list[str] = []

    async def watch() -> None:
        async with (
            town.anybody() as visitor,
            visitor.stream("GET", f"/api/track/{code}/stream") as answer,
        ):
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    seen.append(json.loads(line[5:])["type"])
                if "feedback.rated" in seen:
                    return

    async with asyncio.timeout(120):
        await asyncio.gather(watch(), town.answered_and_rated(case, code))
    assert seen[0] == "feedback.received"
    assert {"case.accepted", "case.replied"} <= set(seen)


async def test_pages_come_with_their_assets(town: Town) -> None:
    async with town.anybody() as visitor:
        for path in ("/", "/signin"):
            page = await visitor.get(path, headers={"Accept": "text/html"})
            assert page.status_code == 200
            assets = {word for word in page.text.split('"') if word.startswith("/static/")}
            assert any("/vendor/" in asset for asset in assets), assets
            for asset in assets:
                assert (await visitor.get(asset)).status_code == 200, asset


async def test_two_desks_share_the_work_and_either_may_be_killed(
    town: Town, project: Project
) -> None:
    project.up("desk", scale={"desk": 2})
    desks = project.containers("desk")
    assert len(desks) == 2

    async def shared() -> bool:
        read = await asyncio.to_thread(members, project, "desk")
        return len(read) == 2 and all(read.values())

    await until(shared, within=60, what="each desk reads some partitions")
    await tells_the_story(town)
    before = project.engine.inspect(desks[1])["Config"]["Hostname"]
    kill(project, desks[1])
    await tells_the_story(town)
    project.await_healthy("desk")
    assert project.engine.inspect(desks[1])["Config"]["Hostname"] == before, "its name is kept"
    await until(shared, within=60, what="who was killed reads again")
    project.up("desk", scale={"desk": 1})
    assert project.containers("desk") == desks[:1]
    await tells_the_story(town)


@pytest.mark.parametrize("name", ["intake", "gateway", "kafka", "postgres"])
async def test_a_container_that_was_killed_comes_back_by_itself(
    town: Town, project: Project, name: str
) -> None:
    code = await tells_the_story(town)
    (container,) = project.containers(name)
    kill(project, container)
    project.await_healthy(name, *NAMES)
    assert (await town.sees(code))["state"] == "CLOSED"
    await tells_the_story(town)


async def test_services_are_replaced_one_after_another_and_nobody_loses_a_word(
    town: Town, project: Project
) -> None:
    old = await tells_the_story(town)
    new = make_product(project.engine, "next", version="next")
    env = project.env.read_text()
    project.env.write_text(env + "IMAGE_TAG=next\n")
    try:
        async with people_writing(town) as codes:
            await asyncio.to_thread(project.up, "setup")
            for name in READERS_FIRST:
                made = await asyncio.to_thread(project.up, name, no_deps=True)
                assert made == project.containers(name)
            await asyncio.to_thread(project.up)
        for name in NAMES:
            (container,) = project.containers(name)
            assert project.engine.inspect(container)["Image"].startswith(new[:12])
        assert len(codes) > 5
        await town.sees(codes[-1], "DISPATCHED")
        async with town.anybody() as visitor:
            for code in codes:
                assert (await visitor.get(f"/api/track/{code}")).status_code == 200
        assert (await town.sees(old))["state"] == "CLOSED"
        await tells_the_story(town)
    finally:
        project.env.write_text(env)
    # And back: the release before is the other one.
    project.up()
    await tells_the_story(town)


async def test_all_of_it_is_taken_down_and_put_up_again(town: Town, project: Project) -> None:
    code = await tells_the_story(town)
    project.down()
    assert project.containers() == []
    await asyncio.to_thread(project.up)
    assert (await town.sees(code))["state"] == "CLOSED"
    await tells_the_story(town)


@contextlib.asynccontextmanager
async def people_writing(town: Town) -> AsyncIterator[list[str]]:
    """Somebody writes every few seconds; the tracking codes of the comments that were taken."""
    codes: list[str] = []
    done = asyncio.Event()

    async def write() -> None:
        async with town.anybody() as visitor:
            while not done.is_set():
                # The gateway itself is never away. A service is, for a moment, and says so.
                answer = await visitor.post("/api/feedback", json={"text": SEAT})
                if answer.status_code == 503:
                    assert answer.headers["retry-after"]
                else:
                    codes.append(receipt_of(answer)[1])
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(done.wait(), 2)

    writing = asyncio.create_task(write())
    try:
        yield codes
    finally:
        done.set()
        await writing


def members(project: Project, group: str) -> dict[str, int]:
    """The members of a group → how many partitions each reads, as the broker says."""
    told = project.exec(
        "kafka", "/opt/kafka/bin/kafka-consumer-groups.sh", "--bootstrap-server", "localhost:9092",
        "--describe", "--members", "--group", group,
    )  # fmt: skip
    rows = [line.split() for line in told.splitlines() if line.startswith(group)]
    return {row[1]: int(row[-1]) for row in rows}


def kill(project: Project, container: str) -> None:
    """The container's own processes end as when the kernel ends them."""
    os.kill(project.engine.inspect(container)["State"]["Pid"], signal.SIGKILL)
