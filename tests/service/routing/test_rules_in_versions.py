"""The rules: shipped once, edited in versions, checked whole, followed by every process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.routing import jobs, seeds, store
from services.routing.app import build
from services.routing.domain import with_version
from services.routing.store import learned
from shared.service import Runtime
from tests import support
from tests.service.routing.conftest import NOW, SHIPPED, Routing
from tests.unit.routing.test_weigh_up import tiny

RULES = "/api/routing/rules"
SENTENCE = "水獭在阅览室开会"


def otter(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The document with one more rule."""
    rule = {
        "id": "otter",
        "category": "events",
        "weight": 0.95,
        "phrases": ["水獭"],
        "note": "提到水獭",
        "note_en": "Says otter",
    }
    return document | {"rules": [*document["rules"], rule | changes]}


async def fetched(routing: Routing) -> dict[str, Any]:
    answer = await routing.as_("coordinator").get(RULES)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def ship(monkeypatch: pytest.MonkeyPatch, path: Path, version: int) -> None:
    """A release of the software whose rules have this version."""
    text = seeds.SHIPPED.read_text(encoding="utf-8")
    path.write_text(with_version(text, version), encoding="utf-8")
    monkeypatch.setattr(seeds, "SHIPPED", path)


async def seed(routing: Routing) -> bool:
    async with routing.service.transaction() as tx:
        return await seeds.seed(tx.connection, tx.now)


async def test_the_shipped_rules_are_loaded_once(routing: Routing) -> None:
    assert (await fetched(routing))["version"] == routing.rules.version
    assert not await seed(routing)


async def test_an_edit_counts_at_once_and_is_the_next_version(routing: Routing) -> None:
    document = await fetched(routing)
    answer = await routing.as_("admin").put(RULES, json=otter(document))
    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == document["version"] + 1
    event = await routing.last(await routing.receive(SENTENCE))
    assert (event["department"], event["rules_version"]) == ("events", document["version"] + 1)


async def test_rules_are_kept_as_they_were_typed(routing: Routing) -> None:
    text = (await routing.as_("admin").get(RULES)).text
    typed = text.replace('"margin": 0.2', '"margin":     0.2')
    answer = await routing.as_("admin").put(RULES, content=typed.encode())
    assert answer.text == typed.replace(f'"version": {SHIPPED},', f'"version": {SHIPPED + 1},')


async def test_whoever_edited_an_older_version_is_told(routing: Routing) -> None:
    document = otter(await fetched(routing))
    coordinator = routing.as_("coordinator")
    assert (await coordinator.put(RULES, json=document)).status_code == 200
    late = await coordinator.put(RULES, json=document)
    assert late.status_code == 409
    assert f"第 {SHIPPED + 1} 版" in late.json()["detail"]
    # Before anything else in it is looked at.
    assert (await coordinator.put(RULES, json=document | {"rules": 3})).status_code == 409


async def test_mistakes_are_named_by_path_and_line_and_nothing_is_saved(routing: Routing) -> None:
    document = await fetched(routing)
    text = json.dumps(otter(document, weight=7, category="fish"), ensure_ascii=False, indent=1)
    answer = await routing.as_("admin", **{"accept-language": "en"}).put(
        RULES, content=text.encode()
    )
    assert answer.status_code == 422
    number = len(document["rules"])
    errors = answer.json()["errors"]
    line = text[: text.rindex('"weight": 7')].count("\n") + 1
    assert errors[f"rules.{number}.weight"].startswith(f"line {line}: rule otter: weight: ")
    assert "unknown category 'fish'" in errors[f"rules.{number}.category"]
    chinese = await routing.as_("admin").put(RULES, content=text.encode())
    assert chinese.json()["errors"][f"rules.{number}.weight"] == (
        f"第 {line} 行：规则 otter：weight：不能大于 1"
    )
    assert await fetched(routing) == document


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"version": %d,\n "rules": [}' % SHIPPED, 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b"[]", 422),
        (b'{"rules": []}', 422),
        (b'{"version": true, "rules": []}', 422),
        (b'{"version": %d}' % SHIPPED, 422),
        (b'{"version": %d, "rules": [], "groups": {"a": [""]}}' % SHIPPED, 422),
        (b'{"version": %d, "rules": [], "groups": {"a": ["\\u0000"]}}' % SHIPPED, 422),
        (b'{"version": %d, "rules": [], "groups": {"a": ["\\ud800"]}}' % SHIPPED, 422),
    ],
)
async def test_what_is_no_rule_book_is_refused(routing: Routing, body: bytes, status: int) -> None:
    answer = await routing.as_("admin").put(RULES, content=body)
    assert answer.status_code == status, answer.text
    assert routing.rules.version == SHIPPED


async def test_the_line_of_what_is_no_json_is_told(routing: Routing) -> None:
    answer = await routing.as_("admin").put(
        RULES, content=b'{"version": %d,\n "rules": [}' % SHIPPED
    )
    assert "第 2 行" in answer.json()["errors"]["body"]


@pytest.mark.parametrize(
    ("role", "reads", "edits"),
    [
        ("coordinator", 200, 200),
        ("admin", 200, 200),
        ("leader", 200, 403),
        ("auditor", 200, 403),
        ("clerk", 403, 403),
        ("student", 403, 403),
        ("liaison", 403, 403),
        ("handler", 403, 403),
        ("reviewer", 403, 403),
    ],
)
async def test_who_may_read_and_edit(routing: Routing, role: str, reads: int, edits: int) -> None:
    someone = routing.as_(role)
    assert (await someone.get(RULES)).status_code == reads
    assert (await someone.post("/api/routing/try", json={"text": SENTENCE})).status_code == reads
    document = await fetched(routing)
    assert (await someone.put(RULES, json=document)).status_code == edits


async def test_strangers_and_adapters_stay_outside(routing: Routing) -> None:
    assert (await routing.visitor().get(RULES)).status_code == 401
    assert (await routing.visitor().put(RULES, content=b"{")).status_code == 401
    adapter = support.adapter_token(routing.service.runtime, "kiosk")
    assert (await routing.visitor(authorization=f"Bearer {adapter}").get(RULES)).status_code == 403


async def test_trying_a_sentence_tells_why_and_keeps_nothing(routing: Routing) -> None:
    answer = await routing.as_("coordinator").post(
        "/api/routing/try", json={"text": "打印机卡纸了", "place": "二层", "category": ""}
    )
    body = answer.json()
    assert (body["department"], body["rules_version"]) == ("space", SHIPPED)
    assert body["reasons"][0]["rule"]
    async with routing.service.engine.connect() as connection:
        assert await store.results(connection, routing.service.runtime.clock.now()) == {
            "routed": 0,
            "triage": 0,
            "returned": 0,
        }


@pytest.mark.parametrize(
    "body", [{}, {"text": " "}, {"text": "a\0"}, {"text": "a", "category": "x"}]
)
async def test_a_try_without_sense_is_refused(routing: Routing, body: dict[str, str]) -> None:
    answer = await routing.as_("coordinator").post("/api/routing/try", json=body)
    assert answer.status_code == 422


async def test_nobody_knows_an_unknown_case(routing: Routing) -> None:
    answer = await routing.as_("coordinator").get("/api/routing/cases/nobody")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("said", "confidential"),
    [
        ("三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？", True),
        ("刘老师当众骂我，态度极其恶劣，说我自己不会查", False),
    ],
)
async def test_what_a_confidential_comment_says_is_quoted_to_who_reads_it_only(
    routing: Routing, said: str, confidential: bool
) -> None:
    case = await routing.receive(said, confidential=confidential)
    for role, status in (("admin", 404), ("coordinator", 200), ("leader", 200), ("auditor", 200)):
        answer = await routing.as_(role).get(f"/api/routing/cases/{case}")
        assert answer.status_code == status, role
    open_one = await routing.receive("三层东区的插座坏了")
    assert (await routing.as_("admin").get(f"/api/routing/cases/{open_one}")).status_code == 200


async def test_another_process_follows_an_edit(
    routing: Routing, make_quiet_runtime: Callable[..., Runtime]
) -> None:
    other = build(make_quiet_runtime())
    await other.connect()
    await jobs.refresh_rules(other)
    await routing.as_("admin").put(RULES, json=otter(await fetched(routing)))
    assert other.deps.rules.version == SHIPPED
    await jobs.refresh_rules(other)
    assert other.deps.rules.version == SHIPPED + 1
    await other.engine.dispose()


async def test_rules_nobody_can_read_leave_the_old_ones_in_force(routing: Routing) -> None:
    async with routing.service.transaction() as tx:
        await tx.connection.exec_driver_sql(
            "INSERT INTO rule_books (version, body, at) VALUES (99, '{\"rules\": 3}', now())"
        )
    await jobs.refresh_rules(routing.service)
    assert routing.rules.version == SHIPPED
    assert any("version 99" in warning for warning in routing.service.warnings())


async def test_a_newer_shipped_version_replaces_rules_nobody_edited(
    routing: Routing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ship(monkeypatch, tmp_path / "rules.json", SHIPPED + 1)
    assert await seed(routing)
    assert not await seed(routing)
    await jobs.refresh_rules(routing.service)
    assert routing.rules.version == SHIPPED + 1


async def test_a_version_that_has_decided_is_never_another_one(
    routing: Routing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After a restore there are decisions by versions whose words nobody has."""
    await routing.receive(SENTENCE)
    async with routing.service.transaction() as tx:
        await tx.fetch("UPDATE decisions SET rules_version = $1, model_version = 6", SHIPPED + 3)
    ship(monkeypatch, tmp_path / "rules.json", SHIPPED + 1)
    assert await seed(routing)
    document = await fetched(routing)
    assert document["version"] == SHIPPED + 4
    async with routing.service.transaction() as tx:
        await tx.fetch("UPDATE decisions SET rules_version = $1", SHIPPED + 6)
    answer = await routing.as_("admin").put(RULES, json=document)
    assert answer.json()["version"] == routing.rules.version == SHIPPED + 7

    how: dict[str, Any] = {"at": NOW, "by": "admin", "source": "", "until": None, "measured": {}}
    async with routing.service.transaction() as tx:
        assert await learned.keep_version(tx.connection, tiny(), **how) == 7
        assert await learned.keep_version(tx.connection, tiny(), **how) == 8


async def test_edited_rules_are_never_overwritten(
    routing: Routing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await routing.as_("admin").put(RULES, json=otter(await fetched(routing)))
    ship(monkeypatch, tmp_path / "rules.json", SHIPPED + 1)
    assert not await seed(routing)
    await jobs.refresh_rules(routing.service)
    assert routing.rules.version == SHIPPED + 1
