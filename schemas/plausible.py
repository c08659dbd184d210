"""Plausible messages: four invented cases, as they would stand in the log.

Nobody here exists; numbers are of the kind that is never given out. To add an example, add a line
and run ``python -m schemas``: what is frozen already stays as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.contracts import EVENTS, INBOUND, REPORTER, Actor, Event, desk, intake, routing, sla
from shared.contracts import notification as told
from shared.contracts.vocabulary import CaseType, Channel, Clock, Outcome, Priority, Solved
from shared.messaging.envelope import Record, headers_for

Story = Iterator[tuple[str, dict[str, str], Event]]

_LOCAL = ZoneInfo("Asia/Shanghai")
OFFICE = Actor(kind="staff", name="coordinator", display="周雨桐", role="coordinator")
LIAISON = Actor(
    kind="staff",
    name="liaison.facilities",
    display="何建国",
    role="liaison",
    department="facilities",
)
HANDLER = Actor(
    kind="staff",
    name="handler.eresources",
    display="林若溪",
    role="handler",
    department="eresources",
)


def at(words: str) -> datetime:
    """A moment in Shanghai as aware UTC."""
    return datetime.fromisoformat(words).replace(tzinfo=_LOCAL).astimezone(UTC)


class _Case:
    """Puts facts of one case into envelopes, each caused by the one before it."""

    def __init__(self, number: int, received: str) -> None:
        self.id = f"01978a3e-{number:04x}-7000-8000-00000000{number:04x}"
        self.received = at(received)
        self.code_hash = hashlib.sha256(self.id.encode()).hexdigest()
        self._number, self._facts, self._sequences = number, 0, dict[str, int]()
        self._cause: Record | None = None

    def after(self, **time: float) -> dict[str, Any]:
        """``feedback_id`` and ``at`` of a fact so long after receipt."""
        return {"feedback_id": self.id, "at": self.received + timedelta(**time)}

    def __call__(self, name: str, event: Event) -> tuple[str, dict[str, str], Event]:
        self._facts += 1
        sequence = None
        if event.topic == EVENTS:
            sequence = self._sequences[event.owner] = self._sequences.get(event.owner, 0) + 1
        headers = headers_for(
            event,
            ce_id=f"01978a3e-{self._number:04x}-7000-9000-{self._facts:012x}",
            source=event.owner,
            sequence=sequence,
            cause=self._cause,
        )
        self._cause = Record(event.topic, 0, 0, None, headers, None)
        return name, headers, event


def stories() -> Story:
    """Name, headers and fact of every example, in the order in which they were said."""
    yield from _flood()
    yield from _database()
    yield from _conduct()
    yield from _small_things()
    yield from _house()


def _flood() -> Story:
    """An emergency in casual words: an anonymous web form, answered the same hour."""
    case = _Case(1, "2026-03-04T10:00:12")
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
    due = {"due": case.received + timedelta(minutes=30)}
    promise = due | {"first_due": due["due"], "department": "facilities"}
    yield case(
        "flood",
        sla.SlaPromised(
            **case.after(seconds=2),
            clock=Clock.FIRST_RESPONSE,
            started=case.received,
            priority=Priority.P1,
            policy_version=2,
            reason="priority",
            **promise,
        ),
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
        told.NotificationSent(
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
        desk.CaseNoted(**case.after(minutes=6), by=LIAISON, department="facilities"),
    )
    yield case(
        "flood",
        desk.CaseReplied(
            **case.after(minutes=21),
            by=LIAISON,
            department="facilities",
            text="您好，水阀已关闭，走廊积水已清理，水龙头今天下午更换。谢谢您第一时间告诉我们。",
            outcome=Outcome.SOLVED,
        ),
    )
    yield case(
        "flood",
        sla.SlaMet(
            **case.after(minutes=21),
            clock=Clock.FIRST_RESPONSE,
            in_time=True,
            working_seconds=1260,
            **promise,
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


def _database() -> Story:
    """An alumna abroad: asked back, late, escalated, reopened, appealed."""
    case = _Case(2, "2026-03-09T16:40:00")
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
            words={"w1": "My account is me@example.edu"},
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
    yield case("alumni-access", sla.SlaPaused(**case.after(minutes=50), **promise))
    yield case(
        "alumni-access",
        intake.FeedbackSupplemented(
            **case.after(hours=15), by=REPORTER, text="“校友”入口，账号 a***@***", words_id="w1"
        ),
    )
    yield case(
        "supplied",
        desk.CaseResumed(**case.after(hours=15), department="eresources", reason="supplied"),
    )
    moved = promise | {"due": due + timedelta(hours=15)}
    yield case("alumni-access", sla.SlaResumed(**case.after(hours=15), **moved))
    yield case("alumni-access", sla.SlaWarned(**case.after(hours=33), level=75, **moved))
    yield case("alumni-access", intake.FeedbackUrged(**case.after(hours=38), by=REPORTER))
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
        sla.SlaMet(**case.after(hours=41), in_time=False, working_seconds=28_800, **moved),
    )
    yield case(
        "wechat-closed",
        told.NotificationFailed(
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
        told.NotificationSent(
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
            **case.after(days=6), request="feedback.appealed", reason="这件反馈正在重新办理。"
        ),
    )


def _conduct() -> Story:
    """Entered at a desk on somebody's behalf; returned, refused, kept quiet, erased."""
    case = _Case(3, "2026-03-11T14:20:30")
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
        told.NotificationSuppressed(
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
    yield case(
        "rejected",
        sla.SlaCancelled(**case.after(days=1), clock=Clock.TRIAGE, cycle=2, due=due, first_due=due),
    )
    yield case("tombstone", intake.PrivateErased(**case.after(days=400)))


def _small_things() -> Story:
    """Facts with nothing in them but what must be there."""
    case = _Case(4, "2026-03-13T09:05:00")
    yield case(
        "least",
        intake.FeedbackReceived(
            **case.after(), channel=Channel.API, text="宿舍 WiFi 慢。", code_hash=case.code_hash
        ),
    )
    yield case(
        "least",
        routing.FeedbackRouted(
            **case.after(), case_type=CaseType.OTHER, priority=Priority.P4, confidence=0.8
        ),
    )
    yield case(
        "least",
        intake.FeedbackRated(**case.after(days=1), stars=2, solved=Solved.PARTLY),
    )
    yield case("timeout", desk.CaseResumed(**case.after(days=3), reason="timeout"))
    yield case("quiet", desk.CaseClosed(**case.after(days=7), how="quiet"))
    yield case("taken-back", intake.FeedbackWithdrawn(**case.after(days=8), by=REPORTER))
    yield case("taken-back", desk.CaseWithdrawn(**case.after(days=8), by=REPORTER))


def _house() -> Story:
    """The directory."""
    now = at("2026-03-02T08:00:00")
    house = _Case(0, "2026-03-02T08:00:00")
    yield house(
        "facilities",
        desk.DepartmentListed(at=now, code="facilities", zh="后勤保障", en="Facilities"),
    )
    yield house(
        "closed",
        desk.DepartmentListed(at=now, code="annex", zh="分馆台口", en="Annex Desk", active=False),
    )
    yield house(
        "liaison",
        desk.PersonListed(
            at=now,
            username="liaison.facilities",
            display="何建国",
            role="liaison",
            department="facilities",
            email="liaison.facilities@library.example",
        ),
    )
    yield house(
        "left",
        desk.PersonListed(
            at=now, username="student", display="学生助理", role="student", active=False
        ),
    )
    yield house(
        "signed-out",
        desk.SessionRevoked(
            at=now, session_id="o2Yk0sWqv1xLZ9aB", expires=at("2026-03-02T20:00:00")
        ),
    )
    yield house("issued", intake.TokenIssued(at=now, token_id="t-01978a3e", name="survey"))
    yield house(
        "revoked",
        intake.TokenIssued(at=now, token_id="t-01978a3e", name="survey", revoked=True),
    )


def _inbound(key: str | None, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "topic": INBOUND,
        "key": key,
        "headers": {"content-type": "application/json"},
        "body": body,
    }


INBOUND_EXAMPLES = {
    "survey": _inbound(
        "2026-spring-0412",
        {
            "channel": "survey",
            "source_message_id": "2026-spring-0412",
            "account": "2026-spring",
            "occurred_at": "2026-03-05T21:14:00+08:00",
            "title": "开放时间",
            "text": "调休那个周六食堂开、教室开，图书馆八点半才开门？",
            "category": "rules",
            "place": "总馆",
            "locale": "zh",
            "anonymous": False,
            "confidential": False,
            "contact": {"name": "陈同学", "email": "reader@example.edu", "phone": "13800001234"},
        },
    ),
    "least": _inbound(
        None,
        {"channel": "email", "source_message_id": "<1@example.edu>", "text": "打印机又卡纸了。"},
    ),
}
"""What adapters send on ``feedback.inbound``, by name."""
