"""Whether the broker still has what an outbox recorded as published."""

from __future__ import annotations

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.messaging.brokers import client_options
from shared.messaging.topics import cluster_id

_RECORDED_ENDS = """
SELECT topic, partition, "offset" FROM log_ends
WHERE generation = (SELECT generation FROM log_state)
"""


class LogLost(Exception):
    """The broker does not have what this outbox recorded as published; says what to do."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}; if this is the right broker, stop all services and run: "
            "python -m services restore-log"
        )


async def check_log(connection: asyncpg.Connection, kafka: str) -> None:
    """Refuse to add to a log that has lost what this outbox already put there.

    Raises `LogLost`. The first time, the broker's identity is written down.
    """
    cluster = await cluster_id(kafka)
    state = await connection.fetchrow("SELECT cluster_id, restoring FROM log_state")
    if state is None:
        raise RuntimeError("log_state is empty: run the set-up")
    if state["restoring"]:
        raise LogLost("Kafka: restore-log was interrupted")
    ends = {
        (r["topic"], r["partition"]): r["offset"] for r in await connection.fetch(_RECORDED_ENDS)
    }
    if state["cluster_id"] not in (None, cluster) and ends:
        raise LogLost("Kafka: the broker is another one than before")
    await _compare(kafka, ends)
    if cluster != state["cluster_id"]:
        await connection.execute("UPDATE log_state SET cluster_id = $1", cluster)


async def _compare(kafka: str, ends: dict[tuple[str, int], int]) -> None:
    if not ends:
        return
    consumer = AIOKafkaConsumer(**client_options(kafka), request_timeout_ms=10_000)
    await consumer.start()
    try:
        present = await consumer.end_offsets([TopicPartition(t, p) for t, p in ends])
    finally:
        await consumer.stop()
    for (topic, partition), last in ends.items():
        if present[TopicPartition(topic, partition)] <= last:
            raise LogLost(f"Kafka: {topic}[{partition}] ends before offset {last}")
