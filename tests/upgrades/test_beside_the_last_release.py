"""Two releases beside each other: the code of the release before on these tables, and back.

One story on one PostgreSQL and one Kafka, each service in its own process, in the order in which an
operator upgrades and goes back. What it shows is what `deploy/README.md` promises.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from services.__main__ import NAMES, builds
from shared.contracts import Event
from shared.contracts.event import REGISTER
from shared.db import service_address
from shared.db.migrate import known
from shared.embedded import start_servers
from shared.release import RELEASE
from tests.fakes.smtp import smtp_sink
from tests.fakes.wechat import FakeWechat
from tests.integration.people import REPLY, Town
from tests.integration.system import ROOT, Apart, until
from tests.patience import PATIENCE
from tests.support import make_runtime
from tests.upgrades.catalogue import Catalogue, broken, catalogue
from tests.upgrades.databases import contracts
from tests.upgrades.last_release import LastRelease, unpack

READERS = ("tracking", "notification", "sla")
"""What emits no event that another service waits for, or few."""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> LastRelease:
    """The code of the release before."""
    return unpack(tmp_path_factory.mktemp("last-release"))


@dataclass
class Releases:
    """A system whose services are replaced by those of another release."""

    town: Town
    old: Path

    @property
    def system(self) -> Apart:
        return self.town.system

    async def replace(self, *names: str, by: Path) -> None:
        """End these services, and start them with the code in `by`."""
        ending = [self.system.children[n] for n in names if n in self.system.children]
        for child in ending:
            child.ask_to_end()
        for child in ending:
            assert await child.ended() == 0, child.tail()
        self.system.start(*names, code=by)
        await self.system.ready(*names)

    async def story(self, text: str) -> str:
        """A comment goes the whole ordinary way; gives the case."""
        contact = {"email": f"{len(self.town.mail.received)}@example.edu"}
        case, code = await self.town.by_web(f"三层东区217{text}，占座到底管不管？", contact=contact)
        await self.answered(case, code, contact["email"])
        return case

    async def answered(self, case: str, code: str, address: str) -> None:
        """What was dispatched comes to its end, and the reporter has the reply once."""
        seen = await self.town.answered_and_rated(case, code)
        assert [reply["text"] for reply in seen["replies"]] == [REPLY]

        async def replied() -> bool:
            return self._replies_to(address) > 0

        await until(replied, within=PATIENCE, what="the reply arrives by mail")
        assert self._replies_to(address) == 1

    def _replies_to(self, address: str) -> int:
        return sum(
            address in str(mail.message["To"]) and REPLY in mail.message.get_content()
            for mail in self.town.mail.received
        )

    async def refused(self) -> dict[str, int]:
        """Events that a service did not take in, by service."""
        found = {}
        for name in NAMES:
            body = await self.system.readiness(name)
            assert body is not None
            one = body["services"][name]
            found[name] = one["dead_letters"] + one["parked"]
        return {name: count for name, count in found.items() if count}

    async def warnings(self, name: str) -> str:
        body = await self.system.readiness(name)
        assert body is not None
        return "; ".join(body["services"][name]["warnings"])

    async def tables(self) -> dict[str, Catalogue]:
        found = {}
        for name in NAMES:
            address = service_address(self.system.env["EXPRESS_DATABASE"], name)
            connection = await address.connect(name="a test")
            found[name] = await catalogue(connection)
            await connection.close()
        return found


@pytest_asyncio.fixture(scope="module")
async def releases(
    old: LastRelease, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Releases]:
    """The system as the release before set it up, running as far as a case needs to begin."""
    directory = tmp_path_factory.mktemp("releases")
    async with AsyncExitStack() as stack:
        servers = await start_servers(directory, kafka=True, postgres=True)
        stack.push_async_callback(servers.stop)
        mail = await stack.enter_async_context(smtp_sink())
        system = Apart(directory, servers, EXPRESS_SMTP=mail.url)
        stack.push_async_callback(system.stop)
        done = await system.run("services", "setup", "--demo", code=old.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        releases = Releases(Town(system, mail, FakeWechat(apps={})), old.folder)
        await system.gateway.start()
        await releases.replace("intake", "routing", "desk", "tracking", by=old.folder)
        yield releases


async def test_one_release_after_another_and_back(releases: Releases) -> None:
    town, system = releases.town, releases.system
    newer = [
        name
        for name in NAMES
        if known(ROOT / "services" / name / "migrations")
        != known(releases.old / "services" / name / "migrations")
    ]
    address = "begun@example.edu"
    case, code = await town.by_web(contact={"email": address})
    await town.sees(code, "DISPATCHED")
    before = await releases.tables()

    # New code on old tables says what to do.
    for name in newer[:1]:
        done = await system.run(f"services.{name}")
        assert done.returncode == 2
        assert "run: python -m services" in done.stderr

    # Set-up of the new release, while the old one runs.
    done = await system.run("services", "setup")
    assert done.returncode == 0, done.stdout + done.stderr
    after = await releases.tables()
    for name in NAMES:
        assert broken(before[name], after[name], contracted(name)) == [], name

    # The old one goes on, starts again, and says that the tables are newer; its set-up leaves them.
    await releases.replace("desk", *READERS, by=releases.old)
    for name in ("desk", *READERS):
        assert ("newer than this code" in await releases.warnings(name)) == (name in newer)
    done = await system.run("services", "setup", code=releases.old)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("nothing to do") == len(newer)
    assert await releases.tables() == after
    await releases.story("被占了一上午")

    # Readers first, as deploy/README.md says.
    await releases.replace(*READERS, by=ROOT)
    await releases.answered(case, code, address)

    # The other way round: the new one writes and the old one reads, also what it never heard of.
    await asyncio.gather(
        releases.replace("intake", "routing", by=ROOT),
        releases.replace(*READERS, by=releases.old),
    )
    case = await releases.story("又被占了")
    await sing(releases, case)
    await heard(releases, case)

    await releases.replace("desk", by=ROOT)
    await releases.story("还是被占")
    assert await releases.refused() == {}


async def sing(releases: Releases, case: str) -> None:
    """Let the new intake emit an event of a type that nobody knows yet."""

    class FeedbackSung(Event, type="feedback.sung.v1", owner="intake", shred=()):
        pass

    del REGISTER[FeedbackSung.type]
    env = releases.system.env
    runtime = make_runtime(env["EXPRESS_DATABASE"], env["EXPRESS_KAFKA"], Path(env["EXPRESS_DATA"]))
    intake = builds()["intake"](runtime)
    await intake.connect()
    async with intake.transaction() as tx:
        await tx.lock(case)
        tx.emit(FeedbackSung(feedback_id=case, at=runtime.clock.now()))
    await intake.engine.dispose()


async def heard(releases: Releases, case: str) -> None:
    """The desk shows that something happened, in a line like others."""

    async def line() -> bool:
        async with await releases.town.as_("coordinator") as coordinator:
            seen = (await coordinator.get(f"/api/cases/{case}")).json()
        return any(one["type"] == "feedback.sung" and one["text"] for one in seen["timeline"])

    await until(line, within=PATIENCE, what="the unknown event is a line of the timeline")


def contracted(name: str) -> set[str]:
    """What the migrations of this release say they take away from a service."""
    migrations = ROOT / "services" / name / "migrations"
    new = [revision for revision, said in known(migrations).items() if said.release == RELEASE]
    return {taken for revision in new for taken in contracts(migrations, revision)}


def test_what_a_migration_takes_away_was_not_named_by_the_release_before(old: LastRelease) -> None:
    named = old.names()
    assert not any(named[name] & contracted(name) for name in NAMES)
