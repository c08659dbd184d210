"""An emergency in casual words."""

from __future__ import annotations

from datetime import timedelta

from schemas.stories.people import LIAISON, Case, Story
from schemas.stories.promises import changed
from shared.contracts import REPORTER, desk, intake, routing
from shared.contracts import notification as notification
from shared.contracts.rights import Rights
from shared.contracts.sla import Change
from shared.contracts.sla import PromiseStatus as Status
from shared.contracts.vocabulary import CaseType, Channel, Clock, Outcome, Priority, Solved, State


def flood() -> Story:
    """An emergency in casual words: an anonymous web form, answered the same hour."""
    case = Case(1, "2026-03-04T10:00:12")
    text = "男厕第二个水龙头关不上，水漫到走廊了，快来人！！"
    yield case(
        "flood",
        intake.FeedbackReceived(
            **case.after(),
            by=REPORTER,
            channel=Channel.WEB,
            text=text,
            place="三层东区",
            anonymous=True,
            code_hash=case.code_hash,
        ),
    )
    yield case("flood", desk.CaseOpened(**case.after(seconds=1)))
    yield case(
        "flood",
        routing.FeedbackRouted(
            **case.after(seconds=1),
            department="facilities",
            category="facilities",
            case_type=CaseType.COMPLAINT,
            priority=Priority.P1,
            decided="rule",
            confidence=0.97,
            reasons=(
                routing.Reason(text="提到“水漫”", text_en="mentions flooding", weight=3.0),
                routing.Reason(text="提到“水龙头”", weight=1.0),
            ),
            candidates=(
                routing.Candidate(department="facilities", score=0.97, category="facilities"),
                routing.Candidate(department="security", score=0.21),
            ),
            rules_version=3,
        ),
    )
    promise = {
        "clock": Clock.FIRST_RESPONSE,
        "due": case.received + timedelta(minutes=30),
        "first_due": case.received + timedelta(minutes=30),
        "started": case.received,
        "department": "facilities",
    }
    yield case(
        "flood",
        changed(case.after(seconds=2), Priority.P1, (Change.PROMISED, Status.RUNNING, promise)),
    )
    yield case(
        "flood",
        desk.CaseDispatched(
            **case.after(seconds=3),
            department="facilities",
            category="facilities",
            case_type=CaseType.COMPLAINT,
            priority=Priority.P1,
            decided="rule",
        ),
    )
    yield case(
        "flood-to-staff",
        notification.NotificationSent(
            **case.after(seconds=5),
            delivery_id="01978a3e-0001-7000-a000-000000000001",
            kind="new_work",
            channel="email",
            audience="staff",
            staff="liaison.facilities",
        ),
    )
    yield case(
        "flood", desk.CaseAccepted(**case.after(minutes=4), by=LIAISON, department="facilities")
    )
    yield case(
        "flood",
        desk.CaseAssigned(
            **case.after(minutes=5),
            by=LIAISON,
            department="facilities",
            to="handler.facilities",
            to_display="马师傅",
        ),
    )
    yield case(
        "flood",
        desk.CaseNoted(
            **case.after(minutes=6), by=LIAISON, state=State.IN_PROGRESS, department="facilities"
        ),
    )
    yield case(
        "flood",
        desk.PrivateReplyWords(
            **case.after(minutes=21),
            words_id="w-01978a3e-1",
            text="您好，水阀已关闭，走廊积水已清理。换水龙头前我们打 13800001234 告诉您。",
        ),
    )
    yield case(
        "flood",
        desk.CaseReplied(
            **case.after(minutes=21),
            by=LIAISON,
            department="facilities",
            text="您好，水阀已关闭，走廊积水已清理。换水龙头前我们打 〔电话〕 告诉您。",
            outcome=Outcome.SOLVED,
            words_id="w-01978a3e-1",
            rights=Rights(
                urge=False,
                rate=True,
                reopen_until=case.after(days=15, minutes=21)["at"],
                reopen_refused="too_late",
            ),
        ),
    )
    yield case(
        "flood-answered",
        changed(
            case.after(minutes=21),
            Priority.P1,
            (Change.MET, Status.MET, promise | {"in_time": True, "working_seconds": 1260}),
        ),
    )
    yield case(
        "flood",
        intake.FeedbackRated(
            **case.after(hours=3),
            by=REPORTER,
            stars=5,
            solved=Solved.YES,
            comment="来得真快，辛苦了",
        ),
    )
    yield case(
        "flood", desk.CaseClosed(**case.after(hours=3), how="rated", department="facilities")
    )
