"""The topics of the system and how they are made. Nothing else creates or configures a topic."""

from __future__ import annotations

import contextlib

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from shared.contracts import DIRECTORY, EVENTS, INBOUND, INBOUND_REJECTED, PRIVATE
from shared.messaging.brokers import client_options
from shared.messaging.connecting import explained
from shared.messaging.partitions import PARTITIONS

_TOPIC_EXISTS = 36
_SET_ON_THE_TOPIC = 1
"""Kafka's source of a configuration that is neither a default nor the broker's."""
A_MONTH_MS = 30 * 24 * 3600 * 1000
_FOR_EVER = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
# A reader that was away must still find that somebody was erased: a tombstone stays for a month.
_COMPACTED = {"cleanup.policy": "compact", "delete.retention.ms": str(A_MONTH_MS)}
_A_MONTH = {"cleanup.policy": "delete", "retention.ms": str(A_MONTH_MS)}

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
    """The broker would not create or configure a topic."""


async def create_topics(kafka: str) -> list[str]:
    """Create the topics that are missing, configure those that are there; says which were new.

    Three replicas where there are three brokers, else as many as there are.
    """
    admin = await _admin(kafka)
    try:
        replicas = min(3, len((await admin.describe_cluster())["brokers"]))
        wanted = [
            NewTopic(
                name,
                num_partitions=PARTITIONS,
                replication_factor=replicas,
                topic_configs=config | ({"min.insync.replicas": "2"} if replicas == 3 else {}),
            )
            for name, config in TOPICS.items()
        ]
        answer = await admin.create_topics(wanted, timeout_ms=10_000)
        new = []
        for name, code, *message in answer.topic_errors:
            if code == 0:
                new.append(name)
            elif code != _TOPIC_EXISTS:
                raise TopicRefused(f"{name}: error {code} {' '.join(map(str, message))}")
        await _configure(admin, [name for name in TOPICS if name not in new])
        # A new broker makes the topic for offsets when first asked: now, not when all join.
        with contextlib.suppress(KafkaError):
            await admin.find_coordinator("intake")
    finally:
        await admin.close()
    return new


async def _admin(kafka: str) -> AIOKafkaAdminClient:
    admin = AIOKafkaAdminClient(**client_options(kafka), request_timeout_ms=10_000)
    try:
        await admin.start()
    except KafkaError as error:
        await admin.close()
        raise await explained(error, kafka) from error
    return admin


async def _configure(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """Bring topics that were there before to the configuration of today.

    What an operator has set besides stays: Kafka replaces all of a topic's configuration at once.
    """
    if not names:
        return
    changed = []
    answers = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    for code, message, _, name, entries in (r for a in answers for r in a.resources):
        if code:
            raise TopicRefused(f"{name}: error {code} {message}")
        present = {key: value for key, value, *_ in entries}
        if any(present.get(key) != value for key, value in TOPICS[name].items()):
            own = {k: v for k, v, _, source, *_ in entries if source == _SET_ON_THE_TOPIC}
            changed.append(ConfigResource(ConfigResourceType.TOPIC, name, own | TOPICS[name]))
    if changed:
        for answer in await admin.alter_configs(changed):
            for code, message, _, name in answer.resources:
                if code:
                    raise TopicRefused(f"{name}: error {code} {message}")


async def cluster_id(kafka: str) -> str:
    """The identity of the broker's log; another one means that the log was lost."""
    admin = await _admin(kafka)
    try:
        description = await admin.describe_cluster()
    finally:
        await admin.close()
    return str(description["cluster_id"])
