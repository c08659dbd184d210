"""Who is told what by which fact, where, and when it is too late for it. Values in, values out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from shared.contracts import Event, desk, intake, routing, sla
from shared.contracts.vocabulary import Clock, Role

REPORTER = "reporter"
STAFF = "staff:"

RECEIPTS_A_DAY = 3
"""To one address: nobody has confirmed it, and a receipt must be no way to pester a stranger."""
STALE = timedelta(hours=24)
"""A receipt or an alert about something older than this would only confuse."""
STALE_DELAY = timedelta(days=7)
TRIES = 8
TRY_FOR = timedelta(hours=24)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
HOLD = timedelta(seconds=10)
"""How long a receipt waits for the promise it is to carry."""
SETTLE = timedelta(seconds=1)
"""How long it still waits once both routing and the promise are known: routing may move it."""
CONTACT_WITHIN = timedelta(hours=24)
"""A contact that was announced and has not come by then will not come."""

PAGE_ONLY = "tracking page only"
STALE_REASON = "too long ago"
MOOT = "no longer needed"
TOO_MANY = "too many receipts to this address today"
OWN_ADDRESS = "the library's own address"
ERASED = "personal data erased"
ANSWERED_AT_THE_DOOR = "the answer at the door was the receipt"
NO_CONTACT_CAME = "the contact never came"
INTERRUPTED = "interrupted while sending"


class State(StrEnum):
    """What has become of a delivery."""

    AWAITING_CONTACT = "awaiting_contact"
    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SUPPRESSED = "suppressed"


WAITING = frozenset({State.READY, State.RETRY})
PENDING = WAITING | {State.AWAITING_CONTACT, State.SENDING}
RESENDABLE = frozenset({State.FAILED, State.UNCERTAIN})

_MOVES: dict[State, frozenset[State]] = {
    State.AWAITING_CONTACT: frozenset({State.READY, State.SUPPRESSED, State.FAILED, State.SENT}),
    State.READY: frozenset({State.SENDING, State.SUPPRESSED, State.FAILED, State.SENT}),
    State.RETRY: frozenset({State.SENDING, State.SUPPRESSED, State.FAILED, State.SENT}),
    State.SENDING: frozenset({State.SENT, State.RETRY, State.FAILED, State.UNCERTAIN}),
    # Late news of a sending that was given up for lost, or a person who decides.
    State.UNCERTAIN: frozenset({State.SENT, State.FAILED, State.READY}),
    State.FAILED: frozenset({State.SENT, State.READY}),
    State.SENT: frozenset(),
    State.SUPPRESSED: frozenset(),
}


class IllegalMove(RuntimeError):
    """A delivery cannot go from one state to the other: a bug in the caller."""


def move(state: str, to: State) -> State:
    """The new state, if the old one allows it."""
    if to not in _MOVES[State(state)]:
        raise IllegalMove(f"{state} → {to}")
    return to


WITH_PROMISE = frozenset({"receipt", "reopened"})
"""Kinds that say by when there will be an answer, and wait a moment to know it."""
_ABOUT_OPEN_WORK = frozenset({"delay", "warning", "breach", "escalation"})
_NEVER_STALE = frozenset({"reply", "question", "rejected"})


class Case(BaseModel):
    """What there is to know of a case to tell people about it."""

    model_config = ConfigDict(frozen=True)

    channel: str = "web"
    account: str | None = None
    locale: str = "zh"
    received_at: datetime | None = None
    reachable: tuple[str, ...] = ()
    title: str = ""
    """Masked, for staff; empty where the comment is confidential."""
    confidential: bool = False
    department: str | None = None
    handler: str | None = None
    sorted: bool = False
    cycle: int = 1
    due: datetime | None = None
    told_due: datetime | None = None
    """The date the reporter has read from us."""
    answered: bool = False
    ended: bool = False
    erased: bool = False


@dataclass(frozen=True)
class Contact:
    """Ways to reach the reporter. Personal data."""

    email: str | None = field(default=None, repr=False)
    openid: str | None = field(default=None, repr=False)


class People(Protocol):
    """Who works where."""

    def staff(self, *, role: str | None = None, department: str | None = None) -> list[str]:
        """User names of active people with that role, of that department."""
        ...


@dataclass(frozen=True)
class Notice:
    """One thing one person is to be told."""

    kind: str
    recipient: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def staff(self) -> str | None:
        """The account, where it is staff."""
        return staff_of(self.recipient)


def staff_of(recipient: str) -> str | None:
    """The account behind a recipient; None for the reporter."""
    return recipient.removeprefix(STAFF) if recipient.startswith(STAFF) else None


def delivery_id(ce_id: str, recipient: str, turn: int = 0) -> str:
    """The same for the same telling, also after a lost database: so is then the Message-ID."""
    return hashlib.sha256(f"{ce_id}\n{recipient}\n{turn}".encode()).hexdigest()[:32]


# -- what happens to a case ---------------------------------------------------------------------


def advance(case: Case, event: Event) -> Case:
    """The case after `event`."""
    return case.model_copy(update=_changes(case, event))


def _changes(case: Case, event: Event) -> dict[str, Any]:
    match event:
        case intake.FeedbackReceived():
            return {
                "channel": str(event.channel),
                "account": event.account,
                "locale": event.locale,
                "received_at": event.at,
                "reachable": event.reachable,
                "title": "" if event.confidential else event.title[:80],
                "confidential": event.confidential,
            }
        case routing.RoutingDecision():
            return {"sorted": True}
        case desk.CaseDispatched():
            hidden = {"title": "", "confidential": True} if event.confidential else {}
            return {"sorted": True, "department": event.department, "handler": None, **hidden}
        case desk.CaseReturned():
            return {"department": None, "handler": None}
        case desk.CaseAssigned():
            return {"handler": event.to, "department": event.department}
        case desk.CaseReplied():
            return {"answered": True}
        case desk.CaseReopened():
            return {
                **{"answered": False, "ended": False, "handler": None},
                **{"cycle": event.cycle, "due": None, "told_due": None},
            }
        case desk.CaseRejected() | desk.CaseClosed() | desk.CaseWithdrawn():
            return {"ended": True}
        case sla.SlaPromised(clock=Clock.RESOLUTION):
            return {"due": event.due}
        case sla.SlaResumed(clock=Clock.RESOLUTION):
            # They were asked and have answered: the days in between are no news to them.
            return {"due": event.due, "told_due": event.due if case.told_due else None}
        case sla.SlaCancelled(clock=Clock.RESOLUTION):
            return {"due": None}
        case _:
            return {}


def settled(case: Case) -> bool:
    """True once the promise in a receipt is not likely to move at once."""
    return case.sorted and case.due is not None


def send_after(kind: str, case: Case, planned_at: datetime, now: datetime) -> datetime:
    """When a delivery may go out."""
    if kind not in WITH_PROMISE:
        return now
    latest = planned_at + HOLD
    return max(now, min(latest, now + SETTLE)) if settled(case) else max(now, latest)


# -- who is told ----------------------------------------------------------------------------------


def notices(event: Event, before: Case, case: Case, people: People) -> list[Notice]:
    """Whom `event` concerns; `before` is the case as it was, `case` as it is now.

    Nobody is told what they did themselves.
    """
    told = [*_reporter(event, before, case), *_staff(event, case, people)]
    itself = f"{STAFF}{event.by.name}" if event.by.name else None
    return list({n.recipient: n for n in told if n.recipient != itself}.values())


def _reporter(event: Event, before: Case, case: Case) -> list[Notice]:
    match event:
        case intake.FeedbackReceived():
            return [Notice("receipt", REPORTER)]
        case desk.CaseInfoRequested():
            return [
                Notice(
                    "question",
                    REPORTER,
                    {"text": event.question, "department": event.department or case.department},
                )
            ]
        case desk.CaseReplied():
            return [
                Notice(
                    "reply",
                    REPORTER,
                    {"text": event.text, "department": event.department or case.department},
                )
            ]
        case desk.CaseRejected():
            return [Notice("rejected", REPORTER, {"text": event.reason})]
        case desk.CaseReopened():
            return [Notice("reopened", REPORTER)]
        case desk.CaseRequestRefused():
            return [Notice("refused", REPORTER, {"text": event.reason, "request": event.request})]
        case sla.SlaBreached(clock=Clock.RESOLUTION):
            return [
                Notice(
                    "delay",
                    REPORTER,
                    {"was": event.due.isoformat(), "department": case.department},
                )
            ]
        case sla.SlaPromised(clock=Clock.RESOLUTION) if (
            before.told_due is not None
            and event.due > before.told_due
            and event.cycle == case.cycle
        ):
            return [
                Notice(
                    "delay",
                    REPORTER,
                    {
                        "was": before.told_due.isoformat(),
                        "due": event.due.isoformat(),
                        "reason": event.reason or "",
                        "department": case.department,
                    },
                )
            ]
        case _:
            return []


def _staff(event: Event, case: Case, people: People) -> list[Notice]:
    def to(kind: str, names: Sequence[str | None], **params: Any) -> list[Notice]:
        return [Notice(kind, f"{STAFF}{name}", params) for name in names if name]

    match event:
        case routing.FeedbackTriageNeeded():
            return to("new_work", _office(people), what="triage", priority=event.priority)
        case desk.CaseDispatched():
            names = _entrance(people, event.department)
            return to("new_work", names, what="accept", priority=event.priority)
        case desk.CaseReturned():
            return to("new_work", _office(people), what="returned", text=event.reason)
        case desk.CaseReopened():
            return to("new_work", _office(people), what="reopened")
        case desk.CaseAssigned():
            return to("new_work", [event.to], what="assigned")
        case intake.FeedbackAppealed():
            return to("new_work", people.staff(role=Role.LEADER), what="appeal")
        case intake.FeedbackSupplemented():
            return to("news", _at_work(case, people), what="supplemented")
        case intake.FeedbackUrged():
            return to("news", _at_work(case, people), what="urged")
        case sla.SlaWarned():
            return to("warning", _responsible(event, case, people), **_clock(event))
        case sla.SlaBreached():
            names = _responsible(event, case, people)
            if case.department:
                names = [*names, *_entrance(people, case.department)]
            return to("breach", names, **_clock(event))
        case sla.EscalationRaised():
            above = _above(event.to_role, event.department or case.department, people)
            return to("escalation", above, **_clock(event))
        case _:
            return []


def _clock(event: sla.ClockFact) -> dict[str, Any]:
    return {"clock": str(event.clock), "due": event.due.isoformat()}


def _office(people: People) -> list[str]:
    return people.staff(role=Role.COORDINATOR)


def _entrance(people: People, department: str | None) -> list[str]:
    """Who takes work in for a department; the office where nobody does."""
    if department is None:
        return _office(people)
    return (
        people.staff(role=Role.LIAISON, department=department)
        or people.staff(role=Role.REVIEWER, department=department)
        or _office(people)
    )


def _at_work(case: Case, people: People) -> list[str]:
    return [case.handler] if case.handler else _entrance(people, case.department)


def _responsible(event: sla.ClockFact, case: Case, people: People) -> list[str]:
    """Who can still keep this promise."""
    match event.clock:
        case Clock.TRIAGE:
            return _office(people)
        case Clock.FOLLOW_UP:
            return []
        case Clock.REVIEW:
            return _above(Role.REVIEWER, event.department or case.department, people)
        case Clock.APPEAL:
            return people.staff(role=Role.LEADER)
        case Clock.ACCEPT:
            return _entrance(people, event.department or case.department)
        case _:
            return _at_work(case, people)


def _above(role: str, department: str | None, people: People) -> list[str]:
    if role == Role.REVIEWER and department:
        found = people.staff(role=role, department=department)
    else:
        found = people.staff(role=role) if role != Role.REVIEWER else []
    return found or _office(people)


# -- where, and whether still ---------------------------------------------------------------------


def channels(case: Case, contact: Contact) -> list[str]:
    """The ways to this reporter, best first: the one the comment came by, then the others."""
    ways = [w for w, a in (("email", contact.email), ("wechat", contact.openid)) if a]
    first = "wechat" if case.channel == "wechat" else "email"
    return sorted(ways, key=lambda way: way != first)


def is_stale(kind: str, happened_at: datetime, now: datetime) -> bool:
    """True for what would only confuse by now. People's own words always go out."""
    if kind in _NEVER_STALE:
        return False
    return now - happened_at > (STALE_DELAY if kind == "delay" else STALE)


def is_moot(kind: str, case: Case) -> bool:
    """True for a word about late work when the work is done."""
    return kind in _ABOUT_OPEN_WORK and (case.answered or case.ended)


def is_own_address(email: str, own_domain: str) -> bool:
    """True for an address of ours: writing to ourselves would never end."""
    return email.rpartition("@")[2].strip().lower().rstrip(".") == own_domain.lower()


def plain_address(email: str) -> str:
    """The mailbox behind an address, for counting: ``A+x@B.cn`` and ``a@b.cn`` are one."""
    local, _, domain = email.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def next_try(
    *, attempts: int, first_tried_at: datetime, after: timedelta | None, now: datetime
) -> datetime | None:
    """When to try again after `attempts` tries; None when it is enough."""
    wait = min(FIRST_WAIT * 2 ** max(0, attempts - 1), LONGEST_WAIT)
    at = now + max(wait, after or timedelta())
    over = attempts >= TRIES or at > first_tried_at + TRY_FOR
    return None if over else at
