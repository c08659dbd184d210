"""``export-rules`` and ``import-rules``, as an administrator at a terminal uses them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest_asyncio

from services.routing import jobs
from services.routing.app import build
from shared.contracts import DIRECTORY
from shared.contracts.desk import DepartmentListed
from shared.ids import new_id
from shared.messaging.envelope import headers_for
from shared.messaging.producer import new_producer
from shared.service import Runtime
from tests.service.routing.conftest import NOW, SHIPPED, Routing
from tests.support import clock_at, prepared


@pytest_asyncio.fixture
async def routing(make_runtime: Callable[..., Runtime]) -> Routing:
    """With a broker: the commands read what is listed there."""
    service = await prepared(build, make_runtime(clock=clock_at("2026-03-04 10:00")))
    for seed in service.seeds:
        await seed(False)
    return Routing(service)


async def command(routing: Routing, *words: str) -> tuple[int, str]:
    runtime = routing.service.runtime
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.routing", *words),
        env=os.environ
        | {
            "EXPRESS_DATA": str(runtime.settings.data),
            "EXPRESS_DATABASE": runtime.database,
            "EXPRESS_KAFKA": runtime.kafka,
            "EXPRESS_SECRET": "a secret for tests only",
            "EXPRESS_EMBEDDINGS": "off",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_rules_go_out_to_a_file_and_come_back_as_the_next_version(
    routing: Routing, tmp_path: Path
) -> None:
    file = tmp_path / "rules.json"
    status, _ = await command(routing, "export-rules", str(file))
    typed = file.read_text(encoding="utf-8")
    named = routing.rules.stored.text.replace("{", '{\n  "owners": {},', 1)
    assert (status, typed) == (0, named)

    file.write_text(typed.replace('"margin": 0.2', '"margin": 2'), encoding="utf-8")
    status, said = await command(routing, "import-rules", str(file))
    assert status == 2
    assert f"{file}: line 5: margin: " in said

    file.write_text(typed.replace('"margin": 0.2', '"margin": 0.3'), encoding="utf-8")
    assert (await command(routing, "import-rules", str(file)))[0] == 0
    await jobs.refresh_rules(routing.service)
    assert (routing.rules.version, routing.rules.ruleset.book.margin) == (SHIPPED + 1, 0.3)

    status, said = await command(routing, "import-rules", str(file))
    assert status == 2
    assert f"at version {SHIPPED + 1}" in said


async def test_a_department_that_was_added_can_own_a_category(
    routing: Routing, tmp_path: Path
) -> None:
    file = tmp_path / "rules.json"
    document = json.loads((await command(routing, "export-rules"))[1])
    assert document["owners"] == {}
    document["owners"] = {"makerspace": "archives"}
    file.write_text(json.dumps(document), encoding="utf-8")
    status, said = await command(routing, "import-rules", str(file))
    assert (status, "unknown department 'archives'" in said) == (2, True), said

    await add_department(routing, "archives")
    status, said = await command(routing, "import-rules", str(file))
    assert status == 0, said
    await jobs.refresh_rules(routing.service)
    assert routing.rules.ruleset.book.owner_of("makerspace") == "archives"
    assert json.loads((await command(routing, "export-rules"))[1])["owners"] == document["owners"]


async def add_department(routing: Routing, code: str) -> None:
    """As desk lists it."""
    event = DepartmentListed(at=NOW, code=code, zh="档案馆", en="Archives")
    headers = headers_for(event, ce_id=new_id(), source="desk", sequence=None, cause=None)
    producer = new_producer(routing.service.runtime.kafka)
    await producer.start()
    await producer.send_and_wait(
        DIRECTORY,
        value=event.model_dump_json().encode(),
        key=event.key.encode(),
        headers=[(name, value.encode()) for name, value in headers.items()],
    )
    await producer.stop()


async def test_without_a_model_training_is_refused_and_keeps_no_version(routing: Routing) -> None:
    status, said = await command(routing, "train")
    assert (status, "EXPRESS_EMBEDDINGS is off" in said) == (2, True)
    assert "nothing is learned" in said


async def test_a_file_that_cannot_be_had_is_named_in_one_sentence(
    routing: Routing, tmp_path: Path
) -> None:
    nowhere, folder = tmp_path / "no such" / "r.json", tmp_path
    binary = tmp_path / "r.bin"
    binary.write_bytes(b"\xff\xfe\x00")
    for words, why in (
        (("export-rules", nowhere), "No such file or directory"),
        (("export-rules", folder), "Is a directory"),
        (("import-rules", nowhere), "No such file or directory"),
        (("import-rules", binary), "not text in UTF-8"),
    ):
        status, said = await command(routing, *map(str, words))
        assert (status, said) == (2, f"{words[1]}: {why}\n")
