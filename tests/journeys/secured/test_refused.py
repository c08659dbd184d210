"""Who is not let in, and what they are told: in one line, and never the password."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import ClusterAuthorizationFailedError, TopicAuthorizationFailedError

from services.sla.app import build
from shared.contracts import DIRECTORY, EVENTS, INBOUND, PRIVATE
from shared.messaging.brokers import client_options
from shared.messaging.connecting import BrokerRefused
from shared.messaging.directory import Directory, DirectoryReader
from shared.messaging.topics import cluster_id
from tests.fakes.certificates import Authority
from tests.integration.system import ROOT, Child, free_ports
from tests.journeys.conftest import Town
from tests.journeys.secured.conftest import PASSWORDS, Secured
from tests.messaging.conftest import until
from tests.patience import plain

WRONG = "not-it-at-all"


async def test_a_wrong_password_or_authority_is_named(secured: Secured, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "another authority")
    for wrong, sentence in (
        ({"password": WRONG}, "does not accept the user desk with this password"),
        ({"cafile": stranger.file}, "is not trusted"),
    ):
        with pytest.raises(BrokerRefused, match=sentence) as refused:
            await cluster_id(secured.kafka.brokers("desk", **wrong))
        assert str(refused.value).startswith("EXPRESS_KAFKA_SECURITY: ")
        assert "\n" not in str(refused.value)
        assert WRONG not in str(refused.value)


async def test_brokers_that_speak_no_tls_are_told_apart(secured: Secured) -> None:
    brokers = secured.kafka.brokers("desk")
    plain = type(brokers)(secured.kafka.inner, brokers.security)
    with pytest.raises(BrokerRefused, match="no TLS on this port"):
        await cluster_id(plain)


async def test_a_process_with_a_wrong_password_says_so_and_ends_when_asked(
    guarded_town: Town, secured: Secured, tmp_path: Path
) -> None:
    port = free_ports(1)[0]
    env = {k: v for k, v in os.environ.items() if not k.startswith("EXPRESS_")} | {
        "EXPRESS_DATA": str(tmp_path),
        "EXPRESS_EMBEDDINGS": "off",
        "EXPRESS_PORT": str(port),
        "EXPRESS_KAFKA": secured.kafka.address,
        "EXPRESS_KAFKA_SECURITY": secured.kafka.url("sla", password=WRONG),
        "EXPRESS_DATABASE": secured.url,
        "EXPRESS_SECRET": "a secret for tests only",
        "EXPRESS_CODE_SECRET": "another secret for tests only",
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", *command)
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)

    log, began = tmp_path / "log", time.monotonic()
    process = Child.start([sys.executable, "-m", "services", "--only", "sla"], log, env)

    async def told() -> bool:
        assert process.alive, process.tail()
        with contextlib.suppress(httpx2.TransportError):
            async with plain() as client:
                answer = await client.get(f"http://127.0.0.1:{port}/health/ready")
                return answer.status_code == 503 and "EXPRESS_KAFKA_SECURITY" in answer.text
        return False

    await until(told)
    status = await asyncio.to_thread(run, "services", "status", "--json")
    assert status.returncode == 1
    assert any("EXPRESS_KAFKA_SECURITY" in one for one in json.loads(status.stdout)["reasons"])
    assert WRONG not in status.stdout + status.stderr
    process.ask_to_end()
    assert await process.ended() == 0
    errors = log.read_text()
    assert "does not accept the user sla" in errors
    assert WRONG not in errors
    # A line per source line every ten seconds, and the waits of each part double.
    assert len(errors.splitlines()) < 100 + (time.monotonic() - began), errors
    refused = await asyncio.to_thread(run, "services", "setup")
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()[-1:]
    assert line.startswith("EXPRESS_KAFKA_SECURITY: ")
    assert WRONG not in refused.stderr + refused.stdout


async def _write(secured: Secured, account: str, topic: str) -> None:
    async with AIOKafkaProducer(
        **client_options(secured.kafka.brokers(account)), enable_idempotence=True
    ) as producer:
        await producer.send_and_wait(topic, b"{}", key=b"key", partition=0)


async def _read(secured: Secured, account: str, topic: str) -> None:
    async with AIOKafkaConsumer(topic, **client_options(secured.kafka.brokers(account))) as reader:
        await reader.getmany(timeout_ms=200)


@pytest.mark.parametrize(
    ("account", "act", "topic"),
    [
        ("kiosk", _read, PRIVATE),
        ("kiosk", _read, EVENTS),
        ("kiosk", _read, INBOUND),
        ("kiosk", _write, EVENTS),
        ("kiosk", _write, DIRECTORY),
        ("routing", _write, DIRECTORY),
        ("sla", _write, PRIVATE),
        ("sla", _write, INBOUND),
        ("tracking", _write, EVENTS),
        ("tracking", _read, PRIVATE),
        ("notification", _write, INBOUND),
    ],
)
async def test_an_account_may_do_no_more_than_its_service(
    guarded_town: Town, secured: Secured, account: str, act: Callable[..., Any], topic: str
) -> None:
    # Who may write nothing at all may not even begin to.
    with pytest.raises((TopicAuthorizationFailedError, ClusterAuthorizationFailedError)):
        await act(secured, account, topic)


async def test_an_adapter_may_hand_in(guarded_town: Town, secured: Secured) -> None:
    await _write(secured, "kiosk", INBOUND)


async def test_a_service_with_another_accounts_rights_says_what_it_may_not(
    guarded_town: Town, secured: Secured
) -> None:
    runtime = dataclasses.replace(guarded_town.runtime, kafka=secured.kafka.brokers("kiosk"))
    service = build(runtime)
    await service.start()
    try:
        await until(lambda: any("AuthorizationFailed" in reason for reason in service.reasons()))
    finally:
        await service.stop()
    reader = DirectoryReader(Directory(), secured.kafka.brokers("kiosk"))
    await reader.start()
    try:
        await until(lambda: "AuthorizationFailed" in (reader.error or ""))
    finally:
        await reader.stop()


def test_no_password_stands_in_what_is_shown(secured: Secured) -> None:
    brokers = secured.kafka.brokers("desk")
    for shown in (str(brokers), repr(brokers), repr(brokers.security), f"{brokers}"):
        assert PASSWORDS["desk"] not in shown
