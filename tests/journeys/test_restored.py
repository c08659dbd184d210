"""Backups put back: with the log ahead of them, and with no log at all."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.__main__ import builds
from services.intake import store as intake_store
from services.recovery import READERS_FIRST
from services.routing.store import vectors
from shared.backup import recovering
from shared.backup.archive import Archive
from shared.backup.errors import BackupError
from shared.backup.recovering import Choices, Recovery, check_choices, recover
from shared.backup.taking import take_backup
from shared.contracts import EVENTS
from shared.db import DatabaseNotReady
from shared.db.engine import driver_of
from shared.embedded import Servers, start_servers
from shared.messaging.directory import Directory
from shared.messaging.offsets import ends_of
from shared.messaging.recollecting import read_between
from shared.messaging.restore import restore_log
from shared.process import set_up
from shared.service import Runtime, Service
from tests.fakes.smtp import Mode, SmtpSink, smtp_sink
from tests.journeys.conftest import Town, founded, runtime_on
from tests.patience import PATIENCE
from tests.support import at

SEAT = "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？"


@dataclass
class Site:
    """Two servers and a mail server, on which the system is opened and closed again."""

    servers: Servers
    data: Path
    mail: SmtpSink
    runtime: Runtime

    def anew(self) -> Runtime:
        """What a process that starts now knows."""
        return dataclasses.replace(self.runtime, directory=Directory())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Town]:
        async with founded(self.anew()) as town:
            yield town

    async def services(self) -> list[Service]:
        """As the commands have them: built and connected, not running."""
        runtime, known = self.anew(), builds()
        services = [known[name](runtime) for name in READERS_FIRST]
        for service in services:
            await service.connect()
        return services

    async def backup(self, name: str) -> Archive:
        services = await self.services()
        target = self.data / f"{name}.backup"
        await take_backup(services, self.runtime.kafka, target)
        await _close(services)
        return Archive(target)

    async def restore(self, archive: Archive, **choices: bool) -> Recovery:
        services = await self.services()
        chosen = Choices(replace=True, **choices)
        try:
            await check_choices(services, archive, chosen)
            return await recover(services, self.runtime.kafka, archive, chosen)
        finally:
            await _close(services)


async def _close(services: list[Service]) -> None:
    for service in services:
        await service.engine.dispose()


async def index_of_an_extension(services: list[Service]) -> None:
    """What the account of a service could not install: whoever restores does."""
    (routing,) = (one for one in services if one.name == "routing")
    async with routing.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        assert await vectors.index(driver_of(connection), "a model", 8)


@pytest_asyncio.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    data: Path = tmp_path_factory.mktemp("site")
    servers = await start_servers(data, kafka=True, postgres=True)
    try:
        async with smtp_sink() as mail:
            assert servers.database_url and servers.kafka_address
            addresses = (servers.database_url, servers.kafka_address)
            runtime = runtime_on(*addresses, data, smtp=mail.url, wechat="")
            site = Site(servers, data, mail, runtime)
            services = await site.services()
            await set_up(services, runtime.kafka, demo=True)
            await index_of_an_extension(services)
            await _close(services)
            yield site
    finally:
        await servers.stop()


@dataclass
class Seen:
    """What people see of a case."""

    case: dict[str, Any] = field(default_factory=dict)
    track: dict[str, Any] = field(default_factory=dict)


async def look(town: Town, *receipts: dict[str, Any]) -> dict[str, Seen]:
    found = {}
    async with await town.as_("coordinator") as office:
        for receipt in receipts:
            answer = await office.get(f"/api/cases/{receipt['feedback_id']}")
            assert answer.status_code == 200, answer.text
            track = await town.track(receipt["tracking_code"])
            found[receipt["feedback_id"]] = Seen(answer.json(), track)
    return found


async def act(town: Town, who: str, receipt: dict[str, Any], action: str, **body: Any) -> None:
    answer = await town.act(who, receipt["feedback_id"], action, **body)
    assert answer.status_code == 200, answer.text


async def say(town: Town, receipt: dict[str, Any], action: str, **body: Any) -> None:
    async with town.web() as visitor:
        path = f"/api/track/{receipt['tracking_code']}/{action}"
        answer = await visitor.post(path, json=body)
    assert answer.status_code == 200, answer.text


async def settle(town: Town) -> None:
    """Until nothing is on its way, and every message has gone."""
    await town.quiet()
    town.clock.later(seconds=15)
    service = town.services["notification"]
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        async with service.engine.connect() as connection:
            waiting = await connection.exec_driver_sql(
                "SELECT count(*) FROM deliveries WHERE state IN ('ready', 'retry', 'sending', "
                "'awaiting_contact')"
            )
            if not waiting.scalar_one():
                break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError("messages are still waiting")
    await town.quiet()


async def dispatched(town: Town, text: str = SEAT) -> dict[str, Any]:
    receipt = await town.submit(text, place="三层东区", contact={"email": f"r{len(text)}@x.cn"})
    await town.sees(receipt["tracking_code"], "DISPATCHED")
    await act(town, "liaison.space", receipt, "accept")
    return receipt


async def in_work(town: Town, text: str = SEAT) -> dict[str, Any]:
    receipt = await dispatched(town, text)
    await act(town, "liaison.space", receipt, "assign", to="handler.space")
    return receipt


async def numbers_are_sound(town: Town) -> None:
    """No number of the log was ever given to two events, and none is missing."""
    given: dict[tuple[str, str], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))

    ends = await ends_of(town.runtime.kafka, [EVENTS])
    async for records in read_between(town.runtime.kafka, dict.fromkeys(ends, 0), ends):
        for r in records:
            given[r.feedback_id or "", r.source][r.sequence or 0].add(r.ce_id or "")
    for of, numbers in given.items():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), of
        assert all(len(ids) == 1 for ids in numbers.values()), of


def same(before: Seen, after: Seen, *, tracked: bool = True) -> None:
    """Everything people see is as it was; the order of what two services said meanwhile is not."""
    for name in ("state", "department", "category", "priority", "promises", "overdue"):
        assert after.case[name] == before.case[name], name
    for name in ("replies", "text", "title", "due"):
        assert after.case[name] == before.case[name], name
    lines = [[(x["type"], x["text"]) for x in seen.case["timeline"]] for seen in (before, after)]
    assert sorted(lines[0]) == sorted(lines[1])
    if tracked:
        assert after.track == before.track


async def test_databases_an_hour_old_are_brought_up_to_a_log_that_is_whole(site: Site) -> None:
    async with site.open() as town:
        town.clock.set(at("2026-03-04 10:00"))
        answered = await in_work(town)
        erased = await town.submit(
            "我的电话是 13987654321，请回电。", contact={"phone": "13987654321"}
        )
        await town.sees_any(erased["tracking_code"])
        await settle(town)
        archive = await site.backup("hour")

        town.clock.later(hours=1)
        await act(town, "handler.space", answered, "note", text="看过了")
        reply = "已清理，电话 13812345678 可以问。"
        await act(town, "handler.space", answered, "reply", text=reply, outcome="solved")
        await town.sees(answered["tracking_code"], "REPLIED")
        await say(town, answered, "rate", stars=4, solved="yes", comment="谢谢")
        await town.sees(answered["tracking_code"], "CLOSED")

        waiting = await in_work(town, SEAT + "第二次。")
        await act(town, "handler.space", waiting, "ask", question="是哪一天？")
        await town.sees(waiting["tracking_code"], "WAITING_USER")
        await say(town, waiting, "supplement", text="是周二，我叫欧阳小明。")
        await town.sees(waiting["tracking_code"], "IN_PROGRESS")
        returned = await dispatched(town, SEAT + "第三次，也没有人管。")
        await act(town, "liaison.space", returned, "return", reason="不归我们管")
        gone = await town.submit("不记得了", contact={"email": "gone@x.cn"})
        await town.sees_any(gone["tracking_code"])
        async with town.services["intake"].transaction() as tx:
            for case in (gone, erased):
                await intake_store.erase(tx, case["feedback_id"])
        await settle(town)
        await town.later(days=1)
        await settle(town)
        receipts = (answered, waiting, returned, gone, erased)
        before = await look(town, *receipts)
        sent = len(site.mail.received)
        await town.sound()

    done = await site.restore(archive)
    assert done.log == "intact"
    missing = {one.service: {k for k, of in one.missing.items() if of} for one in done.services}
    assert {what.split(":")[0] for what in missing["desk"]} == {"internal notes"}
    assert missing["notification"] == missing["sla"] == missing["routing"] == set()

    async with site.open() as town:
        await settle(town)
        after = await look(town, *receipts)
        for case in before:
            same(before[case], after[case])
        async with await town.as_("auditor") as auditor:
            for case in before:
                record = (await auditor.get(f"/api/cases/{case}/readings")).json()
                assert record["differences"] == []
        await settle(town)
        assert len(site.mail.received) == sent
        # Life goes on, under numbers nobody has seen yet.
        await act(town, "handler.space", waiting, "reply", text="处理好了", outcome="solved")
        await town.sees(waiting["tracking_code"], "REPLIED")
        await act(town, "coordinator", returned, "dispatch", department="it", reason="请看看")
        await town.sees(returned["tracking_code"], "DISPATCHED")
        await say(town, answered, "reopen", reason="又来了")
        await town.sees(answered["tracking_code"], "TRIAGE")
        await settle(town)
        assert len(site.mail.received) > sent
        await numbers_are_sound(town)
        await town.sound()
        async with town.services["intake"].engine.connect() as connection:
            known = await connection.exec_driver_sql("SELECT * FROM submissions")
            words = await connection.exec_driver_sql("SELECT text FROM words")
            everything = str(known.all())
            assert "13987654321" not in everything
            assert "gone@x.cn" not in everything
            assert "欧阳小明" in str(words.all())
        async with town.services["desk"].engine.connect() as connection:
            private = str((await connection.exec_driver_sql("SELECT * FROM private")).all())
            assert "13987654321" not in private
            written = str((await connection.exec_driver_sql("SELECT * FROM private_words")).all())
            assert "欧阳小明" in written


async def test_a_log_that_is_gone_is_made_of_the_outboxes_also_of_recollected_ones(
    site: Site,
) -> None:
    async with site.open() as town:
        town.clock.set(at("2026-03-11 10:00"))
        receipt = await in_work(town, SEAT + "又一次。")
        await settle(town)
        before = await look(town, receipt)
        sent = len(site.mail.received)
    await _lose_the_log(site)
    services = await site.services()
    await restore_log(services, site.runtime.kafka)
    await _close(services)
    async with site.open() as town:
        await settle(town)
        same(before[receipt["feedback_id"]], (await look(town, receipt))[receipt["feedback_id"]])
        assert len(site.mail.received) == sent
        await numbers_are_sound(town)
        await town.sound()


async def test_with_both_gone_nothing_is_sent_twice_and_what_is_held_is_listed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site.open() as town:
        town.clock.set(at("2026-03-18 10:00"))
        known = await in_work(town, SEAT + "第四次。")
        await settle(town)
        site.mail.mode = Mode.LATER
        await act(town, "handler.space", known, "ask", question="是哪一天？")
        await town.sees(known["tracking_code"], "WAITING_USER")
        await town.quiet()
        archive = await site.backup("both")
        before = (await look(town, known))[known["feedback_id"]]
        # The question goes out after the backup; nobody will be able to know.
        site.mail.mode = Mode.ACCEPT
        town.clock.later(minutes=10)
        await settle(town)
        after_backup = await town.submit("备份之后写的", contact={"email": "later@x.cn"})
        await town.sees_any(after_backup["tracking_code"])
        await settle(town)
        sent = len(site.mail.received)
        await _refuses_while_somebody_runs(site, archive)
    await _lose_the_log(site)
    await _leaves_what_was_there_when_it_fails(site, archive, monkeypatch)
    await _lets_nobody_start_on_half_of_it(site, archive, monkeypatch)

    done = await site.restore(archive)
    assert done.log == "sent again"
    missing = {one.service: one.missing for one in done.services}
    ((held, which),) = missing["notification"].items()
    assert "may have gone out" in held
    assert len(which) == 1

    async with site.open() as town:
        await settle(town)
        seen = (await look(town, known))[known["feedback_id"]]
        held_back = [x for x in seen.case["timeline"] if x["type"] == "notification.failed"]
        assert len(held_back) == 1
        seen.case["timeline"].remove(held_back[0])
        same(before, seen, tracked=False)
        assert len(site.mail.received) == sent
        async with await town.as_("coordinator") as office:
            gone = await office.get(f"/api/cases/{after_backup['feedback_id']}")
            assert gone.status_code == 404
            asked = await office.post(f"/api/notification/deliveries/{which.pop()}/resend")
            assert asked.status_code == 200, asked.text
        await settle(town)
        assert len(site.mail.received) == sent + 1
        await say(town, known, "supplement", text="是周三。")
        await town.sees(known["tracking_code"], "IN_PROGRESS")
        await settle(town)
        await numbers_are_sound(town)
        await town.sound()


async def _refuses_while_somebody_runs(site: Site, archive: Archive) -> None:
    services = await site.services()
    with pytest.raises(BackupError, match=r"stop all services first: express_desk \("):
        await check_choices(services, archive, Choices(replace=True))
    await _close(services)


async def _leaves_what_was_there_when_it_fails(
    site: Site, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await _counted(site)
    put_dump = recovering.put_dump

    async def fail(tool: Any, url: str, service: Service, *more: Any) -> None:
        if service.name == "desk":
            raise BackupError("the disk is full")
        await put_dump(tool, url, service, *more)

    with monkeypatch.context() as patched:
        patched.setattr(recovering, "put_dump", fail)
        with pytest.raises(BackupError, match="disk is full"):
            await site.restore(archive)
    assert await _counted(site) == before


async def _lets_nobody_start_on_half_of_it(
    site: Site, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(recovering, "create_topics", killed)
        with pytest.raises(RuntimeError, match="killed"):
            await site.restore(archive)
    services = await site.services()
    with pytest.raises(DatabaseNotReady, match="restore FILE --replace"):
        await services[0].start()
    await services[0].engine.dispose()
    with pytest.raises(BackupError, match="not empty: express_desk"):
        await check_choices(services, archive, Choices())
    settings = site.runtime.settings.model_copy(
        update={"data": site.data / "x", "secret": "y" * 16}
    )
    services[0].runtime = dataclasses.replace(site.runtime, settings=settings)
    with pytest.raises(BackupError, match="EXPRESS_CODE_SECRET"):
        await check_choices(services, archive, Choices(replace=True))
    await check_choices(services, archive, Choices(replace=True, other_keys=True))
    await _close(services)


async def _lose_the_log(site: Site) -> None:
    """A broker that has nothing any more, and that nobody remembers."""
    kafka = site.servers.kafka
    assert kafka is not None
    await kafka.stop()
    shutil.rmtree(kafka.directory)
    site.runtime = dataclasses.replace(site.runtime, kafka=await kafka.start())


async def _counted(site: Site) -> dict[str, int]:
    counted = {}
    services = await site.services()
    for service in services:
        await service.check_database()
        async with service.engine.connect() as connection:
            found = await connection.exec_driver_sql("SELECT count(*) FROM streams")
            counted[service.name] = found.scalar_one()
    await _close(services)
    return counted
