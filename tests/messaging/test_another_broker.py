"""A given broker that is not the one of before gets nothing until somebody asks for it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text

from shared.contracts import EVENTS
from shared.ids import new_id
from shared.messaging.restore import lost_services
from shared.process import LOG_LOST, Process
from shared.service import Runtime
from shared.settings import Settings
from tests.integration.system import free_ports
from tests.messaging import toy
from tests.messaging.conftest import running, scalar, until
from tests.messaging.test_log import received, tell
from tests.patience import PATIENCE

RUN = (
    "from services import __main__ as main\n"
    "from tests.messaging import toy\n"
    "main.builds = lambda names=(): {'intake': toy.build_source}\n"
    "main.cli()\n"
)


async def test_a_given_broker_is_sent_nothing_unasked(toy_runtime: Runtime, tmp_path: Path) -> None:
    source = toy.build_source(toy_runtime)
    await source.migrate()
    async with running(source):
        await tell(source, received(new_id()))
        await until(lambda: scalar(source, "SELECT published_at FROM outbox"))
    async with source.engine.begin() as connection:
        await connection.execute(text("UPDATE log_state SET cluster_id = 'another'"))
    before = await _ends(toy_runtime.kafka)

    status, said = await _run(toy_runtime, tmp_path)

    assert status == LOG_LOST
    assert said.count("\n") == 1
    assert said.count("python -m services restore-log") == 1
    assert await _ends(toy_runtime.kafka) == before
    await source.connect()
    assert set(await lost_services([source], toy_runtime.kafka)) == {"intake"}
    await source.engine.dispose()


@pytest.mark.parametrize(
    ("kafka", "whole", "restores"),
    [("", True, True), ("", False, False), ("broker:9092", True, False)],
)
def test_only_the_whole_system_restores_and_only_to_its_own_broker(
    kafka: str, whole: bool, restores: bool
) -> None:
    assert Process(Settings(kafka=kafka), dict, whole=whole).restores is restores


async def _run(runtime: Runtime, data: Path) -> tuple[int | None, str]:
    """Exit status and standard error of the whole system on given servers."""
    environment = os.environ | {
        "EXPRESS_DATABASE": runtime.database,
        "EXPRESS_KAFKA": runtime.kafka,
        "EXPRESS_DATA": str(data),
        "EXPRESS_EMBEDDINGS": "off",
        "EXPRESS_PORT": str(free_ports(1)[0]),
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RUN,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(child.communicate(), PATIENCE)
    return child.returncode, said.decode()


async def _ends(kafka: str) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(
            [TopicPartition(EVENTS, n) for n in range(12)]
        )
        return ends
    finally:
        await consumer.stop()
