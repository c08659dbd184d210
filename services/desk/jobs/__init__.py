"""What desk does when time passes: nothing waits for ever for somebody who does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import TextClause, text

from services.desk.deps import Deps
from services.desk.domain import TRANSITIONS, Action, ActionInput, advance, guard
from services.desk.domain.department import ANSWER_WITHIN
from services.desk.store import case_of, find, jobs, keep, load, viewers
from services.desk.store.handover import hand_back, stranded
from services.desk.store.jobs import Item
from services.desk.store.joined import BY_ITSELF
from services.desk.store.related import GroupChanged
from shared.contracts import SYSTEM
from shared.contracts.desk import SessionForgotten
from shared.contracts.refusal import Refusal
from shared.contracts.vocabulary import State
from shared.messaging.failures import is_transient, location_of
from shared.messaging.transaction import Transaction
from shared.service import Service

log = structlog.get_logger()

EVERY = 60.0
"""Seconds."""
ALARM_AGAIN = timedelta(minutes=5)
"""An alarm that nobody has answered by then is told again, and four times as late once more."""
ALARM_TIMES = 2
_ALARMED = text(
    "SELECT feedback_id FROM cases WHERE next_due_at < '1000-01-01' "
    "AND (alarm->>'at')::timestamptz <= :since ORDER BY next_due_at LIMIT 100"
)
_UNANSWERED = text(
    "SELECT feedback_id FROM cases WHERE state = 'WAITING_USER' AND waiting_since <= :since "
    "ORDER BY waiting_since LIMIT 100"
)
_LOOK_AGAIN = text(
    "SELECT feedback_id FROM cases WHERE state = 'WAITING_EXTERNAL' AND waiting_until <= :now "
    "ORDER BY waiting_until LIMIT 100"
)
_UNTOUCHED = text(
    "SELECT feedback_id FROM cases WHERE state = 'IN_PROGRESS' AND untouched_since IS NOT NULL "
    "AND EXISTS (SELECT 1 FROM jsonb_each(promises) AS p(clock, promise) "
    "WHERE clock IN ('FIRST_RESPONSE', 'RESOLUTION') AND promise->>'status' = 'breached' "
    "AND promise->>'ended' IS NULL AND (promise->>'due')::timestamptz > untouched_since) "
    "ORDER BY untouched_since LIMIT 100"
)


async def end_waiting(service: Service) -> int:
    """Take up the cases whose reporter has not answered in time, or whose day to look again has
    come; says how many."""
    now = service.runtime.clock.now()
    done = 0
    for query, state in (
        (_UNANSWERED, State.WAITING_USER),
        (_LOOK_AGAIN, State.WAITING_EXTERNAL),
    ):
        for feedback_id in await _found(service, query, now=now, since=now - ANSWER_WITHIN):
            # The answer may have come since we looked.
            done += await _do(service, feedback_id, state, Action.TIME_OUT)
    return done


async def repeat_alarms(service: Service) -> int:
    """Tell the office again, and its leaders, of alarms that nobody has answered."""
    now = service.runtime.clock.now()
    done = 0
    for feedback_id in await _found(service, _ALARMED, since=now - ALARM_AGAIN):
        done += await _repeat_alarm(service, feedback_id)
    return done


async def _repeat_alarm(service: Service, feedback_id: str) -> bool:
    async with service.transaction() as tx:
        await tx.lock(feedback_id)
        await load(tx, [feedback_id])
        row = find(tx, feedback_id)
        if row is None:
            return False
        case = case_of(row)
        waited = ALARM_AGAIN * (1 + 3 * case.alarm.told_again) if case.alarm else timedelta.max
        if (
            guard(case, Action.REPEAT_ALARM, SYSTEM, tx.now) is not None
            or (case.state, Action.REPEAT_ALARM) not in TRANSITIONS
            or case.alarm is None
            or case.alarm.told_again >= ALARM_TIMES
            or tx.now - case.alarm.at < waited
        ):
            return False
        keep(tx, row, advance(case, Action.REPEAT_ALARM, by=SYSTEM, at=tx.now))
    return True


async def offer_again(service: Service) -> int:
    """Put back to the department what was assigned, and not touched past its clock."""
    done = 0
    for feedback_id in await _found(service, _UNTOUCHED):
        given = ActionInput(reason="untouched")
        done += await _do(service, feedback_id, State.IN_PROGRESS, Action.UNASSIGN, given)
    return done


async def _found(service: Service, query: TextClause, **values: datetime) -> list[str]:
    known = {name: values[name] for name in query.compile().params}
    async with service.engine.connect() as connection:
        return list((await connection.execute(query, known)).scalars())


async def _do(
    service: Service,
    feedback_id: str,
    state: State,
    action: Action,
    given: ActionInput | None = None,
) -> bool:
    async with service.transaction() as tx:
        await tx.lock(feedback_id)
        await load(tx, [feedback_id])
        row = find(tx, feedback_id)
        if row is None or row.state != state:
            return False
        case = case_of(row)
        if action is Action.UNASSIGN and case.untouched_since is None:
            return False
        if guard(case, action, SYSTEM, tx.now) is not None:
            return False
        keep(tx, row, advance(case, action, given, by=SYSTEM, at=tx.now))
    return True


async def hand_over(service: Service) -> int:
    """Put back the cases of people who left or moved; says how many there were.

    The command that changes an account calls it at once; here it finds what was assigned meanwhile.
    """
    async with service.transaction() as tx:
        found = await stranded(tx)
    done = 0
    for feedback_id in found:
        async with service.transaction() as tx:
            done += await hand_back(tx, feedback_id)
    return done


async def forget_sessions(service: Service) -> int:
    """Take revoked sessions that would be over by now off the directory; says how many."""
    directory, now = service.runtime.directory, service.runtime.clock.now()
    over = [one for one, expires in directory.revoked_sessions.items() if expires <= now]
    async with service.transaction() as tx:
        for session_id in over:
            tx.emit(SessionForgotten(at=tx.now, session_id=session_id))
            tx.after_commit(partial(directory.forget_session, session_id))
    return len(over)


async def forget_viewers(service: Service) -> None:
    """Forget who looked at a case and has gone."""
    async with service.transaction() as tx:
        await viewers.forget_old(tx)


async def run(service: Service) -> None:
    """For ever, once a minute."""
    while True:
        await forget_sessions(service)
        await forget_viewers(service)
        await end_waiting(service)
        await offer_again(service)
        await repeat_alarms(service)
        await hand_over(service)
        await asyncio.sleep(EVERY)


Perform = Callable[[Transaction, Item], Awaitable[dict[str, Any] | None]]
"""Does to one case what whoever began the job asked for; gives what would undo it."""
_BROKEN = Refusal("系统没能做到这一件。", "The system could not do this one.")


async def work(service: Service[Deps], perform: Perform) -> None:
    """For ever: what is to be done to many cases, one after the other, at once when it comes."""
    while True:
        service.deps.work.clear()
        while await step(service, perform):
            pass
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY):
                await service.deps.work.wait()


async def step(service: Service[Deps], perform: Perform) -> bool:
    """Do one case of the oldest job; False when there is nothing to do.

    The case and the mark that it is done are one commit: whoever is killed here has done both or
    neither, and the next one to come goes on.
    """
    item = None
    try:
        async with service.transaction() as tx:
            if (item := await jobs.claim(tx)) is None:
                await jobs.finish(tx)
                return False
            undo = await BY_ITSELF.get(item.kind, perform)(tx, item)
            await jobs.done(tx, item, undo=undo)
    except GroupChanged:
        return True
    except Exception as error:
        # What one case cannot bear must not keep the others waiting for ever.
        if item is None or (is_transient(error) and not isinstance(error, Refusal)):
            raise
        await _give_up(service, item, error)
    return True


async def _give_up(service: Service[Deps], item: Item, error: Exception) -> None:
    refusal = error if isinstance(error, Refusal) else _BROKEN
    if refusal is _BROKEN:
        log.error(
            "case of a job failed",
            job=item.kind,
            feedback_id=item.feedback_id,
            error=type(error).__name__,
            where=location_of(error),
        )
    async with service.transaction() as tx:
        await jobs.done(tx, item, refusal)
