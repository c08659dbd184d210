"""The ordinary story where the broker asks for passwords and the database for TLS."""

from __future__ import annotations

from aiokafka import TopicPartition

from services.tracking.app import build
from services.tracking.commands import rebuild_views
from shared.contracts import EVENTS
from shared.messaging.offsets import committed_by, set_offsets
from shared.messaging.restore import lost_services
from shared.messaging.topics import create_topics
from tests.journeys.conftest import Town
from tests.journeys.secured.conftest import Secured


async def test_a_comment_goes_its_whole_way(guarded_town: Town) -> None:
    town = guarded_town
    receipt = await town.submit("三层东区217一上午都是一个水杯占着。", place="三层东区")
    code, case = receipt["tracking_code"], receipt["feedback_id"]
    await town.sees(code, "DISPATCHED")
    for who, action, body in (
        ("liaison.space", "accept", {}),
        ("liaison.space", "assign", {"to": "handler.space"}),
        ("handler.space", "reply", {"text": "已清理占座。", "outcome": "solved"}),
    ):
        answer = await town.act(who, case, action, **body)
        assert answer.status_code == 200, answer.text
    await town.sees(code, "REPLIED")
    async with town.web() as visitor:
        rated = await visitor.post(f"/api/track/{code}/rate", json={"stars": 5, "solved": "yes"})
        assert rated.status_code == 200, rated.text
    await town.sees(code, "CLOSED")
    await town.sound()


async def test_the_commands_have_the_rights_they_need(guarded_town: Town, secured: Secured) -> None:
    services, setup = guarded_town.services, secured.kafka.brokers("setup")
    # Set-up again, a look at whether the log is whole, and the places of a restored database.
    assert await create_topics(setup) == []
    assert await lost_services(services.values(), setup) == {}
    groups = {service.group for service in services.values()}
    assert set(await committed_by(setup, groups)) == groups
    await set_offsets(setup, "tracking-99", {TopicPartition(EVENTS, 0): 0})
    # Views begun anew are read by a group that nobody named before.
    await rebuild_views(build(services["tracking"].runtime))
    assert services["tracking"].group == "tracking-2"
    await guarded_town.sound()
