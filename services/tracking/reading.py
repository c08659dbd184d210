"""What both doors for people read: a case by its code, and the board."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from starlette.requests import Request

from services.tracking.domain import board as measures
from services.tracking.domain import periods, view
from services.tracking.live import WAITERS, heard
from services.tracking.store import CaseRow, board
from services.tracking.store.reading import case_by_code, lines_after
from shared.contracts.refusal import (
    Forbidden,
    NotFound,
    TooMany,
    Unacceptable,
    Unavailable,
)
from shared.contracts.vocabulary import CATEGORIES, Channel, Role
from shared.security import code_hash
from shared.service import Service
from shared.web.auth import Staff, house_of, service_of
from shared.web.limits import caller
from shared.web.moments import due_words
from shared.web.pages import choose_locale

PATIENCE = 2.0
"""Seconds a code of ours may take to appear: it was given out before the log was read."""
SEE_ALL = frozenset({Role.COORDINATOR, Role.LEADER, Role.AUDITOR})
SEE_OWN = frozenset({Role.LIAISON, Role.HANDLER, Role.REVIEWER})
HIDDEN = {"zh": "（保密）", "en": "(confidential)"}


def locale_of(request: Request) -> str:
    """The reader's language."""
    return choose_locale(request, house_of(request).settings.locale)


class Words:
    """How this reader is told deadlines and departments."""

    def __init__(self, request: Request) -> None:
        house = house_of(request)
        self.locale = locale_of(request)
        self.now = house.clock.now()
        self.name_of = partial(house.directory.department_name, locale=self.locale)

    def say_due(self, due: str) -> str:
        return due_words(due, self.now, self.locale)

    @property
    def known(self) -> dict[str, Any]:
        return {"locale": self.locale, "say_due": self.say_due, "name_of": self.name_of}


async def find_case(request: Request, code: str) -> CaseRow:
    """The case of this code; 404 for a code that was never ours, and only so often per address.

    A code that we signed counts as no failure: it was given out a moment ago, and its case is on
    the way through the log.
    """
    service = service_of(request, "tracking")
    tools = service.tools
    genuine = service.house.signer.is_genuine(code)
    address = caller(request)
    if not genuine and (wait := tools.unknown_codes.blocked(address)):
        raise TooMany(
            "试了太多不存在的编号，请过一会儿再来。",
            "Too many unknown codes. Please wait a while.",
            retry_after=wait,
        )
    key = code_hash(code)
    case = await _look_up(service, key)
    if case is None and genuine:
        case = await _wait_for(service, key)
    if case is not None:
        return case
    if genuine:
        raise Unavailable(
            "您的话已经收到，正在登记，请过几秒再看。",
            "We have your message and are registering it. Please look again in a few seconds.",
            retry_after=2,
        )
    tools.unknown_codes.count(address)
    raise NotFound


async def track_body(request: Request, code: str) -> dict[str, Any]:
    """The body of ``GET /api/track/{code}``."""
    case = await find_case(request, code)
    words = Words(request)
    async with service_of(request, "tracking").transaction() as tx:
        lines = await lines_after(tx, case.feedback_id)
    return view.body(case, lines, now=words.now, **words.known)


async def board_body(request: Request, person: Staff) -> dict[str, Any]:
    """The body of ``GET /api/dashboard``, as far as this person may see it."""
    question = _question(request, person)
    words = Words(request)
    service = service_of(request, "tracking")
    async with service.transaction() as tx:
        sums = await board.sums(tx, question)
        percentiles = await board.percentiles(tx, question)
        unmarked = await board.unmarked(tx, question)
        upcoming = await board.breaking_next(tx, question)
    body = measures.body(question, sums, percentiles, unmarked)
    body["department"] = question.department
    body["department_names"] = {
        code: words.name_of(code) for code in body["open"]["by_department"] if code
    }
    body["breaking_next"] = [
        {
            "feedback_id": one["feedback_id"],
            "title": HIDDEN[words.locale] if one["confidential"] else one["title"],
            "state": one["state"],
            "priority": one["priority"],
            "department": one["department"],
            "department_name": words.name_of(one["department"]) or None,
            "due": periods.local(one["due_at"]),
            "due_text": words.say_due(one["due_at"].isoformat()),
        }
        for one in upcoming
    ]
    body["lag"] = service.consumer.health.lag if service.consumer is not None else 0
    return body


async def behind_body(request: Request, person: Staff) -> dict[str, Any]:
    """The body of ``GET /api/dashboard/cases``: the cases behind a number of the board."""
    question = _question(request, person)
    measure = _one_of(request, "measure", set(measures.BEHIND)) or measures.BEHIND[0]
    words = Words(request)
    async with service_of(request, "tracking").transaction() as tx:
        found = await board.behind(tx, question, measure)
    return {
        "measure": measure,
        "from": periods.local(question.first),
        "to": periods.local(question.last),
        "department": question.department,
        "items": [
            {
                "feedback_id": one["feedback_id"],
                "title": HIDDEN[words.locale] if one["confidential"] else one["title"],
                "state": one["state"],
                "department": one["department"] or None,
                "department_name": words.name_of(one["department"]) or None,
                "at": periods.local(one["at"]),
                "in_time": one["in_time"],
                "hours": None
                if one["working_seconds"] is None
                else round(one["working_seconds"] / 3600, 2),
            }
            for one in found[: board.MOST_BEHIND]
        ],
        "more": len(found) > board.MOST_BEHIND,
    }


def _question(request: Request, person: Staff) -> measures.Question:
    """What is asked; 404 for a department that is unknown or not theirs, 403 for other roles."""
    asked = request.query_params
    department = asked.get("department") or None
    if department is not None and department not in house_of(request).directory.departments:
        raise NotFound
    if person.role in SEE_OWN and person.department:
        if department not in (None, person.department):
            raise NotFound
        department = person.department
    elif person.role not in SEE_ALL:
        raise Forbidden(
            "运行情况给用户关系办公室、馆领导、审计和各部门看。",
            "The dashboard is for coordinators, leaders, auditors and departments.",
        )
    now = house_of(request).clock.now()
    try:
        first, last = periods.period(asked.get("from"), asked.get("to"), now)
    except ValueError as error:
        field, words = error.args
        zh, _, en = words.partition(" | ")
        said = en if locale_of(request) == "en" else zh
        raise Unacceptable(zh, en, errors={field: said}) from None
    return measures.Question(
        first,
        last,
        now,
        department,
        _one_of(request, "category", set(CATEGORIES)),
        _one_of(request, "channel", {c.value for c in Channel}),
    )


def _one_of(request: Request, name: str, known: set[str]) -> str | None:
    value = request.query_params.get(name) or None
    if value is None or value in known:
        return value
    zh, en = "没有这个选项", "no such choice"
    raise Unacceptable(zh, en, errors={name: en if locale_of(request) == "en" else zh})


async def _look_up(service: Service, key: str) -> CaseRow | None:
    async with service.transaction() as tx:
        return await case_by_code(tx, key)


async def _wait_for(service: Service, key: str) -> CaseRow | None:
    tools = service.tools
    if tools.waiting >= WAITERS:
        return None
    tools.waiting += 1
    try:
        with tools.bell.listen(key) as ear:
            async with asyncio.timeout(PATIENCE):
                while (case := await _look_up(service, key)) is None:
                    await heard(ear, service.closing, PATIENCE / 4)
                    ear.clear()
                    if service.closing.is_set():
                        return None
                return case
    except TimeoutError:
        return None
    finally:
        tools.waiting -= 1
