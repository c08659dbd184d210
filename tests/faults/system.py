"""A system that may die at any moment: our servers, one process of all services, a mail sink."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx2
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.__main__ import NAMES
from services.tracking.domain.reports import to_make
from shared.contracts import DIRECTORY, EVENTS
from shared.db import service_address
from shared.embedded import Servers
from shared.process import LOG_LOST
from tests.fakes.smtp import SmtpSink
from tests.integration.system import Child, free_ports
from tests.patience import PATIENCE, plain

SECRET = "a secret for the fault tests"
_SERVICES = [sys.executable, "-m", "services"]
LETTERS = (
    "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？",
    "男厕第二个水龙头关不上，水漫到走廊了，快来人！！",
    "人在深圳实习，统一认证登录成功后跳回首页死循环。",
    "Alumni account can't access JSTOR since Monday, error 403. Is it expired?",
    "新书展阅厅的书单做得真好，能出成公众号专栏吗？",
    "还书后系统里一直显示未还，已经一周了。",
)


AS_THEY_CAME = frozenset({"TRIAGE", "DISPATCHED"})


@dataclass
class System:
    """All six services, in one child process or each in its own, killed and started again."""

    servers: Servers
    directory: Path
    sink: SmtpSink
    apart: bool = False
    ports: dict[str, int] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Source message id → feedback id, of every answer of 2xx."""
    sent: int = 0
    addressed: int = 0
    """So many of them have an address."""
    token: str = ""

    def __post_init__(self) -> None:
        names = NAMES if self.apart else ("system",)
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))

    @property
    def url(self) -> str:
        """Where comments are sent to."""
        return self._origin("intake" if self.apart else "system")

    def _origin(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def environment(self, name: str, **more: str) -> dict[str, str]:
        assert self.servers.database_url
        assert self.servers.kafka_address
        own = {
            "EXPRESS_DATA": str(self.directory / "data"),
            "EXPRESS_EMBEDDINGS": "off",
            "EXPRESS_PORT": str(self.ports[name]),
            "EXPRESS_BASE_URL": "http://library.example.edu",
            "EXPRESS_KAFKA": self.servers.kafka_address,
            "EXPRESS_DATABASE": self.servers.database_url,
            "EXPRESS_SECRET": SECRET,
            "EXPRESS_SMTP": self.sink.url,
            "EXPRESS_DEMO_PASSWORD": "fault-test",
        }
        return dict(os.environ) | own | more

    async def begin(self) -> None:
        """Everything for the first time: set up, started, ready."""
        if self.apart:
            setting_up = self._child("setup", [*_SERVICES, "setup", "--demo"], "intake")
            assert await asyncio.to_thread(setting_up.process.wait, PATIENCE) == 0, (
                setting_up.tail()
            )
            self.start()
        else:
            self.start("--demo")
        await self.ready()
        said = await self._command("token", "services.intake", "token", "faults")
        self.token = said.split()[-1]
        await self._mail_by_night()

    async def account(self, name: str, *options: str) -> None:
        """Make an account."""
        asked = ["create-user", name, *options, "--password-stdin"]
        await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "services.desk", *asked],
            env=self.environment(next(iter(self.ports))),
            input="nobody signs in with it\n",
            text=True,
            check=True,
        )

    async def _command(self, log: str, module: str, *arguments: str) -> str:
        """What a command of a service says when it is done."""
        command = [sys.executable, "-m", module, *arguments]
        child = self._child(log, command, next(iter(self.ports)))
        assert await asyncio.to_thread(child.process.wait, PATIENCE) == 0, child.tail()
        return child.tail()

    def start(self, *arguments: str, name: str | None = None, **more: str) -> None:
        """Start the process `name`, or all of them."""
        for one in [name] if name else self.ports:
            command = _SERVICES if one == "system" else [*_SERVICES[:-1], f"services.{one}"]
            self.children[one] = self._child(one, [*command, *arguments], one, **more)

    def _child(self, log: str, command: list[str], name: str, **more: str) -> Child:
        return Child.start(command, self.directory / f"{log}.log", self.environment(name, **more))

    async def kill_one(self, chance: random.Random) -> None:
        """kill -9 of one process, which is started again at once."""
        name = chance.choice(list(self.children))
        self.children[name].kill()
        self.start(name=name)
        await self.ready()

    async def restored(self) -> None:
        """What an operator does when the broker's log is gone: it is nobody else's to send there.

        Every process has ended by itself, saying so.
        """
        for child in self.children.values():
            await child.ended()
            assert child.process.returncode == LOG_LOST, child.tail()
        await self._command("restore", "services", "restore-log")
        self.start()
        await self.ready()

    async def ready(self, within: float = PATIENCE) -> None:
        """Wait until everything is ready."""
        end = time.monotonic() + within
        async with plain(timeout=5) as client:
            for name, child in self.children.items():
                while True:
                    assert child.alive, child.tail()
                    assert time.monotonic() < end, f"{name} not ready: {child.tail()}"
                    with contextlib.suppress(httpx2.HTTPError):
                        answer = await client.get(f"{self._origin(name)}/health/ready")
                        if answer.status_code == 200:
                            break
                    await asyncio.sleep(0.05)

    async def end(self) -> None:
        """Ask every process to end, and see that it does."""
        alive = [child for child in self.children.values() if child.alive]
        for child in alive:
            child.ask_to_end()
        for child in alive:
            await child.ended()

    async def feed(
        self, count: int, chance: random.Random, *, at_once: int = 8, addressed: int | None = None
    ) -> None:
        """Send letters as an adapter does: again under the same id until one answer is 2xx.

        With an address each, or the first `addressed` of them.
        """
        last = self.sent + (count if addressed is None else addressed)
        self.addressed += last - self.sent
        numbers = iter(range(self.sent, self.sent + count))
        self.sent += count
        async with plain(timeout=8, headers={"Authorization": f"Bearer {self.token}"}) as client:

            async def one() -> None:
                for number in numbers:
                    letter: dict[str, object] = {
                        "text": f"{chance.choice(LETTERS)} （第{number}封）",
                        "channel": "web",
                        "source_message_id": f"letter-{number}",
                    }
                    if number < last:
                        letter["contact"] = {"email": f"reader{number}@example.org"}
                    await self._until_accepted(client, letter)

            await asyncio.gather(*(one() for _ in range(at_once)))

    async def _until_accepted(self, client: httpx2.AsyncClient, letter: dict[str, object]) -> None:
        # It may wait for several starts, one after the other.
        end = time.monotonic() + 4 * PATIENCE
        while time.monotonic() < end:
            try:
                answer = await client.post(f"{self.url}/api/feedback", json=letter)
            except httpx2.HTTPError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code in (200, 201):
                source = str(letter["source_message_id"])
                feedback_id = answer.json()["feedback_id"]
                assert self.acknowledged.setdefault(source, feedback_id) == feedback_id
                return
            assert answer.status_code == 503, f"{answer.status_code}: {answer.text}"
            await asyncio.sleep(0.2)
        raise AssertionError("never accepted")

    async def died(self, within: float = PATIENCE) -> None:
        """Wait until the process killed itself at its kill point."""
        (child,) = self.children.values()
        end = time.monotonic() + within
        while child.alive:
            assert time.monotonic() < end, "it passed its kill point alive"
            await asyncio.sleep(0.05)

    # -- what the outside can see ---------------------------------------------------------

    async def fetch(self, service: str, statement: str, *values: object) -> list[asyncpg.Record]:
        """Rows of a service's database."""
        assert self.servers.database_url
        address = service_address(self.servers.database_url, service)
        connection = await address.connect(name="test")
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def settle(self, within: float = PATIENCE) -> None:
        """Wait until every event is published and taken in, and nothing is to be sent."""
        end = time.monotonic() + within
        calm = 0
        waiting: dict[str, object] = {}
        while calm < 4:
            assert time.monotonic() < end, f"it never came to rest: {waiting}"
            waiting = await self._waiting()
            calm = 0 if waiting else calm + 1
            await asyncio.sleep(0.4)

    async def _waiting(self) -> dict[str, object]:
        """What is still on its way, by where."""
        found: dict[str, object] = {}
        for name in NAMES:
            rows = await self.fetch(
                name, "SELECT count(*) AS n FROM outbox WHERE published_at IS NULL"
            )
            found[f"{name} outbox"] = rows[0]["n"]
        rows = await self.fetch(
            "notification",
            "SELECT kind, state, count(*) AS n FROM deliveries WHERE state IN "
            "('ready', 'sending', 'retry', 'awaiting_contact') GROUP BY kind, state",
        )
        found["deliveries"] = [tuple(row) for row in rows]
        async with plain(timeout=5) as client:
            for process in self.children:
                try:
                    body = (await client.get(f"{self._origin(process)}/health/ready")).json()
                    for name, one in body["services"].items():
                        found |= {f"{name} reasons": one["reasons"], f"{name} lag": one["lag"]}
                except (httpx2.HTTPError, ValueError, KeyError) as error:
                    found[f"{process} health"] = type(error).__name__
        return {where: what for where, what in found.items() if what}

    async def _mail_by_night(self) -> None:
        """Promises without quiet hours: when nothing is to be sent must not depend on the hour."""
        desk, sla = (self._origin(name if self.apart else "system") for name in ("desk", "sla"))
        async with plain(timeout=PATIENCE) as client:
            known = {"username": "admin", "password": "fault-test"}
            session = (await client.post(f"{desk}/api/session", json=known)).json()
            client.headers["Authorization"] = f"Bearer {session['token']}"
            policy = (await client.get(f"{sla}/api/sla/policy")).json()
            del policy["version"]
            always = {"starts": "00:00", "ends": "00:00", "p1": None}
            answer = await client.post(f"{sla}/api/sla/policy", json=policy | {"quiet": always})
            assert answer.status_code == 200, answer.text

    async def reports_due(self) -> int:
        """Make the case there is old enough for reports on its week and month.

        How many are due at once: one to three, and none only early on a Monday that is a first.
        """
        (row,) = await self.fetch(
            "tracking",
            "UPDATE cases SET received_at = received_at - interval '40 days' RETURNING received_at",
        )
        return len(to_make(datetime.now(UTC), (), row["received_at"]))

    async def reported(self, due: int, within: float = PATIENCE) -> int:
        """Wait until so many reports are told; how many there are."""
        end = time.monotonic() + within
        while True:
            (row,) = await self.fetch("tracking", "SELECT count(*) AS n FROM reports_told")
            if row["n"] >= due:
                return int(row["n"])
            assert time.monotonic() < end, f"{row['n']} of {due} reports were told"
            await asyncio.sleep(0.5)

    async def log(self) -> list[dict[str, str]]:
        """The headers of every event in the topic, per partition in order."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.servers.kafka_address)
        await consumer.start()
        try:
            partitions = [TopicPartition(EVENTS, n) for n in range(12)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            found = []
            while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    found += [{k: v.decode() for k, v in r.headers} for r in batch]
            return found
        finally:
            await consumer.stop()

    async def check(self, states: frozenset[str] = AS_THEY_CAME) -> None:
        """The invariants: nothing lost, nothing twice, order kept; cases are in `states`."""
        wanted = set(self.acknowledged.values())
        assert len(wanted) == len(self.acknowledged) == self.sent

        for service in ("intake", "desk", "tracking"):
            table = "submissions" if service == "intake" else "cases"
            rows = await self.fetch(service, f"SELECT feedback_id FROM {table}")
            ids = [r["feedback_id"] for r in rows]
            assert len(ids) == len(set(ids))
            assert wanted <= set(ids), f"{service} lost {len(wanted - set(ids))}"
            assert len(ids) == self.sent, f"{service} has {len(ids)} cases for {self.sent}"
        found = Counter(r["state"] for r in await self.fetch("desk", "SELECT state FROM cases"))
        assert set(found) <= states, found

        for name in NAMES:
            rows = await self.fetch(name, "SELECT feedback_id, error FROM dead_letters")
            assert rows == [], f"{name}: {rows[:3]}"

        await self._check_log()
        await self._check_timelines(untouched=states == AS_THEY_CAME)
        await self._check_mail()

    async def _check_log(self) -> None:
        emitted: dict[tuple[str, str], set[str]] = {}
        entries = set()
        for name in NAMES:
            for row in await self.fetch(name, "SELECT ce_id, key, topic FROM outbox"):
                if row["topic"] == EVENTS:
                    emitted.setdefault((row["key"], name), set()).add(row["ce_id"])
                elif row["topic"] == DIRECTORY:
                    entries.add(row["key"].partition(":")[2])
        seen: dict[tuple[str, str], list[int]] = {}
        known: set[str] = set()
        published: dict[tuple[str, str], set[str]] = {}
        for headers in await self.log():
            if headers["ce_id"] in known:
                continue
            known.add(headers["ce_id"])
            place = (headers["ce_subject"], headers["ce_source"])
            seen.setdefault(place, []).append(int(headers["ce_sequence"]))
            published.setdefault(place, set()).add(headers["ce_id"])
            cause = headers.get("ce_causationid")
            # What is told once of an entry of the directory has that entry as its cause.
            if cause not in entries:
                assert cause is None or cause in known, f"before its cause: {headers}"
        for place, sequence in seen.items():
            assert sequence == list(range(1, len(sequence) + 1)), (place, sequence)
        assert published == emitted

    async def _check_timelines(self, *, untouched: bool) -> None:
        count: Counter[str] = Counter()
        for name in NAMES:
            events = "SELECT key FROM outbox WHERE topic = 'feedback.events'"
            count.update(r["key"] for r in await self.fetch(name, events))
        for row in await self.fetch("tracking", "SELECT feedback_id, seq FROM cases"):
            assert row["seq"] == count[row["feedback_id"]]
        rows = await self.fetch(
            "desk",
            "SELECT c.feedback_id, timeline_length, count(*) AS n FROM cases AS c "
            "JOIN timeline AS t USING (feedback_id) GROUP BY c.feedback_id",
        )
        for row in rows:
            assert row["timeline_length"] == count[row["feedback_id"]]
            # What clocks do among themselves later is counted, and has no line.
            assert row["n"] == row["timeline_length"] or not untouched

    async def _check_mail(self) -> None:
        # A receipt may be followed by word of a moved date when routing was late; each kind once.
        received = Counter(
            (receiver, str(mail.message["Subject"]))
            for mail in self.sink.received
            for receiver in mail.rcpt_to
        )
        twice = [r for r, n in received.items() if n > 1]
        assert not twice, f"somebody was notified twice: {twice}"
        identifiers = [str(mail.message["Message-ID"]) for mail in self.sink.received]
        assert len(identifiers) == len(set(identifiers))
        uncertain = await self.fetch(
            "notification", "SELECT count(*) AS n FROM deliveries WHERE state = 'uncertain'"
        )
        readers = {r for r, _ in received if r.startswith("reader")}
        assert len(readers) + uncertain[0]["n"] >= self.addressed, "somebody was not notified"
