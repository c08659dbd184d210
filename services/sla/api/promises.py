"""Why a date is what it is: `GET /api/cases/{feedback_id}/promises/{CLOCK}`.

Under desk's paths, but answered here: clocks, policy and calendar are sla's, and a copy of them
could come to another date. Nothing in the answer is personal data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from services.sla import store
from services.sla.deps import deps_of
from services.sla.domain.calendars import ROUND_THE_CLOCK
from services.sla.domain.case_clocks import CaseClocks
from services.sla.domain.clocks import Timer
from services.sla.domain.explaining import Day, Explanation, explain, may_see, versions_of
from services.sla.store.emitted import changes_emitted
from services.sla.wording.promises import Speaker
from services.sla.wording.reader import told_to_reader
from shared.contracts.refusal import NotFound
from shared.contracts.vocabulary import Clock
from shared.moments import LOCAL, here, local
from shared.security import WHY
from shared.web import names
from shared.web.auth import Staff, runtime_of, service_of, signed_in
from shared.web.pages import choose_locale
from shared.web.permissions import Permission

router = APIRouter(tags=["promises"])

Person = Annotated[Staff, Depends(signed_in)]
Cycle = Annotated[int | None, Query(ge=1, le=1000)]
_MINUTE = timedelta(minutes=1)


@router.get("/api/cases/{feedback_id}/promises/{clock}", summary="Why a deadline is what it is")
async def explain_promise(
    request: Request, person: Person, feedback_id: str, clock: str, cycle: Cycle = None
) -> JSONResponse:
    """As data (`days`, `changes`, `pauses` …) and in `words`, in the reader's language; changes and
    pauses of less than a minute count and are not told.

    `counted_minutes` of all days = `promised_minutes` + `added_minutes` + `stood_still_minutes`,
    unless the date was `named`. `cycle`: an earlier one; the latest where none is given.
    """
    return JSONResponse(
        await explained(request, person, feedback_id, clock, cycle),
        headers={"Cache-Control": "no-store"},
    )


async def explained(
    request: Request, person: Staff, feedback_id: str, clock: str, cycle: int | None
) -> dict[str, Any]:
    """The answer as the page and programs get it. `NotFound` for what is not theirs to see."""
    seen, case, speaker = await _explained(
        request, lambda case: _sees(person, case), feedback_id, clock, cycle
    )
    return {"feedback_id": feedback_id} | body(seen, case, speaker)


FOR_READERS = (Clock.FIRST_RESPONSE, Clock.RESOLUTION)
"""What a reporter was promised."""


async def explained_to_reader(request: Request, token: str) -> dict[str, Any]:
    """The same for the reporter, in their words; tracking signed that they may ask.

    So nobody needs an account, and no code comes here. `NotFound` for what it did not sign.
    """
    runtime = runtime_of(request)
    asked = runtime.signer.read_signed(WHY, token, runtime.clock.now())
    if not (isinstance(asked, list) and len(asked) == 2 and asked[1] in FOR_READERS):
        raise NotFound()
    seen, _, speaker = await _explained(request, lambda case: True, str(asked[0]), asked[1], None)
    return body_for_reader(seen, speaker)


def body_for_reader(seen: Explanation, speaker: Speaker) -> dict[str, Any]:
    """What a reporter reads: nothing of rows and versions, and no case id."""
    timer = seen.timer
    return {
        "clock": timer.clock.value,
        "due": local(timer.due),
        "due_text": speaker.moment(timer.due),
        "first_due": local(timer.first_due),
        "words": list(told_to_reader(speaker, seen)),
        "days": list(_days(seen, speaker)),
        "calendar": speaker.calendar(timer.calendar),
        "quoted": [move.words for move in seen.moves_to_tell if move.words],
    }


async def _explained(
    request: Request,
    sees: Callable[[CaseClocks], bool],
    feedback_id: str,
    clock: str,
    cycle: int | None,
) -> tuple[Explanation, CaseClocks, Speaker]:
    if clock not in Clock._value2member_map_ or "\x00" in feedback_id:
        raise NotFound()
    rules = deps_of(request)
    async with service_of(request, "sla").transaction() as tx:
        await store.load(tx, [feedback_id])
        case = store.clocks_of(tx, feedback_id)
        if case is None or not sees(case):
            raise NotFound()
        cycles = [t for t in case.timers if t.clock == clock and cycle in (None, t.cycle)]
        if not cycles:
            raise NotFound()
        timer = max(cycles, key=lambda t: t.cycle)
        changes = await changes_emitted(tx, feedback_id)
        calendars = await rules.calendars_of(tx.connection, versions_of(timer, changes))
        policy = rules.rules(case.policy_version).policy
    seen = explain(
        case,
        timer,
        changes,
        policy=policy,
        calendars=calendars,
        version=rules.calendars.definition.version,
    )
    runtime = runtime_of(request)
    speaker = Speaker(
        choose_locale(request, runtime.settings.locale),
        runtime.directory.department_name,
        runtime.directory.category_name,
    )
    return seen, case, speaker


def _sees(person: Staff, case: CaseClocks) -> bool:
    return person.may(Permission.EXPLAIN_ALL_DATES) or any(
        may_see(case, one) for one in person.departments_with(Permission.EXPLAIN_OWN_DATES)
    )


def body(seen: Explanation, case: CaseClocks, speaker: Speaker) -> dict[str, Any]:
    """The answer about one clock."""
    timer = seen.timer
    return {
        "clock": timer.clock.value,
        "clock_text": names.clock_name(timer.clock, speaker.locale),
        "cycle": timer.cycle,
        "status": timer.status.value,
        "due": local(timer.due),
        "due_text": speaker.moment(timer.due),
        "first_due": local(timer.first_due),
        "department": case.responsible_for(timer.clock),
        "started": {
            "at": local(timer.started_at),
            "by": seen.cause or None,
        },
        "policy": {
            "version": seen.policy_version,
            "row": seen.choice.name,
            "row_text": speaker.row(seen.choice.name),
            "because": [
                {"dimension": d, "value": v, "text": speaker.because(d, v)}
                for d, v in seen.choice.because
            ],
        },
        "calendar": {
            "name": timer.calendar,
            "text": speaker.calendar(timer.calendar),
            "version": None if timer.calendar == ROUND_THE_CLOCK else seen.calendar_version,
            "zone": LOCAL.key,
            "provisional": seen.provisional,
        },
        "days": list(_days(seen, speaker)),
        "pauses": [
            {
                "from": local(pause.start),
                "to": local(pause.end),
                "minutes": _minutes(pause.counted),
            }
            for pause in seen.pauses_to_tell
        ],
        "changes": [
            {
                "at": local(move.at),
                "from": local(move.was),
                "to": local(move.due),
                "kind": move.kind,
                "reason": move.words or None,
                "text": speaker.move(move),
            }
            for move in seen.moves_to_tell
        ],
        "counted_minutes": _minutes(seen.counted),
        "promised_minutes": _minutes(seen.promised),
        "added_minutes": _minutes(seen.added),
        "stood_still_minutes": _minutes(seen.stood_still),
        "named": seen.named,
        "adds_up": seen.adds_up,
        "breached_at": local(timer.breached_at),
        "ended": local(_ended(timer)),
        "in_time": timer.in_time,
        "result": speaker.result(timer),
        "words": list(speaker.sentences(seen)),
    }


def _ended(timer: Timer) -> datetime | None:
    return timer.met_at or timer.cancelled_at


def _days(seen: Explanation, speaker: Speaker) -> Iterator[dict[str, Any]]:
    so_far = timedelta()
    for day in seen.days:
        so_far += day.counted
        yield _day(day, speaker) | {"so_far_minutes": _minutes(so_far)}


def _day(day: Day, speaker: Speaker) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "weekday": day.date.isoweekday(),
        "weekday_text": speaker.weekday(day.date),
        "kind": day.note.kind.value,
        "note": speaker.note(day.note),
        "minutes": _minutes(day.counted),
        "windows": [
            {
                "from": f"{here(span.start):%H:%M}",
                # Midnight ends a day, it does not begin one.
                "to": f"{here(span.end):%H:%M}".replace("00:00", "24:00"),
                "minutes": _minutes(span.length),
                "stood_still": span.stood_still,
            }
            for span in day.spans
        ],
    }


def _minutes(amount: timedelta) -> float:
    minutes = amount / _MINUTE
    return int(minutes) if minutes == int(minutes) else round(minutes, 4)
