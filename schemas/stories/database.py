"""An alumna abroad who cannot get in."""

from __future__ import annotations

from datetime import timedelta

from schemas.stories.people import HANDLER, OFFICE, Case, Story
from schemas.stories.promises import changed
from shared.contracts import REPORTER, desk, intake, routing, sla
from shared.contracts import notification as notification
from shared.contracts.sla import Change
from shared.contracts.sla import PromiseStatus as Status
from shared.contracts.vocabulary import (
    CaseType,
    Channel,
    Clock,
    Outcome,
    Priority,
    RefusalReason,
    State,
)


def database() -> Story:
    """An alumna abroad: asked back, late, escalated, reopened, appealed."""
    case = Case(2, "2026-03-09T16:40:00")
    yield case(
        "alumni-access",
        intake.FeedbackReceived(
            **case.after(),
            by=REPORTER,
            channel=Channel.WECHAT,
            account="library-service",
            source_message_id="24581190731046",
            title="JSTOR",
            text="Alumni account can't access JSTOR since Monday, error 403. Mail: a***@***",
            category="eresources",
            locale="en",
            confidential=True,
            occurred_at=case.received - timedelta(minutes=7),
            code_hash=case.code_hash,
            reachable=("wechat", "email"),
        ),
    )
    yield case(
        "alumni-access",
        intake.PrivateDetails(
            **case.after(),
            by=REPORTER,
            tracking_code="K7QX-2M9D-PL4T-W3HV",
            title="JSTOR",
            text="Alumni account can't access JSTOR since Monday, error 403. Mail: me@example.edu",
            contact=intake.Contact(
                name="王同学",
                email="me@example.edu",
                phone="13800001234",
                wechat_account="library-service",
                wechat_openid="oExample0000000000000000000",
            ),
            confidential=True,
            locale="en",
        ),
    )
    yield case(
        "alumni-access",
        routing.FeedbackTriageNeeded(
            **case.after(seconds=1),
            case_type=CaseType.INQUIRY,
            priority=Priority.P3,
            confidence=0.48,
            reasons=(routing.Reason(text="两个部门都可能", weight=0.5),),
            candidates=(
                routing.Candidate(department="eresources", score=0.48, category="eresources"),
                routing.Candidate(department="it", score=0.44, category="offcampus"),
            ),
        ),
    )
    yield case(
        "by-hand",
        desk.CaseDispatched(
            **case.after(minutes=20),
            by=OFFICE,
            department="eresources",
            category="eresources",
            case_type=CaseType.INQUIRY,
            priority=Priority.P3,
            decided="person",
            previous_department="it",
            binding=True,
            confidential=True,
        ),
    )
    yield case(
        "alumni-access",
        desk.CaseInfoRequested(
            **case.after(minutes=50),
            by=HANDLER,
            department="eresources",
            question="请问您登录时选择的是“校友”还是“校外访问”入口？",
        ),
    )
    due = case.received + timedelta(days=1)
    promise = {"clock": Clock.RESOLUTION, "due": due, "first_due": due, "department": "eresources"}
    clock = promise | {"started": case.received}
    first = clock | {"clock": Clock.FIRST_RESPONSE, "in_time": True}
    yield case(
        "alumni-access",
        changed(
            case.after(minutes=50),
            Priority.P3,
            (Change.MET, Status.MET, first | {"working_seconds": 3_000}),
            (Change.PAUSED, Status.PAUSED, clock),
        ),
    )
    yield case(
        "alumni-access",
        intake.FeedbackSupplemented(
            **case.after(hours=15), by=REPORTER, text="“校友”入口，账号 a***@***", words_id="w1"
        ),
    )
    yield case(
        "alumni-access",
        intake.PrivateWords(
            **case.after(hours=15),
            by=REPORTER,
            text="“校友”入口，账号 me@example.edu",
            words_id="w1",
        ),
    )
    yield case(
        "supplied",
        desk.CaseResumed(**case.after(hours=15), department="eresources", reason="supplied"),
    )
    moved = promise | {"due": due + timedelta(hours=15)}
    clock |= moved
    yield case(
        "alumni-access-again",
        changed(case.after(hours=15), Priority.P3, (Change.RESUMED, Status.RUNNING, clock)),
    )
    yield case("alumni-access", sla.SlaWarned(**case.after(hours=33), level=75, **moved))
    yield case("alumni-access", intake.FeedbackUrged(**case.after(hours=38), by=REPORTER))
    yield case(
        "alumni-access",
        intake.FeedbackProgressAsked(**case.after(hours=38, minutes=4), by=REPORTER),
    )
    yield case(
        "alumni-access",
        intake.FeedbackMattersAsked(
            **case.after(hours=38, minutes=1),
            by=REPORTER,
            request_id="019cb692-cd00-7000-8000-000000000001",
            until=case.received + timedelta(hours=40),
        ),
    )
    yield case(
        "alumni-access",
        intake.FeedbackIncidentNamed(
            **case.after(hours=38, minutes=2),
            by=REPORTER,
            incident="019cb692-cd00-7000-8000-000000000002",
        ),
    )
    yield case(
        "alumni-access",
        intake.FeedbackSupplementMoved(
            **case.after(hours=38, minutes=3),
            by=REPORTER,
            words_id="w1",
            to="019cb692-cd00-7000-8000-000000000003",
        ),
    )
    yield case(
        "alumni-access",
        intake.FeedbackReachableAgain(**case.after(hours=38, minutes=3), by=REPORTER),
    )
    yield case("alumni-access", sla.SlaBreached(**case.after(hours=39), **moved))
    yield case(
        "to-leader",
        sla.EscalationRaised(**case.after(hours=39), level=100, to_role="leader", **moved),
    )
    yield case(
        "explained",
        desk.CaseReplied(
            **case.after(hours=41),
            by=HANDLER,
            text="The licence covers alumni on campus only. You can read it in the reading room.",
            outcome=Outcome.EXPLAINED,
        ),
    )
    yield case(
        "late",
        changed(
            case.after(hours=41),
            Priority.P3,
            (
                Change.MET,
                Status.BREACHED,
                clock | {"in_time": False, "working_seconds": 28_800},
            ),
        ),
    )
    yield case(
        "wechat-closed",
        notification.NotificationFailed(
            **case.after(hours=41, seconds=4),
            delivery_id="01978a3e-0002-7000-a000-000000000001",
            kind="reply",
            channel="wechat",
            audience="reporter",
            reason="45015: the window of 48 hours is closed",
            uncertain=True,
        ),
    )
    yield case(
        "reply-by-mail",
        notification.NotificationSent(
            **case.after(hours=41, seconds=9),
            delivery_id="01978a3e-0002-7000-a000-000000000002",
            kind="reply",
            channel="email",
            audience="reporter",
        ),
    )
    yield case(
        "alumni-access",
        intake.FeedbackReopenRequested(
            **case.after(hours=50), by=REPORTER, reason="I live abroad; that does not help me."
        ),
    )
    yield case(
        "alumni-access",
        desk.CaseReopened(
            **case.after(hours=50),
            by=REPORTER,
            reason="I live abroad; that does not help me.",
            cycle=2,
            department="eresources",
        ),
    )
    yield case(
        "alumni-access",
        intake.FeedbackAppealed(**case.after(days=6), by=REPORTER, reason="请馆领导再看一下"),
    )
    yield case(
        "too-late",
        desk.CaseRequestRefused(
            **case.after(days=6),
            state=State.TRIAGE,
            request="feedback.appealed",
            reason=RefusalReason.NOT_POSSIBLE_NOW,
        ),
    )
