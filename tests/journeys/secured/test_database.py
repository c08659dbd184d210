"""PostgreSQL by TLS, as libpq's URL asks for it: who is believed to be the database."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.db.address import DatabaseRefused, parse_address
from shared.db.engine import create_engine
from tests.fakes.certificates import Authority
from tests.fakes.postgres import reached_by
from tests.integration.system import ROOT
from tests.journeys.conftest import Town
from tests.journeys.secured.conftest import Secured
from tests.patience import PATIENCE


async def answer(url: str) -> int:
    """What the database says by both of the ways the system connects."""
    address = parse_address(url)
    connection = await address.connect(name="test")
    try:
        one: int = await connection.fetchval("SELECT 1")
    finally:
        await connection.close()
    engine = create_engine(address)
    try:
        async with engine.connect() as pooled:
            return one + int((await pooled.execute(text("SELECT 1"))).scalar_one())
    finally:
        await engine.dispose()


async def test_every_connection_of_the_system_was_encrypted(
    guarded_town: Town, secured: Secured
) -> None:
    assert secured.database.encrypted > 0
    assert secured.database.clear == 0


async def test_only_verify_full_asks_who_answers(secured: Secured, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "another authority")
    url = secured.database.url
    assert await answer(url(sslmode="verify-full", sslrootcert=str(secured.authority.file))) == 2
    assert await answer(url(sslmode="require")) == 2
    with pytest.raises(DatabaseRefused) as refused:
        await answer(url(sslmode="verify-full", sslrootcert=str(stranger.file)))
    assert str(refused.value).startswith("EXPRESS_DATABASE: ")
    assert "certificate verify failed" in str(refused.value)
    assert "\n" not in str(refused.value)
    other_name = secured.url.replace("127.0.0.1", "localhost")
    with pytest.raises(DatabaseRefused, match="localhost"):
        await answer(other_name)


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_a_server_without_tls_is_refused_and_nothing_is_said_in_clear(
    secured: Secured, mode: str
) -> None:
    async with reached_by(secured.socket, None) as plain:
        url = plain.url(sslmode=mode, sslrootcert=str(secured.authority.file))
        with pytest.raises(DatabaseRefused, match="rejected SSL"):
            await answer(url)
        assert plain.clear == 0
        assert await answer(plain.url(sslmode="prefer")) == 2


async def test_a_command_says_it_in_one_line(
    guarded_town: Town, secured: Secured, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "another authority")
    env = {k: v for k, v in os.environ.items() if not k.startswith("EXPRESS_")} | {
        "EXPRESS_DATA": str(tmp_path),
        "EXPRESS_EMBEDDINGS": "off",
        "EXPRESS_KAFKA": "127.0.0.1:1",
        "EXPRESS_DATABASE": secured.url,
        "EXPRESS_SECRET": "a secret for tests only",
    }

    async def migrate(**other: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "services.desk", "migrate"],
            cwd=ROOT,
            env=env | other,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    assert (await migrate()).returncode == 0
    wrong = secured.url.replace(str(secured.authority.file), str(stranger.file))
    done = await migrate(EXPRESS_DATABASE=wrong)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("EXPRESS_DATABASE: ")
    assert "certificate verify failed" in line
