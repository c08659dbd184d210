"""What the timeline of staff keeps of each event: only what its sentence needs."""

from __future__ import annotations

from typing import Any

from shared.contracts import Event, short_type
from shared.contracts.sla import Change, ClockChange, SlaPromisesChanged
from shared.contracts.vocabulary import Clock

FIELDS: dict[str, frozenset[str]] = {
    "feedback.received": frozenset({"channel", "place", "reporter_group"}),
    "feedback.rated": frozenset({"stars", "solved"}),
    "feedback.reopen_requested": frozenset({"reason"}),
    "feedback.appealed": frozenset({"reason"}),
    "feedback.routed": frozenset({"department", "decided"}),
    "feedback.triage_needed": frozenset({"department"}),
    "feedback.alarm_raised": frozenset({"found_by", "kind"}),
    "case.alarm_unanswered": frozenset({"level"}),
    "case.dispatched": frozenset(
        {"department", "category", "decided", "binding", "again", "reason"}
    ),
    "case.accepted": frozenset({"department"}),
    "case.returned": frozenset({"department", "reason", "suggest"}),
    "case.assigned": frozenset({"to", "to_display"}),
    "case.unassigned": frozenset({"reason"}),
    "case.resumed": frozenset({"reason"}),
    "case.noted": frozenset({"mentions", "rang"}),
    "case.replied": frozenset({"outcome"}),
    "case.rejected": frozenset({"reason"}),
    "case.closed": frozenset({"how"}),
    "case.reopened": frozenset({"reason", "cycle"}),
    "case.request_refused": frozenset({"request", "reason"}),
    "case.recalled": frozenset({"department", "reason"}),
    "case.corrected": frozenset({"changed", "reason"}),
    "case.marked_as_spam": frozenset({"reason"}),
    "case.restored": frozenset({"reason"}),
    "case.merged": frozenset({"into", "reason", "put_back"}),
    "case.absorbed": frozenset({"merged"}),
    "case.unmerged": frozenset({"reason", "children"}),
    "case.words_owed": frozenset({"origin"}),
    "case.released": frozenset({"merged"}),
    "case.split": frozenset({"children"}),
    "case.split_off": frozenset({"parent"}),
    "case.linked": frozenset({"to"}),
    "case.unlinked": frozenset({"to"}),
    "case.joined_incident": frozenset({"incident_id", "title"}),
    "case.left_incident": frozenset({"incident_id"}),
    "case.department_added": frozenset({"department", "question"}),
    "case.department_removed": frozenset({"department", "reason"}),
    "case.part_finished": frozenset({"department", "text"}),
    "case.followed_up": frozenset({"how", "stars", "solved", "again"}),
    "case.supervised": frozenset({"text"}),
    "case.progressed": frozenset({"text", "amends"}),
    "case.waiting_external": frozenset({"waiting_for", "until", "reason"}),
    "case.extension_asked": frozenset({"until", "reason"}),
    "case.extension_granted": frozenset({"until", "reason"}),
    "case.extension_refused": frozenset({"reason"}),
    "case.breach_explained": frozenset({"clock", "code", "text", "until", "again"}),
    "case.appeal_upheld": frozenset({"reason"}),
    "case.appeal_dismissed": frozenset({"reason"}),
    "sla.promises_changed": frozenset({"changes"}),
    "sla.warned": frozenset({"clock", "level"}),
    "sla.breached": frozenset({"clock"}),
    "escalation.raised": frozenset({"to_role"}),
    "notification.sent": frozenset({"kind", "audience"}),
    "notification.failed": frozenset({"kind", "audience", "uncertain", "reason", "delivery_id"}),
    "notification.suppressed": frozenset({"kind", "audience"}),
}
"""Type without version → fields of the event; types that are missing keep none."""
NO_LINE = frozenset({"case.personal_data_read", "sla.segment_ended"})
"""Who looked is for the auditor, how long a department had it is for the reports."""


def kept_of(event: Event) -> dict[str, Any] | None:
    """What a timeline keeps of an event: only what its sentence needs; None for no line at all."""
    if isinstance(event, SlaPromisesChanged):
        changes = [_kept_change(change) for change in event.changes if _says_something(change)]
        return {"changes": changes} if changes else None
    kind = short_type(event.type)
    if kind in NO_LINE:
        return None
    fields = FIELDS.get(kind)
    if fields is None:
        return {}
    return event.model_dump(mode="json", include=set(fields), exclude_none=True)


def _says_something(change: ClockChange) -> bool:
    """False for what the staff read in another line, or what is no work: the follow-up.

    Clocks end with the case, with a return, with a new owner: those lines say so.
    """
    return change.clock is not Clock.FOLLOW_UP and change.change not in (
        Change.CANCELLED,
        Change.OTHER,
    )


def _kept_change(change: ClockChange) -> dict[str, Any]:
    fields = {"clock", "change", "due", "in_time"}
    return change.model_dump(mode="json", include=fields, exclude_none=True)
