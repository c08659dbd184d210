"""Topics of an older release, or touched by an operator, get the configuration of today."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.contracts import EVENTS, PRIVATE
from shared.embedded import Servers
from shared.messaging.topics import A_MONTH_MS, create_topics
from tests.messaging.conftest import until


async def test_a_topic_that_is_there_is_configured_anew_and_keeps_what_else_was_set(
    toy_servers: Servers,
) -> None:
    assert toy_servers.kafka_address
    admin = AIOKafkaAdminClient(bootstrap_servers=toy_servers.kafka_address)
    await admin.start()
    try:
        older = {"cleanup.policy": "compact", "delete.retention.ms": "86400000"}
        await admin.alter_configs([_topic(PRIVATE, older | {"segment.ms": "600000"})])
        await admin.alter_configs([_topic(EVENTS, {"retention.ms": "604800000"})])
        # The broker shows what it was told a moment later.
        await until(lambda: _has(admin, PRIVATE, {"segment.ms": "600000"}))
        await until(lambda: _has(admin, EVENTS, {"retention.ms": "604800000"}))
        assert await create_topics(toy_servers.kafka_address) == []
        wanted = {"delete.retention.ms": str(A_MONTH_MS), "segment.ms": "600000"}
        await until(lambda: _has(admin, PRIVATE, wanted))
        await until(lambda: _has(admin, EVENTS, {"retention.ms": "-1"}))
    finally:
        await admin.close()


def _topic(name: str, values: dict[str, str] | None = None) -> ConfigResource:
    return ConfigResource(ConfigResourceType.TOPIC, name, values)


async def _has(admin: AIOKafkaAdminClient, topic: str, wanted: dict[str, str]) -> bool:
    (answer,) = await admin.describe_configs([_topic(topic)])
    present = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    return wanted.items() <= present.items()
