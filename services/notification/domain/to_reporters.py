"""What a reporter hears, of their own case and of one that theirs was joined to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.notification.domain.cases import Case
from services.notification.domain.notice import REPORTER, Notice
from shared.contracts import Event, desk, intake, sla
from shared.contracts.rights import CaseStanding, Rights
from shared.contracts.vocabulary import Clock, Priority, State
from shared.moments import as_read

_NEW_DATE = (sla.Change.PROMISED, sla.Change.MOVED, sla.Change.RESUMED)


def to_reporter(event: Event, before: Case, case: Case) -> list[Notice]:
    """What `event` says to whoever the case is of."""
    match event:
        case intake.FeedbackReceived():
            return [Notice("receipt", REPORTER)]
        case intake.FeedbackMattersAsked():
            link = {"request_id": event.request_id, "until": event.until.isoformat()}
            return [Notice("matters", REPORTER, link)]
        case intake.FeedbackProgressAsked():
            split = {"split": True} if case.parts and case.into is None else {}
            where = {"state": case.state, "department": case.department}
            return [Notice("status", REPORTER, where | split | by_when(case, event.at))]
        case desk.CaseInfoRequested():
            return [_said("question", event.question, event)]
        case desk.CaseReplied():
            return [_said("reply", event.text, event)]
        case desk.CaseProgressed():
            said = _said("progress", event.text, event)
            # Nothing else is to come: it has been answered.
            after = {"after": True} if event.amends or event.state is State.REPLIED else {}
            return [replace(said, params=said.params | after)]
        case desk.CaseAnsweredThrough():
            kind = "progress" if event.kind == "progress" else "reply"
            said = _said(kind, event.text, event)
            # Theirs is no case that can be worked on again: they add words to the other one.
            through = {"through": True} if kind == "reply" else {}
            through |= {"after": True} if event.amends else {}
            return [replace(said, params=said.params | through)]
        case desk.CaseRejected():
            return [_with_instead(_said("rejected", event.reason, event), case)]
        case desk.CaseAppealUpheld() | desk.CaseAppealDismissed():
            upheld = isinstance(event, desk.CaseAppealUpheld)
            said = _said("appeal", event.reason, event)
            said = replace(said, params=said.params | {"upheld": upheld} | _left(event.rights))
            return [_with_instead(said, case)]
        case desk.CaseReopened():
            return [Notice("reopened", REPORTER)]
        case desk.CaseRestored():
            rejected = event.previous is State.REJECTED
            return [Notice("restored", REPORTER, {"rejected": True} if rejected else {})]
        case desk.CaseMerged(put_back=False):
            return [Notice("merged", REPORTER)]
        case desk.CaseUnmerged() if event.previous_into:
            return [Notice("parted", REPORTER)]
        case desk.CaseBreachExplained(clock=Clock.RESOLUTION, until=None):
            # With a new date the reason goes out with the date.
            again = {"again": True} if event.again else {}
            return [Notice("breach_reason", REPORTER, {"text": event.text} | again)]
        case desk.CaseRequestRefused() if event.request.startswith("feedback.received"):
            return []  # the comment is handled all the same: the page says how
        case desk.CaseRequestRefused():
            return [Notice("refused", REPORTER, {"reason": str(event.reason)})]
        case sla.SlaBreached(clock=Clock.RESOLUTION):
            return [
                Notice(
                    "delay",
                    REPORTER,
                    {"was": event.due.isoformat(), "department": case.department},
                )
            ]
        case sla.SlaPromisesChanged():
            return [] if becomes_urgent(event, before) else _delay(event, case)
        case _:
            return []


def notice_of_date(event: Event, case: Case, follower: Case, *, of: str) -> Notice | None:
    """What the reporter of a case that was joined to `case`, by the id `of`, hears because of
    `event`: that they wait longer than until the date that they have read."""
    read = follower.announced_due
    if follower.into is None or read is None:
        return None
    params = {"of": of, "was": read.isoformat(), "department": case.department}
    match event:
        case sla.SlaBreached(clock=Clock.RESOLUTION) if read <= event.at:
            return Notice("delay", REPORTER, params)
        case sla.SlaPromisesChanged() if case.due is not None and _reads_later(case.due, read):
            moved = [
                change
                for change in event.changes
                if change.clock is Clock.RESOLUTION and change.change in _NEW_DATE
            ]
            if not moved:
                return None
            dates = {"due": case.due.isoformat(), "reason": moved[-1].reason or ""}
            return Notice("delay", REPORTER, params | dates)
        case desk.CaseBreachExplained(clock=Clock.RESOLUTION, until=None) if read <= event.at:
            again = {"again": True} if event.again else {}
            return Notice("breach_reason", REPORTER, {"of": of, "text": event.text} | again)
        case _:
            return None


def by_when(case: Case, at: datetime) -> dict[str, Any]:
    """By when somebody who asks at that moment reads of an answer; `late` once that is over."""
    if case.due is None or case.answered:
        return {}
    return {"due": case.due.isoformat(), **({"late": True} if case.due <= at else {})}


def _left(rights: Rights) -> dict[str, Any]:
    """What is left to a reporter whose answer a leader let stand: ``{left, until}``."""
    if not rights.appeal_dismissed or rights.standing is not CaseStanding.ANSWERED:
        return {}
    if rights.reopen_until is None or rights.reopen_left is None:
        return {"left": 0}
    return {"left": rights.reopen_left, "until": rights.reopen_until.isoformat()}


def becomes_urgent(event: Event, before: Case) -> bool:
    """Whether promises move because it is an emergency now: nobody is told that this takes longer,
    though the hours of an emergency may end minutes after the date that they have read."""
    urgent = isinstance(event, sla.SlaPromisesChanged) and event.priority is Priority.P1
    return urgent and not before.urgent


def as_it_is_now(
    kind: str, params: dict[str, Any], case: Case, about: Case
) -> dict[str, Any] | None:
    """What a message of a date says by now; None where that is no news any more.

    `about` is the case whose date it is: another one where `case` was joined to it.
    """
    read = case.announced_due
    if kind not in ("delay", "merged") or (kind == "merged" and "due" not in params):
        return params
    if "due" not in params:  # that it was not kept
        return params | {"was": read.isoformat()} if read is not None else params
    if read is None or about.due is None or not _reads_later(about.due, read):
        without = {k: v for k, v in params.items() if k not in ("was", "due")}
        return without if kind == "merged" else None
    return params | {"was": read.isoformat(), "due": about.due.isoformat()}


def _with_instead(notice: Notice, case: Case) -> Notice:
    """And where to go with what was not taken on."""
    instead = {"instead": case.instead} if case.instead else {}
    return replace(notice, params=notice.params | instead)


def _said(kind: str, text: str, event: Any) -> Notice:
    """The words of the event, and where to find them unmasked if masking changed them."""
    # Who answers without a department, or all cases of an incident at once, is the office.
    direct = getattr(event, "direct", False)
    department = None if direct else getattr(event, "department", None)
    params = {"text": text, "department": department}
    params |= {
        name: str(value)
        for name in ("outcome", "rule")
        if kind == "reply" and (value := getattr(event, name, None)) is not None
    }
    if event.words_id is not None:
        params["words_id"] = event.words_id
    return Notice(kind, REPORTER, params)


def _delay(event: sla.SlaPromisesChanged, case: Case) -> list[Notice]:
    """The answer will come later than the date they have read from us."""
    moved = [
        change
        for change in event.changes
        if change.clock is Clock.RESOLUTION
        and change.cycle == case.cycle
        and change.change in (sla.Change.PROMISED, sla.Change.MOVED)
    ]
    if (
        not moved
        or case.announced_due is None
        or case.due is None
        or not _reads_later(case.due, case.announced_due)
    ):
        return []
    return [
        Notice(
            "delay",
            REPORTER,
            {
                "was": case.announced_due.isoformat(),
                "due": case.due.isoformat(),
                "reason": moved[-1].reason or "",
                "department": case.department,
            },
        )
    ]


def _reads_later(due: datetime, read: datetime) -> bool:
    """Whether `due` is a later date to somebody who has read the other one."""
    return as_read(due) > as_read(read)
