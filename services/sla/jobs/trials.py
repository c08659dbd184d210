"""Entry point for the clock: tries other rules on the cases there are, some at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from services.sla import store
from services.sla.deps import Deps
from services.sla.domain import trials
from services.sla.domain.calendars import CalendarDefinition, Calendars
from services.sla.domain.case_clocks import CaseClocks, Rules
from services.sla.domain.policy import Policy
from services.sla.store import trials as stored
from services.sla.store.trials import Trial
from shared.messaging.subscription import YIELD_EVERY
from shared.moments import local

if TYPE_CHECKING:
    from shared.service import Service

BATCH = 500
"""Cases of one transaction: no other trial waits longer, and progress is seen."""
MOST_KEPT = 100
"""Listed promises that would be kept now: the broken ones are what people look for."""
LOOK_EVERY = 2.0
"""Seconds between looks for trials that another replica was asked for."""


async def follow_trials(service: Service[Deps]) -> None:
    """Work on what is asked for, for ever."""
    rules = service.deps
    while True:
        rules.asked.clear()
        while await work_on_trial(service):
            pass
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(rules.asked.wait(), LOOK_EVERY)


async def work_on_trial(service: Service[Deps]) -> bool:
    """Try the oldest unfinished trial on some cases; False when there is none.

    How far it is stands in its row, so that a kill costs one batch."""
    rules = service.deps
    async with service.transaction() as tx:
        trial = await stored.claim(tx)
        if trial is None:
            return False
        ids = await stored.next_cases(tx, trial, BATCH)
        await store.load(tx, ids)
        if trial.kind == "policy":
            await rules.fetch_policies(tx.connection, [trial.base])
        look = _on_calendar(trial, rules) if trial.kind == "calendar" else _on_policy(trial, rules)
        for n, feedback_id in enumerate(ids, 1):
            if not n % YIELD_EVERY:
                await asyncio.sleep(0)
            case = store.clocks_of(tx, feedback_id)
            if case is not None:
                trial.count("cases")
                look(feedback_id, case, tx.now)
        await stored.advance(tx, trial, ids)
    return True


Look = Callable[[str, CaseClocks, datetime], None]


def _on_calendar(trial: Trial, rules: Deps) -> Look:
    """Open promises by another calendar, as they are counted when it is published."""
    calendars = Calendars(CalendarDefinition.model_validate(trial.body))

    def look(feedback_id: str, case: CaseClocks, now: datetime) -> None:
        policy = rules.rules(case.policy_version).policy
        for moved in trials.moved_by(case, Rules(policy, calendars), now=now):
            trial.count("later" if moved.after > moved.before else "earlier")
            trial.find(
                {
                    **_about(feedback_id, case),
                    "clock": moved.clock.value,
                    "before": local(moved.before),
                    "after": local(moved.after),
                }
            )

    return look


def _on_policy(trial: Trial, rules: Deps) -> Look:
    """Past promises as this policy would have had them, and as the one that was in force when it
    was asked for, both by the calendar of today."""
    tried = Rules(Policy.model_validate(trial.body), rules.calendars)
    in_force = rules.rules(trial.base)

    def look(feedback_id: str, case: CaseClocks, now: datetime) -> None:
        for one in trials.tried_on(case, tried, in_force, now=now):
            trial.count("promises")
            trial.count("then", one.broken_then)
            trial.count("before", one.broken_before)
            trial.count("after", one.broken_after)
            if one.broken_before == one.broken_after:
                continue
            trial.count("broken" if one.broken_after else "kept")
            if not one.broken_after and trial.counts["kept"] > MOST_KEPT:
                continue
            trial.find(
                {
                    **_about(feedback_id, case),
                    "clock": one.clock.value,
                    "before": local(one.before),
                    "after": local(one.after),
                    "ended": local(one.ended),
                    "broken": one.broken_after,
                }
            )

    return look


def _about(feedback_id: str, case: CaseClocks) -> dict[str, str | None]:
    """What a case is known by here, where nobody knows its title."""
    return {
        "feedback_id": feedback_id,
        "received_at": local(case.received_at),
        "priority": case.priority.value,
        "department": case.department or None,
        "category": case.category or None,
    }
