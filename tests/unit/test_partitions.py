"""Which partition a fact goes to: that of every other client, or order within a case is lost."""

from __future__ import annotations

from aiokafka.partitioner import DefaultPartitioner

from shared.ids import new_id
from shared.messaging.relay import choose_partition

PARTITIONS = list(range(12))


def test_a_case_stays_where_kafkas_own_clients_put_it() -> None:
    theirs = DefaultPartitioner()
    for key in [b"", b"a", "案".encode(), *(new_id().encode() for _ in range(200))]:
        for _ in range(2):
            assert choose_partition(key, PARTITIONS, PARTITIONS) == theirs(
                key, PARTITIONS, PARTITIONS
            )


def test_what_has_no_key_goes_to_a_partition_that_answers() -> None:
    assert choose_partition(None, PARTITIONS, [5]) == 5
    assert choose_partition(None, PARTITIONS, []) in PARTITIONS
