"""An emergency that no rule knows the words of."""

from __future__ import annotations

from datetime import timedelta

from schemas.stories.people import OFFICE, Case, Story
from shared.contracts import desk, routing
from shared.contracts.vocabulary import CaseType, Priority, State


def alarms() -> Story:
    """Someone went down near the copiers; and smoke of a barbecue, which was none."""
    case = Case(9, "2026-03-18T20:10:00")
    yield case(
        "collapsed",
        routing.FeedbackAlarmRaised(
            **case.after(seconds=1),
            found_by="meaning",
            kind="collapsed",
            sure=0.87,
            reasons=(
                routing.Reason(
                    text="意思像“有人倒下、叫不应”这一类（87%）",
                    text_en="Its meaning is like: somebody collapsed or does not respond (87%)",
                    weight=0.87,
                ),
            ),
        ),
    )
    yield case(
        "collapsed",
        desk.CaseAlarmUnanswered(
            **case.after(minutes=5),
            state=State.TRIAGE,
            level=1,
            raised_at=case.received + timedelta(seconds=1),
            kind="collapsed",
        ),
    )
    yield case(
        "collapsed",
        desk.CaseAlarmConfirmed(**case.after(minutes=6), by=OFFICE, state=State.TRIAGE),
    )
    yield case(
        "collapsed",
        desk.CaseCorrected(
            **case.after(minutes=6),
            by=OFFICE,
            state=State.TRIAGE,
            changed=("priority",),
            category="safety",
            case_type=CaseType.COMPLAINT,
            priority=Priority.P1,
            title="有人在复印机旁边倒下了",
            confidential=False,
            reason="紧急情况",
        ),
    )
    other = Case(10, "2026-03-18T20:30:00")
    yield other("by-rule", routing.FeedbackAlarmRaised(**other.after(seconds=1), sure=0.9))
    yield other(
        "barbecue",
        desk.CaseAlarmDismissed(
            **other.after(minutes=2), by=OFFICE, state=State.DISPATCHED, department="security"
        ),
    )
