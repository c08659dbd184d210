"""From the door to the department at 100 comments a second, and from the door to the page."""

from __future__ import annotations

import asyncio
import time

import httpx2
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.__main__ import builds
from shared.contracts import EVENTS
from shared.embedded import Servers
from shared.ids import new_id
from shared.messaging.directory import DirectoryReader
from shared.messaging.topics import create_topics
from shared.process import set_up
from shared.service import House
from shared.web.app import web_app
from tests.benchmarks.load import letter
from tests.benchmarks.report import Report, percentile

SECONDS = 8


async def run(servers: Servers, house: House, report: Report) -> None:
    """The whole house in this process; the facts are watched from outside, in the topic."""
    assert servers.kafka_address
    await create_topics(servers.kafka_address)
    services = {name: build(house) for name, build in builds().items()}
    reader = DirectoryReader(house.directory, house.kafka)
    await set_up(services.values(), house.kafka, demo=False)
    await reader.start()
    await asyncio.gather(*(s.start() for s in services.values()))
    token = house.signer.adapter_token("latency", "latency")
    client = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(web_app(house, services, lambda: [])),
        base_url="http://bench",
        headers={"Authorization": f"Bearer {token}"},
    )
    watcher = AIOKafkaConsumer(bootstrap_servers=house.kafka)
    await watcher.start()
    partitions = [TopicPartition(EVENTS, n) for n in range(12)]
    watcher.assign(partitions)
    await watcher.seek_to_end(*partitions)
    for tp in partitions:
        await watcher.position(tp)
    try:
        while any(s.reasons() for s in services.values()):
            await asyncio.sleep(0.05)
        for rate in (3, 20, 100):
            print(f"\nlatency at {rate}/s, whole house in one process")
            sent: dict[str, float] = {}
            seen: dict[tuple[str, str], float] = {}
            watching = asyncio.create_task(_watch(watcher, seen))
            count = rate * SECONDS if rate > 3 else 15
            start = time.perf_counter()
            tasks = []
            for n in range(count):
                await asyncio.sleep(max(0.0, start + n / rate - time.perf_counter()))
                tasks.append(asyncio.create_task(_post(client, n, sent)))
            await asyncio.gather(*tasks)
            await asyncio.sleep(2)
            watching.cancel()
            for kind in ("feedback.received.v1", "feedback.routed.v1", "case.dispatched.v1"):
                took = [
                    1000 * (seen[case, kind] - at)
                    for case, at in sent.items()
                    if (case, kind) in seen
                ]
                assert len(took) == count, f"{kind}: {len(took)} of {count}"
                print(
                    f"  request → {kind:<26} p50 {percentile(took, 0.5):6.1f} ms   "
                    f"p99 {percentile(took, 0.99):6.1f} ms   n {len(took)}"
                )
            shown = await _shown(services["tracking"].engine, list(sent))
            assert shown == count, f"{shown} of {count} on the tracking page"
    finally:
        await watcher.stop()
        await client.aclose()
        await asyncio.gather(*(s.stop() for s in services.values()))
        await reader.stop()


async def _post(client: httpx2.AsyncClient, number: int, sent: dict[str, float]) -> None:
    start = time.perf_counter()
    answer = await client.post("/api/feedback", json=letter(number, new_id()))
    assert answer.status_code == 201, answer.text
    sent[answer.json()["feedback_id"]] = start


async def _watch(watcher: AIOKafkaConsumer, seen: dict[tuple[str, str], float]) -> None:
    while True:
        for batch in (await watcher.getmany(timeout_ms=100)).values():
            now = time.perf_counter()
            for r in batch:
                kind = dict(r.headers)["ce_type"].decode()
                seen.setdefault((r.key.decode(), kind), now)


async def _shown(engine: object, cases: list[str]) -> int:
    async with engine.connect() as connection:  # type: ignore[attr-defined]
        found = await connection.exec_driver_sql(
            "SELECT count(*) FROM cases WHERE feedback_id = ANY($1::text[]) "
            "AND state = 'DISPATCHED'",
            (cases,),
        )
        return int(found.scalar_one())
