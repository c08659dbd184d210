"""Following an erasure: the tombstones on the log, and which services say that they are done."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.intake.commands.outgoing import published
from shared.contracts import PRIVATE, REGISTER
from shared.contracts.intake import PrivateErased
from shared.messaging.brokers import client_options
from shared.messaging.subscription import believed
from shared.service import Service

_ACKNOWLEDGED = "private.erased_by_"
_DONE = (
    "各服务均已删除联系方式、照片和未遮盖的原话；案卷中遮盖后的文字保留，"
    "未被识别而没有遮盖的姓名也会留在其中",
    "contact, pictures and words as they were written are erased in every service; the "
    "masked text of the case stays, and so does a name in it that was not recognised",
)


def readers() -> dict[str, str]:
    """Service that keeps personal data → the type by which it says that it has forgotten."""
    return {c.owner: c.type for c in REGISTER.values() if c.type.startswith(_ACKNOWLEDGED)}


@dataclass
class Erasure:
    """An erasure and who has answered it."""

    feedback_id: str
    erased_at: datetime
    published: bool = False
    acknowledged: set[str] = field(default_factory=set)

    @property
    def missing(self) -> list[str]:
        """Whose part is not done: that of intake too, as long as its tombstone is not out."""
        others = sorted(readers().keys() - self.acknowledged)
        return others if self.published else ["intake", *others]

    @property
    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "feedback_id": self.feedback_id,
            "erased_at": self.erased_at.isoformat(),
            "acknowledged": sorted(self.acknowledged),
            "missing": self.missing,
        }

    @property
    def as_text(self) -> str:
        """For the person at the terminal."""
        if not self.missing:
            return f"{self.feedback_id}: {_DONE[0]} | {_DONE[1]}"
        waiting = ", ".join(one for one in self.missing if one != "intake")
        if not self.published:
            return (
                f"{self.feedback_id}: intake 库里已删除，但还没有看到删除通知发出，"
                f"intake 运行时才会发。尚未完成：{waiting}。请稍后再次运行查看 | "
                "erased in intake's database; the word to the others was not seen to go out, "
                f"which it does while intake runs. Not yet done: {waiting}. "
                "Run this again to look again."
            )
        return (
            f"{self.feedback_id}: intake 已删除，尚未完成：{waiting}。请稍后再次运行查看 | "
            f"erased in intake; not yet done: {waiting}. Run this again to look again."
        )


async def follow(service: Service, erasure: Erasure, seconds: float) -> Erasure:
    """Wait until every service has answered, at most so many `seconds`.

    What is not seen in time, or because the broker is away, counts as not answered.
    """
    with contextlib.suppress(TimeoutError, KafkaError):
        async with asyncio.timeout(seconds):
            # The tombstone of the comment comes last: what follows it answers all of them.
            partition, offset = await published(service, PrivateErased, erasure.feedback_id)
            erasure.published = True
            await _read_answers(service.runtime.kafka, erasure, partition, offset)
    return erasure


async def _read_answers(kafka: str, erasure: Erasure, partition: int, offset: int) -> None:
    wanted = readers()
    where = TopicPartition(PRIVATE, partition)
    consumer = AIOKafkaConsumer(
        **client_options(kafka), enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        await consumer.start()
        consumer.assign([where])
        consumer.seek(where, offset)
        while True:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for raw in batch:
                    record = believed("intake", raw)
                    if record is None or record.feedback_id != erasure.feedback_id:
                        continue
                    if wanted.get(record.source) == record.type:
                        erasure.acknowledged.add(record.source)
            # After the first look only: a consumer that is stopped unused raises.
            if erasure.acknowledged >= wanted.keys():
                return
    finally:
        await consumer.stop()
