"""Events of a case as notification hears them, and a desk to watch its messages from."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from services.notification.app import build
from services.notification.deps import Deps
from services.notification.jobs import Sender
from shared.clock import ManualClock
from shared.contracts import Actor, Event
from shared.contracts.desk import CaseReplied, PersonListed
from shared.contracts.intake import Contact, FeedbackReceived, PrivateDetails
from shared.contracts.routing import FeedbackRouted
from shared.contracts.sla import SlaPromisesChanged
from shared.messaging.envelope import Record
from shared.service import Runtime, Service
from tests.fakes.promises import Promises
from tests.fakes.smtp import SmtpSink
from tests.support import at, clock_at, outbox_of, prepared, records

CODE = "AAAA-BBBB-CCCC-DDDD-EEEE"
CANARY = "canary.8371@mail.example"
WECHAT_CANARY = "oCANARY8371openid"
OWN_WORDS = "三楼的空调像北极一样冷"


class Watch:
    """A notification service on PostgreSQL with a clock that stands still."""

    def __init__(self, runtime: Runtime, service: Service) -> None:
        self.runtime, self.service = runtime, service
        self.deps: Deps = service.deps
        self.sender = Sender(service, self.deps)
        self.clock: ManualClock = runtime.clock  # type: ignore[assignment]

    async def process(self, *events: Event) -> list[Record]:
        """Takes events in as the consumer does; gives the records, to deliver them once more."""
        found = records(self.service, *events)
        await self.is_given(found)
        return found

    async def is_given(self, found: list[Record]) -> None:
        async with self.service.transaction() as tx:
            await self.service.subscription.process_batch(tx, found)

    async def later(self, **delta: float) -> None:
        """Time passes, and what is due goes out."""
        self.clock.later(**delta)
        await self.sender.send_all_due()

    async def ledger(self, feedback_id: str) -> list[Any]:
        async with self.service.engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT * FROM deliveries WHERE feedback_id = :f ORDER BY sort_key, turn"),
                {"f": feedback_id},
            )
            return list(rows.mappings())

    async def states(self, feedback_id: str, audience: str = "reporter") -> list[tuple[str, ...]]:
        return [
            (r["kind"], r["channel"], r["state"])
            for r in await self.ledger(feedback_id)
            if (r["recipient"] == "reporter") == (audience == "reporter")
        ]

    async def emitted(self, feedback_id: str) -> list[tuple[str, str, str]]:
        """What the service told the log: ``(type, kind, channel)``."""
        return [
            (f["type"].removesuffix(".v1"), f["body"]["kind"], f["body"]["channel"])
            for f in await outbox_of(self.service, feedback_id)
        ]

    async def everything_emitted(self) -> str:
        return json.dumps(await outbox_of(self.service), ensure_ascii=False)

    def knows(self, username: str, role: str, department: str | None = None, **more: Any) -> None:
        """The directory lists a person."""
        self.runtime.directory.apply(
            PersonListed(
                at=self.clock.now(),
                username=username,
                display=username,
                role=role,
                department=department,
                **more,
            )
        )


async def watching(make: Callable[..., Runtime], **settings: Any) -> Watch:
    settings.setdefault("base_url", "https://feedback.library.example")
    runtime = make(clock=clock_at("2026-03-04 10:00"), **settings)
    return Watch(runtime, await prepared(build, runtime))


def a_comment(feedback_id: str, **more: Any) -> FeedbackReceived:
    values: dict[str, Any] = {
        "feedback_id": feedback_id,
        "at": at("2026-03-04 10:00"),
        "channel": "web",
        "title": OWN_WORDS[:8],
        "text": OWN_WORDS,
        "code_hash": "0" * 64,
        "reachable": ("email",),
    }
    return FeedbackReceived(**(values | more))


def private(feedback_id: str, **contact: Any) -> PrivateDetails:
    return PrivateDetails(
        feedback_id=feedback_id,
        at=at("2026-03-04 10:00"),
        tracking_code=CODE,
        text=OWN_WORDS,
        contact=Contact(**(contact or {"email": CANARY})),
    )


def routed(feedback_id: str, **more: Any) -> FeedbackRouted:
    values: dict[str, Any] = {
        "feedback_id": feedback_id,
        "at": at("2026-03-04 10:00"),
        "department": "facilities",
        "case_type": "complaint",
        "priority": "P3",
        "confidence": 0.9,
    }
    return FeedbackRouted(**(values | more))


def promised(feedback_id: str, due: str = "2026-03-11 10:00", **more: Any) -> SlaPromisesChanged:
    return Promises(feedback_id).change(
        "promised", "RESOLUTION", at(due), at=at("2026-03-04 10:00"), **more
    )


def replied(feedback_id: str, words: str, when: str = "2026-03-05 09:00") -> CaseReplied:
    return CaseReplied(
        feedback_id=feedback_id,
        at=at(when),
        by=Actor(kind="staff", name="handler.facilities", role="handler"),
        department="facilities",
        text=words,
        outcome="solved",
    )


def received_case(feedback_id: str, **more: Any) -> list[Event]:
    """Everything a receipt waits for."""
    return [
        a_comment(feedback_id, **more),
        private(feedback_id),
        promised(feedback_id),
        routed(feedback_id),
    ]


A_SECOND = timedelta(seconds=1)


def by_wechat(feedback_id: str, **more: object) -> list[Event]:
    return [
        a_comment(
            feedback_id,
            channel="wechat",
            account="library",
            reachable=("wechat", "email"),
            **more,
        ),
        private(
            feedback_id,
            email=CANARY,
            wechat_account="library",
            wechat_openid=WECHAT_CANARY,
        ),
        promised(feedback_id),
        routed(feedback_id),
    ]


def text_of(sink: SmtpSink, n: int = -1) -> str:
    return str(sink.received[n].message.get_content())
