"""Where an event goes that cannot be taken in, and how it comes back.

A letter keeps the original bytes. It was *refused* (``error``), waits for numbers that are
*missing*, or is only *parked* behind an earlier letter of its case, so that nothing is applied past
a hole. `redrive` takes letters in again; those that wait for nothing any more need nobody for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts import PRIVATE
from shared.contracts.event import shred_body
from shared.db.engine import fetch_row
from shared.messaging.envelope import InvalidMessage, Record
from shared.messaging.failures import is_transient, location_of
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
SELECT id, feedback_id, topic, headers, error, missing FROM dead_letters
WHERE feedback_id = ANY($1::text[]) ORDER BY id
"""
_WHOLE = 'SELECT partition, "offset", key, body FROM dead_letters WHERE id = $1'
_HEALABLE = """
SELECT feedback_id FROM dead_letters WHERE feedback_id IS NOT NULL
GROUP BY feedback_id HAVING count(error) = 0 AND count(missing) = 0
"""
_PURGE = """
DELETE FROM dead_letters WHERE feedback_id = $1 AND topic = $2 AND body IS NOT NULL
AND ($3::bytea IS NULL OR key = $3) RETURNING id
"""
_BODIES = "SELECT id, headers, body FROM dead_letters WHERE feedback_id = $1 AND body IS NOT NULL"
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


@dataclass(frozen=True)
class Redriven:
    """What became of one letter: taken in, or still refused with `error`."""

    ce_id: str | None
    type: str
    error: str | None


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
            record = Record(row["topic"], -1, -1, None, row["headers"], None)
            letter = Letter(row["id"], record, row["error"], row["missing"])
            found[row["feedback_id"]].append(letter)
    return found


async def review(tx: Transaction, feedback_id: str) -> None:
    """Say anew what the letters of a locked case wait for, once something was taken or kept.

    A letter whose predecessor is there, taken in or a letter itself, misses nothing. When no letter
    was refused and none misses anything, the case is marked as one to redrive.
    """
    letters = (await letters_of(tx, [feedback_id]))[feedback_id]
    numbers: dict[str, set[int]] = {}
    for letter in letters:
        if (number := letter.record.sequence) is not None:
            numbers.setdefault(letter.record.source, set()).add(number)
    for source, known in numbers.items():
        last = tx.streams.taken(feedback_id, source)
        while last + 1 in known:
            last += 1
            tx.streams.take(feedback_id, source, last)
    waits = False
    for letter in letters:
        missing = letter.missing and missing_before(tx, letter.record)
        waits = waits or missing is not None or letter.error is not None
        if missing != letter.missing:
            await tx.fetch("UPDATE dead_letters SET missing = $2 WHERE id = $1", letter.id, missing)
    if letters and not waits:
        tx.healable.add(feedback_id)


def missing_before(tx: Transaction, record: Record) -> str | None:
    """Which numbers of its source have to come before this record; None when none are missing."""
    number, feedback_id = record.sequence, record.feedback_id
    if number is None or feedback_id is None:
        return None
    first, last = tx.streams.taken(feedback_id, record.source) + 1, number - 1
    if first > last:
        return None
    return f"{record.source} {first}" + (f"-{last}" if last > first else "")


async def count(engine: AsyncEngine) -> tuple[int, int]:
    """How many events were refused or miss others, and how many are parked behind them."""
    row = await fetch_row(
        engine,
        "SELECT count(coalesce(error, missing)), count(*) - count(coalesce(error, missing)) "
        "FROM dead_letters",
    )
    return int(row[0]), int(row[1])


async def redrive(
    open_transaction: Open, apply: Apply, feedback_id: str, *, past_gaps: bool = False
) -> AsyncIterator[Redriven]:
    """Take the letters of a case in again, each in a transaction of its own, oldest first.

    Stops at the first that is refused again, or that still misses others unless `past_gaps` says
    that those will never come. `apply` hands one record to the handlers.
    """
    while True:
        done = await _redrive_one(open_transaction, apply, feedback_id, past_gaps=past_gaps)
        if done is None:
            return
        yield done
        if done.error is not None:
            return


async def heal(open_transaction: Open, apply: Apply, feedback_ids: Iterable[str]) -> None:
    """Redrive those of these cases whose letters wait for nothing any more."""
    for feedback_id in sorted(feedback_ids):
        while True:
            done = await _redrive_one(open_transaction, apply, feedback_id, only_parked=True)
            if done is None or done.error is not None:
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
            record = replace(letter.record, **row)
            await apply(tx, record)
            await tx.fetch("DELETE FROM dead_letters WHERE id = $1", letter.id)
            tx.streams.add_letters(feedback_id, -1)
            number = record.sequence
            if number is not None and number > tx.streams.taken(feedback_id, record.source):
                tx.streams.take(feedback_id, record.source, number)
            await review(tx, feedback_id)
    except Exception as failure:
        # Part of the failure policy: what passes by itself is nobody's refusal.
        if letter is None or is_transient(failure):
            raise
        error = f"{reason_of(failure)} {location_of(failure)}".strip()
        async with open_transaction() as tx:
            await tx.lock(feedback_id)
            await tx.fetch(
                "UPDATE dead_letters SET error = $2 WHERE id = $1", letter.id, error[:LONGEST_ERROR]
            )
        return _result(letter, error)
    return _result(letter, None)


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


def _result(letter: Letter, error: str | None) -> Redriven:
    return Redriven(letter.record.ce_id, letter.record.type, error)


def reason_of(error: BaseException) -> str:
    """What is wrong, without any value: that may be personal."""
    return str(error) if isinstance(error, InvalidMessage) else type(error).__name__
