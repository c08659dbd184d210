"""Events as the other services would tell them, with what does not matter filled in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.contracts import intake, routing, sla
from shared.contracts.vocabulary import CaseType, Channel, Clock, Priority, Solved
from tests.fakes.promises import Promises
from tests.support import at, id_at

RECEIVED = at("2026-03-04 10:00")
SEATS = "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？"


def received(feedback_id: str | None = None, **more: Any) -> intake.FeedbackReceived:
    values: dict[str, Any] = {
        "at": RECEIVED,
        "channel": Channel.WEB,
        "text": SEATS,
        "code_hash": "0" * 64,
    }
    return intake.FeedbackReceived(feedback_id=feedback_id or id_at(RECEIVED), **(values | more))


def decision(feedback_id: str, department: str | None, **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "feedback_id": feedback_id,
        "at": RECEIVED + timedelta(seconds=1),
        "department": department,
        "category": "seats",
        "case_type": CaseType.COMPLAINT,
        "priority": Priority.P3,
        "confidence": 0.93,
        "reasons": (routing.Reason(text="提到“占座”", text_en="says “占座”", weight=0.8),),
        "candidates": (
            routing.Candidate(department="space", score=0.93, category="seats"),
            routing.Candidate(department="it", score=0.05),
        ),
    }
    return values | more


def routed(feedback_id: str, department: str = "space", **more: Any) -> routing.FeedbackRouted:
    return routing.FeedbackRouted(**decision(feedback_id, department, **more))


def undecided(feedback_id: str, **more: Any) -> routing.FeedbackTriageNeeded:
    return routing.FeedbackTriageNeeded(**decision(feedback_id, None, **more))


def promised(feedback_id: str, clock: Clock, due: str, **more: Any) -> sla.SlaPromisesChanged:
    return Promises(feedback_id).change("promised", clock, at(due), at=RECEIVED, **more)


def met(feedback_id: str, clock: Clock, due: str, **more: Any) -> sla.SlaPromisesChanged:
    return Promises(feedback_id).change("met", clock, at(due), at=at(due), **more)


def supplemented(feedback_id: str, text: str = "就是靠窗那一排") -> intake.FeedbackSupplemented:
    return intake.FeedbackSupplemented(
        feedback_id=feedback_id, at=RECEIVED, text=text, words_id="w1"
    )


def rated(
    feedback_id: str, stars: int = 5, solved: Solved = Solved.YES, comment: str = "谢谢"
) -> intake.FeedbackRated:
    return intake.FeedbackRated(
        feedback_id=feedback_id, at=RECEIVED, stars=stars, solved=solved, comment=comment
    )


def reopen_requested(feedback_id: str, when: str) -> intake.FeedbackReopenRequested:
    return intake.FeedbackReopenRequested(feedback_id=feedback_id, at=at(when), reason="又坏了")


def withdrawn(feedback_id: str) -> intake.FeedbackWithdrawn:
    return intake.FeedbackWithdrawn(feedback_id=feedback_id, at=RECEIVED)


def private(feedback_id: str, **more: Any) -> intake.PrivateDetails:
    values: dict[str, Any] = {
        "tracking_code": "AAAA",
        "text": "我的电话 13800001234，占座没人管",
        "contact": intake.Contact(name="王小明", phone="13800001234", email="w@example.edu"),
    }
    return intake.PrivateDetails(feedback_id=feedback_id, at=RECEIVED, **(values | more))


def private_words(feedback_id: str, words_id: str, text: str) -> intake.PrivateWords:
    return intake.PrivateWords(feedback_id=feedback_id, at=RECEIVED, words_id=words_id, text=text)
