"""What every process knows of people: only from desk, and only by its own key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.contracts import DIRECTORY, Event
from shared.contracts.desk import PersonListed
from shared.ids import new_id
from shared.messaging.directory import Directory, DirectoryReader
from shared.messaging.envelope import headers_for
from shared.messaging.producer import new_producer
from shared.observability.metrics import REFUSED_RECORDS
from shared.service import Runtime
from tests.messaging.conftest import until


def person(name: str, role: str) -> PersonListed:
    return PersonListed(
        at=datetime.now(UTC), username=name, display=name, role=role, department=None
    )


async def say(runtime: Runtime, event: PersonListed, **forged: Any) -> None:
    headers = headers_for(event, ce_id=new_id(), source="desk", sequence=None, cause=None)
    body = event.model_dump_json().encode()
    producer = new_producer(runtime.kafka)
    await producer.start()
    await producer.send_and_wait(
        DIRECTORY,
        value=forged.get("body", body),
        key=forged.get("key", event.key).encode(),
        headers=[
            (name, value.encode()) for name, value in (headers | forged.get("headers", {})).items()
        ],
    )
    await producer.stop()


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        ({"headers": {"ce_source": "intake"}}, "source"),
        ({"headers": {"ce_source": ""}}, "source"),
        ({"key": "person:somebody-else"}, "key"),
    ],
)
async def test_a_forged_entry_changes_nothing_and_is_counted(
    toy_runtime: Runtime, forged: dict[str, Any], reason: str
) -> None:
    clerk, last = f"clerk-{new_id()}", f"last-{new_id()}"
    before = _counted(reason)
    directory = Directory()
    reader = DirectoryReader(directory, toy_runtime.kafka)
    await reader.start()
    try:
        await say(toy_runtime, person(clerk, "clerk"))
        await until(lambda: clerk in directory.people)
        await say(toy_runtime, person(clerk, "leader"), **forged)
        await until(lambda: _counted(reason) > before)
        assert directory.people[clerk].role == "clerk"
        await say(toy_runtime, person(last, "clerk"), body=b"not json")
        await say(toy_runtime, person(last, "clerk"))
        await until(lambda: last in directory.people)
        assert directory.loaded
        assert reader.error is None
    finally:
        await reader.stop()


async def test_a_command_reads_what_is_listed_now_and_is_told_where_it_cannot(
    toy_runtime: Runtime,
) -> None:
    clerk = f"clerk-{new_id()}"
    await say(toy_runtime, person(clerk, "clerk"))
    reader = DirectoryReader(Directory(), toy_runtime.kafka)
    assert await reader.read_once(30)
    assert clerk in reader.directory.people
    assert not await DirectoryReader(Directory(), "127.0.0.1:1").read_once(0.2)


async def test_a_reader_that_dies_goes_on_where_it_was(
    toy_runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"clerk-{new_id()}"
    directory = Directory()
    reader = DirectoryReader(directory, toy_runtime.kafka)
    await reader.start()
    try:
        await say(toy_runtime, person(name, "leader"))
        await say(toy_runtime, person(name, "clerk"))
        await until(lambda: name in directory.people and directory.people[name].role == "clerk")
        seen: list[str] = []
        apply = directory.apply

        def note(event: Event) -> None:
            seen.append(event.key)
            apply(event)

        monkeypatch.setattr(directory, "apply", note)
        assert reader._task._task is not None
        reader._task._task.cancel()
        await until(lambda: reader.error == "directory: cancelled")
        other = f"other-{new_id()}"
        await say(toy_runtime, person(other, "clerk"))
        await until(lambda: other in directory.people)
        assert seen == [f"person:{other}"]
        assert reader.error is None
    finally:
        await reader.stop()


def _counted(reason: str) -> float:
    return REFUSED_RECORDS.labels("directory", reason)._value.get()
