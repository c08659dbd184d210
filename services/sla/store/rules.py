"""The rules promises are counted by, in versions: in the database, and at hand in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from services.sla.domain.calendars import CalendarDefinition, Calendars
from services.sla.domain.case_clocks import Rules
from services.sla.domain.policy import Policy
from services.sla.store.tables import CalendarRow, PolicyRow
from shared.contracts.sla import OrdinaryPromisesSet, QuietHoursSet
from shared.messaging.transaction import Transaction

__all__ = ["CalendarRow", "PolicyRow", "Rulebook"]

_SEED = """
INSERT INTO {table} (version, body, at{more}) SELECT $1, $2::jsonb, $3{values}
WHERE NOT EXISTS (SELECT 1 FROM {table})
ON CONFLICT DO NOTHING
"""
_NEWEST = """
SELECT (SELECT max(version) FROM policies), (SELECT max(version) FROM calendars)
"""
_POLICIES = "SELECT body::text, quiet::text FROM policies WHERE version = ANY($1::int[])"
_CALENDAR = "SELECT body::text FROM calendars WHERE version = $1"
_CALENDARS = "SELECT body::text FROM calendars WHERE version = ANY($1::int[])"
_VERSIONS = "SELECT version, at, by FROM policies ORDER BY version DESC LIMIT 100"
_TO_RECOUNT = "SELECT version, reason FROM calendars WHERE NOT recounted ORDER BY version DESC"
_RECOUNTED = "UPDATE calendars SET recounted = true WHERE version <= $1 AND NOT recounted"


_EARLIER = 20
"""Earlier calendars that are kept at hand."""


def rulebook_of(tx: Transaction) -> Rulebook:
    """The rules in force, which are what every transaction of sla works with."""
    rules: Rulebook = tx.deps
    return rules


class Version(NamedTuple):
    """A version, since when it counts, and whose it is; None: it came with the software."""

    version: int
    at: datetime
    by: str | None


class Rulebook:
    """The policies in use and the calendars as they are now; those given until it is refreshed.

    `woken` is set when something came up that is due earlier than the mark loop sleeps,
    `edited` when open deadlines have to be counted anew, `asked` when other rules are to be tried.
    """

    def __init__(self, policy: Policy, calendar: CalendarDefinition) -> None:
        self._policies: dict[int, Policy] = {policy.version: policy}
        self.current = policy.version
        self.calendars = Calendars(calendar)
        self._earlier: dict[int, Calendars] = {}
        self.woken = asyncio.Event()
        self.edited = asyncio.Event()
        self.asked = asyncio.Event()
        self.asleep_until: datetime | None = None
        self.told_quiet: tuple[int, QuietHoursSet | None] | None = None
        """The version whose quiet hours this process told last, and what was known before."""
        self.told_promises: tuple[int, OrdinaryPromisesSet | None] | None = None
        """The same of what it promises in general."""

    @property
    def policy(self) -> Policy:
        """What is promised to whoever writes now."""
        return self._policies[self.current]

    def rules(self, policy_version: int | None = None, *, cause: str = "") -> Rules:
        """A case's pinned policy (or the current one), with the calendars as they are now.

        `cause` is the type of the event that is being taken in."""
        return Rules(self._policies[policy_version or self.current], self.calendars, cause)

    def look_at(self, moment: datetime) -> None:
        """Wake the mark loop if it would sleep through `moment`."""
        if self.asleep_until is None or moment < self.asleep_until:
            self.woken.set()

    def adopt(self, newest: Policy | CalendarDefinition) -> None:
        """Use a version that was stored just now."""
        if isinstance(newest, Policy):
            self._policies[newest.version] = newest
            self.current = max(self.current, newest.version)
        elif newest.version > self.calendars.definition.version:
            self.calendars = Calendars(newest)
        self.edited.set()

    async def fetch_policies(self, connection: AsyncConnection, versions: Iterable[int]) -> None:
        """Have these versions at hand."""
        missing = sorted(set(versions) - self._policies.keys())
        if missing:
            for row in await _rows(connection, _POLICIES, missing):
                policy = _policy(row[0], row[1])
                self._policies[policy.version] = policy

    async def calendars_of(
        self, connection: AsyncConnection, versions: Iterable[int]
    ) -> dict[int, Calendars]:
        """The present calendars, and those of these versions that are still known."""
        now = self.calendars
        found = {now.definition.version: now}
        missing = sorted(set(versions) - found.keys() - self._earlier.keys())
        if missing:
            if len(self._earlier) > _EARLIER:
                self._earlier.clear()
            for (body,) in await _rows(connection, _CALENDARS, missing):
                definition = CalendarDefinition.model_validate_json(body)
                self._earlier[definition.version] = Calendars(definition)
        return found | {v: self._earlier[v] for v in versions if v in self._earlier}

    async def refresh(self, connection: AsyncConnection) -> bool:
        """Follow what is stored; True when the calendar is another one than before."""
        ((policy, calendar),) = await _rows(connection, _NEWEST)
        if policy is not None:
            await self.fetch_policies(connection, [policy])
            self.current = policy
        if calendar is None or calendar == self.calendars.definition.version:
            return False
        ((body,),) = await _rows(connection, _CALENDAR, calendar)
        self.calendars = Calendars(CalendarDefinition.model_validate_json(body))
        return True


async def seed(
    connection: AsyncConnection, now: datetime, policy: Policy, definition: CalendarDefinition
) -> None:
    """Store this policy and calendar where there are none."""
    await connection.exec_driver_sql(
        _SEED.format(table="policies", more="", values=""),
        (policy.version, _dump(policy), now),
    )
    await connection.exec_driver_sql(
        _SEED.format(table="calendars", more=", reason, recounted", values=", 'calendar', true"),
        (definition.version, _dump(definition), now),
    )


async def to_recount(connection: AsyncConnection) -> tuple[int, str] | None:
    """The newest calendar that open deadlines have not been counted by, and why it came."""
    rows = await _rows(connection, _TO_RECOUNT)
    return (rows[0][0], rows[0][1]) if rows else None


async def settle_recount(connection: AsyncConnection, version: int) -> None:
    """Open deadlines stand by this version."""
    await connection.exec_driver_sql(_RECOUNTED, (version,))


async def policy_versions(connection: AsyncConnection) -> list[Version]:
    """The newest hundred versions of the promises, the newest first."""
    return [Version(*row) for row in await _rows(connection, _VERSIONS)]


async def policy_version(connection: AsyncConnection, version: int) -> Policy | None:
    """One version of the promises; None for one there is not."""
    rows = await _rows(connection, _POLICIES, [version])
    return _policy(*rows[0]) if rows else None


def policy_row(policy: Policy, *, at: datetime, by: str) -> PolicyRow:
    """A version as it is stored."""
    body, quiet = stored_parts(policy)
    return PolicyRow(version=policy.version, body=body, quiet=quiet, at=at, by=by)


def stored_parts(policy: Policy) -> tuple[dict[str, Any], dict[str, Any]]:
    """``(body, quiet hours)``: apart, because the last release reads a body to the last word."""
    body = as_document(policy)
    return body, body.pop("quiet")


def policy_of(body: Mapping[str, Any], quiet: Mapping[str, Any] | None, **more: Any) -> Policy:
    """A policy of its stored parts."""
    return Policy.model_validate({**body, **({"quiet": quiet} if quiet else {}), **more})


def _policy(body: str, quiet: str | None) -> Policy:
    return policy_of(json.loads(body), json.loads(quiet) if quiet else None)


def _dump(value: Policy | CalendarDefinition) -> str:
    body = stored_parts(value)[0] if isinstance(value, Policy) else as_document(value)
    return json.dumps(body, ensure_ascii=False)


def as_document(value: Policy | CalendarDefinition) -> dict[str, Any]:
    """The value as it is stored and shown; what is left open is left out, so that code from before
    it could be said reads it too."""
    return value.model_dump(mode="json", exclude_none=True)


async def _rows(connection: AsyncConnection, statement: str, *values: Any) -> Sequence[Any]:
    return (await connection.exec_driver_sql(statement, values)).all()
