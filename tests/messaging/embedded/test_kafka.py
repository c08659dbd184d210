"""The embedded Kafka, for real."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from shared.embedded import EmbeddedKafka, ServerUnavailable, start_servers
from tests.patience import PATIENCE

TOPIC = "said"


@asynccontextmanager
async def running(server: EmbeddedKafka) -> AsyncIterator[str]:
    try:
        yield await server.start()
    finally:
        await server.stop()


async def say(address: str, words: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait(TOPIC, words.encode())
    await producer.stop()


async def first_words(address: str) -> str:
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(TOPIC, 0)])
        record = await asyncio.wait_for(consumer.getone(), PATIENCE)
        return str(record.value, "utf-8")
    finally:
        await consumer.stop()


async def answers(address: str) -> bool:
    client = AIOKafkaClient(bootstrap_servers=address, request_timeout_ms=1000)
    try:
        await client.bootstrap()
        return True
    except KafkaError:
        return False
    finally:
        await client.close()


async def test_the_log_and_the_port_survive_a_restart(tmp_path: Path) -> None:
    async with running(EmbeddedKafka(tmp_path)) as first:
        await say(first, "三层没有座位")
    async with running(EmbeddedKafka(tmp_path)) as second:
        assert second == first
        assert await first_words(second) == "三层没有座位"


async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    server = EmbeddedKafka(tmp_path)
    async with running(server) as address:
        await say(address, "谢谢")
        server.kill()
        assert server.pid is None
        assert await server.start() == address
        assert await first_words(address) == "谢谢"


async def test_a_frozen_broker_goes_on_afterwards(tmp_path: Path) -> None:
    server = EmbeddedKafka(tmp_path)
    async with running(server) as address:
        server.pause()
        assert not await answers(address)
        server.resume()
        await say(address, "回来了")
        assert await first_words(address) == "回来了"


async def test_a_frozen_broker_can_be_stopped(tmp_path: Path) -> None:
    server = EmbeddedKafka(tmp_path)
    await server.start()
    server.pause()
    await server.stop()
    assert server.pid is None


async def test_a_wiped_log_is_a_new_cluster_at_the_same_port(tmp_path: Path) -> None:
    server = EmbeddedKafka(tmp_path)
    async with running(server) as before:
        await say(before, "forgotten")
    shutil.rmtree(server.logs)
    async with running(server) as after:
        assert after == before
        await say(after, "new")
        assert await first_words(after) == "new"


async def test_a_port_that_somebody_took_is_replaced(tmp_path: Path) -> None:
    async with running(EmbeddedKafka(tmp_path)) as before:
        pass
    host, port = before.split(":")
    with socket.create_server((host, int(port))):
        async with running(EmbeddedKafka(tmp_path)) as after:
            assert after != before
        with pytest.raises(ServerUnavailable, match="EXPRESS_KAFKA"):
            await EmbeddedKafka(tmp_path, port=int(port)).start()


async def test_both_servers_start_together_and_others_join_them(tmp_path: Path) -> None:
    servers = await start_servers(tmp_path, kafka=True, postgres=True)
    try:
        joined = await start_servers(tmp_path, kafka=True, postgres=True)
        assert joined.database_url == servers.database_url
        assert joined.kafka_address == servers.kafka_address
        await joined.stop()
        assert servers.kafka_address
        assert await answers(servers.kafka_address)
    finally:
        await servers.stop()


async def test_when_one_server_cannot_start_the_other_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path / "a file" / "is not a folder"))
    (tmp_path / "a file").touch()
    with pytest.raises(ServerUnavailable, match="EXPRESS_KAFKA"):
        await start_servers(tmp_path, kafka=True, postgres=True)
    assert not (tmp_path / "postgres.pid").exists()
