"""Who gets which message because of which event."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from services.notification.domain.cases import Case
from shared.contracts import REPORTER as by_reporter
from shared.contracts import Event, desk, intake, routing, sla
from shared.contracts.vocabulary import Clock, Priority, Role, State
from shared.moments import as_read

REPORTER = "reporter"
STAFF = "staff:"
ABSENCE = "absence"
"""A message about no case: that somebody was entered as away."""
_SEE_ALL = frozenset({Role.COORDINATOR, Role.LEADER, Role.AUDITOR})
_OF_A_DEPARTMENT = frozenset({Role.LIAISON, Role.HANDLER, Role.REVIEWER})


class People(Protocol):
    """Who works where."""

    def staff(
        self, *, role: str | None = None, department: str | None = None, present: bool = False
    ) -> list[str]:
        """User names of active people with that role, of that department; `present`: without
        those who are away and have nobody who stands in for them."""
        ...

    def substitute(self, name: str) -> str | None:
        """Who stands in for this account, while it is away."""
        ...


@dataclass(frozen=True)
class Notice:
    """One message for one person."""

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


def notices(event: Event, before: Case, case: Case, people: People) -> list[Notice]:
    """Whom `event` concerns; `before` is the case as it was, `case` as it is now.

    Nobody gets a message about what they did themselves.
    """
    itself = f"{STAFF}{event.by.name}" if event.by.name else None
    told = [n for n in _staff(event, before, case, people) if n.recipient != itself]
    told = _and_who_is_there(told, case.department, people)
    found = [*_reporter(event, before, case), *_and_substitutes(told, people)]
    return list({n.recipient: n for n in found if n.recipient != itself}.values())


def surge_notices(event: desk.SurgeListed, people: People) -> list[Notice]:
    """Of one matter suddenly more is said: the office looks, and who stands in for it."""
    params = {
        "surge": event.surge_id,
        "zh": event.zh,
        "en": event.en,
        "n": event.n,
        "minutes": event.minutes,
    }
    found = [Notice("surge", f"{STAFF}{name}", params) for name in _office(people)]
    return list({n.recipient: n for n in _and_substitutes(found, people)}.values())


def absence_notices(event: desk.PersonListed, name_of: Callable[[str], str]) -> list[Notice]:
    """Somebody was entered as away: who is to stand in hears of it, and they themselves where it
    was another person; nobody hears what they entered themselves."""
    if not event.absence_entered or event.away_until is None:
        return []
    params = {
        "away": event.display or event.username,
        "until": event.away_until.isoformat(),
        "by": event.by.display or event.by.name or "",
        "substitute": name_of(event.substitute) if event.substitute else "",
    }
    found = [Notice(ABSENCE, f"{STAFF}{event.username}", params)]
    if event.substitute:
        stands_in = params | {"stands_in": True}
        found.append(Notice(ABSENCE, f"{STAFF}{event.substitute}", stands_in))
    return [one for one in found if one.staff != event.by.name]


def unreached_notices(case: Case, people: People, *, uncertain: bool) -> list[Notice]:
    """Somebody's words did not reach the reporter, or nobody knows: who handles it decides what to
    do, and who stands in for them; the office where nobody does."""
    names = _at_work(case, people) if case.handler else _office(people)
    params = {"what": "unsure" if uncertain else "unreached"}
    found = [Notice("news", f"{STAFF}{name}", params) for name in names]
    found = _and_who_is_there(found, case.department, people)
    return list({n.recipient: n for n in _and_substitutes(found, people)}.values())


def ringing_notices(case: Case, people: People) -> list[Notice]:
    """Words cannot be sent to the reporter, who left a telephone alone: who handles the case rings,
    or where they may not know who it is, the office; and who stands in for them."""
    names = _at_work(case, people) if case.handler and not case.confidential else _office(people)
    found = [Notice("news", f"{STAFF}{name}", {"what": "ring"}) for name in names]
    department = None if case.confidential else case.department
    found = _and_who_is_there(found, department, people)
    return list({n.recipient: n for n in _and_substitutes(found, people)}.values())


def _and_substitutes(found: list[Notice], people: People) -> list[Notice]:
    """What the absent are told, who stands in for them is told, too, after those it is for."""
    named = [(one, people.substitute(one.staff or "")) for one in found]
    instead = [replace(one, recipient=f"{STAFF}{other}") for one, other in named if other]
    return [*instead, *found]


def _and_who_is_there(found: list[Notice], department: str | None, people: People) -> list[Notice]:
    """Where all who are told are away and nobody stands in for them, the department's entrance is
    told, too, before them: else a case lies where nobody looks. What calls a person, or takes
    leave of them, is for them alone."""
    work = [one for one in found if one.params.get("what") not in (*FAREWELLS, "mentioned")]
    there = set(people.staff(present=True))
    if not work or any(one.staff in there for one in work):
        return found
    told = {one.recipient for one in found}
    names = [name for name in entrance(people, department) if f"{STAFF}{name}" not in told]
    params = work[-1].params | {"absent": True}
    return [*(replace(work[-1], recipient=f"{STAFF}{n}", params=params) for n in names), *found]


def _reporter(event: Event, before: Case, case: Case) -> list[Notice]:
    match event:
        case intake.FeedbackReceived():
            return [Notice("receipt", REPORTER)]
        case intake.FeedbackMattersAsked():
            link = {"request_id": event.request_id, "until": event.until.isoformat()}
            return [Notice("matters", REPORTER, link)]
        case desk.CaseInfoRequested():
            return [_said("question", event.question, event)]
        case desk.CaseReplied():
            return [_said("reply", event.text, event)]
        case desk.CaseProgressed():
            return [_said("progress", event.text, event)]
        case desk.CaseAnsweredThrough():
            kind = "progress" if event.kind == "progress" else "reply"
            said = _said(kind, event.text, event)
            # Theirs is no case that can be worked on again: they add words to the other one.
            through = {"through": True} if kind == "reply" else {}
            return [replace(said, params=said.params | through)]
        case desk.CaseRejected():
            return [_with_instead(_said("rejected", event.reason, event), case)]
        case desk.CaseAppealUpheld() | desk.CaseAppealDismissed():
            upheld = isinstance(event, desk.CaseAppealUpheld)
            said = _said("appeal", event.reason, event)
            return [_with_instead(replace(said, params=said.params | {"upheld": upheld}), case)]
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


def becomes_urgent(event: Event, before: Case) -> bool:
    """Whether promises move because it is an emergency now: nobody is told that this takes longer,
    though the hours of an emergency may end minutes after the date that they have read."""
    urgent = isinstance(event, sla.SlaPromisesChanged) and event.priority is Priority.P1
    return urgent and not before.urgent


def _reads_later(due: datetime, read: datetime) -> bool:
    """Whether `due` is a later date to somebody who has read the other one."""
    return as_read(due) > as_read(read)


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


_NEW_DATE = (sla.Change.PROMISED, sla.Change.MOVED, sla.Change.RESUMED)


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


def _staff(event: Event, before: Case, case: Case, people: People) -> list[Notice]:
    def to(kind: str, names: Sequence[str | None], **params: Any) -> list[Notice]:
        return [Notice(kind, f"{STAFF}{name}", params) for name in names if name]

    match event:
        case routing.FeedbackTriageNeeded() if not before.sorted:
            # After a return the office knows of it already.
            return to("new_work", _office(people), what="triage", priority=event.priority)
        case routing.FeedbackAlarmRaised():
            return to("alarm", _office(people), alarm=event.kind or event.found_by)
        case desk.CaseAlarmUnanswered():
            above = [*_office(people), *people.staff(role=Role.LEADER)]
            return to("alarm", above, alarm=event.kind or "rule", again=event.level)
        case desk.CaseDispatched():
            names = entrance(people, event.department)
            found = to("new_work", names, what="accept", priority=event.priority)
            leaders = people.staff(role=Role.LEADER) if event.binding else []
            moved = before.department not in (None, event.department)
            left = _who_had_it(before, people) if moved else []
            return [
                *to("news", left, what="moved", text=event.reason),
                *to("news", leaders, what="adjudicated", text=event.reason),
                *found,
            ]
        case desk.CaseRecalled():
            return to("news", _who_had_it(before, people), what="recalled", text=event.reason)
        case desk.CaseDepartmentAdded():
            names = entrance(people, event.department)
            return to("new_work", names, what="help", text=event.question)
        case desk.CasePartFinished():
            return to("news", _at_work(case, people), what="part_finished", text=event.text)
        case desk.CaseDepartmentRemoved() if event.reason is not None:
            names = entrance(people, event.department)
            return to("news", names, what="part_not_needed")
        case desk.CaseDepartmentRemoved() if event.department in before.helping:
            names = _doors(people, event.department)
            return to("news", names, what="part_withdrawn")
        case desk.CaseReturned():
            return to("new_work", _office(people), what="returned", text=event.reason)
        case desk.CaseReopened():
            return to("new_work", _office(people), what="reopened")
        case desk.CaseAssigned():
            names = _handler(event.to, event.department, people)
            return to("new_work", names, what="assigned")
        case desk.CaseUnassigned():
            department = event.department or case.department
            return to("new_work", entrance(people, department), what="unassigned")
        case desk.CaseRestored() if event.by.kind == by_reporter.kind:
            # Its reason is what they wrote: their words are in no message.
            return to("new_work", _office(people), what="answered_rejection")
        case desk.CaseRestored() | desk.CaseUnmerged() | desk.CaseAppealUpheld():
            return to("new_work", _office(people), what="restored", text=event.reason)
        case desk.CaseExtensionAsked():
            names = _above(Role.REVIEWER, event.department or case.department, people)
            return to("new_work", names, what="extension", text=event.reason)
        case desk.CaseExtensionGranted():
            names = [*_at_work(case, people), *_who_asked(case, people)]
            return to("news", names, what="extension_granted")
        case desk.CaseExtensionRefused():
            names = [*_at_work(case, people), *_who_asked(case, people)]
            return to("news", names, what="extension_refused", text=event.reason)
        case desk.CaseReplySubmitted():
            names = _above(Role.REVIEWER, event.department or case.department, people)
            return to("new_work", names, what="review")
        case desk.CaseReplySentBack():
            names = _handler(event.to or case.handler, case.department, people)
            return to("new_work", names, what="sent_back")
        case desk.CaseResumed() if event.reason in ("until", "timeout"):
            return to("news", _at_work(case, people), what=f"waited_{event.reason}")
        case desk.CaseSupervised():
            names = [*_at_work(case, people), *_heads(case.department, people)]
            return to("news", names, what="supervised", text=event.text)
        case desk.CaseNoted():
            return to("news", event.mentions, what="mentioned")
        case intake.FeedbackAppealed():
            return to("new_work", people.staff(role=Role.LEADER), what="appeal")
        case intake.FeedbackSupplemented(thanks=True):
            return []
        case intake.FeedbackSupplemented() | desk.CaseWordsOwed():
            return to("news", _at_work(case, people), what=WORDS_ADDED)
        case intake.FeedbackUrged():
            return to("news", _at_work(case, people), what="urged")
        case sla.SlaWarned():
            return to("warning", _responsible(event, case, people), **_clock(event))
        case sla.SlaBreached():
            names = _responsible(event, case, people)
            if case.department:
                names = [*names, *entrance(people, case.department)]
            if event.clock is Clock.ACCEPT and case.department:
                # Nobody signed for it in time: whoever may answer may sign now.
                names += people.staff(role=Role.HANDLER, department=case.department)
            return to("breach", names, **_clock(event))
        case sla.EscalationRaised():
            above = _above(event.to_role, event.department or case.department, people)
            return to("escalation", above, **_clock(event))
        case _:
            return []


def _clock(event: sla.ClockEvent) -> dict[str, Any]:
    return {"clock": str(event.clock), "due": event.due.isoformat()}


def _office(people: People) -> list[str]:
    return people.staff(role=Role.COORDINATOR)


def is_for_the_department(kind: str, params: dict[str, Any]) -> bool:
    """Whether a notice to staff was meant for whoever works on the case in its department."""
    if kind == "new_work":
        return params.get("what") in ("accept", "assigned", "unassigned", "help", "sent_back")
    return kind in ("news", "warning", "breach")


WORDS_ADDED = "supplemented"
FAREWELLS = frozenset({"recalled", "moved", "part_withdrawn"})
"""What tells people that a case is theirs no more."""


def takes_leave(params: dict[str, Any]) -> bool:
    """Whether a notice tells its receiver that they cannot open the case any more."""
    return params.get("what") in FAREWELLS


def may_open(roles: Collection[str], department: str | None, case: Case) -> bool:
    """Whether somebody of these roles and department finds the case at the desk, or a 404."""
    theirs = department is not None and department in (case.department, *case.helping)
    return any(role in _SEE_ALL or (role in _OF_A_DEPARTMENT and theirs) for role in roles)


def entrance(people: People, department: str | None) -> list[str]:
    """Who takes work in for a department: who is there, else its head; the office where nobody
    does."""
    return _doors(people, department) or _office(people)


def _doors(people: People, department: str | None) -> list[str]:
    """The same without the office."""
    if department is None:
        return []
    return people.staff(role=Role.LIAISON, department=department, present=True) or people.staff(
        role=Role.REVIEWER, department=department, present=True
    )


def _who_had_it(before: Case, people: People) -> list[str]:
    """From whom a case was taken: its department, and who handled it there."""
    here = people.staff(department=before.department) if before.department else []
    handler = [before.handler] if before.handler in here and before.handler else []
    return [*_doors(people, before.department), *handler]


def _at_work(case: Case, people: People) -> list[str]:
    return _handler(case.handler, case.department, people)


def _who_asked(case: Case, people: People) -> list[str]:
    """Who asked for more time, also where another handles it."""
    name = case.asked_for_time
    return _handler(name, case.department, people) if name else []


def _handler(name: str | None, department: str | None, people: People) -> list[str]:
    """Who handles it; the department where they have moved or left and would find a 404."""
    here = [n for role in _OF_A_DEPARTMENT for n in people.staff(role=role, department=department)]
    above = [n for role in _SEE_ALL for n in people.staff(role=role)]
    return [name] if name in (*here, *above) and name else entrance(people, department)


def _heads(department: str | None, people: People) -> list[str]:
    return people.staff(role=Role.REVIEWER, department=department) if department else []


def _responsible(event: sla.ClockEvent, case: Case, people: People) -> list[str]:
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
            return entrance(people, event.department or case.department)
        case _:
            return _at_work(case, people)


def _above(role: str, department: str | None, people: People) -> list[str]:
    if role == Role.REVIEWER and department:
        found = people.staff(role=role, department=department)
    else:
        found = people.staff(role=role) if role != Role.REVIEWER else []
    return found or _office(people)
