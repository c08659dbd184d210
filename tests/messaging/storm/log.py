"""A log in memory that keeps what Kafka keeps: order within a partition, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.messaging.envelope import Record

Partition = tuple[str, int]


@dataclass
class MemoryLog:
    """Topics as lists of records; `wipe` forgets all of them, as a lost broker does."""

    partitions: dict[Partition, list[Record]] = field(default_factory=dict)
    _partition_of: dict[str, int] = field(default_factory=dict)

    def append(
        self, topic: str, key: str | None, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, int]:
        """Add a record; gives its partition and offset."""
        # In turn and not by hash: identifiers differ each time a story is told. A few are enough,
        # and make it likelier that cases share one.
        case = (key or "").partition("/")[0]
        partition = self._partition_of.setdefault(case, len(self._partition_of) % 3)
        records = self.partitions.setdefault((topic, partition), [])
        records.append(
            Record(
                topic=topic,
                partition=partition,
                offset=len(records),
                key=None if key is None else key.encode(),
                headers=headers,
                body=body,
            )
        )
        return partition, len(records) - 1

    def read(self, partition: Partition, offset: int, limit: int) -> list[Record]:
        """Up to `limit` records from `offset` on."""
        return self.partitions.get(partition, [])[offset : offset + limit]

    def end(self, partition: Partition) -> int:
        """The offset the next record will have."""
        return len(self.partitions.get(partition, []))

    def of(self, topic: str) -> list[Record]:
        """All records of a topic, partition by partition."""
        return [r for (t, _), rs in sorted(self.partitions.items()) if t == topic for r in rs]

    def wipe(self) -> None:
        """Lose everything."""
        self.partitions.clear()
