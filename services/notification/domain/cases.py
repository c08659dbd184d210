"""What there is to know of a case to tell people about it, and how facts change it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.contracts import Event, desk, intake, routing, sla
from shared.contracts.vocabulary import Clock


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


def channels(case: Case, contact: Contact) -> list[str]:
    """The ways to this reporter, best first: the one the comment came by, then the others."""
    ways = [w for w, a in (("email", contact.email), ("wechat", contact.openid)) if a]
    first = "wechat" if case.channel == "wechat" else "email"
    return sorted(ways, key=lambda way: way != first)


def is_own_address(email: str, own_domain: str) -> bool:
    """True for an address of ours: writing to ourselves would never end."""
    return email.rpartition("@")[2].strip().lower().rstrip(".") == own_domain.lower()


def plain_address(email: str) -> str:
    """The mailbox behind an address, for counting: ``A+x@B.cn`` and ``a@b.cn`` are one."""
    local, _, domain = email.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
