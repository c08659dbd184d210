"""Who is forgotten gets no more messages, and no address stands where it does not belong."""

from __future__ import annotations

import pytest

from shared.contracts.intake import PrivateErased
from tests.fakes.smtp import Mode, SmtpSink
from tests.service.notification.support import (
    CANARY,
    CODE,
    OWN_WORDS,
    Watch,
    a_comment,
    private,
    promised,
    received_case,
    replied,
    routed,
)
from tests.support import at


async def test_an_erased_reporter_is_forgotten_and_hears_no_more(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(*received_case("f1"))
    await watch.process(PrivateErased(feedback_id="f1", at=watch.clock.now()))
    await watch.process(replied("f1", "好了"))
    await watch.later(minutes=1)
    assert sink.received == []
    assert [
        (r["state"], r["receiver"], r["rate_limit_key"], r["params"])
        for r in await watch.ledger("f1")
    ] == [
        ("suppressed", "", "", {}),
        ("suppressed", "", "", {}),
    ]
    async with watch.service.engine.connect() as connection:
        left = await connection.exec_driver_sql("SELECT count(*) FROM contacts")
        assert left.scalar_one() == 0


async def test_a_copy_of_the_contact_that_comes_late_brings_nobody_back(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(PrivateErased(feedback_id="f1", at=watch.clock.now()))
    await watch.process(*received_case("f1"))
    await watch.process(replied("f1", "好了"))
    await watch.later(minutes=1)
    assert sink.received == []
    assert {s for *_, s in await watch.states("f1")} == {"suppressed"}
    async with watch.service.engine.connect() as connection:
        left = await connection.exec_driver_sql("SELECT count(*) FROM contacts")
        assert left.scalar_one() == 0
        known = await connection.exec_driver_sql("SELECT known::text FROM cases")
        assert OWN_WORDS[:8] not in known.scalar_one()


async def test_an_old_log_brings_replies_but_no_stale_receipts(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(*received_case("f1"))
    long_ago = [
        a_comment("f2", at=at("2026-02-01 10:00")),
        private("f2"),
        promised("f2"),
        routed("f2"),
        replied("f2", "二月的答复", "2026-02-02 10:00"),
    ]
    await watch.process(*long_ago)
    await watch.later(seconds=2)
    assert await watch.states("f2") == [("receipt", "", "suppressed"), ("reply", "email", "sent")]


async def test_no_address_stands_in_ledger_log_or_events(
    watch: Watch, sink: SmtpSink, capsys: pytest.CaptureFixture[str]
) -> None:
    sink.modes["gone@mail.example"] = Mode.REFUSE
    await watch.process(*received_case("f1"))
    await watch.process(
        a_comment("f2"), private("f2", email="gone@mail.example"), promised("f2"), routed("f2")
    )
    await watch.later(seconds=2)
    seen = await watch.everything_emitted()
    seen += str(await watch.ledger("f1")) + str(await watch.ledger("f2"))
    seen += "".join(capsys.readouterr())
    for secret in (CANARY, "canary.8371", "gone@", "mail.example", CODE, OWN_WORDS):
        assert secret not in seen
    assert ("notification.failed", "receipt", "email") in await watch.emitted("f2")
