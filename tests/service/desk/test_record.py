"""The record of a case: a changed byte is found, a copy proves itself, a look is kept."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.desk.store.record import read_record
from services.desk.store.seal_marks import read_mark
from services.desk.store.sealed import SEALED as SEALED_TABLES
from shared.clock import ManualClock
from shared.contracts.intake import PrivateErased
from shared.db.engine import driver_of
from shared.ids import new_id
from shared.messaging.row_buffer import RowBuffer, values_of
from shared.messaging.seals import Sealer
from shared.security import Signer
from tests.service.desk import examples
from tests.service.desk.conftest import Desk

CHANGES = {
    "a sentence of the timeline": (
        "UPDATE timeline SET data = jsonb_set(data, '{reason}', '\"it was not us\"') "
        "WHERE feedback_id = :id AND type = 'case.returned'",
        "timeline",
    ),
    "a moment of the timeline": (
        "UPDATE timeline SET at = at + interval '1 microsecond' "
        "WHERE feedback_id = :id AND type = 'case.replied'",
        "timeline",
    ),
    "who did it": (
        "UPDATE timeline SET by = jsonb_set(by, '{name}', '\"handler.spade\"') "
        "WHERE feedback_id = :id AND type = 'case.replied'",
        "timeline",
    ),
    "a line that is gone": (
        "DELETE FROM timeline WHERE feedback_id = :id AND type = 'case.accepted'",
        "timeline",
    ),
    "the last line": (
        "DELETE FROM timeline WHERE feedback_id = :id "
        "AND seq = (SELECT max(seq) FROM timeline WHERE feedback_id = :id)",
        "timeline",
    ),
    "a reply": (
        "UPDATE messages SET text = text || '。' WHERE feedback_id = :id AND kind = 'reply'",
        "messages",
    ),
    "a note that is gone": (
        "DELETE FROM messages WHERE feedback_id = :id AND kind = 'note'",
        "messages",
    ),
    "words put in without a hash": (
        "INSERT INTO messages (message_id, feedback_id, kind, at, text) "
        "VALUES ('~', :id, 'reply', now(), 'x')",
        "messages",
    ),
    "the end of the chain": (
        "UPDATE cases SET timeline_hash = reverse(timeline_hash) WHERE feedback_id = :id",
        "timeline",
    ),
    "the outbox": (
        "UPDATE outbox SET body = convert_to(replace(convert_from(body, 'UTF8'), "
        "'not our department', 'not our depertment'), 'UTF8') WHERE key = :id",
        "outbox",
    ),
    "a look": (
        "UPDATE readings SET username = 'nobody' WHERE feedback_id = :id",
        "readings",
    ),
    "the reporter's words": (
        "UPDATE words SET text = text || 'x' WHERE feedback_id = :id",
        "words",
    ),
    "the reporter's words are gone": ("DELETE FROM words WHERE feedback_id = :id", "words"),
    "the words in full": (
        "UPDATE private SET text = text || 'x' WHERE feedback_id = :id",
        "private",
    ),
    "the contact": (
        "UPDATE private SET contact = jsonb_set(contact, '{name}', '\"x\"') "
        "WHERE feedback_id = :id",
        "private",
    ),
    "later words in full": (
        "UPDATE private_words SET text = text || 'x' WHERE feedback_id = :id",
        "private_words",
    ),
    "later words in full are gone": (
        "DELETE FROM private_words WHERE feedback_id = :id",
        "private_words",
    ),
    "what routing thought": (
        "UPDATE decisions SET confidence = confidence / 2 WHERE feedback_id = :id",
        "decisions",
    ),
    "the state": ("UPDATE cases SET state = 'CLOSED' WHERE feedback_id = :id", "cases"),
    "the state, and its seal": (
        "UPDATE cases SET state = 'CLOSED', seal = NULL WHERE feedback_id = :id",
        "outbox",
    ),
    "a decision that is gone": ("DELETE FROM decisions WHERE feedback_id = :id", "decisions"),
    "a look that is gone": ("DELETE FROM readings WHERE feedback_id = :id", "readings"),
}


async def differences(desk: Desk, feedback_id: str) -> list[str]:
    async with desk.service.engine.connect() as connection:
        record = await read_record(
            driver_of(connection).fetch, feedback_id, desk.service.runtime.sealer
        )
    assert record is not None
    return [en for _, en in record.differences()]


async def run(desk: Desk, statement: str, feedback_id: str) -> None:
    async with desk.service.engine.begin() as connection:
        await connection.execute(text(statement), {"id": feedback_id})


async def a_life(desk: Desk) -> str:
    """A case with lines of all kinds, that was looked at."""
    feedback_id = await desk.case()
    await desk.process(examples.private(feedback_id), examples.routed(feedback_id, "it"))
    office = desk.as_("coordinator")
    reason = "not our department"
    await desk.do(desk.as_("liaison", "it"), feedback_id, "return", reason=reason)
    await desk.do(office, feedback_id, "dispatch", department="space")
    await desk.do(desk.as_("liaison", "space"), feedback_id, "accept")
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, "claim")
    await desk.process(
        examples.supplemented(feedback_id),
        examples.private_words(feedback_id, "w1", "靠窗"),
    )
    await desk.do(handler, feedback_id, "note", text="看过现场")
    await desk.do(handler, feedback_id, "note", text="回电 13900005678")
    await desk.do(handler, feedback_id, "note", text="王老师也看过")
    await desk.do(handler, feedback_id, "reply", text="您好，已清理三层座位", outcome="solved")
    return feedback_id


@pytest.mark.parametrize("change", CHANGES)
async def test_one_changed_byte_is_found(desk: Desk, change: str) -> None:
    feedback_id = await a_life(desk)
    assert await differences(desk, feedback_id) == []
    statement, where = CHANGES[change]
    await run(desk, statement, feedback_id)
    found = await differences(desk, feedback_id)
    assert any(where in sentence for sentence in found), found
    auditor = await desk.as_("auditor").get(f"/api/cases/{feedback_id}/readings")
    assert auditor.json()["intact"] is False
    assert len(auditor.json()["differences"]) == len(found)


SEALED = [
    (table, column.name)
    for table in SEALED_TABLES
    for column in table.__table__.columns
    if column.name not in ("feedback_id", "words_id") and not column.name.startswith("search")
]
_OTHER = {
    "BOOLEAN": "NOT {0}",
    "JSONB": "'{{\"other\": 1}}'::jsonb",
    "DATETIME": "coalesce({0}, now()) + interval '1 microsecond'",
    "INTEGER": "{0} + 1",
    "FLOAT": "{0} / 2",
}


async def test_a_change_in_any_column_under_seal_is_found(desk: Desk) -> None:
    feedback_id = await a_life(desk)
    for table, column in SEALED:
        kind = str(table.__table__.columns[column].type).split("(")[0]
        other = _OTHER.get(kind, "coalesce({0}, '') || 'x'").format(f'"{column}"')
        name, case = f'"{table.__tablename__}"', "WHERE feedback_id = :id"
        await run(desk, f"CREATE TABLE kept AS SELECT * FROM {name} {case}", feedback_id)
        await run(desk, f'UPDATE {name} SET "{column}" = {other} {case}', feedback_id)
        assert await differences(desk, feedback_id), (name, column)
        await run(desk, f"DELETE FROM {name} {case}", feedback_id)
        await run(desk, f"INSERT INTO {name} SELECT * FROM kept", feedback_id)
        await run(desk, "DROP TABLE kept", feedback_id)
        assert await differences(desk, feedback_id) == [], (name, column)


async def test_what_has_no_seal_is_said_not_to_be_covered(desk: Desk) -> None:
    feedback_id = await a_life(desk)
    address = f"/api/cases/{feedback_id}/readings"
    english = {"accept-language": "en"}
    body = (await desk.as_("auditor").get(address, headers=english)).json()
    assert (body["intact"], body["not_covered"], body["erased"]) == (True, [], False)
    await of_before_keys(desk, feedback_id)
    await run(desk, "UPDATE words SET seal = NULL WHERE feedback_id = :id", feedback_id)
    body = (await desk.as_("auditor").get(address, headers=english)).json()
    assert body["intact"] is True
    assert "its words" in body["not_covered"]
    assert "its words" in body["lines"].split("not covered: ")[1]


async def seal_anew(desk: Desk, feedback_id: str, sealer: Sealer, *tables: Any) -> None:
    """As somebody would who reads our code and writes SQL, with these keys or with none."""
    for table in tables:
        async with desk.service.engine.connect() as connection:
            rows = RowBuffer[Any](table, driver_of(connection).fetch)
            await rows.load([feedback_id])
        name = table.__tablename__
        for row in rows.for_case(feedback_id):
            values = values_of(row)
            (key,) = (c.name for c in table.__table__.primary_key.columns)
            seal = sealer.seal(name, values)
            statement = f"UPDATE {name} SET seal = '{seal}' WHERE {key} = :id"
            await run(desk, statement, values[key])


async def seal_all_anew(desk: Desk, feedback_id: str, sealer: Sealer) -> None:
    """The same with every row of the case, and with what says that it began with a key."""
    await run(desk, "UPDATE cases SET keyed = false WHERE feedback_id = :id", feedback_id)
    await seal_anew(desk, feedback_id, sealer, *SEALED_TABLES)


async def of_before_keys(desk: Desk, feedback_id: str) -> None:
    """The case is of release 3, and this desk has started since."""
    await run(desk, "DELETE FROM seal_marks", feedback_id)
    await seal_all_anew(desk, feedback_id, Sealer())
    await start_again(desk)


async def start_again(desk: Desk) -> None:
    for call in desk.service.starting:
        await call()


BYTES = {
    "cases": "title = title || '。'",
    "words": "text = text || '。'",
    "decisions": "confidence = confidence / 2",
    "private": "text = text || '。'",
    "private_words": "text = text || '。'",
}


@pytest.mark.parametrize("forged", [Sealer(), Sealer([b"a guess"])], ids=["no key", "another"])
async def test_one_changed_byte_sealed_anew_without_the_key_is_found(
    desk: Desk, forged: Sealer
) -> None:
    feedback_id = await a_life(desk)
    name = next(iter(forged._keys), "")
    real = desk.service.runtime.sealer
    for table in SEALED_TABLES:
        changed = f"UPDATE {table.__tablename__} SET {BYTES[table.__tablename__]}"
        await run(desk, f"{changed} WHERE feedback_id = :id", feedback_id)
        await seal_anew(desk, feedback_id, forged, table)
        if name:
            # Under the name of our own key.
            named = f"replace(seal, '{name}:', '{real._first}:')"
            statement = f"UPDATE {table.__tablename__} SET seal = {named} WHERE feedback_id = :id"
            await run(desk, statement, feedback_id)
        found = await differences(desk, feedback_id)
        assert any(table.__tablename__ in sentence for sentence in found), table
        await seal_anew(desk, feedback_id, real, table)
        assert not [s for s in await differences(desk, feedback_id) if "sealed" in s]


@pytest.mark.parametrize("forged", [Sealer(), Sealer([b"a guess"])], ids=["no key", "another"])
@pytest.mark.parametrize("table", BYTES)
async def test_a_case_sealed_anew_in_every_row_is_not_taken_for_an_old_one(
    desk: Desk, table: str, forged: Sealer
) -> None:
    feedback_id = await a_life(desk)
    await run(desk, f"UPDATE {table} SET {BYTES[table]} WHERE feedback_id = :id", feedback_id)
    await seal_all_anew(desk, feedback_id, forged)
    found = await differences(desk, feedback_id)
    assert any(sentence.startswith(f"{table}: ") for sentence in found), found


async def test_rows_robbed_of_their_seals_are_no_old_ones_either(desk: Desk) -> None:
    feedback_id = await a_life(desk)
    for table in BYTES:
        await run(desk, f"UPDATE {table} SET seal = NULL WHERE feedback_id = :id", feedback_id)
    found = await differences(desk, feedback_id)
    assert {one.split(":")[0] for one in found if "lost its seal" in one} == BYTES.keys()


async def test_from_when_on_seals_have_a_key_is_under_seal_itself(desk: Desk) -> None:
    feedback_id, forged = await a_life(desk), new_id()
    values = {"key_name": desk.service.runtime.sealer.first, "since": forged, "others": []}
    for seal in ("seal", f"'{Sealer().seal('seal_marks', values)}'"):
        await run(desk, f"UPDATE seal_marks SET since = '{forged}', seal = {seal}", feedback_id)
        await seal_all_anew(desk, feedback_id, Sealer())
        assert "seal_marks" in (await differences(desk, feedback_id))[0]


async def test_a_mark_that_was_thrown_away_is_made_again_where_older_cases_prove_it(
    desk: Desk,
) -> None:
    older = await a_life(desk)
    # As old as a case that was written when code of the release before was still beside.
    aged = str(UUID(int=UUID(older).int - (8 * 86_400_000 << 80)))
    real = desk.service.runtime.sealer
    for table in SEALED_TABLES:
        moved = f"UPDATE {table.__tablename__} SET feedback_id = '{aged}' WHERE feedback_id = :id"
        await run(desk, moved, older)
    await seal_anew(desk, aged, real, *SEALED_TABLES)
    feedback_id = await a_life(desk)
    await seal_all_anew(desk, feedback_id, Sealer())
    await run(desk, "DELETE FROM seal_marks", feedback_id)
    assert await differences(desk, feedback_id)
    await start_again(desk)
    assert await differences(desk, feedback_id)


async def test_code_of_before_keys_may_write_beside_for_a_week(desk: Desk) -> None:
    old = await a_life(desk)
    await of_before_keys(desk, old)
    during = await a_life(desk)
    await seal_all_anew(desk, during, Sealer())
    assert await differences(desk, old) == []
    assert await differences(desk, during) == []
    async with desk.service.transaction() as tx:
        mark = await read_mark(tx.fetch, tx.sealer)
    at = UUID(new_id()).int
    assert [mark.covers(str(UUID(int=at + (d * 86_400_000 << 80)))) for d in (6, 8)] == [
        False,
        True,
    ]


async def test_a_new_secret_goes_on_with_the_mark_of_the_one_before(desk: Desk) -> None:
    feedback_id = await a_life(desk)
    runtime = desk.service.runtime
    (old,) = runtime.signer.seal_keys
    (new,) = Signer("a new secret").seal_keys
    runtime.sealer = Sealer([new, old])
    await start_again(desk)
    runtime.sealer = Sealer([new])
    await start_again(desk)
    assert await differences(desk, feedback_id) == []
    await seal_all_anew(desk, feedback_id, Sealer())
    assert await differences(desk, feedback_id)
    await seal_all_anew(desk, feedback_id, Sealer([b"a guess"]))
    assert await differences(desk, feedback_id)


async def test_seals_of_before_there_was_a_key_hold_and_are_said_to_prove_little(
    desk: Desk,
) -> None:
    feedback_id = await a_life(desk)
    await of_before_keys(desk, feedback_id)
    headers = {"accept-language": "en"}
    address = f"/api/cases/{feedback_id}/readings"
    body = (await desk.as_("auditor").get(address, headers=headers)).json()
    assert body["intact"] is True
    assert "its words (sealed without a key)" in body["not_covered"]
    # What is written from now on has the key, and the rest is as good as it was.
    await desk.do(desk.as_("coordinator"), feedback_id, "note", text="x")
    body = (await desk.as_("auditor").get(address, headers=headers)).json()
    assert body["intact"] is True
    assert "the case (sealed without a key)" not in body["not_covered"]
    await run(desk, "UPDATE words SET text = text || '。' WHERE feedback_id = :id", feedback_id)
    assert "words" in (await differences(desk, feedback_id))[0]


async def test_a_new_secret_proves_what_the_old_one_sealed_while_it_is_listed(desk: Desk) -> None:
    feedback_id = await a_life(desk)
    runtime = desk.service.runtime
    (old,) = runtime.signer.seal_keys
    (new,) = Signer("a new secret").seal_keys
    runtime.sealer = Sealer([new, old])
    await desk.do(desk.as_("coordinator"), feedback_id, "note", text="x")
    assert await differences(desk, feedback_id) == []
    runtime.sealer = Sealer([new])
    assert await differences(desk, feedback_id) == []
    address = f"/api/cases/{feedback_id}/readings"
    body = (await desk.as_("auditor").get(address, headers={"accept-language": "en"})).json()
    assert "its words (sealed with a key that is listed no more)" in body["not_covered"]
    assert "the case" in body["lines"].split("not covered")[0]


async def test_erased_is_not_changed(desk: Desk) -> None:
    feedback_id = await a_life(desk)
    await desk.process(PrivateErased(feedback_id=feedback_id, at=examples.RECEIVED))
    answer = await desk.as_("auditor").get(f"/api/cases/{feedback_id}/readings")
    assert (answer.json()["intact"], answer.json()["erased"]) == (True, True)
    assert "联系方式和未遮盖的原话已删除，遮盖后的文字保留" in answer.json()["lines"]
    english = await desk.as_("auditor").get(
        f"/api/cases/{feedback_id}/readings", headers={"accept-language": "en"}
    )
    assert "words as they were written are erased; the masked text stays" in english.json()["lines"]


async def test_an_erasure_leaves_the_record_intact(desk: Desk) -> None:
    feedback_id = await a_life(desk)
    await desk.process(PrivateErased(feedback_id=feedback_id, at=examples.RECEIVED))
    assert await differences(desk, feedback_id) == []


async def test_lines_of_an_older_release_stand_before_the_chain(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    await run(desk, "UPDATE timeline SET hash = NULL WHERE feedback_id = :id", feedback_id)
    await run(desk, "UPDATE cases SET timeline_hash = NULL WHERE feedback_id = :id", feedback_id)
    await desk.do(desk.as_("handler", "space"), feedback_id, "note", text="x")
    assert await differences(desk, feedback_id) == []


def verify(export: dict[str, Any]) -> list[str]:
    """What the README prints."""
    wrong = []
    for name, chain in export["record"]["chains"].items():
        before = export["record"]["feedback_id"]
        for line in chain["lines"]:
            if (known := line.pop("hash")) is None:
                continue
            said = json.dumps(line, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            before = hashlib.sha256((before + said).encode()).hexdigest()
            if before != known:
                wrong.append(f"{name}: {said}")
        if (chain["head"] or export["record"]["feedback_id"]) != before:
            wrong.append(f"{name}: the end")
    return wrong


async def test_an_exported_case_carries_its_proof(desk: Desk) -> None:
    feedback_id = await a_life(desk)
    answer = await desk.as_("auditor").get(f"/api/cases/{feedback_id}/export")
    exported = answer.json()
    assert "attachment" in answer.headers["content-disposition"]
    assert exported["intact"]
    assert exported["case"]["feedback_id"] == feedback_id
    assert "13800001234" not in answer.text
    assert verify(exported) == []
    exported = answer.json()
    exported["record"]["chains"]["messages"]["lines"][1]["text"] += "。"
    assert verify(exported)


async def test_an_exported_case_can_be_read(desk: Desk) -> None:
    feedback_id = await a_life(desk)
    address = f"/api/cases/{feedback_id}/export"
    for headers in ({}, {"accept-language": "en"}):
        answer = await desk.as_("auditor").get(f"{address}?format=html", headers=headers)
        assert answer.status_code == 200
        assert "看过现场" in answer.text
        assert "timeline" in answer.text
    assert (await desk.as_("auditor").get(f"{address}?format=pdf")).status_code == 422
    assert (await desk.as_("handler", "it").get(address)).status_code == 404


async def test_a_look_at_who_it_is_is_kept_once_an_hour(desk: Desk, clock: ManualClock) -> None:
    feedback_id = await desk.case()
    await desk.process(examples.private(feedback_id))
    address = f"/api/cases/{feedback_id}"
    office, auditor = desk.as_("coordinator"), desk.as_("auditor")

    assert (await auditor.get(address)).status_code == 200
    assert "case.personal_data_read" not in await desk.emitted(feedback_id)
    version = (await office.get(address)).json()["version"]
    await office.get(address)
    await office.get(f"/desk/cases/{feedback_id}")
    await desk.as_("leader").get(address)
    await office.get(f"{address}/export")
    clock.later(hours=1, seconds=1)
    assert (await office.get(address)).json()["version"] == version

    looks = (await auditor.get(f"{address}/readings")).json()
    assert [(one["by"], one["role"], one["what"]) for one in looks["items"]] == [
        ("coordinator", "coordinator", ["contact"]),
        ("leader", "leader", ["contact"]),
        ("coordinator", "coordinator", ["contact", "export"]),
        ("coordinator", "coordinator", ["contact"]),
    ]
    assert looks["intact"]
    assert (await desk.emitted(feedback_id)).count("case.personal_data_read") == 4
    assert (await office.get(f"{address}/readings")).status_code == 403


async def test_who_sees_no_contact_leaves_no_trace(desk: Desk) -> None:
    feedback_id = await desk.in_progress(confidential=True)
    await desk.process(examples.private(feedback_id))
    await desk.as_("handler", "space").get(f"/api/cases/{feedback_id}")
    assert "case.personal_data_read" not in await desk.emitted(feedback_id)
