"""How cases hang together: joined, split, linked, of one incident.

What an action makes of its own case stands in `DECIDE`; the other half, what it makes of the
other case, are functions of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Protocol

from services.desk.domain.actions import Action
from services.desk.domain.case import ActionInput, Case, Change, Incident
from services.desk.domain.deciding import (
    Decide,
    Decision,
    decided,
    new_cycle,
    over,
    parts_over,
    wrong,
)
from services.desk.domain.rights import rights_of
from services.desk.domain.transitions import ACTIVE
from shared.contracts import Actor
from shared.contracts.desk import (
    CaseAbsorbed,
    CaseAnsweredThrough,
    CaseEvent,
    CaseJoinedIncident,
    CaseLeftIncident,
    CaseLinked,
    CaseMerged,
    CaseReleased,
    CaseSplit,
    CaseUnlinked,
    CaseUnmerged,
    CaseWordsOwed,
)
from shared.contracts.refusal import Conflict
from shared.contracts.vocabulary import ENDED, Outcome, State


class Confidential(Protocol):
    """What a case and its row both say."""

    @property
    def confidential(self) -> bool: ...


def can_take(target: Case, case: Case, below: Iterable[Confidential]) -> None:
    """Raises `Conflict` unless `case`, with all `below` that are joined to it, may be joined to
    `target`: whoever works on that reads what their reporters add."""
    if target.feedback_id == case.feedback_id:
        raise Conflict("不能并入它自己。", "A case cannot be joined to itself.", allowed=[])
    if target.state in ENDED:
        raise Conflict("要并入的那一件已经结束。", "The case to join it to has ended.", allowed=[])
    if not target.confidential and any(one.confidential for one in (case, *below)):
        raise Conflict(
            "这一件保密，要并入的那一件不保密：并过去，这位用户以后补充的话，那边的部门都看得到。"
            "请先把那一件更正为保密，或者只关联。",
            "This case is confidential and the one to join it to is not: its department would "
            "read what this reporter adds. Make that one confidential first, or link them.",
            allowed=[],
        )


def can_open_up(below: Iterable[Confidential]) -> None:
    """Raises `Conflict` where one of those `below`, which are joined to a case that would be
    confidential no more, is."""
    if any(one.confidential for one in below):
        raise Conflict(
            "并入这一件的反馈里有保密的，这一件也要保密。要改，请先把保密的那一件拆开。",
            "A confidential case was joined to this one, so this one stays confidential. "
            "Part them first.",
            allowed=[],
        )


def joined(case: Case, into: str, at: datetime) -> dict[str, Any]:
    """Its own answers are over; what can be rated is the next answer of the other."""
    return over(case) | {
        "merged_into": into,
        "ended_at": at,
        "replied_at": None,
        "rated": False,
    }


def parted(case: Case) -> dict[str, Any]:
    """By itself again, and everything is promised anew."""
    return new_cycle(case) | {"merged_into": None, "replied_at": None, "rated": False}


def divided(case: Case, children: tuple[str, ...], at: datetime) -> dict[str, Any]:
    """It goes on as its parts."""
    return over(case) | {"children": children, "ended_at": at, "replied_at": None}


def answered(kind: str, outcome: str | None, at: datetime) -> dict[str, Any]:
    """A reply to the case it was joined to may be rated; an interim word may not, nor that it was
    rejected, which is a reply without an outcome."""
    return {"replied_at": at, "rated": False} if kind == "reply" and outcome else {}


def _merge(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(
        CaseMerged,
        joined(case, given.into, at),
        into=given.into,
        department=given.department,
        reason=given.reason,
    )


def _unmerge(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(
        CaseUnmerged,
        parted(case),
        previous_into=case.merged_into or "",
        children=() if case.merged_into else case.children,
        reason=given.reason,
        cycle=case.cycle + 1,
    )


def _split(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    children = tuple(part.feedback_id for part in given.parts)
    return decided(CaseSplit, divided(case, children, at), children=children)


def _link(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    if given.other == case.feedback_id:
        raise wrong("to", "不能关联它自己。", "A case cannot be linked to itself.")
    return decided(CaseLinked, {"links": (*case.links, given.other)}, to=given.other)


def _unlink(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    if given.other not in case.links:
        raise wrong("to", "没有关联那一件。", "It is not linked to that one.")
    return decided(CaseUnlinked, {"links": _without(case.links, given.other)}, to=given.other)


def _join(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    assert given.incident is not None
    changed = {"incident_id": given.incident.incident_id}
    return decided(CaseJoinedIncident, changed, **asdict(given.incident))


def _leave(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(CaseLeftIncident, {"incident_id": None}, incident_id=case.incident_id)


def absorb(target: Case, merged: str, *, by: Actor, at: datetime) -> Change:
    """Another case was joined to `target`."""
    changed = {"merged": (*_without(target.merged, merged), merged)}
    return _told(target, changed, CaseAbsorbed, by=by, at=at, merged=merged)


def owe(target: Case, origin: str, *, by: Actor, at: datetime) -> Change:
    """Whose case `origin` was joined to `target` spoke after the reply to that."""
    changed = {"words_owed_since": target.words_owed_since or at}
    return _told(target, changed, CaseWordsOwed, by=by, at=at, origin=origin)


def release(target: Case, merged: str, *, settled: bool, by: Actor, at: datetime) -> Change:
    """A case that had been joined to `target` goes on by itself, or was taken back.

    `settled`: what was owed an answer here was said there."""
    changed = released(target, merged, settled=settled)
    return _told(target, changed, CaseReleased, by=by, at=at, merged=merged, settled=settled)


def released(target: Case, merged: str, *, settled: bool) -> dict[str, Any]:
    """What `release` makes of the target."""
    owed = None if settled else target.words_owed_since
    return {"merged": _without(target.merged, merged), "words_owed_since": owed}


class StaysApart(Conflict):
    """What was split cannot be put together any more, whatever else can be done."""


def can_put_back(parts: Iterable[Case], *, spoken: bool) -> None:
    """Raises `StaysApart` unless these parts may go back into their whole.

    `spoken`: somebody has said something in one of them that the reporter reads, or wrote.
    """
    if spoken:
        raise StaysApart(
            "其中一件里已经和用户说过话，不能再合回去。",
            "Something was said to or by the reporter in one of the parts.",
            allowed=[],
        )
    for part in parts:
        if part.state not in ACTIVE or part.merged:
            raise StaysApart(
                "其中一件已经结束，或者并入了别的反馈，不能再合回去。",
                "One of the parts has ended, or others were joined to it.",
                allowed=[],
            )


def put_back(part: Case, reason: str, *, by: Actor, at: datetime) -> Change:
    """The whole goes on in the place of its parts."""
    assert part.parent is not None
    changed = joined(part, part.parent, at) | {"state": State.MERGED, "version": part.version + 1}
    said = {"into": part.parent, "reason": reason, "put_back": True}
    return _told(part, changed, CaseMerged, by=by, at=at, **said)


def link_back(other: Case, to: str, *, by: Actor, at: datetime) -> Change:
    """The other half of a link."""
    return _told(
        other, {"links": (*_without(other.links, to), to)}, CaseLinked, by=by, at=at, to=to
    )


def unlink_back(other: Case, to: str, *, by: Actor, at: datetime) -> Change:
    """The other half of a link is gone too."""
    return _told(other, {"links": _without(other.links, to)}, CaseUnlinked, by=by, at=at, to=to)


def explain(case: Case, incident: Incident, *, by: Actor, at: datetime) -> Change:
    """What the public reads about its incident is another text now."""
    return _told(case, {}, CaseJoinedIncident, by=by, at=at, **asdict(incident))


def answer_through(
    case: Case,
    *,
    into: Case,
    kind: str,
    text: str,
    outcome: Outcome | None,
    rule: str | None,
    words_id: str | None,
    amends: bool | None,
    by: Actor,
    at: datetime,
) -> Change:
    """The case that this one was joined to was answered: its reporter gets the words, and may
    rate them where they are a reply. `text` is masked."""
    return _told(
        case,
        answered(kind, outcome, at),
        CaseAnsweredThrough,
        by=by,
        at=at,
        into=into.feedback_id,
        kind=kind,
        department=into.department,
        text=text,
        outcome=outcome,
        rule=rule,
        words_id=words_id,
        amends=amends,
    )


def _told(
    case: Case,
    changed: dict[str, Any],
    event: type[CaseEvent],
    *,
    by: Actor,
    at: datetime,
    **values: Any,
) -> Change:
    after = replace(case, **changed)
    rights = rights_of(after)
    told = tuple(
        event(feedback_id=case.feedback_id, at=at, by=by, state=after.state, rights=rights, **said)
        for event, said in ((event, values), *parts_over(case, after))
    )
    return Change(after, told)


def _without(ids: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(i for i in ids if i != one)


DECIDE: Mapping[Action, Decide] = {
    Action.MERGE: _merge,
    Action.UNMERGE: _unmerge,
    Action.SPLIT: _split,
    Action.LINK: _link,
    Action.UNLINK: _unlink,
    Action.JOIN: _join,
    Action.LEAVE: _leave,
}
