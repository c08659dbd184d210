"""A word about staff, entered at a desk on somebody's behalf."""

from __future__ import annotations

from datetime import timedelta

from schemas.stories.people import LIAISON, OFFICE, Case, Story
from schemas.stories.promises import changed
from shared.contracts import Actor, desk, intake
from shared.contracts import notification as notification
from shared.contracts import routing as routing
from shared.contracts.sla import Change
from shared.contracts.sla import PromiseStatus as Status
from shared.contracts.vocabulary import Channel, Clock, Priority


def conduct() -> Story:
    """Entered at a desk on somebody's behalf; returned, refused, kept quiet, erased."""
    case = Case(3, "2026-03-11T14:20:30")
    clerk = Actor(kind="staff", name="clerk", display="许静", role="clerk", department="desk")
    yield case(
        "on-behalf",
        intake.FeedbackReceived(
            **case.after(),
            by=clerk,
            channel=Channel.DESK,
            text="有老师当众说我“这点事自己不会查？”，请不要把我的名字告诉她。学号 ********45",
            category="conduct",
            desk="总服务台",
            on_behalf=True,
            entered_by="clerk",
            code_hash=case.code_hash,
        ),
    )
    yield case(
        "on-behalf",
        intake.PrivateDetails(
            **case.after(),
            by=clerk,
            tracking_code="T4CN-8RWE-YB6J-M2KZ",
            text="有老师当众说我“这点事自己不会查？”，请不要把我的名字告诉她。学号 2100012345",
            on_behalf_of="李同学",
        ),
    )
    yield case(
        "not-ours",
        desk.CaseReturned(
            **case.after(hours=2),
            by=LIAISON,
            department="facilities",
            reason="不涉及设施，属于服务态度。",
            suggest="relations",
        ),
    )
    yield case(
        "no-address",
        notification.NotificationSuppressed(
            **case.after(hours=2, seconds=3),
            delivery_id="01978a3e-0003-7000-a000-000000000001",
            kind="receipt",
            channel="page",
            audience="reporter",
            reason="no_address",
        ),
    )
    yield case(
        "twice",
        desk.CaseRejected(
            **case.after(days=1),
            by=OFFICE,
            reason="同一件事已在另一件反馈中办理，请在那里查看进度。",
        ),
    )
    due = case.received + timedelta(hours=2)
    triage = {"clock": Clock.TRIAGE, "cycle": 2, "due": due, "first_due": due}
    yield case(
        "rejected",
        changed(
            case.after(days=1),
            Priority.P3,
            (Change.CANCELLED, Status.CANCELLED, triage | {"started": case.received}),
        ),
    )
    yield case("tombstone", intake.PrivateErased(**case.after(days=400)))
    yield case("forgotten", desk.PrivateErasedByDesk(**case.after(days=400)))
    yield case("forgotten", notification.PrivateErasedByNotification(**case.after(days=400)))
    yield case("forgotten", routing.PrivateErasedByRouting(**case.after(days=400)))
