"""The rules promises are counted by, in versions: in the database, and at hand in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.sla import shipped
from services.sla.domain.book import CalendarBook, Calendars
from services.sla.domain.facts import Rules
from services.sla.domain.policy import Policy
from services.sla.store.tables import CalendarRow, PolicyRow

__all__ = ["CalendarRow", "PolicyRow", "Rulebook"]

_SEED = """
INSERT INTO {table} (version, body, at{more}) SELECT $1, $2::jsonb, $3{values}
WHERE NOT EXISTS (SELECT 1 FROM {table})
ON CONFLICT DO NOTHING
"""
_NEWEST = """
SELECT (SELECT max(version) FROM policies), (SELECT max(version) FROM calendars)
"""
_POLICIES = "SELECT body::text FROM policies WHERE version = ANY($1::int[])"
_CALENDAR = "SELECT body::text FROM calendars WHERE version = $1"
_TO_RECOUNT = "SELECT version, reason FROM calendars WHERE NOT recounted ORDER BY version DESC"
_RECOUNTED = "UPDATE calendars SET recounted = true WHERE version <= $1 AND NOT recounted"


class Rulebook:
    """The policies in use and the calendars as they are now; the shipped ones until loaded.

    `woken` is set when something came up that is due earlier than the mark loop sleeps,
    `edited` when open deadlines have to be counted anew.
    """

    def __init__(self) -> None:
        policy = shipped.load_policy()
        self._policies: dict[int, Policy] = {policy.version: policy}
        self.current = policy.version
        self.calendars = Calendars(shipped.load_calendar())
        self.woken = asyncio.Event()
        self.edited = asyncio.Event()
        self.asleep_until: datetime | None = None

    @property
    def policy(self) -> Policy:
        """What is promised to whoever writes now."""
        return self._policies[self.current]

    def rules(self, policy_version: int | None = None) -> Rules:
        """A case's pinned policy (or the current one), with the calendars as they are now."""
        return Rules(self._policies[policy_version or self.current], self.calendars)

    def look_at(self, moment: datetime) -> None:
        """Wake the mark loop if it would sleep through `moment`."""
        if self.asleep_until is None or moment < self.asleep_until:
            self.woken.set()

    def adopt(self, newest: Policy | CalendarBook) -> None:
        """Use a version that was stored just now."""
        if isinstance(newest, Policy):
            self._policies[newest.version] = newest
            self.current = max(self.current, newest.version)
        elif newest.version > self.calendars.book.version:
            self.calendars = Calendars(newest)
        self.edited.set()

    async def fetch_policies(self, connection: AsyncConnection, versions: Iterable[int]) -> None:
        """Have these versions at hand."""
        missing = sorted(set(versions) - self._policies.keys())
        if missing:
            for (body,) in await connection.exec_driver_sql(_POLICIES, (missing,)):
                policy = Policy.model_validate_json(body)
                self._policies[policy.version] = policy

    async def refresh(self, connection: AsyncConnection) -> bool:
        """Follow what is stored; True when the calendar is another one than before."""
        row = (await connection.exec_driver_sql(_NEWEST)).one()
        policy, calendar = row
        if policy is not None:
            await self.fetch_policies(connection, [policy])
            self.current = policy
        if calendar is None or calendar == self.calendars.book.version:
            return False
        (body,) = (await connection.exec_driver_sql(_CALENDAR, (calendar,))).one()
        self.calendars = Calendars(CalendarBook.model_validate_json(body))
        return True


async def seed(connection: AsyncConnection, now: datetime) -> None:
    """Store the shipped policy and calendar where there are none."""
    policy, book = shipped.load_policy(), shipped.load_calendar()
    await connection.exec_driver_sql(
        _SEED.format(table="policies", more="", values=""),
        (policy.version, _dump(policy), now),
    )
    await connection.exec_driver_sql(
        _SEED.format(table="calendars", more=", reason, recounted", values=", 'calendar', true"),
        (book.version, _dump(book), now),
    )


async def to_recount(connection: AsyncConnection) -> tuple[int, str] | None:
    """The newest calendar that open deadlines have not been counted by, and why it came."""
    row = (await connection.exec_driver_sql(_TO_RECOUNT)).first()
    return None if row is None else (row[0], row[1])


async def settle_recount(connection: AsyncConnection, version: int) -> None:
    """Open deadlines stand by this version."""
    await connection.exec_driver_sql(_RECOUNTED, (version,))


def _dump(value: Policy | CalendarBook) -> str:
    return json.dumps(as_document(value), ensure_ascii=False)


def as_document(value: Policy | CalendarBook) -> dict[str, Any]:
    """The value as it is stored and shown."""
    return value.model_dump(mode="json", exclude_defaults=False)
