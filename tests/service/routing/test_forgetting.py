"""Who is erased leaves neither words nor meaning behind, and nothing that could be learned."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.routing import jobs, store
from services.routing.store import vectors
from shared.contracts.desk import PrivateErasedByDesk
from shared.contracts.intake import PrivateErased
from tests.service.routing.conftest import NOW, Routing, dispatched, received, returned
from tests.service.routing.test_vectors import Compass, kept, use

WORDS = "占座占了一整天，就在我常坐的窗边"


async def tables_with(routing: Routing, feedback_id: str) -> set[str]:
    """Tables of routing, but for the outbox, with a row of this case."""
    found = set()
    async with routing.service.engine.connect() as connection:
        for table in ("cases", "vectors", "decisions", "examples", "forgotten"):
            rows = await connection.execute(
                text(f"SELECT 1 FROM {table} WHERE feedback_id = :id"), {"id": feedback_id}
            )
            found |= {table} if rows.first() else set()
    return found


def erased(feedback_id: str, **more: Any) -> PrivateErased:
    return PrivateErased(feedback_id=feedback_id, at=NOW, **more)


async def test_words_and_vector_go_in_the_transaction_that_says_so(routing: Routing) -> None:
    use(routing, Compass())
    case, other = await routing.receive(WORDS), await routing.receive(WORDS)
    await routing.process(dispatched(case, "space"))
    await jobs.embed_waiting(routing.service)
    await routing.process(erased(case, words_id="w1"))
    assert "vectors" in await tables_with(routing, case)
    await routing.process(erased(case))
    assert await tables_with(routing, case) == {"decisions", "examples", "forgotten"}
    assert (await routing.last(case))["type"] == "private.erased_by_routing.v1"
    async with routing.service.engine.connect() as connection:
        near = await vectors.precedents(connection, "compass-1", (0.3,) * 8, but="")
    assert near == []
    assert await kept(routing) == {other: "compass-1"}
    assert await jobs.embed_waiting(routing.service) == 0


async def test_words_that_come_with_the_erasure_or_after_it_are_not_kept(routing: Routing) -> None:
    together, late = received(WORDS), received(WORDS)
    await routing.process(together, erased(together.feedback_id))
    await routing.process(erased(late.feedback_id))
    await routing.process(late)
    for event in (together, late):
        assert await tables_with(routing, event.feedback_id) == {"decisions", "forgotten"}
        types = {e["type"] for e in await routing.emitted(event.feedback_id)}
        assert types == {"feedback.routed.v1", "private.erased_by_routing.v1"}
    # It can be returned all the same; nobody knows any more what it was about.
    await routing.process(returned(late.feedback_id, "space"))
    assert (await routing.last(late.feedback_id))["type"] == "feedback.triage_needed.v1"


async def test_erasures_of_before_are_known_by_the_answer_of_desk(routing: Routing) -> None:
    case = await routing.receive(WORDS)
    await routing.process(PrivateErasedByDesk(feedback_id=case, at=NOW))
    assert await tables_with(routing, case) == {"decisions", "forgotten"}


async def test_a_vector_on_its_way_and_an_erasure_wait_for_each_other(routing: Routing) -> None:
    case = await routing.receive(WORDS)
    made = [(case, (1.0,) * 8)]
    async with routing.service.engine.connect() as embedding:
        await embedding.execute(text("SET lock_timeout = '100ms'"))
        await embedding.commit()
        async with routing.service.transaction() as tx:
            await store.forget(tx, case)
            with pytest.raises(DBAPIError, match="lock timeout"):
                await vectors.keep(embedding, "compass-1", NOW, made)
            await embedding.rollback()
            await tx.fetch("ROLLBACK AND CHAIN")
            await tx.fetch("SET LOCAL lock_timeout = '100ms'")
            await vectors.keep(embedding, "compass-1", NOW, made)
            with pytest.raises(asyncpg.LockNotAvailableError):
                await store.forget(tx, case)
            await tx.fetch("ROLLBACK AND CHAIN")
            await embedding.commit()
            await store.forget(tx, case)
        await vectors.keep(embedding, "compass-1", NOW, made)
        await embedding.commit()
        await embedding.execute(text("RESET lock_timeout"))
        await embedding.commit()
    assert await kept(routing) == {}
