"""One row a case in ``streams``: its lock, and how far the case has come.

The row counts what this service emitted, remembers how far it has taken every source in, and how
many dead letters the case has. It is the only thing that is ever asked about these three: what a
statement says about *other* rows while it waits for a lock is older than the lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic_core import to_json

from shared.messaging.statements import Fetch, Insert, Statement

# Locks the rows that exist and makes those that do not, in id order, in one round trip. After
# ON CONFLICT DO UPDATE a row is returned as it is once the wait is over, whoever changed it
# meanwhile; a subquery here still sees the tables as they were before.
LOCK = """
INSERT INTO streams (feedback_id) SELECT unnest($1::text[])
ON CONFLICT (feedback_id) DO UPDATE SET seq = streams.seq
RETURNING feedback_id, seq, taken, letters
"""
# What such a subquery read of other tables is true all the same where nobody was in between: then
# the version of the row that was locked (`old`) is the one that the statement saw. Whoever locks a
# case makes another version of it, and nobody changes its rows without.
_LOCK_AND_READ = f"""
WITH locked AS ({LOCK}, old.ctid AS found)
SELECT ARRAY(
  SELECT ROW(feedback_id, seq, taken, letters, found IS NOT DISTINCT FROM
             (SELECT ctid FROM streams AS seen WHERE seen.feedback_id = locked.feedback_id))
  FROM locked
), """
_WRITE = Insert(
    "streams",
    {"feedback_id": "text", "seq": "int", "taken": "jsonb", "letters": "int"},
    "ON CONFLICT (feedback_id) DO UPDATE "
    "SET seq = EXCLUDED.seq, taken = EXCLUDED.taken, letters = EXCLUDED.letters",
)


class CaseNotLocked(RuntimeError):
    """An event was emitted about a case this transaction has not locked: a bug in the caller."""


@dataclass(slots=True)
class Stream:
    """What the row of a case holds."""

    seq: int = 0
    """The last ``ce_sequence`` this service gave an event of the case."""
    taken: dict[str, int] = field(default_factory=dict)
    """Source → the last ``ce_sequence`` taken in from it, dead letters included."""
    letters: int = 0
    """Dead letters of the case; while there are any, what comes later is parked behind them."""


class Streams:
    """The locked cases of one transaction."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._of: dict[str, Stream] = {}
        self._changed: set[str] = set()
        self.parked: set[str] = set()
        """Locked cases behind whose dead letters later events have to wait."""

    async def lock(self, feedback_ids: Iterable[str]) -> None:
        """Lock these cases, new ones included, in id order."""
        if wanted := self._not_locked(feedback_ids):
            for row in await self._fetch(LOCK, wanted):
                self._keep(*row)

    async def lock_and_read(
        self, feedback_ids: Iterable[str], arrays: tuple[str, ...]
    ) -> tuple[list[str], Sequence[Any]]:
        """Lock these cases, and read of them what `arrays` say (``$1`` is the ids).

        Gives the cases for which what was read is true, those that nobody changed while the lock
        was waited for, and what was read, one after the other.
        """
        wanted = self._not_locked(feedback_ids)
        if not wanted:
            return [], [()] * len(arrays)
        ((locked, *read),) = await self._fetch(_lock_and_read(arrays), wanted)
        true = []
        for *row, untouched in locked:
            self._keep(*row)
            if untouched:
                true.append(row[0])
        return true, read

    def _not_locked(self, feedback_ids: Iterable[str]) -> list[str]:
        return sorted({i for i in feedback_ids if i not in self._of})

    def _keep(self, feedback_id: str, seq: int, taken: dict[str, int], letters: int) -> None:
        self._of[feedback_id] = Stream(seq, taken, letters)
        if letters:
            self.parked.add(feedback_id)

    def begin(self, feedback_id: str) -> None:
        """Take a case whose id was made just now: nobody else can know it, no lock is needed."""
        self._of.setdefault(feedback_id, Stream())

    def emit(self, feedback_id: str) -> int:
        """The number of the next event this service emits about a locked case."""
        stream = self._locked(feedback_id)
        stream.seq += 1
        self._changed.add(feedback_id)
        return stream.seq

    def seq(self, feedback_id: str) -> int:
        """The last number this service gave an event of a locked case; 0 before the first."""
        return self._locked(feedback_id).seq

    def emitted(self, feedback_id: str, sequence: int) -> None:
        """This service is known to have emitted that number: it is never given again."""
        stream = self._locked(feedback_id)
        if sequence > stream.seq:
            stream.seq = sequence
            self._changed.add(feedback_id)

    def taken(self, feedback_id: str, source: str) -> int:
        """The last number of `source` that is done with for this case; 0 before the first."""
        return self._locked(feedback_id).taken.get(source, 0)

    def take(self, feedback_id: str, source: str, sequence: int) -> None:
        """Everything of `source` up to `sequence` is done with, or kept as a dead letter."""
        self._locked(feedback_id).taken[source] = sequence
        self._changed.add(feedback_id)

    def add_letters(self, feedback_id: str, number: int) -> None:
        """The case has so many dead letters more, or less."""
        if not number:
            return
        stream = self._locked(feedback_id)
        stream.letters += number
        self._changed.add(feedback_id)
        (self.parked.add if stream.letters else self.parked.discard)(feedback_id)

    def take_writes(self) -> list[Statement]:
        """What is to be written of the rows that changed; afterwards there is nothing."""
        if not self._changed:
            return []
        ids = sorted(self._changed)
        self._changed.clear()
        rows = [self._of[i] for i in ids]
        taken = [to_json(r.taken).decode() for r in rows]
        values = (ids, [r.seq for r in rows], taken, [r.letters for r in rows])
        return [Statement(_WRITE, values)]

    def _locked(self, feedback_id: str) -> Stream:
        stream = self._of.get(feedback_id)
        if stream is None:
            raise CaseNotLocked(feedback_id)
        return stream


@cache
def _lock_and_read(arrays: tuple[str, ...]) -> str:
    return _LOCK_AND_READ + ", ".join(arrays)
