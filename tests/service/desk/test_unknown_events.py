"""An event of a type from tomorrow is a plain line of the timeline."""

from __future__ import annotations

from dataclasses import replace

from shared.contracts.intake import FeedbackUrged
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import records


async def test_an_unknown_type_is_a_plain_line_and_stops_nothing(desk: Desk) -> None:
    feedback_id = await desk.case()
    urged = FeedbackUrged(feedback_id=feedback_id, at=examples.RECEIVED)
    (unknown, known) = records(desk.service, urged, urged)
    unknown = replace(unknown, headers=unknown.headers | {"ce_type": "feedback.sung.v1"})
    async with desk.service.transaction() as tx:
        await desk.service.subscription.process_batch(tx, [unknown, known])
    case = (await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")).json()
    *_, sung, last = case["timeline"]
    assert (sung["type"], last["type"]) == ("feedback.sung", "feedback.urged")
    assert sung["text"]
    assert not tx.parked
