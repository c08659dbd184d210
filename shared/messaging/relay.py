"""From the outbox to the log, in order, one relay per service database.

The relay holds a session advisory lock on a connection of its own; a second process waits for it.
It sends the oldest unpublished rows, awaits every acknowledgement, and marks them in the same
statement that fetches the next. At the first failure it starts again from the same row. There is
no "last id" cursor: ids commit out of order, and a cursor would pass over the late ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer

from shared.db.address import Address
from shared.messaging.failures import Backoff, is_transient
from shared.messaging.kill_points import kill_point
from shared.messaging.log_state import LogLost, check_log
from shared.messaging.outbox import MARK, READY, RELAY_LOCK, by_bytes
from shared.messaging.producer import NotSent, columns, give_up, new_producer, send_rows
from shared.messaging.refusals import (
    REFUSED_IN_A_ROW,
    SET_ASIDE,
    TRIES,
    is_refusal,
    reason_of,
)
from shared.messaging.retention import prune
from shared.tasks import end, woken

log = structlog.get_logger()

SWEEP = 0.5
"""Seconds after which the relay looks even if nobody woke it."""
UNHURRIED = 0.1
"""Seconds for which the relay waits for more when nobody waits for what was committed."""
MAX_DEFER = 0.05
"""Seconds for which the relay waits while the service says that it is busy."""
PRUNE_EVERY = 6 * 3600.0
"""Seconds between two looks for rows that `retention` no longer keeps."""

_COLUMNS = "SELECT id, topic, key, headers, body FROM outbox WHERE"
_FETCH = by_bytes(f"{_COLUMNS} {READY} ORDER BY id", "id")
_MARK_AND_FETCH = f"WITH {MARK}" + by_bytes(
    f"{_COLUMNS} {READY} AND id <> ALL($1::bigint[]) ORDER BY id", "id"
)
_MARK_ONLY = f"WITH {MARK} SELECT FROM marked"
# While one row of a batch is suspected, rows go one at a time, so that it fails alone.
_FETCH_ONE = f"{_COLUMNS} {READY} ORDER BY id LIMIT 1"


class NotPublished(Exception):
    """Some rows did not reach the log; those that did are marked."""


@dataclass
class RelayHealth:
    """What the outside may know of a relay."""

    holds_lock: bool = False
    error: str | None = None
    published: int = 0


class Relay:
    """Publishes the outbox of one service database.

    `on_wipe` is called when the broker turns out to have lost the log; while `busy` answers true,
    sending waits a moment.
    """

    def __init__(
        self,
        service: str,
        *,
        database: Address,
        role: str | None,
        kafka: str,
        on_wipe: Callable[[str], None],
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self.service = service
        self.health = RelayHealth()
        self._database, self._role, self._kafka = database, role, kafka
        self._wake = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None
        """Wakes it for what is unhurried."""
        self._released = asyncio.Event()
        self._released.set()
        self._on_wipe, self._busy = on_wipe, busy
        self._task: asyncio.Task[None] | None = None
        self._singly_until = -1
        """Rows up to this id are sent alone: one of them may be what the broker refuses."""
        self._suspect, self._tries = -1, 0
        self._refused_in_a_row = 0
        self._prune_at = time.monotonic() + 60

    def hold(self) -> None:
        """Publish nothing until `release`: what is done until then goes out together."""
        self._released.clear()

    def release(self) -> None:
        """Publish again, at once."""
        self._released.set()
        self._wake.set()

    def wake(self, *, hurried: bool = True) -> None:
        """Something was committed to the outbox; nobody waits for it where it is not `hurried`.

        That goes out with whatever follows it, in order, at the latest after `UNHURRIED` seconds:
        a request to the broker, and an answer to each reader, for both.
        """
        if hurried:
            self._wake.set()
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(UNHURRIED, self._wake.set)

    async def start(self) -> None:
        """Begin publishing in the background."""
        self._task = asyncio.create_task(self._run(), name=f"relay.{self.service}")

    async def stop(self) -> None:
        """Stop at once: what is unpublished stays in the outbox and goes out at the next start."""
        await end([self._task])
        self._forget_later()

    async def _run(self) -> None:
        backoff = Backoff(first=0.5, longest=10)
        while True:
            try:
                await self._publish_until_broken(backoff)
            except LogLost as lost:
                self.health.error = str(lost)
                self._on_wipe(str(lost))
                return
            except NotPublished:
                await asyncio.sleep(backoff.next())
            except Exception as error:
                # The relay has one answer to every failure: begin again from the same row.
                self.health.error = f"{type(error).__name__}: {error}"[:200]
                if not is_transient(error):
                    log.error("relay failed", service=self.service, error=self.health.error)
                await asyncio.sleep(backoff.next())

    async def _publish_until_broken(self, backoff: Backoff) -> None:
        connection = await self._database.connect(
            name=f"relay.{self.service}", role=self._role, command_timeout=15
        )
        producer: AIOKafkaProducer | None = None
        try:
            self.health.holds_lock = False
            # Another process publishes: stand by until its connection ends.
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", RELAY_LOCK):
                await asyncio.sleep(0.5)
            self.health.holds_lock = True
            producer = new_producer(self._kafka)
            await producer.start()
            await check_log(connection, self._kafka)
            self.health.error = None
            await self._publish(connection, producer, backoff)
        finally:
            self.health.holds_lock = False
            connection.terminate()
            if producer is not None:
                await give_up(producer)

    async def _publish(
        self, connection: asyncpg.Connection, producer: AIOKafkaProducer, backoff: Backoff
    ) -> None:
        mark_and_fetch = await connection.prepare(_MARK_AND_FETCH)
        fetch = await connection.prepare(_FETCH)
        done: tuple[list[int], list[int], list[int]] = ([], [], [])
        while True:
            await self._released.wait()
            # Cleared before the look: a commit after it wakes us again, one before it is seen.
            self._wake.clear()
            self._forget_later()
            if done[0] and self._singly_until < 0:
                rows = await mark_and_fetch.fetch(*done)
            else:
                await self._mark(connection, done)
                rows = await self._next_rows(connection, fetch)
            self._note(len(done[0]), backoff)
            done = ([], [], [])
            if not rows:
                await self._rest(connection)
                continue
            await self._defer()
            kill_point("relay.before_send")
            acks, failed = await send_rows(producer, rows)
            done = columns(rows, acks)
            if failed is not None:
                await self._mark(connection, done)
                self._note(len(acks), backoff)
                if await self._is_about_the_row(connection, rows, failed):
                    backoff.reset()
                raise NotPublished
            kill_point("relay.after_ack")

    def _forget_later(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def _mark(
        self, connection: asyncpg.Connection, done: tuple[list[int], list[int], list[int]]
    ) -> None:
        if done[0]:
            await connection.fetch(_MARK_ONLY, *done)

    async def _next_rows(
        self, connection: asyncpg.Connection, fetch: object
    ) -> list[asyncpg.Record]:
        if self._singly_until >= 0:
            rows: list[asyncpg.Record] = await connection.fetch(_FETCH_ONE)
            if rows and rows[0]["id"] <= self._singly_until:
                return rows
            self._singly_until = -1
        return await fetch.fetch()  # type: ignore[attr-defined,no-any-return]

    def _note(self, published: int, backoff: Backoff) -> None:
        if published:
            self.health.published += published
            self._refused_in_a_row = 0
            backoff.reset()

    async def _is_about_the_row(
        self, connection: asyncpg.Connection, rows: list[asyncpg.Record], failed: NotSent
    ) -> bool:
        """Whether a failure is the row's own; one refused alone too often is set aside."""
        row, error = rows[failed.indexes[0]], failed.error
        self.health.error = f"{row['topic']}: {reason_of(error)}"
        if not is_refusal(error):
            log.warning("relay waits", service=self.service, error=self.health.error)
            return False
        if len(failed.indexes) > 1:
            self._singly_until = rows[failed.indexes[-1]]["id"]
            return True
        self._tries = self._tries + 1 if row["id"] == self._suspect else 1
        self._suspect = row["id"]
        if self._refused_in_a_row >= REFUSED_IN_A_ROW:
            return False
        if self._tries < TRIES:
            return True
        await connection.execute(SET_ASIDE, row["id"], reason_of(error))
        self._refused_in_a_row += 1
        log.error(
            "the broker refuses a row of the outbox; it is set aside",
            service=self.service,
            outbox_id=row["id"],
            topic=row["topic"],
            error=reason_of(error),
        )
        return True

    async def _rest(self, connection: asyncpg.Connection) -> None:
        """Wait until something is committed; nothing waits, so old rows may be looked for."""
        if time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + PRUNE_EVERY
            await prune(connection)
        await woken(self._wake, within=SWEEP)

    async def _defer(self) -> None:
        """Let accepting go first, but not for long: an answered comment should also be seen."""
        end = time.monotonic() + MAX_DEFER
        while self._busy() and time.monotonic() < end:
            await asyncio.sleep(0.002)
