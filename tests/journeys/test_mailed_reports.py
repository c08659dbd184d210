"""A week is over, and on Monday morning it lies in the leader's mailbox."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from services.desk.store.people import list_person, person
from services.tracking.jobs import reports
from tests.fakes.smtp import SmtpSink, smtp_sink
from tests.ground import Ground
from tests.journeys.conftest import Town, founded, runtime_on
from tests.patience import PATIENCE
from tests.support import at

LEADER, HEAD = "leader@library.example", "head@library.example"


async def reads_mail(town: Town, username: str, email: str) -> None:
    async with town.services["desk"].transaction() as tx:
        row = await person(tx, username)
        assert row is not None
        row.email = email
        list_person(tx, row)
    end = time.monotonic() + PATIENCE
    while town.runtime.directory.people[username].email != email:
        assert time.monotonic() < end, "the directory never knew the address"
        await asyncio.sleep(0.05)


def reports_in(sink: SmtpSink) -> list[tuple[str, str]]:
    """(receiver, text) of the mails that bring a report."""
    found = [
        (r.rcpt_to[0], str(r.message.get_body(("plain",)).get_content()))  # type: ignore[union-attr]
        for r in list(sink.received)
    ]
    return [(to, text) for to, text in found if "/reports?kind=" in text]


async def mail_to(sink: SmtpSink, address: str) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for to, text in reports_in(sink):
            if to == address:
                return text
        await asyncio.sleep(0.05)
    raise AssertionError(f"no report for {address}: {len(sink.received)} mails")


async def what_became(town: Town, *readers: str) -> dict[str, str]:
    """Reader → outcome, as the page of the office says, once it knows of all these."""
    async with await town.as_("coordinator") as office:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            mails = (await office.get("/api/reports/mailed")).json()["mails"]
            known = {m["staff"]: m["outcome"] for m in mails}
            if known.keys() >= set(readers):
                return known
            await asyncio.sleep(0.05)
    raise AssertionError(known)


async def test_the_week_comes_by_mail_with_the_figures_of_the_page(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "EVERY", 0.2)
    await ground.clear()
    async with smtp_sink() as sink:
        where = (ground.database, ground.kafka, tmp_path)
        runtime = runtime_on(*where, smtp=sink.url, reports="on")
        async with founded(runtime) as town:
            await reads_mail(town, "leader", LEADER)
            await reads_mail(town, "reviewer.facilities", HEAD)
            said = await town.submit("三楼的空调像北极一样冷")
            await town.submit("借书机坏了，还不了书")
            await town.quiet()
            # What passed over the weekend is marked before, as on any other Monday.
            await town.later(days=4, hours=21, minutes=29)
            await town.quiet()
            assert reports_in(sink) == []
            town.clock.set(at("2026-03-09 07:30"))
            # Nobody asks for it: the job that runs finds it due.
            whole, own = await mail_to(sink, LEADER), await mail_to(sink, HEAD)
            async with await town.as_("leader") as leader:
                body = (await leader.get("/api/reports?kind=week&at=2026-03-04")).json()
            assert body["totals"]["received"] == 2
            assert "收到 2 件" in whole
            for one in body["definitions"]:
                begins = f"{one['name']}："
                (line,) = [x for x in whole.splitlines() if x.startswith(begins)]
                assert f"(n = {body[one['key']]['n']}" in line
            assert "全馆中位数" in own
            assert "全馆中位数" not in whole
            # No words of a reporter, no case.
            for mail in (whole, own):
                assert "北极" not in mail
                assert said["feedback_id"] not in mail
            known = await what_became(town, "leader", "reviewer.facilities")
            assert known["leader"] == known["reviewer.facilities"] == "sent"
            await town.sound()
            assert sorted(to for to, _ in reports_in(sink)) == [HEAD, LEADER]
