"""Under what cases are counted, and the surges that were found. What changes of a surge is emitted
on the directory, whole."""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Float, Index, Integer, String, Table, text
from sqlalchemy.dialects.postgresql import ARRAY

from services.desk.domain.surges import LOOK_BACK, WINDOWS, with_alarm, without_alarmed
from services.desk.store.similar import NOT_OFFERED
from services.desk.store.tables import DeskTable
from services.desk.wording.matters import matter_name
from shared.contracts import SYSTEM, Actor
from shared.contracts.desk import SurgeListed
from shared.messaging.transaction import Transaction

CASE_MATTERS = Table(
    "case_matters",
    DeskTable.metadata,
    Column("feedback_id", String, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, index=False),
    Column("keys", ARRAY(String), nullable=False),
    Column("judged", Boolean, nullable=False),
    Index("case_matters_at", "at"),
    Index("case_matters_keys", "keys", postgresql_using="gin"),
    Index("case_matters_left", "at", postgresql_where=text("NOT judged")),
)
SURGES = Table(
    "surges",
    DeskTable.metadata,
    Column("surge_id", String, primary_key=True),
    Column("key", String, nullable=False),
    Column("status", String, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("usual", Float, nullable=False),
    Column("cases", ARRAY(String), nullable=False),
    Column("listed", Integer, nullable=False),
    Column("incident_id", String),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_by", String),
    Index("surges_status", "status", "found_at"),
)
MOST_CASES = 500
KNOWN = timedelta(days=380)
"""What is older is not counted."""
_LOCK = 0x53_55_52_47
_UNCOUNTED = """
SELECT c.feedback_id, c.received_at AS at, c.place, w.title, left(w.text, 4000) AS text
FROM cases AS c JOIN words AS w USING (feedback_id)
LEFT JOIN case_matters AS m USING (feedback_id)
WHERE m.feedback_id IS NULL AND NOT c.confidential AND NOT c.erased AND c.parent IS NULL
AND c.received_at > $1
"""
_OLDEST = f"{_UNCOUNTED} ORDER BY c.received_at, c.feedback_id LIMIT $2"
_ARRIVED = f"{_UNCOUNTED} AND c.feedback_id = ANY($2::text[])"
_COUNT = """
INSERT INTO case_matters (feedback_id, at, keys, judged)
SELECT n.feedback_id, n.at, ARRAY(SELECT jsonb_array_elements_text(n.keys)), n.judged
FROM unnest($1::text[], $2::timestamptz[], $3::jsonb[], $4::boolean[])
    AS n(feedback_id, at, keys, judged)
WHERE NOT EXISTS (SELECT 1 FROM cases AS c
    WHERE c.feedback_id = n.feedback_id AND (c.erased OR c.confidential))
ON CONFLICT (feedback_id) DO NOTHING
"""
# What a person said is none is no alarm; which one it is may be unknown.
_ALARM = """
CASE WHEN c.alarm->>'emergency' IS DISTINCT FROM 'false'
    AND jsonb_typeof(c.alarm) = 'object' THEN coalesce(c.alarm->>'kind', '?') END AS alarm
"""
_ELSEWHERE = """
EXISTS (SELECT 1 FROM incidents AS i WHERE i.incident_id = c.incident_id AND i.open)
"""
_LEFT = f"""
SELECT m.feedback_id, m.at, m.keys, {_ALARM}, {_ELSEWHERE} AS elsewhere
FROM case_matters AS m JOIN cases AS c USING (feedback_id)
LEFT JOIN meanings AS v USING (feedback_id)
WHERE NOT m.judged AND m.at > $1 AND (v.feedback_id IS NOT NULL OR m.at <= $2)
ORDER BY m.at, m.feedback_id LIMIT $3
"""
_IN_WINDOWS = f"""
WITH found AS (
    SELECT key, o.at, {_ALARM}
    FROM case_matters AS o JOIN cases AS c USING (feedback_id), unnest(o.keys) AS key
    WHERE o.keys && $1::varchar[] AND key = ANY($1::varchar[]) AND o.at > $2 AND o.at <= $3
    AND c.state <> ALL($4::text[]) AND NOT {_ELSEWHERE}
)
SELECT key, array_agg(at) AS times, array_agg(alarm) AS alarms
FROM found GROUP BY key HAVING count(*) >= $5
"""
_CAME = "SELECT count(*) AS n FROM case_matters WHERE at > $1 AND at <= $2"
_FIRST = "SELECT min(at) AS at FROM case_matters"
_TIMES = "SELECT at FROM case_matters WHERE keys @> ARRAY[$1]::varchar[] AND at > $2 AND at <= $3"
_BY_HOUR = """
SELECT (extract(isodow FROM at AT TIME ZONE $3) - 1)::int * 24
    + extract(hour FROM at AT TIME ZONE $3)::int AS slot, count(*) AS n
FROM case_matters WHERE at > $1 AND at <= $2 GROUP BY 1
"""
_OF_KEY = f"""
SELECT o.feedback_id, {_ALARM} FROM case_matters AS o JOIN cases AS c USING (feedback_id)
WHERE o.keys @> ARRAY[$1]::varchar[] AND o.at > $2 AND o.at <= $3 AND c.state <> ALL($4::text[])
AND NOT {_ELSEWHERE}
ORDER BY o.at, o.feedback_id LIMIT $5
"""
_PEOPLE = """
SELECT count(DISTINCT coalesce(p.contact->>'phone', p.contact->>'email',
    p.contact->>'wechat_openid', p.contact->>'wechat_account', c.feedback_id)) AS n
FROM cases AS c LEFT JOIN private AS p USING (feedback_id) WHERE c.feedback_id = ANY($1::text[])
"""
# Vectors as bytes: to make a Python number of each would take longer than all else.
_SAID = f"""
SELECT o.feedback_id, o.at, w.title, left(w.text, 400) AS text, array_send(v.vector) AS vector,
    c.place, {_ALARM}, {_ELSEWHERE} AS elsewhere
FROM case_matters AS o JOIN cases AS c USING (feedback_id) JOIN words AS w USING (feedback_id)
LEFT JOIN meanings AS v USING (feedback_id)
WHERE o.at > $1 AND o.at <= $2 AND c.state <> ALL($3::text[]) ORDER BY o.at DESC LIMIT $4
"""
_HEAD = 20
"""Bytes before the first element of an array as PostgreSQL sends it; each comes after its size."""
_KEYS = f"""
SELECT m.feedback_id, m.keys, {_ALARM} FROM case_matters AS m JOIN cases AS c USING (feedback_id)
WHERE m.feedback_id = ANY($1::text[])
"""
_INCIDENT = """
SELECT 1 FROM incidents AS i JOIN cases AS c USING (incident_id)
JOIN case_matters AS o ON o.feedback_id = c.feedback_id
WHERE (i.open OR i.closed_at > $2) AND o.keys @> ARRAY[$1]::varchar[]
GROUP BY i.incident_id HAVING count(*) >= 2 LIMIT 1
"""
_FIELDS = (
    "surge_id, key, status, found_at, last_at, minutes, n, usual, cases, listed, incident_id, "
    "decided_at, decided_by"
)
_KEEP = f"""
INSERT INTO surges ({_FIELDS})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::varchar[], $10, $11, $12, $13)
ON CONFLICT (surge_id) DO UPDATE SET status = excluded.status, last_at = excluded.last_at,
n = excluded.n, cases = excluded.cases, listed = excluded.listed,
incident_id = excluded.incident_id, decided_at = excluded.decided_at,
decided_by = excluded.decided_by
"""


@dataclass
class Surge:
    """A row of ``surges``."""

    surge_id: str
    key: str
    found_at: datetime
    last_at: datetime
    minutes: int
    n: int
    usual: float
    cases: list[str] = field(default_factory=list)
    status: str = "suggested"
    listed: int = 0
    """How many cases it had when it was emitted last."""
    incident_id: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A case with its masked words and its vector, which is empty where it has none."""

    feedback_id: str
    at: datetime
    title: str
    text: str
    vector: Sequence[float] = ()
    place: str | None = None
    alarm: str | None = None
    """Which emergency it may be, unless a person said that it is none."""
    elsewhere: bool = False
    """It stands in an incident that is open."""


async def alone(tx: Transaction) -> bool:
    """Whether nobody else looks for surges until this transaction is over."""
    return bool((await tx.fetch("SELECT pg_try_advisory_xact_lock($1) AS ours", _LOCK))[0]["ours"])


async def uncounted(tx: Transaction, most: int) -> list[Any]:
    """Cases that are not counted yet, the oldest first; confidential ones never are.

    All cases are looked through for it."""
    return list(await tx.fetch(_OLDEST, tx.now - KNOWN, most))


async def uncounted_of(tx: Transaction, feedback_ids: Sequence[str]) -> list[Any]:
    """Those of these cases that are not counted yet."""
    return list(await tx.fetch(_ARRIVED, tx.now - KNOWN, list(feedback_ids)))


@dataclass(frozen=True, slots=True)
class Counted:
    """A case and its keys; `judged`: nobody asks any more whether it makes a surge."""

    feedback_id: str
    at: datetime
    keys: Sequence[str]
    judged: bool


async def count(tx: Transaction, cases: Sequence[Counted]) -> None:
    """Count cases under their keys; none that was erased, or made confidential, meanwhile."""
    await tx.fetch(
        _COUNT,
        [c.feedback_id for c in cases],
        [c.at for c in cases],
        [json.dumps(list(c.keys), ensure_ascii=False) for c in cases],
        [c.judged for c in cases],
    )


async def forget(tx: Transaction, feedback_id: str) -> None:
    """Count it no more."""
    await tx.fetch("DELETE FROM case_matters WHERE feedback_id = $1", feedback_id)


async def unjudged(tx: Transaction, since: datetime, wait_until: datetime, most: int) -> list[Any]:
    """Cases that may make a surge, the oldest first; each waits for its vector until then."""
    return list(await tx.fetch(_LEFT, since, wait_until, most))


async def judged(tx: Transaction, feedback_ids: Sequence[str]) -> None:
    """These were looked at."""
    await tx.fetch(
        "UPDATE case_matters SET judged = true WHERE feedback_id = ANY($1::text[])",
        list(feedback_ids),
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """A case under a key: when it came, and the emergency that it may be."""

    at: datetime
    alarm: str | None = None


async def lately(
    tx: Transaction, keys: Sequence[str], at: datetime, least: int
) -> dict[str, list[Seen]]:
    """By key the cases of the longest window before `at`, where they are enough; none that stands
    in an open incident."""
    rows = await tx.fetch(_IN_WINDOWS, list(keys), at - WINDOWS[-1], at, NOT_OFFERED, least)
    return {row["key"]: list(map(Seen, row["times"], row["alarms"])) for row in rows}


async def came(tx: Transaction, since: datetime, until: datetime) -> int:
    """How many cases there were, of anything."""
    return int((await tx.fetch(_CAME, since, until))[0]["n"])


async def by_hour(
    tx: Transaction, until: datetime, weeks: int, zone: str
) -> tuple[list[int], float]:
    """How many came in each hour of the week, and in how many weeks that was."""
    first = (await tx.fetch(_FIRST))[0]["at"]
    since = max(until - timedelta(weeks=weeks), first or until)
    slots = [0] * 168
    for row in await tx.fetch(_BY_HOUR, since, until, zone):
        slots[row["slot"]] = row["n"]
    return slots, (until - since) / timedelta(weeks=1)


async def times_of(tx: Transaction, key: str, at: datetime) -> tuple[list[float], list[float]]:
    """When it was said in the longest stretch of the past, and in the same weeks a year ago: in
    seconds since 1970."""
    until = at - timedelta(days=1)
    rows = await tx.fetch(_TIMES, key, until - timedelta(days=LOOK_BACK[0]), until)
    year = await tx.fetch(_TIMES, key, *_year_ago(at))
    return _times(rows), _times(year)


def _times(rows: list[Any]) -> list[float]:
    return [row["at"].timestamp() for row in rows]


async def totals(tx: Transaction, at: datetime) -> list[tuple[float, datetime, int]]:
    """``(days, since, total)`` of each stretch of the past, the longest first; a year ago last,
    where it is known."""
    first = (await tx.fetch(_FIRST))[0]["at"] or at
    until = at - timedelta(days=1)
    found = []
    for days in LOOK_BACK:
        since = until - timedelta(days=days)
        known = min(float(days), max(0.0, (until - first) / timedelta(days=1)))
        found.append((known, since, await came(tx, since, until)))
    since, before = _year_ago(at)
    if first <= since:
        found.append((14.0, since, await came(tx, since, before)))
    return found


def _year_ago(at: datetime) -> tuple[datetime, datetime]:
    then = at - timedelta(days=364)
    return then - timedelta(days=7), then + timedelta(days=7)


async def of_key(tx: Transaction, key: str, since: datetime, at: datetime) -> list[str]:
    """The cases of a matter in a window that are counted."""
    rows = await tx.fetch(_OF_KEY, key, since, at, NOT_OFFERED, MOST_CASES)
    counted = without_alarmed([row["alarm"] for row in rows])
    return [row["feedback_id"] for row, one in zip(rows, counted, strict=True) if one]


async def keys_of(tx: Transaction, feedback_ids: Sequence[str]) -> dict[str, list[str]]:
    """Under what each of these cases is counted, and the emergency that it may be."""
    rows = await tx.fetch(_KEYS, list(feedback_ids))
    return {row["feedback_id"]: with_alarm(row["keys"], row["alarm"]) for row in rows}


async def people(tx: Transaction, feedback_ids: Sequence[str]) -> int:
    """How many people said it; who left no contact is one of their own."""
    return int((await tx.fetch(_PEOPLE, list(feedback_ids)))[0]["n"])


async def said(tx: Transaction, since: datetime, at: datetime, most: int) -> list[Said]:
    """What was said between two moments, the newest first."""
    rows = await tx.fetch(_SAID, since, at, NOT_OFFERED, most)
    return [Said(**{**dict(row), "vector": _reals(row["vector"])}) for row in rows]


def _reals(sent: bytes | None) -> Sequence[float]:
    if sent is None:
        return ()
    found = array("f", sent[_HEAD:])
    if sys.byteorder == "little":
        found.byteswap()
    return found[1::2]


async def has_incident(tx: Transaction, key: str, closed_since: datetime) -> bool:
    """Whether an incident that is open, or was lately, has cases of this matter."""
    return bool(await tx.fetch(_INCIDENT, key, closed_since))


async def since(tx: Transaction, moment: datetime) -> list[Surge]:
    """Surges that wait for somebody, and those that were found or judged since then."""
    rows = await tx.fetch(
        f"SELECT {_FIELDS} FROM surges WHERE status = 'suggested' OR found_at > $1 "
        "OR decided_at > $1 ORDER BY found_at DESC LIMIT 200",
        moment,
    )
    return [Surge(**{**dict(row), "cases": list(row["cases"])}) for row in rows]


async def suggested(tx: Transaction) -> list[Surge]:
    """Those that wait for somebody, the newest first."""
    rows = await tx.fetch(
        f"SELECT {_FIELDS} FROM surges WHERE status = 'suggested' ORDER BY found_at DESC LIMIT 50"
    )
    return [Surge(**{**dict(row), "cases": list(row["cases"])}) for row in rows]


async def surge(tx: Transaction, surge_id: str, *, lock: bool = False) -> Surge | None:
    """One of them; `lock`: nobody else changes it now."""
    rows = await tx.fetch(
        f"SELECT {_FIELDS} FROM surges WHERE surge_id = $1{' FOR UPDATE' if lock else ''}", surge_id
    )
    return Surge(**{**dict(rows[0]), "cases": list(rows[0]["cases"])}) if rows else None


async def keep(tx: Transaction, one: Surge) -> None:
    """Write the row."""
    await tx.fetch(_KEEP, *(getattr(one, name.strip()) for name in _FIELDS.split(",")))


async def list_surge(tx: Transaction, one: Surge, *, by: Actor = SYSTEM) -> SurgeListed:
    """Keep it, and emit it on the directory; of a place, which a reporter named, nothing."""
    one.listed = len(one.cases)
    await keep(tx, one)
    matter = one.key.partition(" place=")[0] if not one.key.startswith("place=") else "place"
    event = SurgeListed(
        at=tx.now,
        by=by,
        surge_id=one.surge_id,
        matter=matter,
        zh=matter_name(matter, "zh"),
        en=matter_name(matter, "en"),
        status=one.status,
        found_at=one.found_at,
        minutes=one.minutes,
        n=one.n,
        usual=one.usual,
        cases=tuple(one.cases),
        incident_id=one.incident_id,
    )
    tx.emit(event)
    return event


async def remember(tx: Transaction, event: SurgeListed) -> None:
    """A surge as it was listed last, for a database that has lost it."""
    old = await surge(tx, event.surge_id)
    decided = event.status != "suggested"
    await keep(
        tx,
        Surge(
            surge_id=event.surge_id,
            key=old.key if old else event.matter,
            found_at=event.found_at,
            last_at=max(event.at, old.last_at) if old else event.at,
            minutes=event.minutes,
            n=event.n,
            usual=event.usual,
            cases=list(event.cases),
            status=event.status,
            listed=len(event.cases),
            incident_id=event.incident_id,
            decided_at=event.at if decided else None,
            decided_by=(event.by.name or "") if decided else None,
        ),
    )
