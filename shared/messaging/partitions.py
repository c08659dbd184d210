"""Which partition a record goes to: one case, one partition, whatever else its key says."""

from __future__ import annotations

import random
from functools import lru_cache

from aiokafka.partitioner import murmur2

PARTITIONS = 12
"""Of every topic, from the first day: more would move cases and break their order."""


def partition_of(key: str) -> int:
    """The partition of ``feedback.events`` (and of every topic of ours) that has `key`."""
    return _hash(key.encode()) % PARTITIONS


def choose_partition(key: bytes | None, partitions: list[int], available: list[int]) -> int:
    """Kafka's own clients' choice by the part of the key before the first ``/``.

    ``feedback_id/words_id`` thus goes where ``feedback_id`` goes. The signature is aiokafka's.
    """
    if key is None:
        return random.choice(available or partitions)
    return partitions[_hash(key) % len(partitions)]


@lru_cache(maxsize=10_000)
def _hash(key: bytes) -> int:
    return int(murmur2(key.partition(b"/")[0])) & 0x7FFFFFFF
