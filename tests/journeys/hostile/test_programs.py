"""The platform of the official account, and the topic for programs."""

from __future__ import annotations

import itertools

import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts import INBOUND, INBOUND_REJECTED
from tests.fakes.wechat_callbacks import CallbackSender, sign
from tests.journeys.conftest import Town
from tests.journeys.hostile.entry_points import BODIES, cases_of, refused


async def test_the_platform_is_believed_by_the_rules(town: Town) -> None:
    now = int(town.clock.now().timestamp())
    push = CallbackSender("", "tok", "wx1")

    async def send(body: bytes, **query: str) -> httpx2.Response:
        async with town.web() as web:
            return await web.post("/wechat/main", params=query, content=body)

    def query(at: object = now, nonce: str = "n") -> dict[str, str]:
        return {"timestamp": str(at), "nonce": nonce, "signature": sign("tok", str(at), nonce)}

    good = push.text("oA", "座位", msg_id="1", created=now).encode()
    for wrong in ({}, query() | {"signature": "0" * 40}, query(now - 301), query(now + 3600),
                  query("x"), query(-1), query("9" * 30), query("٣"), query("")):  # fmt: skip
        refused(await send(good, **wrong), 401, what=wrong)
    refused(await send(good, **query(), encrypt_type="rot13"), 400)
    refused(await send(good, **query(), encrypt_type="aes", msg_signature="x"), 400, 401)
    assert (await send(good, **query(nonce="r"))).status_code == 200
    first = await send(good, **query(nonce="r"))
    assert first.status_code == 200
    other = push.text("oA", "别的", msg_id="2", created=now).encode()
    refused(await send(other, **query(nonce="r")), 401)
    laughs = b'<!DOCTYPE x [<!ENTITY a "lol">' + b'<!ENTITY b "&a;&a;">' * 99 + b"]><xml>&b;</xml>"
    outside = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml>&a;</xml>'
    for n, body in enumerate((b"", b"<", b"<xml/>", laughs, outside, b"\xff" * 99, b"<xml>" * 5000,
                              b"{}", b"[]", b'{"FromUserName":"\\ud800"}')):  # fmt: skip
        refused(await send(body, **query(nonce=f"bad{n}")), 400, what=body[:20])
    for n, number in enumerate(("-1", str(2**63), "text", "", "x" * 999, "'--", "1\u202e")):
        body = push.text("oB", f"座位 {n}", msg_id=number, created=now).encode()
        answer = await send(body, **query(nonce=f"id{n}"))
        assert answer.status_code == 200, number
        assert answer.text.startswith("<xml>")
    for created in (0, -1, 2**40, 10**30):
        body = push.text("oC", "座位", created=created, msg_id=f"c{created}").encode()
        assert (await send(body, **query(nonce=f"c{created}"))).status_code == 200


async def test_garbage_on_the_inbound_topic_is_set_aside_with_a_reason(town: Town) -> None:
    good = b'{"text":"kafka \xe5\xba\xa7\xe4\xbd\x8d","channel":"survey","source_message_id":"k1"}'
    wrong = [
        *(b for b in BODIES if not b.startswith(b'{"text":"x"')),
        b'{"text":"x"}',
        b'{"text":"x","channel":"","source_message_id":"a"}',
        b'{"text":"a\\u0000b","channel":"api","source_message_id":"a"}',
        b'{"text":"x","channel":"api","source_message_id":"\\ud800"}',
        b'{"text":"x","channel":"api","source_message_id":"a","occurred_at":"9999-12-31T00:00:00Z"}',
        b'{"text":"x","channel":"api","source_message_id":"a","occurred_at":"yesterday"}',
        b'{"text":"x","channel":"api","source_message_id":"a","contact":{"email":"a\\r\\nBcc: x"}}',
        "{'text': 'x'}".encode("utf-16"),
        b'{"text":"' + b"x" * 60_000 + b'","channel":"api","source_message_id":"a"}',
    ]
    headers = [("ce_id", b"\xff\x00"), ("ce_type", b"case.replied.v1"), ("\x00", b"\x00")]
    keys = itertools.cycle([None, b"", b"\xff\x00", b"k" * 1000])
    await town.quiet()
    before = await cases_of(town)
    producer = AIOKafkaProducer(bootstrap_servers=town.runtime.kafka)
    await producer.start()
    try:
        for body, key in zip(wrong, keys, strict=False):
            await producer.send_and_wait(INBOUND, body, key=key, headers=headers)
        await producer.send_and_wait(INBOUND, None, key=b"tombstone")
        for _ in range(2):
            await producer.send_and_wait(INBOUND, good, key=b"k1", headers=headers)
    finally:
        await producer.stop()
    await town.quiet()
    consumer = AIOKafkaConsumer(bootstrap_servers=town.runtime.kafka)
    await consumer.start()
    try:
        partitions = [TopicPartition(INBOUND_REJECTED, n) for n in range(12)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            found += [r for b in (await consumer.getmany(timeout_ms=500)).values() for r in b]
    finally:
        await consumer.stop()
    assert sorted(r.value for r in found) == sorted(wrong)
    for record in found:
        reason = dict(record.headers)["reason"].decode()
        assert 0 < len(reason) <= 1000
    assert await cases_of(town) == before + 1
