"""Events with nothing in them but what must be there; the directory; what adapters send."""

from __future__ import annotations

from datetime import date
from typing import Any

from schemas.stories.people import Case, Story, at
from shared.contracts import INBOUND, REPORTER, desk, intake, notification, routing, sla, tracking
from shared.contracts.vocabulary import CaseType, Channel, Clock, Priority, Solved


def small_things() -> Story:
    """Events with nothing in them but what must be there."""
    yield from pictured()
    case = Case(4, "2026-03-13T09:05:00")
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
    yield case(
        "moved",
        desk.CaseUnassigned(
            **case.after(days=4), department="it", previous="handler.it", reason="moved"
        ),
    )
    yield case(
        "forgotten", desk.PrivateReplyWordsErased(**case.after(days=9), words_id="w-01978a3e-1")
    )
    yield case("quiet", desk.CaseClosed(**case.after(days=7), how="quiet"))
    yield case("taken-back", intake.FeedbackWithdrawn(**case.after(days=8), by=REPORTER))
    yield case("taken-back", desk.CaseWithdrawn(**case.after(days=8), by=REPORTER))


def pictured() -> Story:
    """A comment with pictures, and what becomes of them."""
    case = Case(11, "2026-03-18T10:20:00")
    tap, floor = (
        intake.SentPicture(picture_id=f"{case.id[:-4]}f00{n}", width=w, height=h)
        for n, (w, h) in enumerate(((1600, 1200), (900, 1600)))
    )
    yield case(
        "pictures",
        intake.FeedbackReceived(
            **case.after(),
            by=REPORTER,
            channel=Channel.WEB,
            text="二层男厕的水龙头一直在漏，见照片。",
            place="二层男厕",
            code_hash=case.code_hash,
            pictures=(tap,),
        ),
    )
    yield case(
        "pictures",
        intake.FeedbackSupplemented(
            **case.after(hours=2),
            by=REPORTER,
            text="现在地上也有水了。",
            words_id="w-01978a3e-11",
            pictures=(floor,),
        ),
    )
    yield case("erased", intake.FeedbackPicturesErased(**case.after(days=30)))


def directory() -> Story:
    """The directory."""
    now = at("2026-03-02T08:00:00")
    runtime = Case(0, "2026-03-02T08:00:00")
    yield runtime(
        "facilities",
        desk.DepartmentListed(at=now, code="facilities", zh="后勤保障", en="Facilities"),
    )
    yield runtime(
        "nights",
        sla.QuietHoursSet(
            at=at("2026-03-09T01:00:00"),
            policy_version=2,
            starts="22:00",
            ends="07:00",
            p1_starts="00:00",
            p1_ends="06:00",
        ),
    )
    yield runtime(
        "promised",
        sla.OrdinaryPromisesSet(
            at=at("2026-03-09T01:00:00"),
            policy_version=2,
            times=(
                sla.PromisedTime(clock=Clock.TRIAGE, time="4h"),
                sla.PromisedTime(clock=Clock.FIRST_RESPONSE, time="1h"),
                sla.PromisedTime(clock=Clock.RESOLUTION, time="1wd"),
            ),
        ),
    )
    yield runtime(
        "seats",
        desk.CategoryListed(
            at=now, code="seats", zh="座位与空间", en="Seats and space", department="space"
        ),
    )
    yield runtime(
        "closed",
        desk.DepartmentListed(at=now, code="annex", zh="分馆台口", en="Annex Desk", active=False),
    )
    yield runtime(
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
    yield runtime(
        "left",
        desk.PersonListed(
            at=now, username="student", display="学生助理", role="student", active=False
        ),
    )
    yield runtime(
        "signed-out",
        desk.SessionRevoked(
            at=now, session_id="o2Yk0sWqv1xLZ9aB", expires=at("2026-03-02T20:00:00")
        ),
    )
    yield runtime("issued", intake.TokenIssued(at=now, token_id="t-01978a3e", name="survey"))
    yield runtime(
        "revoked",
        intake.TokenIssued(at=now, token_id="t-01978a3e", name="survey", revoked=True),
    )
    yield runtime(
        "over", desk.SessionForgotten(at=at("2026-03-03T08:00:00"), session_id="o2Yk0sWqv1xLZ9aB")
    )
    yield runtime(
        "new-password",
        desk.SessionsEnded(at=now, username="liaison.facilities", before=now),
    )
    yield runtime("everybody", desk.SessionsEnded(at=now, before=now))
    figure = tracking.ReportFigure(
        key="on_time",
        name="按时办结率",
        said="93%",
        n=41,
        before="90%",
        before_n=38,
        means="算的是：按时办结的。分母是：应办结的。",
    )
    said = tracking.ReportSection(heading="来了什么", sentences=("收到 57 件，前一段 49 件。",))
    came = tracking.ReportSection(heading="What came", sentences=("57 received, 49 before.",))
    on_time = figure.model_copy(update={"name": "On time", "means": "Resolved in time."})
    yield runtime(
        "week",
        tracking.ReportMade(
            at=at("2026-03-08T23:30:00"),
            kind="week",
            first=date(2026, 3, 2),
            last=date(2026, 3, 8),
            zh=tracking.ReportWords(sections=(said,), figures=(figure,)),
            en=tracking.ReportWords(sections=(came,), figures=(on_time,)),
        ),
    )
    yield runtime(
        "seats",
        desk.ThemeListed(
            at=at("2026-03-09T02:00:00"),
            theme_id="0195b2c4-0000-7000-8000-000000000001",
            title="占座",
            about="三层东区用水杯占座",
            opened_at=at("2026-03-01T02:00:00"),
            measures=(
                desk.ThemeMeasure(what="每小时清一次", on=date(2026, 3, 9), responsible="空间部"),
            ),
            cases=(desk.ThemeCase(case="0195b2c4-0000-7000-8000-000000000002"),),
        ),
    )
    yield runtime(
        "seats-taken-back",
        desk.ThemeListed(
            at=at("2026-03-10T02:00:00"),
            theme_id="0195b2c4-0000-7000-8000-000000000001",
            title="占座",
            opened_at=at("2026-03-01T02:00:00"),
            taken_back=(
                desk.ThemeMeasureTakenBack(
                    what="每小时清一次",
                    on=date(2026, 3, 9),
                    responsible="空间部",
                    at=at("2026-03-10T02:00:00"),
                    by="coordinator",
                    why="人手不够，没有做成。",
                ),
            ),
        ),
    )
    yield runtime(
        "air-third-floor",
        desk.SurgeListed(
            at=at("2026-03-09T06:12:00"),
            surge_id="0195b2c4-0000-7000-8000-000000000004",
            matter="air floor=3",
            zh="空调 · 3 层",
            en="air conditioning · floor 3",
            found_at=at("2026-03-09T06:12:00"),
            minutes=30,
            n=5,
            usual=0.04,
            cases=("0195b2c4-0000-7000-8000-000000000002",),
        ),
    )
    yield runtime(
        "week-mailed",
        notification.ReportMailed(
            at=at("2026-03-08T23:30:05"),
            kind="week",
            first=date(2026, 3, 2),
            staff="leader",
            delivery_id="5d41402abc4b2a76b9719d911017c592",
            channel="email",
            outcome="sent",
        ),
    )
    yield runtime(
        "seats-cleared",
        desk.CannedReplyListed(
            at=at("2026-03-09T03:00:00"),
            reply_id="0195b2c4-0000-7000-8000-000000000003",
            title="占座已清理",
            zh="您好：您反映的座位已清理，以后每小时巡查一次。{department}",
            en="Hello, the seats have been cleared and are looked at every hour. {department}",
            department="space",
            category="seats",
        ),
    )
    yield runtime(
        "seats-cleared-used",
        desk.CannedReplyListed(
            at=at("2026-03-09T03:01:00"),
            reply_id="0195b2c4-0000-7000-8000-000000000003",
            title="占座已清理",
            zh="您好：您反映的座位已清理，以后每小时巡查一次。{department}",
            department="space",
            used=3,
            version=2,
            changed_at=at("2026-03-02T01:00:00"),
            changed_by="reviewer.space",
        ),
    )
    yield runtime(
        "air-no-theme",
        desk.ThemeDismissed(
            at=at("2026-03-09T03:02:00"),
            suggestion_id="0195b2c4-0000-7000-8000-000000000005",
            matter="air",
            cases=("0195b2c4-0000-7000-8000-000000000002",),
        ),
    )
    yield runtime(
        "conduct-reviewed",
        desk.ReviewRuleListed(
            at=at("2026-03-09T03:05:00"),
            kind="category",
            code="conduct",
            required=True,
            reason="馆务会决定",
        ),
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
