"""The topics of the house and how they are made. Nothing else creates a topic."""

from __future__ import annotations

import contextlib

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from shared.contracts import DIRECTORY, EVENTS, INBOUND, INBOUND_REJECTED, PRIVATE

PARTITIONS = 12
_TOPIC_EXISTS = 36
_FOR_EVER = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_COMPACTED = {"cleanup.policy": "compact"}
_A_MONTH = {"cleanup.policy": "delete", "retention.ms": str(30 * 24 * 3600 * 1000)}

TOPICS: dict[str, dict[str, str]] = {
    EVENTS: _FOR_EVER,
    PRIVATE: _COMPACTED,
    DIRECTORY: _COMPACTED,
    INBOUND: _A_MONTH,
    # What is refused goes back with a reason beside it, so it may be a little larger than it came.
    INBOUND_REJECTED: _A_MONTH | {"max.message.bytes": "2097152"},
}
"""Topic → configuration. Views are rebuilt from ``feedback.events``, so it is kept for ever."""


class TopicRefused(RuntimeError):
    """The broker would not create a topic."""


async def create_topics(kafka: str, *, partitions: int = PARTITIONS) -> list[str]:
    """Create the topics that are missing; says which were new.

    Three replicas where there are three brokers, else as many as there are.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka, request_timeout_ms=10_000)
    await admin.start()
    try:
        replicas = min(3, len((await admin.describe_cluster())["brokers"]))
        wanted = [
            NewTopic(
                name,
                num_partitions=partitions,
                replication_factor=replicas,
                topic_configs=config | ({"min.insync.replicas": "2"} if replicas == 3 else {}),
            )
            for name, config in TOPICS.items()
        ]
        answer = await admin.create_topics(wanted, timeout_ms=10_000)
        # A new broker makes the topic for offsets when first asked: now, not when all join.
        with contextlib.suppress(KafkaError):
            await admin.find_coordinator("intake")
    finally:
        await admin.close()
    new = []
    for name, code, *message in answer.topic_errors:
        if code == 0:
            new.append(name)
        elif code != _TOPIC_EXISTS:
            raise TopicRefused(f"{name}: error {code} {' '.join(map(str, message))}")
    return new


async def cluster_id(kafka: str) -> str:
    """The identity of the broker's log; another one means that the log was lost."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka, request_timeout_ms=10_000)
    await admin.start()
    try:
        description = await admin.describe_cluster()
    finally:
        await admin.close()
    return str(description["cluster_id"])
