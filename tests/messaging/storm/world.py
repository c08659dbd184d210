"""Intake, desk and tracking on a real PostgreSQL and a log in memory, one step at a time.

Nothing runs in the background: relays and consumers move when a step says so, and end where it says
so. Consumers are the production `Processor`; what is replaced is the broker alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
from sqlalchemy import text
from starlette.types import ASGIApp, Receive, Scope, Send

from services.desk.app import build as build_desk
from services.intake import store as intake_store
from services.intake.app import build as build_intake
from services.tracking.app import build as build_tracking
from shared.contracts import EVENTS, PRIVATE, Event
from shared.messaging.dead_letters import redrive
from shared.messaging.group_commit import GroupCommit
from shared.messaging.subscription import Handler, Subscription
from shared.messaging.transaction import Transaction
from shared.service import Runtime, Service
from shared.web.app import web_app
from tests import support
from tests.messaging.storm.log import MemoryLog, Partition
from tests.messaging.storm.owner import Gate, Killed, Owner

CANARY = "canary@example.edu"
BUILDS = {"intake": build_intake, "desk": build_desk, "tracking": build_tracking}
OWNERS = ("one", "two")
_WRONG = """
SELECT 'letters are miscounted', s.feedback_id FROM streams s WHERE s.letters <>
  (SELECT count(*) FROM dead_letters d WHERE d.feedback_id = s.feedback_id)
UNION ALL
SELECT 'a sequence has a gap', key FROM outbox WHERE seq IS NOT NULL
GROUP BY key HAVING max(seq) <> count(*)
"""
_WAITING = """
SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database() AND usename IS NOT NULL
"""
"""A process of the story, and nobody who cleans up: those have no name."""


class Poison(Exception):
    """What a handler raises about a poisoned event."""


@dataclass
class World:
    """The system between two steps."""

    runtime: Runtime
    services: dict[str, Service]
    client: httpx2.AsyncClient
    log: MemoryLog = field(default_factory=MemoryLog)
    committed: dict[tuple[str, Partition], int] = field(default_factory=dict)
    owners: dict[tuple[str, str], Owner] = field(default_factory=dict)
    poisoned: dict[tuple[str, str], int] = field(default_factory=dict)
    """Service and case → the number of the one event of intake its handlers raise about."""
    accepted: dict[str, str] = field(default_factory=dict)
    """Case → tracking code, of every comment that was answered with 2xx."""
    erased: set[str] = field(default_factory=set)

    # -- entry points ----------------------------------------------------------------------

    async def submit(self, comments: list[dict[str, Any]]) -> list[httpx2.Response]:
        """Send comments at once: they share a commit."""
        token = support.adapter_token(self.runtime, "storm")

        async def send(comment: Mapping[str, Any]) -> httpx2.Response:
            headers = {"Authorization": f"Bearer {token}"}
            if comment["key"] is not None:
                headers["Idempotency-Key"] = comment["key"]
            body = {
                "text": comment["text"],
                "channel": "api",
                "source_message_id": comment["source"],
                "contact": {"email": CANARY},
            }
            return await self.client.post("/api/feedback", json=body, headers=headers)

        answers = await asyncio.gather(*map(send, comments))
        for answer in answers:
            if answer.status_code < 300:
                body = answer.json()
                self.accepted[body["feedback_id"]] = body["tracking_code"]
        return answers

    async def say(self, feedback_id: str, action: str, **body: Any) -> httpx2.Response:
        """The reporter says something later."""
        code = self.accepted[feedback_id]
        return await self.client.post(f"/api/track/{code}/{action}", json=body)

    async def erase(self, feedback_id: str) -> None:
        """Forget a person."""
        async with self.services["intake"].transaction() as tx:
            assert await intake_store.erase(tx, feedback_id)
        self.erased.add(feedback_id)

    # -- relays ----------------------------------------------------------------------------

    async def relay(self, name: str, limit: int, *, killed: bool = False) -> int:
        """Publish the oldest rows in order; `killed` after sending, before they are marked."""
        async with self.services[name].engine.begin() as connection:
            rows = list(
                await connection.execute(
                    text(
                        "SELECT id, topic, key, headers, body FROM outbox "
                        "WHERE published_at IS NULL ORDER BY id LIMIT :n"
                    ),
                    {"n": limit},
                )
            )
            for row in rows:
                partition, offset = self.log.append(row.topic, row.key, row.headers, row.body)
                if killed:
                    continue
                await connection.execute(
                    text(
                        'UPDATE outbox SET published_at = now(), partition = :p, "offset" = :o '
                        "WHERE id = :id"
                    ),
                    {"p": partition, "o": offset, "id": row.id},
                )
        return len(rows)

    async def lose_the_log(self) -> None:
        """The broker loses everything; the outboxes send it again, in the order it stood there."""
        rows: list[tuple[tuple[Any, ...], str, Any]] = []
        for name, service in self.services.items():
            async with service.engine.connect() as connection:
                found = await connection.execute(
                    text(
                        'SELECT id, topic, key, headers, body, partition AS p, "offset" AS o '
                        "FROM outbox WHERE published_at IS NOT NULL"
                    )
                )
                rows += [((r.topic, r.p, r.o), name, r) for r in found]
        self.log.wipe()
        self.committed.clear()
        for service in self.services.values():
            async with service.engine.begin() as connection:
                await connection.execute(
                    text('UPDATE outbox SET "offset" = NULL WHERE published_at IS NOT NULL')
                )
        for _, name, row in sorted(rows, key=lambda r: r[0]):
            partition, offset = self.log.append(row.topic, row.key, row.headers, row.body)
            async with self.services[name].engine.begin() as connection:
                await connection.execute(
                    text('UPDATE outbox SET partition = :p, "offset" = :o WHERE id = :id'),
                    {"p": partition, "o": offset, "id": row.id},
                )

    # -- consumers -------------------------------------------------------------------------

    async def consume(self, name: str, owner: str, limit: int, *, killed: str = "") -> int:
        """One poll of every partition by one owner.

        `killed` is ``before`` or ``after`` the commit of the database: both leave the offsets.
        """
        moved = 0
        member = self.owners[name, owner]
        for partition in self._partitions(name):
            start = self.committed.get((name, partition), 0)
            found = self.log.read(partition, start, limit)
            records = [r for r in found if self.services[name].subscription.wants(r.topic, r.type)]
            done = len(found)
            if records:
                member.killed_before_commit = killed == "before"
                try:
                    outcome = await member.processor.process(records)
                except Killed:
                    member.restart()
                    return moved
                finally:
                    member.killed_before_commit = False
                assert outcome.error is None, f"{name}: {outcome.error!r}"
                if outcome.done < len(records):
                    done = records[outcome.done].offset - start
                if outcome.stop is not None:
                    member.restart()
            if killed == "after":
                member.restart()
                return moved
            moved += done
            reached = max(self.committed.get((name, partition), 0), start + done)
            self.committed[name, partition] = reached
        return moved

    async def overlap(self, name: str, first: int, second: int, passes: int) -> None:
        """Both owners hold the same partitions for one poll, as at a rebalance."""
        await self._overlapping(
            name,
            passes,
            lambda: self.consume(name, "one", first),
            lambda: self.consume(name, "two", second),
        )

    async def redrive(self, name: str, feedback_id: str, owner: str = "one") -> None:
        """What an operator does once the cause is mended."""
        self.poisoned.pop((name, feedback_id), None)
        service, opened = self.services[name], self.owners[name, owner].open
        async for _ in redrive(opened, service.subscription.apply_letter, feedback_id):
            pass

    async def redrive_while_reading(
        self, name: str, feedback_id: str, limit: int, passes: int, *, reading_first: bool
    ) -> None:
        """An operator and a consumer at once; the one that comes first is held before a commit."""
        reader, operator = OWNERS if reading_first else reversed(OWNERS)
        redriving = lambda: self.redrive(name, feedback_id, operator)  # noqa: E731
        reading = lambda: self.consume(name, reader, limit)  # noqa: E731
        await self._overlapping(
            name, passes, *((reading, redriving) if reading_first else (redriving, reading))
        )

    async def _overlapping(
        self,
        name: str,
        passes: int,
        first: Callable[[], Coroutine[Any, Any, Any]],
        second: Callable[[], Coroutine[Any, Any, Any]],
    ) -> None:
        """Run `first`, by owner one, up to a commit, and `second` until it waits or is done.

        Then `first` commits, `second` runs to its end, and `first` goes on. At no moment may two
        of them move, so that the database decides nothing by chance and a story can be told again.
        """
        owner = self.owners[name, "one"]
        gate = owner.gate = Gate(passes)
        one = asyncio.create_task(first())
        reached = asyncio.create_task(gate.reached.wait())
        await asyncio.wait({one, reached}, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        two = asyncio.create_task(second())
        while not two.done() and not await self.rows(name, _WAITING):
            await asyncio.sleep(0)
        gate.opened.set()
        await asyncio.wait({two})
        gate.alone.set()
        owner.gate = None
        await asyncio.gather(one, two)

    def _partitions(self, name: str) -> list[Partition]:
        topics = self.services[name].subscription.topics
        return sorted(p for p in self.log.partitions if p[0] in topics)

    # -- what must hold --------------------------------------------------------------------

    async def settle(self) -> None:
        """Mend everything and let the system come to rest."""
        self.poisoned.clear()
        for _ in range(60):
            moved = 0
            for name in self.services:
                moved += await self.relay(name, 500)
                moved += await self.consume(name, "one", 500)
            if not moved:
                break
        for name, service in self.services.items():
            for (feedback_id,) in await self.rows(
                name, "SELECT DISTINCT feedback_id FROM dead_letters WHERE feedback_id IS NOT NULL"
            ):
                async for redriven in service.redrive(feedback_id):
                    assert redriven.error is None, (name, redriven)
        if any([await self.rows(n, "SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT 1")
                for n in self.services]):  # fmt: skip
            await self.settle()

    async def check(self) -> None:
        """What holds after every step."""
        for name in self.services:
            wrong = await self.rows(name, _WRONG)
            assert not wrong, f"{name}: {wrong}"
        stored = {i for (i,) in await self.rows("intake", "SELECT feedback_id FROM submissions")}
        assert set(self.accepted) == stored, "answered with 2xx and stored differ"
        twice = "SELECT ce_id FROM timeline GROUP BY ce_id HAVING count(*) > 1"
        assert not await self.rows("desk", twice), "an event stands twice in a timeline"

    async def check_at_rest(self) -> None:
        """What holds once everything that can happen has happened."""
        await self.check()
        seen: dict[str, set[tuple[str, int]]] = {i: set() for i in self.accepted}
        for record in self.log.of(EVENTS):
            assert record.sequence is not None
            numbers = seen[record.feedback_id or ""]
            number = (record.source, record.sequence)
            # A repetition is no disorder, a number before its predecessor is.
            assert number in numbers or record.sequence == 1 + max(
                (n for source, n in numbers if source == record.source), default=0
            ), f"{number} of {record.feedback_id} out of order"
            numbers.add(number)
        for feedback_id, numbers in seen.items():
            expected = len(numbers)
            for name, statement in (
                ("desk", "SELECT count(*) FROM timeline WHERE feedback_id = :i"),
                ("tracking", "SELECT seq FROM cases WHERE feedback_id = :i"),
            ):
                found = await self.rows(name, statement, i=feedback_id)
                assert [tuple(r) for r in found] == [(expected,)], (
                    f"{name}: {found} of {expected} events of {feedback_id}"
                )
        for name in self.services:
            letters = await self.rows(name, "SELECT * FROM dead_letters")
            assert not letters, f"{name}: {len(letters)} letters are left"
        states = dict(await self.rows("desk", "SELECT feedback_id, state FROM cases"))
        assert states == dict(await self.rows("tracking", "SELECT feedback_id, state FROM cases"))
        await self._check_erased()

    async def _check_erased(self) -> None:
        for name in self.services:
            for (table,) in await self.rows(
                name,
                "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' "
                "AND column_name = 'feedback_id'",
            ):
                found = await self.rows(
                    name,
                    f'SELECT feedback_id FROM "{table}" t '
                    "WHERE feedback_id = ANY(:ids) AND to_jsonb(t)::text LIKE :canary",
                    ids=list(self.erased),
                    canary=f"%{CANARY}%",
                )
                assert not found, f"{name}.{table} remembers whom it was to forget"
            kept = await self.rows(
                name,
                "SELECT key FROM outbox WHERE topic = :t AND body IS NOT NULL "
                "AND split_part(key, '/', 1) = ANY(:ids) "
                "AND convert_from(body, 'UTF8') LIKE :canary",
                t=PRIVATE,
                ids=list(self.erased),
                canary=f"%{CANARY}%",
            )
            assert not kept, f"the outbox of {name} remembers whom it was to forget"
        newest = {r.key: r for r in self.log.of(PRIVATE)}
        for key, record in newest.items():
            if key is not None and key.decode().partition("/")[0] in self.erased:
                assert CANARY.encode() not in (record.body or b""), "the log remembers"

    async def rows(self, name: str, statement: str, **values: Any) -> list[Any]:
        """What a query finds in a service's database."""
        async with self.services[name].engine.connect() as connection:
            return list(await connection.execute(text(statement), values))


@contextlib.asynccontextmanager
async def made(make_runtime: Callable[..., Runtime]) -> AsyncIterator[World]:
    """A world on empty tables."""
    runtime = make_runtime(clock=support.clock_at("2026-03-04 10:00"))
    runtime.directory.loaded = True
    services = {name: await support.prepared(build, runtime) for name, build in BUILDS.items()}
    world = World(runtime, services, httpx2.AsyncClient())
    # What takes long is no answer here: a story must not end otherwise on a busy machine.
    services["intake"].deps.group = patient = GroupCommit(
        services["intake"].transaction, intake_store.accept, timeout=600
    )
    await patient.start()
    for name, service in services.items():
        for start in service.starting:
            await start()
        service.subscription = _poisonable(service.subscription, name, world.poisoned)
        for owner in OWNERS:
            world.owners[name, owner] = Owner(service)
    transport = httpx2.ASGITransport(app=_from_anywhere(web_app(runtime, services, list)))
    world.client = httpx2.AsyncClient(transport=transport, base_url=runtime.settings.url)
    try:
        yield world
    finally:
        await world.client.aclose()
        await patient.stop()
        for service in services.values():
            for stop in service.stopping:
                await stop()


def _from_anywhere(app: ASGIApp) -> ASGIApp:
    """The same entry points, to which each call comes from another address.

    The limits of an address refill with real time: a story would end otherwise told faster.
    """
    calls = itertools.count()

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            n = next(calls)
            scope["client"] = (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}", 1000)
        await app(scope, receive, send)

    return call


def _poisonable(
    subscription: Subscription, name: str, poisoned: Mapping[tuple[str, str], int]
) -> Subscription:
    """The same subscription, whose handlers raise about poisoned events."""

    def guarded(handler: Handler) -> Handler:
        async def handle(event: Any, tx: Transaction) -> None:
            number = poisoned.get((name, event.feedback_id))
            if number is not None and tx.cause is not None and tx.cause.sequence == number:
                raise Poison
            await handler(event, tx)

        return handle

    handlers: dict[type[Event], Handler] = {
        event: guarded(handler) for event, handler in subscription.handlers.items()
    }
    return replace(subscription, handlers=handlers)


__all__ = ["CANARY", "Killed", "World", "made"]
