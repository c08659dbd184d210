"""What happens to a case that does not go the ordinary way: one example of each such event."""

from __future__ import annotations

from schemas.stories.people import HANDLER, LIAISON, OFFICE, Case, Story, at
from shared.contracts import Actor, desk, sla
from shared.contracts.vocabulary import (
    CaseType,
    Channel,
    Clock,
    Outcome,
    Priority,
    Solved,
    State,
)

LEADER = Actor(kind="staff", name="leader", display="顾明远", role="leader")
REVIEWER = Actor(
    kind="staff",
    name="reviewer.eresources",
    display="许文静",
    role="reviewer",
    department="eresources",
)


def twists() -> Story:
    """Fetched back, corrected, waited for, extended, reviewed, appealed."""
    case = Case(5, "2026-03-16T09:10:00")
    theirs = {"department": "eresources"}
    worked_on = {"state": State.IN_PROGRESS}
    yield case(
        "wrong-department",
        desk.CaseRecalled(
            **case.after(hours=1), by=OFFICE, department="it", reason="是数据库的事，不是网络。"
        ),
    )
    yield case(
        "again",
        desk.CaseDispatched(
            **case.after(hours=2),
            by=OFFICE,
            department="eresources",
            case_type=CaseType.COMPLAINT,
            priority=Priority.P3,
            decided="person",
            previous_department="it",
            again=True,
            reason="数据库由资源建设部负责。",
        ),
    )
    yield case(
        "priority",
        desk.CaseCorrected(
            **case.after(hours=3),
            **worked_on,
            **theirs,
            by=OFFICE,
            changed=("priority", "category"),
            category="eresources",
            case_type=CaseType.COMPLAINT,
            priority=Priority.P2,
            title="数据库打不开",
            reason="很多人都打不开。",
        ),
    )
    yield case(
        "urgent",
        desk.CaseSupervised(
            **case.after(hours=4), **worked_on, **theirs, by=LEADER, text="请今天给出说法。"
        ),
    )
    yield case(
        "second-department",
        desk.CaseDepartmentAdded(
            **case.after(hours=5),
            **worked_on,
            by=OFFICE,
            department="it",
            question="认证服务这几天改过吗？",
        ),
    )
    yield case(
        "second-department",
        desk.CasePartFinished(
            **case.after(hours=8),
            **worked_on,
            by=LIAISON,
            department="it",
            text="没有改过，日志正常。",
        ),
    )
    yield case(
        "second-department",
        desk.CaseDepartmentRemoved(**case.after(hours=9), **worked_on, by=OFFICE, department="it"),
    )
    yield case(
        "interim",
        desk.CaseProgressed(
            **case.after(hours=10),
            **worked_on,
            **theirs,
            by=HANDLER,
            text="已经联系数据库商，明天有消息。",
        ),
    )
    yield case(
        "vendor",
        desk.CaseWaitingExternal(
            **case.after(hours=11),
            **theirs,
            by=HANDLER,
            waiting_for="数据库商",
            until=at("2026-03-18T10:00:00"),
            reason="故障在对方的服务器上。",
        ),
    )
    yield case("vendor", desk.CaseResumed(**case.after(days=2), **theirs, reason="until"))
    yield case(
        "refused",
        desk.CaseExtensionAsked(
            **case.after(days=2, hours=1),
            **worked_on,
            **theirs,
            by=HANDLER,
            until=at("2026-03-30T17:30:00"),
            reason="对方还没有修好。",
        ),
    )
    yield case(
        "refused",
        desk.CaseExtensionRefused(
            **case.after(days=2, hours=2), **worked_on, **theirs, by=REVIEWER, reason="请先催对方。"
        ),
    )
    yield case(
        "granted",
        desk.CaseExtensionGranted(
            **case.after(days=3),
            **worked_on,
            **theirs,
            by=REVIEWER,
            until=at("2026-03-25T17:30:00"),
            reason="数据库商要到下周才能修好。",
        ),
    )
    yield case(
        "explained",
        desk.CaseBreachExplained(
            **case.after(days=9),
            **worked_on,
            **theirs,
            by=HANDLER,
            clock=Clock.RESOLUTION,
            code="waiting_external",
            text="数据库商比约定的晚了一天。",
            until=at("2026-03-26T17:30:00"),
        ),
    )
    yield case(
        "draft",
        desk.CaseReplySubmitted(
            **case.after(days=9, hours=1),
            **theirs,
            by=HANDLER,
            outcome=Outcome.EXPLAINED,
            rule="数据库使用办法（2025）",
        ),
    )
    yield case(
        "draft",
        desk.CaseReplySentBack(
            **case.after(days=9, hours=2), **theirs, by=REVIEWER, to="handler.eresources"
        ),
    )
    yield case(
        "approved",
        desk.CaseReplied(
            **case.after(days=10),
            **theirs,
            by=REVIEWER,
            text="数据库已经恢复，给您添麻烦了。",
            outcome=Outcome.EXPLAINED,
            rule="数据库使用办法（2025）",
            reason="故障在对方。",
            drafted_by="handler.eresources",
        ),
    )
    yield case(
        "added-to",
        desk.CaseProgressed(
            **case.after(days=10, hours=1),
            **theirs,
            by=HANDLER,
            state=State.REPLIED,
            text="补充：校外访问要先登录统一认证。",
            amends=True,
        ),
    )
    yield case(
        "called",
        desk.CaseFollowedUp(
            **case.after(days=11),
            by=OFFICE,
            state=State.CLOSED,
            solved=Solved.PARTLY,
            stars=3,
            how="phone",
        ),
    )
    yield case(
        "appealed",
        desk.CaseAppealed(
            **case.after(days=12), **theirs, previous=State.CLOSED, reason="还是打不开。"
        ),
    )
    yield case(
        "upheld",
        desk.CaseAppealUpheld(
            **case.after(days=13), **theirs, by=LEADER, reason="请重新办理。", cycle=2
        ),
    )
    yield case(
        "dismissed",
        desk.CaseAppealDismissed(
            **case.after(days=20), **theirs, by=LEADER, reason="已经恢复，附上测试结果。"
        ),
    )
    yield case(
        "segment",
        sla.SlaSegmentEnded(
            **case.after(days=21),
            department="eresources",
            started=case.after(hours=2)["at"],
            working_seconds=27_000,
            elapsed_seconds=432_000,
            waiting_seconds=5_400,
        ),
    )
    yield case(
        "looked",
        desk.CasePersonalDataRead(
            **case.after(days=22), by=OFFICE, state=State.CLOSED, what=("contact",)
        ),
    )


def together() -> Story:
    """Several cases that hang together: joined, parted, of one incident."""
    case, other = Case(6, "2026-03-17T08:40:00"), Case(7, "2026-03-17T08:41:00")
    fault = "01978a3e-0000-7000-8000-0000000000aa"
    yield case("spam", desk.CaseMarkedAsSpam(**case.after(hours=1), by=OFFICE, reason="广告"))
    yield case(
        "restored",
        desk.CaseRestored(
            **case.after(hours=2), by=OFFICE, previous=State.SPAM, reason="不是广告。", cycle=2
        ),
    )
    yield case(
        "same-fault",
        desk.CaseMerged(**case.after(hours=3), by=OFFICE, into=other.id, reason="同一件事"),
    )
    yield other(
        "same-fault",
        desk.CaseAbsorbed(**other.after(hours=3), by=OFFICE, state=State.TRIAGE, merged=case.id),
    )
    yield case(
        "same-fault",
        desk.CaseAnsweredThrough(
            **case.after(hours=3, minutes=30),
            by=HANDLER,
            into=other.id,
            kind="reply",
            department="facilities",
            text="电已经恢复。",
            outcome=Outcome.SOLVED,
        ),
    )
    yield case(
        "added-to",
        desk.CaseAnsweredThrough(
            **case.after(hours=3, minutes=40),
            by=HANDLER,
            into=other.id,
            kind="progress",
            department="facilities",
            text="更正：东区今晚恢复。",
            amends=True,
        ),
    )
    yield case(
        "another-fault",
        desk.CaseUnmerged(
            **case.after(hours=4), by=OFFICE, previous_into=other.id, reason="不是一件事", cycle=3
        ),
    )
    yield other(
        "owed-another",
        desk.CaseWordsOwed(**other.after(hours=3, minutes=50), state=State.REPLIED, origin=case.id),
    )
    yield other(
        "another-fault",
        desk.CaseReleased(**other.after(hours=4), by=OFFICE, state=State.TRIAGE, merged=case.id),
    )
    yield case(
        "linked",
        desk.CaseLinked(**case.after(hours=5), by=OFFICE, state=State.TRIAGE, to=other.id),
    )
    yield case(
        "linked",
        desk.CaseUnlinked(**case.after(hours=6), by=OFFICE, state=State.TRIAGE, to=other.id),
    )
    yield case(
        "power",
        desk.CaseJoinedIncident(
            **case.after(hours=7),
            by=OFFICE,
            state=State.TRIAGE,
            incident_id=fault,
            title="三层东区停电",
            text="三层东区今天早上停电，正在抢修，预计中午恢复。",
        ),
    )
    yield case(
        "power",
        desk.CaseLeftIncident(
            **case.after(hours=8), by=OFFICE, state=State.TRIAGE, incident_id=fault
        ),
    )
    yield other(
        "two-matters",
        desk.CaseSplit(
            **other.after(hours=9), by=OFFICE, children=("01978a3e-0008-7000-8000-000000000008",)
        ),
    )
    child = Case(8, "2026-03-17T17:41:00")
    yield child(
        "two-matters",
        desk.CaseSplitOff(
            **child.after(),
            by=OFFICE,
            parent=other.id,
            received_at=other.received,
            channel=Channel.WEB,
            title="插座没电",
            text="三层东区的插座没电。",
            category="facilities",
            place="三层东区",
            code_hash=other.code_hash,
            reachable=("email",),
        ),
    )
    runtime = Case(0, "2026-03-17T08:50:00")
    yield runtime(
        "power",
        desk.IncidentListed(
            at=runtime.received,
            incident_id=fault,
            title="三层东区停电",
            text="三层东区今天早上停电，正在抢修，预计中午恢复。",
            opened_at=runtime.received,
        ),
    )
