"""From which case on every row is sealed with a key, under seal itself.

Without it, whoever writes SQL could give all rows of a case seals without a key and have it taken
for one of before there were keys. A mark is made when a service first starts with a key. Ids are in
the order of time, and cannot be changed without the case becoming another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, String, Table

from services.desk.store.tables import CaseRow, DeskTable
from shared.ids import new_id
from shared.messaging.row_buffer import RowBuffer, load_together, values_of
from shared.messaging.seals import SEAL, Sealer, Verdict
from shared.messaging.statements import Fetch
from shared.messaging.transaction import Transaction

SEAL_MARKS = Table(
    "seal_marks",
    DeskTable.metadata,
    Column("key_name", String, primary_key=True),
    Column("since", String, nullable=False),
    Column("others", ARRAY(String), nullable=False),
    Column("seal", String, nullable=False),
)
"""One for each key that was the first of its time. `since`: an id, empty: there was no case before;
`others`: names of keys that came before."""
BESIDE = timedelta(days=7)
"""So long code of the release before may write beside this one, without a key."""
_LOOKED_AT = 50
_ALL = "SELECT key_name, since, others, seal FROM seal_marks"
_KEEP = """
INSERT INTO seal_marks (key_name, since, others, seal) VALUES ($1, $2, $3::varchar[], $4)
ON CONFLICT (key_name) DO NOTHING
"""
_OLDEST = "SELECT feedback_id FROM cases WHERE keyed ORDER BY feedback_id LIMIT $1"
_ANY_BEFORE = "SELECT EXISTS (SELECT FROM cases WHERE feedback_id < $1) AS found"


@dataclass(frozen=True, slots=True)
class Mark:
    """What the marks say, as far as a key proves them."""

    since: str | None
    """The first id of those whose cases are sealed with a key; None: of none it is known."""
    keys: frozenset[str] = frozenset()
    """Names of all keys that there have been; empty: not known."""
    changed: bool = False
    """Somebody wrote a mark who had no key."""

    def covers(self, feedback_id: str) -> bool:
        """Whether all of this case has been sealed with a key since it began."""
        return self.since is not None and feedback_id >= self.since

    def unknown(self, seal: str) -> bool:
        """Whether the key that this seal names was never one of ours."""
        return bool(self.keys) and seal.partition(":")[0] not in self.keys


async def read_mark(fetch: Fetch, sealer: Sealer) -> Mark:
    """The earliest moment that is proved; without a mark it is that of the oldest case which is."""
    rows = [dict(row) for row in await fetch(_ALL)]
    verdicts = [sealer.verdict("seal_marks", row) for row in rows]
    changed = any(v not in (Verdict.AS_WRITTEN, Verdict.KEY_UNKNOWN) for v in verdicts)
    good = [row for row, v in zip(rows, verdicts, strict=True) if v is Verdict.AS_WRITTEN]
    if not good:
        return Mark(_after(await _oldest_proved(fetch, sealer)), changed=changed)
    keys = {name for row in good for name in (row["key_name"], *row["others"])}
    since = min(row["since"] for row in good)
    return Mark(_after(since), frozenset(keys | sealer.names), changed)


async def make_mark(tx: Transaction) -> None:
    """Enter the key that seals now, unless it is known already."""
    sealer = tx.sealer
    if not sealer.names or await tx.fetch(f"{_ALL} WHERE key_name = $1", sealer.first):
        return
    rows = [dict(row) for row in await tx.fetch(_ALL)]
    good = [r for r in rows if sealer.verdict("seal_marks", r) is Verdict.AS_WRITTEN]
    if good:
        since = min(row["since"] for row in good)
    else:
        # A mark that is gone comes back where it was, or near: by what only the key can have made.
        since = await _oldest_proved(tx.fetch, sealer) or new_id()
        if not rows and not (await tx.fetch(_ANY_BEFORE, since))[0]["found"]:
            since = ""
    others = sorted({row["key_name"] for row in rows}.union(*(row["others"] for row in rows)))
    values: dict[str, Any] = {"key_name": sealer.first, "since": since, "others": others}
    seal = sealer.seal("seal_marks", values | {SEAL: None})
    await tx.fetch(_KEEP, sealer.first, since, others, seal)


async def _oldest_proved(fetch: Fetch, sealer: Sealer) -> str | None:
    ids = [row["feedback_id"] for row in await fetch(_OLDEST, _LOOKED_AT)]
    if not ids:
        return None
    cases = RowBuffer[CaseRow](CaseRow, fetch)
    await load_together(fetch, [cases], ids)
    return next((one for one in ids if _is_proved(cases.get(one), sealer)), None)


def _is_proved(row: CaseRow | None, sealer: Sealer) -> bool:
    return row is not None and sealer.verdict("cases", values_of(row)) is Verdict.AS_WRITTEN


def _after(since: str | None) -> str | None:
    """The first id after the time in which code of the release before wrote beside this one."""
    if not since:
        return since
    return str(UUID(int=UUID(since).int + (BESIDE // timedelta(milliseconds=1) << 80)))
