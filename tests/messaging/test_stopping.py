"""When dead letters mean that the fault is ours, and when they do not."""

from __future__ import annotations

from shared.ids import new_id
from shared.messaging.consumer import BURIED_IN_A_ROW
from tests.messaging.conftest import scalar, until
from tests.messaging.test_log import Pair, heard, received, tell

BURIED = "SELECT count(*) FROM dead_letters WHERE feedback_id = :i"


async def test_bad_facts_with_good_ones_between_them_stop_nobody(pair: Pair) -> None:
    source, hearer = pair
    assert hearer.consumer is not None
    for _ in range(BURIED_IN_A_ROW + 2):
        bad, good = new_id(), new_id()
        await tell(source, received(bad, "poison"))
        await until(lambda bad=bad: scalar(hearer, BURIED, i=bad))
        await tell(source, received(good))
        await until(lambda good=good: heard(hearer, good))
    assert not hearer.consumer.health.stopped


async def test_bad_facts_in_a_row_stop_the_consumer_and_it_says_so(pair: Pair) -> None:
    source, hearer = pair
    assert hearer.consumer is not None
    await tell(source, *(received(new_id(), "poison") for _ in range(2 * BURIED_IN_A_ROW)))
    await until(lambda: hearer.consumer and hearer.consumer.health.stopped)
    assert any("facts refused in a row" in reason for reason in hearer.reasons())
