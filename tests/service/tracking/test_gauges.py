"""What `/metrics` says about cases."""

from __future__ import annotations

from datetime import timedelta

from services.tracking.jobs import set_gauges
from shared.contracts.desk import CaseReturned
from shared.contracts.notification import NotificationFailed
from shared.contracts.vocabulary import Clock
from shared.observability.metrics import REGISTRY
from tests.service.tracking.conftest import Web
from tests.support import process_batch
from tests.unit.tracking.examples import Story


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"feedback_{name}", labels)


async def test_gauges_say_what_the_board_says(web: Web) -> None:
    story, soon, back = Story(), Story(), Story()
    passed = story.worked("it"), story.promised(Clock.RESOLUTION, story.now)
    await process_batch(web.service, *passed[0], passed[1], story.breached(Clock.RESOLUTION))
    await process_batch(
        web.service,
        soon.received(),
        soon.opened(),
        soon.promised(Clock.RESOLUTION, soon.now + timedelta(minutes=50)),
        soon.dispatched("space"),
    )
    failed = back.of(
        NotificationFailed,
        delivery_id="d",
        kind="reply",
        channel="email",
        audience="reporter",
        reason="refused",
    )
    returned = back.of(CaseReturned, department="it", reason="不归我们")
    await process_batch(web.service, *back.begun(), back.dispatched("it"), returned, failed)
    await set_gauges(web.service)
    assert value("open_cases", state="IN_PROGRESS", department="it") == 1
    assert value("open_cases", state="TRIAGE", department="") == 1
    assert value("overdue_cases", department="it") == 1
    assert value("due_within_hour_cases", department="space") == 1
    assert value("return_ratio", department="it") == 0.5
    assert value("undelivered_messages", channel="email") == 1

    web.clock.later(minutes=55)
    await process_batch(web.service, story.replied("it"), story.met(Clock.RESOLUTION, 9))
    await set_gauges(web.service)
    assert value("open_cases", state="IN_PROGRESS", department="it") in (0, None)
    assert value("overdue_cases", department="it") in (0, None)
    assert value("overdue_cases", department="space") == 1, "passed, and not marked yet"
    assert value("due_within_hour_cases", department="space") == 0
