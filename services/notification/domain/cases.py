"""What messages need to know of a case, and how events change it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.contracts import Event, desk, intake, routing, sla
from shared.contracts.vocabulary import Clock, Priority

GATHER = timedelta(minutes=5)
"""People write in a chat what they have to say in many short lines."""


class Case(BaseModel):
    """What messages need to know of a case."""

    model_config = ConfigDict(frozen=True)

    channel: str = "web"
    account: str | None = None
    locale: str = "zh"
    received_at: datetime | None = None
    reachable: tuple[str, ...] = ()
    title: str = ""
    """Masked, for staff; empty where the comment is confidential."""
    confidential: bool = False
    state: str = ""
    """As the last event that anybody is told of left it; empty where none has come yet, or none
    since this is kept."""
    department: str | None = None
    handler: str | None = None
    asked_for_time: str | None = None
    """Who asked for more time last; anybody of the department may."""
    helping: tuple[str, ...] = ()
    """Departments that do a part of it."""
    sorted: bool = False
    cycle: int = 1
    due: datetime | None = None
    announced_due: datetime | None = None
    """The date the reporter has read from us."""
    urgent: bool = False
    """P1: somebody is to hear of it at any hour."""
    answered: bool = False
    ended: bool = False
    instead: str | None = None
    """Where to go with what was not taken on, until it is taken up again."""
    words_told: dict[str, datetime] = {}
    """Recipient → for when the newest notice is that the reporter said more."""
    erased: bool = False
    into: str | None = None
    """What it was joined to: its reporter gets the answer of that one."""
    followers: tuple[str, ...] = ()
    """What was joined to it."""
    parent: str | None = None
    """What it was split off from."""
    parts: tuple[str, ...] = ()
    """What it was split into, as its reporter's page numbers them."""


@dataclass(frozen=True)
class Contact:
    """Ways to reach the reporter. Personal data."""

    email: str | None = field(default=None, repr=False)
    openid: str | None = field(default=None, repr=False)


def advance(case: Case, event: Event) -> Case:
    """The case after `event`."""
    changes = _changes(case, event)
    if isinstance(event, desk.CaseEvent):
        changes["state"] = str(event.state)
    return case.model_copy(update=changes)


def _changes(case: Case, event: Event) -> dict[str, Any]:
    match event:
        case intake.FeedbackReceived():
            return {
                "channel": str(event.channel),
                "account": event.account,
                "locale": event.locale,
                "received_at": event.at,
                "reachable": event.reachable,
                "title": "" if event.confidential or case.erased else event.title[:80],
                "confidential": event.confidential,
            }
        case routing.RoutingDecision():
            return {"sorted": True}
        case desk.CaseSplitOff():
            return {
                "channel": str(event.channel),
                "locale": event.locale,
                "received_at": event.received_at,
                "reachable": event.reachable,
                "title": "" if event.confidential or case.erased else event.title[:80],
                "confidential": event.confidential,
                "parent": event.parent,
            }
        case desk.CaseSplit():
            return {"ended": True, "parts": event.children}
        case desk.CaseDispatched():
            hidden = {"title": "", "confidential": True} if event.confidential else {}
            return {"sorted": True, "department": event.department, "handler": None, **hidden}
        case desk.CaseReturned() | desk.CaseRecalled():
            return {"department": None, "handler": None}
        case desk.CaseCorrected() if event.confidential:
            return {"title": "", "confidential": True}
        case desk.CaseDepartmentAdded():
            return {"helping": (*_without(case.helping, event.department), event.department)}
        case desk.CasePartFinished() | desk.CaseDepartmentRemoved():
            return {"helping": _without(case.helping, event.department)}
        case desk.CaseAssigned():
            return {"handler": event.to, "department": event.department}
        case desk.CaseUnassigned():
            return {"handler": None}
        case desk.CaseExtensionAsked():
            return {"asked_for_time": event.by.name}
        case desk.CaseReplied():
            return {"answered": True}
        case desk.CaseAbsorbed():
            return {"followers": (*_without(case.followers, event.merged), event.merged)}
        case desk.CaseReleased():
            return {"followers": _without(case.followers, event.merged)}
        case (
            desk.CaseReopened()
            | desk.CaseRestored()
            | desk.CaseUnmerged()
            | desk.CaseAppealUpheld()
        ):
            return {
                **{"answered": False, "ended": False, "handler": None, "department": None},
                **{"cycle": event.cycle, "due": None, "announced_due": None, "into": None},
                **{"instead": None},
            }
        case desk.CaseAppealed():
            return {"ended": False}
        case desk.CaseMerged(put_back=False):
            return {"ended": True, "into": event.into}
        case desk.CaseWithdrawn():
            return {"ended": True, "into": None}
        case desk.CaseRejected():
            return {"ended": True, "instead": event.instead}
        case (
            desk.CaseClosed()
            | desk.CaseMarkedAsSpam()
            | desk.CaseMerged()
            | desk.CaseAppealDismissed()
        ):
            return {"ended": True}
        case sla.SlaPromisesChanged():
            return _answer_due(case, event) | {"urgent": event.priority is Priority.P1}
        case _:
            return {}


def _without(some: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(other for other in some if other != one)


def _answer_due(case: Case, event: sla.SlaPromisesChanged) -> dict[str, Any]:
    due, announced_due = case.due, case.announced_due
    for change in event.changes:
        if change.clock is not Clock.RESOLUTION:
            continue
        match change.change:
            case sla.Change.PROMISED | sla.Change.MOVED:
                due = change.due
            case sla.Change.RESUMED:
                # They were asked and have answered: the days in between are no news to them.
                due, announced_due = change.due, change.due if announced_due else None
            case sla.Change.CANCELLED:
                due = None
    return {"due": due, "announced_due": announced_due}


def gathered(case: Case, recipient: str, now: datetime) -> datetime | None:
    """When somebody hears that the reporter said more: at once, and soon after that once for all
    that is said meanwhile; None where a notice that is to go out tells of it, too."""
    told = case.words_told.get(recipient)
    if told is None or told + GATHER <= now:
        return now
    return told + GATHER if told <= now else None


def settled(case: Case) -> bool:
    """True once the promise in a receipt is not likely to move at once."""
    return case.sorted and case.due is not None


def channels(case: Case, contact: Contact, kind: str = "") -> list[str]:
    """The ways to this reporter, best first: the one the comment came by, then the others.

    What proves whose mailbox it is goes to the mailbox only, what was asked in the chat there.
    """
    if kind == "status":
        return ["wechat"] if contact.openid else []
    if kind == "matters":
        return ["email"] if contact.email else []
    ways = [w for w, a in (("email", contact.email), ("wechat", contact.openid)) if a]
    first = "wechat" if case.channel == "wechat" else "email"
    return sorted(ways, key=lambda way: way != first)


def is_own_address(email: str, host: str, mailboxes: frozenset[str] = frozenset()) -> bool:
    """True for an address at our own host, or one of ours: writing to it would never end."""
    at_home = email.rpartition("@")[2].strip().lower().rstrip(".") == host.lower()
    return at_home or plain_address(email) in mailboxes


def plain_address(email: str) -> str:
    """The mailbox behind an address, for counting: ``A+x@B.cn`` and ``a@b.cn`` are one."""
    local, _, domain = email.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
