"""Canaries: what tells who somebody is goes in everywhere, and is looked for everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.intake import store
from shared.contracts import DIRECTORY, EVENTS
from tests import support
from tests.fakes.wechat_callbacks import CallbackSender
from tests.journeys.conftest import Town

PHONE, MAIL, STUDENT = "13987654321", "canary.bird@example.edu", "2200054321"
IDENTITY, NAME, OPENID = "11010519491231002X", "金丝雀三世", "oCanaryOpenId000"
CANARIES = (PHONE, MAIL, STUDENT, IDENTITY, NAME, OPENID)
WORDS = f"占座没人管。我叫{NAME}，电话{PHONE}，{MAIL}，学号 {STUDENT}，证件 {IDENTITY}。"
CONTACT = {"name": NAME, "phone": PHONE, "email": MAIL, "wechat_openid": OPENID}
PRIVATE_TABLES = {
    "intake": {"submissions", "words", "outbox", "chats", "chat_messages", "unreached"},
    "desk": {"private", "private_words"},
    "notification": {"contacts"},
}
"""Where it may stand. Of intake's outbox only what goes to ``feedback.private``."""


def found_in(text: object, *, but: tuple[str, ...] = ()) -> list[str]:
    return [c for c in CANARIES if c in str(text) and c not in but]


async def rows_of(town: Town, service: str) -> list[tuple[str, str]]:
    """Every row of every table of a service, readable."""
    found = []
    async with town.services[service].engine.connect() as connection:
        tables = await connection.exec_driver_sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        for (table,) in tables.all():
            rows = await connection.exec_driver_sql(f'SELECT * FROM "{table}"')
            for row in rows.mappings():
                if table == "outbox" and row["topic"] == "feedback.private":
                    continue
                values = [
                    bytes(v).decode("utf-8", "replace") if isinstance(v, bytes | memoryview) else v
                    for v in row.values()
                ]
                found.append((table, str(values)))
    return found


async def log_of(town: Town, *topics: str) -> list[str]:
    consumer = AIOKafkaConsumer(bootstrap_servers=town.runtime.kafka)
    await consumer.start()
    try:
        partitions = [TopicPartition(t, n) for t in topics for n in range(12)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += [
                    f"{r.key!r} {r.headers} {(r.value or b'').decode('utf-8', 'replace')}"
                    for r in batch
                ]
        return found
    finally:
        await consumer.stop()


async def submit_everywhere(town: Town, **more: Any) -> list[dict[str, Any]]:
    """The same through every entry point; the receipts."""
    body = {"text": WORDS, "title": WORDS, "place": WORDS, "contact": CONTACT} | more
    receipts = []
    async with town.web() as web:
        receipts.append((await web.post("/api/feedback", json=body)).json())
        form = {k: v for k, v in body.items() if isinstance(v, str)}
        form |= {f"contact.{k}": v for k, v in CONTACT.items()}
        form |= {k: "on" for k, v in more.items() if v is True}
        await web.post("/api/feedback", data=form, headers={"Accept": "text/html"})
    token = support.adapter_token(town.runtime, "canary")
    async with town.web(token) as program:
        source = {"channel": "wechat", "source_message_id": f"canary {more}"}
        answer = await program.post("/api/feedback", json=body | source)
        receipts.append(answer.json())
    async with await town.as_("clerk") as clerk:
        answer = await clerk.post(
            "/api/desk/feedback", json=body | {"desk": f"台口 {PHONE}", "on_behalf_of": NAME}
        )
        receipts.append(answer.json())
    return receipts


async def say_more(town: Town, receipt: dict[str, Any]) -> None:
    """A case goes its way, and its reporter says who they are at every turn of it."""
    code, case_id = receipt["tracking_code"], receipt["feedback_id"]
    await town.sees(code, "DISPATCHED")
    async with town.web() as web:
        path = f"/api/track/{code}"
        assert (await web.post(f"{path}/supplement", json={"text": WORDS})).status_code == 200
        for who, action, body in (
            ("liaison.space", "accept", {}),
            ("handler.space", "claim", {}),
            ("handler.space", "note", {"text": WORDS}),
            ("handler.space", "reply", {"text": "已处理。", "outcome": "solved"}),
        ):
            answer = await town.act(who, case_id, action, **body)
            assert answer.status_code == 200, answer.text
        await town.sees(code, "REPLIED")
        await town.quiet()  # what the page shows, intake may not know yet
        rating = {"stars": 2, "solved": "no", "comment": WORDS}
        assert (await web.post(f"{path}/rate", json=rating)).status_code == 200
        await town.sees(code, "CLOSED")
        await town.quiet()
        assert (await web.post(f"{path}/reopen", json={"reason": WORDS})).status_code == 200
        await town.sees(code, "TRIAGE")


async def test_who_it_is_stays_where_it_belongs(
    town: Town, capfd: pytest.CaptureFixture[str]
) -> None:
    receipts = await submit_everywhere(town)
    now = int(town.clock.now().timestamp())
    push = CallbackSender("", "tok", "wx1")
    said = WORDS.replace(NAME, "小明")  # who gave no name is not known by it
    query, body = push.sealed(push.text(OPENID, said, msg_id="canary", created=now), timestamp=now)
    async with town.web() as web:
        assert (await web.post("/wechat/main", params=query, content=body)).status_code == 200
    await say_more(town, receipts[0])
    await town.sound()

    log = await log_of(town, EVENTS, DIRECTORY)
    assert len(log) > 50
    for record in log:
        assert found_in(record) == [], record
    for service in town.services:
        for table, row in await rows_of(town, service):
            if table not in PRIVATE_TABLES.get(service, set()):
                assert found_in(row) == [], table
    async with town.web() as web:
        assert found_in((await web.get("/metrics")).text) == []
        assert found_in((await web.get("/health/ready")).text) == []
    out, err = capfd.readouterr()
    assert found_in(err) == []
    assert found_in(out, but=(MAIL, OPENID)) == []  # the console stands for mail here
    for receipt in receipts:
        assert receipt["tracking_code"] not in "".join(log)
        assert receipt["tracking_code"] not in err


async def test_only_who_has_to_answer_knows_who_asks(town: Town) -> None:
    receipts = await submit_everywhere(town)
    for receipt in receipts:
        await town.sees(receipt["tracking_code"], "DISPATCHED")
    await town.quiet()
    for receipt in receipts:
        path = f"/api/cases/{receipt['feedback_id']}"
        for who, knows in (
            ("coordinator", True),
            ("leader", True),
            ("handler.space", True),
            ("liaison.space", True),
            ("auditor", False),
        ):
            async with await town.as_(who) as staff:
                answer = await staff.get(path)
                assert answer.status_code == 200, who
                page = await staff.get(f"/desk/cases/{receipt['feedback_id']}")
                for shown in (answer.text, page.text):
                    assert (PHONE in shown) is knows, who
                    assert (found_in(shown) != []) is knows, who
        for who in ("liaison.it", "handler.it", "reviewer.it", "admin", "student"):
            async with await town.as_(who) as staff:
                assert (await staff.get(path)).status_code == 404, who
    for who in ("auditor", "liaison.it", "student", "admin", "clerk", "coordinator"):
        async with await town.as_(who) as staff:
            for canary in CANARIES[:5]:
                query = {"q": canary, "queue": "all", "limit": 200}
                items = (await staff.get("/api/cases", params=query)).json()["items"]
                if who not in ("clerk", "coordinator"):
                    assert items == [], (who, canary)
                # A case is found by what its finder reads in it, and by nothing else.
                for item in items:
                    case = await staff.get(f"/api/cases/{item['feedback_id']}")
                    assert canary in case.text, (who, canary)
                if who == "coordinator":
                    found = {item["feedback_id"] for item in items}
                    assert {receipt["feedback_id"] for receipt in receipts} <= found, canary
            for path in ("/api/dashboard", "/dashboard", "/desk?queue=all"):
                assert found_in((await staff.get(path)).text, but=CANARIES[:0]) == [], (who, path)
            for receipt in receipts:
                for path in ("/api/routing/cases/", "/api/notification/deliveries?feedback_id="):
                    assert found_in((await staff.get(path + receipt["feedback_id"])).text) == []


async def test_a_department_does_not_learn_who_asked_in_confidence(town: Town) -> None:
    for receipt in await submit_everywhere(town, confidential=True):
        # The rules keep such a case in the office; a person may send it on all the same.
        seen = await town.sees(receipt["tracking_code"], "DISPATCHED")
        assert seen["department"] == "relations"
        await town.quiet()
        for who, action, body in (
            ("liaison.relations", "return", {"reason": "请空间部办理"}),
            ("coordinator", "dispatch", {"department": "space"}),
        ):
            answer = await town.act(who, receipt["feedback_id"], action, **body)
            assert answer.status_code == 200, answer.text
            if who != "coordinator":
                assert found_in(answer.text) == []
        for who in ("liaison.space", "handler.space", "reviewer.space", "auditor"):
            async with await town.as_(who) as staff:
                for path in ("/api/cases/", "/desk/cases/"):
                    answer = await staff.get(path + receipt["feedback_id"])
                    assert answer.status_code == 200, who
                    assert found_in(answer.text) == [], (who, path)
        async with await town.as_("clerk") as clerk:
            assert (await clerk.get(f"/api/cases/{receipt['feedback_id']}")).status_code == 404
        async with await town.as_("coordinator") as office:
            assert PHONE in (await office.get(f"/api/cases/{receipt['feedback_id']}")).text


async def test_who_wants_no_name_has_none(town: Town) -> None:
    """Not even the office learns it; an address left on purpose only serves to deliver."""
    body = {"text": "占座没人管，座位一直没人", "contact": CONTACT, "anonymous": True}
    async with town.web() as web:
        receipts = [(await web.post("/api/feedback", json=body)).json()]
    async with await town.as_("clerk") as clerk:
        more = {"on_behalf_of": NAME, "desk": "一层"}
        receipts.append((await clerk.post("/api/desk/feedback", json=body | more)).json())
    for receipt in receipts:
        await town.sees(receipt["tracking_code"], "DISPATCHED")
        await town.quiet()
        for service in town.services:
            for table, row in await rows_of(town, service):
                if receipt["feedback_id"] in row:
                    assert found_in(row, but=(MAIL, OPENID)) == [], (service, table)
        for who in ("liaison.space", "handler.space", "auditor", "coordinator", "leader"):
            async with await town.as_(who) as staff:
                shown = (await staff.get(f"/api/cases/{receipt['feedback_id']}")).text
                assert NAME not in shown
                assert PHONE not in shown
                if who not in ("coordinator", "leader"):
                    assert found_in(shown) == [], who


async def test_who_is_erased_is_nowhere_any_more(town: Town) -> None:
    receipts = await submit_everywhere(town)
    await say_more(town, receipts[0])
    await town.quiet()
    erased = [r["feedback_id"] for r in receipts]
    intake = town.services["intake"]
    for feedback_id in erased:
        async with intake.transaction() as tx:
            assert await store.erase(tx, feedback_id)
    await town.sound()
    for service in town.services:
        for table, row in await rows_of(town, service):
            if any(feedback_id in row for feedback_id in erased):
                assert found_in(row) == [], (service, table, row)
                # What was said goes from where it is only needed to learn from.
                assert (service, table) not in {("routing", "cases"), ("routing", "vectors")}
    async with await town.as_("coordinator") as office:
        for feedback_id in erased:
            case = (await office.get(f"/api/cases/{feedback_id}")).json()
            assert "contact" not in case or not case["contact"]
            assert found_in({**case, "notes": []}) == []
    async with town.web() as web:
        answer = await web.get(f"/api/track/{receipts[0]['tracking_code']}")
        assert answer.status_code == 200
        assert found_in(answer.text) == []
