"""URLs of the database on a real server, through SQLAlchemy and through the bare driver."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from sqlalchemy import text

from shared.db import Address, create_engine, parse_address
from shared.db.address import DatabaseRefused
from tests.patience import PATIENCE


@pytest_asyncio.fixture
async def over_tcp(postgres: str) -> AsyncIterator[str]:
    """``host:port`` that leads to the server, which itself only has a socket and no TLS."""
    directory = parse_qs(urlsplit(postgres).query)["host"][0]

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(f"{directory}/.s.PGSQL.5432")
        await asyncio.gather(_copy(reader, back), _copy(there, writer))

    async with await asyncio.start_server(forward, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def shown(address: Address, setting: str) -> set[str]:
    """What both kinds of connection show of a setting."""
    engine = create_engine(address)
    async with engine.connect() as pooled:
        by_engine = await pooled.scalar(text(f"SHOW {setting}"))
    await engine.dispose()
    bare = await address.connect(name="express")
    by_driver = await bare.fetchval(f"SHOW {setting}")
    await bare.close()
    return {by_engine, by_driver}


@pytest.mark.parametrize(
    ("options", "setting", "value"),
    [
        ("application_name=library", "application_name", "library"),
        ("fallback_application_name=shelf", "application_name", "shelf"),
        ("sslmode=disable", "application_name", "express"),
        ("sslmode=allow", "application_name", "express"),
        ("sslmode=prefer", "application_name", "express"),
        ("connect_timeout=7", "application_name", "express"),
        ("channel_binding=prefer", "application_name", "express"),
        ("options=-c%20work_mem%3D5MB", "work_mem", "5MB"),
        ("target_session_attrs=read-write", "transaction_read_only", "off"),
        (
            "sslmode=disable&application_name=all&connect_timeout=9&channel_binding=disable",
            "application_name",
            "all",
        ),
    ],
)
async def test_what_libpq_allows_works(
    over_tcp: str, options: str, setting: str, value: str
) -> None:
    address = parse_address(f"postgresql://postgres@{over_tcp}/postgres?{options}")
    assert await shown(address, setting) == {value}


async def test_times_are_utc_whatever_the_server_is_set_to(over_tcp: str) -> None:
    address = parse_address(f"postgresql://postgres@{over_tcp}/postgres?options=-ctimezone%3DJapan")
    assert await shown(address, "timezone") == {"UTC"}


async def test_a_server_without_tls_is_refused_where_tls_is_required(over_tcp: str) -> None:
    address = parse_address(f"postgresql://postgres@{over_tcp}/postgres?sslmode=require")
    with pytest.raises(DatabaseRefused, match=r"^EXPRESS_DATABASE: .*rejected SSL"):
        await address.connect(name="express")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("options=-c%20no_such_thing%3D1", "no_such_thing"),
        ("options=-c%20work_mem", "work_mem"),
        ("options=-c%20work_mem%3Dmuch", "work_mem"),
        ("sslmode=require", "rejected SSL"),
        ("channel_binding=require", "channel_binding=require"),
        ("tcp_user_timeout=1", "tcp_user_timeout"),
    ],
)
async def test_a_command_says_so_in_one_line_and_ends_with_2(
    over_tcp: str, tmp_path: Path, options: str, says: str
) -> None:
    url = f"postgresql://postgres@{over_tcp}/postgres?{options}"
    status, said = await migrate(url, tmp_path)
    assert status == 2
    assert said.startswith("EXPRESS_DATABASE: ")
    assert says in said
    assert said.count("\n") == 1


async def test_a_command_says_in_one_line_that_the_server_is_away(tmp_path: Path) -> None:
    status, said = await migrate("postgresql://postgres@127.0.0.1:1/", tmp_path)
    assert status == 1
    assert said.count("\n") == 1
    assert "ConnectionRefusedError" in said


async def migrate(url: str, data: Path) -> tuple[int | None, str]:
    environment = os.environ | {
        "EXPRESS_DATABASE": url,
        "EXPRESS_KAFKA": "127.0.0.1:1",
        "EXPRESS_DATA": str(data),
        "EXPRESS_EMBEDDINGS": "off",
    }
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.intake", "migrate"),
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(child.communicate(), PATIENCE)
    return child.returncode, said.decode()
