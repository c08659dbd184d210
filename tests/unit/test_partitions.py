"""Which partition an event goes to: that of every other client, or order within a case is lost."""

from __future__ import annotations

from aiokafka.partitioner import DefaultPartitioner

from shared.ids import new_id
from shared.messaging.partitions import choose_partition, partition_of

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


def test_what_follows_a_slash_in_the_key_does_not_move_it() -> None:
    for case in (new_id() for _ in range(50)):
        whole = choose_partition(case.encode(), PARTITIONS, PARTITIONS)
        for part in (f"{case}/{new_id()}", f"{case}/erased/desk", f"{case}/"):
            assert choose_partition(part.encode(), PARTITIONS, PARTITIONS) == whole
            assert partition_of(part) == partition_of(case) == whole
