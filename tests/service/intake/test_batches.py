"""Whatever comes together, in one process or several: an answered comment is stored, once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake import store
from services.intake.domain.submission import from_adapter
from services.intake.store import Arrival, Key, Receipt
from shared.contracts.inbound import InboundFeedback
from shared.contracts.refusal import Conflict
from tests.patience import PATIENCE
from tests.service.intake.conftest import Intake


@dataclass(frozen=True)
class Message:
    """A comment of an adapter, or (without `source`) of the public."""

    words: str
    source: str | None = None
    key: str | None = None

    @property
    def body(self) -> str:
        """All of it but the key, as a fingerprint covers it."""
        return f"{self.words} {self.source}"


MESSAGES = st.builds(
    Message,
    words=st.sampled_from("xy"),
    source=st.sampled_from([None, "s1", "s2", "s3"]),
    key=st.sampled_from([None, "k1", "k2"]),
)
BATCHES = st.lists(st.lists(MESSAGES, min_size=1, max_size=6), min_size=1, max_size=3)


@dataclass
class Model:
    """One comment after another, in a dictionary each."""

    sources: dict[str, int] = field(default_factory=dict)
    keys: dict[str, tuple[str, int]] = field(default_factory=dict)

    def accept(self, number: int, message: Message) -> int | None:
        """The number of the comment that is answered with; None for a conflict."""
        if message.source in self.sources:
            return self.sources[message.source or ""]
        if message.key in self.keys:
            body, first = self.keys[message.key or ""]
            return first if body == message.body else None
        if message.source:
            self.sources[message.source] = number
        if message.key:
            self.keys[message.key] = (message.body, number)
        return number


class Desk:
    """Makes arrivals of messages, each example under names of its own."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.examples = 0

    def arrival(self, message: Message) -> Arrival:
        body = InboundFeedback(
            text=message.words, channel="api", source_message_id=message.source or "none"
        )
        submission = from_adapter(
            body, self.intake.service.deps.ticket(), account=f"a{self.examples}", locale="zh"
        )
        if message.source is None:
            submission = replace(submission, source_message_id=None)
        key = message.key and Key(f"e{self.examples}", message.key, message.body)
        return Arrival(submission, key or None)

    async def write(self, arrivals: Sequence[Arrival]) -> list[Any]:
        async with self.intake.service.transaction() as tx:
            return await store.accept(tx, arrivals)

    async def check_stored(self, answers: Sequence[Any]) -> None:
        """Every receipt stands in the tables, whole, and what is there was answered."""
        receipts = {a for a in answers if isinstance(a, Receipt)}
        rows = await self.intake.rows(
            "SELECT feedback_id, tracking_code FROM submissions WHERE account = :a",
            a=f"a{self.examples}",
        )
        assert {(r["feedback_id"], r["tracking_code"]) for r in rows} == {
            (r.feedback_id, r.tracking_code) for r in receipts
        }
        emitted = await self.intake.rows(
            "SELECT key, array_agg(headers->>'ce_type' ORDER BY id) AS types FROM outbox "
            "WHERE key = ANY(:ids) GROUP BY key",
            ids=[r["feedback_id"] for r in rows],
        )
        assert {row["key"]: row["types"] for row in emitted} == {
            row["feedback_id"]: ["feedback.received.v1", "private.details.v1"] for row in rows
        }


async def examples(intake: Intake, test: Any, strategy: Any, most: int) -> None:
    """Run hypothesis beside the loop of the database."""
    loop = asyncio.get_running_loop()
    desk = Desk(intake)

    def run(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE)

    @settings(
        max_examples=most, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    @given(strategy)
    def one(value: Any) -> None:
        desk.examples += 1
        run(test(desk, value))

    await asyncio.to_thread(one)


async def test_batches_answer_as_one_comment_after_another_would(intake: Intake) -> None:
    async def check(desk: Desk, batches: list[list[Message]]) -> None:
        model = Model()
        arrived: list[Arrival] = []
        answered: list[Any] = []
        for batch in batches:
            arrivals = [desk.arrival(message) for message in batch]
            answers = await desk.write(arrivals)
            for message, arrival, answer in zip(batch, arrivals, answers, strict=True):
                expected = model.accept(len(arrived), message)
                arrived.append(arrival)
                if expected is None:
                    assert isinstance(answer, Conflict)
                    continue
                submission = arrived[expected].submission
                assert submission is not None
                assert isinstance(answer, Receipt)
                assert answer.feedback_id == submission.feedback_id
                assert answer.tracking_code == submission.tracking_code
            answered += answers
        await desk.check_stored(answered)

    await examples(intake, check, BATCHES, 60)


async def test_overlapping_batches_of_several_processes_lose_nothing(intake: Intake) -> None:
    async def check(desk: Desk, batches: list[list[Message]]) -> None:
        async def process(batch: list[Message]) -> list[tuple[Message, Any]]:
            while True:
                try:
                    answers = await desk.write([desk.arrival(message) for message in batch])
                except asyncpg.DeadlockDetectedError:
                    continue  # the sender is told to try again
                return list(zip(batch, answers, strict=True))

        answered = [pair for some in await asyncio.gather(*map(process, batches)) for pair in some]
        await desk.check_stored([answer for _, answer in answered])
        ids: dict[str, set[str]] = {}
        for message, answer in answered:
            if isinstance(answer, Receipt) and message.source:
                ids.setdefault(message.source, set()).add(answer.feedback_id)
            elif isinstance(answer, Receipt) and message.key:
                ids.setdefault(message.key, set()).add(answer.feedback_id)
            if isinstance(answer, Conflict):
                assert message.key
        assert all(len(found) == 1 for found in ids.values())

    strategy = st.lists(st.lists(MESSAGES, min_size=1, max_size=5), min_size=2, max_size=4)
    await examples(intake, check, strategy, 40)


async def test_a_copy_after_a_spent_key_is_the_comment(intake: Intake) -> None:
    desk = Desk(intake)
    await desk.write([desk.arrival(Message("x", "s1", "k1"))])
    first, second = await desk.write(
        [desk.arrival(Message("y", "s2", "k1")), desk.arrival(Message("y", "s2"))]
    )
    assert isinstance(first, Conflict)
    found = await intake.rows(
        "SELECT text FROM submissions WHERE feedback_id = :id", id=second.feedback_id
    )
    assert [row["text"] for row in found] == ["y"]


async def test_a_key_of_a_message_that_lost_its_source_is_free_again(intake: Intake) -> None:
    desk = Desk(intake)
    winner, loser = desk.arrival(Message("x", "s1")), desk.arrival(Message("y", "s1", "k1"))
    async with intake.service.transaction() as tx:
        await store.accept(tx, [winner])
        # Sees no source yet, claims its key, and waits at the index for the one above.
        late = asyncio.create_task(desk.write([loser]))
        async with asyncio.timeout(PATIENCE):
            while not await intake.rows("SELECT 1 FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
    (answer,) = await late
    assert answer.repeated
    assert winner.submission is not None
    assert answer.feedback_id == winner.submission.feedback_id
    (other,) = await desk.write([desk.arrival(Message("z", "s2", "k1"))])
    assert isinstance(other, Receipt)
