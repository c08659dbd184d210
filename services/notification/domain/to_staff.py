"""What staff hear: of a case, and of what concerns no single one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from services.notification.domain.addressees import (
    People,
    above,
    and_substitutes,
    and_who_is_there,
    at_work,
    doors,
    entrance,
    handler,
    heads,
    office,
    responsible,
    who_asked,
    who_had_it,
)
from services.notification.domain.cases import Case
from services.notification.domain.notice import ABSENCE, STAFF, WORDS_ADDED, Notice
from shared.contracts import REPORTER as by_reporter
from shared.contracts import Event, desk, intake, routing, sla
from shared.contracts.vocabulary import Clock, Role


def to_staff(event: Event, before: Case, case: Case, people: People) -> list[Notice]:
    """Whom of the staff `event` concerns, and why."""

    def to(kind: str, names: Sequence[str | None], **params: Any) -> list[Notice]:
        return [Notice(kind, f"{STAFF}{name}", params) for name in names if name]

    match event:
        case routing.FeedbackTriageNeeded() if not before.sorted:
            # After a return the office knows of it already.
            return to("new_work", office(people), what="triage", priority=event.priority)
        case routing.FeedbackAlarmRaised():
            return to("alarm", office(people), alarm=event.kind or event.found_by)
        case desk.CaseAlarmUnanswered():
            names = [*office(people), *people.staff(role=Role.LEADER)]
            return to("alarm", names, alarm=event.kind or "rule", again=event.level)
        case desk.CaseDispatched():
            names = entrance(people, event.department)
            found = to("new_work", names, what="accept", priority=event.priority)
            leaders = people.staff(role=Role.LEADER) if event.binding else []
            moved = before.department not in (None, event.department)
            left = who_had_it(before, people) if moved else []
            return [
                *to("news", left, what="moved", text=event.reason),
                *to("news", leaders, what="adjudicated", text=event.reason),
                *found,
            ]
        case desk.CaseRecalled():
            return to("news", who_had_it(before, people), what="recalled", text=event.reason)
        case desk.CaseDepartmentAdded():
            names = entrance(people, event.department)
            return to("new_work", names, what="help", text=event.question)
        case desk.CasePartFinished():
            return to("news", at_work(case, people), what="part_finished", text=event.text)
        case desk.CaseDepartmentRemoved() if event.reason is not None:
            names = entrance(people, event.department)
            return to("news", names, what="part_not_needed")
        case desk.CaseDepartmentRemoved() if event.department in before.helping:
            names = doors(people, event.department)
            return to("news", names, what="part_withdrawn")
        case desk.CaseReturned():
            return to("new_work", office(people), what="returned", text=event.reason)
        case desk.CaseReopened():
            return to("new_work", office(people), what="reopened")
        case desk.CaseAssigned():
            names = handler(event.to, event.department, people)
            return to("new_work", names, what="assigned")
        case desk.CaseUnassigned():
            department = event.department or case.department
            return to("new_work", entrance(people, department), what="unassigned")
        case desk.CaseRestored() if event.by.kind == by_reporter.kind:
            # Its reason is what they wrote: their words are in no message.
            return to("new_work", office(people), what="answered_rejection")
        case desk.CaseRestored() | desk.CaseUnmerged() | desk.CaseAppealUpheld():
            return to("new_work", office(people), what="restored", text=event.reason)
        case desk.CaseExtensionAsked():
            names = above(Role.REVIEWER, event.department or case.department, people)
            return to("new_work", names, what="extension", text=event.reason)
        case desk.CaseExtensionGranted():
            names = [*at_work(case, people), *who_asked(case, people)]
            return to("news", names, what="extension_granted")
        case desk.CaseExtensionRefused():
            names = [*at_work(case, people), *who_asked(case, people)]
            return to("news", names, what="extension_refused", text=event.reason)
        case desk.CaseReplySubmitted():
            names = above(Role.REVIEWER, event.department or case.department, people)
            return to("new_work", names, what="review")
        case desk.CaseReplySentBack():
            names = handler(event.to or case.handler, case.department, people)
            return to("new_work", names, what="sent_back")
        case desk.CaseResumed() if event.reason in ("until", "timeout"):
            return to("news", at_work(case, people), what=f"waited_{event.reason}")
        case desk.CaseSupervised():
            names = [*at_work(case, people), *heads(case.department, people)]
            return to("news", names, what="supervised", text=event.text)
        case desk.CaseNoted():
            return to("news", event.mentions, what="mentioned")
        case intake.FeedbackAppealed():
            return to("new_work", people.staff(role=Role.LEADER), what="appeal")
        case intake.FeedbackSupplemented(thanks=True):
            return []
        case intake.FeedbackSupplemented() | desk.CaseWordsOwed():
            return to("news", at_work(case, people), what=WORDS_ADDED)
        case intake.FeedbackUrged():
            return to("news", at_work(case, people), what="urged")
        case sla.SlaWarned():
            return to("warning", responsible(event, case, people), **_clock(event))
        case sla.SlaBreached():
            names = responsible(event, case, people)
            if case.department:
                names = [*names, *entrance(people, case.department)]
            if event.clock is Clock.ACCEPT and case.department:
                # Nobody signed for it in time: whoever may answer may sign now.
                names += people.staff(role=Role.HANDLER, department=case.department)
            return to("breach", names, **_clock(event))
        case sla.EscalationRaised():
            names = above(event.to_role, event.department or case.department, people)
            return to("escalation", names, **_clock(event))
        case _:
            return []


def surge_notices(event: desk.SurgeListed, people: People) -> list[Notice]:
    """Of one matter suddenly more is said: the office looks, and who stands in for it."""
    params = {
        "surge": event.surge_id,
        "zh": event.zh,
        "en": event.en,
        "n": event.n,
        "minutes": event.minutes,
    }
    found = [Notice("surge", f"{STAFF}{name}", params) for name in office(people)]
    return list({n.recipient: n for n in and_substitutes(found, people)}.values())


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
    names = at_work(case, people) if case.handler else office(people)
    params = {"what": "unsure" if uncertain else "unreached"}
    found = [Notice("news", f"{STAFF}{name}", params) for name in names]
    found = and_who_is_there(found, case.department, people)
    return list({n.recipient: n for n in and_substitutes(found, people)}.values())


def ringing_notices(case: Case, people: People) -> list[Notice]:
    """Words cannot be sent to the reporter, who left a telephone alone: who handles the case rings,
    or where they may not know who it is, the office; and who stands in for them."""
    names = at_work(case, people) if case.handler and not case.confidential else office(people)
    found = [Notice("news", f"{STAFF}{name}", {"what": "ring"}) for name in names]
    department = None if case.confidential else case.department
    found = and_who_is_there(found, department, people)
    return list({n.recipient: n for n in and_substitutes(found, people)}.values())


def _clock(event: sla.ClockEvent) -> dict[str, Any]:
    return {"clock": str(event.clock), "due": event.due.isoformat()}
