"""Where an event goes that cannot be taken in, and how it comes back.

A letter keeps the original bytes. It was *refused* (``error``), waits for numbers that are
*missing*, or is only *parked* behind an earlier letter of its case, so that nothing is applied past
a hole. `redrive` takes letters in again; those that wait for nothing any more need nobody for it.
What never works or never comes an operator may pass over (`passed_over`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts import PRIVATE
from shared.contracts.event import shred_body
from shared.db.engine import fetch_row
from shared.messaging.envelope import InvalidMessage, Record
from shared.messaging.failures import is_transient, location_of
from shared.messaging.passed_over import (
    is_passed_over,
    next_awaited,
    pass_gap,
    pass_over,
)
from shared.messaging.transaction import Transaction

# What has no case has no lock either: a second delivery is recognised by what it is.
_BURY = """
INSERT INTO dead_letters
  (ce_id, feedback_id, topic, partition, "offset", key, headers, body, error, missing)
SELECT $1, $2::text, $3::text, $4::int, $5::bigint, $6, $7::jsonb, $8::bytea, $9, $10
WHERE $2 IS NOT NULL OR NOT EXISTS (
  SELECT 1 FROM dead_letters d WHERE d.feedback_id IS NULL AND d.topic = $3
  AND d.partition = $4 AND d."offset" = $5 AND d.body IS NOT DISTINCT FROM $8)
"""
_HEADS = """
SELECT id, feedback_id, topic, partition, "offset", headers, error, missing FROM dead_letters
WHERE feedback_id = ANY($1::text[]) ORDER BY id
"""
_WHOLE = "SELECT key, body FROM dead_letters WHERE id = $1"
_WAITING = """
SELECT ARRAY(
  SELECT feedback_id FROM dead_letters
  WHERE feedback_id IS NOT NULL AND coalesce(error, missing) IS NOT NULL
  GROUP BY feedback_id ORDER BY min(id) LIMIT 4)
"""
_HEALABLE = """
SELECT feedback_id FROM dead_letters WHERE feedback_id IS NOT NULL
GROUP BY feedback_id HAVING count(error) = 0 AND count(missing) = 0
"""
_PURGE = """
DELETE FROM dead_letters WHERE feedback_id = $1 AND topic = $2 AND body IS NOT NULL
AND ($3::bytea IS NULL OR key = $3) RETURNING id
"""
_BODIES = "SELECT id, headers, body FROM dead_letters WHERE feedback_id = $1 AND body IS NOT NULL"
_LISTED = text("""
SELECT feedback_id, ce_id AS event, headers->>'ce_type' AS type, topic, partition, "offset", at,
  error, missing
FROM dead_letters WHERE CAST(:case AS text) IS NULL OR feedback_id = :case ORDER BY id
""")
LONGEST_ERROR = 2_000

Apply = Callable[[Transaction, Record], Awaitable[None]]
Open = Callable[[], AbstractAsyncContextManager[Transaction]]


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter; `record` comes without its body."""

    id: int
    record: Record
    error: str | None
    missing: str | None

    @property
    def place(self) -> str:
        """Where it stands in the log: ``topic/partition/offset``."""
        return f"{self.record.topic}/{self.record.partition}/{self.record.offset}"


@dataclass(frozen=True)
class Redriven:
    """What became of one letter: taken in, or still refused with `error`.

    One that is `passed_over` is done with all the same.
    """

    ce_id: str | None
    type: str
    error: str | None
    passed_over: bool = False


async def bury(
    tx: Transaction, record: Record, *, error: str | None = None, missing: str | None = None
) -> None:
    """Keep `record`; without `error` and `missing` it is only parked behind an earlier letter."""
    await tx.fetch(
        _BURY,
        record.ce_id,
        record.feedback_id,
        record.topic,
        record.partition,
        record.offset,
        record.key,
        to_json(record.headers).decode(),
        record.body,
        error and error[:LONGEST_ERROR],
        missing,
    )
    if record.feedback_id:
        tx.streams.add_letters(record.feedback_id, 1)


async def purge(tx: Transaction, feedback_id: str, key: bytes | None) -> None:
    """Erase personal data from the letters of a locked case.

    Private entries go: all, or those under `key`. Where the whole case is forgotten, events keep
    their place in the row of letters, with people's words emptied.
    """
    gone = await tx.fetch(_PURGE, feedback_id, PRIVATE, key)
    tx.streams.add_letters(feedback_id, -len(gone))
    if key is not None or feedback_id not in tx.parked:
        return
    for row in await tx.fetch(_BODIES, feedback_id):
        await tx.fetch(
            "UPDATE dead_letters SET body = $2 WHERE id = $1",
            row["id"],
            shred_body(row["headers"].get("ce_type", ""), row["body"]),
        )


async def letters_of(tx: Transaction, feedback_ids: Iterable[str]) -> dict[str, list[Letter]]:
    """The letters of these locked cases, oldest first."""
    found: dict[str, list[Letter]] = {i: [] for i in feedback_ids}
    if found:
        for row in await tx.fetch(_HEADS, list(found)):
            place = (row["topic"], row["partition"], row["offset"])
            record = Record(*place, None, row["headers"], None)
            letter = Letter(row["id"], record, row["error"], row["missing"])
            found[row["feedback_id"]].append(letter)
    return found


async def review(tx: Transaction, feedback_id: str) -> None:
    """Say anew what the letters of a locked case wait for, once something was taken or kept.

    A letter whose predecessor is there, taken in or a letter itself, misses nothing. When no letter
    was refused and none misses anything, the case is marked as one to redrive.
    """
    letters = (await letters_of(tx, [feedback_id]))[feedback_id]
    for source in {x.record.source for x in letters if x.missing}:
        known = {x.record.sequence for x in letters if x.record.source == source}
        awaited = tx.streams.taken(feedback_id, source)
        while (awaited := await next_awaited(tx, feedback_id, source, awaited + 1)) in known:
            tx.streams.take(feedback_id, source, awaited)
    waits = False
    for letter in letters:
        missing = letter.missing and await missing_before(tx, letter.record)
        waits = waits or missing is not None or letter.error is not None
        if missing != letter.missing:
            await tx.fetch("UPDATE dead_letters SET missing = $2 WHERE id = $1", letter.id, missing)
    if letters and not waits:
        tx.healable.add(feedback_id)


async def missing_before(tx: Transaction, record: Record) -> str | None:
    """Which numbers of its source have to come before this record; None when none are missing."""
    if not (gap := _gap_before(tx, record)):
        return None
    last = gap.stop - 1
    assert record.feedback_id is not None
    first = await next_awaited(tx, record.feedback_id, record.source, gap.start)
    if first > last:
        return None
    return f"{record.source} {first}" + (f"-{last}" if last > first else "")


def _gap_before(tx: Transaction, record: Record) -> range:
    number, feedback_id = record.sequence, record.feedback_id
    if number is None or feedback_id is None:
        return range(0)
    return range(tx.streams.taken(feedback_id, record.source) + 1, number)


async def count(engine: AsyncEngine) -> tuple[int, int]:
    """How many events were refused or miss others, and how many are parked behind them."""
    row = await fetch_row(
        engine,
        "SELECT count(coalesce(error, missing)), count(*) - count(coalesce(error, missing)) "
        "FROM dead_letters",
    )
    return int(row[0]), int(row[1])


async def waiting_cases(engine: AsyncEngine) -> list[str]:
    """The first four cases of which something was refused or misses others."""
    return list((await fetch_row(engine, _WAITING))[0])


async def listed(engine: AsyncEngine, feedback_id: str | None = None) -> list[dict[str, Any]]:
    """All letters, or those of a case, oldest first: ``{feedback_id, event, type, topic, partition,
    offset, at, error, missing}``; the last two are None where it is only parked."""
    async with engine.connect() as connection:
        found = await connection.execute(_LISTED, {"case": feedback_id})
        return [dict(row) for row in found.mappings()]


def warning(service: str, refused: int, parked: int, cases: list[str]) -> str:
    """What to do about that many letters, the first of which are of these cases."""
    command = f"python -m services.{service}"
    named = ", ".join(cases[:3]) + (" …" if cases[3:] else "")
    return (
        f"dead letters: {refused} events refused or waiting for a missing one, {parked} parked "
        f"behind them, their cases stand still{named and ': '}{named}; "
        f"{command} dead-letters says why; mend the cause, then: "
        f"{command} redrive {cases[0] if cases else 'CASE'}"
    )


async def redrive(
    open_transaction: Open,
    apply: Apply,
    feedback_id: str,
    *,
    past_gaps: bool = False,
    passing_over: str | None = None,
) -> AsyncIterator[Redriven]:
    """Take the letters of a case in again, each in a transaction of its own, oldest first.

    Stops at the first that is refused again, unless it is the event `passing_over` (id or place),
    or that still misses others, unless `past_gaps` says that those will never come. Both are
    remembered. `apply` hands one record to the handlers.
    """
    while True:
        done = await _redrive_one(
            open_transaction, apply, feedback_id, past_gaps=past_gaps, passing_over=passing_over
        )
        if done is None:
            return
        yield done
        if done.error is not None and not done.passed_over:
            return


async def heal(open_transaction: Open, apply: Apply, feedback_ids: Iterable[str]) -> None:
    """Redrive those of these cases whose letters wait for nothing any more."""
    for feedback_id in sorted(feedback_ids):
        while True:
            done = await _redrive_one(open_transaction, apply, feedback_id, only_parked=True)
            if done is None or (done.error is not None and not done.passed_over):
                break


async def heal_all(open_transaction: Open, apply: Apply) -> None:
    """Redrive what a process left that ended between taking the missing in and healing."""
    async with open_transaction() as tx:
        found = [row["feedback_id"] for row in await tx.fetch(_HEALABLE)]
    await heal(open_transaction, apply, found)


async def _redrive_one(
    open_transaction: Open,
    apply: Apply,
    feedback_id: str,
    *,
    past_gaps: bool = False,
    passing_over: str | None = None,
    only_parked: bool = False,
) -> Redriven | None:
    letter: Letter | None = None
    try:
        async with open_transaction() as tx:
            await tx.lock(feedback_id)
            letters = (await letters_of(tx, [feedback_id]))[feedback_id]
            if not letters or (only_parked and any(x.error or x.missing for x in letters)):
                return None
            letter = _next(letters)
            if letter.missing and not past_gaps:
                return _result(letter, f"{letter.missing} is missing")
            (row,) = await tx.fetch(_WHOLE, letter.id)
            await apply(tx, replace(letter.record, **row))
            await _take_away(tx, letter)
    except Exception as failure:
        # Part of the failure policy: what passes by itself is nobody's refusal.
        if letter is None or is_transient(failure):
            raise
        error = f"{reason_of(failure)} {location_of(failure)}".strip()[:LONGEST_ERROR]
        async with open_transaction() as tx:
            await tx.lock(feedback_id)
            known = await is_passed_over(tx, letter.record)
            if known or (passing_over and passing_over in (letter.record.ce_id, letter.place)):
                if await _take_away(tx, letter) and not known:
                    await pass_over(tx, letter.record, error)
                return _result(letter, error, passed_over=True)
            await tx.fetch("UPDATE dead_letters SET error = $2 WHERE id = $1", letter.id, error)
        return _result(letter, error)
    return _result(letter, None)


async def _take_away(tx: Transaction, letter: Letter) -> bool:
    """Be done with a letter of a locked case; False where somebody else was in between."""
    record = letter.record
    feedback_id = record.feedback_id
    assert feedback_id is not None
    if not await tx.fetch("DELETE FROM dead_letters WHERE id = $1 RETURNING id", letter.id):
        return False
    tx.streams.add_letters(feedback_id, -1)
    number = record.sequence
    if number is not None and number > tx.streams.taken(feedback_id, record.source):
        if letter.missing:
            await pass_gap(tx, feedback_id, record.source, _gap_before(tx, record))
        tx.streams.take(feedback_id, record.source, number)
    await review(tx, feedback_id)
    return True


def _next(letters: list[Letter]) -> Letter:
    """The oldest letter; of its source, that with the smallest number."""
    head = letters[0]
    if head.record.sequence is None:
        return head
    numbers = {
        number: letter
        for letter in letters
        if letter.record.source == head.record.source
        and (number := letter.record.sequence) is not None
    }
    return numbers[min(numbers)]


def _result(letter: Letter, error: str | None, *, passed_over: bool = False) -> Redriven:
    return Redriven(letter.record.ce_id, letter.record.type, error, passed_over)


def reason_of(error: BaseException) -> str:
    """What is wrong, without any value: that may be personal."""
    return str(error) if isinstance(error, InvalidMessage) else type(error).__name__
